"""Weight files of both formats, written here from overlaps that are known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import pytest

from landstep.coupling.points import Points
from landstep.coupling.remap import remap_to
from landstep.coupling.remapping.coverage import coverage
from landstep.coupling.remapping.weight_file import read_weights
from landstep.coupling.remapping.weights import parts_of_cells
from landstep.emulator.errors import CouplingError, InputError
from landstep.emulator.grid import AREA_UNIT_M2, EARTH_RADIUS_M, Grid
from landstep.emulator.netcdf import NetcdfFile, Variable, write_netcdf
from landstep.emulator.part import Part

K = 7
UNIT = AREA_UNIT_M2 / EARTH_RADIUS_M**2
FORMATS = pytest.mark.parametrize("kind", ["esmf", "scrip"])


def region() -> Grid:
    """5 rows and 7 columns of 2 degrees: 40..50 north, 170..184 east."""
    return Grid.regular(49.0 - 2 * np.arange(5), 171.0 + 2 * np.arange(7), "region")


def hosts() -> Points:
    """Cells of 3.1 by 2.7 degrees that cover the region; some reach beyond it."""
    lon, lat = 169.9 + 3.1 * np.arange(6), 39.7 + 2.7 * np.arange(5)
    across = np.array([(lon[i], lon[i + 1]) for _ in range(4) for i in range(5)])
    along = np.array([(lat[j], lat[j + 1]) for j in range(4) for _ in range(5)])
    return Points.make(across.mean(axis=1), along.mean(axis=1), across, along)


def numbers() -> np.ndarray:
    return np.random.default_rng(0).integers(0, K + 1, (5, 7)).astype(np.uint8)


def overlaps(points: Points) -> np.ndarray:
    """Area of each of the region's cells in each rectangle, steradians: (n, 5, 7)."""
    lat, lon = region().lat_edges(), region().lon_edges()
    south, north = points.lat_bounds.T[:, :, None]
    low, high = np.maximum(south, lat[None, 1:]), np.minimum(north, lat[None, :-1])
    sines = np.sin(np.deg2rad(np.maximum(high, low))) - np.sin(np.deg2rad(low))
    west, east = points.lon_bounds.T[:, :, None]
    width = np.minimum(east, lon[None, 1:]) - np.maximum(west, lon[None, :-1])
    return sines[:, :, None] * np.deg2rad(np.maximum(width, 0))[:, None, :]


def cell_sr() -> np.ndarray:
    return np.broadcast_to(region().cell_area() * UNIT, (5, 7)).ravel()


def contents(kind: str, **change: Any) -> dict[str, Any]:
    """What a file holds: overlaps (n, cells), areas and centres of both, south first or not."""
    points = hosts()
    lat, lon = np.meshgrid(region().lat_deg, region().lon_deg, indexing="ij")
    _, width, south, north = points.rectangles()
    sines = np.sin(np.deg2rad(north)) - np.sin(np.deg2rad(south))
    given = {
        "overlap": overlaps(points).reshape(points.n, -1),
        "source_area": cell_sr(),
        "target_area": sines * np.deg2rad(width),
        "source": (lat.ravel(), lon.ravel()),
        "target": (points.lat, points.lon),
        "dims": [7, 5],
        "normalization": "destarea",
        "units": "degrees",
    }
    return given | change


