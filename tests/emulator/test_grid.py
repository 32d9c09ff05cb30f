"""Grids: areas against the sphere, coarse cells against brute force, and what is no grid."""

from math import asin, atan2, cos, hypot, pi, radians, sin

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landstep.emulator.errors import InputError
from landstep.emulator.grid import AREA_UNIT_M2, Blocks, Grid, coarse_index

R_M = 6371007.181
SPHERE_M2 = 4 * pi * R_M**2


def centres(first, step, count):
    """Count cell centres from the edge `first` on."""
    return first + step * (np.arange(count) + 0.5)


def globe(ny, dtype=np.float64):
    """Give a whole Earth of ny by 2 ny cells."""
    step = 180 / ny
    return Grid.regular(
        centres(90, -step, ny).astype(dtype), centres(-180, step, 2 * ny).astype(dtype), "globe.nc"
    )


def equal_area(lat0_deg, lon0_deg, size_m, ny, nx):
    """Give centres of a Lambert azimuthal equal-area grid on the sphere.

    Source: Snyder 1987, Map Projections, equations 20-14 to 20-18 (inverse, sphere).
    """
    lat0 = radians(lat0_deg)
    lat, lon = np.empty((ny, nx)), np.empty((ny, nx))
    for i in range(ny):
        for j in range(nx):
            x, y = size_m * (j - nx / 2 + 0.3), size_m * (ny / 2 - i + 0.1)
            rho = hypot(x, y)
            c = 2 * asin(rho / (2 * R_M))
            lat[i, j] = asin(cos(c) * sin(lat0) + y * sin(c) * cos(lat0) / rho) * 180 / pi
            lon[i, j] = lon0_deg + 180 / pi * atan2(
                x * sin(c), rho * cos(lat0) * cos(c) - y * sin(lat0) * sin(c)
            )
    return lat, lon


@pytest.mark.parametrize("ny", [3, 45, 720])
def test_areas_of_a_globe_sum_to_the_sphere(ny):
    """4 pi R^2, to a billionth."""
    grid = globe(ny)
    total = int(grid.cell_area().sum()) * grid.shape[1] * AREA_UNIT_M2
    assert abs(total / SPHERE_M2 - 1) < 1e-9
    assert grid.cell_area().dtype == np.int64 and grid.cell_area().shape == (ny, 1)


def test_area_of_a_one_degree_cell_at_the_equator():
    """By hand: R^2 (pi / 180) sin(1 degree) = 12363.71 km2, the cell from 0 to 1 degree north."""
    grid = Grid.regular(centres(2, -1, 4), centres(10, 1, 3), "f")
    assert grid.cell_area()[1, 0] * AREA_UNIT_M2 / 1e6 == pytest.approx(12363.7119, abs=0.01)
    assert grid.cell_area()[1, 0] == grid.cell_area()[2, 0]


def test_areas_of_an_equal_area_projection_are_equal():
    """Lambert's cells of 1 km are 1 km2 on the sphere, wherever they lie."""
    grid = Grid.projected(*equal_area(57.0, 15.0, 1000.0, 23, 31), "sweden.nc")
    km2 = grid.cell_area() * AREA_UNIT_M2 / 1e6
    assert km2.shape == (23, 31)
    assert np.abs(km2 - 1).max() < 1e-5


def test_a_projected_grid_may_cross_the_date_line():
    """The jump from 180 to -180 is no distance."""
    lat, lon = equal_area(70.0, 179.99, 1000.0, 9, 11)
    lon = np.where(lon > 180, lon - 360, lon)
    assert lon.min() < -179 and lon.max() > 179
    assert np.abs(Grid.projected(lat, lon, "f").cell_area() * AREA_UNIT_M2 / 1e6 - 1).max() < 1e-5


@pytest.mark.parametrize("ny", [90, 720, 18000, 21600])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_globe_wraps_whatever_its_coordinates_are_stored_as(ny, dtype):
    """In float32, 180 degrees are known to 1.5e-5: that is no gap and no overlap."""
    grid = globe(ny, dtype)
    assert grid.wraps
    assert grid.spacing_deg == pytest.approx((180 / ny, 180 / ny), rel=1e-6)


