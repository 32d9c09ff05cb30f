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


VERTEX_LON = np.array([[9.0, 11.0, 11.0, 9.0], [349.0, 351.0, 350.0, 350.0]])
VERTEX_LAT = np.array([[49.0, 49.0, 51.0, 51.0], [-21.0, -21.0, -19.0, -19.0]])


def polygons(**change: np.ndarray) -> dict[str, np.ndarray]:
    return {"vertex_lon": VERTEX_LON, "vertex_lat": VERTEX_LAT} | change


def changed(values: np.ndarray, place: tuple[int, ...], value: float) -> np.ndarray:
    other = values.copy()
    other[place] = value
    return other


def test_everything_a_host_may_give_is_taken_as_it_is_needed() -> None:
    points = Points.make(
        LON, LAT, **polygons(), area_m2=np.array([1, 2], np.float32),
        index=np.array([7, 3], np.int32), mask=np.array([1, 0], np.int8),
    )  # fmt: skip
    assert points.area_m2.dtype == np.float64 and points.area_m2.tolist() == [1, 2]
    assert points.index.dtype == np.int64 and points.index.tolist() == [7, -1]
    assert points.mask.dtype == bool and points.mask.tolist() == [True, False]
    assert Points.make(LON, LAT).index.tolist() == [0, 1] and Points.make(LON, LAT).mask.all()


def test_one_coordinate_of_vertices_without_the_other_is_refused() -> None:
    refused("vertex_lon without vertex_lat", LON, LAT, vertex_lon=VERTEX_LON)
    refused("vertex_lat without vertex_lon", LON, LAT, vertex_lat=VERTEX_LAT)


def test_bounds_and_vertices_at_once_are_refused() -> None:
    refused("bounds and vertices: two shapes", LON, LAT, LON_BOUNDS, LAT_BOUNDS, **polygons())


def test_vertices_of_another_shape_are_refused() -> None:
    wrong = polygons(vertex_lon=VERTEX_LON[:, :2], vertex_lat=VERTEX_LAT[:, :2])
    refused(r"vertex_lon has shape \(2, 2\), expected \(2, k of 3 or more\)", LON, LAT, **wrong)
    wrong = polygons(vertex_lat=VERTEX_LAT[:, :3])
    refused(r"vertex_lat has shape \(2, 3\), expected \(2, 4\)", LON, LAT, **wrong)
    refused(r"vertex_lon has shape \(4, 2\)", LON, LAT, **polygons(vertex_lon=VERTEX_LON.T))


def test_vertices_that_are_no_place_on_earth_are_refused() -> None:
    wrong = polygons(vertex_lon=changed(VERTEX_LON, (1, 2), np.nan))
    refused("vertex_lon is nan at point 1, expected -360 to 720", LON, LAT, **wrong)
    wrong = polygons(vertex_lat=changed(VERTEX_LAT, (0, 0), -90.1))
    refused("vertex_lat is -90.1 at point 0, expected -90 to 90", LON, LAT, **wrong)


def test_polygons_without_area_are_refused() -> None:
    lon, lat = VERTEX_LON.copy(), VERTEX_LAT.copy()
    lon[1], lat[1] = 350, -20
    refused(
        r"vertices of point 1 hold no area: centre \(lon 350.0, lat -20.0\), vertices \(lon, lat\) "
        r"\(350, -20\)",
        LON, LAT, vertex_lon=lon, vertex_lat=lat,
    )  # fmt: skip
    lon[1], lat[1] = 350, [-21, -19, -20, -20]
    refused("vertices of point 1 hold no area", LON, LAT, vertex_lon=lon, vertex_lat=lat)


def test_an_edge_between_opposite_places_is_refused() -> None:
    lon, lat = VERTEX_LON.copy(), VERTEX_LAT.copy()
    lon[0], lat[0] = [10, 190, 190, 100], [50, -50, -50, 0]
    refused("an edge of point 0's polygon joins opposite", LON, LAT, vertex_lon=lon, vertex_lat=lat)
    lon[0], lat[0] = [10, 10, 100, 100], [90, -90, 0, 0]
    refused("an edge of point 0's polygon joins opposite", LON, LAT, vertex_lon=lon, vertex_lat=lat)


def test_a_centre_outside_its_polygon_is_refused_and_one_on_its_edge_is_not() -> None:
    refused("point 0 lies outside its own vertices", LON + [1.01, 0], LAT, **polygons())
    for off in (1.0, -1.0, 1.00005):
        assert Points.make(LON + [off, 0], LAT, **polygons()).n == 2
    refused("point 1 lies outside its own vertices", LON + [0, 0.96], LAT, **polygons())


@pytest.mark.parametrize("wrong", [0.0, -1.0, np.nan, np.inf])
def test_an_area_that_is_not_above_0_names_its_point(wrong: float) -> None:
    refused("area_m2 is .* at point 1, expected square", LON, LAT, area_m2=np.array([1.0, wrong]))


def test_lists_of_another_length_or_shape_are_refused() -> None:
    refused("area_m2 has 3 points, lon has 2", LON, LAT, area_m2=np.ones(3))
    refused(r"area_m2 has shape \(2, 1\)", LON, LAT, area_m2=np.ones((2, 1)))
    refused("index has 1 points, lon has 2", LON, LAT, index=np.array([1]))
    refused("mask has 3 points, lon has 2", LON, LAT, mask=np.ones(3, bool))
    refused(r"mask has shape \(1, 2\)", LON, LAT, mask=np.ones((1, 2), bool))


def test_a_mask_holds_0_and_1() -> None:
    refused("mask is 2 at point 1, expected 0 or 1", LON, LAT, mask=np.array([1, 2]))


