"""The fields that a host would get, in a file: what `observe` in [coupling] writes each year."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from landstep.coupling.host_fields import HostFields, Surface
from landstep.coupling.host_points import HostPoints
from landstep.coupling.point_coverage import PointCoverage
from landstep.emulator.errors import InputError
from landstep.emulator.netcdf import Variable, write_netcdf
from landstep.emulator.ranks import Ranks

MAP_CELLS = "map_cells"
"""What the file calls the number of cells that a point has a share of."""


def report(
    folder: Path,
    year: int,
    fields: HostFields,
    surface: Surface,
    points: HostPoints,
    coverage: PointCoverage,
    notes: Sequence[str] = (),
) -> Path:
    """Write what a host would get in a year; see `write_fields`. All ranks call it.

    notes : what the file says beside what there is to say of the points
    Raises CouplingError where there is nothing because baselines are missing.
    """
    if not surface.values:
        raise fields.refused[min(fields.refused)]
    about = fields.about(surface, points.ranks)
    return write_fields(folder, year, surface.values, about, points, coverage, notes)


def write_fields(
    folder: Path,
    year: int,
    values: Mapping[str, np.ndarray],
    about: Mapping[str, Mapping[str, Any]],
    points: HostPoints,
    coverage: PointCoverage,
    notes: Sequence[str] = (),
) -> Path:
    """Write the fields of a year on the points of all ranks. All ranks call it.

    folder : made where it is missing; gets landstep_fields_YEAR.nc, complete or not there
    values : name -> (n,) or (n, 12) float64 of this rank's points
    about : name -> attributes
    coverage : how much of the map the points see
    notes : sentences for the file's comment, after those on the points
    Raises InputError where it cannot be written.
    """
    ranks: Ranks = points.ranks
    said = [note for note in (*points.notes, *notes) if note]
    path = folder / f"landstep_fields_{year}.nc"
    places = {"lon": points.mine.lon, "lat": points.mine.lat}
    index = points.index[points.n_padding :]
    cells = {MAP_CELLS: points.cells.astype(np.int32)}
    whole = {name: points.kept(v) for name, v in {**places, **cells, **values}.items()}
    axes = {
        "lon": {"standard_name": "longitude", "units": "degrees_east"},
        "lat": {"standard_name": "latitude", "units": "degrees_north"},
        MAP_CELLS: {"long_name": "cells of the map that the point has a share of", "units": "1"},
    }
    with ranks.together():
        if ranks.is_first:
            _made(folder)
            write_netcdf(
                path,
                {"point": index.size, "month": 12},
                [
                    Variable("index", ("point",), index, {"long_name": "global index"}),
                    *(
                        Variable(
                            name,
                            ("point", "month")[: array.ndim],
                            array,
                            {**(axes.get(name) or about[name]), **_coordinates(name)},
                        )
                        for name, array in whole.items()
                    ),
                ],
                {
                    "Conventions": "CF-1.11",
                    "title": f"fields of a host model, 1 January {year}",
                    "source": "landstep, observing: the host was not changed",
                    **coverage.attributes(),
                    **({"comment": "; ".join(said)} if said else {}),
                },
            )
    return path


def _coordinates(name: str) -> dict[str, str]:
    return {} if name in ("lon", "lat") else {"coordinates": "lon lat"}


def _made(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        why = getattr(error, "strerror", None) or str(error)
        where = str(folder).replace("\0", "\\0")
        raise InputError(f"{where}: cannot be made for observed fields: {why}") from error
