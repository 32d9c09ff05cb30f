"""Nearest centres and elevation weights, against searches and sums done by hand."""

from __future__ import annotations

import numpy as np
import pytest

from landstep.data.lattice import Lattice
from landstep.data.product_grid import Region, lat_centres, lon_centres
from landstep.data.resample import col_weights, nearest_cols, nearest_rows, row_weights
from landstep.emulator.errors import ConfigError, InputError

from .made_up_sources import centres

V1 = 0.00998837  # degrees a cell of HILDA+ v1, which does not divide 360


def lattice(lat, lon):
    return Lattice.of_axes(np.asarray(lat), np.asarray(lon), "file.nc")


def arc(a, b):
    """Degrees between longitudes, the short way round."""
    return np.abs((a - b + 180) % 360 - 180)


@pytest.mark.parametrize(
    ("ny", "nx"), [(18000, 36000), (1801, 3600), (720, 1440), (86400 // 4, 43200), (37, 73)]
)
def test_the_nearest_centre_is_that_of_a_search_through_all(ny, nx):
    draw = np.random.default_rng(ny)
    rows = np.sort(draw.choice(21600, 101, replace=False))
    cols = np.concatenate([[0, 43199], np.sort(draw.choice(43200, 57, replace=False))])
    source = lattice(centres(90, -90, ny), centres(-180, 180, nx))
    lat, lon = lat_centres(rows), lon_centres(cols)
    found = nearest_rows(source, lat)
    best = np.abs(source.lat_deg[:, None] - lat).min(axis=0)
    assert np.allclose(np.abs(source.lat_deg[found] - lat), best, rtol=0, atol=1e-12)
    found = nearest_cols(source, lon)
    best = np.array([arc(source.lon_deg, place).min() for place in lon])
    assert np.allclose(arc(source.lon_deg[found], lon), best, rtol=0, atol=1e-9)


def test_cells_that_do_not_divide_the_globe_meet_at_the_date_line():
    lon = -180 + V1 * (np.arange(36042) + 0.5)
    source = lattice(90 - V1 * (np.arange(18021) + 0.5), lon)
    edge = lon_centres(np.array([0, 1, 43197, 43198, 43199]))
    found = nearest_cols(source, edge)
    assert found.tolist() == [int(arc(lon, place).argmin()) for place in edge]
    assert all(held.all() for held in source.holds(lat_centres(np.array([0, 21599])), edge))


def test_halfway_between_centres_the_northern_and_the_western_one_are_taken():
    source = lattice([10.0, 9.0, 8.0], [1.0, 2.0, 3.0])
    assert nearest_rows(source, np.array([9.5, 8.5])).tolist() == [0, 1]
    assert nearest_cols(source, np.array([1.5, 2.5])).tolist() == [0, 1]
    south_first = lattice([8.0, 9.0, 10.0], [1.0, 2.0, 3.0])
    assert nearest_rows(south_first, np.array([9.5, 8.5])).tolist() == [0, 1]


def test_between_larger_cells_an_inclined_plane_stays_one():
    source = lattice(centres(48, 40, 11), centres(-3, 5, 13))
    lat, lon = centres(47, 41, 71), centres(-2.5, 4.5, 83)
    plane = 2 * source.lat_deg[:, None] - 3 * source.lon_deg
    there = row_weights(source, lat, 1 / 120) @ plane @ col_weights(source, lon, 1 / 120).T
    assert np.allclose(there, 2 * lat[:, None] - 3 * lon, rtol=0, atol=1e-4)


def test_beyond_the_last_centre_its_value_holds_but_round_the_globe_it_does_not():
    region = lattice(centres(48, 40, 8), centres(-3, 5, 8))
    assert row_weights(region, np.array([47.9]), 1 / 120).toarray()[0].tolist() == [1] + [0] * 7
    globe = lattice(centres(90, -90, 18), centres(-180, 180, 36))
    across = col_weights(globe, np.array([-180.0, 178.0]), 1 / 120).toarray()
    assert np.allclose(across[:, [0, 34, 35]], [[0.5, 0, 0.5], [0.3, 0, 0.7]], atol=1e-6)


def test_smaller_cells_are_averaged_by_area():
    """Target 60.0 to 60.5 north, 0 to 0.5 east; cells of 0.2 degrees, by hand."""
    source = lattice(centres(61, 59.4, 8), centres(-0.4, 1, 7))
    down = row_weights(source, np.array([60.25]), 0.5).toarray()[0]
    edges = np.sin(np.deg2rad([60.5, 60.4, 60.2, 60.0]))
    expected = (edges[:-1] - edges[1:]) / (edges[0] - edges[-1])
    assert np.allclose(down, [0, 0, *expected, 0, 0, 0], atol=1e-6)
    assert expected[0] < 0.2  # the row nearer to the pole is smaller
    right = col_weights(source, np.array([0.25]), 0.5).toarray()[0]
    assert np.allclose(right, [0, 0, 0.4, 0.4, 0.2, 0, 0], atol=1e-6)


def test_averages_go_round_the_globe():
    source = lattice(centres(90, -90, 720), np.arange(1440) / 4)  # a centre on 180 degrees
    weights = col_weights(source, np.array([179.9, -179.9]), 0.5).toarray()
    places = {round(float(lon), 2): n for n, lon in enumerate(source.lon_deg)}
    at = [places[lon] for lon in (179.5, 179.75, -180.0, -179.75, -179.5)]
    assert np.allclose(weights[0, at], [0, 0.45, 0.5, 0.05, 0], atol=1e-6)
    assert np.allclose(weights[1, at], [0, 0.05, 0.5, 0.45, 0], atol=1e-6)


@pytest.mark.parametrize("ny", [7, 90, 432, 1801])
def test_weights_of_every_cell_sum_to_one(ny):
    source = lattice(np.linspace(90, -90, ny), centres(0, 360, 2 * ny + 1))
    for weights in (
        row_weights(source, centres(90, -90, 181), 180 / 181),
        col_weights(source, centres(-180, 180, 367), 360 / 367),
    ):
        assert np.allclose(weights.sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize(
    ("lat", "lon", "words"),
    [
        ([91.0, 90.0], [0.0, 1.0], "latitude reaches 91, beyond a pole"),
        ([2.0, 1.0, 1.5], [0.0, 1.0], "latitude runs neither up nor down"),
        ([5.0, 4.0, 3.0, 1.0], [0.0, 1.0], "latitude has a hole between 3 and 1"),
        ([2.0], [0.0, 1.0], r"latitude is \(1,\), expected at least 2"),
        ([2.0, np.nan], [0.0, 1.0], "latitude is"),
        ([2.0, 1.0], [0.0, 1.0, 1.0], "longitude runs neither up nor down"),
    ],
)
def test_axes_that_are_no_lattice_are_refused(lat, lon, words):
    with pytest.raises(InputError, match=rf"file\.nc: {words}"):
        lattice(lat, lon)


def test_a_gaussian_grid_is_a_lattice():
    gaussian = np.rad2deg(np.arcsin(np.polynomial.legendre.leggauss(64)[0]))  # south first
    source = lattice(gaussian, centres(0, 360, 128))
    assert source.south_first and source.wraps and source.lat_deg[0] > 87


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", (0, 21600, 0, 43200)),
        ("-90:90,-180:180", (0, 21600, 0, 43200)),
        ("36:44,-10:4", (5520, 6480, 20400, 22080)),
        ("36.1:43.9, -9.9:3.8", (5520, 6480, 20400, 22080)),
        ("-1:-0.26,0.1:0.2", (10830, 10920, 21600, 21630)),
    ],
)
def test_a_region_grows_to_whole_coarse_cells(text, expected):
    region = Region.parse(text)
    assert (region.top, region.bottom, region.left, region.right) == expected


@pytest.mark.parametrize(
    "text", ["1:2", "1:2,3", "a:b,c:d", "2:1,3:4", "1:2,4:3", "-91:2,3:4", "1:2,170:190"]
)
def test_what_is_no_region_is_refused(text):
    with pytest.raises(ConfigError, match="region "):
        Region.parse(text)


def test_the_cells_of_a_region_are_those_of_the_globe():
    grid, globe = Region.parse("36:44,-10:4").grid(), Region()
    assert np.array_equal(grid.lat_deg[[0, -1]], lat_centres(np.array([5520, 6479])))
    assert grid.lat_edges()[[0, -1]] == pytest.approx([44, 36], abs=1e-9)
    assert grid.lon_edges()[[0, -1]] == pytest.approx([-10, 4], abs=1e-9)
    strips = Region.parse("36:44,-10:4").strips(240)
    assert [strip[0] for strip in strips] == [5520, 5760, 6000, 6240]
    assert np.array_equal(np.concatenate(globe.strips(240)), np.arange(21600))
