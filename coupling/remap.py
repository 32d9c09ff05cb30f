"""From the emulator's cells to a host's points: nearest cell centres, or areas within bounds.

Areas are whole numbers of AREA_UNIT_M2, so a sum does not depend on the order of the cells, the
points, or who adds them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.spatial import cKDTree

from landstep.coupling.overlap import RectangleOverlap
from landstep.coupling.points import Points
from landstep.emulator.classes import MASKED
from landstep.emulator.grid import AREA_UNIT_M2, EARTH_RADIUS_M, Grid, unit_vectors


class Remap(Protocol):
    """Where a host's points lie on the emulator's grid."""

    @property
    def coverage(self) -> np.ndarray:
        """Share of the host's cell that lies in the grid, 0..1: (n_points,) float64."""
        ...

    def class_areas(self, numbers: np.ndarray, n_classes: int) -> np.ndarray:
        """Area of each class in each host cell.

        numbers : (y, x) uint8 class numbers, MASKED where not known
        returns : (n_points, n_classes + 1) int64 in AREA_UNIT_M2; the last column is what is not
            known; all 0 for a point outside the grid
        """
        ...


def remap_to(points: Points, grid: Grid) -> Remap:
    """Choose the remapping: by area where the points have bounds, else the cell at the point."""
    if points.lon_bounds is None or points.lat_bounds is None:
        return CellAtPoint.make(points, grid)
    if grid.kind == "regular":
        return RectangleOverlap.make(points, grid)
    return CentresInside.make(points, grid)


@dataclass(frozen=True)
class CellAtPoint:
    """One cell for each point: the one that holds it.

    cell : (n_points,) int64 flat index into the map, -1 outside the grid
    area : (n_points,) int64 of that cell
    coverage : 1 inside the grid, 0 outside
    """

    cell: np.ndarray
    area: np.ndarray
    coverage: np.ndarray

    @classmethod
    def make(cls, points: Points, grid: Grid) -> CellAtPoint:
        """Find the cell of each point."""
        cell = _regular_cell(points, grid) if grid.kind == "regular" else _nearest(points, grid)
        inside = cell >= 0
        areas = np.broadcast_to(grid.cell_area(), grid.shape).ravel()
        area = np.where(inside, areas[np.where(inside, cell, 0)], 0)
        return cls(cell, area, inside.astype(np.float64))

    def class_areas(self, numbers: np.ndarray, n_classes: int) -> np.ndarray:
        """Area of each class, as in Remap."""
        areas = np.zeros((self.cell.size, n_classes + 1), np.int64)
        inside = np.flatnonzero(self.cell >= 0)
        column = _columns(numbers.ravel()[self.cell[inside]], n_classes)
        areas[inside, column] = self.area[inside]
        return areas


@dataclass(frozen=True)
class CentresInside:
    """Whole cells of a projected grid, counted to the host cells that hold their centres.

    A host cell that holds no centre takes the cell that holds its own: the host is finer.

    point, cell : (n,) int64, pairs of a host point and a flat index into the map
    area : (n,) int64 area of that cell
    coverage : area of these cells over the host cell's own, at most 1; correct to about one cell
        in the width of the host's
    """

    point: np.ndarray
    cell: np.ndarray
    area: np.ndarray
    coverage: np.ndarray

    @classmethod
    def make(cls, points: Points, grid: Grid) -> CentresInside:
        """Find the cells whose centre lies in each host cell: west and south edge included."""
        west, width, south, north = points.rectangles()
        tree = cKDTree(unit_vectors(grid.lat_deg, grid.lon_deg).reshape(-1, 3))
        lon, lat = grid.lon_deg.ravel(), grid.lat_deg.ravel()
        middle_lat, middle_lon = (south + north) / 2, west + width / 2
        reach = _farthest_corner(middle_lat, middle_lon, west, width, south, north)
        own = _nearest(points, grid)
        pairs_point, pairs_cell = [], []
        for point in range(points.n):
            near = tree.query_ball_point(
                unit_vectors(middle_lat[point], middle_lon[point]), reach[point]
            )
            cell = np.asarray(sorted(near), np.int64)
            east_of = np.mod(lon[cell] - west[point], 360.0)
            below = (lat[cell] < north[point]) | (north[point] == 90.0)
            inside = (lat[cell] >= south[point]) & below & (east_of < width[point])
            found = cell[inside] if inside.any() else own[point : point + 1]
            pairs_cell.append(found[found >= 0])
            pairs_point.append(np.full(pairs_cell[-1].size, point, np.int64))
        point_of = np.concatenate([np.empty(0, np.int64), *pairs_point])
        cell_of = np.concatenate([np.empty(0, np.int64), *pairs_cell])
        area = grid.cell_area().ravel()[cell_of]
        covered = np.zeros(points.n, np.int64)
        np.add.at(covered, point_of, area)
        sines = np.sin(np.deg2rad(north)) - np.sin(np.deg2rad(south))
        host_area = EARTH_RADIUS_M**2 / AREA_UNIT_M2 * np.deg2rad(width) * sines
        return cls(point_of, cell_of, area, np.minimum(covered / host_area, 1.0))

    def class_areas(self, numbers: np.ndarray, n_classes: int) -> np.ndarray:
        """Area of each class, as in Remap."""
        areas = np.zeros((self.coverage.size, n_classes + 1), np.int64)
        column = _columns(numbers.ravel()[self.cell], n_classes)
        np.add.at(areas, (self.point, column), self.area)
        return areas


def _columns(numbers: np.ndarray, n_classes: int) -> np.ndarray:
    """Column of each class number in a table of areas: MASKED goes to the last."""
    return np.where(numbers == MASKED, n_classes, numbers).astype(np.int64)


def _regular_cell(points: Points, grid: Grid) -> np.ndarray:
    """Flat index of the cell that holds each point, -1 outside: (n_points,) int64.

    A point on an edge belongs to the cell to its east or north; on the grid's own eastern or
    northern edge, to the last cell.
    """
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


def _nearest(points: Points, grid: Grid) -> np.ndarray:
    """Flat index of the nearest centre of a projected grid, -1 outside: (n_points,) int64.

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
