"""Samples: each a function of its number, masked from nothing to all, turned as one."""

import dataclasses

import numpy as np
import pytest

from landstep.emulator.classes import MASKED
from landstep.emulator.errors import ConfigError
from landstep.training.config import SamplesTable
from landstep.training.samples import Samples, collate, mask_blocks, turn

PAIRS = [(2000, 2001), (2003, 2004), (2000, 2004)]
TABLE = SamplesTable(patch=24, batch=2, blocks=[4, 8])


@pytest.fixture
def samples(region):
    """Give samples of the made-up region, none masked or turned away from its place."""
    return Samples([region], PAIRS, TABLE, seed=3, history=2)


def equal(first, second):
    """Say whether two samples hold the same arrays."""
    return first.keys() == second.keys() and all(
        np.array_equal(first[name], second[name]) for name in first
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
    sample = samples.cut(region, (2000, 2004), region.maps[2000], history, 9, 11)
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
        found = sorted({np.abs(drawn.draw(n)["forcing_change"]).max() for n in range(8)})
        largest = np.abs(region.forcing[since, 2004][1]).max()
        assert found[-1] == pytest.approx(largest, rel=0.5) and found[-1] <= largest


def test_what_a_masked_sample_holds_is_counted_on_the_masked_map(region):
    table = TABLE.model_copy(update={"unmasked": 0.0})
    samples = Samples([region], PAIRS, table, seed=2, history=2)
    held = np.array([samples.draw(n)["prior_shares"].sum(axis=1).max() for n in range(40)])
    assert held.max() > 0.9 and held.min() < 0.5


def test_lags_are_drawn_equally_often_and_patches_with_change_more_often(region):
    maps = dict(region.maps)
    maps[2001] = maps[2000].copy()
    maps[2001][:20, 40:60] = 2
    changed = dataclasses.replace(region, maps=maps)
    samples = Samples(
        [changed], [(2000, 2001), (2000, 2004), (2001, 2004)], TABLE, seed=0, history=2
    )
    probability = np.diff(samples.cumulative, prepend=0)
    lags = samples.places[:, 2] - samples.places[:, 1]
    for lag in (1, 3, 4):
        assert probability[lags == lag].sum() == pytest.approx(1 / 3)
    of_year = samples.places[:, 2] == 2001
    places = samples.places[of_year]
    by_place = dict(zip(map(tuple, places[:, 3:]), probability[of_year], strict=True))
    assert by_place[0, 36] > 3 * by_place[20, 0]


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
        prior = samples.draw(number)["prior"]
        shares.append((prior[prior != 0] == MASKED).mean())
    shares = np.array(shares)
    assert (shares == 0).mean() == pytest.approx(0.25, abs=0.1)
    counts, _ = np.histogram(shares[shares > 0], bins=4, range=(0, 1))
    assert counts.min() > 0.12 * counts.sum()
    assert shares.max() > 0.98


def test_masking_leaves_the_outside_known_and_the_given_map_alone():
    rng = np.random.default_rng(0)
    prior = rng.integers(0, 8, (40, 40)).astype(np.uint8)
    before = prior.copy()
    for _ in range(20):
        masked = mask_blocks(prior, [8], rng)
        hidden = masked == MASKED
        assert np.array_equal(masked[~hidden], prior[~hidden])
        assert not (hidden & (prior == 0)).any()
    assert np.array_equal(prior, before)


def test_masked_blocks_are_squares_of_the_size():
    rng = np.random.default_rng(2)
    hidden = mask_blocks(np.full((64, 64), 4, np.uint8), [8], rng) == MASKED
    assert 0 < hidden.mean() < 1
    edges = np.flatnonzero((hidden[1:] != hidden[:-1]).any(1)) + 1
    assert len(set(edges % 8)) == 1


@pytest.mark.parametrize("way", range(8))
def test_a_turned_sample_moves_everything_alike(region, samples, way):
    history = region.history(2000, -1, 2)
    sample = samples.cut(region, (2000, 2004), region.maps[2000], history, 9, 11)
    turned = turn(sample, way)
    field = sample["prior"].astype(float)
    field = field.swapaxes(1, 2) if way & 4 else field
    field = field[:, ::-1] if way & 1 else field
    field = field[:, :, ::-1] if way & 2 else field
    assert np.array_equal(turned["prior"], field)
    then = sample["history"].swapaxes(2, 3) if way & 4 else sample["history"]
    then = then[:, :, ::-1] if way & 1 else then
    assert np.array_equal(turned["history"], then[:, :, :, ::-1] if way & 2 else then)
    painted = [
        1000 * s["forcing"][0][:, s["row"]][:, :, s["col"]] + s["prior"][0]
        for s in (sample, turned)
    ]
    # the same cells, wherever they went: pairs of painted forcing and class are kept
    assert np.array_equal(np.sort(painted[0], axis=None), np.sort(painted[1], axis=None))
    assert (way == 0) == equal(sample, turned)


def test_a_batch_keeps_each_sample(region, samples):
    drawn = [samples.draw(number) for number in range(12)]
    batch = collate(drawn)
    assert len({s["forcing"].shape for s in drawn}) > 1
    for n, sample in enumerate(drawn):
        assert np.array_equal(batch["prior"][n], sample["prior"][0])
        painted = batch["forcing"][n][:, batch["row"][n]][:, :, batch["col"][n]]
        assert np.array_equal(painted, sample["forcing"][0][:, sample["row"]][:, :, sample["col"]])


@pytest.mark.parametrize(("pair", "there"), [((2003, 2004), (2002, 2001)), ((2003, 2001), (2004,))])
def test_history_runs_the_way_of_the_pair_within_the_years_learned(region, pair, there):
    """Years 2001 to 2004 are learned from; a map of 2005 is there and not looked at."""
    table = TABLE.model_copy(update={"unmasked": 1.0, "stale": 0.0})
    samples = Samples([region], [pair, (2001, 2004), (2004, 2001)], table, seed=2, history=2)
    samples.places = samples.places[(samples.places[:, 1:3] == pair).all(axis=1)]
    marked = {year: np.full_like(field, year - 2000) for year, field in region.maps.items()}
    samples.regions = [dataclasses.replace(region, maps=marked)]
    expected = [year - 2000 for year in there] + [MASKED] * (2 - len(there))
    for number in range(6):
        sample = samples.draw(number)
        assert sample["years"].tolist() == [pair[1] - pair[0]]
        assert [np.unique(field).tolist() for field in sample["history"][0]] == [
            [value] for value in expected
        ]


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
        sample = samples.draw(number)
        hidden = sample["prior"][0] == MASKED
        history = sample["history"][0]
        assert (history[:, hidden] == MASKED).all()
        absent = (history == MASKED).all(axis=(1, 2))
        seen.add(tuple(absent.tolist()))
        assert (history[~absent][:, ~hidden] != MASKED).all()
    assert (False, False) in seen and (True, True) in seen
