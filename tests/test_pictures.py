"""Pictures of a run: what is in a folder, what pixels show, what curves say, and the drawing."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from landstep.emulator.classes import MASKED, scheme
from landstep.emulator.errors import ConfigError, DependencyError, InputError
from landstep.emulator.netcdf import Variable, write_netcdf
from landstep.map_reading import STRIP, commonest, read_maps, strips
from landstep.plot_options import check_format, parse_region, parse_years
from landstep.run_maps import read_run, spans

OF = scheme("hilda8")
AREA = 2e6  # m2 of each cell, whatever its place: what is drawn are the file's own areas


def write_map(folder: Path, year: int, numbers: np.ndarray, **more: Any) -> Path:
    """Write what `landstep run` writes of a year, as far as pictures read it.

    numbers : (y, x) uint8 class numbers, MASKED where unknown
    more : lat, lon (1-D, or 2-D of a projected map); debt, in_map, in_forcing in m2; stepped; name;
        codes in place of those of the numbers; attributes that are other ones
    """
    ny, nx = numbers.shape
    lat = more.get("lat", 50 - (np.arange(ny) + 0.5) / 8)
    lon = more.get("lon", -4 + (np.arange(nx) + 0.5) / 8)
    y, x = ("lat", "lon") if lat.ndim == 1 else ("y", "x")
    codes = more.get("codes", OF.codes_from_numbers(numbers)).view(np.int8)
    areas = np.array([np.count_nonzero(numbers == k) * AREA for k in range(8)])
    groups = {"debt": more.get("debt", np.zeros(3))}
    groups |= {n: more[f"in_{n}"] for n in ("map", "forcing") if f"in_{n}" in more}
    if more.get("stepped"):
        groups |= {"asked": np.ones(3), "realised": np.ones(3)}
    days = (date(more.get("stored_year", year), 1, 1) - date(1850, 1, 1)).days
    variables = [
        Variable("time", ("time",), np.array([days], float), {"units": "days since 1850-01-01"}),
        Variable("lat", (y,) if lat.ndim == 1 else (y, x), lat, {"units": "degrees_north"}),
        Variable("lon", (x,) if lon.ndim == 1 else (y, x), lon, {"units": "degrees_east"}),
        Variable("land_use", ("time", y, x), codes[None], {}, fill=-1),
        Variable("class_area", ("time", "land_use_class"), more.get("areas", areas)[None], {}),
        *(
            Variable(f"group_area_{name}", ("time", "land_use_group"), values[None], {})
            for name, values in groups.items()
        ),
    ]
    dims = {"time": None, y: ny, x: nx, "land_use_group": 3}
    dims["land_use_class"] = more.get("areas", areas).size
    attributes = {"class_scheme": "hilda8", "model_sha256": "m", "grid_sha256": "g"}
    attributes |= more.get("attributes", {})
    path = folder / more.get("name", f"land_use_{year}.nc")
    write_netcdf(path, dims, variables, {k: v for k, v in attributes.items() if v})
    return path


def a_map(shape: tuple[int, int], seed: int) -> np.ndarray:
    """A map by chance: all classes, with unknown cells and a sea along the western edge."""
    rng = np.random.default_rng(seed)
    numbers = rng.integers(0, 8, shape).astype(np.uint8)
    numbers[rng.random(shape) < 0.05] = MASKED
    numbers[:, : shape[1] // 5] = 0
    return numbers


def changed(numbers: np.ndarray, seed: int) -> np.ndarray:
    """The same, with every fourth cell or so of another class that is not fixed."""
    rng = np.random.default_rng(seed)
    moved = (rng.random(numbers.shape) < 0.25) & (numbers > 0) & (numbers < 7)
    return np.where(moved, rng.integers(1, 7, numbers.shape), numbers).astype(np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run of 2015, 2016 and 2018 over 29 x 43 cells: urban land grows by a row each year."""
    numbers = np.full((29, 43), 4, np.uint8)
    numbers[:, :7] = 0
    for years_on, year in enumerate((2015, 2016, 2018)):
        grown = numbers.copy()
        grown[: 2 + years_on, 7:] = 1
        urban = 36 * (2 + years_on) * AREA
        write_map(
            tmp_path,
            year,
            grown,
            stepped=year > 2015,
            debt=np.array([1e6 * years_on, 0, 0]),
            in_map=np.array([urban, 0, 0]),
            in_forcing=np.array([1.1 * 72 * AREA + 3e6 * years_on, 0, 0]),
        )
    return tmp_path


