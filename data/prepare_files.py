"""The files that `landstep prepare` writes: land_use.nc, statics.nc, experiment.toml."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from landstep.data.prepare_config import Sources, YearMap
from landstep.data.product_grid import Region
from landstep.emulator.atomic import replacing
from landstep.emulator.classes import scheme
from landstep.emulator.netcdf import Rows, Variable, write_netcdf
from landstep.emulator.output import time_axis

_ABOUT = {
    "elevation": {
        "standard_name": "surface_altitude",
        "long_name": "elevation",
        "units": "m",
        "comment": "area mean of a source of smaller cells, else linear between its centres",
    },
    "soil_texture": {
        "long_name": "ECMWF soil texture class, 0 at sea",
        "comment": "of the nearest centre",
    },
    "climate_zone": {"long_name": "climate zone, 0 at sea", "comment": "of the nearest centre"},
}


def write_land_use(
    path: Path,
    sources: Sources,
    place: Region,
    maps: list[YearMap],
    phase: str,
    codes: Iterable[np.ndarray],
) -> None:
    """Write the maps of all years.

    codes : (rows, cols) uint8 file codes, year by year from north to south
    Raises InputError where the file cannot be written.
    """
    of, variant = scheme(sources.land_use.scheme), sources.land_use.variant
    meanings = of.variants[variant]
    about = {
        "long_name": f"land-use codes, scheme {of.name}, variant {variant}",
        "flag_values": np.array(list(meanings), np.uint8),
        "flag_meanings": " ".join(f"{of.names[n]}_{code}" for code, n in meanings.items()),
        "comment": "of the nearest centre",
    }
    dims = {"time": len(maps), **_sizes(place)}
    cover = Variable("LULC_states", tuple(dims), Rows(codes), about, dtype=np.uint8)
    files = sorted({of_year.path.name for of_year in maps})
    write_netcdf(
        path,
        dims,
        [time_axis([of_year.year for of_year in maps]), *_axes(place), cover],
        _provenance(sources, "land-use maps", files) | {"phase": phase},
    )


def write_statics(
    path: Path, sources: Sources, place: Region, fields: Mapping[str, Iterable[np.ndarray]]
) -> None:
    """Write the static maps.

    fields : name -> (rows, cols) pieces from north to south: elevation float32, NaN at sea; codes
        uint8, 0 at sea
    Raises InputError where the file cannot be written.
    """
    dims = _sizes(place)
    variables = [
        Variable(
            name,
            tuple(dims),
            Rows(pieces),
            _ABOUT[name],
            dtype=np.float32 if name == "elevation" else np.uint8,
            fill=np.nan if name == "elevation" else None,
        )
        for name, pieces in fields.items()
    ]
    files = [sources.static(name)[0].name for name in fields]
    about = _provenance(sources, "static maps", files)
    write_netcdf(path, dims, [*_axes(place), *variables], about)


def write_experiment(out: Path, sources: Sources, notes: list[str]) -> Path:
    """Write experiment.toml, whole or not at all.

    notes : comments to put in front
    returns : its path
    Raises InputError where it cannot be written.
    """
    forcing, model = sources.forcing, sources.model
    named = [_seen_from(out, sources, file) for file in forcing.files]
    if model is not None and not model.startswith("builtin:"):
        model = _seen_from(out, sources, model)
    lines = [
        *(f"# {note}" for note in notes),
        f"name = {json.dumps(sources.name)}",
        *([] if model is None else [f"model = {json.dumps(model)}"]),
        "",
        "[land_use]",
        'file = "land_use.nc"',
        f"scheme = {json.dumps(sources.land_use.scheme)}",
        f"variant = {json.dumps(sources.land_use.variant)}",
        "",
        "[forcing]",
        f"files = {json.dumps(named)}",
        *([] if forcing.scenario is None else [f"scenario = {json.dumps(forcing.scenario)}"]),
        "",
        "[statics]",
        *(f'{name} = "statics.nc:{name}"' for name in _ABOUT),
    ]
    path = out / "experiment.toml"
    with replacing(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def _seen_from(out: Path, sources: Sources, file: Path | str) -> str:
    """Path of a source as the experiment file names it: absolute ones stay so."""
    if Path(file).is_absolute():
        return str(file)
    return os.path.relpath(sources.folder / file, out.resolve())


def _sizes(place: Region) -> dict[str, int | None]:
    return dict(zip(("lat", "lon"), place.shape, strict=True))


def _axes(place: Region) -> list[Variable]:
    grid = place.grid()
    return [
        Variable(
            name,
            (name,),
            centres,
            {"standard_name": long_name, "long_name": long_name, "units": units, "axis": axis},
        )
        for name, long_name, units, axis, centres in (
            ("lat", "latitude", "degrees_north", "Y", grid.lat_deg),
            ("lon", "longitude", "degrees_east", "X", grid.lon_deg),
        )
    ]


def _provenance(sources: Sources, what: str, files: list[str]) -> dict[str, Any]:
    return {
        "Conventions": "CF-1.11",
        "title": f"{sources.name}: {what}",
        "institution": "prepared with landstep",
        "source": ", ".join(files),
        "history": "landstep prepare: brought to the grid of 1/120 degree",
        "references": "see the sources",
    }
