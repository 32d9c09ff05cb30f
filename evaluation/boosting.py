"""Gradient boosting on the features of single cells: what a network must be better than."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from landstep.emulator.classes import MASKED
from landstep.emulator.errors import DependencyError, InputError
from landstep.evaluation.case import HISTORY, Case
from landstep.evaluation.cell_features import cell_features

UNCHANGED = 2.0
"""Unchanged cells learned from, at least, for each changed one; they are drawn by chance and
weighted up."""

LARGEST_SAMPLE = 160_000
"""Cells learned from at most, over all pairs."""

ITERATIONS = 60
"""Trees a class."""

FLOOR = 1e-6
"""Smallest probability given to a class."""


@dataclass(frozen=True, eq=False)
class Boosting:
    """A fitted classifier; `depth` years of history are looked at."""

    classifier: Any
    depth: int

    def odds(self, case: Case, before: int, after: int) -> np.ndarray:
        """Log odds of each class: (K, y, x) float32; 0 where a cell cannot move."""
        cells = _movable(case, before)
        found = cell_features(case, before, after, cells, self.depth)
        chance = self.classifier.predict_proba(found.values)
        odds = np.full((case.scheme.n_classes, *case.shape), np.log(FLOOR), np.float32)
        odds[:, ~cells] = 0
        for column, number in enumerate(self.classifier.classes_.astype(np.int64)):
            odds[number, cells] = np.log(np.maximum(chance[:, column], FLOOR))
        return odds


def fit_boosting(
    case: Case,
    pairs: Sequence[tuple[int, int]],
    cells: np.ndarray | None = None,
    *,
    depth: int = HISTORY,
    seed: int = 0,
    iterations: int = ITERATIONS,
) -> Boosting:
    """Fit a classifier on pairs of training years.

    pairs : (prior year, target year) of the lag that is to be predicted
    cells : (y, x) bool, cells to learn from; None takes all
    depth : years of history that are looked at
    Raises InputError where no cell changes, DependencyError without scikit-learn.
    """
    rng = np.random.default_rng(seed)
    parts = [_sample(case, before, after, cells, depth, len(pairs), rng) for before, after in pairs]
    values, target, weight = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    if not len(np.unique(target)) > 1:
        raise InputError(f"{case.name}: pairs {list(pairs)} hold one class, nothing to learn")
    classifier = _scikit_learn().HistGradientBoostingClassifier(
        learning_rate=0.1,
        max_iter=iterations,
        max_leaf_nodes=24,
        min_samples_leaf=40,
        l2_regularization=1.0,
        categorical_features=[0],
        early_stopping=False,
        random_state=seed,
    )
    classifier.fit(values, target, sample_weight=weight)
    return Boosting(classifier, depth)


def _sample(
    case: Case,
    before: int,
    after: int,
    cells: np.ndarray | None,
    depth: int,
    n_pairs: int,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw cells of one pair: all changed ones if there is room, unchanged ones in what is left.

    returns : features (n, f) float32, class number (n,) int64, cells that each one stands for (n,)
    """
    mask = case.counted(before, after, cells) & _movable(case, before)
    changed = mask & (case.map(before) != case.map(after))
    room, n_changed = LARGEST_SAMPLE / n_pairs, int(changed.sum())
    keep_changed = min(1.0, room / (1 + UNCHANGED) / max(1, n_changed))
    left = room - keep_changed * n_changed
    keep_stayed = min(1.0, left / max(1, int(mask.sum()) - n_changed))
    keep = np.where(changed, keep_changed, keep_stayed)
    drawn = mask & (rng.random(case.shape) < keep)
    values = cell_features(case, before, after, drawn, depth).values
    return values, case.map(after)[drawn].astype(np.int64), 1 / keep[drawn]


def _movable(case: Case, year: int) -> np.ndarray:
    prior = case.map(year)
    return ~np.isin(prior, case.scheme.fixed_numbers) & (prior != MASKED)


def _scikit_learn() -> Any:
    try:
        from sklearn import ensemble
    except ImportError as error:
        raise DependencyError(
            "scikit-learn is not installed: pip install 'landstep[evaluate]'"
        ) from error
    return ensemble
