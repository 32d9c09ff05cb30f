"""Edges made for points that a file gives by their centres alone."""

import numpy as np
import pytest

from landstep.coupling.host_files.places import corners, from_axes, from_list, from_mesh


def test_edges_lie_midway_and_rows_run_as_the_file_does():
    """Two rows, north first, three columns: rows first, each cell around its centre."""
    points = from_axes(np.array([50.0, 48.0]), np.array([10.0, 11.0, 13.0]))
    assert points.lat.tolist() == [50.0] * 3 + [48.0] * 3
    assert points.lon.tolist() == [10.0, 11.0, 13.0] * 2
    assert points.lon_bounds[:3].tolist() == [[9.5, 10.5], [10.5, 12.0], [12.0, 14.0]]
    assert points.lat_bounds[[0, 3]].tolist() == [[49.0, 51.0], [47.0, 49.0]]


def test_a_globe_is_covered_once(rectangle_area):
    """T30 of SPEEDY, CLM's 4 x 5 degrees with centres at the poles: all areas sum to a sphere."""
    speedy = np.rad2deg(np.arcsin(np.polynomial.legendre.leggauss(48)[0]))[::-1]
    for lat, lon in (
        (speedy, np.arange(96) * 3.75),
        (np.linspace(-90, 90, 46), np.arange(72) * 5.0),
        (np.linspace(-89, 89, 90), np.arange(-180, 180, 2.0)),
    ):
        assert rectangle_area(from_axes(lat, lon)) == pytest.approx(4 * np.pi, rel=1e-12)


def test_columns_that_pass_the_date_line_or_run_westward():
    """Longitudes 178, 180, -178 are neighbours; so are they the other way round."""
    for lon in (np.array([178.0, 180.0, -178.0]), np.array([-178.0, 180.0, 178.0])):
        points = from_axes(np.array([0.0, 2.0]), lon)
        _, width, _, _ = points.rectangles()
        np.testing.assert_allclose(width, 2.0)


def test_a_single_point_has_no_edges():
    """A site: nothing says how large it is."""
    points = from_axes(np.array([51.971]), np.array([4.927]))
    assert points.n == 1 and points.lon_bounds is None


def test_rings_of_a_reduced_grid_are_covered_once(rectangle_area):
    """Four rings of 4, 8, 8, 4 points at a Gaussian grid's latitudes."""
    lat = np.repeat([59.4, 19.9, -19.9, -59.4], [4, 8, 8, 4])
    lon = np.concatenate([np.arange(n) * 360 / n for n in (4, 8, 8, 4)])
    points = from_list(lat, lon)
    assert points.lon_bounds[0].tolist() == [-45.0, 45.0]
    assert points.lat_bounds[0].tolist() == [(59.4 + 19.9) / 2, 90.0]
    assert rectangle_area(points) == pytest.approx(4 * np.pi, rel=1e-12)


@pytest.mark.parametrize(
    ("lat", "lon"),
    [
        ([50.0, 51.0, 49.0], [5.0, 6.0, 7.0]),  # sites
        ([50.0, 50.0, 49.0, 49.0], [0.0, 180.0, 0.0, 170.0]),  # a ring that is not even
        ([50.0, 50.0, 49.0, 49.0, 50.0, 50.0], [0.0, 180.0] * 3),  # latitudes that come back
        ([50.0, 50.0, 50.0], [0.0, 120.0, 240.0]),  # one ring says nothing of its width
    ],
)
def test_a_list_without_order_has_no_edges(lat, lon):
    """Nothing is made up for points that are no grid."""
    assert from_list(np.array(lat), np.array(lon)).lon_bounds is None


def test_the_land_of_a_grid_as_a_list_has_the_cells_of_the_grid(rectangle_area):
    """Half degrees of which a few are missing, as JULES keeps its land points."""
    lon, lat = (
        part.ravel() for part in np.meshgrid(np.arange(10.25, 14, 0.5), np.arange(40.25, 43, 0.5))
    )
    kept = np.random.default_rng(1).permutation(lon.size)[:40]
    points = from_list(lat[kept].astype(np.float32), lon[kept].astype(np.float32))
    assert points.lon_bounds is not None
    np.testing.assert_allclose(points.lon_bounds, lon[kept, None] + [[-0.25, 0.25]])
    np.testing.assert_allclose(points.lat_bounds, lat[kept, None] + [[-0.25, 0.25]])


def test_rows_of_a_gaussian_list_touch_midway():
    """They are not quite evenly spaced."""
    rows = np.rad2deg(np.arcsin(np.polynomial.legendre.leggauss(64)[0]))[20:24]
    lon, lat = (part.ravel() for part in np.meshgrid([0.0, 2.8125, 5.625], rows))
    points = from_list(lat[1:], lon[1:])
    middle = (rows[:-1] + rows[1:]) / 2
    assert set(points.lat_bounds[points.lat == rows[1]].ravel()) == set(middle[:2])
    assert points.lat_bounds[-1, 0] == middle[2]
    assert points.lat_bounds[-1, 1] - rows[3] == pytest.approx(1.395, abs=0.01)


def test_a_mesh_of_rows_and_columns_is_rectangles():
    """CTSM keeps both on two dimensions although the grid is regular."""
    lon, lat = np.meshgrid([0.0, 5.0, 10.0], [40.0, 44.0])
    points = from_mesh(lat, lon)
    assert points.lon_bounds[0].tolist() == [-2.5, 2.5]
    assert points.lat_bounds[0].tolist() == [38.0, 42.0]


def test_corners_of_a_bent_grid_lie_between_its_centres():
    """Near the equator the mean on the sphere is that of the degrees, to their curvature."""
    y, x = np.indices((4, 5), dtype=float)
    lat, lon = 0.01 * (y + 0.2 * x), 20 + 0.01 * (x - 0.2 * y)
    corner_lat, corner_lon = corners(lat, lon)
    yc, xc = np.indices((5, 6)) - 0.5
    np.testing.assert_allclose(corner_lat, 0.01 * (yc + 0.2 * xc), atol=1e-8)
    np.testing.assert_allclose(corner_lon, 20 + 0.01 * (xc - 0.2 * yc), atol=1e-8)


def test_cells_of_a_bent_grid_touch():
    """The right corners of a cell are the left ones of the next; the centre lies inside."""
    y, x = np.indices((3, 4), dtype=float)
    points = from_mesh(60 + 0.3 * y + 0.05 * x, 179 + 0.6 * x - 0.1 * y)
    assert points.vertex_lon.shape == (12, 4)
    assert points.vertex_lat[0, 1:3].tolist() == points.vertex_lat[1, [0, 3]].tolist()
    off = np.mod(points.vertex_lon - points.lon[:, None] + 180, 360) - 180
    assert (off.min(axis=1) < 0).all() and (off.max(axis=1) > 0).all()


def test_a_mesh_of_one_row_has_no_corners():
    """One row of a bent grid says nothing of its width."""
    lat = np.array([[50.0, 50.1, 50.3]])
    points = from_mesh(lat, np.array([[5.0, 6.0, 7.0]]))
    assert points.lon_bounds is None and points.vertex_lon is None
