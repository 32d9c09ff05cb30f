"""Write a series of real maps as an experiment: land use, forcing on blocks, statics, all CF."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from landstep.emulator.classes import OUTSIDE, Scheme
from landstep.emulator.errors import InputError
from landstep.emulator.netcdf import Variable, write_netcdf
from landstep.emulator.output import time_axis


@dataclass(frozen=True, eq=False)
class Series:
    """Annual land-use maps of one region with their statics.

    scheme, variant : how the codes are to be read
    block : cells a side of a forcing block
    years : (t,) int64, one after the other
    codes : (t, y, x) uint8 file codes; the code of "not land" wherever a cell is not land in every
        year, because what is not land never changes in landstep
    lat_deg, lon_deg : cell centres, both (y, x), or (y,) and (x,) for a regular grid, north first
    elevation : (y, x) float32, m, NaN where not land
    soil_texture, climate_zone : (y, x) uint8, 1 or more on land, 0 elsewhere
    comment : what else must be known of the files; each of them says it
    """

    name: str
    scheme: Scheme
    variant: str
    block: int
    source: str
    licence: str
    years: np.ndarray
    codes: np.ndarray
    lat_deg: np.ndarray
    lon_deg: np.ndarray
    elevation: np.ndarray
    soil_texture: np.ndarray
    climate_zone: np.ndarray
    comment: str = ""

    @property
    def land(self) -> np.ndarray:
        """Cells that are land in every year: (y, x) bool."""
        return self.soil_texture > 0


@dataclass(frozen=True, eq=False)
class BlockForcing:
    """Share of each class on blocks of cells, year by year.

    years : (t,) int64, one after the other
    fractions : (t, class, by, bx) float32, of the block's whole area, the scheme's classes in their
        order without OUTSIDE
    quantities : "known" where they were counted on the maps that are to be predicted, else
        "forecast"
    title : what they are, in a few words
    remark : what they are, and how to read scores reached with them
    """

    years: np.ndarray
    fractions: np.ndarray
    quantities: Literal["known", "forecast"]
    title: str
    remark: str


def block_fractions(numbers: np.ndarray, n_classes: int, block: int) -> np.ndarray:
    """Share of each class but OUTSIDE in each block of cells, of the block's whole area.

    numbers : (t, y, x) uint8 class numbers
    block : cells a side; blocks begin at the first cell, the last ones may be smaller
    returns : (t, n_classes - 1, by, bx) float32, 0..1; what is left to 1 is OUTSIDE. Cells of a
        block count alike.
    """
    ny, nx = numbers.shape[1:]
    rows, cols = np.arange(0, ny, block), np.arange(0, nx, block)

    def count(mask: np.ndarray) -> np.ndarray:
        by_row = np.add.reduceat(mask, rows, axis=-2, dtype=np.int64)
        return np.asarray(np.add.reduceat(by_row, cols, axis=-1))

    cells = count(np.ones((ny, nx), np.int64))
    classes = [number for number in range(n_classes) if number != OUTSIDE]
    counts = np.stack([count(numbers == number) for number in classes], axis=1)
    return (counts / cells).astype(np.float32)


def counted_forcing(series: Series) -> BlockForcing:
    """Count the series' own maps: known quantities.

    Raises InputError for a code that the scheme lacks.
    """
    of = series.scheme
    numbers = of.numbers_from_codes(series.codes, series.variant, f"{series.name}, maps")
    return BlockForcing(
        years=series.years,
        fractions=block_fractions(numbers, of.n_classes, series.block),
        quantities="known",
        title="block fractions counted on the land-use maps themselves (known quantities)",
        remark="Forcing: each block's exact class shares of the maps themselves (known "
        "quantities). Skill reached with it is an upper bound.",
    )


def write_experiment(
    series: Series, out: Path, model: str | None = None, forcing: BlockForcing | None = None
) -> Path:
    """Write a series as land_use.nc, forcing.nc, statics.nc and experiment.toml.

    forcing : None counts the series' own maps
    returns : path of the experiment file
    Raises InputError where the folder or a file cannot be written.
    """
    forcing = counted_forcing(series) if forcing is None else forcing
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{out}: cannot be made: {error.strerror}") from error
    _write_land_use(series, out / "land_use.nc")
    _write_forcing(series, forcing, out / "forcing.nc")
    _write_statics(series, out / "statics.nc")
    path = out / "experiment.toml"
    lines = [
        *(f"# {line}" for line in (forcing.remark, series.comment) if line),
        f"name = {json.dumps(series.name)}",
        *([] if model is None else [f"model = {json.dumps(model)}"]),
        "",
        "[land_use]",
        'file = "land_use.nc"',
        f'scheme = "{series.scheme.name}"',
        f'variant = "{series.variant}"',
        "",
        "[forcing]",
        'files = ["forcing.nc"]',
        'format = "blocks"',
        "",
        "[statics]",
        'elevation = "statics.nc:elevation"',
        'soil_texture = "statics.nc:soil_texture"',
        'climate_zone = "statics.nc:climate_zone"',
    ]
    try:
        path.write_text("\n".join(lines) + "\n", "utf-8")
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from error
    return path


def _write_land_use(series: Series, path: Path) -> None:
    meanings = series.scheme.variants[series.variant]
    often = [name for name in meanings.values() if list(meanings.values()).count(name) > 1]
    names = {
        code: series.scheme.names[number] + (f"_{code}" if number in often else "")
        for code, number in meanings.items()
    }
    dims, places = _places(series)
    attributes = {
        "long_name": "land-use class on 1 January",
        "flag_values": np.array(list(names), np.uint8),
        "flag_meanings": " ".join(names.values()),
        "comment": "a cell that is not land in every year of the series is not land in any",
        **_coordinates(series),
    }
    maps = Variable("LULC_states", ("time", *dims), series.codes, attributes)
    _write(
        series,
        path,
        "land-use maps",
        _sizes(series, dims),
        [time_axis(series.years.tolist()), *places, maps],
    )


def _write_statics(series: Series, path: Path) -> None:
    dims, places = _places(series)
    at = _coordinates(series)
    fields = [
        Variable(
            "elevation",
            dims,
            series.elevation,
            {"standard_name": "surface_altitude", "long_name": "elevation", "units": "m", **at},
            fill=np.nan,
        ),
        Variable(
            "soil_texture",
            dims,
            series.soil_texture,
            {"long_name": "ECMWF soil texture class, 0 where not land", **at},
        ),
        Variable(
            "climate_zone",
            dims,
            series.climate_zone,
            {"long_name": "IPCC climate zone, 0 where not land", **at},
        ),
    ]
    _write(series, path, "static maps", _sizes(series, dims), [*places, *fields])


def _write_forcing(series: Series, forcing: BlockForcing, path: Path) -> None:
    of = series.scheme
    states = [number for number in range(of.n_classes) if number != OUTSIDE]
    variables = [
        Variable(
            of.names[number],
            ("time", "block_y", "block_x"),
            forcing.fractions[:, index],
            {
                "standard_name": "area_fraction",
                "long_name": f"share of the block: {of.long_names[number]}",
                "units": "1",
            },
        )
        for index, number in enumerate(states)
    ]
    sizes: dict[str, int | None] = {
        "time": forcing.years.size,
        "block_y": forcing.fractions.shape[2],
        "block_x": forcing.fractions.shape[3],
    }
    _write(
        series,
        path,
        forcing.title,
        sizes,
        [time_axis(forcing.years.tolist()), *variables],
        {"block_size": np.int32(series.block), "quantities": forcing.quantities},
    )


def _write(
    series: Series,
    path: Path,
    what: str,
    sizes: dict[str, int | None],
    variables: list[Variable],
    attributes: dict[str, Any] | None = None,
) -> None:
    about = {
        "Conventions": "CF-1.11",
        "title": f"{series.name}: {what}",
        "institution": "prepared with landstep",
        "source": series.source,
        "history": "landstep: converted from the series' own file",
        "references": series.source,
        "license": series.licence,
        "phase": "01-01",
    }
    if series.comment:
        about["comment"] = series.comment
    write_netcdf(path, sizes, variables, about | (attributes or {}))


def _places(series: Series) -> tuple[tuple[str, str], list[Variable]]:
    """Give the names of the map's dimensions, and its coordinates."""
    regular = series.lat_deg.ndim == 1
    y, x = ("lat", "lon") if regular else ("y", "x")
    variables = []
    for name, axis, centres, unit in (
        ("lat", "Y", series.lat_deg, "degrees_north"),
        ("lon", "X", series.lon_deg, "degrees_east"),
    ):
        long_name = {"lat": "latitude", "lon": "longitude"}[name]
        attributes = {"standard_name": long_name, "long_name": long_name, "units": unit}
        if regular:
            attributes["axis"] = axis
        variables.append(Variable(name, (name,) if regular else (y, x), centres, attributes))
    return (y, x), variables


def _coordinates(series: Series) -> dict[str, str]:
    """Name the 2-D coordinates of a projected map; a regular one has its own axes."""
    return {} if series.lat_deg.ndim == 1 else {"coordinates": "lat lon"}


def _sizes(series: Series, dims: tuple[str, str]) -> dict[str, int | None]:
    ny, nx = series.land.shape
    return {"time": series.years.size, dims[0]: ny, dims[1]: nx}
