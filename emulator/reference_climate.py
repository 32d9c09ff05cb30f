"""The climate that the observed climate zones belong to: monthly means from a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from landstep.emulator.attributes import text
from landstep.emulator.coarse_cells import CoarseCells
from landstep.emulator.errors import CouplingError, InputError
from landstep.emulator.grid import Grid
from landstep.emulator.host_values import ZONE_VARIABLES, checked
from landstep.emulator.netcdf import NetcdfFile
from landstep.emulator.orientation import Orientation, find_orientation, read_cut
from landstep.emulator.part import Part

NEAR = 5
"""Cells of the file, in each direction, within which a coarse cell finds its climate where its own
place has none: on a coast, say. Source: ours."""


def coarse_centres(
    grid: Grid, held: Part, row: np.ndarray, col: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Where coarse cells lie: the centre of the fine cell in the middle of each.

    grid : of the map; held : its rows and columns that a rank holds
    row, col : the coarse row of each of those rows, the coarse column of each column
    returns : latitude and longitude, (cy, cx) float64, degrees, -180 to 180
    """
    of = CoarseCells.of(row, col)
    rows, cols = held.top + of.top + of.height // 2, held.columns[of.left + of.width // 2]
    if grid.kind == "regular":
        shape = rows.size, cols.size
        lat, lon = grid.lat_deg[rows][:, None], grid.lon_deg[cols][None, :]
        return np.broadcast_to(lat, shape), np.broadcast_to(lon, shape)
    return grid.lat_deg[np.ix_(rows, cols)], grid.lon_deg[np.ix_(rows, cols)]


def read_reference(
    path: Path, lat_deg: np.ndarray, lon_deg: np.ndarray, wanted: np.ndarray
) -> dict[str, np.ndarray]:
    """Read a climate of air_temperature and precipitation_flux, (12, lat, lon) each.

    A coarse cell takes what the file has at the nearest centre; where that is missing, at the
    nearest that is not, up to NEAR cells away.

    path : NetCDF on a regular grid of latitude and longitude, January first; a variable is known by
        its name or its standard_name, and must name its units
    lat_deg, lon_deg : (cy, cx) places; wanted : (cy, cx) bool, where a climate is needed
    returns : name -> (12, cy, cx) float64, in K and kg m-2 s-1, rounded to float32 as a host's
        climate is kept; NaN where it is not wanted
    Raises InputError naming file, variable and what is wrong.
    """
    with NetcdfFile(path) as file:
        variables = {name: _variable(file, name) for name in ZONE_VARIABLES}
        turned = {name: _orientation(file, variables[name]) for name in ZONE_VARIABLES}
        one = turned[ZONE_VARIABLES[0]].grid
        for name, orientation in turned.items():
            if difference := one.same_place(orientation.grid):
                raise InputError(
                    f"{path.name}, {variables[name]}: not on the grid of "
                    f"{variables[ZONE_VARIABLES[0]]}: {difference}"
                )
        known = np.ones(one.shape, bool)
        for name in ZONE_VARIABLES:
            for month in range(12):
                known &= np.isfinite(_month(file, variables[name], turned[name], month))
        places = _nearest(one, known, lat_deg[wanted], lon_deg[wanted], path.name)
        found = {}
        for name in ZONE_VARIABLES:
            found[name] = np.full((12, *wanted.shape), np.nan)
            for month in range(12):
                values = _month(file, variables[name], turned[name], month)[places]
                found[name][month][wanted] = _si(file, variables[name], name, month, values)
    return found


def find_variable(file: NetcdfFile, name: str) -> str | None:
    """Name of the variable that holds a quantity: its own, or the one of that standard name."""
    if name in file.names():
        return name
    for other in file.names():
        if text(file.attrs(other), "standard_name") == name:
            return other
    return None


def _variable(file: NetcdfFile, name: str) -> str:
    found = find_variable(file, name)
    if found is None:
        raise InputError(
            f"{file.path.name}: {name} not in it, by name or standard_name; has {file.names()}"
        )
    return found


