"""Quotas met, debts kept, nothing moved that must not be."""

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landstep.emulator.allocation import Rule, allocate, fitted_probabilities
from landstep.emulator.errors import InputError
from landstep.emulator.quotas import asked_area, coarse_area, older, owed

K, G = 6, 3
GROUP_OF = np.array([-1, 0, 1, 1, -1, -1])
MOVABLE = np.ones((K, K), bool)
for fixed in (0, 5):
    MOVABLE[fixed], MOVABLE[:, fixed] = False, False
    MOVABLE[fixed, fixed] = True
MOVABLE[1, 2:4] = False
EXACT = Rule("exact", np.array([-1, 0, 1, 1, 2, -1]), G, MOVABLE)
LOOSE = Rule("exact", GROUP_OF, 2, MOVABLE)
SHAPE = (3, 4)
ROW, COL = np.repeat([0, 1, 2], [4, 7, 5]), np.repeat([0, 1, 2, 3], [6, 1, 5, 5])
AREA = np.rint(1e9 * np.cos(np.deg2rad(58 - np.arange(16) / 120))).astype(np.int64)[:, None]
CELL = coarse_area(AREA, ROW, COL, SHAPE) / coarse_area(np.ones((16, 1), int), ROW, COL, SHAPE)
SEEDS = st.integers(0, 10**9)
RULES = st.builds(
    replace,
    st.sampled_from([EXACT, LOOSE]),
    mode=st.sampled_from(["exact", "soft"]),
    stay_weight=st.sampled_from([0.0, 0.5, 1.0]),
    new_weight=st.sampled_from([0.0, 0.5, 1.0]),
    price=st.sampled_from([0.0, 0.2, 2.0]),
)


def draw(seed, rule, masked=0.0, cells=6):
    """Draw odds, a prior map, and quotas of up to some fine cells in half of the coarse cells."""
    rng = np.random.default_rng(seed)
    odds = rng.normal(0, 1.5, (K, ROW.size, COL.size)).astype(np.float32)
    prior = rng.choice(K, (ROW.size, COL.size), p=[0.1, 0.1, 0.2, 0.2, 0.3, 0.1]).astype(np.uint8)
    prior[(rng.random(prior.shape) < masked) & (prior != 0)] = 255
    quota = rng.normal(0, cells, (rule.n_groups, *SHAPE)) * CELL * (rng.random(SHAPE) < 0.5)
    return odds, prior, np.rint(quota).astype(np.int64)


def maps_before(seed, depth=3):
    """Draw maps before the prior, in some cells unknown: (depth, y, x)."""
    rng = np.random.default_rng(seed + 7)
    return rng.choice([1, 2, 3, 4, 255], (depth, ROW.size, COL.size)).astype(np.uint8)


def run(odds, prior, quota, rule, **more):
    """Allocate on the whole map."""
    return allocate(odds, prior, quota, AREA, ROW, COL, SHAPE, rule, **more)


def group_area(land_use, rule):
    """Area of each group in each coarse cell, cell by cell."""
    found = np.zeros((rule.n_groups, *SHAPE), np.int64)
    for (y, x), code in np.ndenumerate(land_use):
        if code != 255 and rule.group_of[code] >= 0:
            found[rule.group_of[code], ROW[y], COL[x]] += AREA[y, 0]
    return found


@settings(max_examples=25)
@given(SEEDS, RULES, st.sampled_from([0.0, 0.3, 1.0]))
def test_what_never_moves_stays_and_the_books_balance(seed, rule, masked):
    odds, prior, quota = draw(seed, rule, masked)
    found = run(odds, prior, quota, rule)
    known = prior != 255
    assert found.land_use.dtype == np.uint8 and found.realised.dtype == np.int64
    assert MOVABLE[prior[known], found.land_use[known]].all()
    assert (found.land_use[~known] != 0).all() and (found.land_use < K).all()
    change = group_area(found.land_use, rule) - group_area(prior, rule)
    np.testing.assert_array_equal(found.realised, change)
    missed = {tuple(place): miss for place, miss in zip(found.unmet, found.missed, strict=True)}
    for place in np.ndindex(SHAPE):
        left = (quota - change)[:, place[0], place[1]]
        assert (place in missed) == (np.abs(left) > CELL[place]).any()
        np.testing.assert_array_equal(missed.get(place, left), left)


