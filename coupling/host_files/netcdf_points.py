"""Where the points of a host's NetCDF file lie, and which of them the host has as land."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from landstep.coupling.file_numbers import read_numbers
from landstep.coupling.host_files.layout import SMALLEST_LAND, Layout, PlacesTable
from landstep.coupling.host_files.places import from_axes, from_list, from_mesh
from landstep.coupling.host_files.stored import whole_numbers
from landstep.coupling.points import Points
from landstep.emulator.errors import CouplingError, InputError
from landstep.emulator.netcdf import NetcdfFile


@dataclass(frozen=True, eq=False)
class FilePoints:
    """The points of a file.

    dims : that they lie along, slowest first
    land : (n,) bool, points where the host has land that may change
    sea : (n,) share of each cell that is sea, where the file says it; else None
    """

    points: Points
    dims: tuple[str, ...]
    land: np.ndarray
    sea: np.ndarray | None

    @classmethod
    def read(cls, files: Sequence[NetcdfFile], layout: Layout) -> FilePoints:
        """Read the points; the first of the files that has places says where they are.

        files : the host's file, and another that has its places; each may say what is land
        Raises InputError where none has places, or a variable has not one value for each point.
        """
        found = ((file, places_in(file, layout)) for file in files)
        file, places = next(((f, p) for f, p in found if p is not None), (None, None))
        if file is None or places is None:
            wanted = " or ".join(f"{of.lat}, {of.lon}" for of in layout.places)
            raise InputError(
                f"{files[0].path.name}: lacks {wanted}: where its points are; name a file that "
                "has them (--points FILE)"
            )
        points, dims = _read_points(file, places)
        land = np.ones(points.n, bool)
        for each in files:
            land &= _land(each, layout, points.n) & ~_unserved(each, layout, points.n)
        percent = next(
            (p for f in files if (p := _of_points(f, layout.sea, points.n)) is not None), None
        )
        return cls(points, dims, land, None if percent is None else percent / 100.0)


def places_in(file: NetcdfFile, layout: Layout) -> PlacesTable | None:
    """Find the longitudes and latitudes that a file has; None where it has none."""
    names = file.names()
    return next((of for of in layout.places if {of.lon, of.lat} <= set(names)), None)


def _read_points(file: NetcdfFile, places: PlacesTable) -> tuple[Points, tuple[str, ...]]:
    """Read the points, and the dimensions that they lie along."""
    lat, lat_dims = _degrees(file, places.lat)
    lon, lon_dims = _degrees(file, places.lon)
    try:
        if lat_dims == lon_dims and len(lat_dims) == 1:
            return from_list(lat, lon), lat_dims
        if lat_dims == lon_dims and len(lat_dims) == 2:
            return from_mesh(lat, lon, _corners(file, places, lat.shape)), lat_dims
        if len(lat_dims) == len(lon_dims) == 1:
            return from_axes(lat, lon), (*lat_dims, *lon_dims)
    except CouplingError as error:
        raise InputError(f"{file.path.name}, {places.lat}, {places.lon}: {error}") from error
    raise InputError(
        f"{file.path.name}: {places.lat} lies along {lat_dims}, {places.lon} along "
        f"{lon_dims}, expected a row of each, a list of both, or both on the same two dimensions"
    )


def _corners(
    file: NetcdfFile, places: PlacesTable, shape: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray] | None:
    """Read the corners of a grid, latitudes first; None where the file has none.

    shape : of the grid. Raises InputError where there is not one row and one column more.
    """
    names = [places.corner_lat, places.corner_lon]
    if not set(names) <= set(file.names()):
        return None
    found = [_degrees(file, name)[0] for name in names]
    expected = tuple(size + 1 for size in shape)
    for name, values in zip(names, found, strict=True):
        if values.shape != expected:
            raise InputError(f"{file.path.name}, {name}: shape {values.shape}, expected {expected}")
    return found[0], found[1]


def _degrees(file: NetcdfFile, name: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Read longitudes or latitudes, of the first record where there are several.

    Latitudes and longitudes whose unit is radians are turned into degrees.
    """
    dims, shape = file.dims(name), file.shape(name)
    if 0 in shape or not shape:
        raise InputError(
            f"{file.path.name}, {name}: shape {shape} along {dims}, expected a place for each point"
        )
    values = read_numbers(file, name, expected="degrees")
    while len(dims) > 1 and (values.ndim > 2 or dims[0].lower() == "time"):
        values, dims = values[0], dims[1:]
    if not np.isfinite(values).all():
        raise InputError(f"{file.path.name}, {name}: holds a missing value")
    if str(file.attrs(name).get("units", "")).strip().lower().startswith("rad"):
        values = np.rad2deg(values)
    return values, dims


def _land(file: NetcdfFile, layout: Layout, n: int) -> np.ndarray:
    """Points where the host has land, by all that the file says of it: (n,) bool."""
    share = next((s for name in layout.land if (s := _of_points(file, name, n)) is not None), None)
    land = np.ones(n, bool) if share is None else share > SMALLEST_LAND
    of = layout.land_number
    numbers = None if of is None else _of_points(file, of.name, n)
    if of is None or numbers is None:
        return land
    numbers = whole_numbers(numbers)
    wrong = np.isfinite(numbers) & (numbers != of.land) & (numbers != of.water)
    if wrong.any():
        point = int(np.flatnonzero(wrong)[0])
        raise InputError(
            f"{file.path.name}, {of.name}: {numbers[point]:g} at point {point}, expected "
            f"{of.land} (land) or {of.water} (water)"
        )
    return land & (numbers == of.land)


def _unserved(file: NetcdfFile, layout: Layout, n: int) -> np.ndarray:
    """Points of which the file says that they are no land that changes: (n,) bool."""
    found = np.zeros(n, bool)
    for table in layout.unserved:
        values = _of_points(file, table.name, n)
        if values is None:
            continue
        if table.above is not None:
            found |= values > table.above
        if table.number is not None:
            found |= whole_numbers(values) == table.number
    return found


def _of_points(file: NetcdfFile, name: str | None, n: int) -> np.ndarray | None:
    """Read a value for each point, of the first record: (n,) float64; None where it is not there.

    Raises InputError for a variable that has not one for each point.
    """
    if name is None or name not in file.names():
        return None
    shape = file.shape(name)
    count = int(np.prod(shape, dtype=np.float64))
    if count == 0 or count % n:
        raise InputError(f"{file.path.name}, {name}: shape {shape}, expected {n} points")
    return read_numbers(file, name).reshape(-1, n)[0]
