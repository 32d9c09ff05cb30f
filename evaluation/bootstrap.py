"""Intervals by drawing blocks of cells again, the same draws for every method compared.

Neighbouring cells are alike, so single cells drawn again would claim too much. Only the counts of
each block are drawn, never the maps. Source: Efron and Tibshirani 1993, An Introduction to the
Bootstrap, chapters 8.6 (blocks) and 13.3 (percentile interval).
"""

from __future__ import annotations

import numpy as np

from landstep.emulator.errors import InputError

RESAMPLES = 1000


def draws(n_blocks: int, seed: int = 0, resamples: int = RESAMPLES) -> np.ndarray:
    """How often each block is drawn in each resample: (resamples, n_blocks) float64."""
    chance = np.full(n_blocks, 1 / n_blocks)
    return np.random.default_rng(seed).multinomial(n_blocks, chance, resamples).astype(np.float64)


def merits(counts: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """Figure of merit in each resample.

    counts : (4, n_blocks) int64: hits, misses, wrong hits, false alarms of each block
    drawn : (resamples, n_blocks), of `draws`
    returns : (resamples,) float64; 0 where nothing changed or was predicted to
    """
    sums = drawn @ counts.T.astype(np.float64)
    total = sums.sum(axis=1)
    return np.where(total > 0, sums[:, 0] / np.where(total > 0, total, 1), 0.0)


def means(sums: np.ndarray, cells: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """Mean over cells in each resample, such as accuracy from each block's right cells.

    sums, cells : (n_blocks,) of each block
    returns : (resamples,) float64
    """
    return np.asarray((drawn @ sums.astype(np.float64)) / (drawn @ cells.astype(np.float64)))


def mean_ious(
    both: np.ndarray, true: np.ndarray, found: np.ndarray, drawn: np.ndarray
) -> np.ndarray:
    """Mean intersection over union in each resample, over the classes that the truth holds there.

    both, true, found : (K, n_blocks) area of each class in both maps, in truth and as predicted;
        every block holds some truth
    returns : (resamples,) float64
    """
    both, true, found = (drawn @ part.T for part in (both, true, found))
    either = true + found - both
    iou = np.where(true > 0, both / np.where(either > 0, either, 1), np.nan)
    return np.asarray(np.nanmean(iou, axis=1))


def interval(values: np.ndarray, level: float = 0.95) -> tuple[float, float]:
    """Ends of the middle `level` of some resampled values.

    Raises InputError where there are none.
    """
    if not values.size:
        raise InputError(f"{values.size} resampled values, expected at least one")
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def ratio(counts: np.ndarray, other: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """One method's figure of merit over another's in each resample, the blocks the same in both.

    counts, other : (4, n_blocks) int64, as in `merits`
    returns : (resamples,) float64; infinite where the other has none and this one has, 1 where
        neither has
    """
    mine, theirs = merits(counts, drawn), merits(other, drawn)
    without = np.where(mine > 0, np.inf, 1.0)
    return np.where(theirs > 0, mine / np.where(theirs > 0, theirs, 1), without)
