"""A lookup table over the last maps: how often each class followed, counted on training years."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from landstep.emulator.classes import MASKED
from landstep.evaluation.case import HISTORY, Case, direction_of
from landstep.evaluation.neighbourhood import shares

SMOOTHING = 20.0
"""Cells that a table over fewer maps counts for in one over more."""

SEED_COUNT = 1e-3
"""Cells that every change is given before any is counted."""

SHARE_POWER, SHARE_FLOOR = 0.5, 0.03
"""Weight and floor of the neighbourhood's share. Source: trials on MapBiomas, Brazil 2000-2008."""


@dataclass(frozen=True, eq=False)
class HistoryTable:
    """p(class | prior, maps of the years before), times the neighbourhood's share to a power.

    probability : ((K + 1) ** (1 + HISTORY), K) float64; K stands for "not known"
    """

    probability: np.ndarray

    def odds(self, case: Case, before: int, after: int) -> np.ndarray:
        """Log odds of each class: (K, y, x) float32."""
        n_classes = case.scheme.n_classes
        place = _place(case, before, direction_of(before, after))
        table = np.log(np.moveaxis(self.probability[place], -1, 0))
        near = np.log(shares(case.map(before), n_classes) + SHARE_FLOOR)
        return (table + SHARE_POWER * near).astype(np.float32)


def fit_history_table(
    case: Case, pairs: Sequence[tuple[int, int]], cells: np.ndarray | None = None
) -> HistoryTable:
    """Count the classes that followed each history over pairs of training years.

    Where a history is rare the table leans on that of fewer maps, down to the prior map alone.

    pairs : (prior year, target year) of the lag that is to be predicted
    cells : (y, x) bool, cells to learn from; None takes all
    """
    n_classes = case.scheme.n_classes
    size = (n_classes + 1) ** (1 + HISTORY)
    counts = np.zeros(size * n_classes)
    for before, after in pairs:
        mask = case.counted(before, after, cells)
        place = _place(case, before, direction_of(before, after))[mask]
        both = place * n_classes + case.map(after)[mask]
        counts += np.bincount(both, minlength=counts.size)
    return HistoryTable(_smoothed(counts.reshape(size, n_classes), n_classes))


def _smoothed(counts: np.ndarray, n_classes: int) -> np.ndarray:
    """Turn counts into probabilities, leaning on tables over fewer maps."""
    coarser = np.full((1, n_classes), 1 / n_classes)
    for maps in range(1, 2 + HISTORY):
        rows = (n_classes + 1) ** maps
        count = counts.reshape(rows, -1, n_classes).sum(axis=1)
        lean = np.repeat(coarser, n_classes + 1, axis=0)
        weight = SMOOTHING if maps > 1 else SEED_COUNT * n_classes
        coarser = (count + weight * lean) / (count.sum(axis=1, keepdims=True) + weight)
    return coarser


def _place(case: Case, year: int, direction: int) -> np.ndarray:
    """Row of the table of each cell: (y, x) int64."""
    n_classes = case.scheme.n_classes
    place = np.zeros(case.shape, np.int64)
    for codes in (case.map(year), *case.history(year, direction)):
        known = np.where(codes == MASKED, n_classes, codes)
        place = place * (n_classes + 1) + known
    return place
