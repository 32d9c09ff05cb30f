"""Predicted change against true change, split into first-time changes and returns.

A cell's change is a return where it goes to a class that the cell had in one of the years before
the prior map, else it is a first-time change. Flicker in a product makes most returns, and a table
of the last maps predicts it; only first-time change shows what a network is worth.

How cells are filed, for each kind:

- a hit, a miss, by the true change;
- a false alarm, by the predicted change;
- a wrong hit, by the predicted change; where the true change is of the other kind, it is a miss of
  that kind as well (the change of that kind was not found).

So hits, wrong hits and false alarms of the two kinds sum to those of all changes, and misses sum to
all misses and those wrong hits whose two kinds differ. Unsplit, the counts are those of Pontius et
al. 2008 (emulator/scores.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from landstep.emulator.classes import MASKED
from landstep.emulator.errors import InputError
from landstep.emulator.scores import FigureOfMerit

KINDS = ("all", "first", "return")
HIT, MISS, WRONG, FALSE = range(4)


@dataclass(frozen=True, eq=False)
class ChangeCounts:
    """Hits, misses, wrong hits and false alarms by kind of change and by block.

    counts : (3, 4, n) int64: KINDS; hits, misses, wrong hits, false alarms; blocks
    """

    counts: np.ndarray

    def merit(self, kind: str = "all") -> FigureOfMerit:
        """Sum up one kind over all blocks."""
        hits, misses, wrong, false = self.counts[KINDS.index(kind)].sum(axis=1)
        return FigureOfMerit(int(hits), int(misses), int(wrong), int(false))


def returns(classes: np.ndarray, past: np.ndarray) -> np.ndarray:
    """Tell which cells' class is one that they had in the years before: (y, x) bool.

    classes : (y, x) uint8 class numbers
    past : (h, y, x) uint8, maps of the years before the prior; MASKED where unknown
    """
    return np.asarray(((past == classes) & (past != MASKED)).any(axis=0))


def change_counts(
    prior: np.ndarray,
    predicted: np.ndarray,
    truth: np.ndarray,
    past: np.ndarray,
    mask: np.ndarray,
    block: np.ndarray | None = None,
    n_blocks: int = 1,
) -> ChangeCounts:
    """Count a predicted change against the true one, by kind and block.

    prior, predicted, truth : (y, x) uint8 class numbers
    past : (h, y, x) uint8, maps of the years before the prior, in stepping order
    mask : (y, x) bool, the cells that count
    block : (y, x) int64, 0 .. n_blocks - 1; None takes all cells as one
    Raises InputError for unequal shapes.
    """
    shape = prior.shape
    if not (predicted.shape == truth.shape == mask.shape == past.shape[1:] == shape):
        raise InputError(
            f"maps {shape}, {predicted.shape}, {truth.shape}, past {past.shape}, mask "
            f"{mask.shape}: expected one shape of the maps"
        )
    place = np.zeros(int(mask.sum()), np.int64) if block is None else block[mask]
    back_true, back_found = returns(truth, past)[mask], returns(predicted, past)[mask]
    start, found, end = prior[mask], predicted[mask], truth[mask]
    changed, moved, right = start != end, start != found, found == end
    hit, missed = changed & moved & right, changed & ~moved
    wrong, false = changed & moved & ~right, ~changed & moved

    def by_block(cells: np.ndarray) -> np.ndarray:
        return np.bincount(place[cells], minlength=n_blocks)

    rows = [[by_block(cells) for cells in (hit, missed, wrong, false)]]
    for of_kind_true, of_kind_found in ((~back_true, ~back_found), (back_true, back_found)):
        rows.append(
            [
                by_block(hit & of_kind_true),
                by_block((missed | (wrong & ~of_kind_found)) & of_kind_true),
                by_block(wrong & of_kind_found),
                by_block(false & of_kind_found),
            ]
        )
    return ChangeCounts(np.array(rows, np.int64))
