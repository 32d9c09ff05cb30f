"""Which way a file's rows and columns run, and how they come to run north first, -180 to 180.

Files are told apart by their coordinates, never by their names or by habit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from landstep.emulator.coordinates import (
    find_axes,
    find_cells,
    is_point_list,
    projection_of,
    sizes_of,
)
from landstep.emulator.errors import InputError
from landstep.emulator.grid import Grid
from landstep.emulator.mapped import put, row_pieces, zeros
from landstep.emulator.netcdf import NetcdfFile
from landstep.emulator.part import Part, runs

MOST_DEGREES = 1080.0
"""No file counts its longitudes more than three times around the Earth."""


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
        convert: Callable[[np.ma.MaskedArray, tuple[int, int]], np.ndarray],
        dtype: Any,
    ) -> np.ndarray:
        """Read a part of a map piece by piece, so that no more than a piece is in memory twice.

        name, step : the variable, and where the map lies along its leading dimensions
        part : rows and columns of `grid`
        convert : turns a piece, masked where the file has nothing, into the field's values; it is
            told the file's row and column of the piece's first cell, for messages
        returns : (y, x) of that dtype, read-only, as `mapped.zeros` gives it
        """
        ny, nx = part.of
        field = zeros(part.shape, dtype)
        columns = (part.columns - self.roll) % nx
        for piece in row_pieces(part.shape[0]):
            first, last = part.top + piece.start, part.top + piece.stop
            rows = slice(ny - last, ny - first) if self.south_first else slice(first, last)
            for place, stored in runs(columns):
                values = convert(
                    file.masked(name, (*step, rows, stored)), (rows.start, stored.start)
                )
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
    returns : (y, x) floats, NaN where missing
    """
    ny, nx = part.of
    turned = orientation is not None and orientation.south_first
    roll = 0 if orientation is None else orientation.roll
    rows = slice(ny - part.bottom, ny - part.top) if turned else part.rows
    found = [
        file.numbers(name, (*step, rows, cols)) for _, cols in runs((part.columns - roll) % nx)
    ]
    return np.concatenate(found, axis=1)[:: -1 if turned else 1]


def find_orientation(file: NetcdfFile, name: str, *, regular: bool = False) -> Orientation:
    """Find grid and orientation of a variable from its coordinates.

    name : a variable whose last two dimensions are rows and columns
    regular : a regular grid is wanted: 2-D latitude and longitude that only write out in full a
        row and a column of them count as these
    Raises InputError where they are (lon, lat), where a projected map has no 2-D latitude and
    longitude, where the variable is a list of points, or where the coordinates are no grid.
    """
    axes = regular_axes(file, name, written_out=regular)
    if axes is not None:
        return _regular(*axes, f"{file.path.name}, {name}")
    return _projected(file, name)


def regular_axes(
    file: NetcdfFile, name: str, *, written_out: bool = True
) -> tuple[np.ndarray, np.ndarray] | None:
    """Latitudes of a map's rows and longitudes of its columns, in the file's order.

    written_out : 2-D ones that only repeat a row and a column count as these
    returns : (ny,), (nx,) float64, degrees; None where rows and columns follow something else
    Raises InputError where the map is (lon, lat), or a coordinate is no number of degrees.
    """
    names = find_axes(file, name)
    if names is not None:
        return _centres(file, names[0]), _centres(file, names[1])
    if written_out and (cells := find_cells(file, name)):
        lat, lon = (_centres(file, of_cells, 2) for of_cells in cells)
        if lat.size and (lat == lat[:, :1]).all() and (lon == lon[:1]).all():
            return lat[:, 0], lon[0]
    return None


def _projected(file: NetcdfFile, name: str) -> Orientation:
    """Find the orientation of a variable whose cells have a latitude and a longitude each."""
    where, sizes = f"{file.path.name}, {name}", sizes_of(file, name)
    if cells := find_cells(file, name):
        lat, lon = (_centres(file, of_cells, 2) for of_cells in cells)
        south_first = bool(lat.size and lat[0].mean() < lat[-1].mean())
        if south_first:
            lat, lon = lat[::-1].copy(), lon[::-1].copy()
        wrapped = np.where(lon >= 180, lon - 360, lon)
        return Orientation(Grid.projected(lat, wrapped, where), south_first, 0)
    if is_point_list(file, name):
        raise InputError(
            f"{where}: dims ({sizes}) are no map: a list of points (unstructured, reduced "
            "Gaussian) cannot be an input; regrid it to latitude and longitude"
        )
    if projection := projection_of(file, name):
        raise InputError(
            f"{where}: dims ({sizes}): projected x/y without lat, lon: refused ({projection}); "
            "add 2-D latitude and longitude variables and name them in the attribute `coordinates`"
        )
    row, col = file.dims(name)[-2:]
    raise InputError(
        f"{where}: dims ({sizes}): no latitude and longitude found; set the attribute units of "
        f"{row} to 'degrees_north' and of {col} to 'degrees_east', where they are that (ncatted -a "
        "units,NAME,o,c,UNIT FILE); a map on other axes needs 2-D latitude and longitude "
        "variables that its attribute `coordinates` names"
    )


def _regular(lat: np.ndarray, lon: np.ndarray, where: str) -> Orientation:
    south_first = bool(lat.size > 1 and lat[0] < lat[-1])
    wrapped, roll = eastward(lon, where)
    grid = Grid.regular(lat[::-1] if south_first else lat, wrapped, where)
    return Orientation(grid, south_first, roll)


def _centres(file: NetcdfFile, name: str, dimensions: int = 1) -> np.ndarray:
    """Read a coordinate, along its last dimensions: float64, degrees.

    Raises InputError where one is missing or infinite.
    """
    centres = file.coordinate(name)
    centres = centres.reshape(centres.shape[-dimensions:])
    with np.errstate(invalid="ignore"):
        wrong = ~(np.abs(centres) <= MOST_DEGREES)
    if wrong.any():
        first = centres[wrong][0]
        what = "a missing value" if np.isnan(first) else f"{first:g}"
        raise InputError(
            f"{file.path.name}, {name}: holds {what} at {int(np.flatnonzero(wrong.ravel())[0])} "
            f"({int(wrong.sum())} of {centres.size}), expected degrees everywhere"
        )
    return centres


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
