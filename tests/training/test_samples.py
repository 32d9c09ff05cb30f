"""Samples: each a function of its number, masked from nothing to all, turned as one."""

import dataclasses

import numpy as np
import pytest

from landstep.emulator.classes import MASKED
from landstep.emulator.errors import ConfigError
from landstep.training.config import SamplesTable
from landstep.training.samples import Samples

PAIRS = [(2000, 2001), (2003, 2004), (2000, 2004)]
TABLE = SamplesTable(patch=24, batch=2, blocks=[4, 8], rollout=0.0)


@pytest.fixture
def samples(region):
    """Give samples of the made-up region, none masked or turned away from its place."""
    return Samples([region], PAIRS, TABLE, seed=3, history=2)


def equal(first, second):
    """Say whether two samples hold the same arrays, step for step."""
    return len(first) == len(second) and all(
        one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)
        for one, other in zip(first, second, strict=True)
    )


def test_a_sample_is_a_function_of_seed_and_number(region, samples):
    later = Samples([region], PAIRS, TABLE, seed=3, history=2).span(10, 30)
    assert len(later) == 20
    assert equal(later[7], samples.draw(17))
    assert equal(later[7], later[7])
    assert not equal(later[7], later[8])
    assert not equal(samples.draw(17), Samples([region], PAIRS, TABLE, seed=4, history=2).draw(17))
    with pytest.raises(IndexError):
        later[20]


def test_a_sample_is_a_patch_of_the_maps_of_its_years(region, samples):
    history = region.history(2000, -1, 2)
    sample = samples.cut(0, (2000, 2004), region.maps[2000], history, 9, 11)
    rows, cols = slice(9, 33), slice(11, 35)
    assert np.array_equal(sample["prior"][0], region.maps[2000][rows, cols])
    assert np.array_equal(sample["target"][0], region.maps[2004][rows, cols])
    for number, year in enumerate((2001, 2002)):
        assert np.array_equal(sample["history"][0, number], region.maps[year][rows, cols])
    assert sample["years"].tolist() == [4] and sample["years"].dtype == np.float32
    assert np.array_equal(sample["continuous"][0], region.continuous[:, rows, cols])
    painted = sample["forcing"][0][:, sample["row"]][:, :, sample["col"]]
    whole = region.forcing[2000, 2004][0][:, region.row][:, :, region.col]
    assert np.array_equal(painted, whole[:, rows, cols])
    painted = sample["forcing_change"][0][:, sample["row"]][:, :, sample["col"]]
    whole = region.forcing[2000, 2004][1][:, region.row][:, :, region.col]
    assert np.array_equal(painted, whole[:, rows, cols])


def test_a_stale_sample_sees_the_last_years_change_and_an_older_map(region):
    for share, since in ((1.0, 2003), (0.0, 2000)):
        table = TABLE.model_copy(update={"stale": share, "unmasked": 1.0})
        drawn = Samples([region], [(2000, 2004)], table, seed=1, history=2)
        found = sorted({np.abs(drawn.draw(n)[-1]["forcing_change"]).max() for n in range(8)})
        largest = np.abs(region.forcing[since, 2004][1]).max()
        assert found[-1] == pytest.approx(largest, rel=0.5) and found[-1] <= largest


def test_what_a_masked_sample_holds_is_counted_on_the_masked_map(region):
    table = TABLE.model_copy(update={"unmasked": 0.0})
    samples = Samples([region], PAIRS, table, seed=2, history=2)
    held = np.array([samples.draw(n)[-1]["prior_shares"].sum(axis=1).max() for n in range(40)])
    assert held.max() > 0.9 and held.min() < 0.5