def _orientation(file: NetcdfFile, variable: str) -> Orientation:
    where, shape = f"{file.path.name}, {variable}", file.shape(variable)
    if len(shape) != 3 or shape[0] != 12:
        raise InputError(
            f"{where}: dims {file.dims(variable)} of sizes {shape}, expected 12 months first, "
            "(month, lat, lon): the mean of many years"
        )
    attrs, dtype = file.attrs(variable), file.dtype(variable)
    if dtype.kind != "f" and not {"scale_factor", "add_offset"} & {*attrs}:
        raise InputError(f"{where}: {dtype} values, expected real numbers")
    orientation = find_orientation(file, variable, regular=True)
    if orientation.grid.kind != "regular":
        raise InputError(f"{where}: a {orientation.grid.kind} grid, expected a regular one")
    return orientation


def _month(file: NetcdfFile, variable: str, orientation: Orientation, month: int) -> np.ndarray:
    """One month of the whole file, north first, as stored but for missing values: (y, x)."""
    part = Part.whole(orientation.grid.shape)
    return read_cut(file, variable, (month,), part, orientation)


def _nearest(
    of: Grid, known: np.ndarray, lat_deg: np.ndarray, lon_deg: np.ndarray, where: str
) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the file for some places, each of which has a climate there."""
    (ny, nx), (dlat, dlon) = of.shape, of.spacing_deg
    rows = np.rint((of.lat_deg[0] - lat_deg) / dlat).astype(np.int64)
    east = (lon_deg - of.lon_deg[0]) / dlon
    turn = 360 / dlon
    east = np.where(east < -0.5, east + turn, east)
    cols = np.rint(np.where(east >= turn - 0.5, east - turn, east)).astype(np.int64)
    outside = (rows < 0) | (rows >= ny) | (cols < 0) | (cols >= nx)
    if outside.any():
        at = int(np.flatnonzero(outside)[0])
        raise InputError(
            f"{where}: does not reach to lat {lat_deg[at]:g}, lon {lon_deg[at]:g} "
            f"({int(outside.sum())} such coarse cells with land); take a climate of the whole map"
        )
    for place in np.flatnonzero(~known[rows, cols]):
        rows[place], cols[place] = _around(of, known, int(rows[place]), int(cols[place]), where)
    return rows, cols


def _around(of: Grid, known: np.ndarray, row: int, col: int, where: str) -> tuple[int, int]:
    """Find the nearest cell that has a climate, counted in cells; the northern one first."""
    ny, nx = of.shape
    down, right = np.mgrid[-NEAR : NEAR + 1, -NEAR : NEAR + 1]
    rows, cols = row + down, col + right
    cols = cols % nx if of.wraps else cols
    inside = (rows >= 0) & (rows < ny) & (cols >= 0) & (cols < nx)
    has = inside & known[np.clip(rows, 0, ny - 1), np.clip(cols, 0, nx - 1)]
    if not has.any():
        raise InputError(
            f"{where}: no climate at lat {of.lat_deg[row]:g}, lon {of.lon_deg[col]:g}, nor within "
            f"{NEAR} cells of it, where the map has land; fill it in"
        )
    best = int(np.where(has, down**2 + right**2, np.iinfo(np.int64).max).argmin())
    return int(rows.flat[best]), int(cols.flat[best])


def _si(file: NetcdfFile, variable: str, name: str, month: int, values: np.ndarray) -> np.ndarray:
    """Bring values to SI and float32; InputError names file, variable and month."""
    where, units = f"{file.path.name}, {variable}", text(file.attrs(variable), "units")
    if not units.strip():
        raise InputError(f"{where}: names no units; set its attribute units")
    try:
        found = checked(name, values, units, where=f"{where}, month {month + 1}")
    except CouplingError as error:
        raise InputError(str(error)) from error
    return found.astype(np.float32).astype(np.float64)
