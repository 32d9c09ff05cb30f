"""What scores are made of, summed over blocks of cells: all that drawing blocks again needs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from landstep.evaluation.case import Case
from landstep.evaluation.change import ChangeCounts
from landstep.evaluation.methods import Prediction


@dataclass(frozen=True, eq=False)
class BlockSums:
    """Sums over the counted cells of each of n blocks.

    change : hits, misses, wrong hits and false alarms
    both, true, found : (K, n) float64, area of each class in both maps, in truth and as predicted;
        cells where areas do not count
    cells : (n,) float64; squared : (n,) float64, squared difference between the probability of
        change and what happened
    """

    change: ChangeCounts
    both: np.ndarray
    true: np.ndarray
    found: np.ndarray
    cells: np.ndarray
    squared: np.ndarray


def block_sums(
    case: Case,
    found: Prediction,
    before: int,
    after: int,
    mask: np.ndarray,
    block: np.ndarray,
    change: ChangeCounts,
) -> BlockSums:
    """Sum up a prediction of a pair of years.

    mask : (y, x) bool, the cells that count; block : (y, x) int64, their blocks, 0 .. n - 1
    change : counted already
    """
    n_blocks, n_classes = change.counts.shape[2], case.scheme.n_classes
    prior, truth, place = case.map(before), case.map(after), block[mask]
    true, guess = truth[mask].astype(np.int64), found.land_use[mask].astype(np.int64)
    area = np.ones(place.size)
    if case.weights is not None:
        area = np.broadcast_to(case.weights, mask.shape)[mask].astype(np.float64)

    def by_class(classes: np.ndarray, of: np.ndarray) -> np.ndarray:
        number = (classes * n_blocks + place)[of]
        sums = np.bincount(number, area[of], minlength=n_classes * n_blocks)
        return sums.reshape(n_classes, n_blocks)

    happened = (prior != truth)[mask]
    off = found.change_probability(prior)[mask] - happened
    return BlockSums(
        change=change,
        both=by_class(true, guess == true),
        true=by_class(true, np.ones(true.shape, bool)),
        found=by_class(guess, guess < n_classes),
        cells=np.bincount(place, minlength=n_blocks).astype(np.float64),
        squared=np.bincount(place, off**2, minlength=n_blocks),
    )
