import numpy as np
import pytest

from landstep.coupling.points import Points
from landstep.emulator.errors import CouplingError

LON, LAT = np.array([10.0, 350.0]), np.array([50.0, -20.0])
LON_BOUNDS = np.array([[9.0, 11.0], [349.0, 351.0]])
LAT_BOUNDS = np.array([[49.0, 51.0], [-21.0, -19.0]])


def refused(text: str, *arrays: np.ndarray, **bounds: np.ndarray) -> None:
    with pytest.raises(CouplingError, match=text):
        Points.make(*arrays, **bounds)


def test_big_endian_single_precision_and_strides_are_taken_as_the_same_numbers() -> None:
    lon = np.repeat(LON, 2).astype(">f4")[::2]
    points = Points.make(lon, LAT.astype(">f8"))
    assert np.array_equal(points.lon, LON) and points.lon.dtype == np.dtype("=f8")
    assert np.array_equal(points.lat, LAT) and points.lon.flags.c_contiguous


def test_no_points_at_all_are_a_list_of_points() -> None:
    assert Points.make(np.empty(0), np.empty(0)).n == 0


def test_lists_of_different_length_are_refused() -> None:
    refused("lon has 2 points, lat has 1", LON, LAT[:1])


def test_a_table_instead_of_a_list_is_refused() -> None:
    refused(r"lon has shape \(2, 1\), expected a flat list", LON[:, None], LAT)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, 91.0, -1e20])
def test_a_latitude_that_is_none_names_its_point(wrong: float) -> None:
    refused("lat is .* at point 1, expected -90 to 90", LON, np.array([0.0, wrong]))


def test_a_longitude_that_is_none_names_its_point() -> None:
    refused("lon is 1e.20 at point 0, expected -360 to 360", np.array([1e20, 0.0]), LAT)


def test_one_bound_without_the_other_is_refused() -> None:
    refused("lon_bounds without lat_bounds", LON, LAT, lon_bounds=LON_BOUNDS)
    refused("lat_bounds without lon_bounds", LON, LAT, lat_bounds=LAT_BOUNDS)


def test_bounds_of_another_shape_are_refused() -> None:
    refused(
        r"lon_bounds has shape \(2, 3\), expected \(2, 2\)",
        LON, LAT, lon_bounds=np.zeros((2, 3)), lat_bounds=LAT_BOUNDS,
    )  # fmt: skip


def test_bounds_that_are_no_place_on_earth_are_refused() -> None:
    bad = LAT_BOUNDS.copy()
    bad[1, 0] = np.nan
    refused("lat_bounds is nan at point 1", LON, LAT, lon_bounds=LON_BOUNDS, lat_bounds=bad)
    bad = LON_BOUNDS.copy()
    bad[0] = np.inf
    refused("lon_bounds is .* at point 0", LON, LAT, lon_bounds=bad, lat_bounds=LAT_BOUNDS)


def test_bounds_without_area_are_refused() -> None:
    flat = LAT_BOUNDS.copy()
    flat[1] = -20.0
    refused("point 1 hold no area", LON, LAT, lon_bounds=LON_BOUNDS, lat_bounds=flat)


def test_a_centre_outside_its_bounds_is_refused() -> None:
    refused(
        "point 0 lies outside its own bounds", LON, LAT,
        lon_bounds=LON_BOUNDS[::-1], lat_bounds=LAT_BOUNDS[::-1],
    )  # fmt: skip


def test_bounds_may_run_over_the_date_line_and_north_to_south() -> None:
    points = Points.make(
        np.array([180.0, 0.0]), LAT,
        lon_bounds=np.array([[179.0, -179.0], [-180.0, 180.0]]), lat_bounds=LAT_BOUNDS[:, ::-1],
    )  # fmt: skip
    west, width, south, north = points.rectangles()
    assert west.tolist() == [179.0, -180.0] and width.tolist() == [2.0, 360.0]
    assert south.tolist() == [49.0, -21.0] and north.tolist() == [51.0, -19.0]


def test_points_without_bounds_have_no_rectangles() -> None:
    with pytest.raises(CouplingError, match="no bounds"):
        Points.make(LON, LAT).rectangles()