@settings(max_examples=25)
@given(SEEDS, st.sampled_from([0.0, 1.0]))
def test_exact_quotas_that_can_be_met_are_met_within_one_cell(seed, stay_weight):
    rule = replace(EXACT, stay_weight=stay_weight, new_weight=0.5)
    odds, prior, _ = draw(seed, rule)
    # what some other map of allowed changes would realise can be met
    rng = np.random.default_rng(seed + 1)
    other = rng.integers(1, K, prior.shape)
    other = np.where(MOVABLE[prior, other], other, prior).astype(np.uint8)
    quota = group_area(other, rule) - group_area(prior, rule)
    found = run(odds, prior, quota, rule, recent=maps_before(seed))
    assert (np.abs(found.realised - quota) <= CELL).all()
    assert found.unmet.shape == (0, 2) and found.missed.shape == (0, G)


@settings(max_examples=25)
@given(SEEDS, RULES, st.sampled_from([0.0, 0.1]))
def test_a_coarse_cell_without_a_quota_of_a_cell_stays_as_it_is(seed, rule, masked):
    odds, prior, quota = draw(seed, rule, masked, cells=0.6)
    found = run(odds, prior, quota, rule)
    quiet = (np.rint(quota / CELL) == 0).all(axis=0)[ROW][:, COL]
    stays = quiet & (prior != 255)
    np.testing.assert_array_equal(found.land_use[stays], prior[stays])


@settings(max_examples=8)
@given(SEEDS, RULES, st.sampled_from([0.0, 0.3]))
def test_strips_of_coarse_rows_give_the_same_bits(seed, rule, masked):
    odds, prior, quota = draw(seed, rule, masked)
    recent = maps_before(seed)
    whole = run(odds, prior, quota, rule, recent=recent)
    fitted = fitted_probabilities(odds, prior, quota, AREA, ROW, COL, SHAPE, rule)
    for r in range(SHAPE[0]):
        for cols in ([0, 1], [2, 3], [3]):
            y, x = np.flatnonzero(ROW == r), np.flatnonzero(np.isin(COL, cols))
            cut = np.ix_(y, x)
            part = odds[:, cut[0], cut[1]], prior[cut], quota, AREA[y], ROW[y], COL[x], SHAPE, rule
            cut_before = recent[:, cut[0], cut[1]]
            found = allocate(*part, recent=cut_before)
            np.testing.assert_array_equal(found.land_use, whole.land_use[cut])
            np.testing.assert_array_equal(found.realised[:, r, cols], whole.realised[:, r, cols])
            own = part[0], part[1], quota[:, [r]], AREA[y], ROW[y] * 0, COL[x], (1, 4), rule
            alone = allocate(*own, recent=cut_before).land_use
            np.testing.assert_array_equal(alone, whole.land_use[cut])
            np.testing.assert_array_equal(fitted_probabilities(*part), fitted[:, cut[0], cut[1]])


def test_fitted_probabilities_meet_the_quotas():
    odds, prior, quota = draw(5, LOOSE, cells=1)
    p = fitted_probabilities(odds, prior, quota, AREA, ROW, COL, SHAPE, LOOSE).astype(np.float64)
    np.testing.assert_allclose(p.sum(axis=0), 1, rtol=1e-5)
    fixed = np.isin(prior, [0, 5])
    np.testing.assert_array_equal(p[:, fixed].argmax(axis=0), prior[fixed])
    for g in range(2):
        expected = np.zeros(SHAPE)
        np.add.at(expected, (ROW[:, None], COL), p[GROUP_OF == g].sum(axis=0) * AREA)
        wanted = group_area(prior, LOOSE)[g] + quota[g]
        possible = (wanted > CELL) & (wanted < group_area(prior, LOOSE).sum(0) - CELL)
        assert possible.sum() > 5
        assert (np.abs(expected - wanted)[possible] < 0.1 * CELL[possible]).all()


