"""The best slot for every cell of many blocks, where each slot's number of cells has a price.

A slot is a group of classes. In each block the sum of the cells' utilities, less
price x |cells in the slot - target| for every slot, is as large as it can be: prices per slot bring
the cells near their targets, then best paths of moves between slots settle the rest exactly
(successive shortest paths; Ahuja, Magnanti & Orlin 1993, Network Flows, chapter 9).

All numbers here are multiples of 2**-42 below 2**11, so that float64 adds them without rounding.
"""

from __future__ import annotations

import numpy as np

NEVER = -(2.0**14)
"""Utility of what is not allowed."""

HARD = 2.0**12
"""Price that no utility outweighs: a target that must be met where it can be."""

PARTS = 64
"""Targets are whole numbers of 1/PARTS cell, so that HARD times a part stays above any utility."""

MAX_UTILITY = 4.0
"""Utilities lie within +- this; a path over 16 slots stays below 2 HARD / PARTS."""

TIE = 2.0**-38
"""What one place in the order of cells is worth, times the slot's place: ties by order."""

_PRICE_STEP = 2.0**-40
_HOP = 2.0**-42
_SWEEPS = 3


def best_slots(utility: np.ndarray, target: np.ndarray, price: np.ndarray) -> np.ndarray:
    """Put every cell of every block into its slot.

    utility : (S, blocks, cells) float64, multiples of TIE within +- MAX_UTILITY, or NEVER; a cell
        that is not there has 0 in one unpriced slot and NEVER in the rest
    target : (S, blocks) float64, wanted cells of each slot, multiples of 1 / PARTS
    price : (S, blocks) float64, utility lost per cell missed, multiples of 2**-24; HARD for a
        target that must be met as nearly as the allowed slots let it, 0 for a slot without target
    returns : (blocks, cells) int64, slot of each cell; the sum in each block is the largest
    """
    slot, level = _by_prices(utility, target, price)
    count = _count(slot, len(utility))
    below, above = _slopes(count, target, price)
    doubtful = np.flatnonzero(((level < below) | (level > above)).any(axis=0))
    if doubtful.size:
        slot[doubtful] = improve(
            utility[:, doubtful], target[:, doubtful], price[:, doubtful], slot[doubtful]
        )
    return slot


def improve(
    utility: np.ndarray, target: np.ndarray, price: np.ndarray, slot: np.ndarray
) -> np.ndarray:
    """Move cells along best paths until no path gains.

    slot : (blocks, cells) int64, the best map for the numbers of cells that it has
    The other parameters, and what is returned, are those of `best_slots`.
    """
    slot = slot.copy()
    n_slots = len(utility)
    count = _count(slot, n_slots)
    edge, mover = _edges(utility, slot)
    live = np.arange(slot.shape[0])
    while live.size:
        far, via = _best_paths(edge[live])
        below, above = _slopes(count[:, live], target[:, live], price[:, live])
        gain = far + (below.T[:, :, None] - above.T[:, None, :])
        gain[:, range(n_slots), range(n_slots)] = NEVER
        gain = gain.reshape(live.size, -1)
        best = gain.argmax(axis=1)
        gains = gain[np.arange(live.size), best] > 0
        live, via = live[gains], via[gains]
        first, last = np.divmod(best[gains], n_slots)
        count[first, live] -= 1
        count[last, live] += 1
        touched = np.zeros((live.size, n_slots), bool)
        touched[np.arange(live.size), last] = True
        moving = np.arange(live.size)
        here = first
        while moving.size:
            there = via[moving, here, last[moving]]
            touched[moving, here] = True
            slot[live[moving], mover[live[moving], here, there]] = there
            onward = there != last[moving]
            moving, here = moving[onward], there[onward]
        _renew(edge, mover, utility, slot, live, touched)
    return slot


