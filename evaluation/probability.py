"""Scores of probabilities: Brier score and skill, and how reliable they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from landstep.emulator.errors import InputError

EDGES = np.array([0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
"""Bins of probability; finer near 0, where most cells of a year lie."""


def brier(probability: np.ndarray, happened: np.ndarray) -> float:
    """Mean squared difference between a probability and what happened: 0 (best) to 1.

    probability : (n,) float, 0..1; happened : (n,) bool
    Raises InputError for no cell, unequal shapes, or a probability outside 0..1.
    Source: Brier 1950, Mon. Weather Rev. 78, 1-3 (for one event, half of Brier's own sum).
    """
    _check(probability, happened)
    return float(((probability.astype(np.float64) - happened) ** 2).mean())


def skill(score: float, reference: float) -> float:
    """Share of a reference's Brier score that is won: 1 is perfect, below 0 is worse than it.

    A reference of 0 cannot be beaten: 0 where the score is 0 as well, else minus infinity.
    """
    if reference == 0:
        return 0.0 if score == 0 else -np.inf
    return 1 - score / reference


@dataclass(frozen=True, eq=False)
class Reliability:
    """What happened where some probability was given, bin by bin.

    edges : (n + 1,) float64, ends of the bins; the last bin holds its upper end
    cells : (n,) int64; mean_probability, frequency : (n,) float64, NaN in an empty bin
    """

    edges: np.ndarray
    cells: np.ndarray
    mean_probability: np.ndarray
    frequency: np.ndarray

    @property
    def error(self) -> float:
        """Mean distance between probability and frequency, cells counting alike.

        Source: Naeini et al. 2015, AAAI, expected calibration error.
        """
        there = self.cells > 0
        off = np.abs(self.mean_probability - self.frequency)[there]
        return float((off * self.cells[there]).sum() / self.cells.sum())


def reliability(
    probability: np.ndarray, happened: np.ndarray, edges: np.ndarray = EDGES
) -> Reliability:
    """Sort cells by probability and say how often it happened.

    probability : (n,) float, 0..1; happened : (n,) bool; edges : ascending from 0 to 1
    Raises InputError as `brier`.
    """
    _check(probability, happened)
    n_bins = len(edges) - 1
    place = np.clip(np.searchsorted(edges, probability, side="right") - 1, 0, n_bins - 1)
    cells = np.bincount(place, minlength=n_bins)
    some = np.where(cells > 0, cells, np.nan)
    return Reliability(
        edges=np.asarray(edges, np.float64),
        cells=cells,
        mean_probability=np.bincount(place, probability, minlength=n_bins) / some,
        frequency=np.bincount(place, happened.astype(np.float64), minlength=n_bins) / some,
    )


def _check(probability: np.ndarray, happened: np.ndarray) -> None:
    if probability.shape != happened.shape or not probability.size:
        raise InputError(
            f"probabilities {probability.shape}, outcomes {happened.shape}: expected one shape, "
            "with some cells"
        )
    low, high = float(probability.min()), float(probability.max())
    if not (low >= -1e-6 and high <= 1 + 1e-6):
        raise InputError(f"probabilities from {low:g} to {high:g}, expected 0 to 1")
