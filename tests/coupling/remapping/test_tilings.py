"""Rectangles that cover a map once share out each of its cells to the last unit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landstep.coupling.points import Points
from landstep.coupling.remap import remap_to
from landstep.coupling.remapping.coverage import coverage
from landstep.emulator.errors import CouplingError
from landstep.emulator.grid import Grid
from landstep.emulator.part import Part

Rectangle = tuple[float, float, float, float]  # west, east, south, north


def globe() -> Grid:
    """9 rows of 20 degrees, 12 columns of 30: a cell's area has sixteen figures."""
    return Grid.regular(80.0 - 20 * np.arange(9), -165.0 + 30 * np.arange(12), "globe")


def region() -> Grid:
    """11 rows and 13 columns of a third of a degree, across the date line."""
    return Grid.regular(49.3 - np.arange(11) / 3, 178.1 + np.arange(13) / 3, "region")


def own_numbers(grid: Grid) -> np.ndarray:
    """Give each cell a class of its own, so that the areas are the weights."""
    return np.arange(grid.shape[0] * grid.shape[1], dtype=np.uint8).reshape(grid.shape)


def weights(points: Points, grid: Grid) -> np.ndarray:
    """What each point has of each cell: (n, cells) int64."""
    n = grid.shape[0] * grid.shape[1]
    return remap_to(points, grid).class_areas(own_numbers(grid), n)[:, :n]


def points_of(cells: list[Rectangle]) -> Points:
    west, east, south, north = np.array(cells).T
    middle = np.mod((west + east) / 2 + 180, 360) - 180
    lon = np.stack([np.mod(x + 180, 360) - 180 for x in (west, east)], axis=1)
    lon[east - west == 360] = [-180, 180]
    return Points.make(middle, (south + north) / 2, lon, np.stack([south, north], axis=1))


def areas_of(grid: Grid) -> np.ndarray:
    return np.broadcast_to(grid.cell_area(), grid.shape).ravel()


def rows_of(draw: st.DrawFn) -> list[float]:
    inner = draw(st.lists(st.floats(-89, 89), min_size=0, max_size=12, unique=True))
    edges = np.array([-90.0, *sorted(inner), 90.0])
    return [float(x) for x in edges[np.append(True, np.diff(edges) > 1e-6)]]


@st.composite
def reduced_rows(draw: st.DrawFn) -> list[Rectangle]:
    """Rows of any height, each with its own number of cells and its own first longitude."""
    edges = rows_of(draw)
    cells = []
    for south, north in zip(edges[:-1], edges[1:], strict=True):
        n, first = draw(st.integers(2, 9)), draw(st.floats(-180, 180))
        lon = first + np.arange(n + 1) * (360 / n)
        cells += [(lon[i], lon[i + 1], south, north) for i in range(n)]
    return cells


@st.composite
def quartered(draw: st.DrawFn) -> list[Rectangle]:
    """Rectangles cut in two again and again, so that edges end in the middle of others."""
    cells: list[Rectangle] = [(-180.0, 0.0, -90.0, 90.0), (0.0, 180.0, -90.0, 90.0)]
    for _ in range(draw(st.integers(1, 25))):
        west, east, south, north = cells.pop(draw(st.integers(0, len(cells) - 1)))
        at = draw(st.floats(0.2, 0.8))
        if draw(st.booleans()):
            middle = west + at * (east - west)
            cells += [(west, middle, south, north), (middle, east, south, north)]
        else:
            middle = south + at * (north - south)
            cells += [(west, east, south, middle), (west, east, middle, north)]
    return cells


@given(reduced_rows() | quartered(), st.sampled_from([globe, region]))
def test_rectangles_that_cover_the_earth_share_out_every_cell_exactly(
    cells: list[Rectangle], make: object
) -> None:
    grid = make()  # type: ignore[operator]
    found = weights(points_of(cells), grid)
    assert np.array_equal(found.sum(axis=0), areas_of(grid))
    assert found.min() >= 0


