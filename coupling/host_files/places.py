"""Points of a host's file, with the cells that they stand for, from its longitudes and latitudes.

Hosts keep centres and no edges. Where the centres make rows and columns, rings around the globe, or
a bent grid, or some cells of rows and columns, the edges lie midway between them; a single point,
and a list without order, has none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from landstep.coupling.points import Points
from landstep.emulator.grid import unit_vectors

SPACING_TOLERANCE = 1e-3
"""How much spacings of a ring may differ, as a share of one: files keep degrees in float32."""


LATTICE_TOLERANCE = 0.01
"""How much rows of a list may be off whole steps, as a share: Gaussian rows are not quite evenly
spaced. Ours."""

SMALLEST_NEIGHBOURED = 0.5
"""Share of the points of a list that must have a neighbour in their column, and of those that must
have one in their row, for the list to be part of a grid. Ours."""


def from_axes(lat_deg: np.ndarray, lon_deg: np.ndarray) -> Points:
    """Give the points of a grid of rows and columns, rows first.

    lat_deg, lon_deg : (ny,), (nx,) degrees, each ascending or descending (longitudes may pass 360)
    returns : ny * nx points with rectangles; without bounds where there is but one row or column
    """
    lat, lon = np.asarray(lat_deg, np.float64), _unwrapped(np.asarray(lon_deg, np.float64))
    lats, lons = np.meshgrid(lat, lon, indexing="ij")
    if lat.size < 2 or lon.size < 2:
        return Points.make(lons.ravel(), lats.ravel())
    south_north = _lat_edges(lat, reaches_poles=_is_ring(lon))
    west_east = _edges(lon)
    rows, cols = (index.ravel() for index in np.indices(lats.shape))
    return Points.make(
        _in_circle(lons.ravel()),
        lats.ravel(),
        _west_and_east(west_east[cols], west_east[cols + 1]),
        np.stack([south_north[rows], south_north[rows + 1]], axis=1),
    )


def from_list(lat_deg: np.ndarray, lon_deg: np.ndarray) -> Points:
    """Return the points of a flat list.

    lat_deg, lon_deg : (n,) degrees
    returns : n points; with rectangles where the list is whole rings of equal spacing around the
        globe, one latitude after the other (a Gaussian grid, reduced or not), or where it is some
        cells of rows and columns (the land of a grid); else without bounds
    """
    lat, lon = np.asarray(lat_deg, np.float64), np.asarray(lon_deg, np.float64)
    starts = np.flatnonzero(np.concatenate([[True], lat[1:] != lat[:-1]]))
    sizes = np.diff(np.append(starts, lat.size))
    rings = lat[starts]
    steps = np.diff(rings)
    ordered = rings.size > 1 and (bool((steps > 0).all()) or bool((steps < 0).all()))
    if not ordered or not all(_is_ring(part) for part in np.split(lon, starts[1:])):
        return _from_lattice(lat, lon)
    sides = _lat_edges(rings, reaches_poles=True)
    ring = np.repeat(np.arange(rings.size), sizes)
    half = np.repeat(180.0 / sizes, sizes)
    return Points.make(
        _in_circle(lon),
        lat,
        _west_and_east(lon - half, lon + half),
        np.stack([sides[ring], sides[ring + 1]], axis=1),
    )


def _from_lattice(lat: np.ndarray, lon: np.ndarray) -> Points:
    """Return the points of a list, with rectangles where they are cells of rows and columns.

    So they are taken where all lie on rows and columns a step, or whole steps, apart, each in a
    cell of its own, and most have neighbours one step away in both: sites chosen by hand do not.
    """
    rows, columns = _lattice(lat), _lattice(lon)
    if rows is None or columns is None:
        return Points.make(lon, lat)
    cells = set(zip(rows.number.tolist(), columns.number.tolist(), strict=True))
    north = sum((y - 1, x) in cells or (y + 1, x) in cells for y, x in cells)
    east = sum((y, x - 1) in cells or (y, x + 1) in cells for y, x in cells)
    if len(cells) < lat.size or min(north, east) < SMALLEST_NEIGHBOURED * lat.size:
        return Points.make(lon, lat)
    return Points.make(
        lon,
        lat,
        _west_and_east(columns.below, columns.above),
        np.clip(np.stack([rows.below, rows.above], axis=1), -90.0, 90.0),
    )


@dataclass(frozen=True)
class _Lattice:
    """Rows, or columns, that points lie on: their number, and the edges of each, all (n,)."""

    number: np.ndarray
    below: np.ndarray
    above: np.ndarray


def _lattice(values: np.ndarray) -> _Lattice | None:
    """Find the rows or columns that values lie on; None where they are not whole steps apart."""
    centres, place = np.unique(values, return_inverse=True)
    steps = np.diff(centres)
    if steps.size == 0:
        return None
    apart = np.rint(steps / steps.min())
    if (np.abs(steps / steps.min() - apart) > LATTICE_TOLERANCE * apart).any():
        return None
    half = np.median(steps[apart == 1]) / 2
    middle = np.where(apart == 1, (centres[:-1] + centres[1:]) / 2, np.nan)
    below = np.concatenate([[np.nan], middle])
    above = np.concatenate([middle, [np.nan]])
    below = np.where(np.isfinite(below), below, centres - half)
    above = np.where(np.isfinite(above), above, centres + half)
    number = np.concatenate([[0], np.cumsum(apart)]).astype(np.int64)
    return _Lattice(number[place], below[place], above[place])


def from_mesh(
    lat_deg: np.ndarray,
    lon_deg: np.ndarray,
    known_corners: tuple[np.ndarray, np.ndarray] | None = None,
) -> Points:
    """Return the points of a grid whose every cell has its own longitude and latitude, rows first.

    lat_deg, lon_deg : (ny, nx) degrees
    known_corners : latitudes and longitudes of the corners, each (ny + 1, nx + 1) degrees
    returns : ny * nx points; rectangles where the grid is rows and columns of longitude and
        latitude after all, else four corners each, which lie midway between the centres around
        them where they are not known; without either where there is but one row or column
    """
    lat, lon = np.asarray(lat_deg, np.float64), np.asarray(lon_deg, np.float64)
    if (lat == lat[:, :1]).all() and (lon == lon[:1]).all():
        return from_axes(lat[:, 0], lon[0])
    if known_corners is None and min(lat.shape) < 2:
        return Points.make(_in_circle(lon.ravel()), lat.ravel())
    corner_lat, corner_lon = corners(lat, lon) if known_corners is None else known_corners
    around = [np.s_[:-1, :-1], np.s_[:-1, 1:], np.s_[1:, 1:], np.s_[1:, :-1]]
    return Points.make(
        _in_circle(lon.ravel()),
        lat.ravel(),
        vertex_lon=np.stack([corner_lon[part].ravel() for part in around], axis=1),
        vertex_lat=np.stack([corner_lat[part].ravel() for part in around], axis=1),
    )


def corners(lat_deg: np.ndarray, lon_deg: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Corners of the cells of a bent grid: each is the mean, on the sphere, of the centres around.

    lat_deg, lon_deg : (ny, nx) centres
    returns : two (ny + 1, nx + 1) float64, degrees; the outermost by going on as far as the last
        two centres are apart
    """
    inner = unit_vectors(lat_deg, lon_deg)
    first, last = 2 * inner[:1] - inner[1:2], 2 * inner[-1:] - inner[-2:-1]
    rows = np.concatenate([first, inner, last])
    first, last = 2 * rows[:, :1] - rows[:, 1:2], 2 * rows[:, -1:] - rows[:, -2:-1]
    grown = np.concatenate([first, rows, last], axis=1)
    middle = grown[:-1, :-1] + grown[:-1, 1:] + grown[1:, :-1] + grown[1:, 1:]
    x, y, z = np.moveaxis(middle, -1, 0)
    return np.rad2deg(np.arctan2(z, np.hypot(x, y))), np.rad2deg(np.arctan2(y, x))


