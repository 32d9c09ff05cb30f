from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landstep.coupling.points import Points
from landstep.coupling.remap import remap_to
from landstep.coupling.remapping.coverage import coverage
from landstep.emulator.classes import MASKED
from landstep.emulator.grid import AREA_UNIT_M2, EARTH_RADIUS_M, Grid
from landstep.emulator.part import Part

K = 3
UNIT = EARTH_RADIUS_M**2 / AREA_UNIT_M2


def region() -> Grid:
    """5 rows and 7 columns of 2 degrees: 40..50 north, 170..184 east (over the date line)."""
    return Grid.regular(49.0 - 2 * np.arange(5), 171.0 + 2 * np.arange(7), "region")


def globe() -> Grid:
    """9 rows of 20 degrees, 12 columns of 30."""
    return Grid.regular(80.0 - 20 * np.arange(9), -165.0 + 30 * np.arange(12), "globe")


def turned() -> Grid:
    """11 x 8 cells of about 0.1 degrees whose rows run at an angle, around 60 north."""
    row, col = np.mgrid[0:11, 0:8]
    return Grid.projected(60 - 0.1 * row + 0.03 * col, 15 + 0.2 * col + 0.05 * row, "turned")


def random_map(grid: Grid, seed: int = 0) -> np.ndarray:
    numbers = np.random.default_rng(seed).integers(0, K + 1, grid.shape).astype(np.uint8)
    numbers[numbers == K] = MASKED
    return numbers


def rectangles(
    west: list[float], east: list[float], south: list[float], north: list[float]
) -> Points:
    lon_bounds, lat_bounds = np.array([west, east]).T, np.array([south, north]).T
    middle = lon_bounds[:, 0] + np.mod(lon_bounds[:, 1] - lon_bounds[:, 0], 360.0) / 2
    middle = np.where(middle > 360, middle - 360, middle)
    return Points.make(middle, lat_bounds.mean(axis=1), lon_bounds, lat_bounds)


def covered(points: Points, grid: Grid) -> np.ndarray:
    totals = remap_to(points, grid).class_areas(random_map(grid), K).sum(axis=1)
    return coverage(points, grid, totals)


def overlap(low: float, high: float, other_low: float, other_high: float) -> float:
    return max(0.0, min(high, other_high) - max(low, other_low))


def brute_force(points: Points, grid: Grid, numbers: np.ndarray) -> np.ndarray:
    """Area of each class, cell by cell, in m2: longitudes compared on three turns of the circle."""
    areas = np.zeros((points.n, K + 1))
    lat, lon = grid.lat_edges(), grid.lon_edges()
    for p in range(points.n):
        west, width, south, north = (float(part[p]) for part in points.rectangles())
        for j in range(grid.shape[0]):
            s, n = max(south, lat[j + 1]), min(north, lat[j])
            if n <= s:
                continue
            height = np.sin(np.deg2rad(n)) - np.sin(np.deg2rad(s))
            for i in range(grid.shape[1]):
                shared = sum(
                    overlap(west + turn, west + turn + width, lon[i], lon[i + 1])
                    for turn in (-720, -360, 0, 360, 720)
                )
                k = K if numbers[j, i] == MASKED else int(numbers[j, i])
                areas[p, k] += EARTH_RADIUS_M**2 * height * np.deg2rad(shared)
    return areas


def test_a_point_takes_the_cell_that_holds_it() -> None:
    grid, numbers = region(), random_map(region())
    points = Points.make(np.array([172.5, 183.9]), np.array([48.7, 40.1]))
    areas = remap_to(points, grid).class_areas(numbers, K)
    for point, (row, col) in enumerate([(0, 1), (4, 6)]):
        k = K if numbers[row, col] == MASKED else numbers[row, col]
        assert areas[point, k] == grid.cell_area()[row, 0]
        assert areas[point].sum() == grid.cell_area()[row, 0]
    assert coverage(points, grid, areas.sum(axis=1)).tolist() == [1.0, 1.0]


def test_a_point_on_an_edge_belongs_to_the_east_and_north() -> None:
    numbers = np.zeros((5, 7), np.uint8)
    numbers[1, 2] = 1  # 174..176 east, 46..48 north
    points = Points.make(np.array([174.0, 176.0, 175.0, 175.0]), np.array([47.0, 47.0, 46.0, 48.0]))
    assert (remap_to(points, region()).class_areas(numbers, K)[:, 1] > 0).tolist() == [
        True, False, True, False,
    ]  # fmt: skip


def test_the_outer_edges_of_the_grid_are_inside() -> None:
    lon, lat = np.array([170.0, -176.0, 175.0, 175.0]), np.array([45.0, 45.0, 50.0, 40.0])
    points = Points.make(lon, lat)
    assert covered(points, region()).tolist() == [1.0] * 4


def test_points_outside_the_grid_have_no_area() -> None:
    lon, lat = np.array([169.9, -175.9, 175.0, 175.0]), np.array([45.0, 45.0, 50.1, 39.9])
    points = Points.make(lon, lat)
    remap = remap_to(points, region())
    assert not remap.class_areas(random_map(region()), K).any()
    assert not covered(points, region()).any()


