"""Where the drawn part of a map lies: its cells, its edges, its degrees along the frame."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from landstep.emulator.errors import ConfigError, InputError
from landstep.emulator.grid import Grid, unit_vectors
from landstep.emulator.netcdf import NetcdfFile
from landstep.map_reading import Part, strips

STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 20, 30, 45, 60, 90)
"""Degrees that may lie between two ticks."""

SAMPLES = 400
"""Cells a side, at most, whose latitude and longitude are read of a projected map."""


@dataclass(frozen=True)
class Box:
    """A box in degrees, north and east positive."""

    south: float
    north: float
    west: float
    east: float

    def __str__(self) -> str:
        return f"{self.south:g}:{self.north:g},{self.west:g}:{self.east:g}"


Ticks = tuple[tuple[float, str], ...]
"""Where along an axis, and what is written there."""


@dataclass(frozen=True, eq=False)
class Graticule:
    """Lines of equal latitude and longitude on a projected map.

    x : (n,), y : (m,) positions on the picture's axes; lat, lon : (m, n) degrees there
    parallels, meridians : degrees of the lines
    """

    x: np.ndarray
    y: np.ndarray
    lat: np.ndarray
    lon: np.ndarray
    parallels: np.ndarray
    meridians: np.ndarray


@dataclass(frozen=True, eq=False)
class Place:
    """The drawn part of a map.

    shape : of the whole map; part : its rows and columns that are drawn
    extent : west, east, south, north edges on the picture's axes: degrees of a regular grid, cells
        of the part, counted from its south-western corner, of a projected one
    stretch : how much longer a unit of the y axis is than one of the x axis
    x_ticks, y_ticks : degrees along the southern and western frame
    lines : of a projected map; None for a regular grid, whose frame runs along them
    """

    shape: tuple[int, int]
    part: Part
    extent: tuple[float, float, float, float]
    stretch: float
    x_ticks: Ticks
    y_ticks: Ticks
    lines: Graticule | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns that are drawn."""
        rows, cols = self.part
        return rows.stop - rows.start, cols.stop - cols.start

    @property
    def tall(self) -> float:
        """Height of the picture as a share of its width."""
        west, east, south, north = self.extent
        return (north - south) * self.stretch / (east - west)


def find_place(path: Path, box: Box | None = None) -> Place:
    """Find where a map of a run lies, or the part of it whose cells' centres are in a box.

    Raises InputError where the file's coordinates are no grid's, ConfigError where no cell lies in
    the box.
    """
    with NetcdfFile(path) as file:
        shape = file.shape("land_use")
        if len(shape) != 3 or shape[0] != 1:
            raise InputError(f"{path}, land_use: is {shape}, expected (1, rows, columns)")
        regular = file.dims("lat") == ("lat",)
        return (_regular if regular else _projected)(file, (shape[1], shape[2]), box)


def degree_ticks(low: float, high: float, most: int) -> np.ndarray:
    """Round degrees between two, at most so many, the closest that are possible."""
    for step in STEPS:
        ticks = np.arange(np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9) + 1) * step
        if ticks.size <= most:
            return ticks
    return ticks


def degree_text(degrees: float, signs: str) -> str:
    """Write degrees with their letter, such as 46.5°N.

    signs : letters of what is above zero and below, "NS" or "EW"
    """
    rounded = round(degrees, 4) + 0.0
    letter = "" if rounded in (0, -180, 180) else signs[rounded < 0]
    return f"{abs(rounded):g}°{letter}"


def crossings(values: np.ndarray, level: float) -> list[float]:
    """Where a curve passes a level, in steps from its first value; jumps of 180 do not count."""
    above = values >= level
    found = np.flatnonzero((above[1:] != above[:-1]) & (np.abs(np.diff(values)) < 180))
    return [float(n + (level - values[n]) / (values[n + 1] - values[n])) for n in found]