def test_lags_are_drawn_equally_often_and_patches_by_their_land(region):
    """Whether or not it changes. Ocean lies west of column 5, and here in a corner, too."""
    maps = {year: m.copy() for year, m in region.maps.items()}
    for land_use in maps.values():
        land_use[:20, 40:] = 0
    changed = [dataclasses.replace(region, maps=maps)]
    pairs = [(2000, 2001), (2002, 2003), (2000, 2004), (2001, 2004)]
    samples = Samples(changed, pairs, TABLE, seed=0, history=2)
    probability = np.diff(samples.cumulative, prepend=0)
    lags = samples.places[:, 2] - samples.places[:, 1]
    for lag in (1, 3, 4):
        assert probability[lags == lag].sum() == pytest.approx(1 / 3)
    land = np.array(
        [(maps[2000][y : y + 24, x : x + 24] != 0).sum() for y, x in samples.places[:, 3:]]
    )
    for lag in (1, 3, 4):
        expected = land[lags == lag] / land[lags == lag].sum() / 3
        np.testing.assert_allclose(probability[lags == lag], expected, rtol=1e-9)
    assert land.min() < 0.4 * land.max()


def test_patches_without_land_are_left_out(region):
    maps = {year: np.where(np.arange(60) < 30, 0, m) for year, m in region.maps.items()}
    table = TABLE.model_copy(update={"smallest_land": 0.5})
    samples = Samples([dataclasses.replace(region, maps=maps)], PAIRS, table, seed=0, history=2)
    assert samples.places[:, 4].min() == 24


@pytest.mark.parametrize(
    ("change", "words"),
    [({"patch": 48}, "samples.patch is 48"), ({"smallest_land": 1.0}, "no patch of 24 cells")],
)
def test_patches_that_cannot_be_are_refused(region, change, words):
    maps = {year: np.where(np.arange(60) % 20 == 0, 0, m) for year, m in region.maps.items()}
    with pytest.raises(ConfigError, match=words):
        Samples(
            [dataclasses.replace(region, maps=maps)],
            PAIRS,
            TABLE.model_copy(update=change),
            seed=0,
            history=2,
        )


def test_masked_shares_run_from_nothing_to_all(region):
    samples = Samples([region], PAIRS, TABLE.model_copy(update={"unmasked": 0.25}), 1, 2)
    shares = []
    for number in range(300):
        prior = samples.draw(number)[-1]["prior"]
        shares.append((prior[prior != 0] == MASKED).mean())
    shares = np.array(shares)
    assert (shares == 0).mean() == pytest.approx(0.25, abs=0.1)
    counts, _ = np.histogram(shares[shares > 0], bins=4, range=(0, 1))
    assert counts.min() > 0.12 * counts.sum()
    assert shares.max() > 0.98


def test_both_ways_in_time_are_drawn_equally_often(region):
    pairs = [(2000, 2001), (2001, 2002), (2003, 2002)]
    samples = Samples([region], pairs, TABLE, seed=0, history=1)
    probability = np.diff(samples.cumulative, prepend=0)
    for lag in (1, -1):
        chosen = samples.places[:, 2] - samples.places[:, 1] == lag
        assert probability[chosen].sum() == pytest.approx(1 / 2)


def test_what_is_masked_in_the_prior_is_masked_in_the_history(region):
    """A class kept there would give the answer away; what is known stays known."""
    table = TABLE.model_copy(update={"unmasked": 0.0})
    samples = Samples([region], [(2003, 2004), (2000, 2004)], table, seed=3, history=2)
    seen = set()
    for number in range(40):
        (sample,) = samples.draw(number)
        hidden = sample["prior"][0] == MASKED
        history = sample["history"][0]
        assert (history[:, hidden] == MASKED).all()
        absent = (history == MASKED).all(axis=(1, 2))
        seen.add(tuple(absent.tolist()))
        assert (history[~absent][:, ~hidden] != MASKED).all()
    assert (False, False) in seen and (True, True) in seen