def test_a_region_does_not_wrap():
    """Nor does a globe without its last column."""
    step = 0.5
    assert not Grid.regular(centres(90, -step, 360), centres(-180, step, 719), "f").wraps
    assert not Grid.projected(*equal_area(60.0, 0.0, 1e3, 4, 4), "f").wraps


def test_edges_lie_halfway():
    """Edges of a 2 by 3 grid by hand."""
    grid = Grid.regular(np.array([40.0, 38.0]), np.array([1.0, 2.0, 3.0]), "f")
    assert grid.lat_edges().tolist() == [41, 39, 37]
    assert grid.lon_edges().tolist() == [0.5, 1.5, 2.5, 3.5]
    assert grid.shape == (2, 3)


@pytest.mark.parametrize(
    ("lat", "lon", "words"),
    [
        ([1, 2, 3], [1, 2], "latitude runs from 1.0 to 3.0, expected north first"),
        ([3, 2, 1], [2, 1], "longitude runs from 2.0 to 1.0, expected eastward"),
        ([3, 2, 0], [1, 2], "latitude is not evenly spaced: 2.0 at 1, expected 1.5"),
        ([3, 2, 1], [1, 1], "longitude is not evenly spaced"),
        ([3], [1, 2], "latitude has shape (1,), expected at least 2 in a row"),
        ([[3, 2]], [1, 2], "latitude has shape (1, 2)"),
        ([3, np.nan], [1, 2], "latitude holds a missing value"),
        ([90, 88], [1, 2], "cells reach from 91.0 to 87.0 degrees north, beyond a pole"),
        ([-88, -90], [1, 2], "beyond a pole"),
        ([1, 0], [-180, 0, 180], "span more than 360 degrees"),
    ],
)
def test_what_is_no_regular_grid_is_refused(lat, lon, words):
    """Each message begins with the file."""
    with pytest.raises(InputError) as caught:
        Grid.regular(np.array(lat, float), np.array(lon, float), "map.nc")
    assert str(caught.value).startswith("map.nc: ") and words in str(caught.value)


@pytest.mark.parametrize(
    ("lat", "lon", "words"),
    [
        (np.zeros((3, 4)), np.zeros((3, 5)), "expected two equal (y, x) arrays"),
        (np.zeros(4), np.zeros(4), "expected two equal (y, x) arrays"),
        (np.zeros((1, 4)), np.zeros((1, 4)), "at least 2 x 2"),
        (np.full((2, 2), np.nan), np.zeros((2, 2)), "not a place on Earth"),
        (np.full((2, 2), 90.1), np.zeros((2, 2)), "not a place on Earth"),
    ],
)
def test_what_is_no_projected_grid_is_refused(lat, lon, words):
    """Row 38: 2-D latitude and longitude that do not belong together, or are nowhere."""
    with pytest.raises(InputError) as caught:
        Grid.projected(lat, lon, "map.tif")
    assert str(caught.value).startswith("map.tif: ") and words in str(caught.value)


def test_a_grid_does_not_change_once_made():
    """Its arrays are its own, and read-only."""
    lat, lon = np.array([3.0, 2.0]), np.array([1.0, 2.0])
    lat2, lon2 = equal_area(60.0, 0.0, 1e3, 3, 3)
    for grid in (Grid.regular(lat, lon, "f"), Grid.projected(lat2, lon2, "f")):
        with pytest.raises(ValueError, match="read-only"):
            grid.lat_deg[0] = 0
        with pytest.raises(ValueError, match="read-only"):
            grid.cell_area()[0] = 0
    lat[0], lat2[0] = 5, 5  # the caller's arrays stay the caller's


