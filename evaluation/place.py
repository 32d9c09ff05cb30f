"""Where changes are put: by the emulator's own allocator, or by net moves alone."""

from __future__ import annotations

from typing import Literal

import numpy as np

from landstep.emulator.allocation import Rule, allocate, fitted_probabilities
from landstep.emulator.card import Weights
from landstep.emulator.classes import MASKED, Scheme
from landstep.evaluation.case import Case, direction_of

WEIGHTS = Weights(years=1)
"""Weights of staying and price of a missed cell where no model card gives them."""


def rule_of(
    scheme: Scheme,
    direction: int,
    mode: Literal["exact", "soft", "none"],
    weights: Weights = WEIGHTS,
) -> Rule:
    """What a scheme asks of an allocation, in one direction in time; `emulator.allocation.Rule`.

    weights : of the model card, for the years between prior and target
    """
    return Rule(
        mode=mode,
        group_of=scheme.group_of,
        n_groups=len(scheme.groups),
        movable=scheme.movable(direction),
        stay_weight=weights.stay_weight,
        new_weight=weights.new_weight,
        price=weights.miss_price,
    )


def place_by_odds(case: Case, odds: np.ndarray, before: int, after: int, rule: Rule) -> np.ndarray:
    """Put the change of a pair of years where the odds are best, under the quotas of its forcing.

    The maps before the prior say which moves are returns, as far as a method may see them.

    odds : (K, y, x) float32 log odds, up to a constant a cell
    returns : (y, x) uint8
    """
    return allocate(
        odds,
        case.map(before),
        case.quota(before, after),
        case.area,
        case.row,
        case.col,
        case.coarse,
        rule,
        recent=case.history(before, direction_of(before, after)),
    ).land_use


def fitted_probability(
    case: Case, odds: np.ndarray, before: int, after: int, rule: Rule
) -> np.ndarray:
    """Probability of each class after fitting to the coarse totals: (K, y, x) float32."""
    return fitted_probabilities(
        odds,
        case.map(before),
        case.quota(before, after),
        case.area,
        case.row,
        case.col,
        case.coarse,
        rule,
    )


def net_cells(case: Case, before: int, after: int) -> np.ndarray:
    """Cells by which each group is to grow in each coarse cell.

    returns : (G + 1, cy * cx) int64; the last row is the unbound rest, so that columns sum to 0
    """
    quota = case.quota(before, after).reshape(len(case.scheme.groups), -1)
    cells = np.bincount(case.block.ravel(), minlength=case.n_blocks)
    mean_area = case.coarse_area.ravel() / np.maximum(cells, 1)
    bound = np.rint(quota / np.maximum(mean_area, 1)).astype(np.int64)
    return np.vstack([bound, -bound.sum(axis=0)])


def place_by_net_moves(case: Case, score: np.ndarray, before: int, after: int) -> np.ndarray:
    """Make no more moves than the net change of each coarse cell needs, the best ones first.

    A cell of a group that shrinks may go to a group that grows, for the score of the new class less
    that of its own; moves are taken greedily until every group has its cells, or none can move.
    Unknown cells stay unknown.

    score : (K, y, x) float
    returns : (y, x) uint8
    """
    of = case.scheme
    prior, net = case.map(before), net_cells(case, before, after)
    n_groups = len(net) - 1
    group = np.where(of.group_of < 0, n_groups, of.group_of)
    movable = of.movable(direction_of(before, after))
    can_move = ~np.isin(prior, of.fixed_numbers) & (prior != MASKED)
    cells = np.flatnonzero(can_move)
    cells = cells[np.argsort(case.block.ravel()[cells], kind="stable")]
    blocks = case.block.ravel()[cells]
    own = prior.ravel()[cells]
    score_of = score.reshape(of.n_classes, -1)
    land_use = prior.ravel().copy()
    starts = np.searchsorted(blocks, np.arange(case.n_blocks + 1))
    for block in np.flatnonzero(net.any(axis=0)):
        here = slice(starts[block], starts[block + 1])
        block_cells, prior_class = cells[here], own[here]
        new = _greedy(prior_class, score_of[:, block_cells], net[:, block].copy(), group, movable)
        land_use[block_cells] = new
    return land_use.reshape(prior.shape)


def _greedy(
    prior: np.ndarray, score: np.ndarray, need: np.ndarray, group: np.ndarray, movable: np.ndarray
) -> np.ndarray:
    """Take the best net moves of one coarse cell.

    prior : (n,) uint8; score : (K, n); need : (G + 1,) cells by which each group is to grow
    group : (K,) group of each class; movable : (K, K) bool [from, to]
    returns : (n,) uint8
    """
    new, place = prior.copy(), np.arange(prior.size)
    gain = np.where(movable[prior].T, score - score[prior, place], -np.inf)
    gain[:, need[group[prior]] >= 0] = -np.inf
    gain[need[group] <= 0] = -np.inf
    order = np.argsort(-gain, axis=None, kind="stable")
    order = order[np.isfinite(gain.ravel()[order])]
    moved = np.zeros(prior.size, bool)
    for to, cell in zip(*np.unravel_index(order, gain.shape), strict=True):
        source, target = group[prior[cell]], group[to]
        if moved[cell] or need[source] >= 0 or need[target] <= 0:
            continue
        new[cell], moved[cell] = to, True
        need[source] += 1
        need[target] -= 1
        if not need.any():
            break
    return new
