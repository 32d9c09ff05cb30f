"""Inputs of any size for benchmarks, written strip by strip: patches of classes that drift.

The maps are noise with the texture of a map, not a world; the forcing moves from year to year by
about what LUH2's does, so that a good part of the coarse cells owes a fine cell or more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from landstep.emulator.forcing import LUH2_STATES
from landstep.emulator.netcdf import Variable, write_netcdf
from landstep.emulator.output import time_axis
from landstep.emulator.rows import Rows

STRIP = 1024
CELLS_A_DEGREE = 120
PATCH = 8
CODES = np.array([11, 22, 33, 44, 55, 66], np.uint8)
"""HILDA+ codes of land; 0 is sea."""


@dataclass(frozen=True)
class Place:
    """Where the cells lie, 1/120 degree each.

    north, west : the first cell's edges, degrees; rows, columns : cells
    land : gives (rows, columns) bool for a slice of rows; None: all is land
    """

    north: float
    west: float
    rows: int
    columns: int
    land: Callable[[slice], np.ndarray] | None = None

    def lat(self) -> np.ndarray:
        """Latitudes of the rows' centres."""
        return self.north - (np.arange(self.rows) + 0.5) / CELLS_A_DEGREE

    def lon(self) -> np.ndarray:
        """Longitudes of the columns' centres."""
        return self.west + (np.arange(self.columns) + 0.5) / CELLS_A_DEGREE

    def strips(self) -> Iterator[tuple[slice, np.ndarray]]:
        """Give rows and their land."""
        for top in range(0, self.rows, STRIP):
            rows = slice(top, min(top + STRIP, self.rows))
            there = np.ones((rows.stop - top, self.columns), bool)
            yield rows, there if self.land is None else self.land(rows)


def make_experiment(
    folder: Path, place: Place, model: Path, years: tuple[int, int], maps: int, **run: str
) -> Path:
    """Write the inputs of an experiment and its file.

    years : first and last year of the forcing
    maps : how many yearly maps, the last of them of the forcing's second-last year
    run : lines of [run] and [allocation]: core, mode
    returns : the experiment file
    """
    folder.mkdir(parents=True, exist_ok=True)
    start = years[1] - 1
    _write_maps(folder / "maps.nc", place, list(range(start - maps + 1, start + 1)))
    _write_statics(folder, place)
    _write_forcing(folder / "states.nc", range(years[0], years[1] + 1))
    core = f"core = {run['core']}\n" if "core" in run else ""
    text = f'''name = "benchmark"
model = "{model}"
start = {start}

[land_use]
file = "maps.nc"
scheme = "hilda8"
variant = "states"

[forcing]
files = ["states.nc"]

[statics]
elevation = "elevation.nc"
soil_texture = "soil.nc"
climate_zone = "zones.nc"

[allocation]
mode = "{run["mode"]}"

[run]
{core}'''
    path = folder / "experiment.toml"
    path.write_text(text, "utf-8")
    return path


def _axes(place: Place) -> list[Variable]:
    return [
        Variable(name, (name,), values, {"units": f"degrees_{way}", "standard_name": standard})
        for name, standard, way, values in (
            ("lat", "latitude", "north", place.lat()),
            ("lon", "longitude", "east", place.lon()),
        )
    ]


def _texture(place: Place, seed: int, below: int) -> np.ndarray:
    """Whole numbers in square patches, one strip of them: (STRIP, columns) uint8."""
    rng = np.random.default_rng(seed)
    across = -(-place.columns // PATCH)
    coarse = rng.integers(0, below, (STRIP // PATCH, across), np.uint8)
    return np.repeat(np.repeat(coarse, PATCH, 0), PATCH, 1)[:, : place.columns]


def _write_maps(path: Path, place: Place, years: list[int]) -> None:
    texture, change = _texture(place, 1, len(CODES)), _texture(place, 2, 200)

    def pieces() -> Iterator[np.ndarray]:
        for number, _ in enumerate(years):
            for rows, land in place.strips():
                size = rows.stop - rows.start
                shift = (rows.start // STRIP * 37) % place.columns
                of = np.roll(texture, shift, axis=1)[:size]
                moved = np.roll(change, shift, axis=1)[:size] < number
                codes = CODES[(of + moved) % len(CODES)]
                yield np.where(land, codes, np.uint8(0))

    write_netcdf(
        path,
        {"time": len(years), "lat": place.rows, "lon": place.columns},
        [
            time_axis(years),
            *_axes(place),
            Variable(
                "LULC_states",
                ("time", "lat", "lon"),
                Rows(pieces()),
                dtype=np.uint8,
                compress="zstd",
            ),
        ],
        {"title": "made up"},
    )


def _write_statics(folder: Path, place: Place) -> None:
    for seed, (name, file, below, dtype) in enumerate(
        (
            ("elevation", "elevation", 250, np.int16),
            ("soil_texture", "soil", 7, np.uint8),
            ("climate_zone", "zones", 5, np.uint8),
        )
    ):
        texture = _texture(place, 10 + seed, below)
        scale, first = (8, 0) if name == "elevation" else (1, 1)
        pieces = (
            np.where(land, texture[: len(land)].astype(dtype) * scale + first, 0).astype(dtype)
            for _, land in place.strips()
        )
        attributes = {"units": "m"} if name == "elevation" else {}
        write_netcdf(
            folder / f"{file}.nc",
            {"lat": place.rows, "lon": place.columns},
            [
                *_axes(place),
                Variable(
                    name, ("lat", "lon"), Rows(pieces), attributes, dtype=dtype, compress="zstd"
                ),
            ],
            {"title": "made up"},
        )


def _write_forcing(path: Path, years: range) -> None:
    """Fractions on the 0.25 degree globe that drift by some thousandths a year, as LUH2's do."""
    rng = np.random.default_rng(5)
    ends = rng.dirichlet(np.ones(len(LUH2_STATES) + 1), (2, 720, 1440)).astype(np.float32)
    slow = rng.random((720, 1440, 1), np.float32) ** 4 / 10

    def slabs(number: int) -> Iterator[np.ndarray]:
        for year in years:
            yield (ends[0] + (ends[1] - ends[0]) * slow * (year - years[0]))[..., number]

    variables = [
        Variable(state, ("time", "lat", "lon"), slabs(number), {"units": "1"}, dtype=np.float32)
        for number, state in enumerate(LUH2_STATES)
    ]
    lat, lon = 89.875 - np.arange(720) / 4, -179.875 + np.arange(1440) / 4
    write_netcdf(
        path,
        {"time": len(years), "lat": 720, "lon": 1440},
        [
            time_axis(years),
            Variable("lat", ("lat",), lat, {"units": "degrees_north"}),
            Variable("lon", ("lon",), lon, {"units": "degrees_east"}),
            *variables,
        ],
        {"title": "made up"},
    )