@pytest.mark.parametrize("depth", [0, 2, 3])
def test_without_quotas_every_cell_takes_what_is_best(depth):
    rule = replace(EXACT, mode="none", stay_weight=0.9, new_weight=0.3)
    odds, prior, quota = draw(2, rule, masked=0.3)
    recent = maps_before(2, depth)
    found = run(odds, prior, quota, rule, recent=recent)
    expected = prior.copy()
    for (y, x), h in np.ndenumerate(prior):
        if h in (0, 5):
            continue
        may = np.arange(1, K) if h == 255 else np.flatnonzero(MOVABLE[h])
        p = np.exp(odds[may, y, x].astype(np.float64))
        weight = np.where(np.isin(may, recent[:, y, x]), 0.9, 0.3)
        gain = p / p.sum() - (0 if h == 255 else weight * p[may == h] / p.sum())
        gain[may == h] = 0
        expected[y, x] = may[gain.argmax()]
    np.testing.assert_array_equal(found.land_use, expected)
    assert found.unmet.shape == (0, 2)


@pytest.mark.parametrize(("of", "to"), [(4, [1, 1, 2]), (2, [1, 1, 4])])
def test_equal_odds_move_the_first_cells_and_as_few_as_can_be(of, to):
    prior = np.full((16, 17), of, np.uint8)
    quota = np.zeros((G, *SHAPE), np.int64)
    quota[:, 0, 0] = CELL[0, 0]
    quota[0, 0, 0] *= 2
    quota[EXACT.group_of[of], 0, 0] = -3 * CELL[0, 0]
    found = run(np.zeros((K, 16, 17), np.float32), prior, quota, EXACT).land_use
    assert np.flatnonzero(found != of).tolist() == [0, 1, 2]
    assert sorted(found[0, :3]) == to


def test_quotas_that_cannot_be_met_are_reported_and_met_as_far_as_can_be():
    prior = np.full((16, 17), 4, np.uint8)
    prior[:4, :6] = 1
    prior[3, 5] = 5
    quota = np.zeros((2, *SHAPE), np.int64)
    quota[1, 0, 0] = 10**10
    quota[0, 1, 1] = 9 * 10**9
    odds = np.zeros((K, 16, 17), np.float32)
    found = run(odds, prior, quota, LOOSE)
    # class 1 may not go to group 1; all 7 cells of (1, 1) become class 1, where 9e9 was asked
    np.testing.assert_array_equal(found.land_use[:4, :6], prior[:4, :6])
    assert (found.land_use[4:11, 6] == 1).all()
    np.testing.assert_array_equal(found.unmet, [[0, 0], [1, 1]])
    np.testing.assert_array_equal(
        found.missed, [[0, 10**10], [9 * 10**9 - int(AREA[4:11].sum()), 0]]
    )


