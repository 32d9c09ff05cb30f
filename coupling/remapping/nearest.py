"""Cells counted to the nearest host centre, for hosts that give an area and no shape."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from landstep.coupling.points import Points
from landstep.coupling.remapping.cells import cell_at
from landstep.coupling.remapping.runs import CELLS_AT_ONCE, Runs, WholeCells, cells_in
from landstep.emulator.errors import CouplingError
from landstep.emulator.grid import EARTH_RADIUS_M, Grid, unit_vectors
from landstep.emulator.part import Part

TIE = 1e-9
"""Centres whose squared distances differ by less than this share are equally near: rounding moves
one by 1e-12 of itself where the nearest centre is 600 m away. Ours."""

BLOCK = 8
"""Cells along each side of a block that is looked up at once. Ours."""

CANDIDATES = 8
"""Centres around a block that are looked at before its cells are looked up one by one. Ours."""


@dataclass(frozen=True)
class Centres:
    """Centres of a host, those first that win where several are equally near.

    place : (n, 3) float64 on the unit sphere
    reach : (n,) float64, squared distance to which cells count to a centre, in space
    tree : of `place`
    """

    place: np.ndarray
    reach: np.ndarray
    tree: Any

    def owners(self, cells: np.ndarray) -> np.ndarray:
        """Find the centre that each cell counts to, -1 for none: (rows, columns) int32.

        cells : (rows, columns, 3) float64 places on the unit sphere

        Whole blocks are looked up first: only centres at most twice a block's own reach farther
        away than the nearest of its middle can be the nearest of any of its cells.
        """
        rows, columns, _ = cells.shape
        by, bx = -(-rows // BLOCK), -(-columns // BLOCK)
        padded = np.pad(
            cells, ((0, by * BLOCK - rows), (0, bx * BLOCK - columns), (0, 0)), mode="edge"
        )
        blocks = padded.reshape(by, BLOCK, bx, BLOCK, 3).transpose(0, 2, 1, 3, 4)
        blocks = blocks.reshape(by * bx, BLOCK * BLOCK, 3)
        middle = blocks.mean(axis=1)
        spread = np.linalg.norm(blocks - middle[:, None], axis=2).max(axis=1)
        most = min(CANDIDATES, len(self.place))
        apart, near = self.tree.query(middle, k=np.arange(1, most + 1))
        close = apart <= (apart[:, :1] + 2 * spread[:, None]) * (1 + TIE)
        crowded = close[:, -1] & (most < len(self.place))
        owner = np.empty((by * bx, BLOCK * BLOCK), np.int32)
        few = np.flatnonzero(~crowded)
        owner[few] = self._of_few(blocks[few], near[few], close[few])
        each = np.flatnonzero(crowded)
        owner[each] = self._of_many(blocks[each].reshape(-1, 3)).reshape(-1, BLOCK * BLOCK)
        owner = owner.reshape(by, bx, BLOCK, BLOCK).transpose(0, 2, 1, 3)
        return owner.reshape(by * BLOCK, bx * BLOCK)[:rows, :columns]

    def _of_few(self, blocks: np.ndarray, near: np.ndarray, close: np.ndarray) -> np.ndarray:
        """Choose among the candidates of each block: (blocks, cells) int32."""
        least = np.full(blocks.shape[:2], np.inf)
        found = []
        for k in range(near.shape[1]):
            held = np.flatnonzero(close[:, k])
            offset = blocks[held] - self.place[near[held, k]][:, None]
            squared = np.einsum("ijk,ijk->ij", offset, offset)
            least[held] = np.minimum(least[held], squared)
            found.append((held, squared))
        owner = np.full(least.shape, len(self.place), np.int64)
        for k, (held, squared) in enumerate(found):
            as_near = squared <= least[held] * (1 + TIE)
            better = np.where(as_near, near[held, k][:, None], len(self.place))
            owner[held] = np.minimum(owner[held], better)
        return self._within(owner, least)

    def _of_many(self, cells: np.ndarray) -> np.ndarray:
        """Look cells up one by one: (cells,) int32."""
        apart, near = self.tree.query(cells, k=np.arange(1, 3))
        owner, least = near[:, 0].copy(), apart[:, 0] ** 2
        tied = np.flatnonzero(apart[:, 1] ** 2 <= least * (1 + TIE))
        around = self.tree.query_ball_point(cells[tied], np.sqrt(least[tied] * (1 + TIE)))
        owner[tied] = [min(others) for others in around]
        return self._within(owner, least)

    def _within(self, owner: np.ndarray, squared: np.ndarray) -> np.ndarray:
        return np.where(squared <= self.reach[owner] * (1 + TIE), owner, -1).astype(np.int32)


def nearest_cells(points: Points, grid: Grid, part: Part) -> WholeCells:
    """Count the cells of a part to the nearest centre, as far as that host's cell may reach.

    A cell counts to no point beyond half the diagonal of a square of the nearest point's area; of
    points that are equally near the one with the lowest index has it. A point that gets no cell of
    the whole grid takes the one that holds it. Points that are not served are not looked at.
    """
    if points.area_m2 is None:
        raise CouplingError("the points have no areas")
    if not points.mask.any():
        nothing = np.empty(0, np.int64)
        runs = Runs.make(part.shape[0], nothing, nothing, nothing, nothing)
        return WholeCells.make(points.n, part, grid, runs, nothing, nothing)
    order = np.argsort(points.index)
    order = order[points.mask[order]]
    half_diagonal = np.sqrt(points.area_m2[order] / 2) / EARTH_RADIUS_M
    place = unit_vectors(points.lat, points.lon)[order]
    chord = 2 * np.sin(np.minimum(half_diagonal, np.pi) / 2)
    centres = Centres(place, chord**2, cKDTree(place))
    own = cell_at(points, grid)[order]
    found = np.zeros(order.size, bool)
    runs = Runs.of_owners(_owners(centres, grid, part, found))
    empty = np.flatnonzero(~found)
    if grid.kind == "regular" and not part.is_whole:
        empty = empty[cells_in(part, own[empty]) >= 0]
        empty = empty[[not _owns_any(centres, int(k), half_diagonal[k], grid) for k in empty]]
    named = Runs(runs.start, runs.first, runs.stop, order[runs.point].astype(np.int32))
    return WholeCells.make(points.n, part, grid, named, order[empty], own[empty])


def _owners(centres: Centres, grid: Grid, part: Part, found: np.ndarray) -> Iterator[np.ndarray]:
    """Find the owners of a part's cells, some rows at a time; a projected grid is looked at whole.

    found : (n,) bool, set for those that own a cell
    """
    projected = grid.kind != "regular"
    rows, columns = np.arange(part.top, part.bottom), part.columns
    if projected:
        rows, columns = np.arange(grid.shape[0]), np.arange(grid.shape[1])
    height = max(1, CELLS_AT_ONCE // 8 // max(1, columns.size) // BLOCK) * BLOCK
    for begin in range(0, rows.size, height):
        some = rows[begin : begin + height]
        owner = centres.owners(_places(grid, some, columns))
        found[owner[owner >= 0]] = True
        if projected:
            own = (some >= part.top) & (some < part.bottom)
            owner = owner[own][:, part.columns]
        yield owner


def _places(grid: Grid, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Centres of cells on the unit sphere: (rows, columns, 3) float64."""
    if grid.kind != "regular":
        at = np.ix_(rows, columns)
        return unit_vectors(grid.lat_deg[at], grid.lon_deg[at])
    place = np.empty((rows.size, columns.size, 3))
    down = unit_vectors(grid.lat_deg[rows], np.zeros(rows.size))
    across = unit_vectors(np.zeros(columns.size), grid.lon_deg[columns])
    np.multiply(down[:, None, :1], across[None, :, :2], out=place[..., :2])
    place[..., 2] = down[:, None, 2]
    return place


def _owns_any(centres: Centres, which: int, angle: float, grid: Grid) -> bool:
    """Tell whether a centre owns a cell of a regular grid: those as near as it may reach."""
    x, y, z = centres.place[which]
    lat, lon = np.arcsin(np.clip(z, -1, 1)), np.rad2deg(np.arctan2(y, x))
    rows = np.flatnonzero(np.abs(np.deg2rad(grid.lat_deg) - lat) <= angle * (1 + TIE))
    columns = np.arange(grid.shape[1])
    if np.abs(lat) + angle < np.pi / 2:
        width = np.rad2deg(np.arcsin(np.sin(angle) / np.cos(lat))) * (1 + TIE)
        apart = np.abs(np.mod(grid.lon_deg - lon + 180.0, 360.0) - 180.0)
        columns = np.flatnonzero(apart <= width)
    if not rows.size or not columns.size:
        return False
    return bool((centres.owners(_places(grid, rows, columns)) == which).any())