def write(path: Path, kind: str, drop: tuple[str, ...] = (), **change: Any) -> Path:
    """Write a weight file; values by the names of the format replace what is computed."""
    of = contents(kind, **{k: v for k, v in change.items() if k in contents(kind)})
    overlap, target_area = of["overlap"], of["target_area"]
    to, source = np.nonzero(overlap)
    fraction = overlap.sum(axis=1) / target_area
    by = {
        "destarea": target_area,
        "fracarea": target_area * fraction,
        "none": np.ones(target_area.size),
    }.get(of["normalization"], target_area)
    weight = overlap[to, source] / by[to]
    turn = np.pi / 180 if of["units"] == "radians" else 1.0
    esmf = kind == "esmf"
    a, b, s = ("n_a", "n_b", "n_s") if esmf else ("src_grid_size", "dst_grid_size", "num_links")
    dims = {a: overlap.shape[1], b: overlap.shape[0], s: weight.size, "num_wgts": 3, "rank": 2}
    if len(of["dims"]) == 1:
        dims["rank"] = 1
    names = {
        "weight": ("S", (s,)) if esmf else ("remap_matrix", (s, "num_wgts")),
        "row": ("row" if esmf else "dst_address", (s,)),
        "col": ("col" if esmf else "src_address", (s,)),
        "area_a": ("area_a" if esmf else "src_grid_area", (a,)),
        "area_b": ("area_b" if esmf else "dst_grid_area", (b,)),
        "frac_b": ("frac_b" if esmf else "dst_grid_frac", (b,)),
        "yc_a": ("yc_a" if esmf else "src_grid_center_lat", (a,)),
        "xc_a": ("xc_a" if esmf else "src_grid_center_lon", (a,)),
        "yc_b": ("yc_b" if esmf else "dst_grid_center_lat", (b,)),
        "xc_b": ("xc_b" if esmf else "dst_grid_center_lon", (b,)),
        "dims": ("src_grid_dims", ("rank",)),
    }
    values = {
        "weight": weight if esmf else np.stack([weight, 0 * weight, 0 * weight], axis=1),
        "row": (to + 1).astype(np.int32),
        "col": (source + 1).astype(np.int32),
        "area_a": of["source_area"],
        "area_b": target_area,
        "frac_b": fraction,
        "yc_a": np.asarray(of["source"][0]) * turn,
        "xc_a": np.asarray(of["source"][1]) * turn,
        "yc_b": np.asarray(of["target"][0]) * turn,
        "xc_b": np.asarray(of["target"][1]) * turn,
        "dims": np.array(of["dims"], np.int32),
    } | {k: v for k, v in change.items() if k in names and k not in of}
    variables = [
        Variable(*names[key], value, {"units": of["units"]} if key[1:3] == "c_" else {})
        for key, value in values.items()
        if key not in drop
    ]
    attrs = {} if of["normalization"] is None else {"normalization": of["normalization"]}
    write_netcdf(path, dims, variables, attrs)
    return path


def found(path: Path, points: Points | None = None) -> np.ndarray:
    points = hosts() if points is None else points
    remap = remap_to(points, region(), weights=read_weights(path, region()))
    return remap.class_areas(numbers(), K)


@FORMATS
@pytest.mark.parametrize("normalization", ["destarea", "fracarea", "none"])
def test_a_file_of_the_overlaps_gives_what_the_rectangles_give(
    tmp_path: Path, kind: str, normalization: str
) -> None:
    """The classes' sums to the last unit; each point's to one unit a cell that it shares."""
    path = write(tmp_path / "w.nc", kind, normalization=normalization)
    direct = remap_to(hosts(), region()).class_areas(numbers(), K)
    assert np.array_equal(found(path).sum(axis=0), direct.sum(axis=0))
    of_class = [region().cell_area()[np.nonzero(numbers() == k)[0], 0].sum() for k in range(K + 1)]
    assert found(path).sum(axis=0).tolist() == of_class
    # angles are counted in 1e-9 degrees of a cell of 2: 1e-9 of 4e13 units on each of four sides
    assert np.abs(found(path) - direct).max() < 2e6 < 1e-7 * direct.max()


@FORMATS
def test_a_file_of_whole_cells_gives_exactly_what_the_polygons_give(
    tmp_path: Path, kind: str
) -> None:
    points = hosts()
    (west, east), (south, north) = points.lon_bounds.T, points.lat_bounds.T
    polygons = Points.make(
        points.lon, points.lat, vertex_lon=np.stack([west, east, east, west], axis=1),
        vertex_lat=np.stack([south, south, north, north], axis=1),
    )  # fmt: skip
    lat, lon = (x.ravel() for x in np.meshgrid(region().lat_deg, region().lon_deg, indexing="ij"))
    inside = (lon >= west[:, None]) & (lon < east[:, None])
    inside &= (lat >= south[:, None]) & (lat < north[:, None])
    assert (inside.sum(axis=0) == 1).all() and (inside.sum(axis=1) > 0).sum() > 10
    whole = inside * cell_sr()
    area = np.maximum(whole.sum(axis=1), contents(kind)["target_area"])
    path = write(tmp_path / "w.nc", kind, overlap=whole, target_area=area)
    direct = remap_to(polygons, region()).class_areas(numbers(), K)
    some = inside.any(axis=1)
    assert np.array_equal(found(path)[some], direct[some])