@settings(max_examples=6)
@given(SEEDS, st.sampled_from([1, -1]))
def test_cumulative_change_is_met_within_one_cell_after_many_years(seed, direction):
    rng = np.random.default_rng(seed)
    prior = rng.integers(1, 5, (16, 17)).astype(np.uint8)
    whole = coarse_area(AREA, ROW, COL, SHAPE)
    shares = np.stack([group_area(prior, LOOSE)[g] / whole for g in range(2)])
    years = [shares + 0.002]
    for _ in range(50):
        # a drift of .0015 a year, .05 to .2 of a fine cell, out and back, with noise
        sign = 1 if len(years) < 30 else -1
        years.append(years[-1] + sign * 0.0015 * rng.random((2, *SHAPE)))
    years = years[::direction]
    rule = replace(LOOSE, movable=MOVABLE | (np.eye(K)[[1]].T @ np.eye(K)[[2]] > 0))
    debt, land_use, asked_ever, done_ever = np.zeros((4, 2, *SHAPE), np.int64)
    land_use = prior
    for then, now in zip(years, years[1:], strict=False):
        asked = asked_area(then, now, np.eye(2), whole)
        odds = rng.normal(0, 1, (K, 16, 17)).astype(np.float32)
        found = run(odds, land_use, debt + asked, rule)
        debt = owed(debt, asked, found.realised)
        asked_ever, done_ever = asked_ever + asked, done_ever + found.realised
        land_use = found.land_use
    np.testing.assert_array_equal(debt, asked_ever - done_ever)
    np.testing.assert_array_equal(done_ever, group_area(land_use, rule) - group_area(prior, rule))
    np.testing.assert_array_equal(asked_ever, asked_area(years[0], years[-1], np.eye(2), whole))
    able = (group_area(prior, rule) > 3 * CELL).all(axis=0)
    assert (np.abs(debt) <= CELL)[:, able].all()


def test_a_constant_forcing_changes_nothing_in_fifty_years():
    odds, prior, _ = draw(6, EXACT)
    shares = np.full((G, *SHAPE), 0.3)
    debt, land_use = np.zeros((G, *SHAPE), np.int64), prior
    for _ in range(50):
        asked = asked_area(shares, shares, np.eye(G), coarse_area(AREA, ROW, COL, SHAPE))
        found = run(odds, land_use, debt + asked, EXACT)
        debt, land_use = owed(debt, asked, found.realised), found.land_use
    np.testing.assert_array_equal(land_use, prior)
    assert not debt.any()


def test_soft_quotas_repay_within_ten_years():
    prior = np.full((16, 17), 4, np.uint8)
    odds = np.zeros((K, 16, 17), np.float32)
    odds[4] = 9
    rule = replace(LOOSE, mode="soft", price=0.001)
    asked = np.zeros((11, 2, *SHAPE), np.int64)
    asked[0, 0] = np.rint(3.2 * CELL)
    debt, age = np.zeros((2, *SHAPE), np.int64), np.zeros((2, *SHAPE), np.uint8)
    owing = []
    for year in range(11):
        found = run(odds, prior, debt + asked[year], rule, age=age)
        after = owed(debt, asked[year], found.realised)
        age, debt, prior = older(age, debt, after, CELL), after, found.land_use
        owing.append(np.abs(debt / CELL).max())
    assert min(owing[:5]) > 1 and owing[10] <= 1


def test_a_dearer_miss_misses_less():
    odds, prior, quota = draw(8, LOOSE, cells=2)
    odds += 6 * (prior == np.arange(K)[:, None, None])
    totals = []
    for price in (0.0, 0.3, 1.0, 4.0):
        found = run(odds, prior, quota, replace(LOOSE, mode="soft", price=price))
        totals.append(int(np.abs(quota - found.realised).sum()))
    assert totals == sorted(totals, reverse=True) and totals[0] > 1.5 * totals[-1]


def test_unequal_cells_meet_the_area_and_not_only_the_number():
    area = np.rint(1e9 * np.linspace(1, 1.1, 40)).astype(np.int64)[:, None]
    prior = np.full((40, 40), 4, np.uint8)
    odds = np.zeros((K, 40, 40), np.float32)
    odds[1] = np.linspace(3, -3, 40)[:, None]
    quota = np.array([700 * 10**9, 0])[:, None, None]
    zero = np.zeros(40, int)
    found = allocate(odds, prior, quota, area, zero, zero, (1, 1), LOOSE)
    assert abs(int(found.realised[0, 0, 0]) - 700 * 10**9) <= area.mean()
    # the smallest cells are the likeliest: the mean area's number of them would miss by 10 cells
    assert (found.land_use == 1).sum() > 700 * 10**9 / area.mean() + 10