def _edges(centres: np.ndarray) -> np.ndarray:
    """Edges midway between centres, and as far beyond the outermost: (n + 1,) float64."""
    middle = (centres[:-1] + centres[1:]) / 2
    return np.concatenate([[2 * centres[0] - middle[0]], middle, [2 * centres[-1] - middle[-1]]])


def _lat_edges(lat: np.ndarray, *, reaches_poles: bool) -> np.ndarray:
    """Edges of rows; a globe's outermost rows reach the poles, as on a Gaussian grid."""
    edges = _edges(lat)
    if reaches_poles:
        step = np.abs(np.diff(lat)).max()
        for end in (0, -1):
            if 90.0 - abs(lat[end]) <= step:
                edges[end] = np.copysign(90.0, lat[end])
    return np.clip(edges, -90.0, 90.0)


def _is_ring(lon: np.ndarray) -> bool:
    """Whether longitudes go once around the globe in equal steps."""
    if lon.size < 2:
        return False
    step = 360.0 / lon.size
    return bool((np.abs(np.diff(_unwrapped(lon)) - step) < SPACING_TOLERANCE * step).all())


def _unwrapped(lon: np.ndarray) -> np.ndarray:
    """Longitudes that go on where they passed 360 or 180."""
    steps = np.diff(lon)
    turns = np.where(steps > 180.0, -360.0, np.where(steps < -180.0, 360.0, 0.0))
    return lon + np.concatenate([[0.0], np.cumsum(turns)])


def _in_circle(lon: np.ndarray) -> np.ndarray:
    """Longitudes brought back where they passed 360."""
    return np.where(lon > 360.0, lon - 360.0, np.where(lon < -360.0, lon + 360.0, lon))


def _west_and_east(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Pairs of western and eastern edges, also where columns run westward: (n, 2) float64."""
    pairs = np.sort(np.stack([one, other], axis=1), axis=1)
    return pairs - 360.0 * (pairs[:, :1] >= 360.0)
