"""Host cells as polygons: areas, what they hold, and whole cells counted once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import SphericalVoronoi

from landstep.coupling.points import Points
from landstep.coupling.remap import remap_to
from landstep.coupling.remapping.angles import whole
from landstep.coupling.remapping.coverage import coverage
from landstep.coupling.remapping.polygons import Polygons
from landstep.coupling.remapping.scan import polygons_of
from landstep.emulator.errors import CouplingError
from landstep.emulator.grid import AREA_UNIT_M2, EARTH_RADIUS_M, Grid, unit_vectors
from landstep.emulator.part import Part

SPHERE = 4 * np.pi * EARTH_RADIUS_M**2 / AREA_UNIT_M2


def globe() -> Grid:
    """18 rows of 10 degrees, 36 columns."""
    return Grid.regular(85.0 - 10 * np.arange(18), -175.0 + 10 * np.arange(36), "globe")


def turned() -> Grid:
    """23 x 17 cells of about 2 degrees whose rows run at an angle, over a pole's slope."""
    row, col = np.mgrid[0:23, 0:17]
    return Grid.projected(80 - 2.0 * row + 0.3 * col, -170 + 3.0 * col - 0.7 * row, "turned")


def places(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Longitude and latitude of places on the sphere."""
    lat = np.rad2deg(np.arctan2(vectors[..., 2], np.hypot(vectors[..., 0], vectors[..., 1])))
    return np.rad2deg(np.arctan2(vectors[..., 1], vectors[..., 0])), lat


def of_corners(corners: np.ndarray, **more: np.ndarray) -> Points:
    """Points at the middle of polygons whose corners are (n, k, 3)."""
    middle = corners.mean(axis=1)
    lon, lat = places(middle)
    vertex_lon, vertex_lat = places(corners)
    return Points.make(lon, lat, vertex_lon=vertex_lon, vertex_lat=vertex_lat, **more)


def icosahedron(cuts: int) -> Points:
    """Triangles of an icosahedron, each cut in four again and again; a vertex on either pole."""
    ring = np.deg2rad(72 * np.arange(5))
    low, up = np.arctan(0.5), np.pi / 5
    top = [np.cos(low) * np.cos(ring), np.cos(low) * np.sin(ring), np.full(5, np.sin(low))]
    under = [np.cos(low) * np.cos(ring + up), np.cos(low) * np.sin(ring + up), -top[2]]
    v = np.concatenate([[[0, 0, 1]], np.stack(top, -1), np.stack(under, -1), [[0, 0, -1]]])
    faces = []
    for i in range(5):
        j = (i + 1) % 5
        faces += [(0, 1 + i, 1 + j), (1 + i, 6 + i, 1 + j), (1 + j, 6 + i, 6 + j)]
        faces += [(11, 6 + j, 6 + i)]
    tri = v[np.array(faces)]
    for _ in range(cuts):
        a, b, c = tri[:, 0], tri[:, 1], tri[:, 2]
        ab, bc, ca = (x / np.linalg.norm(x, axis=1)[:, None] for x in (a + b, b + c, c + a))
        fours = [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
        tri = np.concatenate([np.stack(four, axis=1) for four in fours])
    return of_corners(tri)


def voronoi(n: int, seed: int = 0) -> Points:
    """Cells of random places: of 3 to about 10 corners, the last repeated."""
    seeds = np.random.default_rng(seed).normal(size=(n, 3))
    seeds /= np.linalg.norm(seeds, axis=1)[:, None]
    cells = SphericalVoronoi(seeds)
    cells.sort_vertices_of_regions()
    most = max(map(len, cells.regions))
    index = np.array([r + [r[-1]] * (most - len(r)) for r in cells.regions])
    (lon, lat), (across, along) = places(seeds), places(cells.vertices[index])
    return Points.make(lon, lat, vertex_lon=across, vertex_lat=along)


def rotated(spacing: float, tilt: float = 37.3) -> Points:
    """A grid in latitude and longitude whose pole lies elsewhere; its edges are great circles."""
    lat, lon = np.meshgrid(np.arange(-90, 90.1, spacing), np.arange(0, 360, spacing), indexing="ij")
    a, b = np.deg2rad(tilt), np.deg2rad(51.7)
    turn = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    turn = np.array([[np.cos(b), -np.sin(b), 0], [np.sin(b), np.cos(b), 0], [0, 0, 1]]) @ turn
    v = unit_vectors(lat, lon) @ turn.T
    east = np.roll(v, -1, axis=1)
    corners = np.stack([v[:-1], east[:-1], east[1:], v[1:]], axis=2)
    return of_corners(corners.reshape(-1, 4, 3))


def curvilinear() -> Points:
    """A tripolar-like grid: rows that sway, a cap of eight corners on each pole."""
    lat, lon = np.meshgrid(np.linspace(-80, 80, 15), np.arange(0, 360, 15.0), indexing="ij")
    lat = lat + 3 * np.sin(np.deg2rad(3 * lon)) * np.cos(np.deg2rad(lat)) ** 2
    lon = lon + 4 * np.sin(np.deg2rad(lat * 2))
    v = unit_vectors(lat, lon)
    east = np.roll(v, -1, axis=1)
    corners = np.stack([v[:-1], east[:-1], east[1:], v[1:]], axis=2).reshape(-1, 4, 3)
    caps = np.concatenate([v[-1][None], v[0][None]])
    pad = np.repeat(corners[:, -1:], caps.shape[1] - 4, axis=1)
    corners = np.concatenate([np.concatenate([corners, pad], axis=1), caps])
    points = of_corners(corners)
    lat_of = points.lat.copy()
    lat_of[-2:] = 90, -90
    return Points.make(
        points.lon, lat_of, vertex_lon=points.vertex_lon, vertex_lat=points.vertex_lat
    )


def reduced_gaussian() -> Points:
    """Rows of a reduced Gaussian grid by their corners, which do not meet those of the next row."""
    edges = np.rad2deg(np.arcsin(np.linspace(-1, 1, 13)))
    edges[[0, -1]] = -90, 90
    across, along = [], []
    for j in range(12):
        n = 12 + 4 * min(j, 11 - j)
        for i in range(n):
            west, east = (i - 0.5) * 360 / n, (i + 0.5) * 360 / n
            across.append([west, east, east, west])
            along.append([edges[j], edges[j], edges[j + 1], edges[j + 1]])
    lon, lat = np.array(across), np.array(along)
    return Points.make(lon.mean(axis=1), lat.mean(axis=1), vertex_lon=lon, vertex_lat=lat)


HOSTS: dict[str, Callable[[], Points]] = {
    "icosahedron": lambda: icosahedron(2),
    "voronoi": lambda: voronoi(150),
    "rotated": lambda: rotated(15.0),
    "rotated over the poles": lambda: rotated(15.0, 90.0),
    "curvilinear": curvilinear,
    "reduced gaussian": reduced_gaussian,
}
ALL = pytest.mark.parametrize("make", HOSTS.values(), ids=HOSTS)
GRIDS = pytest.mark.parametrize("grid", [globe(), turned()], ids=["globe", "turned"])


def owners(points: Points, grid: Grid, part: Part | None = None) -> np.ndarray:
    """Area that each point has of each cell: (n, cells), by maps of one cell at a time in 250."""
    n = grid.shape[0] * grid.shape[1]
    part = Part.whole(grid.shape) if part is None else part
    remap = remap_to(points, grid, part)
    found = np.zeros((points.n, n), np.int64)
    for begin in range(0, n, 250):
        numbers = np.full(n, 255, np.uint8)
        size = min(250, n - begin)
        numbers[begin : begin + size] = np.arange(size)
        areas = remap.class_areas(part.cut(numbers.reshape(grid.shape)), 250)
        found[:, begin : begin + size] = areas[:, :size]
    return found


def areas_of(grid: Grid) -> np.ndarray:
    return np.broadcast_to(grid.cell_area(), grid.shape).ravel()


def centres_of(grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    if grid.kind == "regular":
        lat, lon = np.meshgrid(grid.lat_deg, grid.lon_deg, indexing="ij")
        return lon.ravel(), lat.ravel()
    return grid.lon_deg.ravel(), grid.lat_deg.ravel()


def by_hand(points: Points, grid: Grid) -> np.ndarray:
    """Which cells' centres lie on the inner side of all edges of a convex polygon: (n, cells)."""
    lon, lat = centres_of(grid)
    place = unit_vectors(lat, lon)
    found = np.ones((points.n, lon.size), bool)
    for p in range(points.n):
        v = unit_vectors(points.vertex_lat[p], points.vertex_lon[p])
        middle = v.mean(axis=0)
        for one, two in zip(v, np.roll(v, -1, axis=0), strict=True):
            side = np.cross(one, two)
            if np.linalg.norm(side) > 1e-12:
                found[p] &= (place @ side) * (middle @ side) > 0
    return found


@ALL
@GRIDS
def test_a_mesh_of_the_earth_gives_each_cell_away_once(
    make: Callable[[], Points], grid: Grid
) -> None:
    found = owners(make(), grid)
    whole_cells = (found > 0) & (found == areas_of(grid))
    assert (whole_cells | (found == 0)).all()
    owned = whole_cells & (found.sum(axis=1) > 0)[:, None]
    holding = owned.sum(axis=0)
    assert (holding >= 1).all(), "a cell went to nobody"
    finer = [p for p in range(len(found)) if whole_cells[p].sum() == 1]
    without = np.delete(found, finer, axis=0)
    assert ((without > 0).sum(axis=0) <= 1).all(), "a cell went to two that are not finer"


@pytest.mark.parametrize("make", [lambda: icosahedron(0), lambda: voronoi(20)])
@GRIDS
def test_a_mesh_coarser_than_the_map_conserves_exactly(
    make: Callable[[], Points], grid: Grid
) -> None:
    found = owners(make(), grid)
    if grid.kind == "regular":
        assert np.array_equal(found.sum(axis=0), areas_of(grid))
    assert ((found > 0).sum(axis=0) == 1).all()


@pytest.mark.parametrize("name", ["voronoi", "rotated"])
@GRIDS
def test_polygons_hold_what_lies_on_the_inner_side_of_their_edges(name: str, grid: Grid) -> None:
    points = HOSTS[name]()
    expected = by_hand(points, grid)
    found = owners(points, grid) > 0
    some = expected.any(axis=1)
    assert some.sum() > 5 and np.array_equal(found[some], expected[some])


@ALL
def test_the_polygons_of_a_mesh_have_the_area_of_the_earth(make: Callable[[], Points]) -> None:
    area = polygons_of(make()).area_sr
    assert area.sum() == pytest.approx(4 * np.pi, rel=1e-12)


def test_areas_of_polygons_that_are_known() -> None:
    """An octant, a cap by its parallel, a rectangle of parallels and meridians, either way."""
    lon = np.array([[0, 90, 90, 0], [0, 90, 180, 270], [350, 10, 10, 350], [350, 350, 10, 10]])
    lat = np.array([[0, 0, 90, 90], [80, 80, 80, 80], [40, 40, 50, 50], [-40, -50, -50, -40]])
    cap = 2 * np.pi * (1 - np.sin(np.deg2rad(80)))
    band = np.deg2rad(20) * (np.sin(np.deg2rad(50)) - np.sin(np.deg2rad(40)))
    for way in (slice(None), slice(None, None, -1)):
        area = Polygons.make(lon[:, way], lat[:, way]).area_sr
        assert area == pytest.approx([np.pi / 2, cap, band, band], rel=1e-13)


@settings(max_examples=200)
@given(
    st.floats(-180, 180), st.floats(-1, 1), st.floats(1e-4, 1.4),
    st.lists(st.floats(0, 359), min_size=3, max_size=7, unique=True), st.booleans(),
)  # fmt: skip
def test_a_convex_polygon_anywhere_has_its_angles_area_and_holds_its_inside(
    lon: float, z: float, reach: float, around: list[float], backward: bool
) -> None:
    """Area by the sum of the angles (Girard), the inside by the sides of the edges."""
    around = sorted(around)
    gaps = np.diff([*around, around[0] + 360])
    if gaps.max() > 170 or gaps.min() < 1:
        return
    middle = unit_vectors(np.rad2deg(np.arcsin(z)), np.array(lon))
    one = np.cross(middle, [0.6, 0.0, 0.8] if abs(z) < 0.5 else [1.0, 0.0, 0.0])
    one /= np.linalg.norm(one)
    a = np.deg2rad(around)[:, None]
    v = np.cos(reach) * middle + np.sin(reach) * (
        np.cos(a) * one + np.sin(a) * np.cross(middle, one)
    )
    k = len(v)
    angles = 0.0
    for i in range(k):
        before, here, after = v[i - 1], v[i], v[(i + 1) % k]
        n, m = np.cross(here, before), np.cross(here, after)
        angles += np.arctan2(np.linalg.norm(np.cross(n, m)), n @ m)
    across, along = places(v[::-1] if backward else v)
    if (np.abs(np.diff(np.append(along, along[0]))) < 1e-6).any():
        return  # an edge of one latitude is a parallel
    polygon = Polygons.make(across[None], along[None])
    assert polygon.area_sr[0] == pytest.approx(angles - (k - 2) * np.pi, abs=2e-9)
    place = middle + 1.5 * np.sin(reach) * np.random.default_rng(0).normal(size=(500, 3))
    place /= np.linalg.norm(place, axis=1)[:, None]
    sides = np.array([place @ np.cross(v[i], v[(i + 1) % k]) for i in range(k)])
    sure = np.abs(sides).min(axis=0) > 1e-9
    held = polygon.hold(np.zeros(500, np.int64), *(whole(x) for x in places(place)))
    assert np.array_equal(held[sure], (sides > 0).all(axis=0)[sure])


@settings(max_examples=200)
@given(
    st.floats(-180, 180), st.floats(40, 90), st.booleans(), st.booleans(),
    st.lists(st.floats(0.05, 1.3), min_size=5, max_size=14), st.integers(0, 2**31),
)  # fmt: skip
def test_a_star_near_or_round_a_pole_holds_what_lies_between_its_middle_and_its_edges(
    lon: float, lat: float, south: bool, backward: bool, reaches: list[float], seed: int
) -> None:
    """By the triangles of the middle and each edge; some stars run back and forth in longitude."""
    middle = unit_vectors(np.array(-lat if south else lat), np.array(lon))
    one = np.cross(middle, [0.3, -0.9, 0.1])
    one /= np.linalg.norm(one)
    k = len(reaches)
    a, r = (2 * np.pi * np.arange(k) / k + 0.123)[:, None], np.array(reaches)[:, None]
    v = np.cos(r) * middle + np.sin(r) * (np.cos(a) * one + np.sin(a) * np.cross(middle, one))
    after = np.roll(v, -1, axis=0)
    across, along = places(v[::-1] if backward else v)
    if (np.abs(np.diff(np.append(along, along[0]))) < 1e-6).any():
        return  # an edge of one latitude is a parallel
    polygon = Polygons.make(across[None], along[None])
    place = np.random.default_rng(seed).normal(size=(2000, 3))
    place[:1000] = middle + 0.4 * place[:1000]
    place /= np.linalg.norm(place, axis=1)[:, None]
    sides = np.stack(
        [place @ np.cross(x, y).T for x, y in ((middle, v), (v, after), (after, middle))]
    )
    sure = np.abs(sides[1]).min(axis=1) > 1e-9
    inside = (sides[0] >= 0) & (sides[1] > 0) & (sides[2] > 0)
    held = polygon.hold(np.zeros(2000, np.int64), *(whole(x) for x in places(place)))
    assert np.array_equal(held[sure], inside.any(axis=1)[sure])
    grid = Grid.regular(88.0 - 4 * np.arange(45), -178.0 + 4 * np.arange(90), "four degrees")
    x, y = centres_of(grid)
    point = Points.make(
        *(w[None] for w in places(middle)), vertex_lon=across[None], vertex_lat=along[None]
    )
    found = owners(point, grid)[0] > 0
    by_pair = polygon.hold(np.zeros(x.size, np.int64), whole(x), whole(y))
    assert np.array_equal(found, by_pair) or not by_pair.any()


def test_centres_on_shared_edges_go_to_one_cell_each() -> None:
    """Squares whose edges run along rows and columns of centres, and their diagonals too."""
    west, south = np.meshgrid(np.arange(-175.0, 185.0, 20), np.arange(-85.0, 80.0, 10))
    west, south = west.ravel(), south.ravel()
    lower = np.stack([west, west + 20, west + 20, west + 20], axis=1)
    lower_lat = np.stack([south, south, south + 10, south + 10], axis=1)
    upper = np.stack([west, west + 20, west, west], axis=1)
    upper_lat = np.stack([south, south + 10, south + 10, south + 10], axis=1)
    lon, lat = np.concatenate([lower, upper]), np.concatenate([lower_lat, upper_lat])
    points = Points.make(
        lon[:, :3].mean(axis=1) - 360 * (lon[:, :3].mean(axis=1) > 360), lat[:, :3].mean(axis=1),
        vertex_lon=lon, vertex_lat=lat,
    )  # fmt: skip
    polygons = polygons_of(points)
    x, y = centres_of(globe())
    band = np.abs(y) < 80
    held = np.array(
        [polygons.hold(np.full(x.size, p), whole(x), whole(y)) for p in range(points.n)]
    )
    assert (held.sum(axis=0)[band] == 1).all()


def test_of_polygons_that_overlap_the_lowest_index_has_the_cells() -> None:
    lon = np.array([[-60.0, 60, 60, -60], [0, 100, 100, 0], [20, 30, 30, 20]])
    lat = np.array([[-41.0, -41, 41, 41], [-31, -31, 31, 31], [-11, -11, 11, 11]])
    for index in ([0, 1, 2], [5, 3, 4], [2, 0, 1], [7, 8, 2]):
        points = Points.make(
            np.array([0.0, 50, 25]), np.zeros(3), vertex_lon=lon, vertex_lat=lat,
            index=np.array(index),
        )  # fmt: skip
        x, y = centres_of(globe())
        inside = [
            (x > lon[p].min()) & (x < lon[p].max()) & (np.abs(y) < lat[p].max()) for p in range(3)
        ]
        expected = np.full(x.size, -1)
        for p in np.argsort(index)[::-1]:
            expected[inside[p]] = p
        found = owners(points, globe()) > 0
        for p in range(3):
            assert np.array_equal(found[p], expected == p), (index, p)


def test_corners_in_single_precision_still_give_each_cell_away_once() -> None:
    """Neighbours of a Voronoi mesh whose corners are each off by some metres overlap."""
    points, rng = voronoi(20, 3), np.random.default_rng(4)
    noisy = Points.make(
        points.lon, points.lat,
        vertex_lon=points.vertex_lon + rng.uniform(-0.05, 0.05, points.vertex_lon.shape),
        vertex_lat=np.clip(points.vertex_lat + rng.uniform(-0.05, 0.05, points.vertex_lat.shape),
                           -90, 90),
    )  # fmt: skip
    fine = Grid.regular(89.5 - np.arange(180), -179.5 + np.arange(360), "one degree")
    totals = remap_to(noisy, fine).class_areas(np.zeros(fine.shape, np.uint8), 1)
    assert 0.995 * SPHERE < totals.sum() <= SPHERE


@ALL
def test_longitudes_on_another_turn_give_the_same(make: Callable[[], Points]) -> None:
    points = make()
    other = Points.make(
        np.mod(points.lon, 360), points.lat,
        vertex_lon=np.mod(points.vertex_lon, 360), vertex_lat=points.vertex_lat[:, :],
    )  # fmt: skip
    assert np.array_equal(owners(points, globe()), owners(other, globe()))


@ALL
@GRIDS
def test_points_in_another_order_get_the_same(make: Callable[[], Points], grid: Grid) -> None:
    points = make()
    order = np.random.default_rng(1).permutation(points.n)
    assert np.array_equal(owners(points, grid)[order], owners(points.take(order), grid))


@ALL
def test_parts_of_the_globe_add_up_to_the_whole(make: Callable[[], Points]) -> None:
    points, grid = make(), globe()
    total = np.zeros((points.n, 648), np.int64)
    for top, bottom in ((0, 5), (5, 6), (6, 18)):
        for left, right in ((-7, 4), (4, 20), (20, 29)):
            total += owners(points, grid, Part(top, bottom, left, right, grid.shape))
    assert np.array_equal(total, owners(points, grid))


@ALL
def test_parts_of_a_projected_grid_add_up_to_the_whole(make: Callable[[], Points]) -> None:
    points, grid = make(), turned()
    total = np.zeros((points.n, 391), np.int64)
    for top, bottom in ((0, 9), (9, 23)):
        for left, right in ((0, 3), (3, 17)):
            total += owners(points, grid, Part(top, bottom, left, right, grid.shape))
    assert np.array_equal(total, owners(points, grid))


@GRIDS
def test_a_polygon_that_holds_no_centre_takes_the_cell_that_holds_its_own(grid: Grid) -> None:
    x, y = centres_of(grid)
    cell = 40
    lon, lat = x[cell] + 0.3 + np.array([0, 0.1, 0.1]), y[cell] + 0.3 + np.array([0, 0, 0.1])
    points = Points.make(
        lon.mean(keepdims=True), lat.mean(keepdims=True), vertex_lon=lon[None], vertex_lat=lat[None]
    )
    found = owners(points, grid)[0]
    assert found[cell] == areas_of(grid)[cell] and (found > 0).sum() == 1
    assert coverage(points, grid, found.sum(keepdims=True)).tolist() == [1.0]


def test_coverage_is_the_share_of_the_polygon_in_the_grid() -> None:
    """Cells of one degree; a square of eight, half of it beyond the region's edge."""
    grid = Grid.regular(49.5 - np.arange(20), 0.5 + np.arange(20), "region")
    lon = np.array([[-4.0, 4, 4, -4], [4, 12, 12, 4], [-40, -30, -30, -40]])
    lat = np.tile([36.0, 36, 44, 44], (3, 1))
    points = Points.make(lon.mean(axis=1), lat.mean(axis=1), vertex_lon=lon, vertex_lat=lat)
    totals = remap_to(points, grid).class_areas(np.zeros(grid.shape, np.uint8), 1).sum(axis=1)
    share = coverage(points, grid, totals)
    assert share == pytest.approx([0.5, 1.0, 0.0], abs=1e-9) and share[2] == 0


def test_a_polygon_that_is_not_served_gets_nothing_and_keeps_nothing() -> None:
    lon = np.array([[-60.0, 60, 60, -60], [0, 100, 100, 0]])
    lat = np.array([[np.nan, -41, 41, 41], [-31, -31, 31, 31]])
    points = Points.make(
        np.array([0.0, 50]), np.zeros(2), vertex_lon=lon, vertex_lat=lat,
        mask=np.array([False, True]),
    )  # fmt: skip
    found = owners(points, globe())
    assert not found[0].any() and (found[1] > 0).sum() == 10 * 6
    assert coverage(points, globe(), found.sum(axis=1))[0] == 0


def test_points_without_vertices_have_no_polygons() -> None:
    with pytest.raises(CouplingError, match="no vertices"):
        polygons_of(Points.make(np.zeros(1), np.zeros(1)))


def test_many_polygons_are_looked_at_some_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    points = voronoi(150)
    before = [owners(points, grid) for grid in (globe(), turned())]
    monkeypatch.setattr("landstep.coupling.remapping.scan.CROSSINGS_AT_ONCE", 60)
    monkeypatch.setattr("landstep.coupling.remapping.scan.POLYGONS_AT_ONCE", 7)
    for grid, expected in zip((globe(), turned()), before, strict=True):
        assert np.array_equal(owners(points, grid), expected)
