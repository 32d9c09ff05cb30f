"""Small valid files of each kind, made from a made-up world of 60 x 90 cells."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import rasterio
from rasterio.transform import from_origin

from landstep.coupling.coupler import Coupler
from landstep.coupling.host_table import host_table
from landstep.coupling.points import Points
from landstep.data.world import make_world
from landstep.emulator.builtin import builtin_path
from landstep.emulator.card import write_manifest
from landstep.emulator.climate import Climate
from landstep.emulator.driver import run_years
from landstep.emulator.emulator import Emulator
from landstep.emulator.netcdf import Variable, write_netcdf

from .netcdf_edits import read_content, write_content

FIRST, LAST = 2015, 2017
CHECKED = "checked.toml"
"""The experiment of which every input file has its sha256 in [checksums]."""

OF_HILDA8 = {
    '["sweden5"]': '["hilda8"]',
    '["not_land"]': '["ocean", "water"]',
    '["pasture_grass_shrub"]': '["pasture", "grass_shrub", "other_land"]',
}
"""Turns the small host's table, of scheme sweden5, into one of hilda8."""

TRAINING = (Path(__file__).parents[1] / "training/made_up_training.toml").read_text("utf-8")

SOURCES = """
name = "sources"
model = "builtin:world"
[land_use]
files = ["hildaplus.nc"]
scheme = "hilda8"
variant = "forest"
[forcing]
files = ["states_history.nc", "states_scenario.nc"]
scenario = "made-up-ssp"
[statics]
elevation = "topography.nc:elevation"
soil_texture = "soil.nc:soil_texture"
climate_zone = "zones.nc:climate_zone"
elevation_unit = "m"
"""


def make_seeds(folder: Path) -> Path:
    """Make all of them in a folder that is made anew."""
    shutil.rmtree(folder, ignore_errors=True)
    make_world(folder, seed=3, shape=(60, 90))
    run_years(folder / "experiment.toml", FIRST, LAST, folder / "run")
    (folder / "one_year").mkdir()
    for year in (FIRST, LAST):
        shutil.copy(folder / "run" / f"land_use_{year}.nc", folder / "one_year")
    _texts(folder)
    _forcing_on_blocks(folder)
    _trimmed(folder)
    _restarts(folder)
    _hosts(folder)
    _weights(folder)
    _rasters(folder)
    _model(folder)
    _arrays(folder)
    return folder


def _texts(folder: Path) -> None:
    (folder / "sources.toml").write_text(SOURCES, "utf-8")
    (folder / "training.toml").write_text(TRAINING, "utf-8")
    table = Path(__file__).parents[1] / "coupling" / "small_host.toml"
    text = table.read_text("utf-8")
    for old, new in OF_HILDA8.items():
        text = text.replace(old, new)
    (folder / "host.toml").write_text(text, "utf-8")
    builtin = Path(str(host_table.__globals__["_folder"]())) / "ecland.toml"
    shutil.copy(builtin, folder / "ecland.toml")
    experiment = (folder / "experiment.toml").read_text("utf-8").split("[checksums]")[0]
    names = ("hildaplus", "states_history", "states_scenario", "topography", "soil", "zones")
    sums = {n: hashlib.sha256((folder / f"{n}.nc").read_bytes()).hexdigest() for n in names}
    # the static that is mutated stands under a name of its own
    text = experiment.replace('"topography.nc"', '"input.nc"')
    lines = [f'"{n}.nc" = "{s}"' for n, s in sums.items() if n != "topography"]
    lines.append(f'"input.nc" = "{sums["topography"]}"')
    (folder / CHECKED).write_text(text + "\n[checksums]\n" + "\n".join(lines) + "\n", "utf-8")
    coupling = '\n[coupling]\nhost = "ecland"\ncalendar = "noleap"\nskip = true\n'
    (folder / "full.toml").write_text(
        experiment + coupling + '[output]\nconfidence = true\n[allocation]\nmode = "soft"\n'
        "[checksums]\n" + lines[0] + "\n",
        "utf-8",
    )


def _forcing_on_blocks(folder: Path) -> None:
    share = np.full((3, 2, 3), 0.25, np.float32)
    dims = {"time": 3, "block_y": 2, "block_x": 3}
    about = {"units": "years since 850-01-01", "calendar": "noleap"}
    write_netcdf(
        folder / "blocks.nc",
        dims,
        [
            Variable("time", ("time",), np.array([1150.0, 1151, 1152]), about),
            Variable("forest", tuple(dims), share, {"units": "1"}),
            Variable("crop", tuple(dims), share, {"units": "1"}),
        ],
        {"block_size": np.int32(30), "quantities": "known", "phase": "01-01"},
    )


def _trimmed(folder: Path) -> None:
    """Write the files with a few years again, small and in the classic form, too."""
    for name in (
        "hildaplus",
        "states_history",
        "states_scenario",
        "topography",
        "soil",
        "zones",
        "climate",
        "blocks",
    ):
        content = read_content(folder / f"{name}.nc")
        write_content(content, folder / f"{name}_small.nc")
        classic = replace(content, format="NETCDF3_64BIT_DATA")
        write_content(classic, folder / f"{name}_classic.nc")


