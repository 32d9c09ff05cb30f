"""From sources on other grids to an experiment: places, codes, gaps, errors, memory."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from landstep.__main__ import app
from landstep.data.prepare import prepare
from landstep.emulator.classes import scheme
from landstep.emulator.errors import ConfigError, InputError
from landstep.emulator.experiment import load_experiment
from landstep.emulator.inputs import open_inputs
from landstep.emulator.land_use import LandUse
from landstep.emulator.netcdf import NetcdfFile, Variable, write_netcdf
from landstep.emulator.output import time_axis

from .made_up_sources import axis, band_codes, centres, write_field, write_hilda, write_luh2

REGION = "49.5:51,-1:0.75"  # 180 x 210 cells, on both sides of Greenwich
TOML = """
name = "made up"
{model}
[land_use]
files = ["{land_use}"]
scheme = "hilda8"
variant = "{variant}"
[forcing]
files = ["history.nc", "scenario.nc"]
[statics]
elevation = "{elevation}"
soil_texture = "{soil_texture}"
climate_zone = "{climate_zone}"
{extra}
"""
DEFAULTS = {
    "model": "",
    "land_use": "hilda.nc",
    "variant": "states",
    "elevation": "topography.nc",
    "soil_texture": "soil.nc",
    "climate_zone": "zones.nc",
    "extra": "",
}


def island(lat, lon):
    """Land in an oval, with a lake of sea in it."""
    y, x = (lat[:, None] - 50.2) / 0.6, (lon[None] + 0.1) / 0.75
    return (y**2 + x**2 < 1) & (y**2 + x**2 > 0.02)


LAT, LON = centres(52, 49, 300), centres(-2, 2, 400)  # HILDA+ v2's 0.01 degrees
SOIL_LAT, SOIL_LON = centres(53, 48, 50), centres(-3, 3, 60)
HIGH_LAT, HIGH_LON = centres(54, 47, 28), centres(-4, 4, 32)
ZONE_LAT, ZONE_LON = centres(53.5, 48, 132), centres(-3, 2, 120)


def soil():
    """Soil where the island is, with holes."""
    draw = np.random.default_rng(2)
    codes = draw.integers(1, 8, (SOIL_LAT.size, SOIL_LON.size)).astype(np.float32)
    known = island(SOIL_LAT, SOIL_LON) & (draw.random(codes.shape) > 0.2)
    return np.where(known, codes, np.nan)


def height():
    return np.random.default_rng(3).uniform(0, 900, (HIGH_LAT.size, HIGH_LON.size)).astype("f4")


def zones():
    return np.random.default_rng(4).integers(1, 5, (ZONE_LAT.size, ZONE_LON.size)).astype(np.uint8)


@pytest.fixture
def folder(tmp_path):
    """Folder with all sources, north first and -180..180."""
    write_hilda(tmp_path / "hilda.nc", LAT, LON, [2013, 2014, 2015], land=island)
    write_luh2(tmp_path / "history.nc", range(2010, 2016))
    write_luh2(tmp_path / "scenario.nc", range(2015, 2020))
    write_field(tmp_path / "soil.nc", "soil_texture", SOIL_LAT, SOIL_LON, soil())
    write_field(tmp_path / "topography.nc", "elevation", HIGH_LAT, HIGH_LON, height(), units="m")
    write_field(tmp_path / "zones.nc", "climate_zone", ZONE_LAT, ZONE_LON, zones())
    return tmp_path


def sources(folder, name="sources.toml", **changes):
    path = folder / name
    path.write_text(TOML.format(**DEFAULTS | changes), "utf-8")
    return path


def read_all(out):
    """All arrays of both files by name."""
    arrays = {}
    for name in ("land_use.nc", "statics.nc"):
        with NetcdfFile(out / name) as file:
            arrays |= {variable: file.read(variable) for variable in file.names()}
    return arrays


def nearest(lat, lon, to_lat, to_lon):
    """Rows and columns of the nearest centres, by a search through all."""
    return (
        np.abs(lat[:, None] - to_lat).argmin(axis=0),
        np.abs(lon[:, None] - to_lon).argmin(axis=0),
    )


def test_codes_are_those_of_the_nearest_centre_in_the_wanted_years(folder):
    prepare(sources(folder), folder / "out", (2014, 2015), region=REGION)
    found = read_all(folder / "out")
    assert found["LULC_states"].shape == (2, 180, 210)
    assert np.allclose(found["lat"], centres(51, 49.5, 180), atol=1e-9, rtol=0)
    assert np.allclose(found["lon"], centres(-1, 0.75, 210), atol=1e-9, rtol=0)
    row, col = nearest(LAT, LON, found["lat"], found["lon"])
    land = island(LAT, LON)
    for step, year in enumerate((2014, 2015)):
        source = band_codes(LAT, LON, land, [year, 0])
        assert np.array_equal(found["LULC_states"][step], source[np.ix_(row, col)])
    assert not np.array_equal(found["LULC_states"][0], found["LULC_states"][1])


def test_the_result_opens_as_an_experiment_whose_sea_is_that_of_the_maps(folder, tiny_model):
    sources(folder, model=f'model = "{tiny_model}"')
    prepared = prepare(
        folder / "sources.toml", folder / "deep" / "out", (2015, 2015), region=REGION
    )
    inputs = open_inputs(load_experiment(prepared.path))
    assert inputs.land_use.years == (2015,) and inputs.forcing.years == (2010, 2019)
    assert np.array_equal(inputs.sea, inputs.land_use.map(2015) == 0)
    assert 0.2 < inputs.sea.mean() < 0.8
    elevation = inputs.statics.continuous["elevation"]
    assert (elevation[inputs.sea] == 0).all() and (elevation[~inputs.sea] != 0).any()
    for codes in inputs.statics.categories(2015).values():
        assert np.array_equal(codes == 0, inputs.sea)
    assert load_experiment(prepared.path).model_path() == tiny_model


def test_statics_are_the_nearest_code_or_lie_between_heights(folder):
    prepare(sources(folder), folder / "out", (2015, 2015), region=REGION)
    found = read_all(folder / "out")
    land = found["LULC_states"][0] > 0
    row, col = nearest(ZONE_LAT, ZONE_LON, found["lat"], found["lon"])
    assert np.array_equal(found["climate_zone"], np.where(land, zones()[np.ix_(row, col)], 0))
    y, x = (int(n) for n in np.argwhere(land)[1234])
    above = int(np.flatnonzero(HIGH_LAT > found["lat"][y])[-1])
    left = int(np.flatnonzero(HIGH_LON < found["lon"][x])[-1])
    down = (HIGH_LAT[above] - found["lat"][y]) / 0.25
    right = (found["lon"][x] - HIGH_LON[left]) / 0.25
    corner = height()[above : above + 2, left : left + 2].astype(np.float64)
    expected = [1 - down, down] @ corner @ [1 - right, right]
    assert found["elevation"][y, x] == pytest.approx(expected, abs=1e-3)


def test_a_gap_on_land_takes_a_nearest_value(folder):
    prepared = prepare(sources(folder), folder / "out", (2015, 2015), region=REGION)
    found = read_all(folder / "out")
    land, lat, lon = found["LULC_states"][0] > 0, found["lat"], found["lon"]
    row, col = nearest(SOIL_LAT, SOIL_LON, lat, lon)
    own = soil()[np.ix_(row, col)]
    known = ~np.isnan(own)
    assert np.array_equal(found["soil_texture"][land & known], own[land & known])
    gaps = np.argwhere(land & ~known)
    assert len(gaps) > 500
    assert f"soil_texture: {len(gaps)} cells of land" in prepared.notes[2]
    ky, kx = np.nonzero(known)
    for y, x in gaps[:: len(gaps) // 60]:
        a = np.sin(np.deg2rad(lat[ky] - lat[y]) / 2) ** 2
        b = np.sin(np.deg2rad(lon[kx] - lon[x]) / 2) ** 2
        apart = a + np.cos(np.deg2rad(lat[y])) * np.cos(np.deg2rad(lat[ky])) * b  # haversine
        best = own[ky, kx][apart <= apart.min() * (1 + 1e-9)]
        assert found["soil_texture"][y, x] in best


def test_far_from_all_values_the_nearest_of_the_file_is_taken(folder):
    codes = np.full((SOIL_LAT.size, SOIL_LON.size), np.nan, np.float32)
    codes[0, 0], codes[-1, -1] = 2, 5  # 52.95 N 2.95 W and 48.05 N 2.95 E
    write_field(folder / "soil.nc", "soil_texture", SOIL_LAT, SOIL_LON, codes)
    prepared = prepare(sources(folder), folder / "out", (2015, 2015), region=REGION)
    found = read_all(folder / "out")
    north = np.argwhere(found["LULC_states"][0] > 0)[0]
    assert found["soil_texture"][tuple(north)] == 2
    assert set(np.unique(found["soil_texture"])) == {0, 2, 5}
    assert re.search(
        r"(\d+) of them from farther than 0.5 degrees, .* [23]\d\d km", prepared.notes[2]
    )


def test_a_part_of_a_region_is_the_same_as_prepared_alone(folder):
    prepare(sources(folder), folder / "whole", (2015, 2015), region=REGION)
    prepare(sources(folder), folder / "part", (2015, 2015), region="49.75:50.5,-0.5:0.25")
    whole, part = read_all(folder / "whole"), read_all(folder / "part")
    rows, cols = slice(60, 150), slice(60, 150)
    for name in ("LULC_states", "elevation", "soil_texture", "climate_zone"):
        assert np.array_equal(whole[name][..., rows, cols], part[name], equal_nan=True), name


@pytest.mark.parametrize("turned", ["south", "east", "both"])
def test_rows_and_columns_in_another_order_give_the_same_bits(folder, turned):
    """The globe's columns from 0 to 360, the rows from the south."""
    lon = {name: centres(-180, 180, n) for name, n in (("h", 900), ("s", 360), ("e", 144))}
    draw = np.random.default_rng(8)
    codes = draw.choice([0, 11, 44], (1, LAT.size, 900)).astype(np.uint8)
    ground = draw.integers(0, 8, (SOIL_LAT.size, 360)).astype(np.uint8)
    hills = draw.uniform(0, 900, (HIGH_LAT.size, 144)).astype(np.float32)
    hills[draw.random(hills.shape) < 0.1] = np.nan

    def write(where, south, east):
        def put(lat, lon, field):
            if south:
                lat, field = lat[::-1], field[..., ::-1, :]
            if east:
                lon, field = np.roll(lon % 360, lon.size // 2), np.roll(field, lon.size // 2, -1)
            return lat, lon, np.ascontiguousarray(field)

        where.mkdir()
        for name in ("history.nc", "scenario.nc", "zones.nc"):
            (where / name).symlink_to(folder / name)
        lat_now, lon_now, now = put(LAT, lon["h"], codes)
        write_netcdf(
            where / "hilda.nc",
            {"time": 1, "lat": lat_now.size, "lon": lon_now.size},
            [
                time_axis([2015]), axis("lat", lat_now), axis("lon", lon_now),
                Variable("LULC_states", ("time", "lat", "lon"), now),
            ],
            {},
        )  # fmt: skip
        write_field(where / "soil.nc", "soil_texture", *put(SOIL_LAT, lon["s"], ground))
        write_field(where / "topography.nc", "elevation", *put(HIGH_LAT, lon["e"], hills))
        prepare(sources(where), where / "out", (2015, 2015), region=REGION)
        return read_all(where / "out")

    usual = write(folder / "usual", south=False, east=False)
    other = write(folder / "other", south=turned != "east", east=turned != "south")
    for name, field in usual.items():
        assert np.array_equal(field, other[name], equal_nan=True), name
    assert np.isfinite(usual["elevation"]).any() and len(np.unique(usual["soil_texture"])) == 8


def test_what_the_file_marks_as_missing_is_no_data_and_counts_as_land(folder):
    maps = np.full((1, LAT.size, LON.size), 44, np.int8)
    maps[:, :150] = -7
    write_netcdf(
        folder / "hilda.nc",
        {"time": 1, "lat": LAT.size, "lon": LON.size},
        [
            time_axis([2015]), axis("lat", LAT), axis("lon", LON),
            Variable("LULC_states", ("time", "lat", "lon"), maps, fill=-7),
        ],
        {"phase": "01-01"},
    )  # fmt: skip
    prepare(sources(folder), folder / "out", (2015, 2015), region=REGION)
    land_use = LandUse.open(
        folder / "out" / "land_use.nc", scheme=scheme("hilda8"), variant="states"
    )
    assert set(np.unique(land_use.map(2015)[:60])) == {255}
    assert set(np.unique(land_use.map(2015)[61:])) == {4}
    assert (read_all(folder / "out")["soil_texture"] > 0).all()


def test_a_coast_that_moves_is_told_and_is_land_in_the_statics(folder):
    maps = np.full((2, LAT.size, LON.size), 44, np.uint8)
    maps[0, :150] = 0  # sea north of 50.5 in the first year only
    write_netcdf(
        folder / "hilda.nc",
        {"time": 2, "lat": LAT.size, "lon": LON.size},
        [
            time_axis([2014, 2015]), axis("lat", LAT), axis("lon", LON),
            Variable("LULC_states", ("time", "lat", "lon"), maps),
        ],
        {},
    )  # fmt: skip
    prepared = prepare(sources(folder), folder / "out", (2014, 2015), region=REGION)
    assert prepared.notes[0] == f"land: {180 * 210} cells"
    assert prepared.notes[1].startswith(f"coast: {60 * 210} cells are land in some years")
    assert (read_all(folder / "out")["climate_zone"] > 0).all()
    assert f"# {prepared.notes[1]}\n" in prepared.path.read_text("utf-8")


def _no_land(folder):
    write_hilda(folder / "hilda.nc", LAT, LON, [2015], land=lambda lat, lon: np.zeros((1, 1), bool))


def _unknown_code(folder):
    maps = np.full((1, LAT.size, LON.size), 44, np.uint8)
    maps[0, 150:152, 200:202] = 46
    write_netcdf(
        folder / "hilda.nc",
        {"time": 1, "lat": LAT.size, "lon": LON.size},
        [
            time_axis([2015]), axis("lat", LAT), axis("lon", LON),
            Variable("LULC_states", ("time", "lat", "lon"), maps),
        ],
        {},
    )  # fmt: skip


def _other_day(folder):
    write_netcdf(
        folder / "hilda.nc",
        {"time": 1, "lat": LAT.size, "lon": LON.size},
        [
            time_axis([2015]), axis("lat", LAT), axis("lon", LON),
            Variable("LULC_states", ("time", "lat", "lon"), np.full((1, 300, 400), 44, np.uint8)),
        ],
        {"phase": "07-01"},
    )  # fmt: skip


def _field(name, variable, lat, lon, values, **attrs):
    return lambda folder: write_field(folder / name, variable, lat, lon, values, **attrs)


@pytest.mark.parametrize(
    ("spoil", "error", "words"),
    [
        (_no_land, InputError, r"hilda\.nc: no land in the region"),
        (_unknown_code, InputError, r"hilda\.nc, LULC_states, year 2015, south of 51\.00 degrees"
         r" north: code 46 .* is not in scheme hilda8"),
        (_other_day, InputError, r"history\.nc: states are of 01-01, the maps of 07-01"),
        (_field("soil.nc", "soil_texture", SOIL_LAT, SOIL_LON, soil() + 0.5), InputError,
         r"soil\.nc, soil_texture: .* expected whole numbers 0 to 7"),
        (_field("soil.nc", "soil_texture", SOIL_LAT, SOIL_LON, zones()[:50, :60] + np.uint8(7)),
         InputError, r"soil\.nc, soil_texture: .* expected whole numbers 0 to 7"),
        (_field("soil.nc", "soil_texture", SOIL_LAT, SOIL_LON, soil() * np.nan), InputError,
         r"soil\.nc, soil_texture: has no value anywhere"),
        (_field("soil.nc", "slt", SOIL_LAT, SOIL_LON, soil()), InputError,
         r"soil\.nc: soil_texture not in it; has .*'slt'"),
        (_field("soil.nc", "soil_texture", SOIL_LAT, SOIL_LON[:30], soil()[:, :30]), InputError,
         r"soil\.nc, soil_texture: has cells in .* expected all of the region 49\.5:51,-1:0\.75"),
        (_field("topography.nc", "elevation", HIGH_LAT, HIGH_LON, height(), units="m**2 s**-2"),
         InputError, r"topography\.nc, elevation: units 'm\*\*2 s\*\*-2', expected 'm'"),
        (_field("topography.nc", "elevation", HIGH_LAT, HIGH_LON, height() * 20), InputError,
         r"topography\.nc, elevation: elevation \S+ in \d+ or more cells, expected -500 to 9000 m"),
        (_field("zones.nc", "climate_zone", ZONE_LAT + 10, ZONE_LON, zones()), InputError,
         r"zones\.nc, climate_zone: has cells in 58"),
        (lambda folder: write_luh2(folder / "scenario.nc", range(2018, 2020)), InputError,
         r"scenario\.nc: begins in 2018, but history\.nc ends in 2015"),
        (lambda folder: [write_luh2(folder / f"{name}.nc", [year], lat=np.array([50.0, 49.75]),
                                    lon=np.array([0.0, 0.25]))
                         for name, year in (("history", 2015), ("scenario", 2016))], InputError,
         r"history\.nc: does not cover the map"),
    ],
)  # fmt: skip
def test_sources_that_cannot_be_are_refused_by_name(folder, spoil, error, words):
    spoil(folder)
    with pytest.raises(error, match=words):
        prepare(sources(folder), folder / "out", (2015, 2015), region=REGION)
    assert not (folder / "out" / "experiment.toml").exists()
    assert not list(folder.glob("out/.*"))


@pytest.mark.parametrize(
    ("years", "region", "changes", "words"),
    [
        ((2012, 2015), REGION, {}, r"hilda\.nc: no map of 2012, wanted 2012:2015"),
        ((2015, 2014), REGION, {}, "years 2015:2014, expected the first one first"),
        ((2015, 2015), "49:53,-1:1", {}, r"hilda\.nc, LULC_states: has cells in 49\.005:51\.995"),
        ((2015, 2015), REGION, {"variant": "v3"}, r"hilda\.nc: variant 'v3' is not one of"),
        ((2015, 2015), REGION, {"extra": "[landuse]"}, "unknown key 'landuse'"),
        ((2015, 2015), REGION, {"land_use": 'hilda.nc", "hilda.nc'}, "has a map of 2015, and so"),
        ((2015, 2015), REGION, {"land_use": "soil.nc", "extra": ""}, "LULC_states not in it"),
        ((2015, 2015), REGION, {"land_use": "hilda_2015.tif"}, "of which year is this map"),
        ((2015, 2015), REGION, {"land_use": "none/hilda_{year}.tif"}, "no map of 2015"),
    ],
)
def test_wishes_that_cannot_be_met_are_refused(folder, years, region, changes, words):
    with pytest.raises((ConfigError, InputError), match=words):
        prepare(sources(folder, **changes), folder / "out", years, region=region)
    assert not (folder / "out" / "experiment.toml").exists()


def test_the_variant_must_be_declared(folder):
    path = sources(folder)
    path.write_text(path.read_text("utf-8").replace('variant = "states"', ""), "utf-8")
    with pytest.raises(ConfigError, match=r"sources\.toml: key 'land_use\.variant' is missing"):
        prepare(path, folder / "out", (2015, 2015), region=REGION)


def test_missing_heights_count_for_nothing(folder):
    """Of coarse cells by interpolation, of fine ones by averaging: 300 m stays 300 m."""
    coarse = np.full((HIGH_LAT.size, HIGH_LON.size), 300, np.float32)
    coarse[np.random.default_rng(9).random(coarse.shape) < 0.4] = np.nan
    lat, lon = centres(51.5, 49, 900), centres(-1.5, 1, 900)  # 1/360 degree
    fine = np.full((900, 900), 300, np.float32)
    fine[np.random.default_rng(9).random(fine.shape) < 0.4] = np.nan
    for name, places, values in (
        ("coarse", (HIGH_LAT, HIGH_LON), coarse),
        ("fine", (lat, lon), fine),
    ):
        write_field(folder / "topography.nc", "elevation", *places, values, units="m")
        prepare(sources(folder), folder / name, (2015, 2015), region=REGION)
        heights = read_all(folder / name)["elevation"]
        land = np.isfinite(heights)
        assert land.any() and np.allclose(heights[land], 300, rtol=0, atol=1e-3)


def test_a_wrong_unit_attribute_may_be_overruled(folder):
    spoil = _field("topography.nc", "elevation", HIGH_LAT, HIGH_LON, height(), units="m**2 s**-2")
    spoil(folder)
    path = sources(folder, extra='elevation_unit = "m"')
    prepare(path, folder / "out", (2015, 2015), region=REGION)
    assert 0 <= np.nanmin(read_all(folder / "out")["elevation"]) < 900


def test_a_folder_that_holds_an_experiment_or_cannot_be_made_is_refused(folder):
    prepare(sources(folder), folder / "out", (2015, 2015), region=REGION)
    with pytest.raises(ConfigError, match=r"out: holds an experiment\.toml already"):
        prepare(sources(folder), folder / "out", (2014, 2014), region=REGION)
    with pytest.raises(InputError, match=r"soil\.nc/out: cannot be made"):
        prepare(sources(folder), folder / "soil.nc" / "out", (2015, 2015), region=REGION)


def test_maps_of_several_files_join_and_must_be_of_one_day(folder):
    write_hilda(folder / "more.nc", LAT, LON, [2016], land=island)
    path = sources(folder, land_use='more.nc", "hilda.nc')
    prepare(path, folder / "out", (2014, 2016), region=REGION)
    with NetcdfFile(folder / "out" / "land_use.nc") as file:
        assert file.years().tolist() == [2014, 2015, 2016]
    write_netcdf(
        folder / "more.nc",
        {"time": 1, "lat": 300, "lon": 400},
        [
            time_axis([2016]), axis("lat", LAT), axis("lon", LON),
            Variable("LULC_states", ("time", "lat", "lon"), np.full((1, 300, 400), 44, np.uint8)),
        ],
        {"phase": "07-01"},
    )  # fmt: skip
    with pytest.raises(InputError, match=r"different days .*hilda\.nc: 01-01"):
        prepare(path, folder / "again", (2014, 2016), region=REGION)
    write_field(folder / "more.nc", "LULC_states", LAT, LON, np.zeros((300, 400), np.uint8))
    with pytest.raises(InputError, match=r"dims \('lat', 'lon'\), expected \(time"):
        prepare(path, folder / "again", (2014, 2016), region=REGION)


def test_killed_at_any_point_no_half_file_stands_at_a_final_name(folder):
    path = sources(folder)
    program = (
        "import os, signal, sys\nfrom pathlib import Path\n"
        "from landstep.data.prepare import prepare\n"
        "def die(done, total, what):\n"
        "    if what.startswith(sys.argv[3]) and done:\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        f"prepare(Path(sys.argv[1]), Path(sys.argv[2]), (2014, 2015), region={REGION!r}, "
        "progress=die)\n"
    )
    for at, whole in (("land use", []), ("soil", ["land_use.nc"])):
        command = [sys.executable, "-c", program, str(path), str(folder / "out"), at]
        assert subprocess.run(command).returncode == -signal.SIGKILL
        names = [p.name for p in (folder / "out").iterdir() if not p.name.startswith(".")]
        assert names == whole
    prepare(path, folder / "out", (2014, 2015), region=REGION)
    names = sorted(p.name for p in (folder / "out").iterdir())
    assert names == ["experiment.toml", "land_use.nc", "statics.nc"]


def test_memory_does_not_grow_with_the_rows_of_a_map(tmp_path):
    """Seven times the rows, 2.4e7 cells in all, cost the two bits a cell of the land mask only.

    HDF5's own cache, 64 MiB a file and no more, is made small: it would hold all of these files.
    """
    write_hilda(tmp_path / "hilda.nc", centres(60, -60, 12000), centres(-8, 7, 1500), [2015])
    write_luh2(tmp_path / "history.nc", [2015])
    write_luh2(tmp_path / "scenario.nc", [2016])
    lat, lon = centres(90, -90, 360), centres(-180, 180, 720)
    for name, variable, least in (("soil", "soil_texture", 0), ("zones", "climate_zone", 1)):
        codes = np.random.default_rng(1).integers(least, 6, (360, 720)).astype(np.uint8)
        write_field(tmp_path / f"{name}.nc", variable, lat, lon, codes)
    write_field(tmp_path / "topography.nc", "elevation", lat, lon, np.full((360, 720), 9.5))
    sources(tmp_path)
    program = (
        "import re, sys\nfrom pathlib import Path\nimport netCDF4\n"
        "from landstep.data.prepare import prepare\n"
        "most = 0\n"
        "def watch(done, total, what):\n"
        "    global most\n"
        "    status = Path('/proc/self/status').read_text()\n"
        "    most = max(most, int(re.search(r'RssAnon:\\s+(\\d+)', status).group(1)))\n"
        "netCDF4.set_chunk_cache(2**20)\n"
        "prepare(Path('sources.toml'), Path(sys.argv[1]), (2015, 2015), region=sys.argv[2], "
        "progress=watch)\nprint(most)\n"
    )
    used = {}
    for name, region in (("short", "0:16,-8:7"), ("tall", "-56:56,-8:7")):
        command = [sys.executable, "-c", program, name, region]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
        used[name] = int(done.stdout) / 1024
    assert used["tall"] - used["short"] < 15  # MiB; a byte a cell is 20 more, elevation 80
    with NetcdfFile(tmp_path / "tall" / "statics.nc") as file:
        assert file.shape("elevation") == (112 * 120, 1800)
        heights = file.read("elevation", (slice(6000, 7000), slice(None)))
    on_land = np.isfinite(heights)
    assert on_land.mean() > 0.2 and np.allclose(heights[on_land], 9.5, atol=1e-5)


def test_the_command_takes_a_region_south_of_the_equator_and_says_what_is_next(tmp_path):
    south = -LAT[::-1] - 0.0
    write_hilda(tmp_path / "hilda.nc", south, LON, [2015], land=lambda a, b: island(-a, b))
    write_luh2(tmp_path / "history.nc", [2015])
    write_luh2(tmp_path / "scenario.nc", [2016])
    for name, variable in (("soil", "soil_texture"), ("zones", "climate_zone")):
        write_field(tmp_path / f"{name}.nc", variable, south, LON, np.full((300, 400), 3, np.uint8))
    write_field(tmp_path / "topography.nc", "elevation", south, LON, np.full((300, 400), 5.0))
    out = tmp_path / "out"
    asked = ["prepare", str(sources(tmp_path)), str(out), "--region", "-51:-49.5,-1:0.75"]
    done = CliRunner().invoke(app, [*asked, "--years", "2015:2015"])
    assert done.exit_code == 0, done.output
    assert f"wrote {out}/experiment.toml; next: landstep inspect" in done.stdout
    assert "soil_texture: known on all land" in done.stdout
    assert read_all(out)["lat"][0] == pytest.approx(-49.5 - 1 / 240)


def test_real_statics_come_onto_a_piece_of_iberia(folder, real_data):
    """Gaussian orography, soil with rows on the poles, zones as GeoTIFF, each in its own order."""
    pytest.importorskip("rasterio")
    lat, lon = centres(44, 36, 800), centres(-10, 4, 1400)
    sea = np.load(real_data / "global" / "sea_mask_30arcsec.npz")
    sea = sea[sea.files[0]][5520:6480, 20400:22080]

    def land(of_lat, of_lon):
        rows = ((44 - of_lat) * 120).astype(int)
        return ~sea[np.ix_(rows, ((of_lon + 10) * 120).astype(int))]

    write_hilda(folder / "hilda.nc", lat, lon, [2015], land=land)
    path = sources(
        folder,
        elevation=real_data / "global" / "orography_2048x1024.nc:orog",
        soil_texture=real_data / "global" / "soil_type_0p1deg.nc:slt",
        climate_zone=real_data / "global" / "ipcc_climate_zones_5arcmin.tif",
        extra='elevation_unit = "m"',
    )
    prepare(path, folder / "out", (2015, 2015), region="36:44,-10:4")
    found = read_all(folder / "out")

    def at(name, north, east):
        return found[name][int((44 - north) * 120), int((east + 10) * 120)]

    assert at("elevation", 42.65, 0.65) > 1500  # the Pyrenees at Aneto
    assert at("elevation", 37.4, -5.9) < 150  # Seville
    assert at("climate_zone", 37.4, -5.9) != 0 and at("soil_texture", 37.4, -5.9) != 0
    assert np.isnan(at("elevation", 38.5, 2.5)) and at("soil_texture", 38.5, 2.5) == 0


def test_paths_of_sources_stay_right_from_another_folder(folder, monkeypatch):
    monkeypatch.chdir(folder)
    prepared = prepare(Path(sources(folder).name), Path("far/off"), (2015, 2015), region=REGION)
    assert 'files = ["../../history.nc", "../../scenario.nc"]' in prepared.path.read_text("utf-8")
    open_inputs(load_experiment(prepared.path))
