"""What a scheme says about change: the groups that quotas bind, and what never turns into what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from landstep.emulator.errors import ConfigError


@dataclass(frozen=True)
class Group:
    """Classes whose area together follows some forcing states: what a quota binds.

    classes : names of the scheme's classes, none of them fixed
    states : forcing states whose sum is the group's area
    source : why these belong together
    """

    name: str
    classes: tuple[str, ...]
    states: tuple[str, ...]
    source: str


@dataclass(frozen=True)
class Forbidden:
    """A change that never happens, forward in time: class `before` to one of the classes `after`.

    source : who says so, and how often real maps contradict it
    """

    before: str
    after: tuple[str, ...]
    source: str


def read_groups(
    scheme_name: str,
    rows: list[dict[str, Any]],
    names: tuple[str, ...],
    fixed: set[str],
    states: set[str],
) -> tuple[Group, ...]:
    """Read the [[group]] tables of a scheme.

    names : its classes; fixed : those that never move; states : the forcing states that it knows
    Raises ConfigError for a group without a source, with a class or state that is unknown or fixed,
    or a name, class or state that stands twice.
    """
    groups = tuple(
        Group(row["name"], tuple(row["classes"]), tuple(row["states"]), row.get("source", ""))
        for row in rows
    )
    for group in groups:
        where = f"scheme {scheme_name}: group {group.name!r}"
        _sourced(where, group.source)
        for of in group.classes:
            number_of(scheme_name, names, of)
            if of in fixed:
                raise ConfigError(f"{where}: class {of!r} is fixed, so no quota can move it")
        for state in group.states:
            if state not in states:
                raise ConfigError(f"{where}: state {state!r} is not one of {sorted(states)}")
    for what, all_of in (
        ("name", [group.name for group in groups]),
        ("class", [of for group in groups for of in group.classes]),
        ("state", [state for group in groups for state in group.states]),
    ):
        twice = [of for of in all_of if all_of.count(of) > 1]
        if twice:
            raise ConfigError(f"scheme {scheme_name}: {what} {twice[0]!r} is in two groups")
    return groups


def read_rule(scheme_name: str, row: dict[str, Any], names: tuple[str, ...]) -> Forbidden:
    """Read one [[forbidden]] table of a scheme.

    Raises ConfigError for one without a source, with an unknown class, or that forbids to stay.
    """
    rule = Forbidden(row["from"], tuple(row["to"]), row.get("source", ""))
    where = f"scheme {scheme_name}: forbidden from {rule.before!r}"
    _sourced(where, rule.source)
    for of in (rule.before, *rule.after):
        number_of(scheme_name, names, of)
    if rule.before in rule.after:
        raise ConfigError(f"{where} to itself: a class may always stay")
    return rule


def _sourced(where: str, source: str) -> None:
    if not source.strip():
        raise ConfigError(f"{where}: has no source; say who says so")


def number_of(scheme_name: str, names: tuple[str, ...], name: str) -> int:
    """Place of a class in a scheme's list; ConfigError where it is not one of them."""
    if name not in names:
        raise ConfigError(f"scheme {scheme_name}: {name!r} is not one of its classes {names}")
    return names.index(name)