@FORMATS
def test_a_file_that_runs_south_first_from_0_to_360_in_radians_is_the_same(
    tmp_path: Path, kind: str
) -> None:
    straight = found(write(tmp_path / "a.nc", kind))
    lat, lon = (
        x[::-1] for x in np.meshgrid(region().lat_deg, region().lon_deg % 360, indexing="ij")
    )
    flipped = overlaps(hosts())[:, ::-1].reshape(20, -1)
    areas = cell_sr().reshape(5, 7)[::-1].ravel()
    path = write(
        tmp_path / "b.nc", kind, overlap=flipped, source=(lat.ravel(), lon.ravel()),
        source_area=areas, units="radians",
    )  # fmt: skip
    assert np.array_equal(found(path), straight)


@FORMATS
def test_without_centres_the_order_is_the_map_s(tmp_path: Path, kind: str) -> None:
    path = write(tmp_path / "w.nc", kind, drop=("yc_a", "xc_a", "yc_b", "xc_b", "dims"))
    assert np.array_equal(found(path), found(write(tmp_path / "v.nc", kind)))


def test_a_list_of_cells_has_no_rows_to_compare(tmp_path: Path) -> None:
    assert found(write(tmp_path / "w.nc", "esmf", dims=[35])).any()


def test_the_order_of_the_links_does_not_matter(tmp_path: Path) -> None:
    points = hosts()
    to, source = np.nonzero(contents("esmf")["overlap"])
    weight = (contents("esmf")["overlap"] / contents("esmf")["target_area"][:, None])[to, source]
    order = np.random.default_rng(2).permutation(to.size)
    path = write(
        tmp_path / "w.nc", "esmf", weight=weight[order], row=(to + 1)[order].astype(np.float64),
        col=(source + 1)[order],
    )  # fmt: skip
    assert np.array_equal(found(path, points), found(write(tmp_path / "v.nc", "esmf")))


def test_points_are_found_by_their_index_and_parts_add_up(tmp_path: Path) -> None:
    weights = read_weights(write(tmp_path / "w.nc", "esmf"), region())
    every, order = hosts(), np.random.default_rng(3).permutation(20)[:13]
    mask = np.arange(13) != 4
    some = Points.make(every.lon[order], every.lat[order], index=order, mask=mask)
    whole = remap_to(every, region(), weights=weights).class_areas(numbers(), K)
    expected = np.where(mask[:, None], whole[order], 0)
    parts = [Part(0, 2, 0, 7, (5, 7)), Part(2, 5, 0, 3, (5, 7)), Part(2, 5, 3, 7, (5, 7))]
    total = sum(
        remap_to(some, region(), part, weights).class_areas(part.cut(numbers()), K)
        for part in parts
    )
    assert np.array_equal(total, expected)
    share = coverage(some, region(), expected.sum(axis=1), weights)
    rectangles = coverage(every, region(), whole.sum(axis=1))[order]
    assert share == pytest.approx(np.where(mask, rectangles, 0), abs=1e-8)


def test_without_areas_of_the_target_coverage_is_0_or_1(tmp_path: Path) -> None:
    path = write(tmp_path / "w.nc", "scrip", drop=("area_b",), normalization="none")
    weights = read_weights(path, region())
    totals = np.arange(20) % 2 * 5
    assert coverage(hosts(), region(), totals, weights).tolist() == [0.0, 1.0] * 10


def test_source_areas_that_are_missing_are_the_map_s_own(tmp_path: Path) -> None:
    path = write(tmp_path / "w.nc", "scrip", drop=("area_a",))
    assert np.array_equal(found(path).sum(axis=0), found(write(tmp_path / "v.nc", "scrip")).sum(0))