@pytest.mark.parametrize(("pair", "there"), [((2003, 2004), (2002, 2001)), ((2003, 2001), (2004,))])
@pytest.mark.parametrize("rolled", [False, True])
def test_history_runs_the_way_of_the_pair_within_the_years_learned(region, pair, there, rolled):
    """Years 2001 to 2004 are learned from; a map of 2005 is there and not looked at."""
    update = {"unmasked": 1.0, "stale": 0.0, "rollout": float(rolled), "rollout_years": 1}
    table = TABLE.model_copy(update=update)
    marked = {year: np.full_like(field, year - 1999) for year, field in region.maps.items()}
    regions = [dataclasses.replace(region, maps=marked)]
    samples = Samples(regions, [pair, (2001, 2004), (2004, 2001)], table, seed=2, history=2)
    expected = [year - 1999 for year in there] + [MASKED] * (2 - len(there))
    drawn = [sample[-1] for sample in map(samples.draw, range(30))]
    drawn = [last for last in drawn if last["years"].tolist() == [pair[1] - pair[0]]]
    assert len(drawn) > 5
    for last in drawn:
        found = [np.unique(field).tolist() for field in last["history"][0]]
        assert found == [[value] for value in expected]


def test_maps_of_other_years_are_looked_at_where_that_is_said(region):
    """As a training does whose priors are to have maps before them."""
    table = TABLE.model_copy(update={"unmasked": 1.0})
    for years, known in ((None, [False, False]), ((2000, 2004), [True, True])):
        samples = Samples([region], [(2002, 2003)], table, 2, 2, years=years)
        (sample,) = samples.draw(0)
        assert (sample["history"][0] != MASKED).all(axis=(1, 2)).tolist() == known


