"""Which fine cells lie in each coarse cell, and coarse cells of like size side by side."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

CELLS_AT_ONCE = 32768
"""Fine cells to work on at a time: what fits a processor's cache."""


@dataclass(frozen=True, eq=False)
class Bundle:
    """Coarse cells of about the same number of fine cells, as rows of one array.

    number : (blocks,) int64, which of the chosen coarse cells each row is
    where : (blocks, cells) int64, place of each fine cell in the flat map, in that order; a row
        shorter than the array repeats its first
    real : (blocks, cells) bool, False for those repeats
    """

    number: np.ndarray
    where: np.ndarray
    real: np.ndarray


@dataclass(frozen=True, eq=False)
class CoarseCells:
    """Coarse cells that hold fine cells of a map, each a rectangle of it.

    rows, cols : (m,) and (n,) int64, coarse rows and columns that the map reaches
    top, left : (m,) and (n,) int64, first fine row and column of each
    height, width : (m,) and (n,) int64, fine rows and columns in each
    """

    rows: np.ndarray
    cols: np.ndarray
    top: np.ndarray
    left: np.ndarray
    height: np.ndarray
    width: np.ndarray

    @classmethod
    def of(cls, row: np.ndarray, col: np.ndarray) -> CoarseCells:
        """From the coarse row and column, non-decreasing, of each fine row and column."""
        rows, top, height = np.unique(row, return_index=True, return_counts=True)
        cols, left, width = np.unique(col, return_index=True, return_counts=True)
        return cls(rows, cols, top, left, height, width)

    def sum(self, values: np.ndarray) -> np.ndarray:
        """Sum of a fine field over each coarse cell: (m, n), in the field's own dtype.

        values : (y, x), or (y, 1) where all columns are alike; whole numbers
        """
        by_row = np.add.reduceat(values, self.top, axis=0)
        if values.shape[1] == 1:
            return by_row * self.width
        return np.add.reduceat(by_row, self.left, axis=1)

    def cells(self, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Places of the fine cells of some coarse cells.

        chosen : (c, 2) int64, indices into `rows` and `cols`
        returns : flat places in the map, coarse cell after coarse cell, row by row; and how many
            each coarse cell has, (c,)
        """
        i, j = chosen.T
        width = self.width[j]
        size = self.height[i] * width
        within = np.arange(size.sum()) - np.repeat(np.cumsum(size) - size, size)
        down, right = np.divmod(within, np.repeat(width, size))
        first = self.top[i] * self.width.sum() + self.left[j]
        return np.repeat(first, size) + down * self.width.sum() + right, size


def bundles(places: np.ndarray, size: np.ndarray) -> Iterator[Bundle]:
    """Lay blocks of cells side by side, those of about the same size together.

    places : flat places in the map, block after block
    size : (blocks,) int64, cells of each; a block without any is left out
    The width of a block's row depends on its own size alone, so that whatever is worked out along a
    row is the same in any company.
    """
    first = np.cumsum(size) - size
    width = _row_width(size)
    for cells in np.unique(width[size > 0]):
        alike = np.flatnonzero((width == cells) & (size > 0))
        step = max(1, CELLS_AT_ONCE // int(cells))
        for start in range(0, alike.size, step):
            number = alike[start : start + step]
            real = np.arange(cells) < size[number][:, None]
            yield Bundle(
                number=number,
                where=places[first[number][:, None] + np.where(real, np.arange(cells), 0)],
                real=real,
            )


def _row_width(size: np.ndarray) -> np.ndarray:
    """Sizes rounded up to four binary digits, so that few widths serve all, at most 1/8 wasted."""
    unit = 1 << np.maximum(np.frexp(size)[1] - 4, 0)
    return -(-size // unit) * unit
