"""Net moves: no more than each block's net change, the best of them, none that is forbidden."""

import numpy as np
import pytest

from landstep.emulator.allocation import allocate
from landstep.emulator.card import Weights
from landstep.emulator.classes import MASKED
from landstep.evaluation.place import (
    fitted_probability,
    net_cells,
    place_by_net_moves,
    place_by_odds,
    rule_of,
)


def counts(case, land_use):
    """Cells of each class in each block: (K, blocks)."""
    return np.stack(
        [np.bincount(case.block[land_use == k], minlength=case.n_blocks) for k in range(9)]
    )


def random_score(case, seed=0):
    return np.random.default_rng(seed).random((9, *case.shape))


def test_net_moves_meet_every_block_and_move_no_more(case):
    found = place_by_net_moves(case, random_score(case), 2003, 2007)
    assert np.array_equal(counts(case, found), counts(case, case.maps[2007]))
    net = net_cells(case, 2003, 2007)
    moved = np.bincount(case.block[found != case.maps[2003]], minlength=case.n_blocks)
    assert np.array_equal(moved, np.maximum(net, 0).sum(axis=0))


def test_net_moves_take_the_best_cells(new_case):
    # where one class gives and one takes, the moved cells are those with the largest gain
    case = new_case(flicker=0.0)
    score = random_score(case)
    found = place_by_net_moves(case, score, 2003, 2004)
    prior, net = case.maps[2003], net_cells(case, 2003, 2004)
    checked = 0
    for block in range(case.n_blocks):
        gives, takes = np.flatnonzero(net[:-1, block] < 0), np.flatnonzero(net[:-1, block] > 0)
        if len(gives) == len(takes) == 1:
            k, to = gives[0] + 1, takes[0] + 1
            here = (case.block == block) & (prior == k)
            gain = np.sort((score[to] - score[k])[here])[::-1]
            moved = here & (found == to)
            n = int(moved.sum())
            assert np.allclose(np.sort((score[to] - score[k])[moved])[::-1], gain[:n])
            checked += 1
    assert checked >= 2


def test_sea_and_unknown_cells_stay(case):
    case.maps[2003][12, 12] = MASKED
    found = place_by_net_moves(case, random_score(case), 2003, 2007)
    assert found[12, 12] == MASKED
    assert np.array_equal(found == 0, case.maps[2003] == 0)


def test_forbidden_changes_are_not_made(new_case):
    case = new_case(name="sweden5")
    score = np.random.default_rng(1).random((5, *case.shape))
    found = place_by_net_moves(case, score, 2003, 2007)
    urban = case.maps[2003] == 1  # in this scheme urban land stays urban
    assert (found[urban] == 1).all()
    assert (found != case.maps[2003]).any()


def test_the_rest_takes_up_what_the_groups_give(case):
    net = net_cells(case, 2003, 2007)
    assert np.array_equal(net.sum(axis=0), np.zeros(case.n_blocks))
    assert not net[-1].any()  # every class is its own group here


def test_placing_by_odds_meets_exact_quotas(case):
    odds = np.log(random_score(case) + 0.1).astype(np.float32)
    rule = rule_of(case.scheme, 1, "exact")
    found = place_by_odds(case, odds, 2003, 2007, rule)
    assert np.array_equal(counts(case, found), counts(case, case.maps[2007]))


def test_a_rule_weighs_as_the_card_says(case):
    weights = Weights(years=2, stay_weight=0.9, new_weight=0.3, miss_price=0.2)
    rule = rule_of(case.scheme, 1, "soft", weights)
    assert (rule.stay_weight, rule.new_weight, rule.price) == (0.9, 0.3, 0.2)


@pytest.mark.parametrize(
    ("after", "before_that"), [(2005, (2003, 2002, 2001)), (2003, (2005, 2006, 2007))]
)
def test_returns_are_told_by_the_maps_that_a_method_may_see(case, after, before_that):
    odds = np.log(random_score(case) + 0.1).astype(np.float32)
    way = 1 if after > 2004 else -1
    rule = rule_of(case.scheme, way, "soft", Weights(years=1, stay_weight=1.0, new_weight=0.2))
    maps = np.stack([case.maps[year] for year in before_that])
    inputs = case.quota(2004, after), case.area, case.row, case.col, case.coarse, rule
    found = place_by_odds(case, odds, 2004, after, rule)
    expected = allocate(odds, case.maps[2004], *inputs, recent=maps).land_use
    assert np.array_equal(found, expected)
    blind = place_by_odds(case.withhold(1, 2, 3), odds, 2004, after, rule)
    assert np.array_equal(blind, allocate(odds, case.maps[2004], *inputs).land_use)
    assert (blind != found).any()


def test_fitted_probabilities_sum_to_the_blocks_totals(case):
    odds = np.log(random_score(case) + 0.1).astype(np.float32)
    chance = fitted_probability(case, odds, 2003, 2007, rule_of(case.scheme, 1, "soft"))
    assert chance.sum(axis=0) == pytest.approx(1, abs=1e-5)
    expected = np.stack([np.bincount(case.block.ravel(), p.ravel()) for p in chance])
    off = np.abs(expected - counts(case, case.maps[2007]))
    assert np.median(off) < 0.02 and off.max() < 1.5