@given(st.floats(-180, 180), st.floats(-90, 90))
def test_longitudes_from_0_to_360_mean_the_same_places(lon: float, lat: float) -> None:
    twice = np.mod(lon, 360.0)
    if np.mod(twice, 30.0) < 1e-9 or np.mod(-twice, 30.0) < 1e-9:
        return  # on a cell's edge, where rounding decides
    numbers = random_map(globe())
    both = [remap_to(Points.make(np.array([x]), np.array([lat])), globe()) for x in (lon, twice)]
    first, second = (remap.class_areas(numbers, K) for remap in both)
    assert np.array_equal(first, second) and first.sum() > 0


@given(
    st.sampled_from(["region", "globe"]),
    st.floats(-180, 180),
    st.floats(0.5, 359.5) | st.just(360.0),
    st.floats(-90, 89),
    st.floats(0.5, 180),
    st.integers(0, 99),
)
def test_areas_of_rectangles_equal_brute_force(
    kind: str, west: float, width: float, south: float, height: float, seed: int
) -> None:
    grid = region() if kind == "region" else globe()
    north = min(90.0, south + height)
    east = west + width if width == 360 else np.mod(west + width + 180, 360) - 180
    points = rectangles([west], [east], [south], [north])
    numbers = random_map(grid, seed)
    remap = remap_to(points, grid)
    expected = brute_force(points, grid, numbers)
    found = remap.class_areas(numbers, K) * AREA_UNIT_M2
    assert np.allclose(found, expected, rtol=0, atol=1.0 + 1e-9 * expected.sum())
    rectangle = EARTH_RADIUS_M**2 * np.deg2rad(float(points.rectangles()[1][0]))
    rectangle *= np.sin(np.deg2rad(north)) - np.sin(np.deg2rad(south))
    share = covered(points, grid)[0]
    assert share == pytest.approx(expected.sum() / rectangle, abs=1e-9)
    assert 0 <= share <= 1


def test_a_rectangle_wholly_inside_is_covered_exactly() -> None:
    rng = np.random.default_rng(2)
    west, south = rng.uniform(170, 178, 200), rng.uniform(40, 45, 200)
    points = rectangles(list(west), list(west + 4.3), list(south), list(south + 3.7))
    assert (covered(points, region()) == 1.0).all()


def test_rectangles_that_tile_the_globe_hold_all_of_it() -> None:
    """One whole number a class, whatever the tiling: 6.37e6 m squared times 4 pi in all."""
    numbers = random_map(globe(), 4)
    corners = np.meshgrid(np.arange(-180, 180, 60), np.arange(-90, 90, 60))
    west, south = (corner.ravel().tolist() for corner in corners)
    aligned = rectangles(west, [w + 60 for w in west], south, [s + 60 for s in south])
    areas = remap_to(aligned, globe()).class_areas(numbers, K)
    direct = np.broadcast_to(globe().cell_area(), globe().shape)
    of_class = [direct[numbers == (MASKED if k == K else k)].sum() for k in range(K + 1)]
    assert areas.sum(axis=0).tolist() == of_class
    assert areas.sum() == pytest.approx(4 * np.pi * UNIT, rel=1e-12)


def test_areas_do_not_depend_on_the_order_of_the_points() -> None:
    rng = np.random.default_rng(5)
    west, south = rng.uniform(-180, 170, 40), rng.uniform(-90, 60, 40)
    turn = rng.permutation(40)
    both = [
        rectangles(list(west[o]), list(west[o] + 9.9), list(south[o]), list(south[o] + 29.0))
        for o in (np.arange(40), turn)
    ]
    first, second = (remap_to(p, globe()).class_areas(random_map(globe()), K) for p in both)
    assert np.array_equal(first[turn], second)


def test_shares_of_an_all_equal_map_are_one() -> None:
    points = rectangles([171.3], [-177.2], [39.0], [47.7])
    areas = remap_to(points, region()).class_areas(np.full((5, 7), 2, np.uint8), K)
    assert areas[0, 2] > 0 and areas[0, [0, 1, 3]].tolist() == [0, 0, 0]


def angle(lat: float, lon: float, lats: np.ndarray, lons: np.ndarray) -> np.ndarray:
    a, b = np.deg2rad(lat), np.deg2rad(lats)
    return np.sin(a) * np.sin(b) + np.cos(a) * np.cos(b) * np.cos(np.deg2rad(lon - lons))


def test_a_projected_grid_gives_the_nearest_centre() -> None:
    grid, rng = turned(), np.random.default_rng(6)
    numbers = np.arange(88, dtype=np.uint8).reshape(11, 8)
    row, col = rng.uniform(0, 10, 60), rng.uniform(0, 7, 60)
    lat, lon = 60 - 0.1 * row + 0.03 * col, 15 + 0.2 * col + 0.05 * row
    areas = remap_to(Points.make(lon, lat), grid).class_areas(numbers, 88)
    nearest = [
        int(angle(north, east, grid.lat_deg, grid.lon_deg).argmax())
        for north, east in zip(lat, lon, strict=True)
    ]
    assert areas.argmax(axis=1).tolist() == nearest
    assert areas.sum(axis=1).tolist() == grid.cell_area().ravel()[nearest].tolist()


