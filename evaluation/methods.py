"""What predicts a map: a model, a baseline; each gives a map and, if it can, probabilities."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from landstep.emulator.allocation import Rule
from landstep.evaluation.case import Case
from landstep.evaluation.place import fitted_probability, place_by_odds


@dataclass(frozen=True, eq=False)
class Prediction:
    """A predicted map.

    land_use : (y, x) uint8 class numbers
    probability : (K, y, x) float32 of each class, fitted to the coarse totals; None where a method
        gives none, and its map is taken as certain
    """

    land_use: np.ndarray
    probability: np.ndarray | None = None

    def change_probability(self, prior: np.ndarray) -> np.ndarray:
        """Probability that a cell leaves its class: (y, x) float64."""
        if self.probability is None:
            return (self.land_use != prior).astype(np.float64)
        known = np.minimum(prior, len(self.probability) - 1)[None].astype(np.int64)
        stay = np.take_along_axis(self.probability, known, axis=0)[0].astype(np.float64)
        return np.clip(1 - stay, 0, 1)


class Method(Protocol):
    """Something that predicts the map of one year from that of another.

    It reads the maps up to `before`, in stepping order, and the forcing of both years, no more.
    """

    @property
    def name(self) -> str:
        """Name in the tables."""

    def predict(self, case: Case, before: int, after: int) -> Prediction:
        """Predict the map of year `after` from the map of year `before`."""


Odds = Callable[[Case, int, int], np.ndarray]
"""(case, before, after) -> (K, y, x) float32 log odds of each class."""


@dataclass(frozen=True, eq=False)
class ByOdds:
    """A method that gives odds; the emulator's allocator places them under the quotas.

    odds : log odds of each class; rule : of the allocation
    """

    name: str
    odds: Odds
    rule: Rule

    def predict(self, case: Case, before: int, after: int) -> Prediction:
        """Predict the map of year `after` from the map of year `before`."""
        odds = self.odds(case, before, after)
        return Prediction(
            place_by_odds(case, odds, before, after, self.rule),
            fitted_probability(case, odds, before, after, self.rule),
        )


@dataclass(frozen=True, eq=False)
class ByMap:
    """A method that gives a finished map, such as a free run of yearly steps."""

    name: str
    land_use: Callable[[Case, int, int], np.ndarray]

    def predict(self, case: Case, before: int, after: int) -> Prediction:
        """Predict the map of year `after` from the map of year `before`."""
        return Prediction(self.land_use(case, before, after))


def by_odds(name: str, odds: Odds, rules: Sequence[tuple[str, Rule]]) -> list[ByOdds]:
    """Give the same odds under several rules: a method for each (suffix, rule)."""
    kept: dict[tuple[Case, int, int], np.ndarray] = {}

    def once(case: Case, before: int, after: int) -> np.ndarray:
        key = (case, before, after)
        if key not in kept:
            kept.clear()
            kept[key] = odds(case, before, after)
        return kept[key]

    return [ByOdds(name + suffix, once, rule) for suffix, rule in rules]
