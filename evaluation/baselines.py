"""What a model is held against: nothing, chance, neighbours, a table of the past, boosting."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np

from landstep.emulator.allocation import Rule
from landstep.emulator.errors import ConfigError
from landstep.evaluation.boosting import ITERATIONS, Boosting, fit_boosting
from landstep.evaluation.case import HISTORY, Case, direction_of
from landstep.evaluation.history_table import HistoryTable, fit_history_table
from landstep.evaluation.methods import ByOdds, Method, Prediction
from landstep.evaluation.neighbourhood import shares
from landstep.evaluation.place import place_by_net_moves

RIVALS = ("random", "neighbourhood", "history_table", "boosting")
"""Baselines of which the best is what a model's first-time changes are held against."""

SHARE_FLOOR = 1e-3


@dataclass(frozen=True)
class Persistence:
    """Nothing changes."""

    name: str = "persistence"

    def predict(self, case: Case, before: int, after: int) -> Prediction:
        """Give the prior map."""
        return Prediction(case.map(before))


@dataclass(frozen=True)
class RandomPlaces:
    """The net change of each coarse cell, at places drawn by chance."""

    seed: int = 0
    name: str = "random"

    def predict(self, case: Case, before: int, after: int) -> Prediction:
        """Draw places; the same ones for the same pair and seed."""
        rng = np.random.default_rng([self.seed, before, after])
        score = rng.random((case.scheme.n_classes, *case.shape), np.float32)
        return Prediction(place_by_net_moves(case, score, before, after))


@dataclass(frozen=True)
class Neighbourhood:
    """The net change of each coarse cell, where the 3 x 3 cells around are most of the new class.

    Score of a class: log of its share in the window; a move's is the new class's less the old's.
    """

    name: str = "neighbourhood"

    def predict(self, case: Case, before: int, after: int) -> Prediction:
        """Make the best net moves."""
        score = np.log(shares(case.map(before), case.scheme.n_classes) + SHARE_FLOOR)
        return Prediction(place_by_net_moves(case, score, before, after))


def training_pairs(
    years: Iterable[int], before: int, after: int, history: int = HISTORY
) -> list[tuple[int, int]]:
    """Pairs of training years with the lag and direction of a pair to be predicted.

    years : training years; history : maps before a prior that it must have among them
    Where no prior has so many, those that have the most are taken.
    Raises ConfigError where the years hold no pair of that lag.
    """
    known, direction = set(years), direction_of(before, after)
    lag = after - before
    pairs = [(year, year + lag) for year in sorted(known) if year + lag in known]
    if not pairs:
        raise ConfigError(
            f"pair {before}:{after}: the training years {min(known, default=None)} to "
            f"{max(known, default=None)} hold no two years {abs(lag)} apart; train on more years"
        )

    def depth(year: int) -> int:
        steps = 0
        while steps < history and year - direction * (steps + 1) in known:
            steps += 1
        return steps

    most = max(depth(prior) for prior, _ in pairs)
    return [pair for pair in pairs if depth(pair[0]) == most]


@dataclass(frozen=True, eq=False)
class Baselines:
    """Every baseline of a case, fitted on its training years for each lag that is asked for.

    case : whose maps of `train_years` may be learned from
    rule : of the allocation, for the table and boosting
    cells : (y, x) bool, cells to learn from; None takes all
    depth : years of history that boosting looks at
    """

    case: Case
    train_years: tuple[int, ...]
    rule: Rule
    cells: np.ndarray | None = None
    depth: int = HISTORY
    seed: int = 0
    iterations: int = ITERATIONS
    progress: Callable[[str], None] = lambda text: None
    _fitted: dict[int, tuple[HistoryTable, Boosting]] = field(default_factory=dict)

    def methods(self, before: int, after: int) -> list[Method]:
        """Give the baselines for a pair of years; what is fitted serves every pair of that lag.

        Raises ConfigError where the training years hold no pair of that lag.
        """
        table, boosting = self._fit(before, after)
        return [
            Persistence(),
            RandomPlaces(self.seed),
            Neighbourhood(),
            ByOdds("history_table", table.odds, self.rule),
            ByOdds("boosting", boosting.odds, self.rule),
        ]

    def _fit(self, before: int, after: int) -> tuple[HistoryTable, Boosting]:
        lag = after - before
        if lag not in self._fitted:
            pairs = training_pairs(self.train_years, before, after)
            self.progress(f"fitting the history table, {lag:+d} years")
            table = fit_history_table(self.case, pairs, self.cells)
            self.progress(f"fitting gradient boosting, {lag:+d} years")
            boosting = fit_boosting(
                self.case,
                training_pairs(self.train_years, before, after, self.depth),
                self.cells,
                depth=self.depth,
                seed=self.seed,
                iterations=self.iterations,
            )
            self._fitted[lag] = table, boosting
        return self._fitted[lag]