# what is in a folder


def test_a_run_is_its_years_in_order(folder: Path) -> None:
    run = read_run(folder)
    assert run.years == (2015, 2016, 2018) and run.scheme is OF
    assert [of.stepped for of in run.maps] == [False, True, True]
    assert run.maps[1].class_area.tolist() == [29 * 7 * AREA, 108 * AREA, 0, 0, 936 * AREA, 0, 0, 0]
    assert [of.year for of in run.chosen(())] == [2015, 2016, 2018]
    assert [of.year for of in run.chosen((2018, 2015, 2018))] == [2015, 2018]
    with pytest.raises(InputError, match=r"no map of 2017; it has 2015 to 2016, 2018"):
        run.chosen((2015, 2017))


def test_the_default_is_first_middle_and_last(folder: Path) -> None:
    run = read_run(folder)
    many = replace(run, maps=tuple(replace(run.maps[0], year=y) for y in range(1850, 2101)))
    assert [of.year for of in many.chosen(())] == [1850, 1975, 2100]
    one = replace(run, maps=run.maps[:1])
    assert [of.year for of in one.chosen(())] == [2015]


def test_spans_name_runs_and_single_years() -> None:
    assert spans([1850, 1900, 1901, 1903, 1904, 1905]) == "1850, 1900 to 1901, 1903 to 1905"


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"attributes": {"model_sha256": "n"}}, "another run than land_use_2015.nc.*model_sha256"),
        ({"attributes": {"grid_sha256": "h"}}, "its grid_sha256 is h, not g"),
        ({"attributes": {"class_scheme": ""}}, "no attribute class_scheme"),
        ({"stored_year": 2031}, r"the years \[2031\], expected the one year in its name"),
        ({"areas": np.ones(5)}, r"class_area: is \(1, 5\), expected \(1, 8\)"),
    ],
)
def test_a_file_that_is_not_of_the_run_is_refused(
    folder: Path, more: dict[str, Any], says: str
) -> None:
    write_map(folder, 2030, np.full((29, 43), 4, np.uint8), **more)
    with pytest.raises(InputError, match=says):
        read_run(folder)


def test_a_file_without_areas_is_refused(folder: Path) -> None:
    time = Variable("time", ("time",), np.array([65379.0]), {"units": "days since 1850-01-01"})
    attributes = {"class_scheme": "hilda8", "model_sha256": "m", "grid_sha256": "g"}
    write_netcdf(folder / "land_use_2029.nc", {"time": 1}, [time], attributes)
    with pytest.raises(InputError, match="lacks class_area or group_area_debt"):
        read_run(folder)


def test_a_folder_without_maps_and_a_damaged_file_are_refused(folder: Path) -> None:
    (folder / "empty").mkdir()
    with pytest.raises(InputError, match="0 maps named land_use_YEAR.nc"):
        read_run(folder / "empty")
    whole = (folder / "land_use_2018.nc").read_bytes()
    (folder / "land_use_2018.nc").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"land_use_2018.nc.*damaged or incomplete"):
        read_run(folder)


# what pixels show


def brute_commonest(numbers: np.ndarray, block: tuple[int, int]) -> np.ndarray:
    """The same by counting each pixel's cells one by one."""
    ny, nx = numbers.shape
    rows = []
    for top in range(0, ny, block[0]):
        row = []
        for left in range(0, nx, block[1]):
            cells = numbers[top : top + block[0], left : left + block[1]].ravel().tolist()
            counts = Counter(cell for cell in cells if cell != MASKED)
            most = max(counts.values(), default=0)
            row.append(min((k for k, n in counts.items() if n == most), default=MASKED))
        rows.append(row)
    return np.array(rows, np.uint8)