def _by_prices(
    utility: np.ndarray, target: np.ndarray, price: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Best slots under a price level per slot, each set in turn to bring its slot to its target.

    returns : slots (blocks, cells), and the levels (S, blocks) at which each cell's slot is best
    """
    n_slots, n_blocks, n_cells = utility.shape
    level = np.zeros((n_slots, n_blocks))
    priced = np.flatnonzero(price.any(axis=1))
    target = np.clip(target, 0, n_cells)
    floor = np.floor(target).astype(np.int64)
    middle = price * (1 - 2 * (target - floor))
    edges = np.empty((n_blocks, n_cells + 3))
    edges[:, 0], edges[:, n_cells + 1 :] = -NEVER * 4, NEVER * 4
    blocks = np.arange(n_blocks)
    net = utility.copy()
    for _ in range(_SWEEPS if priced.size > 1 else 1):
        for s in priced:
            others = [o for o in range(n_slots) if o != s]
            rival = net[others[0]].copy() if others else np.full((n_blocks, n_cells), NEVER)
            for o in others[1:]:
                np.maximum(rival, net[o], out=rival)
            np.subtract(rival, utility[s], out=rival)
            rival.sort(axis=1)
            np.negative(rival, out=edges[:, 1 : n_cells + 1])
            more = edges[blocks, floor[s] + 1] > middle[s]
            cells = floor[s] + more
            least = np.where(more, middle[s], -price[s])
            most = np.where(more, price[s], middle[s])
            upper = np.clip(edges[blocks, cells], least, most)
            lower = np.clip(edges[blocks, cells + 1], least, most)
            level[s] = np.floor((upper + lower) / (2 * _PRICE_STEP)) * _PRICE_STEP
            np.subtract(utility[s], level[s][:, None], out=net[s])
    return _first_best(net), level


def _first_best(utility: np.ndarray) -> np.ndarray:
    """Slot of the largest utility of each cell, the first of equals: (blocks, cells) int64."""
    most, slot = utility[0].copy(), np.zeros(utility.shape[1:], np.int64)
    for s in range(1, len(utility)):
        np.copyto(slot, s, where=utility[s] > most)
        np.maximum(most, utility[s], out=most)
    return slot


def _count(slot: np.ndarray, n_slots: int) -> np.ndarray:
    """Cells in each slot of each block: (S, blocks) int64."""
    return np.stack([np.count_nonzero(slot == s, axis=1) for s in range(n_slots)])


def _slopes(
    count: np.ndarray, target: np.ndarray, price: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Change of each slot's miss, priced, by its last cell and by one more."""
    here = np.abs(count - target)
    below = price * (here - np.abs(count - 1 - target))
    above = price * (np.abs(count + 1 - target) - here)
    return below, above


def _edges(utility: np.ndarray, slot: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Most that one cell's move from slot to slot gains in each block, and which cell it is.

    returns : (blocks, S, S) float64 and int64, [from, to]
    """
    n_slots, n_blocks, _ = utility.shape
    edge = np.empty((n_blocks, n_slots, n_slots))
    mover = np.empty((n_blocks, n_slots, n_slots), np.int64)
    _renew(edge, mover, utility, slot, np.arange(n_blocks), np.ones((n_blocks, n_slots), bool))
    return edge, mover


def _renew(
    edge: np.ndarray,
    mover: np.ndarray,
    utility: np.ndarray,
    slot: np.ndarray,
    live: np.ndarray,
    touched: np.ndarray,
) -> None:
    """Work out again the moves from the touched slots of the live blocks, in place."""
    of, start = np.nonzero(touched)
    block = live[of]
    inside = slot[block] == start[:, None]
    now = np.where(inside, utility[start, block], -NEVER)
    for end in range(len(utility)):
        gain = utility[end, block] - now
        which = gain.argmax(axis=1)
        mover[block, start, end] = which
        edge[block, start, end] = gain[np.arange(of.size), which] - _HOP


def _best_paths(edge: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Most that a path of moves gains between any two slots, and its first step.

    edge : (blocks, S, S) float64; no cycle gains
    returns : (blocks, S, S) float64 and int64
    Source: Floyd 1962, Commun. ACM 5, 345.
    """
    n_blocks, n_slots, _ = edge.shape
    far = edge.copy()
    far[:, range(n_slots), range(n_slots)] = 0
    via = np.broadcast_to(np.arange(n_slots), edge.shape).copy()
    for k in range(n_slots):
        through = far[:, :, k, None] + far[:, None, k, :]
        better = through > far
        np.copyto(far, through, where=better)
        np.copyto(via, via[:, :, k, None], where=better)
    return far, via
