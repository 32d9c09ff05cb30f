"""Host points with an area and no shape: each cell goes to the nearest of them."""

from __future__ import annotations

import numpy as np
import pytest

from landstep.coupling.points import Points
from landstep.coupling.remap import remap_to
from landstep.coupling.remapping.coverage import coverage
from landstep.coupling.remapping.nearest import nearest_cells
from landstep.emulator.errors import CouplingError
from landstep.emulator.grid import AREA_UNIT_M2, EARTH_RADIUS_M, Grid, unit_vectors
from landstep.emulator.part import Part

SPHERE_M2 = 4 * np.pi * EARTH_RADIUS_M**2


def globe(step: float = 5.0) -> Grid:
    ny, nx = round(180 / step), round(360 / step)
    return Grid.regular(
        90 - step / 2 - step * np.arange(ny), -180 + step / 2 + step * np.arange(nx), "globe"
    )


def turned() -> Grid:
    row, col = np.mgrid[0:41, 0:37]
    return Grid.projected(75 - 1.0 * row + 0.3 * col, -170 + 1.5 * col - 0.7 * row, "turned")


GRIDS = pytest.mark.parametrize("grid", [globe(), turned()], ids=["globe", "turned"])


def spread(n: int, area_m2: float | None = None, seed: int = 0) -> Points:
    """Points anywhere, each with its share of the Earth."""
    place = np.random.default_rng(seed).normal(size=(n, 3))
    place /= np.linalg.norm(place, axis=1)[:, None]
    lon = np.rad2deg(np.arctan2(place[:, 1], place[:, 0]))
    area = np.full(n, SPHERE_M2 / n if area_m2 is None else area_m2)
    return Points.make(lon, np.rad2deg(np.arcsin(place[:, 2])), area_m2=area)


def centres_of(grid: Grid) -> np.ndarray:
    if grid.kind == "regular":
        lat, lon = np.meshgrid(grid.lat_deg, grid.lon_deg, indexing="ij")
        return unit_vectors(lat, lon).reshape(-1, 3)
    return unit_vectors(grid.lat_deg, grid.lon_deg).reshape(-1, 3)


def brute_force(points: Points, grid: Grid) -> np.ndarray:
    """Area of each point's cells and its own, cell by cell: (n,) int64.

    A point that gets none is left at 0; of equally near ones (to 1e-9) the lowest index has it.
    """
    place = unit_vectors(points.lat, points.lon)
    cells = centres_of(grid)
    area = np.broadcast_to(grid.cell_area(), grid.shape).ravel()
    reach = 2 * np.sin(np.minimum(np.sqrt(points.area_m2 / 2) / EARTH_RADIUS_M, np.pi) / 2)
    found = np.zeros(points.n, np.int64)
    for cell in range(len(cells)):
        apart = np.linalg.norm(place - cells[cell], axis=1)
        near = np.flatnonzero(apart <= apart.min() * (1 + 5e-10))
        first = near[np.lexsort((points.index[near], ~points.mask[near]))[0]]
        if apart[first] <= reach[first] * (1 + 1e-12) and points.mask[first]:
            found[first] += area[cell]
    return found


def totals(points: Points, grid: Grid, part: Part | None = None) -> np.ndarray:
    part = Part.whole(grid.shape) if part is None else part
    numbers = np.zeros(part.shape, np.uint8)
    return remap_to(points, grid, part).class_areas(numbers, 1)[:, 0]


@GRIDS
@pytest.mark.parametrize("n", [1, 2, 3, 9, 60, 400])
def test_each_cell_goes_to_the_nearest_point(grid: Grid, n: int) -> None:
    points = spread(n)
    expected, found = brute_force(points, grid), totals(points, grid)
    got = expected > 0
    assert np.array_equal(found[got], expected[got])


@GRIDS
def test_no_cell_counts_beyond_half_the_diagonal_of_the_host_cell(grid: Grid) -> None:
    points = spread(40, 1e13 / 40)
    expected, found = brute_force(points, grid), totals(points, grid)
    got = expected > 0
    assert np.array_equal(found[got], expected[got])
    assert 0 < found.sum() < 0.9 * totals(spread(40), grid).sum()


def test_where_every_point_owns_a_cell_the_sum_is_the_whole_earth() -> None:
    grid = globe()
    points = spread(30, SPHERE_M2)
    assert totals(points, grid).sum() == grid.cell_area().sum() * grid.shape[1]