def test_the_fingerprint_tells_grids_apart():
    """Equal for float32 and float64 of one grid of whole cells; else different."""
    assert globe(90).fingerprint == globe(90, np.float32).fingerprint
    lat, lon = np.array([3.0, 2.0]), np.array([1.0, 2.0])
    marks = {
        Grid.regular(lat, lon, "f").fingerprint,
        Grid.regular(lat + 0.5, lon, "f").fingerprint,
        Grid.regular(lat, lon + 1e-5, "f").fingerprint,
        Grid.regular(lat, np.array([1.0, 2.0, 3.0]), "f").fingerprint,
        Grid.projected(np.tile(lat, (2, 1)).T, np.tile(lon, (2, 1)), "f").fingerprint,
    }
    assert len(marks) == 5


def test_two_grids_say_how_they_differ():
    """Row 35: half a cell off is named as what it is."""
    lat, lon = centres(50, -0.25, 8), centres(10, 0.25, 9)
    grid = Grid.regular(lat, lon, "f")
    assert grid.same_place(Grid.regular(lat + 1e-6, lon, "g")) is None
    assert "longitude differs by up to 0.125 degrees (is it shifted by half a cell?)" in str(
        grid.same_place(Grid.regular(lat, lon + 0.125, "g"))
    )
    assert "grid of (8, 8), not the regular one of (8, 9)" in str(
        grid.same_place(Grid.regular(lat, lon[:-1], "g"))
    )


def brute_force(fine_centres, first, step, count):
    """Cell that holds each centre, by trying all; edges in quarters of a degree are exact."""
    edges = first + step * np.arange(count + 1)
    low, high = np.minimum(edges[:-1], edges[1:]), np.maximum(edges[:-1], edges[1:])
    held = (low <= fine_centres[:, None]) & (fine_centres[:, None] < high)
    assert (held.sum(axis=1) == 1).all()
    return held.argmax(axis=1)


@settings(max_examples=40)
@given(
    step=st.sampled_from([0.00998837, 0.01, 1 / 120, 0.1, 0.0371]),
    top=st.integers(-50, 79),
    left=st.integers(-175, 160),
)
def test_a_fine_cell_belongs_to_the_coarse_cell_that_holds_its_centre(step, top, left):
    """Row 37: 0.00998837 degrees do not nest in 0.25; every centre against every coarse cell."""
    fine = Grid.regular(centres(top + 0.37, -step, 61), centres(left + 0.11, step, 53), "f")
    coarse = globe(720)
    row, col = coarse_index(fine, coarse, "luh2.nc")
    assert row.dtype == col.dtype == np.int64
    assert np.array_equal(row, brute_force(fine.lat_deg, 90, -0.25, 720))
    assert np.array_equal(col, brute_force(fine.lon_deg, -180, 0.25, 1440))


def test_blocks_count_cells():
    """Blocks of 25 over 60 x 30 cells: the last ones are cut off."""
    fine = Grid.projected(*equal_area(60.0, 0.0, 1e3, 60, 30), "f")
    row, col = coarse_index(fine, Blocks(25, (3, 2)), "f")
    assert np.bincount(row).tolist() == [25, 25, 10]
    assert np.bincount(col).tolist() == [25, 5]
    with pytest.raises(InputError, match=r"\(2, 2\) blocks of 25 cells, expected \(3, 2\)"):
        coarse_index(fine, Blocks(25, (2, 2)), "f")


def test_a_forcing_must_cover_the_map_and_lie_as_it_does():
    """A map beyond the forcing's edge, and a projected map under a regular forcing, are refused."""
    fine = Grid.regular(centres(50, -0.1, 20), centres(10, 0.1, 20), "f")
    small = Grid.regular(centres(50, -0.25, 7), centres(10, 0.25, 8), "c")
    with pytest.raises(InputError, match="luh2.nc: does not cover the map in latitude"):
        coarse_index(fine, small, "luh2.nc")
    small = Grid.regular(centres(50, -0.25, 8), centres(10.5, 0.25, 8), "c")
    with pytest.raises(InputError, match="luh2.nc: does not cover the map in longitude"):
        coarse_index(fine, small, "luh2.nc")
    projected = Grid.projected(*equal_area(60.0, 0.0, 1e3, 4, 4), "f")
    with pytest.raises(InputError, match="a projected map needs a forcing on blocks"):
        coarse_index(projected, small, "luh2.nc")