@settings(max_examples=15)
@given(SEEDS, RULES, st.sampled_from(["exact", "soft", "none"]), st.sampled_from([0.0, 0.3]))
def test_with_equal_weights_the_maps_before_do_not_matter(seed, rule, mode, masked):
    rule = replace(rule, mode=mode, new_weight=rule.stay_weight)
    odds, prior, quota = draw(seed, rule, masked)
    plain = run(odds, prior, quota, rule).land_use
    found = run(odds, prior, quota, rule, recent=maps_before(seed)).land_use
    np.testing.assert_array_equal(found, plain)


@settings(max_examples=15)
@given(SEEDS, RULES, st.sampled_from([0.0, 0.3]))
def test_without_maps_before_every_move_is_new(seed, rule, masked):
    odds, prior, quota = draw(seed, rule, masked)
    found = run(odds, prior, quota, rule).land_use
    for recent in (maps_before(seed, 0), np.full((3, *prior.shape), 255, np.uint8)):
        same = run(odds, prior, quota, rule, recent=recent).land_use
        np.testing.assert_array_equal(found, same)
    one = replace(rule, stay_weight=rule.new_weight)
    np.testing.assert_array_equal(found, run(odds, prior, quota, one).land_use)


def test_only_the_last_three_maps_make_a_return():
    rule = replace(LOOSE, mode="soft", stay_weight=1.0, new_weight=0.2)
    odds, prior, quota = draw(3, rule)
    recent = maps_before(3, 5)
    found = run(odds, prior, quota, rule, recent=recent).land_use
    np.testing.assert_array_equal(run(odds, prior, quota, rule, recent=recent[:3]).land_use, found)
    assert (run(odds, prior, quota, rule, recent=recent[:2]).land_use != found).any()
    assert (run(odds, prior, quota, rule, recent=recent[2:]).land_use != found).any()


@pytest.mark.parametrize(("new_weight", "returns"), [(1.0, 6), (0.0, 0)])
def test_a_smaller_new_weight_lets_new_changes_come_before_returns(new_weight, returns):
    """Cells of every other column once were of class 1 and are likelier to be so again."""
    prior = np.full((16, 17), 4, np.uint8)
    recent = np.full((3, 16, 17), 4, np.uint8)
    recent[1, :, ::2] = 1
    odds = np.full((K, 16, 17), -9, np.float32)
    odds[4], odds[1, :, ::2], odds[1, :, 1::2] = 0, 0.4, -0.8
    quota = np.zeros((2, *SHAPE), np.int64)
    quota[0, 0, 0] = np.rint(6 * CELL[0, 0])
    rule = replace(LOOSE, stay_weight=1.0, new_weight=new_weight)
    moved = run(odds, prior, quota, rule, recent=recent).land_use != prior
    assert moved.sum() == 6 and moved[:, ::2].sum() == returns


@pytest.mark.parametrize("shape", [(3, 16, 18), (16, 17), (3, 1, 16, 17), (3, 17, 16)])
def test_maps_before_that_do_not_fit_are_refused(shape):
    odds, prior, quota = draw(1, EXACT)
    words = re.escape(f"maps before the prior of {shape}, expected (h, 16, 17)")
    with pytest.raises(InputError, match=words):
        run(odds, prior, quota, EXACT, recent=np.zeros(shape, np.uint8))


def test_ages_that_do_not_fit_are_refused():
    odds, prior, quota = draw(1, EXACT)
    with pytest.raises(InputError, match=r"ages of \(1, 2\) for quotas of \(3, 3, 4\)"):
        run(odds, prior, quota, EXACT, age=np.zeros((1, 2), np.uint8))
