"""Rectangles on a projected grid: whole cells, counted to those that hold their centres."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from landstep.coupling.points import Points
from landstep.coupling.remapping.cells import cell_at
from landstep.coupling.remapping.runs import SingleCells
from landstep.emulator.grid import Grid, unit_vectors
from landstep.emulator.part import Part


def centres_inside(points: Points, grid: Grid, part: Part) -> SingleCells:
    """Find the cells whose centre lies in each rectangle: west and south edge included.

    A rectangle that holds no centre takes the cell that holds its own: the host is finer.
    """
    served = np.flatnonzero(points.mask)
    some = points.take(served)
    west, width, south, north = some.rectangles()
    tree = cKDTree(unit_vectors(grid.lat_deg, grid.lon_deg).reshape(-1, 3))
    lon, lat = grid.lon_deg.ravel(), grid.lat_deg.ravel()
    middle_lat, middle_lon = (south + north) / 2, west + width / 2
    reach = _farthest_corner(middle_lat, middle_lon, west, width, south, north)
    own = cell_at(some, grid)
    pairs_point, pairs_cell = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for point in range(some.n):
        near = tree.query_ball_point(
            unit_vectors(middle_lat[point], middle_lon[point]), reach[point]
        )
        cell = np.asarray(sorted(near), np.int64)
        east_of = np.mod(lon[cell] - west[point], 360.0)
        below = (lat[cell] < north[point]) | (north[point] == 90.0)
        inside = (lat[cell] >= south[point]) & below & (east_of < width[point])
        found = cell[inside] if inside.any() else own[point : point + 1]
        pairs_cell.append(found)
        pairs_point.append(np.full(found.size, served[point], np.int64))
    return SingleCells.whole_cells(
        points.n, part, grid, np.concatenate(pairs_point), np.concatenate(pairs_cell)
    )


def _farthest_corner(
    middle_lat: np.ndarray,
    middle_lon: np.ndarray,
    west: np.ndarray,
    width: np.ndarray,
    south: np.ndarray,
    north: np.ndarray,
) -> np.ndarray:
    """Radius, on the unit sphere, of a ball around each middle that holds its rectangle."""
    middle = unit_vectors(middle_lat, middle_lon)
    lats = [south, north, np.clip(0.0, south, north)]
    corners = [unit_vectors(lat, west + f * width) for lat in lats for f in (0.0, 1.0)]
    reach = np.max([np.linalg.norm(corner - middle, axis=-1) for corner in corners], axis=0)
    return np.where(width > 180.0, 2.0, reach) + 1e-9
