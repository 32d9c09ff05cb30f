"""Windows with an exact halo: the map does not depend on how it is cut.

A map is cut into blocks of whole coarse cells, which are worked through one after the other. What a
block wants of the network (land) lies in a few boxes, each the core of a window. Windows start on
the network's stride, counted from the grid's first cell, and carry a halo of at least the network's
receptive field, clipped only at true edges.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from landstep.emulator.errors import ConfigError
from landstep.emulator.part import runs

Box = tuple[int, int, int, int]
"""First row and the row after the last, first column and the column after the last."""

WORTH_A_CUT = 0.97
"""A box is cut in two where the two windows have at most this share of its window's cells."""


@dataclass(frozen=True)
class Cut:
    """How a network's windows lie on a map.

    shape : (ny, nx) of the map
    stride, halo : the network's, halo a multiple of the stride
    wraps : the last column's neighbour is the first
    phase : rows and columns of the whole grid before the map's first cell, where the map is a part
        of it; its edges that are none of the grid's lie a halo and more from all that is wanted
    """

    shape: tuple[int, int]
    stride: int
    halo: int
    wraps: bool
    phase: tuple[int, int] = (0, 0)

    def __post_init__(self) -> None:
        if self.halo < self.stride or self.halo % self.stride:
            raise ConfigError(
                f"window halo of {self.halo} cells, expected a multiple of {self.stride}"
            )

    def window(self, core: Box) -> Window:
        """Give the window that answers for a box of cells."""
        y0, y1, x0, x1 = core
        rows, top = self._span(y0, y1, 0, wraps=False)
        cols, left = self._span(x0, x1, 1, self.wraps)
        return Window(core, rows, cols, top, left)

    def windows(self, block: Box, wanted: np.ndarray) -> list[Window]:
        """Cover what a block wants by windows whose cores do not overlap.

        wanted : (y1 - y0, x1 - x0) bool, the block's cells that must be computed (land)
        returns : a window for each box; none where nothing is wanted
        """
        y0, _, x0, _ = block
        return [
            self.window((y0 + top, y0 + bottom, x0 + left, x0 + right))
            for top, bottom, left, right in self._boxes(wanted)
        ]

    def over(
        self, row: np.ndarray, col: np.ndarray, core: int, wanted: np.ndarray
    ) -> Iterator[Window]:
        """Cover what is wanted of the whole map by windows, block by block.

        row, col, core : as in `blocks`; wanted : (ny, nx) bool
        """
        for block in blocks(row, col, core):
            y0, y1, x0, x1 = block
            yield from self.windows(block, wanted[y0:y1, x0:x1])

    def _span(self, start: int, end: int, axis: int, wraps: bool) -> tuple[np.ndarray, int]:
        """Cells that a core from start to end sees along one axis, and where the core begins."""
        size, stride, phase = self.shape[axis], self.stride, self.phase[axis] % self.stride
        first = (start + phase) // stride * stride - phase - self.halo
        last = first + -(-(end + self.halo - first) // stride) * stride
        if wraps:
            return np.arange(first, last, dtype=np.int64) % size, start - first
        first = max(0, first)
        last = min(last, first + -(-(size - first) // stride) * stride)
        cells = np.arange(first, last, dtype=np.int64)
        return np.where(cells < size, cells, -1), start - first

    def _boxes(self, wanted: np.ndarray) -> Iterator[Box]:
        """Boxes around what is wanted, cut in two as long as that saves cells of windows."""
        box = _around(wanted)
        if box is None:
            return
        y0, y1, x0, x1 = box
        inside = wanted[y0:y1, x0:x1]
        at = self._best_cut(inside)
        if at is None:
            yield box
            return
        axis, place = at
        parts = (
            (inside[:place], inside[place:])
            if axis == 0
            else (inside[:, :place], inside[:, place:])
        )
        for number, part in enumerate(parts):
            down, right = (place * number, 0) if axis == 0 else (0, place * number)
            for t, b, le, r in self._boxes(part):
                yield t + y0 + down, b + y0 + down, le + x0 + right, r + x0 + right

    def _best_cut(self, inside: np.ndarray) -> tuple[int, int] | None:
        """Axis and place of the cut that saves most; None where none is worth it.

        inside : (rows, columns) bool, wanted at each of its four edges
        """
        least, best = WORTH_A_CUT * self._cells(*inside.shape), None
        for axis, along in enumerate((inside, inside.T)):
            for place, size in self._cuts(along):
                if size < least:
                    least, best = size, (axis, place)
        return best

    def _cuts(self, along: np.ndarray) -> Iterator[tuple[int, float]]:
        """Places to cut the first axis at, and the cells of the two windows then."""
        n, width = along.shape
        there = along.any(axis=1)
        low = np.where(there, along.argmax(axis=1), width)
        high = np.where(there, width - along[:, ::-1].argmax(axis=1), 0)
        number = np.arange(n)
        before = np.maximum.accumulate(np.where(there, number + 1, 0))
        after = np.minimum.accumulate(np.where(there, number, n)[::-1])[::-1]
        above = np.maximum.accumulate(high) - np.minimum.accumulate(low)
        below = np.maximum.accumulate(high[::-1])[::-1] - np.minimum.accumulate(low[::-1])[::-1]
        for place in range(self.stride, n, self.stride):
            upper = self._cells(int(before[place - 1]), int(above[place - 1]))
            yield place, upper + self._cells(n - int(after[place]), int(below[place]))

    def _cells(self, rows: int, cols: int) -> float:
        """Cells of the window for a core of that size, away from edges."""
        return float((rows + 2 * self.halo) * (cols + 2 * self.halo))


@dataclass(frozen=True)
class Window:
    """One piece of a map: the core that it answers for, and the cells that it must see.

    core : the box of cells it answers for, within the map
    rows, cols : int64 indices into the map of the cells it sees; -1 beyond the map's edge (there
        only to fill the last stride); columns of a map that wraps come round
    top, left : place of the core's first cell within the window
    """

    core: Box
    rows: np.ndarray
    cols: np.ndarray
    top: int
    left: int

    def read(self, array: np.ndarray, beyond: float) -> np.ndarray:
        """Cut the window out of a map (..., ny, nx); cells beyond the edge hold `beyond`.

        returns : (..., rows, cols), contiguous, of the map's dtype
        """
        cut = np.full((*array.shape[:-2], self.rows.size, self.cols.size), beyond, array.dtype)
        for rows, from_rows in runs(self.rows):
            for cols, from_cols in runs(self.cols):
                cut[..., rows, cols] = array[..., from_rows, from_cols]
        return cut

    def write(
        self, array: np.ndarray, result: np.ndarray, origin: tuple[int, int] = (0, 0)
    ) -> None:
        """Put the core of a window's result (..., rows, cols) into a map (..., ny, nx).

        origin : the map's row and column with which `array` begins, where it is a part of the map
        """
        y0, y1, x0, x1 = self.core
        inside = np.s_[..., self.top : self.top + y1 - y0, self.left : self.left + x1 - x0]
        top, left = origin
        array[..., y0 - top : y1 - top, x0 - left : x1 - left] = result[inside]


def blocks(row: np.ndarray, col: np.ndarray, core: int) -> Iterator[Box]:
    """Cut a map into blocks of whole coarse cells, row by row, of about `core` cells a side.

    row, col : (y,), (x,) int64, non-decreasing, the coarse row and column of each fine one
    core : cells a side at most, where that holds a coarse cell at all
    """
    across = list(pieces(col, core))
    for top, bottom in pieces(row, core):
        for left, right in across:
            yield top, bottom, left, right


def pieces(index: np.ndarray, most: int) -> Iterator[tuple[int, int]]:
    """Cut an axis where coarse cells end: at most `most` cells a piece, or one coarse cell."""
    ends = np.append(np.flatnonzero(np.diff(index)) + 1, index.size)
    start = 0
    while start < index.size:
        within = ends[(ends > start) & (ends <= start + most)]
        end = int(within[-1]) if within.size else int(ends[ends > start][0])
        yield start, end
        start = end


def _around(wanted: np.ndarray) -> Box | None:
    """Give the box around what is wanted; None where nothing is."""
    rows, cols = (np.flatnonzero(wanted.any(axis=axis)) for axis in (1, 0))
    if not rows.size:
        return None
    return int(rows[0]), int(rows[-1]) + 1, int(cols[0]), int(cols[-1]) + 1