def host_points(folder: Path) -> Points:
    """Return the quarter degrees of the world as a host's points, with their bounds."""
    grid = Emulator.open(folder / "experiment.toml").grid
    lat, lon = (np.stack([e[:-1:30], e[30::30]], 1) for e in (grid.lat_edges(), grid.lon_edges()))
    rows, columns = np.repeat(lat, len(lon), 0), np.tile(lon, (len(lat), 1))
    return Points.make(columns.mean(axis=1), rows.mean(axis=1), lon_bounds=columns, lat_bounds=rows)


def _restarts(folder: Path) -> None:
    """A run's restart, one with a host's climate, and one that a coupler wrote."""
    emulator = Emulator.open(folder / "experiment.toml")
    state = emulator.start(FIRST)
    state.save(folder / "restart_plain.nc")
    shape = (1, 12, *state.debt.shape[1:])
    years = tuple(np.full(shape, 280.0 + n, np.float32) for n in range(3))
    climate = Climate(("air_temperature",), FIRST, years)
    replace(state, climate=climate).save(folder / "restart_climate.nc")
    coupler = Coupler.on(emulator, host_points(folder), FIRST)
    coupler.update(FIRST, 1, 1)
    coupler.write_restart(folder / "restart_coupled.nc")


def _hosts(folder: Path) -> None:
    from . import host_seeds

    experiment = (folder / "experiment.toml").read_text("utf-8")
    (folder / "hosts.toml").write_text(experiment + '\n[coupling]\ngeometry = "left"\n', "utf-8")
    points = host_points(folder)
    lat, lon = np.unique(points.lat)[::-1], np.unique(points.lon)
    host_seeds.write_ecland(folder / "ecland.nc", lat, lon)
    host_seeds.write_speedy(folder / "speedy.nc", lat, lon)
    host_seeds.write_noahmp(folder / "noahmp.nc", lat, lon)
    host_seeds.write_ctsm(folder / "ctsm_surface.nc", lat, lon)
    host_seeds.write_ctsm(folder / "ctsm_series.nc", lat, lon, years=(FIRST, FIRST + 1, LAST))
    host_seeds.write_ifs(folder / "ifs_regional.grib", lat, lon)
    host_seeds.write_ifs_global(folder / "ifs_global.grib")


def _weights(folder: Path) -> None:
    from . import host_seeds

    grid = host_seeds.weight_grid()
    host_seeds.write_weights(folder / "weights_esmf.nc", grid, "esmf")
    host_seeds.write_weights(folder / "weights_scrip.nc", grid, "scrip")


def _rasters(folder: Path) -> None:
    codes = np.random.default_rng(1).choice([0, 11, 22, 44, 55], (24, 32)).astype(np.uint8)
    height = np.linspace(0, 900, 24 * 32, dtype=np.float32).reshape(24, 32)
    where = {"crs": "EPSG:4326", "transform": from_origin(-30, 50, 0.05, 0.05)}
    for name, values, more in (
        ("codes", codes, {"nodata": 99}),
        (
            "tiled",
            codes,
            {"tiled": True, "blockxsize": 16, "blockysize": 16, "compress": "deflate"},
        ),
        ("height", height, {"nodata": -9999.0}),
    ):
        with rasterio.open(
            folder / f"{name}.tif",
            "w",
            driver="GTiff",
            height=24,
            width=32,
            count=1,
            dtype=values.dtype,
            **where,
            **more,
        ) as file:
            file.write(values, 1)


def _model(folder: Path) -> None:
    model = builtin_path("builtin:world")
    assert model is not None
    shutil.copy(model, folder / "world.onnx")
    write_manifest(folder / "world.onnx")
    record = folder / "run" / "run.json"
    shutil.copy(record, folder / "run.json")
    json.loads(record.read_text("utf-8"))


def _arrays(folder: Path) -> None:
    """The series of southern Sweden in small."""
    series = folder / "series" / "sweden"
    series.mkdir(parents=True)
    lat, lon = np.meshgrid(
        55 + 0.01 * np.arange(30)[::-1], 13 + 0.02 * np.arange(40), indexing="ij"
    )
    codes = np.random.default_rng(2).integers(0, 5, (3, 30, 40)).astype(np.uint8)
    np.savez_compressed(
        series / "hildaplus_south_sweden_made_up.npz", codes=codes, years=np.arange(2000, 2003)
    )
    fields = {
        "lat": lat,
        "lon": lon,
        "elevation": np.full((30, 40), 80.0, np.float32),
        "soil_slt": np.full((30, 40), 2, np.uint8),
        "ipcc_climate": np.full((30, 40), 5, np.uint8),
    }
    np.savez_compressed(series / "statics.npz", **fields)
