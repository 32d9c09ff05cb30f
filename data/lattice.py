"""Where the values of a source map lie: rows and columns of any even or nearly even spacing.

A land-use or forcing grid is exactly even (emulator/grid.py). A static map may be on more: a
Gaussian grid, or one with a row on each pole.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from landstep.emulator.errors import InputError
from landstep.emulator.netcdf import NetcdfFile
from landstep.emulator.orientation import eastward, find_orientation, regular_axes

GAP = 1.5
"""A step between neighbours longer than this many usual ones is a hole in the map."""

EDGE = 0.5
"""Cells beyond a map's edge to which it still reaches: HILDA+ v1 ends a little before 180."""

_DECIMALS = 9
"""Degrees are rounded to this many, so that 359.95 - 360 is -0.05."""


@dataclass(frozen=True, eq=False)
class Lattice:
    """Centres of a source's cells, as the emulator sees them, and the way there from the file.

    lat_deg : (ny,) float64, north first
    lon_deg : (nx,) float64, eastward within -180..180
    south_first : True where the file's rows must be turned round
    roll : columns by which the file's rows must be rolled, as in np.roll
    wraps : True where the last column's eastern neighbour is the first
    """

    lat_deg: np.ndarray
    lon_deg: np.ndarray
    south_first: bool
    roll: int
    wraps: bool

    @classmethod
    def of_axes(cls, lat_deg: np.ndarray, lon_deg: np.ndarray, where: str) -> Lattice:
        """From the centres as a file has them, in either order, -180..180 or 0..360.

        Raises InputError, with `where` in front, where they are not strictly in order, have a
        hole, or leave the Earth.
        """
        lat = _one_way(lat_deg, "latitude", where)
        if np.abs(lat).max() > 90:
            raise InputError(f"{where}: latitude reaches {np.abs(lat).max():g}, beyond a pole")
        south_first = bool(lat[0] < lat[-1])
        lon, roll = eastward(np.asarray(lon_deg, np.float64), where)
        lon = _one_way(lon, "longitude", where)
        step = float(np.median(np.diff(lon)))
        wraps = bool(lon[0] + 360 - lon[-1] < GAP * step)
        return cls(lat[::-1].copy() if south_first else lat, lon, south_first, roll, wraps)

    @classmethod
    def of_variable(cls, file: NetcdfFile, name: str) -> Lattice:
        """Find the lattice of a variable whose last two dimensions are latitude and longitude.

        Raises InputError where they are not.
        """
        where, axes = f"{file.path.name}, {name}", regular_axes(file, name)
        if axes is not None:
            return cls.of_axes(*axes, where)
        find_orientation(file, name)  # says what is wrong, unless the map is projected
        raise InputError(
            f"{where}: on a projected grid, expected latitude and longitude; a projected "
            "series makes an experiment of its own (landstep.data.luh2_blocks)"
        )

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.lat_deg.size, self.lon_deg.size

    @property
    def spacing_deg(self) -> tuple[float, float]:
        """Usual size of a cell in latitude and longitude, degrees."""
        return float(-np.median(np.diff(self.lat_deg))), float(np.median(np.diff(self.lon_deg)))

    def holds(self, lat_deg: np.ndarray, lon_deg: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Tell which of some latitudes and which of some longitudes the map reaches: bool each."""
        tall, wide = (step * (0.5 + EDGE) for step in self.spacing_deg)
        rows = (lat_deg <= self.lat_deg[0] + tall) & (lat_deg >= self.lat_deg[-1] - tall)
        cols = (lon_deg >= self.lon_deg[0] - wide) & (lon_deg <= self.lon_deg[-1] + wide)
        return rows, cols | self.wraps

    def extent(self) -> str:
        """Say from where to where the map reaches."""
        return f"{self.lat_deg[-1]:g}:{self.lat_deg[0]:g},{self.lon_deg[0]:g}:{self.lon_deg[-1]:g}"


def _one_way(centres: np.ndarray, what: str, where: str) -> np.ndarray:
    values = np.round(np.asarray(centres, np.float64), _DECIMALS)
    if values.ndim != 1 or values.size < 2 or not np.isfinite(values).all():
        raise InputError(f"{where}: {what} is {values.shape}, expected at least 2 numbers in a row")
    steps = np.diff(values)
    if not ((steps > 0).all() or (steps < 0).all()):
        raise InputError(f"{where}: {what} runs neither up nor down all the way")
    if np.abs(steps).max() > GAP * np.median(np.abs(steps)):
        n = int(np.abs(steps).argmax())
        raise InputError(f"{where}: {what} has a hole between {values[n]:g} and {values[n + 1]:g}")
    return values
