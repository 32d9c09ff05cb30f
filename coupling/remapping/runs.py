"""Runs of cells in a row, counted to host points; and single cells, where there are few."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from landstep.emulator.errors import CouplingError
from landstep.emulator.grid import Grid
from landstep.emulator.part import Part

CELLS_AT_ONCE = 2**18
"""Cells of a map to work on at a time: what is made of them stays in a processor's cache."""


def pieces(shape: tuple[int, int]) -> Iterator[slice]:
    """Cut the rows of a map into pieces of about CELLS_AT_ONCE cells."""
    height = max(1, CELLS_AT_ONCE // max(1, shape[1]))
    for top in range(0, shape[0], height):
        yield slice(top, min(top + height, shape[0]))


def checked(numbers: np.ndarray, part: Part) -> np.ndarray:
    """Refuse a map that is not of a part's shape: CouplingError."""
    if numbers.shape != part.shape:
        raise CouplingError(f"a map of {numbers.shape}, expected the part's {part.shape}")
    return numbers


def add_runs(
    areas: np.ndarray,
    numbers: np.ndarray,
    first: np.ndarray,
    stop: np.ndarray,
    point: np.ndarray,
    area: np.ndarray,
    *,
    before: bool = False,
) -> None:
    """Add the cells of runs to their points, by class.

    A map has long runs of one class itself, so both kinds are laid over each other, and what they
    have in common is added at once: as fast for two hundred classes as for eight.

    areas : (n, n_classes + 1) int64, added to; a number that is no class goes to the last column
    numbers : (cells,) class numbers
    first, stop : (m,) int64, the run's first cell and the one after its last
    point : (m,) the point it belongs to
    area : (m,) int64, of one cell of the run; or, with `before`, (cells + 1,) int64, the sum of the
        areas of the cells before each
    """
    start = np.concatenate([[0], np.flatnonzero(numbers[1:] != numbers[:-1]) + 1])
    low = np.searchsorted(start, first, side="right") - 1
    count = np.searchsorted(start, stop, side="left") - low
    run = np.repeat(np.arange(first.size), count)
    same = np.arange(run.size) - np.repeat(np.cumsum(count) - count - low, count)
    begin = np.maximum(start[same], first[run])
    end = np.minimum(np.append(start[1:], numbers.size)[same], stop[run])
    amount = area[end] - area[begin] if before else area[run] * (end - begin)
    columns = areas.shape[1]
    column = np.minimum(numbers[begin].astype(np.int64), columns - 1)
    np.add.at(areas.reshape(-1), point[run].astype(np.int64) * columns + column, amount)


def runs_in(
    part: Part, first: np.ndarray, stop: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Find what runs of columns of the whole grid have in common with a part.

    first, stop : (m,) int64, columns of the whole grid
    returns : (run, first, stop), places in the arrays, and the part's own columns; twice, because a
        part that crosses the grid's ends may hold a run's end before its beginning
    """
    nx, width = part.of[1], part.shape[1]
    begin = (first - part.left) % nx
    for shift in (0, nx):
        low = np.maximum(begin - shift, 0)
        high = np.minimum(begin + (stop - first) - shift, width)
        run = np.flatnonzero(high > low)
        yield run, low[run], high[run]


def renumbered(point: np.ndarray, n: int, places: np.ndarray) -> np.ndarray:
    """Number points by their place among some: (m,) int64, -1 for one that is not among them.

    point : (m,) of n points; places : (k,) int64, those that are kept
    """
    number = np.full(n, -1, np.int64)
    number[places] = np.arange(places.size)
    return number[point]


def cells_in(part: Part, cell: np.ndarray) -> np.ndarray:
    """Place in a part of cells of the whole grid: flat int64, -1 outside; -1 stays what it is."""
    row, column = np.divmod(cell, part.of[1])
    row, column = row - part.top, (column - part.left) % part.of[1]
    height, width = part.shape
    inside = (cell >= 0) & (row >= 0) & (row < height) & (column < width)
    return np.where(inside, row * width + column, -1)


@dataclass(frozen=True)
class SingleCells:
    """Parts of single cells, each counted to a point.

    n : points; part : of the grid
    point, cell : (m,) int64, a point and a flat place in the part
    area : (m,) int64, what the point has of the cell
    """

    n: int
    part: Part
    point: np.ndarray
    cell: np.ndarray
    area: np.ndarray

    @classmethod
    def make(
        cls, n: int, part: Part, point: np.ndarray, cell: np.ndarray, area: np.ndarray
    ) -> SingleCells:
        """Keep those cells of the whole grid that lie in a part; a cell of -1 is none."""
        place = cells_in(part, cell)
        held = place >= 0
        return cls(n, part, point[held], place[held], area[held])

    @classmethod
    def whole_cells(
        cls, n: int, part: Part, grid: Grid, point: np.ndarray, cell: np.ndarray
    ) -> SingleCells:
        """Count whole cells of the whole grid to points; a cell of -1 is none."""
        area = grid.cell_area()
        row, column = np.divmod(np.maximum(cell, 0), grid.shape[1])
        of_cell = area[row, 0] if area.shape[1] == 1 else area[row, column]
        return cls.make(n, part, point, cell, of_cell)

    def class_areas(self, numbers: np.ndarray, n_classes: int) -> np.ndarray:
        """Area of each class, as in Remap."""
        areas = np.zeros((self.n, n_classes + 1), np.int64)
        found = checked(numbers, self.part).ravel()[self.cell]
        np.add.at(areas, (self.point, np.minimum(found.astype(np.int64), n_classes)), self.area)
        return areas

    def cell_counts(self) -> np.ndarray:
        """How many cells each point has a share of, as in Remap."""
        return np.bincount(self.point[self.area > 0], minlength=self.n).astype(np.int64)

    def only(self, places: np.ndarray) -> SingleCells:
        """Keep some points, as in Remap."""
        point = renumbered(self.point, self.n, places)
        held = point >= 0
        return replace(
            self, n=places.size, point=point[held], cell=self.cell[held], area=self.area[held]
        )


@dataclass(frozen=True)
class Runs:
    """Runs of whole cells, each counted to a point; no cell stands in two.

    start : (rows + 1,) int64, where the runs of each row of the part begin
    first, stop : (m,) int32, columns of the part
    point : (m,) int32
    """

    start: np.ndarray
    first: np.ndarray
    stop: np.ndarray
    point: np.ndarray

    @classmethod
    def make(
        cls, rows: int, row: np.ndarray, first: np.ndarray, stop: np.ndarray, point: np.ndarray
    ) -> Runs:
        """Order runs, given in any order, by row and column."""
        order = np.lexsort((first, row))
        start = np.searchsorted(row[order], np.arange(rows + 1))
        return cls(start, *(values[order].astype(np.int32) for values in (first, stop, point)))

    @classmethod
    def of_owners(cls, owners: Iterator[np.ndarray]) -> Runs:
        """Find the runs of a map of points, (rows, columns) after (rows, columns), -1 for none."""
        counts, found = [np.zeros(1, np.int64)], []
        for owner in owners:
            changes = np.ones((owner.shape[0], owner.shape[1] + 1), bool)
            changes[:, 1:-1] = owner[:, 1:] != owner[:, :-1]
            row, first = np.nonzero(changes[:, :-1])
            stop = np.nonzero(changes[:, 1:])[1] + 1
            point = owner[row, first]
            held = point >= 0
            counts.append(np.bincount(row[held], minlength=owner.shape[0]))
            found.append(np.stack([first, stop, point])[:, held].astype(np.int32))
        joined = np.concatenate([np.empty((3, 0), np.int32), *found], axis=1)
        return cls(np.cumsum(np.concatenate(counts)), *joined)


@dataclass(frozen=True)
class WholeCells:
    """Whole cells counted to host points, in runs; and the cells that finer points lie in.

    n : points; part : of the grid
    runs : of cells that belong to one point each
    finer : points that own no cell's centre take the cell that holds their own, all of it
    area : (rows, 1) or (rows, columns) int64, of the part's cells
    """

    n: int
    part: Part
    runs: Runs
    finer: SingleCells
    area: np.ndarray

    @classmethod
    def make(
        cls, n: int, part: Part, grid: Grid, runs: Runs, point: np.ndarray, cell: np.ndarray
    ) -> WholeCells:
        """Put runs in a part together with finer points and the cells of the grid they lie in."""
        area = grid.cell_area()[part.rows]
        area = area if area.shape[1] == 1 else area[:, part.columns]
        finer = SingleCells.whole_cells(n, part, grid, point, cell)
        return cls(n, part, runs, finer, area)

    def class_areas(self, numbers: np.ndarray, n_classes: int) -> np.ndarray:
        """Area of each class, as in Remap."""
        areas = self.finer.class_areas(numbers, n_classes)
        runs, width = self.runs, self.part.shape[1]
        for rows in pieces(self.part.shape):
            held = slice(runs.start[rows.start], runs.start[rows.stop])
            count = np.diff(runs.start[rows.start : rows.stop + 1])
            row = np.repeat(np.arange(count.size), count)
            first, stop = (row * width + column[held] for column in (runs.first, runs.stop))
            area, alike = self.area[rows], self.area.shape[1] == 1
            of_cell = area[row, 0] if alike else np.concatenate([[0], np.cumsum(area)])
            flat, point = numbers[rows].ravel(), runs.point[held]
            add_runs(areas, flat, first, stop, point, of_cell, before=not alike)
        return areas

    def cell_counts(self) -> np.ndarray:
        """How many cells each point has, as in Remap."""
        count = self.finer.cell_counts()
        np.add.at(count, self.runs.point, self.runs.stop.astype(np.int64) - self.runs.first)
        return count

    def only(self, places: np.ndarray) -> WholeCells:
        """Keep some points, as in Remap."""
        point = renumbered(self.runs.point, self.n, places).astype(np.int32)
        runs = replace(self.runs, point=point)
        return replace(self, n=places.size, runs=runs, finer=self.finer.only(places))
