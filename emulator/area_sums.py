"""Areas of classes in coarse cells: exact sums, the same in any order and for any cutting."""

from __future__ import annotations

import numpy as np

from landstep.emulator.coarse_cells import CoarseCells
from landstep.emulator.grid import Grid
from landstep.emulator.mapped import row_pieces


def coarse_class_sums(
    land_use: np.ndarray,
    area: np.ndarray,
    row: np.ndarray,
    col: np.ndarray,
    shape: tuple[int, int],
    n_classes: int,
) -> np.ndarray:
    """Sum the cells' areas over each class of each coarse cell.

    land_use : (y, x) uint8 class numbers; other numbers count for no class
    area : (y, 1) or (y, x) int64, in any unit
    row, col : (y,), (x,) int64, non-decreasing, the coarse row and column of each fine one
    shape : coarse rows and columns (cy, cx)
    returns : (n_classes, cy, cx) int64
    """
    sums = np.zeros((n_classes, *shape), np.int64)
    if area.shape[1] == 1:
        _add_counts(sums, land_use, area[:, 0], row, col)
        return sums
    for piece in row_pieces(row.size):
        coarse = CoarseCells.of(row[piece], col)
        at = np.ix_(coarse.rows, coarse.cols)
        for number in range(n_classes):
            of_class = np.where(land_use[piece] == number, area[piece], 0)
            sums[number][at] += coarse.sum(of_class)
    return sums


def class_areas(land_use: np.ndarray, grid: Grid, n_classes: int) -> np.ndarray:
    """Area of each class of a map, in AREA_UNIT_M2: (n_classes,) int64; MASKED counts for none."""
    row, col = (np.zeros(size, np.int64) for size in land_use.shape)
    sums = coarse_class_sums(land_use, grid.cell_area(), row, col, (1, 1), n_classes)
    return sums[:, 0, 0]


def _add_counts(
    sums: np.ndarray, land_use: np.ndarray, area: np.ndarray, row: np.ndarray, col: np.ndarray
) -> None:
    """Add the areas row by row: cells of a row are alike, so that counting them is enough."""
    n_classes, _, columns = sums.shape
    slots = n_classes + 1
    place = col * slots
    for number, cells in enumerate(land_use):
        of_class = np.minimum(cells, n_classes)
        counts = np.bincount(place + of_class, minlength=columns * slots)
        by_class = counts.reshape(columns, slots)[:, :n_classes].T
        sums[:, row[number]] += by_class * area[number]
