"""What must hold in a host's table, between its entries; each problem with its place."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterable

from landstep.coupling.areas import UNKNOWN_ZONE
from landstep.coupling.table_entries import CoverEntry, FieldEntry, HostTable, RowEntry
from landstep.emulator.classes import OUTSIDE, Scheme, scheme
from landstep.emulator.errors import ConfigError
from landstep.emulator.legends import ZONE_GROUPS

SUM_TOLERANCE = 1e-9
"""How far the shares of a row may be from 1: what decimal fractions are off in binary."""

FILL_TOLERANCE = 1e-13
"""How far the fills of fields may be from their total: what CTSM allows."""

LARGEST_MONTHLY = 1000.0
"""Bounds of monthly maps lie within this, so that their sums over the Earth fit int64."""

KEYS: dict[str, tuple[set[str], set[str]]] = {
    "fraction": ({"denominator", "covers"}, {"scale", "whole"}),
    "type": ({"covers"}, {"of_cover", "largest_of"}),
    "mean": ({"covers", "property"}, {"average", "scale"}),
    "monthly_type": ({"property", "season"}, {"of_type", "of_cover", "covers"}),
    "monthly_mix": ({"denominator", "property", "season"}, set()),
}
"""Keys of the rules of a field: those that it needs, and those that it may have."""

RULE_KEYS = set().union(*(needed | possible for needed, possible in KEYS.values()))


class TableProblem(Exception):
    """What is wrong in a table, and where: the keys and list numbers that lead there."""

    def __init__(self, place: tuple[int | str, ...], words: str) -> None:
        super().__init__(words)
        self.place = place


def check_table(table: HostTable) -> None:
    """Hold a table against itself and against the class schemes that it names.

    Raises TableProblem for the first thing that is wrong.
    """
    _once("cover", table.cover_names)
    _once("field", [entry.name for entry in table.field])
    _check_covers(table)
    _check_sets(table)
    schemes = [_scheme(name) for name in table.schemes]
    for number, row in enumerate(table.row):
        _check_row(table, schemes, number, row)
    for of in schemes:
        _check_complete(table, of)
    for number, entry in enumerate(table.field):
        _check_field(table, number, entry)
    _check_sums(table)
    for names in table.albedo:
        for name in names:
            _known(name, [entry.name for entry in table.field], "field", ("albedo",))


def _once(what: str, names: list[str]) -> None:
    for number, name in enumerate(names):
        if name in names[:number]:
            raise TableProblem((what, number, "name"), f"{what} {name!r} stands twice")


def _known(name: str, there: Collection[str], what: str, place: tuple[int | str, ...]) -> None:
    if name not in there:
        close = difflib.get_close_matches(name, there, 1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        raise TableProblem(place, f"unknown {what} {name!r}: {hint}there are {sorted(there)}")


def _check_covers(table: HostTable) -> None:
    for number, cover in enumerate(table.cover):
        for name in cover.sources:
            there = ["type", *cover.properties]
            _known(name, there, "property", ("cover", number, "sources"))


def _check_sets(table: HostTable) -> None:
    before = list(table.cover_names)
    for name, members in table.sets.items():
        place = ("sets", name)
        if name == "cell" or name in table.cover_names:
            raise TableProblem(place, f"set {name!r}: the name is taken; choose another")
        if not members:
            raise TableProblem(place, f"set {name!r} has no cover")
        for number, member in enumerate(members):
            if member in members[:number]:
                raise TableProblem(place, f"set {name!r}: {member!r} stands twice")
        for member in members:
            _known(member, before, "cover or earlier set", place)
        before.append(name)
    if "land" not in table.sets:
        raise TableProblem(("sets",), "set 'land' is missing: which covers are land?")


def _scheme(name: str) -> Scheme:
    try:
        return scheme(name)
    except ConfigError as error:
        raise TableProblem(("schemes",), str(error)) from error


def _check_row(table: HostTable, schemes: list[Scheme], number: int, row: RowEntry) -> None:
    classes = {name for of in schemes for name in of.names}
    for name in row.classes:
        _known(name, classes, "class", ("row", number, "classes"))
    for zone in zones_of(row):
        _known(zone, ZONE_GROUPS, "zone group", ("row", number, "zones"))
    place = ("row", number, "covers")
    for name, share in row.covers.items():
        _known(name, table.cover_names, "cover", place)
        if share < 0:
            raise TableProblem(place, f"share of {name!r} is {share}, expected 0 to 1")
    total = sum(row.covers.values())
    if abs(total - 1) > SUM_TOLERANCE:
        raise TableProblem(place, f"shares of {row.classes} sum to {total:.12g}, expected 1")


def zones_of(row: RowEntry) -> Iterable[str]:
    """Names of the zone groups that a row is for."""
    return ZONE_GROUPS if row.zones == "*" else row.zones


def _check_complete(table: HostTable, of: Scheme) -> None:
    """Every class in every zone group has one row; only the unknown group may have none."""
    first: dict[tuple[str, str], int] = {}
    for number, row in enumerate(table.row):
        for pair in ((name, zone) for name in row.classes for zone in zones_of(row)):
            if pair in first and pair[0] in of.names:
                raise TableProblem(
                    ("row", number, "classes"),
                    f"class {pair[0]!r} in zone group {pair[1]!r} has two rows: this and "
                    f"number {first[pair] + 1}",
                )
            first[pair] = number
    for name in of.names:
        for zone in ZONE_GROUPS:
            needed = zone != ZONE_GROUPS[UNKNOWN_ZONE] or name == of.names[OUTSIDE]
            if needed and (name, zone) not in first:
                raise TableProblem(
                    ("schemes",),
                    f"class {name!r} of scheme {of.name} has no row for zone group {zone!r}",
                )


def _check_field(table: HostTable, number: int, entry: FieldEntry) -> None:
    def problem(key: str, words: str) -> TableProblem:
        return TableProblem(("field", number, key), f"field {entry.name!r}: {words}")

    needed, possible = KEYS[entry.rule]
    given = {key for key in RULE_KEYS if getattr(entry, key) is not None}
    if missing := sorted(needed - given):
        raise problem("rule", f"rule {entry.rule!r} needs key {missing[0]!r}")
    if other := sorted(given - needed - possible):
        raise problem(other[0], f"rule {entry.rule!r} has no key {other[0]!r}")
    if entry.denominator is not None:
        known = {"cell", *({"land", "vegetated"} & set(table.sets))}
        known |= {f"landunit:{name}" for name in table.sets}
        _known(entry.denominator, known, "denominator", ("field", number, "denominator"))
    for name in entry.covers or []:
        there = [*table.cover_names, *table.sets, "cell"]
        _known(name, there, "cover or set", ("field", number, "covers"))
    _check_partners(table, number, entry)
    covers = [table.cover[i] for i in table.field_numbers(entry)]
    if not covers:
        raise problem("covers", "it has no cover")
    _check_numbers(covers, entry, problem)
    low, high = entry.bounds
    if not low <= entry.fill <= high:
        raise problem("fill", f"{entry.fill} is outside the bounds {low} to {high}")
    if entry.rule == "fraction":
        if entry.bounds != (0.0, entry.scale or 1.0):
            raise problem("bounds", f"a fraction has bounds 0 and {entry.scale or 1.0}")
        if entry.denominator is not None and not set(table.field_numbers(entry)) <= set(
            table.denominator_numbers(entry.denominator)
        ):
            raise problem("covers", f"some lie outside the denominator {entry.denominator!r}")
    monthly = entry.rule.startswith("monthly")
    if (entry.schedule == "monthly") != monthly:
        raise problem("schedule", f"{entry.schedule!r} does not go with rule {entry.rule!r}")
    if monthly and max(abs(low), abs(high)) > LARGEST_MONTHLY:
        raise problem("bounds", f"{low} to {high}: a monthly map's lie within {LARGEST_MONTHLY}")


def _check_numbers(
    covers: list[CoverEntry], entry: FieldEntry, problem: Callable[[str, str], TableProblem]
) -> None:
    """The covers of a field have the types and the property that its rule asks for."""
    if entry.rule == "type":
        types = [cover.type for cover in covers]
        for cover in covers:
            if cover.type is None:
                raise problem("covers", f"cover {cover.name!r} has no type")
            if types.count(cover.type) > 1:
                raise problem("covers", f"two of its covers have type {cover.type}")
        if entry.fill != round(entry.fill):
            raise problem("fill", f"{entry.fill} is no type: expected a whole number")
    if entry.property is not None:
        for cover in covers:
            if entry.property not in cover.properties:
                raise problem("property", f"cover {cover.name!r} has no {entry.property!r}")
            if entry.average not in (None, "arithmetic") and cover.properties[entry.property] <= 0:
                raise problem("average", f"{entry.property!r} of {cover.name!r} is not above 0")


def _check_partners(table: HostTable, number: int, entry: FieldEntry) -> None:
    """The fields that a field goes with are there, and of the right kind."""
    for key, rule in (("of_type", "type"), ("of_cover", "fraction")):
        name = getattr(entry, key)
        if name is None:
            continue
        place = ("field", number, key)
        _known(name, [other.name for other in table.field if other.rule == rule], f"{rule} field",
               place)  # fmt: skip
    if entry.largest_of is not None:
        for cover in (table.cover[i] for i in table.field_numbers(entry)):
            share = table.field_named(f"{entry.largest_of}_{cover.type}")
            if share is None or share.rule != "fraction" or share.covers != [cover.name]:
                raise TableProblem(
                    ("field", number, "largest_of"),
                    f"field {entry.name!r}: expected a fraction {entry.largest_of}_{cover.type} of "
                    f"cover {cover.name!r} alone",
                )
    if entry.rule != "monthly_type":
        return
    if entry.of_type is not None and entry.covers is not None:
        raise TableProblem(
            ("field", number, "covers"),
            f"field {entry.name!r}: its covers are those of {entry.of_type!r}; leave the key out",
        )
    if entry.of_type is None and (entry.of_cover is None or len(table.field_numbers(entry)) != 1):
        raise TableProblem(
            ("field", number, "rule"),
            f"field {entry.name!r}: without 'of_type' it needs 'of_cover' and one cover",
        )


def _check_sums(table: HostTable) -> None:
    taken: set[str] = set()
    fractions = {entry.name: entry for entry in table.field if entry.rule == "fraction"}
    for number, group in enumerate(table.sum):
        place = ("sum", number, "fields")
        for name in group.fields:
            _known(name, fractions, "fraction field", place)
            if name in taken:
                raise TableProblem(place, f"field {name!r} is in two sums, or twice in one")
            taken.add(name)
        entries = [fractions[name] for name in group.fields]
        if len({entry.denominator for entry in entries}) > 1:
            raise TableProblem(place, f"fields {group.fields} have different denominators")
        if any((entry.scale or 1.0) != group.total for entry in entries):
            raise TableProblem(("sum", number, "total"), "the total is not the fields' scale")
        covers = [i for entry in entries for i in table.field_numbers(entry)]
        if len(set(covers)) < len(covers):
            raise TableProblem(place, f"a cover is in two of the fields {group.fields}")
        fills = sum(entry.fill for entry in entries)
        over = fills - group.total
        if over > FILL_TOLERANCE or (group.kind == "exactly" and over < -FILL_TOLERANCE):
            raise TableProblem(place, f"fills sum to {fills:.12g}: {group.kind} {group.total}")
        whole = set(table.denominator_numbers(entries[0].denominator or "cell"))
        if group.kind == "exactly" and set(covers) != whole:
            left = sorted(table.cover_names[i] for i in whole - set(covers))
            raise TableProblem(place, f"covers {left} of the denominator are in no field")
        if group.kind == "exactly" and sum(entry.whole or False for entry in entries) > 1:
            raise TableProblem(place, "two fields are whole: only one can be")
    exact = {name for group in table.sum if group.kind == "exactly" for name in group.fields}
    for number, entry in enumerate(table.field):
        if entry.whole and entry.name not in exact:
            raise TableProblem(
                ("field", number, "whole"), f"field {entry.name!r} is in no sum 'exactly'"
            )