def test_an_esmf_file_that_names_no_normalization_has_destination_areas(tmp_path: Path) -> None:
    path = write(tmp_path / "w.nc", "esmf", normalization=None)
    assert np.array_equal(found(path), found(write(tmp_path / "v.nc", "esmf")))


def bilinear() -> np.ndarray:
    """Shares of each point among the four cells around it, as areas of the target."""
    given = np.zeros((20, 5, 7))
    for p, (lon, lat) in enumerate(zip(hosts().lon, hosts().lat, strict=True)):
        x, y = np.clip((lon - 171) / 2, 0, 5.999), np.clip((49 - lat) / 2, 0, 3.999)
        i, j = int(x), int(y)
        for dj, wy in ((0, 1 - y + j), (1, y - j)):
            for di, wx in ((0, 1 - x + i), (1, x - i)):
                given[p, j + dj, i + di] = wy * wx
    return given.reshape(20, -1) * contents("esmf")["target_area"][:, None]


@FORMATS
def test_bilinear_weights_do_not_conserve_and_are_refused(tmp_path: Path, kind: str) -> None:
    """The control: the bar that conservative weights meet is one that others do not."""
    path = write(tmp_path / "w.nc", kind, overlap=bilinear())
    with pytest.raises(InputError, match=r"gives away .* of the map's cell \d+, expected at most"):
        read_weights(path, region())


def test_half_of_what_is_there_stays_half_and_adds_up(tmp_path: Path) -> None:
    path = write(tmp_path / "w.nc", "esmf", overlap=contents("esmf")["overlap"] / 2)
    area = np.broadcast_to(region().cell_area(), (5, 7))
    weights = read_weights(path, region())
    per_cell = np.bincount(weights.cell, weights.area, 35).astype(np.int64)
    assert np.abs(per_cell - area.ravel() / 2).max() <= 1e-8 * area.max()
    assert weights.area.min() >= 0


def test_parts_add_up_for_any_shares() -> None:
    rng = np.random.default_rng(5)
    count = rng.integers(1, 30, 200)
    cell = np.repeat(np.arange(200), count)
    share = rng.uniform(0, 1, cell.size) ** 4
    share /= np.bincount(cell, share)[cell]
    area = rng.integers(1, 10**12, 200)
    part = parts_of_cells(cell, share, area, "here")
    assert part.min() >= 0
    total = np.zeros(200, np.int64)
    np.add.at(total, cell, part)
    assert np.array_equal(total, area)
    alone = np.rint(share * area[cell]).astype(np.int64)
    other = np.zeros(200, np.int64)
    np.add.at(other, cell, alone)
    assert not np.array_equal(other, area), "rounding one by one would do as well"


def refused(path: Path, text: str) -> None:
    with pytest.raises(InputError, match=text):
        read_weights(path, region())


def test_what_is_no_weight_file_is_refused(tmp_path: Path) -> None:
    write_netcdf(tmp_path / "w.nc", {"x": 2}, [Variable("t2m", ("x",), np.zeros(2))], {})
    refused(tmp_path / "w.nc", "neither S .* nor remap_matrix .* in it")


def test_a_file_that_does_not_say_how_many_cells_there_are_is_refused(tmp_path: Path) -> None:
    drop = ("area_b", "frac_b", "yc_b", "xc_b")
    refused(write(tmp_path / "w.nc", "esmf", drop=drop), "no variable on n_b, expected area_b")


@FORMATS
def test_a_file_of_another_source_grid_is_refused(tmp_path: Path, kind: str) -> None:
    path = write(tmp_path / "w.nc", kind, dims=[5, 7])
    refused(path, r"a grid of 35 cells \(5 x 7\), the map has 35 \(7 x 5\)")
    other = Grid.regular(49.0 - 2 * np.arange(4), 171.0 + 2 * np.arange(7), "other")
    with pytest.raises(InputError, match="a grid of 35 cells .* the map has 28"):
        read_weights(path, other)


