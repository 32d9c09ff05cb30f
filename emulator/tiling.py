"""Windows with an exact halo: the map does not depend on how it is cut.

Windows start on the network's stride, counted from the grid's first cell, and carry a halo of at
least the network's receptive field, clipped only at true edges. Each gives back its interior: the
box around what is wanted (land) of the square that it lies in.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from landstep.emulator.errors import ConfigError


@dataclass(frozen=True)
class Window:
    """One piece of a map: the core that it answers for, and the cells that it must see.

    core : (top, bottom, left, right) of the cells it answers for, within the map
    rows, cols : int64 indices into the map of the cells it sees; -1 beyond the map's edge (there
        only to fill the last stride); columns of a map that wraps come round
    top, left : place of the core's first cell within the window
    """

    core: tuple[int, int, int, int]
    rows: np.ndarray
    cols: np.ndarray
    top: int
    left: int

    def read(self, array: np.ndarray, beyond: float) -> np.ndarray:
        """Cut the window out of a map (..., ny, nx); cells beyond the edge hold `beyond`.

        returns : (..., rows, cols), contiguous, of the map's dtype
        """
        cut = np.take(np.take(array, self.rows, axis=-2), self.cols, axis=-1)
        cut[..., self.rows < 0, :] = beyond
        cut[..., :, self.cols < 0] = beyond
        return cut

    def write(self, array: np.ndarray, result: np.ndarray, first_row: int = 0) -> None:
        """Put the core of a window's result (..., rows, cols) into a map (..., ny, nx).

        first_row : the map's row with which `array` begins, where it is a strip of the map
        """
        y0, y1, x0, x1 = self.core
        inside = np.s_[..., self.top : self.top + y1 - y0, self.left : self.left + x1 - x0]
        array[..., y0 - first_row : y1 - first_row, x0:x1] = result[inside]


def windows(
    shape: tuple[int, int], core: int, stride: int, halo: int, wraps: bool, wanted: np.ndarray
) -> Iterator[Window]:
    """Cut a map into windows, row by row: see `strips` for the parameters and errors."""
    for _, _, of_strip in strips(shape, core, stride, halo, wraps, wanted):
        yield from of_strip


def strips(
    shape: tuple[int, int], core: int, stride: int, halo: int, wraps: bool, wanted: np.ndarray
) -> Iterator[tuple[int, int, list[Window]]]:
    """Cut a map into strips of `core` rows, and each into squares with a window each.

    A window's core is the box around all that its square wants, begun on the stride; a square that
    wants nothing has none.

    shape : (ny, nx) of the map
    core : cells a side of the squares, a multiple of the stride
    stride, halo : the network's, halo a multiple of the stride
    wraps : the last column's neighbour is the first
    wanted : (ny, nx) bool, the cells that must be computed (land)
    returns : first row, row after the last, and the windows of the strip
    Raises ConfigError for a core or a halo off the stride.
    """
    for what, size in (("core", core), ("halo", halo)):
        if size < stride or size % stride:
            raise ConfigError(f"window {what} of {size} cells, expected a multiple of {stride}")
    ny, nx = shape
    for first in range(0, ny, core):
        last = min(first + core, ny)
        found = []
        for start in range(0, nx, core):
            square = wanted[first:last, start : start + core]
            if not square.any():
                continue
            y0, y1 = _ends(np.any(square, axis=1), first, stride)
            x0, x1 = _ends(np.any(square, axis=0), start, stride)
            rows, top = _span(y0, y1, ny, stride, halo, wraps=False)
            cols, left = _span(x0, x1, nx, stride, halo, wraps)
            found.append(Window((y0, y1, x0, x1), rows, cols, top, left))
        yield first, last, found


def _ends(wanted: np.ndarray, first: int, stride: int) -> tuple[int, int]:
    """Cell to begin with, on the stride, and cell after the last, of those wanted along an axis.

    wanted : (n,) bool, not all False; first : number of its first cell, on the stride
    """
    there = np.flatnonzero(wanted)
    return first + int(there[0]) // stride * stride, first + int(there[-1]) + 1


def _span(
    start: int, end: int, size: int, stride: int, halo: int, wraps: bool
) -> tuple[np.ndarray, int]:
    """Cells that a core from start to end sees along one axis, and where the core begins."""
    if wraps:
        first = start - halo
        last = first + -(-(end + halo - first) // stride) * stride
        return np.arange(first, last, dtype=np.int64) % size, halo
    first = max(0, start - halo)
    last = min(-(-(end + halo) // stride), -(-size // stride)) * stride
    cells = np.arange(first, last, dtype=np.int64)
    return np.where(cells < size, cells, -1), start - first
