"""The yearly process of the made-up world, against brute force and cases laid out by hand."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from landstep.data.first_map import first_map
from landstep.data.process import Process, RandomPlaces, _best
from landstep.data.suitability import forest_codes, suitability
from landstep.data.terrain import Terrain, axes, generator, make_terrain, noise, period_index
from landstep.data.world_forcing import make_forcing

URBAN, CROPLAND, PASTURE, FOREST, GRASS = 1, 2, 3, 4, 5


def plain(shape=(60, 60), *, globe=False):
    """A flat temperate plain of medium soil without sea or lakes."""
    lat, lon = axes(shape, False)
    nothing = np.zeros(shape, bool)
    return Terrain(
        lat_deg=lat,
        lon_deg=lon,
        globe=globe,
        ocean=nothing,
        water=nothing,
        elevation=np.full(shape, 50.0, np.float32),
        slope=np.zeros(shape, np.float32),
        soil=np.full(shape, 2, np.uint8),
        zones=np.full((4, *shape), 3, np.uint8),
        warmth=np.full((shape[0] // 30, shape[1] // 30), 0.5),
        moisture=np.zeros((shape[0] // 30, shape[1] // 30)),
    )


def counts_of(land):
    """Cells of urban, cropland and pasture in each block of 30 x 30: (3, cy, cx)."""
    cy, cx = (n // 30 for n in land.shape)
    return np.array(
        [
            [
                [(land[30 * i : 30 * i + 30, 30 * j : 30 * j + 30] == k).sum() for j in range(cx)]
                for i in range(cy)
            ]
            for k in (URBAN, CROPLAND, PASTURE)
        ]
    )


@pytest.mark.parametrize("globe", [False, True])
def test_neighbourhood_equals_brute_force(globe):
    land = generator(1, "test").integers(0, 3, (60, 90)).astype(np.uint8)
    found = Process(plain((60, 90), globe=globe), 1).neighbourhood(land, 2)
    for y, x in [(0, 0), (0, 89), (59, 1), (30, 45), (2, 88), (58, 0)]:
        near = 0
        for j in range(y - 2, y + 3):
            for i in range(x - 2, x + 3):
                inside = 0 <= j < 60 and (globe or 0 <= i < 90)
                near += bool(inside and land[j, i % 90] == 2)
        assert found[y, x] == near


@given(
    arrays(np.float32, (4, 11), elements=st.sampled_from([-np.inf, -2, -0.5, 0, 0.25, 3])),
    arrays(np.int64, 4, elements=st.integers(1, 11)),
)
def test_the_best_cells_are_those_that_sorting_finds(score, n_cells):
    rows, found = _best(score, n_cells)
    for row in range(4):
        allowed = [c for c in range(11) if np.isfinite(score[row, c])]
        ranked = sorted(allowed, key=lambda c: (score[row, c], c), reverse=True)
        assert set(found[rows == row]) == set(ranked[: n_cells[row]])


def test_a_town_grows_at_its_edge_and_takes_cropland_before_forest():
    land = np.full((60, 60), FOREST, np.uint8)
    land[10:13, 10:13] = URBAN
    land[10, 13] = CROPLAND
    counts = counts_of(land)
    counts[0, 0, 0] += 1
    counts[1, 0, 0] -= 1
    new = Process(plain(), 0).step(land, 1990, counts, None)
    assert np.argwhere(new != land).tolist() == [[10, 13]] and new[10, 13] == URBAN


def test_abandoned_cropland_becomes_grass_and_the_year_after_forest_among_trees():
    land = np.full((60, 60), FOREST, np.uint8)
    land[40, 40] = CROPLAND
    process, none = Process(plain(), 0), np.zeros((3, 2, 2), np.int64)
    first = process.step(land, 1990, none, None)
    second = process.step(first, 1991, none, None)
    assert first[40, 40] == GRASS and (first == FOREST).sum() == 3599
    assert (second == FOREST).all()


def test_grass_far_from_forest_stays_grass():
    land = np.full((60, 60), GRASS, np.uint8)
    new = Process(plain(), 0).step(land, 1990, np.zeros((3, 2, 2), np.int64), 5)
    assert np.array_equal(new, land)


def test_cells_are_lost_where_they_fit_least():
    land = np.full((60, 60), GRASS, np.uint8)
    land[5:10, 5:10] = CROPLAND
    land[25, 25] = CROPLAND  # alone: the smallest share of cropland around it
    counts = counts_of(land)
    counts[1, 0, 0] -= 1
    new = Process(plain(), 0).step(land, 1990, counts, None)
    assert np.argwhere(new != land).tolist() == [[25, 25]]


def test_a_steep_cell_is_taken_last():
    slope = np.zeros((60, 60), np.float32)
    slope[:30, 1:30] = 100.0
    ground = replace(plain(), slope=slope)
    land = np.full((60, 60), GRASS, np.uint8)
    counts = np.zeros((3, 2, 2), np.int64)
    counts[1, 0, 0] = 30
    new = Process(ground, 0).step(land, 1990, counts, None)
    assert (new[:30, 0] == CROPLAND).all() and (new == CROPLAND).sum() == 30


def test_a_step_is_its_arguments_alone():
    terrain = make_terrain(2, (60, 90))
    process = Process(terrain, 2)
    land = first_map(process)
    counts = make_forcing(2, terrain, land, process.suitability(1970)).counts(2005)
    before = land.copy()
    once = process.step(land, 2005, counts, 8)
    process.step(once, 2070, counts, 9)
    assert np.array_equal(process.step(land, 2005, counts, 8), once)
    assert np.array_equal(land, before)
    assert not np.array_equal(process.step(land, 2005, counts, 9), once)


def test_random_places_meet_the_same_quantities_and_nothing_else_moves():
    terrain = make_terrain(2, (60, 90))
    process = RandomPlaces(terrain, 2)
    land = first_map(process)
    forcing = make_forcing(2, terrain, land, process.suitability(1970))
    new = process.step(land, 2000, forcing.counts(2000), 4)
    assert np.array_equal(counts_of(new), forcing.counts(2000))
    assert not ((land == GRASS) & (new == FOREST)).any()


def test_suitability_of_a_cell_by_hand():
    # temperate (zone 3), medium soil (2), 50 m, flat: base + soil + zone + no ramp
    found = suitability(plain(), 0)[:, 0, 0]
    expected = [0, 0.80 + 0.05 + 0.15, 0.85 + 0.10 + 0.25, 0.65 + 0.05 + 0.05, 0.50 + 0.10 + 0.25,
                0.45, 0, 0]  # fmt: skip
    assert found == pytest.approx(expected, abs=1e-6)
    # half way up cropland's ramp 250..1500 m of weight -0.9, at slope 44 of 8..80, weight -1.1
    high = replace(
        plain(),
        elevation=np.full((60, 60), 875.0, np.float32),
        slope=np.full((60, 60), 44.0, np.float32),
    )
    assert suitability(high, 0)[2, 0, 0] == pytest.approx(1.20 - 0.45 - 0.55, abs=1e-6)


def test_forest_types_by_hand():
    zone = np.array([1, 2, 3, 3, 3, 4, 4, 5, 5], np.uint8)
    metres = np.array([100, 100, 399.9, 400, 900, 500, 901, 899, 2000], np.float32)
    assert forest_codes(zone, metres).tolist() == [43, 41, 44, 45, 41, 40, 45, 42, 45]


def test_years_lie_in_their_climate_period():
    assert [period_index(y) for y in (1950, 1990, 1991, 2020, 2021, 2060, 2061, 2100)] == [
        0, 0, 1, 1, 2, 2, 3, 3,
    ]  # fmt: skip


def test_noise_is_standard_and_periodic_and_keyed_by_its_purpose():
    field = noise(1, "a", (90, 120), 20.0, 2.0)
    assert field.mean() == pytest.approx(0, abs=1e-12)
    assert field.std() == pytest.approx(1)
    seam, inside = np.abs(field[:, 0] - field[:, -1]).mean(), np.abs(np.diff(field)).mean()
    assert seam < 2 * inside
    assert not np.array_equal(field, noise(1, "b", (90, 120), 20.0, 2.0))
    assert generator(1, "a", 5).random() == generator(1, "a", 5).random()
    assert generator(1, "a", 5).random() != generator(1, "a", 6).random()


@pytest.mark.parametrize(("seed", "shape", "globe"), [(0, (60, 60), 0), (9, (90, 180), 1)])
def test_forcing_asks_for_no_more_than_there_is(seed, shape, globe):
    terrain = make_terrain(seed, shape, globe=bool(globe))
    process = Process(terrain, seed)
    land = first_map(process)
    forcing = make_forcing(seed, terrain, land, process.suitability(1970))
    free = counts_of(np.where(terrain.ocean | terrain.water | process.other, 0, 1))[0]
    for year in (1970, 2000, 2050, 2100):
        asked = forcing.counts(year)
        assert (asked >= 0).all() and (asked.sum(axis=0) <= free).all()
    for year in range(1971, 1981):
        land = process.step(land, year, forcing.counts(year), seed)
        assert np.array_equal(counts_of(land), forcing.counts(year))
