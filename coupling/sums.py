"""Fields that share a whole: their values made to sum to it, exactly and in any order.

Values are rounded to whole numbers of a quantum, a power of two small enough that every sum of them
is exact in float64. So a host that adds them up, in whatever order, finds the total itself.
"""

from __future__ import annotations

import math

import numpy as np

from landstep.coupling.fields import SumGroup

MANTISSA_BITS = 52


def quantum(total: float) -> float:
    """Step between values that sum to at most `total`: the total is a whole number of them."""
    return 2.0 ** (math.ceil(math.log2(total)) - MANTISSA_BITS)


def settled(values: np.ndarray, group: SumGroup) -> np.ndarray:
    """Round values so that they sum to the group's total, or at most to it.

    values : (n, fields) float64, at least 0; they sum to the total, or at most to it, to rounding
    returns : (n, fields) float64, whole numbers of the quantum; the largest takes up the rest
    """
    step = quantum(group.total)
    counts = np.rint(values / step).astype(np.int64)
    excess = counts.sum(axis=1) - round(group.total / step)
    if not group.exact:
        excess = np.maximum(excess, 0)
    rows = np.arange(len(counts))
    counts[rows, counts.argmax(axis=1)] -= excess
    return counts * step


def with_whole(values: np.ndarray, group: SumGroup) -> np.ndarray:
    """Make the group's whole field 0 or the total: more than half counts as all.

    values : (n, fields) float64 that sum to the total, to rounding
    returns : the same shape; where the whole field is all, the others are 0, else they fill its
        place in proportion
    """
    if not group.whole:
        return values
    column = group.fields.index(group.whole)
    share = values[:, column]
    is_all = share > group.total / 2
    scaled = values * (group.total / np.where(is_all, group.total, group.total - share))[:, None]
    scaled[is_all] = 0.0
    scaled[:, column] = np.where(is_all, group.total, 0.0)
    return scaled


def moved(baseline: np.ndarray, change: np.ndarray, group: SumGroup) -> np.ndarray:
    """Add a change to a baseline, within the bounds, with the sum kept.

    baseline, change : (n, fields) float64
    returns : (n, fields) float64 in 0..total. Their sum is the group's total where that is exact,
        else the baseline's sum plus the change's, clipped to 0..total
    """
    wanted = baseline + change
    inside = np.clip(wanted, 0.0, group.total)
    if group.last_gives_way:
        room = np.full(len(inside), group.total)
        for column in range(inside.shape[1]):
            inside[:, column] = np.minimum(inside[:, column], room)
            room = room - inside[:, column]
        return settled(inside, group)
    target = np.full(len(inside), group.total)
    if not group.exact:
        target = np.clip(wanted.sum(axis=1), 0.0, group.total)
    found = inside.sum(axis=1)
    scale = np.divide(target, found, out=np.ones_like(found), where=found > 0)
    return settled(inside * scale[:, None], group)
