"""An emulator as a method: one direct jump, or a free run of yearly steps.

A case may hide maps or carry wrong quantities; the emulator is then given what the case holds, not
what its own files hold.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from landstep.emulator.allocation import Rule
from landstep.emulator.card import Card
from landstep.emulator.emulator import Emulator
from landstep.emulator.errors import ConfigError
from landstep.emulator.state import State
from landstep.evaluation.case import Case, direction_of
from landstep.evaluation.methods import ByMap, Method, Odds, by_odds
from landstep.evaluation.place import rule_of

Mode = Literal["exact", "soft", "none"]

MODES: tuple[tuple[str, Mode], ...] = (("", "soft"), ("_exact", "exact"))
"""Suffix of a method's name, and the quotas it stands for."""


def check_pair(card: Card, before: int, after: int) -> None:
    """Refuse a pair of years that a model cannot predict, neither in one jump nor by single years.

    Raises ConfigError.
    """
    direction, lag = direction_of(before, after), abs(after - before)
    if not card.steps(direction):
        way = "forward" if direction > 0 else "backward"
        raise ConfigError(
            f"pair {before}:{after}: model {card.name!r} does not step {way}; train it with "
            f'direction = "{way}" or "both", or score other pairs'
        )
    if lag not in card.lags and 1 not in card.lags:
        raise ConfigError(
            f"pair {before}:{after}: model {card.name!r} learned lags {list(card.lags)}, neither "
            f"{lag} nor 1; train it with one of them, or score other pairs"
        )


def model_methods(emulator: Emulator, case: Case, before: int, after: int) -> list[Method]:
    """Give the model's methods for a pair: "model", "model_exact" and "model_rolled".

    The first two are one direct jump under soft and exact quotas, left out where the model did not
    learn that lag; the third is yearly steps under exact quotas, left out where it did not learn
    single years.
    Raises what `check_pair` raises.
    """
    direction, card = direction_of(before, after), emulator.card
    check_pair(card, before, after)
    methods: list[Method] = []
    if abs(after - before) in card.lags:
        weights = card.weights_for(abs(after - before))
        rules = [(suffix, rule_of(case.scheme, direction, mode, weights)) for suffix, mode in MODES]
        methods += by_odds("model", odds_of(emulator), rules)
    if 1 in card.lags:
        methods.append(ByMap("model_rolled", rolled(emulator)))
    return methods


def soft_rule(emulator: Emulator, case: Case, before: int, after: int) -> Rule:
    """Soft quotas with the model card's weights for a pair: what all methods by odds go by."""
    weights = emulator.card.weights_for(abs(after - before))
    return rule_of(case.scheme, direction_of(before, after), "soft", weights)


def odds_of(emulator: Emulator) -> Odds:
    """Give the emulator's log odds for one direct jump, from the maps and forcing of a case."""

    def odds(case: Case, before: int, after: int) -> np.ndarray:
        given = with_forcing(emulator, case)
        return given.odds(after, _start(given, case, before, direction_of(before, after)))

    return odds


def rolled(emulator: Emulator, mode: Mode = "exact") -> Callable[[Case, int, int], np.ndarray]:
    """Give the map that yearly steps lead to, from the maps and forcing of a case."""

    def land_use(case: Case, before: int, after: int) -> np.ndarray:
        direction = direction_of(before, after)
        given = with_mode(with_forcing(emulator, case), mode)
        state = _start(given, case, before, direction)
        for year in range(before + direction, after + direction, direction):
            state = given.step(year, state)
        return state.land_use

    return land_use


def free_run(
    emulator: Emulator,
    case: Case,
    start: int,
    years: int,
    *,
    mode: Mode | None = None,
    constant: bool = False,
    progress: Callable[[str], None] = lambda text: None,
) -> list[np.ndarray]:
    """Step on year by year, each from the model's own map.

    start : year of the map to start from
    years : how many steps, forward in time
    mode : quotas to run under; None: those of the experiment
    constant : hold the forcing and the climate zones of `start` for all years, so that every
        change is spurious
    returns : years + 1 maps (y, x) uint8, the first one that of `start`
    """
    given = held(emulator, start) if constant else emulator
    given = given if mode is None else with_mode(given, mode)
    state = _start(given, case, start, 1)
    maps = [state.land_use]
    for year in range(start + 1, start + years + 1):
        progress(f"free run, {year} of {start + years}")
        state = given.step(year, state)
        maps.append(state.land_use)
    return maps


def with_mode(emulator: Emulator, mode: Mode) -> Emulator:
    """Give the emulator under other quotas."""
    experiment = emulator.experiment
    table = experiment.allocation.model_copy(update={"mode": mode})
    return replace(emulator, experiment=experiment.model_copy(update={"allocation": table}))


def with_forcing(emulator: Emulator, case: Case) -> Emulator:
    """Give the emulator the forcing that a case holds, in the years that it holds."""
    inputs = emulator.inputs
    place = np.ix_(np.unique(inputs.row), np.unique(inputs.col))
    forcing: Any = CaseForcing(inputs.forcing, case, place)
    return replace(emulator, inputs=replace(inputs, forcing=forcing))


def held(emulator: Emulator, year: int) -> Emulator:
    """Give the emulator the forcing and the climate zones of one year for all years."""
    inputs = emulator.inputs
    forcing: Any = HeldForcing(inputs.forcing, year)
    statics: Any = HeldStatics(inputs.statics, year)
    return replace(emulator, inputs=replace(inputs, forcing=forcing, statics=statics))


def _start(emulator: Emulator, case: Case, year: int, direction: int) -> State:
    history = case.history(year, direction, emulator.card.history)
    way = "forward" if direction > 0 else "backward"
    return emulator.start_from(year, case.map(year), history, direction=way)


@dataclass(frozen=True, eq=False)
class _Standing:
    """Stands in for another object: what it does not define itself is that one's."""

    base: Any

    def __getattr__(self, name: str) -> Any:
        """Look in the other object."""
        return getattr(self.base, name)


@dataclass(frozen=True, eq=False)
class CaseForcing(_Standing):
    """A forcing whose years are those of a case where it has them.

    place : index of the case's coarse cells in the forcing's
    """

    case: Case
    place: Sequence[np.ndarray]

    def year(self, year: int) -> np.ndarray:
        """Fractions of a year: (F, cy, cx) float32."""
        fractions = np.asarray(self.base.year(year))
        if year not in self.case.forcing:
            return fractions
        row, col = self.place
        changed = fractions.copy()
        changed[:, row, col] = self.case.forcing[year]
        return changed


@dataclass(frozen=True, eq=False)
class HeldForcing(_Standing):
    """A forcing that gives one year's fractions for all years."""

    held_year: int

    def year(self, year: int) -> np.ndarray:
        """Fractions of the one year: (F, cy, cx) float32."""
        return np.asarray(self.base.year(self.held_year))


@dataclass(frozen=True, eq=False)
class HeldStatics(_Standing):
    """Static maps whose climate zones are those of one year."""

    held_year: int

    def categories(self, year: int) -> dict[str, np.ndarray]:
        """Codes of the one year."""
        return dict(self.base.categories(self.held_year))
