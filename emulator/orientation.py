"""Which way a file's rows and columns run, and how they come to run north first, -180 to 180.

Files are told apart by their coordinates, never by their names or by habit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from landstep.emulator.errors import InputError
from landstep.emulator.grid import Grid
from landstep.emulator.mapped import put, row_pieces, zeros
from landstep.emulator.netcdf import NetcdfFile
from landstep.emulator.part import Part, runs

_AXES = {
    "latitude": (("lat", "latitude", "nav_lat"), ("degrees_north", "degree_north", "degrees_n")),
    "longitude": (("lon", "longitude", "nav_lon"), ("degrees_east", "degree_east", "degrees_e")),
}


@dataclass(frozen=True, eq=False)
class Orientation:
    """The grid of a variable as the emulator sees it, and the way there from the file.

    grid : north first; a regular one eastward within -180..180
    south_first : True where the file's rows must be turned round
    roll : columns by which the file's rows must be rolled, as in np.roll
    """

    grid: Grid
    south_first: bool
    roll: int

    def read(
        self,
        file: NetcdfFile,
        name: str,
        step: tuple[int, ...],
        part: Part,
        convert: Callable[[np.ndarray, tuple[int, int]], np.ndarray],
        dtype: Any,
    ) -> np.ndarray:
        """Read a part of a map piece by piece, so that no more than a piece is in memory twice.

        name, step : the variable, and where the map lies along its leading dimensions
        part : rows and columns of `grid`
        convert : turns a piece as stored into the field's values; it is told the file's row and
            column of the piece's first cell, for messages
        returns : (y, x) of that dtype, read-only, as `mapped.zeros` gives it
        """
        ny, nx = part.of
        field = zeros(part.shape, dtype)
        columns = (part.columns - self.roll) % nx
        for piece in row_pieces(part.shape[0]):
            first, last = part.top + piece.start, part.top + piece.stop
            rows = slice(ny - last, ny - first) if self.south_first else slice(first, last)
            for place, stored in runs(columns):
                values = convert(file.read(name, (*step, rows, stored)), (rows.start, stored.start))
                put(field, piece.start, place.start, values[:: -1 if self.south_first else 1])
        field.setflags(write=False)
        return field


def read_cut(
    file: NetcdfFile,
    name: str,
    step: tuple[int, ...],
    part: Part,
    orientation: Orientation | None,
) -> np.ndarray:
    """Read a part of a small field, such as the coarse cells of a forcing, as `part` has it.

    orientation : None where the file's rows and columns are the field's own
    returns : (y, x) as the file decodes it
    """
    ny, nx = part.of
    turned = orientation is not None and orientation.south_first
    roll = 0 if orientation is None else orientation.roll
    rows = slice(ny - part.bottom, ny - part.top) if turned else part.rows
    found = [file.read(name, (*step, rows, cols)) for _, cols in runs((part.columns - roll) % nx)]
    return np.concatenate(found, axis=1)[:: -1 if turned else 1]


def find_orientation(file: NetcdfFile, name: str) -> Orientation:
    """Find grid and orientation of a variable from its coordinates.

    name : a variable whose last two dimensions are rows and columns
    Raises InputError where they are (lon, lat), where a projected map has no 2-D latitude and
    longitude, where the variable is a list of points, or where the coordinates are no grid.
    """
    where = f"{file.path.name}, {name}"
    dims, shape = file.dims(name), file.shape(name)
    kinds = [axis_kind(file, dim) for dim in dims]
    sizes = ", ".join(f"{dim}={size}" for dim, size in zip(dims, shape, strict=True))
    if kinds[-2:] == ["longitude", "latitude"]:
        raise InputError(
            f"{where}: dims (lat, lon) expected last, found ({sizes}); transpose the file "
            "(e.g. ncpdq -a lat,lon)"
        )
    if kinds[-2:] == ["latitude", "longitude"]:
        return _regular(file, dims[-2], dims[-1], where)
    lat, lon = (_coordinate_2d(file, name, axis) for axis in ("latitude", "longitude"))
    if lat and lon:
        return _projected(file, lat, lon, where)
    if _is_point_list(file, dims, kinds):
        raise InputError(
            f"{where}: dims ({sizes}) are no map: a list of points (unstructured, reduced "
            "Gaussian) cannot be an input; regrid it to latitude and longitude"
        )
    raise InputError(
        f"{where}: dims ({sizes}): projected x/y without lat, lon: refused; add 2-D latitude and "
        "longitude variables and name them in the attribute `coordinates`"
    )


def _is_point_list(file: NetcdfFile, dims: tuple[str, ...], kinds: list[str | None]) -> bool:
    """Whether cells have one dimension: nothing else is left, or it has its own lat and lon."""
    if len(dims) < 2 or kinds[-2] == "time":
        return True
    latitudes, _ = _AXES["latitude"]
    return any(file.dims(n) == dims[-1:] for n in file.names() if n.lower() in latitudes)


def axis_kind(file: NetcdfFile, dim: str) -> str | None:
    """Tell what a dimension runs along, from its coordinate variable; None for anything else."""
    if dim not in file.names() or file.dims(dim) != (dim,):
        return None
    attrs = file.attrs(dim)
    for kind, (_, units) in _AXES.items():
        if str(attrs.get("units", "")).lower() in units or attrs.get("standard_name") == kind:
            return kind
    for kind, (names, _) in _AXES.items():
        if dim.lower() in names:
            return kind
    return "time" if "since" in str(attrs.get("units", "")) else None


def _coordinate_2d(file: NetcdfFile, name: str, kind: str) -> str | None:
    """Name of the 2-D latitude or longitude of a variable's cells, or None."""
    cells = file.dims(name)[-2:]
    declared = str(file.attrs(name).get("coordinates", "")).split()
    for candidate in [*declared, *file.names()]:
        if candidate not in file.names() or file.dims(candidate) != cells or len(cells) != 2:
            continue
        names, units = _AXES[kind]
        attrs = file.attrs(candidate)
        unit = str(attrs.get("units", "")).lower()
        if candidate.lower() in names or unit in units or attrs.get("standard_name") == kind:
            return candidate
    return None


