"""Grids: where fine cells lie, how large they are, and which coarse cell holds each."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from landstep.emulator.errors import InputError

EARTH_RADIUS_M = 6371007.181
"""Radius of the sphere with the Earth's surface area. Source: Moritz 2000, J. Geodesy 74, R2."""

AREA_UNIT_M2 = 1e-3
"""Cell areas are whole numbers of this many square metres, so that sums are exact in any order.
The whole Earth is 5.1e17 of them; int64 holds 9.2e18."""

SPACING_TOLERANCE = 1e-3
"""How far a coordinate may stray from even spacing, in cells."""

FLOAT32_NOISE_DEG = 2e-5
"""How far one may stray in any case: float32 holds 180 degrees to 1.5e-5, 2e-3 cells of 1/120."""

CLOSURE_TOLERANCE = 0.1
"""How far, in cells, a globe may end from where it began: HILDA+ v1's 0.00998837 degrees do not
divide 360."""


@dataclass(frozen=True, eq=False)
class Grid:
    """Cells of a map, (y, x): regular in latitude and longitude, or projected with 2-D both.

    kind : "regular" or "projected"
    lat_deg, lon_deg : float64 cell centres; (ny,) and (nx,) for a regular grid, north first and
        eastward; both (ny, nx) for a projected one
    """

    kind: str
    lat_deg: np.ndarray
    lon_deg: np.ndarray

    @classmethod
    def regular(cls, lat_deg: np.ndarray, lon_deg: np.ndarray, where: str) -> Grid:
        """Build a regular grid from its centres, north first, west to east, in -180..180.

        Raises InputError, with `where` in front, where the centres are not evenly spaced, are
        ordered otherwise, or leave the Earth.
        """
        lat = _evenly_spaced(lat_deg, "latitude", where)
        lon = _evenly_spaced(lon_deg, "longitude", where)
        if lat[0] < lat[-1]:
            raise InputError(
                f"{where}: latitude runs from {lat[0]} to {lat[-1]}, expected north first"
            )
        if lon[0] > lon[-1]:
            raise InputError(
                f"{where}: longitude runs from {lon[0]} to {lon[-1]}, expected eastward"
            )
        grid = cls("regular", _frozen(lat), _frozen(lon))
        tolerance = CLOSURE_TOLERANCE * grid.spacing_deg[0]
        north, south = (lat[i] + side * grid.spacing_deg[0] / 2 for i, side in ((0, 1), (-1, -1)))
        if north > 90 + tolerance or south < -90 - tolerance:
            raise InputError(
                f"{where}: cells reach from {north} to {south} degrees north, beyond a pole"
            )
        if grid.spacing_deg[1] * (lon.size - CLOSURE_TOLERANCE) > 360:
            raise InputError(f"{where}: longitudes span more than 360 degrees")
        return grid

    @classmethod
    def projected(cls, lat_deg: np.ndarray, lon_deg: np.ndarray, where: str) -> Grid:
        """Build a grid whose cells follow a map projection, from 2-D centres (ny, nx).

        Raises InputError where the two do not match, hold no number, or leave the Earth.
        """
        if lat_deg.ndim != 2 or lat_deg.shape != lon_deg.shape or min(lat_deg.shape) < 2:
            raise InputError(
                f"{where}: latitude {lat_deg.shape} and longitude {lon_deg.shape}, expected two "
                "equal (y, x) arrays of at least 2 x 2 cells"
            )
        lat, lon = lat_deg.astype(np.float64), lon_deg.astype(np.float64)
        if not (np.isfinite(lat).all() and np.isfinite(lon).all()) or np.abs(lat).max() > 90:
            raise InputError(
                f"{where}: 2-D latitude or longitude holds what is not a place on Earth"
            )
        return cls("projected", _frozen(lat), _frozen(lon))

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns, (ny, nx)."""
        if self.kind == "regular":
            return self.lat_deg.size, self.lon_deg.size
        return self.lat_deg.shape[0], self.lat_deg.shape[1]

    @property
    def spacing_deg(self) -> tuple[float, float]:
        """Size of a regular grid's cell in latitude and longitude, degrees, both positive."""
        ny, nx = self.shape
        return (
            float(self.lat_deg[0] - self.lat_deg[-1]) / (ny - 1),
            float(self.lon_deg[-1] - self.lon_deg[0]) / (nx - 1),
        )

    @property
    def wraps(self) -> bool:
        """True where the last column's eastern neighbour is the first column."""
        if self.kind != "regular":
            return False
        step = self.spacing_deg[1]
        return bool(abs(step * self.shape[1] - 360) < CLOSURE_TOLERANCE * step)

    def lat_edges(self) -> np.ndarray:
        """Edges of a regular grid's rows, north to south, none beyond a pole: (ny + 1,) float64."""
        half = self.spacing_deg[0] / 2
        edges = np.linspace(self.lat_deg[0] + half, self.lat_deg[-1] - half, self.shape[0] + 1)
        return np.clip(edges, -90, 90)

    def lon_edges(self) -> np.ndarray:
        """Edges of a regular grid's columns, west to east: (nx + 1,) float64."""
        half = self.spacing_deg[1] / 2
        return np.linspace(self.lon_deg[0] - half, self.lon_deg[-1] + half, self.shape[1] + 1)

    @cached_property
    def _areas(self) -> np.ndarray:
        m2 = self._regular_area_m2() if self.kind == "regular" else self._projected_area_m2()
        return _frozen(np.rint(m2 / AREA_UNIT_M2).astype(np.int64))

    def cell_area(self) -> np.ndarray:
        """Areas of the cells on the sphere, in AREA_UNIT_M2.

        returns : int64, (ny, 1) for a regular grid (all cells of a row are alike), (ny, nx) else
        Source: sphere of EARTH_RADIUS_M; R^2 (sin north - sin south) (east - west) for a regular
        cell; |d r/dx x d r/dy| of the centres' positions, by central differences, for a projected.
        """
        return self._areas

    def _regular_area_m2(self) -> np.ndarray:
        sines = np.sin(np.deg2rad(self.lat_edges()))
        width = np.deg2rad(self.spacing_deg[1])
        return (EARTH_RADIUS_M**2 * width * (sines[:-1] - sines[1:]))[:, None]

    def _projected_area_m2(self) -> np.ndarray:
        place = unit_vectors(self.lat_deg, self.lon_deg)
        down, right = np.gradient(place, axis=0), np.gradient(place, axis=1)
        return EARTH_RADIUS_M**2 * np.linalg.norm(np.cross(right, down), axis=-1)

    @cached_property
    def fingerprint(self) -> str:
        """Name of the grid by its content: sha256 of kind, shape and centres to 1e-6 degrees."""
        digest = hashlib.sha256(f"{self.kind} {self.shape}".encode())
        for centres in (self.lat_deg, self.lon_deg):
            digest.update(np.rint(centres * 1e6).astype("<i8").tobytes())
        return digest.hexdigest()

    def same_place(self, other: Grid) -> str | None:
        """Say how another grid differs: None where the cells are the same."""
        if self.kind != other.kind or self.shape != other.shape:
            return f"a {other.kind} grid of {other.shape}, not the {self.kind} one of {self.shape}"
        for what, mine, theirs in (
            ("latitude", self.lat_deg, other.lat_deg),
            ("longitude", self.lon_deg, other.lon_deg),
        ):
            apart = float(np.abs(mine - theirs).max())
            size = abs(float(mine.flat[1] - mine.flat[0])) if self.kind == "regular" else 0.01
            if apart > 0.01 * size:
                return (
                    f"{what} differs by up to {apart:.6g} degrees (is it shifted by half a cell?)"
                )
        return None


