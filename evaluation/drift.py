"""What a free run does that land does not: change without cause, back and forth, in odd patches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import label

from landstep.emulator.errors import InputError


def yearly_change(maps: Sequence[np.ndarray], mask: np.ndarray) -> np.ndarray:
    """Share of the masked cells that change from each map to the next: (n - 1,) float64.

    maps : n of (y, x), in stepping order; under constant forcing all of it is spurious
    Raises InputError for fewer than two maps or an empty mask.
    """
    _check(maps, mask, 2)
    return np.array([float((a != b)[mask].mean()) for a, b in zip(maps, maps[1:], strict=False)])


@dataclass(frozen=True)
class Flips:
    """Cells that leave a class and are back in it a year later (A-B-A).

    flips : how many there are; changes : changes that could have been undone (all but the last
    year's)
    """

    flips: int
    changes: int

    @property
    def share(self) -> float:
        """Share of the changes that are undone at once; 0 where there are none."""
        return self.flips / self.changes if self.changes else 0.0


def flips(maps: Sequence[np.ndarray], mask: np.ndarray) -> Flips:
    """Count A-B-A over all years of a run.

    maps : n of (y, x), in stepping order
    Raises InputError for fewer than three maps or an empty mask.
    """
    _check(maps, mask, 3)
    undone, changes = 0, 0
    for first, second, third in zip(maps, maps[1:], maps[2:], strict=False):
        left = (first != second) & mask
        changes += int(left.sum())
        undone += int((left & (third == first)).sum())
    return Flips(undone, changes)


@dataclass(frozen=True)
class Patches:
    """Patches of one class: cells that touch along an edge.

    patches : how many; mean, largest : cells; single : share of the patches that are one cell
    """

    patches: int
    mean: float
    largest: int
    single: float


def patches(classes: np.ndarray, mask: np.ndarray, n_classes: int) -> dict[int, Patches]:
    """Find the patches of each class that a map holds.

    classes : (y, x) uint8; mask : (y, x) bool, the cells that count
    Raises InputError for unequal shapes or an empty mask.
    """
    _check([classes], mask, 1)
    found = {}
    for k in range(n_classes):
        numbered, count = label((classes == k) & mask)
        if count:
            sizes = np.bincount(numbered.ravel())[1:]
            found[k] = Patches(
                int(count), float(sizes.mean()), int(sizes.max()), float((sizes == 1).mean())
            )
    return found


def _check(maps: Sequence[np.ndarray], mask: np.ndarray, least: int) -> None:
    if len(maps) < least:
        raise InputError(f"{len(maps)} maps, expected at least {least}")
    shapes = sorted({mask.shape, *(found.shape for found in maps)})
    if len(shapes) > 1 or mask.dtype != bool or not mask.any():
        raise InputError(
            f"maps and mask have shapes {shapes}, mask is {mask.dtype} with {int(mask.sum())} "
            "cells; expected one shape and a bool mask with some"
        )