def _regular(file: NetcdfFile, lat_name: str, lon_name: str, where: str) -> Orientation:
    lat = file.read(lat_name).astype(np.float64)
    lon = file.read(lon_name).astype(np.float64)
    south_first = bool(lat.size > 1 and lat[0] < lat[-1])
    wrapped, roll = eastward(lon, where)
    grid = Grid.regular(lat[::-1] if south_first else lat, wrapped, where)
    return Orientation(grid, south_first, roll)


def eastward(lon_deg: np.ndarray, where: str) -> tuple[np.ndarray, int]:
    """Longitudes within -180..180, west to east, and the roll that brings them there.

    Raises InputError where a region lies across 180 degrees east, so that it would fall apart.
    """
    if not np.isfinite(lon_deg).all():
        raise InputError(f"{where}: longitude holds a missing value")
    wrapped = np.where(lon_deg >= 180, lon_deg - 360, lon_deg)
    wrapped = np.where(wrapped < -180, wrapped + 360, wrapped)
    falls = np.flatnonzero(np.diff(wrapped) < 0)
    if falls.size == 0:
        return wrapped, 0
    if falls.size > 1 or wrapped[-1] > wrapped[0]:
        raise InputError(
            f"{where}: longitude runs neither west to east nor once around the Earth "
            f"(first {lon_deg[0]:g}, last {lon_deg[-1]:g}); turn the file's columns round"
        )
    roll = lon_deg.size - int(falls[0]) - 1
    rolled = np.roll(wrapped, roll)
    steps = np.diff(rolled)
    if steps[roll - 1] > 1.5 * np.median(steps):
        raise InputError(
            f"{where}: the region from {lon_deg[0]:g} to {lon_deg[-1]:g} degrees east lies across "
            "180 degrees, where maps are cut; expected one in -180..180, or the whole circle"
        )
    return rolled, roll


def _projected(file: NetcdfFile, lat_name: str, lon_name: str, where: str) -> Orientation:
    lat = file.read(lat_name).astype(np.float64)
    lon = file.read(lon_name).astype(np.float64)
    south_first = bool(np.nanmean(lat[0]) < np.nanmean(lat[-1]))
    if south_first:
        lat, lon = lat[::-1].copy(), lon[::-1].copy()
    wrapped = np.where(lon >= 180, lon - 360, lon)
    return Orientation(Grid.projected(lat, wrapped, where), south_first, 0)