def test_patches_begin_where_a_coarse_cell_does(numbered):
    """On blocks of 7: of 44 x 60 cells, patches of 24 begin at row 14 and column 35 at most, those
    of 40 in no row but the first.
    """
    for size, rows, cols in ((24, {0, 7, 14}, {0, 7, 14, 21, 28, 35}), (40, {0}, {0, 7, 14})):
        table = TABLE.model_copy(update={"patch": size})
        samples = Samples([numbered], PAIRS, table, seed=1, history=1)
        first = [int(samples.draw(number)[0]["continuous"].min()) for number in range(80)]
        assert {number // 60 for number in first} == rows
        assert {number % 60 for number in first} == cols


def test_a_patch_says_which_coarse_cells_it_sees_whole_and_what_they_are_to_have(region, samples):
    """From row 6 and column 12 on, coarse cells 0 and 1 are cut, and the last ones, too."""
    patch = samples.known(0, (2000, 2004), 6, 12)
    whole = patch["whole"][0, 0]
    assert whole.shape == (5, 5)
    for cy in range(5):
        for cx in range(5):
            rows, cols = np.flatnonzero(region.row == cy), np.flatnonzero(region.col == 1 + cx)
            inside = rows.min() >= 6 and rows.max() < 30 and cols.min() >= 12 and cols.max() < 36
            assert whole[cy, cx] == inside
    assert whole.sum() == 9
    wanted = region.wanted((2000, 2004), np.zeros(region.coarse, bool))
    assert np.array_equal(patch["wanted"][0], wanted[:, :5, 1:6])


def test_the_maps_own_edge_cuts_no_coarse_cell(region, samples):
    """The last row of coarse cells has 2 rows of fine ones, the last column 4 columns."""
    whole = samples.known(0, (2000, 2004), 20, 36)["whole"][0, 0]
    assert whole[1:, 1:].all() and not whole[0].any() and not whole[:, 0].any()


def test_shares_are_those_of_the_whole_maps(region, samples):
    patch = samples.known(0, (2003, 2004), 6, 12)
    for cy, cx in np.ndindex(5, 5):
        there = np.ix_(region.row == cy, region.col == 1 + cx)
        for k in range(8):
            expected = (region.maps[2003][there] == k).mean()
            assert patch["prior_shares"][0, k, cy, cx] == pytest.approx(expected, abs=1e-6)


def test_coarse_cells_with_masked_cells_are_to_have_the_forcings_own_shares(region, samples):
    prior = region.maps[2000].copy()
    prior[10, 20] = MASKED
    patch = samples.cut(0, (2000, 2004), prior, region.history(2000, 1, 2), 7, 14)
    unknown = np.zeros(region.coarse, bool)
    unknown[1, 2] = True
    expected = region.wanted((2000, 2004), unknown)[:, 1:5, 2:6]
    assert np.array_equal(patch["wanted"][0], expected)
    held = region.wanted((2000, 2004), np.zeros(region.coarse, bool))[:, 1:5, 2:6]
    assert (expected != held).any(axis=0).sum() == 1


def test_cells_that_are_left_out_are_seen_but_not_learned_from(numbered):
    left_out = np.random.default_rng(5).random(numbered.shape) < 0.3
    table = TABLE.model_copy(update={"rollout": 0.3, "rollout_years": 1})
    samples = Samples([numbered], PAIRS, table, 0, 2, [left_out])
    for number in range(30):
        for patch in samples.draw(number):
            there = left_out.ravel()[patch["continuous"][0, 0].astype(int)]
            assert np.array_equal(patch["target"][0] == MASKED, there)
    assert (samples.known(0, (2000, 2001), 0, 0)["prior"] != MASKED).all()


def test_patches_are_chosen_by_the_land_that_is_learned_from(region):
    """Without the western half patches begin at column 12, with half as much land there."""
    left_out = np.broadcast_to(np.arange(60) < 30, region.shape)
    samples = Samples([region], [(2000, 2001)], TABLE, 0, 2, [left_out])
    assert set(samples.places[:, 4]) == {12, 24, 36}
    probability = np.diff(samples.cumulative, prepend=0)
    for top in np.unique(samples.places[:, 3]):
        by_left = {
            place[4]: chance
            for place, chance in zip(samples.places, probability, strict=True)
            if place[3] == top
        }
        assert by_left[12] == pytest.approx(by_left[36] / 4)  # 6 columns of 24
        assert by_left[24] == pytest.approx(by_left[36] * 18 / 24)


def rolled(region, pairs, **update):
    """Give samples that all step by themselves."""
    table = TABLE.model_copy(update={"rollout": 1.0, "rollout_years": 2, **update})
    return Samples([region], pairs, table, seed=4, history=1)


@pytest.mark.parametrize("pairs", [[(2003, 2006), (2000, 2003)], [(2003, 2000), (2006, 2003)]])
def test_a_sample_that_steps_by_itself_begins_some_years_before(numbered, pairs):
    """Only the pair that has two years before it can; its yearly steps come first."""
    (before, after), samples = pairs[0], rolled(numbered, pairs)
    way = 1 if after > before else -1
    for number in range(10):
        steps = samples.draw(number)
        assert [step["years"].tolist() for step in steps] == [[way], [way], [after - before]]
        years = [(before - 2 * way, before - way), (before - way, before), (before, after)]
        for step, (prior, target) in zip(steps, years, strict=True):
            cells = step["continuous"][0, 0].astype(int)
            assert np.array_equal(step["prior"][0], numbered.maps[prior].ravel()[cells])
            assert np.array_equal(step["target"][0], numbered.maps[target].ravel()[cells])
            assert np.array_equal(step["continuous"], steps[0]["continuous"])
            place = step["row"].max() + 1, step["col"].max() + 1
            assert step["wanted"].shape[2:] == place


def test_batches_step_by_themselves_as_a_whole_and_as_often_as_asked(region):
    samples = rolled(region, [(2002, 2003), (2000, 2001)], rollout=0.3, batch=3)
    steps = np.array([len(samples.draw(number)) for number in range(600)]).reshape(200, 3)
    assert (steps == steps[:, :1]).all() and set(steps[:, 0]) == {1, 3}
    assert (steps[:, 0] == 3).mean() == pytest.approx(0.3, abs=0.1)
    assert [samples.rolls(3 * n) for n in range(200)] == (steps[:, 0] == 3).tolist()


def test_pairs_without_the_years_to_step_through_are_refused(region):
    with pytest.raises(ConfigError, match=r"samples.rollout_years 3: no pair .* in \[2000, 2004\]"):
        rolled(region, [(2000, 2004), (2002, 2003)], rollout_years=3)
    Samples([region], [(2000, 2004)], TABLE, seed=0, history=1)
