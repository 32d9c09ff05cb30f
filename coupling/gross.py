"""Gross change: what each class gained, lost and became between two maps, in each host cell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from landstep.coupling.host_points import HostPoints
from landstep.emulator.classes import MASKED
from landstep.emulator.mapped import put, row_pieces, zeros
from landstep.emulator.ranks import Ranks

STEP = 2.0**-52
"""Shares are whole numbers of this: their sums up to 1 are exact in any order."""

PAIRS_AT_ONCE = 64
"""How many pairs of classes are counted in one pass over the map: bounds its memory. Ours."""

Pair = tuple[int, int]


@dataclass(frozen=True, eq=False)
class GrossChange:
    """Area that came to each class, and that left it.

    gain, loss : (n, K) float64, shares of what is known of the host's cell, 0..1. A class that
        comes and goes within a cell has both; gain less loss is the change of its area fraction
    pairs : number of the class before and after -> the points where that happened, (m,) int64, and
        the share of their cells, (m,) float64. Over all classes after they sum to the loss of the
        class before, over all before to the gain of the class after: exactly
    """

    gain: np.ndarray
    loss: np.ndarray
    pairs: dict[Pair, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)

    @classmethod
    def nothing(cls, n: int, n_classes: int) -> GrossChange:
        """Where no map took the place of another."""
        return cls(np.zeros((n, n_classes)), np.zeros((n, n_classes)))

    @classmethod
    def between(
        cls, before: np.ndarray, after: np.ndarray, points: HostPoints, known: np.ndarray
    ) -> GrossChange:
        """Count the cells that changed. All ranks call it.

        before, after : (y, x) uint8 class numbers of the part of the map that this rank owns
        known : (n, K) int64, area of each class after; a cell that became known is no change
        """
        n_classes = known.shape[1]
        found = cls.nothing(*known.shape)
        total = np.maximum(known.sum(axis=1), 1)
        pairs = _pairs(before, after, n_classes, points.ranks)
        for first in range(0, len(pairs), PAIRS_AT_ONCE):
            some = pairs[first : first + PAIRS_AT_ONCE]
            numbers = _numbered(before, after, some, n_classes)
            areas = points.class_areas(numbers, len(some))
            for number, (old, new) in enumerate(some):
                where = np.flatnonzero(areas[:, number])
                share = np.floor(areas[where, number] / total[where] / STEP) * STEP
                found.pairs[old, new] = where, share
                found.loss[where, old] += share
                found.gain[where, new] += share
        return found

    def transition(self, old: int, new: int) -> np.ndarray:
        """Return the share of each cell that went from class to class: (n,) float64.

        What stayed is no transition: of a class to itself it is 0.
        """
        found = np.zeros(len(self.gain))
        if (old, new) in self.pairs:
            where, share = self.pairs[old, new]
            found[where] = share
        return found


def _moved(before: np.ndarray, after: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Give rows, and where in them the class changed and is known on both maps: (rows, x) bool."""
    for piece in row_pieces(len(before)):
        old, new = before[piece], after[piece]
        yield piece, (old != new) & (old != MASKED) & (new != MASKED)


def _pairs(before: np.ndarray, after: np.ndarray, n_classes: int, ranks: Ranks) -> list[Pair]:
    """Pairs of classes that some cell of some rank went between, in order. All ranks call it."""
    counts = np.zeros(n_classes**2, np.int64)
    for piece, moved in _moved(before, after):
        both = before[piece][moved].astype(np.int64) * n_classes + after[piece][moved]
        counts += np.bincount(both, minlength=counts.size)
    found = np.flatnonzero(ranks.sum(counts))
    return [(int(pair) // n_classes, int(pair) % n_classes) for pair in found]


def _numbered(
    before: np.ndarray, after: np.ndarray, pairs: list[Pair], n_classes: int
) -> np.ndarray:
    """Number of the pair that each cell is of, MASKED for none of them: (y, x) uint8."""
    number_of = np.full((n_classes, n_classes), MASKED, np.uint8)
    for number, pair in enumerate(pairs):
        number_of[pair] = number
    numbers = zeros(before.shape, np.uint8)
    for piece, moved in _moved(before, after):
        found = np.full(moved.shape, MASKED, np.uint8)
        found[moved] = number_of[before[piece][moved], after[piece][moved]]
        put(numbers, piece.start, 0, found)
    return numbers