@FORMATS
def test_cells_that_lie_elsewhere_are_refused(tmp_path: Path, kind: str) -> None:
    lat, lon = contents(kind)["source"]
    path = write(tmp_path / "w.nc", kind, source=(lat + 1.0, lon))
    refused(path, "source cell 1 at lon 171, lat 50 is no cell of the map")
    path = write(tmp_path / "v.nc", kind, source=(lat, np.where(lon == 173, np.nan, lon)))
    refused(path, "source cell 2 at lon nan")
    path = write(tmp_path / "u.nc", kind, source=(lat, np.where(lon == 175, 173, lon)))
    refused(path, "source cells 2 and 3 lie at the same place")


@pytest.mark.parametrize("wrong", [0.0, 36.0, np.nan])
def test_an_address_outside_the_source_grid_is_refused(tmp_path: Path, wrong: float) -> None:
    links = int((contents("esmf")["overlap"] > 0).sum())
    col = np.ones(links)
    col[2] = wrong
    refused(write(tmp_path / "w.nc", "esmf", col=col), "col is .* at link 2, expected 1 to 35")


def test_an_address_outside_the_target_grid_is_refused(tmp_path: Path) -> None:
    links = int((contents("scrip")["overlap"] > 0).sum())
    path = write(tmp_path / "w.nc", "scrip", row=np.full(links, 21))
    refused(path, "dst_address is 21 at link 0, expected 1 to 20")


@pytest.mark.parametrize("wrong", [-0.1, np.nan, np.inf])
def test_a_weight_that_is_negative_or_no_number_is_refused(tmp_path: Path, wrong: float) -> None:
    links = int((contents("esmf")["overlap"] > 0).sum())
    weight = np.full(links, 1e-3)
    weight[5] = wrong
    refused(write(tmp_path / "w.nc", "esmf", weight=weight), "S is .* at link 5, expected 0 or")


def test_weights_and_links_must_be_as_many(tmp_path: Path) -> None:
    path = write(tmp_path / "w.nc", "esmf")
    variables = [Variable("S", ("n",), np.ones(3))]
    for name, dim, size in (("row", "n_s", 4), ("col", "n_s", 4), ("area_a", "n_a", 35)):
        variables.append(Variable(name, (dim,), np.ones(size)))
    variables.append(Variable("area_b", ("n_b",), np.ones(20)))
    write_netcdf(path, {"n": 3, "n_s": 4, "n_a": 35, "n_b": 20}, variables, {})
    refused(path, "3 weights for 4 links")


def test_areas_of_another_size_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.nc"
    sizes = {"n_s": 4, "n_a": 35, "n_b": 20, "n": 19}
    variables = [Variable(name, ("n_s",), np.ones(4)) for name in ("S", "row", "col")]
    variables += [
        Variable("area_a", ("n_a",), np.ones(35)),
        Variable("area_b", ("n",), np.ones(19)),
    ]
    variables += [Variable("frac_b", ("n_b",), np.ones(20))]
    write_netcdf(path, sizes, variables, {})
    refused(path, "area_b has 19 values, expected 20")


def test_areas_that_are_0_as_in_files_that_do_not_conserve_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "w.nc", "esmf", area_b=np.zeros(20))
    refused(path, "area_b is missing or 0 at cell 1, expected above 0; make the weights conser")
    path = write(tmp_path / "v.nc", "esmf", area_a=np.zeros(35))
    refused(path, "area_a is missing or 0 at cell")
    path = write(tmp_path / "u.nc", "scrip", drop=("frac_b",), normalization="fracarea")
    refused(path, "dst_grid_frac is missing or 0 at cell 1")


@pytest.mark.parametrize("normalization", [None, "userarea"])
def test_a_normalization_that_is_none_is_refused(tmp_path: Path, normalization: str | None) -> None:
    path = write(tmp_path / "w.nc", "scrip", normalization=normalization)
    refused(path, f"normalization is {normalization!r}, expected one of")