@dataclass(frozen=True)
class Blocks:
    """Coarse cells in index space: blocks of `size` x `size` fine cells, from the first cell on.

    shape : (rows, columns) of blocks
    """

    size: int
    shape: tuple[int, int]


def coarse_index(fine: Grid, coarse: Grid | Blocks, where: str) -> tuple[np.ndarray, np.ndarray]:
    """Find the coarse cell that holds the centre of each fine row and column.

    returns : row (ny,) and col (nx,) int64, indices into the coarse grid's rows and columns
    Raises InputError, with `where` in front, where the coarse cells do not cover the fine ones, or
    a projected grid meets a coarse one in latitude and longitude.
    """
    ny, nx = fine.shape
    if isinstance(coarse, Blocks):
        needed = (-(-ny // coarse.size), -(-nx // coarse.size))
        if coarse.shape != needed:
            raise InputError(
                f"{where}: {coarse.shape} blocks of {coarse.size} cells, expected {needed} for "
                f"a map of {fine.shape}"
            )
        return np.arange(ny) // coarse.size, np.arange(nx) // coarse.size
    if fine.kind != "regular" or coarse.kind != "regular":
        raise InputError(
            f"{where}: a projected map needs a forcing on blocks of its own cells "
            '(format = "blocks"), not one in latitude and longitude'
        )
    row = np.searchsorted(-coarse.lat_edges(), -fine.lat_deg, side="right") - 1
    col = np.searchsorted(coarse.lon_edges(), fine.lon_deg, side="right") - 1
    for axis, index, edges in (
        ("latitude", row, coarse.lat_edges()),
        ("longitude", col, coarse.lon_edges()),
    ):
        if index.min() < 0 or index.max() >= edges.size - 1:
            raise InputError(
                f"{where}: does not cover the map in {axis}: it reaches from {edges[0]:g} to "
                f"{edges[-1]:g} degrees; take a forcing of the whole region"
            )
    return row.astype(np.int64), col.astype(np.int64)


def unit_vectors(lat_deg: np.ndarray, lon_deg: np.ndarray) -> np.ndarray:
    """Positions on the unit sphere: (..., 3) float64."""
    lat, lon = np.deg2rad(lat_deg), np.deg2rad(lon_deg)
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)


def _evenly_spaced(centres: np.ndarray, what: str, where: str) -> np.ndarray:
    """Centres as float64 on an exactly even spacing; InputError where they are not even."""
    values = np.asarray(centres, np.float64)
    if values.ndim != 1 or values.size < 2:
        raise InputError(f"{where}: {what} has shape {values.shape}, expected at least 2 in a row")
    if not np.isfinite(values).all():
        raise InputError(f"{where}: {what} holds a missing value")
    even = np.linspace(values[0], values[-1], values.size)
    step = abs(even[1] - even[0])
    off = np.abs(values - even)
    if step == 0 or off.max() > max(SPACING_TOLERANCE * step, FLOAT32_NOISE_DEG):
        n = int(off.argmax())
        raise InputError(
            f"{where}: {what} is not evenly spaced: {values[n]} at {n}, expected {even[n]:.6f}"
        )
    return even


def _frozen(values: np.ndarray) -> np.ndarray:
    values.setflags(write=False)
    return values
