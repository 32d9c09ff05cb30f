"""95 % intervals of a method's scores, alone and beside other methods on the same drawn blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from landstep.evaluation.block_sums import BlockSums
from landstep.evaluation.bootstrap import interval, mean_ious, means, merits, ratio

REFERENCE = "history_table"
"""Method over which the Brier skill is counted."""

BASE = "neighbourhood"
"""Method that the figure of merit is held against as a ratio."""

STILL = "persistence"
"""Method that accuracy and mean IoU are held against as a difference."""


def intervals(
    name: str, sums: Mapping[str, BlockSums], drawn: np.ndarray, rivals: Sequence[str]
) -> dict[str, Any]:
    """Give one method's intervals, ratios and gains, as `pairs.score_pair` names them.

    sums : of every method, on the same blocks; drawn : (resamples, n_blocks), of `bootstrap.draws`
    rivals : methods of which the best, other than the one scored, is what `first_ratio` is against
    """
    mine = sums[name]
    hits, first = mine.change.counts[0], mine.change.counts[1]
    entry: dict[str, Any] = {
        "fom_interval": list(interval(merits(hits, drawn))),
        "fom_first_interval": list(interval(merits(first, drawn))),
    }
    others = [rival for rival in rivals if rival in sums and rival != name]
    if others:
        best = max(others, key=lambda rival: sums[rival].change.merit("first").value)
        entry["first_rival"] = best
        entry |= _against("first_ratio", first, sums[best].change.counts[1], drawn)
    if BASE in sums and name != BASE:
        entry |= _against("fom_ratio", hits, sums[BASE].change.counts[0], drawn)
    if STILL in sums and name != STILL:
        entry |= _gains(mine, sums[STILL], drawn)
    if REFERENCE in sums and name != REFERENCE:
        skills = _skills(mine, sums[REFERENCE], drawn)
        entry["brier_skill_interval"] = _ends(skills)
    return entry


def _gains(mine: BlockSums, still: BlockSums, drawn: np.ndarray) -> dict[str, Any]:
    """Give what a method has more of than persistence, and its intervals."""
    whole = np.ones((1, drawn.shape[1]))

    def accuracy(of: BlockSums, some: np.ndarray) -> np.ndarray:
        return means(of.both.sum(axis=0), of.true.sum(axis=0), some)

    def mean_iou(of: BlockSums, some: np.ndarray) -> np.ndarray:
        return mean_ious(of.both, of.true, of.found, some)

    entry: dict[str, Any] = {}
    for what, score in (("accuracy", accuracy), ("mean_iou", mean_iou)):
        entry[f"{what}_gain"] = float((score(mine, whole) - score(still, whole))[0])
        gained = score(mine, drawn) - score(still, drawn)
        entry[f"{what}_gain_interval"] = list(interval(gained))
    return entry


def _skills(mine: BlockSums, reference: BlockSums, drawn: np.ndarray) -> np.ndarray:
    """Brier skill in each resample: (resamples,) float64; `probability.skill` resampled."""
    score, bar = (means(of.squared, of.cells, drawn) for of in (mine, reference))
    without = np.where(score > 0, -np.inf, 0.0)
    return np.where(bar > 0, 1 - score / np.where(bar > 0, bar, 1), without)


def _against(
    what: str, mine: np.ndarray, theirs: np.ndarray, drawn: np.ndarray
) -> dict[str, float | None]:
    whole = np.ones((1, mine.shape[1]))
    low, high = _ends(ratio(mine, theirs, drawn))
    value = finite(float(ratio(mine, theirs, whole)[0]))
    return {what: value, f"{what}_low": low, f"{what}_high": high}


def _ends(values: np.ndarray) -> list[float | None]:
    """Ends of the middle 95 % of values that may be infinite; None for an end that is."""
    return [finite(float(end)) for end in np.quantile(values, [0.025, 0.975], method="lower")]


def finite(value: float) -> float | None:
    """Leave out what JSON cannot say."""
    return value if np.isfinite(value) else None
