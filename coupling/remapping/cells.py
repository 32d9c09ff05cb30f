"""The cell of a grid that holds a point."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from landstep.coupling.points import Points
from landstep.emulator.grid import Grid, unit_vectors


def cell_at(points: Points, grid: Grid) -> np.ndarray:
    """Flat index of the cell that holds each point, -1 outside: (n_points,) int64.

    On a regular grid a point on an edge belongs to the cell to its east or north; on the grid's own
    eastern or northern edge, to the last cell. On a projected one the nearest centre counts, as far
    as half a cell beyond the outermost ones.
    """
    return _regular(points, grid) if grid.kind == "regular" else _projected(points, grid)


def _regular(points: Points, grid: Grid) -> np.ndarray:
    ny, nx = grid.shape
    edges = grid.lon_edges()
    eastward = edges - edges[0]
    span = 360.0 if grid.wraps else eastward[-1]
    lon = np.mod(points.lon - edges[0], 360.0)
    lon[lon >= 360.0] = 0.0  # a tiny negative number, rounded
    col = np.searchsorted(eastward, lon, side="right") - 1
    col_inside = lon <= span
    northward = grid.lat_edges()[::-1]
    row = ny - np.searchsorted(northward, points.lat, side="right")
    row = np.where(points.lat == northward[-1], 0, row)
    row_inside = (row >= 0) & (row < ny)
    cell = np.clip(row, 0, ny - 1) * nx + np.clip(col, 0, nx - 1)
    return np.where(row_inside & col_inside, cell, -1).astype(np.int64)


def _projected(points: Points, grid: Grid) -> np.ndarray:
    """Find the nearest centre.

    A point is outside where it lies more than half a cell beyond the outermost centres, measured
    along the grid's own rows and columns.
    """
    ny, nx = grid.shape
    centres = unit_vectors(grid.lat_deg, grid.lon_deg)
    place = unit_vectors(points.lat, points.lon)
    _, cell = cKDTree(centres.reshape(-1, 3)).query(place)
    row, col = np.divmod(np.asarray(cell, np.int64), nx)
    above, below = np.maximum(row - 1, 0), np.minimum(row + 1, ny - 1)
    left, right = np.maximum(col - 1, 0), np.minimum(col + 1, nx - 1)
    down = (centres[below, col] - centres[above, col]) / (below - above)[:, None]
    across = (centres[row, right] - centres[row, left]) / (right - left)[:, None]
    row_off, col_off = _in_cells(place - centres[row, col], down, across)
    outside = (row == 0) & (row_off < -0.5) | (row == ny - 1) & (row_off > 0.5)
    outside |= (col == 0) & (col_off < -0.5) | (col == nx - 1) & (col_off > 0.5)
    return np.where(outside, -1, row * nx + col).astype(np.int64)


def _in_cells(
    offset: np.ndarray, down: np.ndarray, across: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Split offsets (n, 3) into rows and columns: the least-squares a, b of a down + b across."""
    dd, aa, da = (_dot(down, down), _dot(across, across), _dot(down, across))
    od, oa = _dot(offset, down), _dot(offset, across)
    determinant = dd * aa - da * da
    return (od * aa - oa * da) / determinant, (oa * dd - od * da) / determinant


def _dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.einsum("ij,ij->i", a, b)