@pytest.mark.parametrize(("beyond", "inside"), [(0.4, 1.0), (0.6, 0.0), (30.0, 0.0)])
def test_a_projected_grid_ends_half_a_cell_beyond_its_centres(beyond: float, inside: float) -> None:
    rows = np.array([-beyond, 10 + beyond, 5.0, 5.0])
    cols = np.array([3.0, 3.0, -beyond, 7 + beyond])
    points = Points.make(15 + 0.2 * cols + 0.05 * rows, 60 - 0.1 * rows + 0.03 * cols)
    assert covered(points, turned()).tolist() == [inside] * 4


def test_a_projected_grid_counts_whole_cells_by_their_centres() -> None:
    grid, numbers = turned(), random_map(turned(), 7)
    points = rectangles(
        [15.12, 15.6, 375.12],
        [15.93, 16.41, 375.93],
        [59.204, 59.5, 59.204],
        [59.907, 60.1, 59.907],
    )
    areas = remap_to(points, grid).class_areas(numbers, K)
    for point in range(3):
        west, width, south, north = (float(part[point]) for part in points.rectangles())
        west = west % 360.0
        inside = (grid.lon_deg >= west) & (grid.lon_deg < west + width)
        inside &= (grid.lat_deg >= south) & (grid.lat_deg < north)
        for k in range(K + 1):
            chosen = inside & (numbers == (MASKED if k == K else k))
            assert areas[point, k] == grid.cell_area()[chosen].sum()
    assert areas.any() and np.array_equal(areas[0], areas[2])


def test_a_host_cell_finer_than_a_projected_grid_takes_the_cell_that_holds_it() -> None:
    centre_lat, centre_lon = 60 - 0.1 * 4 + 0.03 * 4 + 0.03, 15 + 0.2 * 4 + 0.05 * 4 + 0.03
    lons, lats = ([c - 0.01, c + 0.01] for c in (centre_lon, centre_lat))
    points = rectangles(lons[:1], lons[1:], lats[:1], lats[1:])
    numbers = np.zeros((11, 8), np.uint8)
    numbers[4, 4] = 1
    remap = remap_to(points, turned())
    assert remap.class_areas(numbers, K)[0].tolist() == [0, int(turned().cell_area()[4, 4]), 0, 0]
    assert covered(points, turned()).tolist() == [1.0]


def test_a_rectangle_far_from_a_projected_grid_is_empty() -> None:
    points = rectangles([-60.0], [-50.0], [-10.0], [10.0])
    assert not remap_to(points, turned()).class_areas(random_map(turned()), K).any()
    assert covered(points, turned()).tolist() == [0.0]


def test_no_points_give_empty_fields() -> None:
    for grid in (region(), turned()):
        for bounds in ({}, {"lon_bounds": np.empty((0, 2)), "lat_bounds": np.empty((0, 2))}):
            remap = remap_to(Points.make(np.empty(0), np.empty(0), **bounds), grid)
            assert remap.class_areas(random_map(grid), K).shape == (0, K + 1)


@pytest.mark.parametrize("bounds", [False, True])
@pytest.mark.parametrize("make", [globe, turned])
def test_parts_add_up_and_points_that_are_not_served_get_nothing(
    make: Callable[[], Grid], bounds: bool
) -> None:
    grid, rng = make(), np.random.default_rng(8)
    ny, nx = grid.shape
    lon, lat = rng.uniform(15, 16.5, 40), rng.uniform(59, 60.1, 40)
    if make is globe:
        lon, lat = rng.uniform(-180, 180, 40), rng.uniform(-80, 80, 40)
    edges = (lon[:, None] + [-0.2, 0.2], lat[:, None] + [-0.1, 0.1]) if bounds else ()
    mask = rng.random(40) < 0.6
    numbers, points = random_map(grid, 9), Points.make(lon, lat, *edges, mask=mask)
    every = remap_to(Points.make(lon, lat, *edges), grid).class_areas(numbers, K)
    total = np.zeros_like(every)
    for top, bottom in ((0, 4), (4, ny)):
        for left, right in ((0, 3), (3, nx)):
            shift = 2 if make is globe else 0
            part = Part(top, bottom, left - shift, right - shift, grid.shape)
            total += remap_to(points, grid, part).class_areas(part.cut(numbers), K)
    assert np.array_equal(total, remap_to(points, grid).class_areas(numbers, K)) and total.any()
    off = np.abs(total - np.where(mask[:, None], every, 0)).max()
    assert off <= (40 if bounds and make is globe else 0)  # a unit for each edge of another point
    share = coverage(points, grid, total.sum(axis=1))
    assert not share[~mask].any() and share[mask].any() and np.isfinite(share).all()