def test_points_that_the_file_does_not_have_are_refused(tmp_path: Path) -> None:
    weights = read_weights(write(tmp_path / "w.nc", "esmf"), region())
    points = Points.make(hosts().lon, hosts().lat, index=np.arange(1, 21))
    with pytest.raises(CouplingError, match="made for 20 points, point 19 has index 20"):
        remap_to(points, region(), weights=weights)
    turned = Points.make(hosts().lon[::-1], hosts().lat[::-1])
    with pytest.raises(
        CouplingError, match=r"its cell 1 lies at lon 171.*, the point with index 0"
    ):
        remap_to(turned, region(), weights=weights)


# ---- files that no program should have written ----


@FORMATS
def test_weights_that_are_all_0_are_refused(tmp_path: Path, kind: str) -> None:
    path = write(tmp_path / "w.nc", kind)
    with NetcdfFile(path) as file:
        name = "S" if kind == "esmf" else "remap_matrix"
        zeros = np.zeros(file.shape(name))
    path = write(tmp_path / "v.nc", kind, weight=zeros)
    refused(path, f"v.nc: {name} is 0 at all [0-9]+ links")


@FORMATS
def test_a_target_cell_that_gets_more_than_it_has_is_refused(tmp_path: Path, kind: str) -> None:
    """Rows that sum to 1.1, though no cell of the map is given away more than once."""
    less = contents(kind)["target_area"].copy()
    less[7] /= 1.1
    path = write(tmp_path / "w.nc", kind, target_area=less, normalization="none")
    refused(path, "target cell 8 fill 1.1 of it .n=1 of 20 cells., expected at most 1")


@pytest.mark.parametrize("normalization", ["destarea", "fracarea"])
def test_a_row_that_sums_to_more_than_1_is_refused(tmp_path: Path, normalization: str) -> None:
    overlap = contents("esmf")["overlap"]
    to = np.nonzero(overlap)[0]
    path = write(tmp_path / "plain.nc", "esmf", normalization=normalization)
    with NetcdfFile(path) as file:
        weight, area = file.read("S"), file.read("area_a")
    weight = np.where(to == 3, weight * 2.5 / weight[to == 3].sum(), weight)
    path = write(tmp_path / "w.nc", "esmf", weight=weight, area_a=area * 10,
                 normalization=normalization)  # fmt: skip
    refused(path, "w.nc: the weights of target cell 4 fill ")


@FORMATS
@pytest.mark.parametrize("name", ["area_a", "area_b", "frac_b"])
@pytest.mark.parametrize("wrong", [np.inf, np.nan, -1.0])
def test_areas_that_are_no_areas_are_refused(
    tmp_path: Path, kind: str, name: str, wrong: float
) -> None:
    size = 35 if name == "area_a" else 20
    values = np.ones(size)
    values[11] = wrong
    path = write(tmp_path / "w.nc", kind, **{name: values}, normalization="fracarea")
    refused(path, f"w.nc: .*(area|frac).* is {wrong} at cell 12 .n=1 of {size}., expected 0 or")


@FORMATS
@pytest.mark.parametrize(("name", "wrong"), [("yc_b", np.nan), ("xc_b", np.inf), ("yc_b", 91.0)])
def test_centres_of_target_cells_that_are_no_places_are_refused(
    tmp_path: Path, kind: str, name: str, wrong: float
) -> None:
    values = np.zeros(20)
    values[4] = wrong
    refused(
        write(tmp_path / "w.nc", kind, **{name: values}), f"(lat|lon|_b).* is {wrong} at cell 5"
    )


def test_centres_of_source_cells_without_end_are_refused(tmp_path: Path) -> None:
    values = np.zeros(35)
    values[4] = np.inf
    refused(write(tmp_path / "w.nc", "esmf", xc_a=values), "xc_a is inf at cell 5")


@FORMATS
def test_cells_counted_from_0_are_refused_with_that_word(tmp_path: Path, kind: str) -> None:
    to, source = np.nonzero(contents(kind)["overlap"])
    path = write(tmp_path / "w.nc", kind, row=to, col=source)
    refused(path, "(address|col|row) is 0 at link [0-9]+, expected 1 to .*counted from 0")