def gaussian(n: int) -> np.ndarray:
    """Edges of a Gaussian grid's rows, south to north: their sines are sums of its weights."""
    _, weight = np.polynomial.legendre.leggauss(n)
    sines = np.clip(np.concatenate([[-1.0], np.cumsum(weight) - 1]), -1, 1)
    edges = np.rad2deg(np.arcsin(sines))
    edges[[0, -1]] = -90, 90
    return edges


@pytest.mark.parametrize("grid", [globe(), region()], ids=["globe", "region"])
def test_a_gaussian_and_a_reduced_gaussian_grid_conserve(grid: Grid) -> None:
    edges = gaussian(32)
    count = [20 + 4 * min(j, 31 - j) for j in range(32)]
    for numbers in ([64] * 32, count):
        cells = []
        for j, n in enumerate(numbers):
            lon = np.arange(n + 1) * (360 / n) - 180 / n
            cells += [(lon[i], lon[i + 1], edges[j], edges[j + 1]) for i in range(n)]
        found = weights(points_of(cells), grid)
        assert np.array_equal(found.sum(axis=0), areas_of(grid))


def test_edges_that_differ_in_their_last_bits_are_one_edge() -> None:
    rng = np.random.default_rng(0)
    lon, lat = -180 + 24 * np.arange(16) + 0.1, gaussian(20)
    corners = [(i, j) for j in range(20) for i in range(15)]
    cells = [(lon[i], lon[i + 1], lat[j], lat[j + 1]) for i, j in corners]
    noisy = np.array(cells) + rng.uniform(-1e-13, 1e-13, (len(cells), 4))
    noisy[:, 2:] = np.clip(noisy[:, 2:], -90, 90)
    assert np.array_equal(
        weights(points_of([tuple(c) for c in noisy]), globe()).sum(axis=0), areas_of(globe())
    )


def brute_force(cells: list[Rectangle], grid: Grid) -> np.ndarray:
    """Share of each cell in each rectangle, by longitudes on three turns of the circle."""
    lat, lon = grid.lat_edges(), grid.lon_edges()
    sines = np.sin(np.deg2rad(lat))
    found = np.zeros((len(cells), *grid.shape))
    for p, (west, east, south, north) in enumerate(cells):
        low = np.maximum(np.sin(np.deg2rad(south)), sines[1:])
        high = np.minimum(np.sin(np.deg2rad(north)), sines[:-1])
        height = np.maximum(high - low, 0) / (sines[:-1] - sines[1:])
        width = sum(
            np.maximum(np.minimum(east + t, lon[1:]) - np.maximum(west + t, lon[:-1]), 0)
            for t in (-720, -360, 0, 360, 720)
        ) / np.diff(lon)
        found[p] = height[:, None] * width
    return found.reshape(len(cells), -1)


@given(reduced_rows() | quartered())
def test_each_part_is_right_to_the_step_that_angles_are_counted_in(
    cells: list[Rectangle],
) -> None:
    """1e-9 degrees of a third of one, on two sides of two kinds: 1.2e-8 of a cell."""
    expected = brute_force(cells, region()) * areas_of(region())
    assert (
        np.abs(weights(points_of(cells), region()) - expected) / areas_of(region())
    ).max() < 2e-8


def test_parts_that_are_rounded_one_by_one_do_not_conserve() -> None:
    """The control: without sums that are rounded the bar is not met."""
    lon, lat = 177.9 + 0.13 * np.arange(37), 45.7 + 0.13 * np.arange(31)
    cells = [(lon[i], lon[i + 1], lat[j], lat[j + 1]) for j in range(30) for i in range(36)]
    rounded = np.rint(brute_force(cells, region()) * areas_of(region())).astype(np.int64)
    assert not np.array_equal(rounded.sum(axis=0), areas_of(region()))
    assert np.array_equal(weights(points_of(cells), region()).sum(axis=0), areas_of(region()))