@pytest.mark.parametrize("block", [(1, 1), (2, 3), (7, 5), (300, 2), (40, 60)])
def test_a_pixel_has_the_commonest_class_of_its_cells(
    tmp_path: Path, block: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("landstep.map_reading.STRIP", 13)
    numbers = a_map((37, 53), 1)
    path = write_map(tmp_path, 2000, numbers)
    part = slice(3, 36), slice(2, 53)
    (shown,), none = read_maps([(2000, path)], OF, part, block, block)
    assert np.array_equal(shown.classes, brute_commonest(numbers[part], block))
    assert shown.year == 2000 and none == []


@pytest.mark.parametrize("block", [(1, 1), (3, 2), (40, 60)])
def test_changes_are_counted_as_one_by_one(
    tmp_path: Path, block: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("landstep.map_reading.STRIP", 11)
    before = a_map((37, 53), 2)
    after = changed(before, 3)
    paths = [(y, write_map(tmp_path, y, n)) for y, n in ((2000, before), (2010, after))]
    _, (change,) = read_maps(paths, OF, (slice(0, 37), slice(0, 53)), (5, 5), block)
    land = (before != MASKED) & (before != 0) & (before != 7)
    moved = land & (before != after)
    assert (change.before, change.after) == (2000, 2010)
    assert (change.changed, change.land) == (moved.sum(), land.sum()) and moved.any()
    became = np.where(moved, after, MASKED).astype(np.uint8)
    assert np.array_equal(change.became, brute_commonest(became, block))
    for py, px in np.ndindex(change.share.shape):
        cells = tuple(slice(n * b, (n + 1) * b) for n, b in zip((py, px), block, strict=True))
        count = land[cells].sum()
        expected = moved[cells].sum() / count if count else np.nan
        assert np.array_equal(change.share[py, px], expected, equal_nan=True)


def test_a_cell_that_becomes_unknown_is_no_change(tmp_path: Path) -> None:
    before, after = (np.full((3, 4), 4, np.uint8) for _ in range(2))
    after[1, 2] = MASKED
    after[0, 0] = 2
    paths = [(y, write_map(tmp_path, y, n)) for y, n in ((2000, before), (2001, after))]
    _, (change,) = read_maps(paths, OF, (slice(0, 3), slice(0, 4)), (1, 1), (3, 4))
    assert change.changed == 1 and change.became.tolist() == [[2]]


def test_a_code_that_the_scheme_lacks_is_refused(tmp_path: Path) -> None:
    codes = OF.codes_from_numbers(np.full((6, 7), 4, np.uint8))
    codes[4, 5] = 45
    path = write_map(tmp_path, 2000, np.full((6, 7), 4, np.uint8), codes=codes)
    with pytest.raises(InputError, match=r"land_use_2000.nc, land_use: code 45 at row 4, column 5"):
        read_maps([(2000, path)], OF, (slice(0, 6), slice(0, 7)), (2, 2), (2, 2))


def test_strips_end_where_chunks_do() -> None:
    assert list(strips(slice(0, 2 * STRIP))) == [(0, STRIP), (STRIP, 2 * STRIP)]
    assert list(strips(slice(5, 9))) == [(5, 9)]
    found = list(strips(slice(STRIP - 1, 3 * STRIP + 2)))
    assert found[0] == (STRIP - 1, STRIP) and found[-1] == (3 * STRIP, 3 * STRIP + 2)
    assert len(found) == 4


def test_of_equals_the_first_class_is_taken() -> None:
    assert commonest(np.array([[0, 2, 0], [3, 2, 0]])).tolist() == [1, 0, MASKED]


# where it lies


def test_a_region_is_the_cells_whose_centres_lie_in_it(tmp_path: Path) -> None:
    from landstep.map_places import Box, find_place

    path = write_map(tmp_path, 2000, a_map((16, 40), 4))  # 50 to 48 north, -4 to 1 east
    whole = find_place(path)
    assert whole.extent == (-4, 1, 48, 50) and whole.size == (16, 40)
    assert whole.tall == pytest.approx(2 / (5 * np.cos(np.deg2rad(49))))
    assert [text for _, text in whole.x_ticks] == ["4°W", "2°W", "0°"]
    assert [text for _, text in whole.y_ticks] == ["48°N", "48.5°N", "49°N", "49.5°N", "50°N"]
    part = find_place(path, Box(48.4, 49, -3.99, -3))
    assert part.part == (slice(8, 13), slice(0, 8))
    assert part.extent == pytest.approx((-4, -3, 48.375, 49))
    with pytest.raises(ConfigError, match=r"no cell of the map, which covers 48:50,-4:1"):
        find_place(path, Box(-3, 4, -3, 0))


def test_a_projected_map_has_ticks_where_its_frame_passes_degrees(tmp_path: Path) -> None:
    """Cells 0.1 degrees high and 0.2 wide at the equator, sheared: a step down is 0.05 east."""
    from landstep.map_places import Box, find_place

    row, col = np.mgrid[0:21, 0:31].astype(float)
    lat, lon = 1 - 0.1 * row, 10 + 0.2 * col + 0.05 * row
    path = write_map(tmp_path, 2000, a_map((21, 31), 5), lat=lat, lon=lon)
    place = find_place(path)
    assert place.stretch == pytest.approx(np.hypot(0.1, 0.05) / 0.2, rel=1e-3)
    assert place.extent == (0, 31, 0, 21)
    at = {text: where for where, text in place.y_ticks}
    assert at["0°"] == pytest.approx(21 - 10.5) and at["0.5°N"] == pytest.approx(21 - 5.5)
    along = {text: where for where, text in place.x_ticks}  # the last row begins at 11 degrees
    assert along["12°E"] == pytest.approx(5.5) and along["16°E"] == pytest.approx(25.5)
    part = find_place(path, Box(-0.01, 0.11, 12, 13))
    assert part.part == (slice(9, 11), slice(8, 13))
    with pytest.raises(ConfigError, match="no cell of the map"):
        find_place(path, Box(50, 51, 12, 13))


def test_a_file_that_holds_no_single_map_is_refused(tmp_path: Path) -> None:
    from landstep.map_places import find_place

    path = tmp_path / "land_use_2000.nc"
    write_netcdf(path, {"x": 3}, [Variable("land_use", ("x",), np.zeros(3, np.int8))], {})
    with pytest.raises(InputError, match=r"land_use: is \(3,\), expected"):
        find_place(path)


@pytest.mark.parametrize(
    ("low", "high", "most", "expected"),
    [
        (-180, 180, 5, [-180, -90, 0, 90, 180]),
        (48.1, 49.9, 4, [48.5, 49, 49.5]),
        (-0.04, 0.11, 2, [0, 0.1]),
        (-180, 180, 1, [-180, -90, 0, 90, 180]),
    ],
)
def test_ticks_are_round(low: float, high: float, most: int, expected: list[float]) -> None:
    from landstep.map_places import degree_ticks

    assert degree_ticks(low, high, most) == pytest.approx(expected)


def test_degrees_are_written_with_their_letter() -> None:
    from landstep.map_places import degree_text

    written = [degree_text(v, "EW") for v in (-180.0, -30.5, -0.0, 7.25, 180.0)]
    assert written == ["180°", "30.5°W", "0°", "7.25°E", "180°"]
    assert degree_text(-12.0, "NS") == "12°S"


def test_a_curve_crosses_where_it_passes_and_not_where_it_jumps() -> None:
    from landstep.map_places import crossings

    assert crossings(np.array([0.0, 2.0, 1.0]), 1.5) == pytest.approx([0.75, 1.5])
    assert crossings(np.array([179.0, -179.0]), 0.0) == []


def test_pixels_are_cells_where_there_is_room_and_blocks_else() -> None:
    from landstep.map_layout import lay_out

    three = lay_out(3, 1.0)
    assert (three.columns, three.rows) == (3, 1) and three.block((300, 300)) == (1, 1)
    assert three.dpi((300, 300)) == 200 and 200 < three.dpi((700, 700)) < 400
    globe = lay_out(2, 0.5)
    assert (globe.columns, globe.rows) == (1, 2)
    down, across = globe.block((21600, 43200))
    assert 43200 / across <= globe.width * 400 < 43200 / (across - 1)
    assert 21600 / down <= globe.height * 400 < 21600 / (down - 1)
    assert lay_out(3, 0.5).above < 9


def test_a_frame_around_a_region_can_be_seen(tmp_path: Path) -> None:
    from landstep.map_pictures import framed
    from landstep.map_places import Box, find_place

    path = write_map(tmp_path, 2000, a_map((160, 400), 6))  # 50 to 30 north, -4 to 46 east
    whole = find_place(path)
    large = find_place(path, Box(35, 40, 6, 16))
    assert framed(whole, large) == pytest.approx((6, 16, 35, 40))
    small = find_place(path, Box(35, 35.1, 6, 6.1))
    west, east, south, north = framed(whole, small)
    assert (east - west, north - south) == pytest.approx((1, 0.4))


# what curves say


def test_a_group_follows_the_map_at_first_and_then_the_forcing(folder: Path) -> None:
    from landstep.area_pictures import apart_text
    from landstep.area_series import area_series, drawn_classes

    series = area_series(read_run(folder))
    urban = series.groups[0]
    assert series.years.tolist() == [2015, 2016, 2018]
    assert urban.in_map.tolist() == [144, 216, 288]
    assert urban.follows == pytest.approx([144, 147, 150])
    assert urban.since == 2015 and urban.apart == pytest.approx(0.1)
    assert urban.debt.tolist() == [0, 1, 2]
    assert apart_text(urban) == "in 2015 the forcing has 10 % more"
    assert apart_text(replace(urban, apart=-0.004)) == ""
    assert apart_text(series.groups[1]) == "" and np.isnan(series.groups[1].apart)
    assert drawn_classes(OF, series) == [1, 4] and not series.copied.any()


def test_without_the_forcing_the_classes_give_the_groups(tmp_path: Path) -> None:
    from landstep.area_series import area_series

    for year in (2015, 2016):
        write_map(tmp_path, year, a_map((9, 11), year))
    group = area_series(read_run(tmp_path)).groups[1]
    expected = [np.count_nonzero(a_map((9, 11), year) == 2) * 2.0 for year in (2015, 2016)]
    assert group.in_map.tolist() == expected
    assert group.since is None and np.isnan(group.follows).all()


def test_a_group_of_several_classes_has_a_panel_of_its_own(folder: Path, tmp_path: Path) -> None:
    from landstep.area_pictures import draw_areas
    from landstep.area_series import area_series
    from landstep.drawing import styled

    group = replace(OF.groups[0], name="all", classes=("urban", "forest"))
    run = read_run(folder)
    maps = tuple(replace(of, in_map=None) for of in run.maps)
    alone, several = run, replace(run, scheme=replace(OF, groups=(group,)), maps=maps)
    series = area_series(several)
    assert series.groups[0].in_map.tolist() == [29 * 36 * 2.0] * 3
    with styled():
        paths = [
            draw_areas(of.scheme, area_series(of), tmp_path / f"{name}.png", 100)
            for name, of in (("alone", alone), ("several", several))
        ]
    heights = [int.from_bytes(path.read_bytes()[20:24], "big") for path in paths]
    assert heights == [155 + 35, 2 * 155 + 35]


def test_copied_years_owe_nothing_and_are_no_steps(folder: Path) -> None:
    from landstep.area_pictures import copied_spans
    from landstep.area_series import area_series, copied_years

    start = read_run(folder).maps[0]
    owing = replace(start, debt=np.array([1.0, 0, 0]))
    stepped = replace(start, stepped=True)
    assert copied_years([start, stepped, owing]).tolist() == [False, False, False]
    assert copied_years([start, start, owing, stepped, start]).tolist() == [1, 1, 0, 0, 1]
    series = replace(
        area_series(read_run(folder)),
        years=np.array([2000, 2001, 2002, 2003]),
        copied=np.array([True, True, False, True]),
    )
    assert copied_spans(series) == [(2000, 2001), (2003, 2003)]


def test_a_still_class_looks_still() -> None:
    from landstep.area_series import shown_range

    assert shown_range(np.array([100.0, 100.1])) == pytest.approx((98.049, 102.051))
    assert shown_range(np.array([10.0, 20.0, np.nan])) == pytest.approx((9, 21))
    assert shown_range(np.zeros(3)) == (-1, 1)


def test_an_area_has_a_unit_in_which_it_reads_well() -> None:
    from landstep.area_pictures import unit_of

    assert [unit_of(km2)[0] for km2 in (0.0, 999.0, 1000.0, 2e7)] == [1, 1, 1e3, 1e6]


def test_a_share_has_two_digits_that_count() -> None:
    from landstep.change_pictures import percent

    shares = (0, 0.00041666, 0.0229, 0.123, 1.0)
    assert [percent(s) for s in shares] == ["0 %", "0.042 %", "2.3 %", "12 %", "100 %"]


def test_the_scale_of_shares_ends_at_a_round_number() -> None:
    from landstep.change_pictures import scale_top

    few = np.full((20, 50), 0.013)
    few[0, :3] = 0.9, np.nan, 0.0  # 1 of 998 pixels lies beyond
    assert scale_top([few, few]) == pytest.approx(0.02)
    assert scale_top([np.array([[0.2, np.nan]])]) == pytest.approx(0.2)
    assert scale_top([np.array([[0.85]])]) == 1 and scale_top([np.zeros((2, 2))]) == 1


def test_changes_lie_on_land_and_sea() -> None:
    from landstep.change_pictures import became_picture

    became = np.array([[1, MASKED, MASKED]], np.uint8)
    picture = became_picture(became, np.array([[0.5, 0.0, np.nan]]), OF)
    urban = [*bytes.fromhex(OF.colours[1].removeprefix("#"))]
    assert picture[0].tolist() == [urban, [247, 247, 247], [204, 204, 204]]


def test_a_line_stands_out_from_paper() -> None:
    from landstep.drawing import line_colour, luminance, rgb

    assert luminance((1.0, 1.0, 1.0)) == pytest.approx(1) and luminance((0, 0, 0)) == 0
    for name in ("hilda8", "hilda13", "sweden5", "brazil9"):
        for colour in scheme(name).colours:
            assert 1.05 / (luminance(line_colour(colour)) + 0.05) >= 3
    assert line_colour("#b2182b") == pytest.approx(tuple(rgb(["#b2182b"])[0]))


# the drawing


def test_pictures_of_a_run_and_of_a_region(folder: Path, tmp_path: Path) -> None:
    from landstep.pictures import draw_run

    out, seen = tmp_path / "a" / "b", []
    box = parse_region("48:49,-3:0")
    drawn = draw_run(folder, region=box, out=out, progress=lambda *n: seen.append(n))
    names = ["maps", "change", "class_areas", "maps_region", "change_region"]
    assert drawn == [out / f"{name}.png" for name in names]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in drawn)
    assert seen == [(29, 29, "rows of the maps"), (8, 8, "rows of the region")]
    first = {path: path.read_bytes() for path in drawn}
    draw_run(folder, region=box, out=out)
    assert {path: path.read_bytes() for path in drawn} == first


def test_a_map_too_fine_for_its_picture_shows_shares(tmp_path: Path) -> None:
    from landstep.change_pictures import change_layout
    from landstep.map_places import find_place
    from landstep.pictures import draw_run

    before = a_map((150, 9000), 7)
    lon = -170 + (np.arange(9000) + 0.5) / 30
    lat = 2 - (np.arange(150) + 0.5) / 30
    paths = [
        write_map(tmp_path, year, numbers, lat=lat, lon=lon)
        for year, numbers in ((2000, before), (2050, changed(before, 8)))
    ]
    assert change_layout(1, find_place(paths[0])).count == 2
    assert len(draw_run(tmp_path)) == 3


def test_a_projected_map_and_a_single_year_are_drawn(tmp_path: Path) -> None:
    from landstep.pictures import draw_run

    row, col = np.mgrid[0:21, 0:31].astype(float)
    where = {"lat": 60 - 0.1 * row - 0.02 * col, "lon": 10 + 0.2 * col + 0.05 * row}
    write_map(tmp_path, 2000, a_map((21, 31), 5), **where)
    assert [path.name for path in draw_run(tmp_path)] == ["maps.png"]
    write_map(tmp_path, 2001, a_map((21, 31), 6), **where)
    assert len(draw_run(tmp_path, region=parse_region("58:59,11:14"))) == 5


def test_a_pdf_holds_its_words_as_text(folder: Path) -> None:
    from landstep.pictures import draw_run

    for path in draw_run(folder, kind="pdf"):
        stored = path.read_bytes()
        assert stored.startswith(b"%PDF")
        assert b"/FontFile2" in stored


def test_the_users_own_style_changes_nothing(folder: Path) -> None:
    import matplotlib

    from landstep.pictures import draw_run

    plain = draw_run(folder)[2].read_bytes()
    with matplotlib.rc_context({"font.size": 30, "lines.linewidth": 9, "axes.grid": True}):
        assert draw_run(folder)[2].read_bytes() == plain
        assert matplotlib.rcParams["font.size"] == 30


def test_without_matplotlib_a_picture_says_how_to_get_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from landstep.pictures import draw_run

    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(DependencyError, match=r"pip install 'landstep\[plot\]'"):
        draw_run(folder)


def test_what_is_in_the_way_is_said_before_drawing(folder: Path, tmp_path: Path) -> None:
    from landstep.pictures import draw_run

    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match="cannot make the folder"):
        draw_run(folder, out=tmp_path / "file")
    with pytest.raises(ConfigError, match="no cell of the map"):
        draw_run(folder, region=parse_region("-9:-8,0:1"), out=tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_options_are_read_or_refused() -> None:
    assert parse_years("1850, 2015,2100") == [1850, 2015, 2100] and parse_years("") == []
    with pytest.raises(ConfigError, match="--years '2015:2020'"):
        parse_years("2015:2020")
    box = parse_region("-35:5.5,-75:-34")
    assert box is not None and (box.south, box.north, box.west, box.east) == (-35, 5.5, -75, -34)
    assert parse_region("") is None and str(box) == "-35:5.5,-75:-34"
    for text in ("1:2", "1:2,3", "a:b,1:2", "1:2:3,4:5", "1:2,3:4,5:6"):
        with pytest.raises(ConfigError, match="expected LAT_SOUTH:LAT_NORTH"):
            parse_region(text)
    for text in ("5:-5,0:1", "0:91,0:1", "0:1,170:-170", "nan:1,0:1"):
        with pytest.raises(ConfigError, match=f"--region '{text}': .*LAT_SOUTH:LAT_NORTH"):
            parse_region(text)
    assert check_format("pdf") == "pdf"
    with pytest.raises(ConfigError, match="--format 'jpg', expected one of png, pdf"):
        check_format("jpg")


@pytest.mark.parametrize(
    "backend", ["module://matplotlib_inline.backend_inline", "no_such_backend"]
)
def test_pictures_need_no_backend_of_the_users(folder: Path, tmp_path: Path, backend: str) -> None:
    """As in each shell that a notebook starts; `landstep doctor` says the same of pictures."""
    pytest.importorskip("matplotlib")
    out, said = tmp_path / "pictures", {}
    for command in (["plot", str(folder), "--out", str(out)], ["doctor"]):
        done = subprocess.run(
            [sys.executable, "-m", "landstep", *command],
            env={**os.environ, "MPLBACKEND": backend}, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr
        said[command[0]] = done.stdout
    assert list(out.glob("*.png"))
    assert re.search(r"^  ok +plot: ", said["doctor"], flags=re.M), said["doctor"]