def test_an_index_is_a_whole_number_from_0_and_there_once() -> None:
    refused("index -4 is|index is -4 at point 1", LON, LAT, index=np.array([0, -4]))
    refused("index has shape .* and type float64", LON, LAT, index=np.array([0.0, 1.0]))
    lon, lat = np.zeros(5), np.zeros(5)
    refused(
        "index 3 stands at point 1 and again at point 4", lon, lat, index=np.array([9, 3, 0, 7, 3])
    )


def test_of_a_point_that_is_not_served_nothing_else_is_looked_at() -> None:
    mask = np.array([False, True])
    for wrong in (
        polygons(vertex_lon=changed(VERTEX_LON, (0, 2), np.nan)),
        {"lon_bounds": changed(LON_BOUNDS, (0, 1), 1e20), "lat_bounds": LAT_BOUNDS},
        {"area_m2": np.array([0.0, 1.0])},
    ):
        with pytest.raises(CouplingError):
            Points.make(LON, LAT, **wrong)
        assert Points.make(LON, LAT, **wrong, mask=mask).n == 2
    refused(
        "point 1 lies outside its own bounds", LON + [0, 5], LAT, LON_BOUNDS, LAT_BOUNDS, mask=mask
    )


def equal(one: Points, two: Points) -> bool:
    first, second = one.to_arrays(), two.to_arrays()
    return first.keys() == second.keys() and all(
        np.array_equal(values, second[name]) for name, values in first.items()
    )


def test_points_of_several_ranks_come_together_in_order_of_their_index() -> None:
    rng = np.random.default_rng(0)
    lon, lat = rng.uniform(-180, 180, 30), rng.uniform(-80, 80, 30)
    whole = Points.make(
        lon, lat, vertex_lon=lon[:, None] + [-1, 1, 0, 0], vertex_lat=lat[:, None] + [-1, -1, 1, 1],
        area_m2=rng.uniform(1, 2, 30), mask=rng.random(30) < 0.7,
    )  # fmt: skip
    order = rng.permutation(30)
    ranks = [whole.take(order[a:b]) for a, b in ((0, 11), (11, 11), (11, 12), (12, 30))]
    triangles = ranks[2].to_arrays()
    for name in ("vertex_lon", "vertex_lat"):
        triangles[name] = triangles[name][:, :3]
    nobody = Points.make(np.empty(0), np.empty(0)).to_arrays()
    gathered = [ranks[0].to_arrays(), nobody, triangles, ranks[3].to_arrays()]
    assert equal(Points.together(gathered), whole.take(np.argsort(whole.index)))
    assert Points.together([nobody, nobody]).n == 0


def test_ranks_that_do_not_fit_each_other_are_refused() -> None:
    one = Points.make(LON, LAT).to_arrays()
    two = Points.make(LON, LAT, area_m2=np.ones(2), index=np.array([5, 6])).to_arrays()
    nobody = Points.make(np.empty(0), np.empty(0)).to_arrays()
    with pytest.raises(CouplingError, match=r"rank 2 gave \['area_m2', 'index'.*, rank 1"):
        Points.together([nobody, one, two])
    with pytest.raises(CouplingError, match="index 0 stands at point 0 and again at point 2"):
        Points.together([one, one])


def test_a_cell_all_round_may_begin_at_any_longitude() -> None:
    """152.6600631263538 + 360 less itself is not 360 in doubles."""
    west = np.array([152.6600631263538])
    bounds = np.stack([west, west + 360], axis=1)
    points = Points.make(np.array([0.0]), np.array([0.0]), bounds, np.array([[-1.0, 1.0]]))
    assert bounds[0, 1] - bounds[0, 0] != 360
    assert points.rectangles()[1].tolist() == [360.0]
    assert points.whole_rectangles()[1].tolist() == [360 * 10**9]


def test_points_are_not_the_callers_arrays() -> None:
    """Fault 96: a host may use its arrays for something else."""
    lon, lat, area = np.array([1.0, 2.0]), np.array([3.0, 4.0]), np.array([1e6, 1e6])
    index, mask = np.array([1, 0]), np.array([True, True])
    points = Points.make(lon, lat, area_m2=area, index=index, mask=mask)
    for array in (lon, lat, area, index, mask):
        array[...] = 0
    assert points.lon.tolist() == [1, 2] and points.lat.tolist() == [3, 4]
    assert points.area_m2 is not None and points.area_m2.tolist() == [1e6, 1e6]
    assert points.index.tolist() == [1, 0] and points.mask.all()


def test_a_masked_or_textual_array_is_no_list_of_points() -> None:
    """Fault 97, and fault 25: what is under a mask is no number."""
    plain = np.array([1.0, 2.0])
    masked = np.ma.array(plain, mask=[False, True])
    for name, given in {
        "lon": (masked, plain),
        "lat": (plain, masked),
    }.items():
        with pytest.raises(CouplingError, match=f"{name} is nan at point 1"):
            Points.make(*given)
    assert Points.make(plain, plain, area_m2=masked, mask=[1, 0]).n == 2, "it is not served"
    with pytest.raises(CouplingError, match="area_m2.* nan at point 1|area_m2.*point 1"):
        Points.make(plain, plain, area_m2=masked)
    with pytest.raises(CouplingError, match="mask is masked at point 1"):
        Points.make(plain, plain, mask=masked > 0)
    with pytest.raises(CouplingError, match="lon is <U1, expected real numbers"):
        Points.make(np.array(["a", "b"]), plain)
    with pytest.raises(CouplingError, match="lon: .*expected an array"):
        Points.make([[1.0], [2.0, 3.0]], plain)
