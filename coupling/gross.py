"""Gross change: what each class gained and lost between two maps, in each host cell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from landstep.coupling.host_points import HostPoints
from landstep.emulator.classes import MASKED
from landstep.emulator.mapped import put, row_pieces, zeros


@dataclass(frozen=True, eq=False)
class GrossChange:
    """Area that came to each class, and that left it.

    gain, loss : (n, K) float64, shares of what is known of the host's cell, 0..1. A class that
        comes and goes within a cell has both; gain less loss is the change of its area fraction
    """

    gain: np.ndarray
    loss: np.ndarray

    @classmethod
    def between(
        cls, before: np.ndarray, after: np.ndarray, points: HostPoints, known: np.ndarray
    ) -> GrossChange:
        """Count the cells that changed. All ranks call it.

        before, after : (y, x) uint8 class numbers of the part of the map that this rank owns
        known : (n, K) int64, area of each class after; a cell that became known is no change
        """
        n_classes = known.shape[1]
        areas = [
            points.class_areas(_where_moved(before, after, side), n_classes)[:, :-1]
            for side in (after, before)
        ]
        total = np.maximum(known.sum(axis=1), 1)[:, None]
        gain, loss = (area / total for area in areas)
        return cls(gain, loss)


def _where_moved(before: np.ndarray, after: np.ndarray, side: np.ndarray) -> np.ndarray:
    """Give one of two maps where they differ and both are known, else MASKED: (y, x) uint8."""
    found = zeros(side.shape, np.uint8)
    for piece in row_pieces(len(side)):
        old, new = before[piece], after[piece]
        moved = (old != new) & (old != MASKED) & (new != MASKED)
        put(found, piece.start, 0, np.where(moved, side[piece], np.uint8(MASKED)))
    return found