def _regular(file: NetcdfFile, shape: tuple[int, int], box: Box | None) -> Place:
    grid = Grid.regular(file.read("lat"), file.read("lon"), file.path.name)
    rows = cols = None
    if box is not None:
        rows = (grid.lat_deg >= box.south) & (grid.lat_deg <= box.north)
        cols = (grid.lon_deg >= box.west) & (grid.lon_deg <= box.east)
    lat, lon = grid.lat_edges(), grid.lon_edges()
    reach = f"{lat[-1]:g}:{lat[0]:g},{lon[0]:g}:{lon[-1]:g}"
    part = _part(shape, rows, cols, box, reach)
    north, south = (float(lat[n]) for n in (part[0].start, part[0].stop))
    west, east = (float(lon[n]) for n in (part[1].start, part[1].stop))
    return Place(
        shape,
        part,
        (west, east, south, north),
        1 / max(0.1, float(np.cos(np.deg2rad((south + north) / 2)))),
        tuple((v, degree_text(v, "EW")) for v in degree_ticks(west, east, 4).tolist()),
        tuple((v, degree_text(v, "NS")) for v in degree_ticks(south, north, 7).tolist()),
    )


def _projected(file: NetcdfFile, shape: tuple[int, int], box: Box | None) -> Place:
    rows, cols = (None, None) if box is None else _inside(file, shape, box)
    part = _part(shape, rows, cols, box, "")
    ny, nx = (s.stop - s.start for s in part)
    step = max(1, -(-max(ny, nx) // SAMPLES))
    sampled = tuple(slice(s.start, s.stop, step) for s in part)
    lat, lon = file.read("lat", sampled), file.read("lon", sampled)
    lines = Graticule(
        x=np.arange(0, nx, step) + 0.5,
        y=ny - (np.arange(0, ny, step) + 0.5),
        lat=lat,
        lon=lon,
        parallels=degree_ticks(float(lat.min()), float(lat.max()), 7),
        meridians=degree_ticks(float(lon.min()), float(lon.max()), 5),
    )
    return Place(
        shape,
        part,
        (0.0, float(nx), 0.0, float(ny)),
        _cell_shape(lat, lon),
        _frame_ticks(lon[-1], lines.x, lines.meridians, "EW"),
        _frame_ticks(lat[:, 0], lines.y, lines.parallels, "NS"),
        lines,
    )


def _inside(file: NetcdfFile, shape: tuple[int, int], box: Box) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of a projected map that have cells in a box: (ny,), (nx,) bool."""
    rows, cols = (np.zeros(n, bool) for n in shape)
    for top, bottom in strips(slice(0, shape[0])):
        lat, lon = (file.read(name, slice(top, bottom)) for name in ("lat", "lon"))
        cells = (lat >= box.south) & (lat <= box.north) & (lon >= box.west) & (lon <= box.east)
        rows[top:bottom] = cells.any(axis=1)
        cols |= cells.any(axis=0)
    return rows, cols


def _part(
    shape: tuple[int, int],
    rows: np.ndarray | None,
    cols: np.ndarray | None,
    box: Box | None,
    reach: str,
) -> Part:
    if rows is None or cols is None:
        return slice(0, shape[0]), slice(0, shape[1])
    if not (rows.any() and cols.any()):
        which = f", which covers {reach}" if reach else ""
        raise ConfigError(f"--region {box}: holds no cell of the map{which}")
    sides = [np.flatnonzero(flags)[[0, -1]] for flags in (rows, cols)]
    top, left = (slice(int(first), int(last) + 1) for first, last in sides)
    return top, left


def _cell_shape(lat: np.ndarray, lon: np.ndarray) -> float:
    """Height of a projected map's cells as a share of their width, in the middle of the map."""
    if min(lat.shape) < 2:
        return 1.0
    y, x = lat.shape[0] // 2 - 1, lat.shape[1] // 2 - 1
    here = unit_vectors(lat[y : y + 2, x : x + 2], lon[y : y + 2, x : x + 2])
    down, right = (float(np.linalg.norm(here[n] - here[0, 0])) for n in ((1, 0), (0, 1)))
    return down / right


def _frame_ticks(values: np.ndarray, at: np.ndarray, levels: np.ndarray, signs: str) -> Ticks:
    """Ticks where the cells along a frame pass round degrees.

    values : (n,) latitude or longitude; at : (n,) positions on the axis
    """
    where = np.arange(values.size)
    return tuple(
        (float(np.interp(crossed, where, at)), degree_text(level, signs))
        for level in levels.tolist()
        for crossed in crossings(values, level)
    )