@st.composite
def divided(draw: st.DrawFn, grid: Grid) -> list[Part]:
    """Parts that cover a grid once; where it wraps, some go across its ends."""
    ny, nx = grid.shape
    rows = sorted({0, ny, *draw(st.lists(st.integers(1, ny - 1), max_size=3))})
    parts = []
    for top, bottom in zip(rows[:-1], rows[1:], strict=True):
        shift = draw(st.integers(-nx, nx)) if grid.wraps else 0
        cuts = sorted({0, nx, *draw(st.lists(st.integers(1, nx - 1), max_size=3))})
        parts += [
            Part(top, bottom, left + shift, right + shift, grid.shape)
            for left, right in zip(cuts[:-1], cuts[1:], strict=True)
        ]
    return parts


def total_of_parts(points: Points, grid: Grid, parts: list[Part], n: int) -> np.ndarray:
    numbers = own_numbers(grid)
    return np.sum(
        [remap_to(points, grid, part).class_areas(part.cut(numbers), n) for part in parts], axis=0
    )


@given(quartered(), divided(globe()))
def test_parts_of_the_globe_add_up_to_the_whole(cells: list[Rectangle], parts: list[Part]) -> None:
    points = points_of(cells)
    assert np.array_equal(
        total_of_parts(points, globe(), parts, 108)[:, :108], weights(points, globe())
    )


@given(reduced_rows(), divided(region()))
def test_parts_of_a_region_add_up_to_the_whole(cells: list[Rectangle], parts: list[Part]) -> None:
    points = points_of(cells)
    assert np.array_equal(
        total_of_parts(points, region(), parts, 143)[:, :143], weights(points, region())
    )


@given(quartered(), st.randoms(use_true_random=False))
def test_points_in_another_order_get_the_same(cells: list[Rectangle], chance: object) -> None:
    order = list(range(len(cells)))
    chance.shuffle(order)  # type: ignore[attr-defined]
    turned = [cells[k] for k in order]
    assert np.array_equal(
        weights(points_of(cells), globe())[order], weights(points_of(turned), globe())
    )


def test_longitudes_from_0_to_360_give_the_same() -> None:
    lon, lat = -180 + 360 / 7 * np.arange(8), np.linspace(-90, 90, 6)
    corners = [(i, j) for j in range(5) for i in range(7)]
    bounds = np.array([[lon[i], lon[i + 1]] for i, _ in corners])
    along = np.array([[lat[j], lat[j + 1]] for _, j in corners])
    one = Points.make(bounds.mean(axis=1), along.mean(axis=1), bounds, along)
    two = Points.make(np.mod(one.lon, 360), one.lat, np.mod(bounds, 360), along)
    assert np.array_equal(weights(one, globe()), weights(two, globe()))


def test_a_point_that_is_not_served_gets_nothing_and_changes_nothing() -> None:
    cells = [(-180.0, -11.0, -40.0, 31.0), (-11.0, 100.0, -40.0, 31.0), (0.0, 90.0, 40.0, 77.0)]
    every = points_of(cells)
    bounds = every.lat_bounds.copy()
    bounds[1] = np.nan
    some = Points.make(
        every.lon, every.lat, every.lon_bounds, bounds, mask=np.array([True, False, True])
    )
    found = weights(some, globe())
    assert not found[1].any()
    assert np.array_equal(found[[0, 2]], weights(every.take(np.array([0, 2])), globe()))
    share = coverage(some, globe(), found.sum(axis=1))
    assert share.tolist() == [1.0, 0.0, 1.0]


def test_a_map_that_is_not_of_the_part_is_refused() -> None:
    points = points_of([(-10.0, 10.0, -10.0, 10.0)])
    remap = remap_to(points, globe(), Part(0, 4, 0, 12, (9, 12)))
    with pytest.raises(CouplingError, match=r"a map of \(9, 12\), expected the part's \(4, 12\)"):
        remap.class_areas(own_numbers(globe()), 108)


def test_a_large_map_is_counted_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    points, grid = points_of([(-170.0, 3.0, -80.0, 15.0), (3.0, 111.0, -7.0, 85.0)]), globe()
    whole = weights(points, grid)
    monkeypatch.setattr("landstep.coupling.remapping.runs.CELLS_AT_ONCE", 25)
    assert np.array_equal(weights(points, grid), whole)
