"""A part of a grid: the rows and columns of it that one rank holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Part:
    """A rectangle of a grid, round the Earth where need be.

    top, bottom : first row and the row after the last
    left, right : first column and the column after the last; counted on beyond the grid's ends
        (below 0, or from nx on) where it reaches across the cut of a grid that wraps
    of : (ny, nx) of the whole grid
    """

    top: int
    bottom: int
    left: int
    right: int
    of: tuple[int, int]

    @classmethod
    def whole(cls, shape: tuple[int, int]) -> Part:
        """Give the part that is all of a grid."""
        return cls(0, shape[0], 0, shape[1], shape)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.bottom - self.top, self.right - self.left

    @property
    def rows(self) -> slice:
        """Its rows of the whole grid."""
        return slice(self.top, self.bottom)

    @property
    def columns(self) -> np.ndarray:
        """Its columns of the whole grid, (columns,) int64."""
        return np.arange(self.left, self.right, dtype=np.int64) % self.of[1]

    @property
    def is_whole(self) -> bool:
        """Tell whether it is all of its grid."""
        return self == Part.whole(self.of)

    def cut(self, field: np.ndarray) -> np.ndarray:
        """Cut it out of a field (..., ny, nx) of the whole grid."""
        return field if self.is_whole else field[..., self.rows, :][..., self.columns]

    def meet(self, other: Part) -> Iterator[tuple[int, int, int, int]]:
        """Give what it has in common with a part that does not cross the grid's ends.

        returns : boxes (top, bottom, left, right) in its own columns as they are counted; more
            than one where it meets the other from both sides
        """
        top, bottom = max(self.top, other.top), min(self.bottom, other.bottom)
        for turn in (-self.of[1], 0, self.of[1]):
            left, right = max(self.left, other.left + turn), min(self.right, other.right + turn)
            if top < bottom and left < right:
                yield top, bottom, left, right


def runs(cells: np.ndarray) -> Iterator[tuple[slice, slice]]:
    """Find runs of neighbouring cells: their places in the list, and the cells as a slice.

    cells : (n,) int64; those below 0 are no cells, and in no run
    """
    cuts = np.flatnonzero(np.diff(cells) != 1) + 1
    for first, last in zip((0, *cuts), (*cuts, cells.size), strict=True):
        if cells[first] >= 0:
            start = int(cells[first])
            yield slice(int(first), int(last)), slice(start, start + int(last - first))
