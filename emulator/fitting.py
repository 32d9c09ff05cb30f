"""Probabilities from a network's odds, fitted to the area that each coarse cell is to have."""

from __future__ import annotations

import numpy as np

ITERATIONS = 24
"""Rounds of fitting. Fixed, so that a coarse cell's result depends on nothing else."""

LEAST_LOG_ODDS = -20.0
"""Log odds, against the likeliest class, below which no allowed class is put."""

_LEAST_FACTOR = 1e-10


def probabilities(odds: np.ndarray, forbidden: np.ndarray) -> np.ndarray:
    """Softmax over the allowed classes.

    odds : (K, blocks, cells) float32, up to a constant per cell; -inf means least likely
    forbidden : (K, blocks, cells) bool
    returns : (K, blocks, cells) float32, 0 where forbidden, not yet divided by their sum: the
        likeliest allowed class has 1. NaN in a cell whose odds, of the allowed classes, hold NaN or
        +inf, or nothing but -inf.
    """
    likeliest = np.full(odds.shape[1:], -np.inf, np.float32)
    for k in range(len(odds)):
        np.maximum(likeliest, np.where(forbidden[k], -np.inf, odds[k]), out=likeliest)
    shares = np.empty(odds.shape, np.float32)
    for k in range(len(odds)):
        with np.errstate(invalid="ignore"):
            np.subtract(odds[k], likeliest, out=shares[k])
        np.maximum(shares[k], LEAST_LOG_ODDS, out=shares[k])
        np.exp(shares[k], out=shares[k])
        shares[k][forbidden[k]] = 0
    return shares


def fit(
    shares: np.ndarray, slot_of: np.ndarray, target: np.ndarray, weight: np.ndarray
) -> np.ndarray:
    """Fit probabilities to the total that each slot is to have in each block.

    shares : (K, blocks, cells) float32, as `probabilities` gives them
    slot_of : (K,) int64, slot of each class
    target : (S, blocks) float64, wanted sum of weight x probability; taken to the nearest that the
        allowed classes let be, the last slot making up the sum
    weight : (blocks, cells) float32, area of each cell over their mean; 0 for a cell not there
    returns : (K, blocks, cells) float32, shares x a factor per slot and block, summing to 1 over
        the classes of a cell
    Source: Deming & Stephan 1940, Ann. Math. Stat. 11, 427 (iterative proportional fitting).
    """
    n_slots = len(target)
    totals = [_total(shares, np.flatnonzero(slot_of == s)) for s in range(n_slots)]
    least, most = _feasible(totals, weight)
    target = _nearest(target, least, most, weight.sum(axis=1))
    factor = (most > 0).astype(np.float64)
    for _ in range(ITERATIONS):
        scale = weight / _norm(totals, factor)
        for s, total in enumerate(totals):
            if total is not None:
                weighed = (total * scale).sum(axis=1).astype(np.float64)
                factor[s] = np.where(most[s] > 0, target[s] / np.maximum(weighed, 1e-30), 0)
        factor = np.maximum(factor / np.maximum(factor.max(axis=0), 1e-30), _LEAST_FACTOR) * (
            most > 0
        )
    norm = 1 / _norm(totals, factor)
    fitted = np.empty_like(shares)
    for k, s in enumerate(slot_of):
        np.multiply(shares[k], factor[s].astype(np.float32)[:, None], out=fitted[k])
        fitted[k] *= norm
    return fitted


def in_order(terms: np.ndarray) -> np.ndarray:
    """Sum over the first axis, term after term: the same bits however many columns there are."""
    total = np.zeros(terms.shape[1:], terms.dtype)
    for term in terms:
        total += term
    return total


def _nearest(
    target: np.ndarray, least: np.ndarray, most: np.ndarray, whole: np.ndarray
) -> np.ndarray:
    """Targets that can be and sum to the whole: the last slot gives way, then each has its share
    of what is left, by the room that it has.
    """
    target = np.clip(target, least, most)
    target[-1] = np.clip(whole - in_order(target[:-1]), least[-1], most[-1])
    left = whole - in_order(target)
    room = np.where(left > 0, most - target, target - least)
    return target + left * room / np.maximum(in_order(room), 1e-30)


def _total(shares: np.ndarray, classes: np.ndarray) -> np.ndarray | None:
    """Sum of some classes' shares, added in their order; None where there is no class."""
    if classes.size == 0:
        return None
    return shares[classes[0]] if classes.size == 1 else in_order(shares[classes])


def _norm(totals: list[np.ndarray | None], factor: np.ndarray) -> np.ndarray:
    """Sum over the slots of total x factor: (blocks, cells) float32, above 0."""
    norm = np.float32(1e-30)
    for total, of in zip(totals, factor.astype(np.float32), strict=True):
        if total is not None:
            norm = norm + total * of[:, None]
    return np.asarray(norm)


def _feasible(totals: list[np.ndarray | None], weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Least and most that each slot can have: the cells that must, and that may, be in it."""
    may = [None if total is None else total > 0 for total in totals]
    choices = np.zeros(weight.shape, np.uint8)
    for can in may:
        if can is not None:
            choices += can
    least, most = np.zeros((2, len(totals), len(weight)))
    for s, can in enumerate(may):
        if can is not None:
            most[s] = np.where(can, weight, 0).sum(axis=1)
            least[s] = np.where(can & (choices == 1), weight, 0).sum(axis=1)
    return least, most