@pytest.mark.parametrize("name", ["S", "row", "col", "area_a", "area_b", "yc_b"])
def test_text_where_numbers_belong_is_refused(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / "w.nc", "esmf")
    with netCDF4.Dataset(path, "r+") as file:
        dims = file[name].dimensions
        size = file[name].size
        file.renameVariable(name, "old")
        file.createVariable(name, str, dims)[:] = np.array(["x"] * size, object)
    refused(path, f"w.nc, {name}: holds text, expected")


@pytest.mark.parametrize("shape", [(), (4, 1, 1), (0,)])
def test_weights_of_another_shape_are_refused(tmp_path: Path, shape: tuple[int, ...]) -> None:
    """A damaged header may say anything: it is looked at before anything is read or computed."""
    path = tmp_path / "w.nc"
    dims = {f"d{place}": size for place, size in enumerate(shape)}
    variables = [Variable("S", tuple(dims), np.ones(shape), compress=None)]
    variables += [Variable(name, ("n_s",), np.ones(4)) for name in ("row", "col")]
    variables += [Variable("area_a", ("n_a",), np.ones(35))]
    variables += [Variable("area_b", ("n_b",), np.ones(20))]
    write_netcdf(path, dims | {"n_s": 4, "n_a": 35, "n_b": 20}, variables, {})
    refused(path, r"w.nc, S: shape \(.*\), expected \(links,\) with 1 link or more")


@FORMATS
@pytest.mark.parametrize("side", [0, 1])
def test_a_link_of_a_cell_that_the_file_masks_is_refused(
    tmp_path: Path, kind: str, side: int
) -> None:
    path = write(tmp_path / "w.nc", kind)
    name = (("mask_a", "mask_b"), ("src_grid_imask", "dst_grid_imask"))[kind == "scrip"][side]
    dim = (("n_a", "n_b"), ("src_grid_size", "dst_grid_size"))[kind == "scrip"][side]
    with netCDF4.Dataset(path, "r+") as file:
        mask = file.createVariable(name, "i4", (dim,))
        mask[:] = 1
        assert found_without_error(path, file)
        mask[8] = 0
    refused(path, f"w.nc: {name} is 0 at cell 9, yet link")


def found_without_error(path: Path, file: netCDF4.Dataset) -> bool:
    """A mask that leaves all cells in changes nothing."""
    file.sync()
    return bool(found(path).any())


def test_many_links_of_one_cell_take_no_longer_than_as_many_of_many() -> None:
    """A damaged address made one cell of all of them, and each step looked at all that were left:
    the sums are those of adding one after the other, bit for bit.
    """
    share = np.random.default_rng(3).random(200_000)
    share /= share.sum() * 1.0001
    cell, area = np.zeros(share.size, np.int64), np.array([10**15])
    parts = parts_of_cells(cell, share, area, "w.nc")
    running = np.rint(area[0] * np.cumsum(share)).astype(np.int64)
    assert np.array_equal(parts, np.diff(running, prepend=0))


def test_a_cell_is_given_away_whole_only_where_rounding_is_missing() -> None:
    """WHOLE is 1e-6: of a cell of which half a percent is nobody's, that half percent stays."""
    area = np.array([10**9])
    for given, expected in ((0.995, 995_000_000), (1 - 1e-5, 999_990_000), (1 - 5e-7, 10**9)):
        cell, share = np.zeros(2, np.int64), np.array([0.25, given - 0.25])
        assert parts_of_cells(cell, share, area, "w.nc").sum() == expected, given


def test_a_target_grid_without_end_is_refused(tmp_path: Path) -> None:
    """A size may be declared that nothing in the file has: 8 TiB of areas."""
    path = write(tmp_path / "w.nc", "esmf", drop=("area_b", "frac_b", "yc_b", "xc_b"))
    with netCDF4.Dataset(path, "r+") as file:
        file.setncattr("normalization", "none")
        file.createDimension("endless", 2**44)
        file.renameDimension("n_b", "n_b_old") if "n_b" in file.dimensions else None
        file.renameDimension("endless", "n_b")
        file.createVariable("frac_b", "f8", ("n_b",), zlib=True)
    with pytest.raises(InputError, match=str(2**44)):
        read_weights(path, region())
