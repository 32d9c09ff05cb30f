"""From the areas of the classes to a host's own fields, by the host's table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from landstep.coupling.areas import UNKNOWN_ZONE, Areas
from landstep.coupling.fields import ClassFields, Field, FieldSource, SumGroup
from landstep.coupling.host_table import CLASSES, host_table
from landstep.coupling.sums import settled, with_whole
from landstep.coupling.table_checks import zones_of
from landstep.coupling.table_entries import FieldEntry, HostTable
from landstep.emulator.classes import Scheme
from landstep.emulator.errors import ConfigError
from landstep.emulator.legends import ZONE_GROUPS

CoverRule = Literal["table", "lai"]


def fields_of_host(
    host: str, folder: str | Path, of: Scheme, legend_known: bool, cover: CoverRule = "table"
) -> FieldSource:
    """What makes the fields of the host that `[coupling] host` names; see Crosswalk.make."""
    if host == CLASSES:
        return ClassFields(of)
    return Crosswalk.make(host_table(host, folder), of, legend_known, cover)


@dataclass(frozen=True)
class Crosswalk:
    """A host's table, made ready for one class scheme.

    shares : (zone groups, classes, covers) float64: what each class is in each zone group
    zoned : (classes,) bool: no row says what the class is where the zone is not known
    properties : name -> (covers,) float64; 0 for a cover that has none of that name
    """

    table: HostTable
    shares: np.ndarray
    zoned: np.ndarray
    properties: dict[str, np.ndarray]
    fields: tuple[Field, ...]
    sums: tuple[SumGroup, ...]

    @classmethod
    def make(
        cls, table: HostTable, of: Scheme, legend_known: bool, cover: CoverRule = "table"
    ) -> Crosswalk:
        """Make a table ready.

        of : the class scheme of the maps
        legend_known : whether [climate] legend says what the climate zones are; without it all
            land is of the group "unknown"
        cover : effective cover of a cover by the table, or by 1 - exp(-k lai)
        Raises ConfigError for a scheme that the table has no rows for, a table that needs zones
        where there are none, or a cover without k or lai.
        """
        where = f"host {table.name!r}"
        if of.name not in table.schemes:
            raise ConfigError(
                f"{where}: its table has no rows for class scheme {of.name!r}, only for "
                f"{table.schemes}; add them in a table of your own"
            )
        shares, zoned = _shares(table, of)
        if zoned.any() and not legend_known:
            name = of.names[int(np.argmax(zoned))]
            raise ConfigError(
                f"{where}: what {name!r} is depends on the climate zone: set [climate] legend, "
                "so that the codes of the climate zones have a meaning"
            )
        return cls(
            table,
            shares,
            zoned,
            _properties(table, cover),
            tuple(_field(table, entry) for entry in table.field),
            tuple(_sum_group(table, number) for number in range(len(table.sum))),
        )

    def cover_areas(self, areas: Areas) -> np.ndarray:
        """Area of each cover at each point: (n, covers) float64 in AREA_UNIT_M2.

        Land whose zone is not known, of a class that needs one, counts to the point's most common
        zone; where no zone is known at all, the land counts as not known.
        """
        values = self._zones_filled(areas.values)
        covers = np.zeros((areas.n, self.shares.shape[2]))
        for zone, number, cover in np.argwhere(self.shares):
            covers[:, cover] += values[:, zone, number] * self.shares[zone, number, cover]
        return covers

    def zones(self, areas: Areas) -> np.ndarray:
        """Most common zone group at each point, known ones first: (n,) int64."""
        of_zone = areas.values.sum(axis=2)
        known = of_zone[:, :UNKNOWN_ZONE]
        return np.where(known.any(axis=1), known.argmax(axis=1), UNKNOWN_ZONE).astype(np.int64)

    def values(self, areas: Areas) -> dict[str, np.ndarray]:
        """Values of every annual field; monthly ones come from the host's maps (monthly_maps.py).

        returns : name -> (n,) float64, read-only, finite and within the field's bounds. Where the
            denominator has no area, or the point no land, it is the field's fill. Fields of a sum
            "exactly" sum to its total without any error, in any order; others at most to it.
        """
        covers = self.cover_areas(areas)
        mask = self._land(covers)
        annual = [entry for entry in self.table.field if entry.schedule == "annual"]
        found = {entry.name: self._value(entry, covers, mask) for entry in annual}
        for group in self.sums:
            self._settle(group, found, covers, mask)
        for value in found.values():
            value.setflags(write=False)
        return found

    def mask(self, areas: Areas) -> np.ndarray:
        """Points that have land of a known class: (n,) bool; elsewhere all fields are fills."""
        return self._land(self.cover_areas(areas))

    def _land(self, covers: np.ndarray) -> np.ndarray:
        return _total(covers, self.table.numbers_of(["land"])) > 0

    def _zones_filled(self, values: np.ndarray) -> np.ndarray:
        lost = values[:, UNKNOWN_ZONE] * self.zoned
        if not lost.any():
            return values
        of_zone = values[:, :UNKNOWN_ZONE].sum(axis=2)
        points = np.flatnonzero(of_zone.any(axis=1))
        filled = values.copy()
        filled[points, of_zone[points].argmax(axis=1)] += lost[points]
        return filled

    def _value(self, entry: FieldEntry, covers: np.ndarray, mask: np.ndarray) -> np.ndarray:
        """Value of an annual field, before sums are settled: (n,) float64."""
        numbers = self.table.field_numbers(entry)
        area = _total(covers, numbers)
        scale = 1.0 if entry.scale is None else entry.scale
        if entry.rule == "type":
            types = np.array([self.table.cover[i].type for i in numbers], np.float64)
            value = types[covers[:, numbers].argmax(axis=1)]
            has = area > 0
        elif entry.rule == "fraction":
            whole = _total(covers, self.table.denominator_numbers(entry.denominator or "cell"))
            has = whole > 0
            value = area / np.where(has, whole, 1.0) * scale
        else:
            has = area > 0
            of = self.properties[entry.property or ""]
            value = _mean(covers, numbers, of, entry.average or "arithmetic", area) * scale
        return np.where(has & mask, np.clip(value, *entry.bounds), entry.fill)

    def _settle(
        self,
        group: SumGroup,
        found: dict[str, np.ndarray],
        covers: np.ndarray,
        mask: np.ndarray,
    ) -> None:
        """Make the fields of a group sum to its total, where they are shares of something."""
        entry = self.table.field_named(group.fields[0])
        denominator = (entry.denominator if entry else None) or "cell"
        has = _total(covers, self.table.denominator_numbers(denominator)) > 0
        values = np.stack([found[name] for name in group.fields], axis=1)
        shares = with_whole(values[has & mask], group)
        values[has & mask] = settled(shares, group)
        for column, name in enumerate(group.fields):
            found[name] = np.ascontiguousarray(values[:, column])


def _total(covers: np.ndarray, numbers: Sequence[int]) -> np.ndarray:
    """Area of some covers, added in the order of the table: the same bits for any point order."""
    total = np.zeros(len(covers))
    for number in sorted(numbers):
        total += covers[:, number]
    return total


def _mean(
    covers: np.ndarray, numbers: Sequence[int], of: np.ndarray, average: str, area: np.ndarray
) -> np.ndarray:
    """Mean of a property over the area of some covers: (n,) float64, 0 where there is none."""
    turned = {"arithmetic": of, "log": np.log(np.where(of > 0, of, 1.0))}
    turned["reciprocal"] = 1.0 / np.where(of > 0, of, 1.0)
    weighted = np.zeros(len(covers))
    for number in numbers:
        weighted += covers[:, number] * turned[average][number]
    mean = weighted / np.where(area > 0, area, 1.0)
    if average == "log":
        mean = np.exp(mean)
    elif average == "reciprocal":
        mean = 1.0 / np.where(area > 0, mean, 1.0)
    return np.clip(mean, of[list(numbers)].min(), of[list(numbers)].max())


def _shares(table: HostTable, of: Scheme) -> tuple[np.ndarray, np.ndarray]:
    """Shares of covers of each class in each zone group, and which classes need a zone."""
    names = table.cover_names
    shares = np.zeros((len(ZONE_GROUPS), of.n_classes, len(names)))
    for row in table.row:
        for name in row.classes:
            if name not in of.names:
                continue
            for zone in zones_of(row):
                for cover, share in row.covers.items():
                    place = ZONE_GROUPS.index(zone), of.names.index(name), names.index(cover)
                    shares[place] = share
    return shares, ~shares[UNKNOWN_ZONE].any(axis=1)


def _properties(table: HostTable, cover: CoverRule) -> dict[str, np.ndarray]:
    """Properties of the covers, the effective cover by the rule that was asked for."""
    names = {name for entry in table.cover for name in entry.properties}
    properties = {
        name: np.array([entry.properties.get(name, 0.0) for entry in table.cover])
        for name in sorted(names)
    }
    if cover == "table":
        return properties
    covered = [entry for entry in table.cover if "cover" in entry.properties]
    if not covered:
        raise ConfigError(
            f"host {table.name!r}: its table has no effective cover: [coupling] cover = 'lai' "
            "would change nothing; leave it out"
        )
    for entry in covered:
        for name in ("k", "lai"):
            if name not in entry.properties:
                raise ConfigError(
                    f"host {table.name!r}: [coupling] cover = 'lai' needs {name!r} of cover "
                    f"{entry.name!r}, which its table does not give"
                )
    return {**properties, "cover": 1.0 - np.exp(-properties["k"] * properties["lai"])}


def _field(table: HostTable, entry: FieldEntry) -> Field:
    types = _types(table, entry)
    return Field(
        name=entry.name,
        long_name=entry.long_name,
        units=entry.units,
        denominator=entry.denominator or "",
        rule=entry.rule,
        standard_name=entry.standard_name,
        schedule=entry.schedule,
        season=entry.season or "",
        bounds=entry.bounds,
        fill=entry.fill,
        of_type=entry.of_type or "",
        of_cover=entry.of_cover or "",
        types=types,
        shares=tuple(f"{entry.largest_of}_{n:g}" for n in types) if entry.largest_of else (),
        source=entry.source,
        attributes=dict(entry.attributes),
    )


def _types(table: HostTable, entry: FieldEntry) -> tuple[float, ...]:
    """Numbers that a field of types can have by the table."""
    if entry.rule != "type":
        return ()
    found = {table.cover[number].type for number in table.field_numbers(entry)}
    return tuple(sorted(float(number) for number in found if number is not None))


def _sum_group(table: HostTable, number: int) -> SumGroup:
    group = table.sum[number]
    whole = [name for name in group.fields if (e := table.field_named(name)) and e.whole]
    return SumGroup(
        tuple(group.fields),
        float(group.total),
        group.kind == "exactly",
        group.gives_way == "last",
        whole[0] if whole else "",
        group.tolerance,
    )