@pytest.mark.parametrize("backward", [False, True])
def test_of_points_that_are_equally_near_the_lowest_index_has_the_cell(backward: bool) -> None:
    """A host of ten degrees whose edges run through the centres of a map of the same cells."""
    lat, lon = np.meshgrid(np.arange(-80.0, 90, 10), np.arange(-180.0, 180, 10), indexing="ij")
    index = np.arange(lat.size)[:: -1 if backward else 1].copy()
    points = Points.make(
        lon.ravel(), lat.ravel(), area_m2=np.full(lat.size, SPHERE_M2 / 50), index=index
    )
    grid = globe(10.0)
    expected, found = brute_force(points, grid), totals(points, grid)
    assert expected.sum() == grid.cell_area().sum() * 36
    got = expected > 0
    assert np.array_equal(found[got], expected[got])


def test_a_point_without_a_cell_takes_the_one_that_holds_it() -> None:
    lon, lat = np.array([1.2, 0.4, 2.4]), np.array([1.2, 0.4, 2.4])
    points = Points.make(lon, lat, area_m2=np.full(3, 1e8))
    grid = globe()
    cell = int(grid.cell_area()[17, 0])
    assert totals(points, grid).tolist() == [cell, cell, cell]
    assert coverage(points, grid, totals(points, grid)).tolist() == [1.0] * 3


@GRIDS
@pytest.mark.parametrize("n", [5, 70, 3000])
def test_parts_add_up_to_the_whole(grid: Grid, n: int) -> None:
    """Of 3000 points on 2592 cells many own none; whoever holds them must know that they do not."""
    points = spread(n)
    ny, nx = grid.shape
    shift = 5 if grid.kind == "regular" else 0
    total = np.zeros(n, np.int64)
    for top, bottom in ((0, 11), (11, 12), (12, ny)):
        for left, right in ((0, 7), (7, 20), (20, nx)):
            total += totals(points, grid, Part(top, bottom, left - shift, right - shift, (ny, nx)))
    assert np.array_equal(total, totals(points, grid))
    assert n < 3000 or (total > 0).all() or grid.kind == "projected"


@GRIDS
def test_points_in_another_order_get_the_same(grid: Grid) -> None:
    points = spread(200)
    order = np.random.default_rng(1).permutation(200)
    assert np.array_equal(totals(points, grid)[order], totals(points.take(order), grid))


def test_points_that_are_not_served_are_not_looked_at() -> None:
    """Neither their places nor their areas, be they numbers or not."""
    grid, every = globe(), spread(60)
    mask = np.arange(60) % 3 > 0
    expected = np.zeros(60, np.int64)
    expected[mask] = totals(every.take(mask), grid)
    rng = np.random.default_rng(4)
    for area in (every.area_m2, np.where(mask, every.area_m2, np.nan)):
        for lon in (every.lon, np.where(mask, every.lon, rng.uniform(-180, 180, 60))):
            some = Points.make(lon, every.lat, area_m2=area, mask=mask)
            assert np.array_equal(totals(some, grid), expected)
            assert (coverage(some, grid, totals(some, grid))[~mask] == 0).all()


def test_where_no_point_is_served_none_gets_anything() -> None:
    points = Points.make(np.zeros(2), np.zeros(2), area_m2=np.ones(2), mask=np.zeros(2))
    for grid in (globe(), turned()):
        assert totals(points, grid).tolist() == [0, 0]


def test_coverage_is_the_area_found_over_the_host_cell_s_own() -> None:
    grid = Grid.regular(9.5 - np.arange(10), 0.5 + np.arange(10), "region")
    points = Points.make(
        np.array([5.0, 30.0]), np.array([5.0, 5.0]), area_m2=np.array([4e12, 1e12])
    )
    found = totals(points, grid)
    share = coverage(points, grid, found)
    assert share.tolist() == [found[0] * AREA_UNIT_M2 / 4e12, 0.0] and 0.2 < share[0] < 0.4


def test_points_without_an_area_are_refused() -> None:
    with pytest.raises(CouplingError, match="no areas"):
        nearest_cells(Points.make(np.zeros(1), np.zeros(1)), globe(), Part.whole((36, 72)))
