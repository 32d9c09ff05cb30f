"""Polygons laid onto a grid: whole cells, each counted to the polygon that holds its centre.

A centre on an edge that two polygons share lies in the one to its east or north; one that several
hold, because they overlap, goes to that with the lowest index. So no cell is counted twice.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.spatial import cKDTree

from landstep.coupling.points import Points
from landstep.coupling.remapping.angles import POLE, TURN, whole
from landstep.coupling.remapping.cells import cell_at
from landstep.coupling.remapping.polygons import Polygons
from landstep.coupling.remapping.runs import Runs, WholeCells, cells_in, runs_in
from landstep.emulator.errors import CouplingError
from landstep.emulator.grid import Grid, unit_vectors
from landstep.emulator.part import Part

CROSSINGS_AT_ONCE = 2**21
"""Places where an edge crosses a row of cells to work on at a time."""

POLYGONS_AT_ONCE = 500
"""Polygons to look for the centres of a projected grid in at a time."""

NOBODY = np.int32(2**31 - 1)


def polygon_cells(points: Points, grid: Grid, part: Part) -> WholeCells:
    """Count the cells of a part to the polygons that hold their centres.

    A polygon that holds no centre of the whole grid takes the cell that holds its point's.
    """
    served = np.flatnonzero(points.mask)
    some = points.take(served)
    polygons = polygons_of(some)
    own = cell_at(some, grid)
    rank = np.empty(some.n, np.int64)
    by_rank = np.argsort(some.index)
    rank[by_rank] = np.arange(some.n)
    look = _scanned if grid.kind == "regular" else _searched
    runs, empty = look(polygons, grid, part, rank, own)
    point = served[by_rank[runs.point]] if some.n else runs.point
    named = Runs(runs.start, runs.first, runs.stop, point.astype(np.int32))
    finer = np.flatnonzero(empty)
    return WholeCells.make(points.n, part, grid, named, served[finer], own[finer])


def polygons_of(points: Points) -> Polygons:
    """Take the polygons of points. Raises CouplingError for points without vertices."""
    if points.vertex_lon is None or points.vertex_lat is None:
        raise CouplingError("the points have no vertices")
    return Polygons.make(points.vertex_lon, points.vertex_lat)


def _scanned(
    polygons: Polygons, grid: Grid, part: Part, rank: np.ndarray, own: np.ndarray
) -> tuple[Runs, np.ndarray]:
    """Find the runs of each polygon's cells along the rows of a regular grid.

    returns : runs in the part, of ranks; and (n,) bool, the polygon holds no centre of the grid,
        as far as its point's own cell lies in the part
    """
    lat, lon = whole(grid.lat_deg), whole(grid.lon_deg)
    empty = np.ones(polygons.n, bool)
    found = [np.empty((4, 0), np.int64)]
    for row, first, stop, polygon in row_runs(polygons, lat[part.rows], lon):
        empty[polygon] = False
        for k, left, right in runs_in(part, first, stop):
            found.append(np.stack([row[k], left, right, rank[polygon[k]]]))
    if not part.is_whole:
        unsure = np.flatnonzero(empty & (cells_in(part, own) >= 0))
        for _, _, _, polygon in row_runs(polygons.take(unsure), lat, lon):
            empty[unsure[polygon]] = False
    runs = Runs.make(part.shape[0], *np.concatenate(found, axis=1))
    return _lowest(runs, part.shape[1]), empty


def row_runs(
    polygons: Polygons, lat: np.ndarray, lon: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """Find the runs of centres inside polygons, along rows.

    lat : (rows,) int64 in STEP_DEG, north to south; lon : (columns,) int64, eastward
    returns : (row, first, stop, polygon), int64 arrays of one length, some polygons at a time
    """
    pieces = polygons.pieces
    down = -np.minimum(lat, POLE - 1)
    top = np.searchsorted(down, -pieces.high, side="right")
    count = np.searchsorted(down, -pieces.low, side="right") - top
    before = np.concatenate([[0], np.cumsum(count)])[polygons.start]
    begin = 0
    while begin < polygons.n:
        limit = before[begin] + CROSSINGS_AT_ONCE
        end = max(begin + 1, int(np.searchsorted(before, limit, side="right")) - 1)
        some = np.arange(polygons.start[begin], polygons.start[end])
        piece = np.repeat(some, count[some])
        row = np.arange(piece.size) - np.repeat(
            np.cumsum(count[some]) - count[some] - top[some], count[some]
        )
        crossing = pieces.crossing(piece, -down[row])
        begin = end
        order = np.lexsort((crossing, pieces.owner[piece] * lat.size + row))
        crossing, row, piece = crossing[order], row[order], piece[order]
        inside = np.flatnonzero(np.cumsum(pieces.sign[piece]) > 0)
        yield from _columns(
            row[inside], crossing[inside], crossing[inside + 1], pieces.owner[piece[inside]], lon
        )


def _columns(
    row: np.ndarray, west: np.ndarray, east: np.ndarray, polygon: np.ndarray, lon: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """Turn runs from one longitude to another, excluded, into columns; twice, for those that cross
    the grid's western end.
    """
    start = (west - lon[0]) % TURN
    columns = lon - lon[0]
    for shift in (0, TURN):
        first = np.searchsorted(columns, start - shift)
        stop = np.searchsorted(columns, start + (east - west) - shift)
        held = np.flatnonzero(stop > first)
        yield row[held], first[held], stop[held], polygon[held]


def _lowest(runs: Runs, columns: int) -> Runs:
    """Give cells that lie in several runs to that of the lowest point."""
    row = np.repeat(np.arange(runs.start.size - 1), np.diff(runs.start))
    crowded = (row[1:] == row[:-1]) & (runs.stop[:-1] > runs.first[1:])
    rows = np.unique(row[1:][crowded])
    if not rows.size:
        return runs
    alone = ~np.isin(row, rows)
    parts = [np.stack([row, runs.first, runs.stop, runs.point])[:, alone]]
    for which in rows:
        held = np.arange(runs.start[which], runs.start[which + 1])
        owner = np.full((1, columns), -1, np.int32)
        for k in held[np.argsort(-runs.point[held], kind="stable")]:
            owner[0, runs.first[k] : runs.stop[k]] = runs.point[k]
        one = Runs.of_owners(iter([owner]))
        parts.append(np.stack([np.full(one.first.size, which), one.first, one.stop, one.point]))
    return Runs.make(runs.start.size - 1, *np.concatenate(parts, axis=1))


def _searched(
    polygons: Polygons, grid: Grid, part: Part, rank: np.ndarray, own: np.ndarray
) -> tuple[Runs, np.ndarray]:
    """Find the centres of a projected grid in each polygon: as `_scanned`, of the whole grid."""
    lat, lon = whole(grid.lat_deg).ravel(), whole(grid.lon_deg).ravel()
    owner = np.full(lat.size, NOBODY)
    empty = np.ones(polygons.n, bool)
    tree = cKDTree(unit_vectors(grid.lat_deg, grid.lon_deg).reshape(-1, 3))
    for begin in range(0, polygons.n, POLYGONS_AT_ONCE):
        some = slice(begin, begin + POLYGONS_AT_ONCE)
        near = tree.query_ball_point(polygons.middle[some], polygons.reach[some])
        cell = np.concatenate([np.asarray(cells, np.int64) for cells in near])
        polygon = begin + np.repeat(np.arange(len(near)), [len(cells) for cells in near])
        inside = polygons.hold(polygon, lon[cell], lat[cell])
        empty[polygon[inside]] = False
        np.minimum.at(owner, cell[inside], rank[polygon[inside]].astype(np.int32))
    owner[owner == NOBODY] = -1
    return Runs.of_owners(iter([part.cut(owner.reshape(grid.shape))])), empty
