"""Folds in space: blocks of coarse cells dealt out, so that none is both learned from and scored.

Training leaves one fold out and evaluation scores on it; both call `folds` with the same arrays.
"""

from __future__ import annotations

import numpy as np

from landstep.emulator.errors import ConfigError

FOLDS = 5
TILE = 4
"""Coarse cells a side of the blocks that are dealt out to the folds."""


def folds(
    row: np.ndarray,
    col: np.ndarray,
    land: np.ndarray,
    n_folds: int = FOLDS,
    tile: int = TILE,
    seed: int = 0,
) -> np.ndarray:
    """Deal blocks of coarse cells out to folds, each with about the same land.

    row, col : (y,), (x,) int64, the coarse row of each fine row and column of each fine column,
        the first ones 0
    land : (y, x) bool, cells of any class but OUTSIDE
    tile : coarse cells a side of a block; neighbours in a fold share an edge no more than by chance
    returns : (y, x) int64, fold of each cell, 0 .. n_folds - 1; -1 where there is no land. It
        depends on nothing but the arguments.
    Raises ConfigError for fewer than two folds, or fewer blocks with land than folds.
    """
    block, n_blocks = number_blocks(row, col, land, tile)
    if n_folds < 2 or n_blocks < n_folds:
        raise ConfigError(
            f"{n_folds} folds of {n_blocks} blocks of {tile} coarse cells a side, expected 2 folds "
            "or more and a block with land for each; take fewer folds or a larger region"
        )
    cells = np.bincount(block[land], minlength=n_blocks)
    order = np.random.default_rng(seed).permutation(n_blocks)
    order = order[np.argsort(-cells[order], kind="stable")]
    fold_of, filled = np.zeros(n_blocks, np.int64), np.zeros(n_folds, np.int64)
    for number in order:
        fold = int(filled.argmin())
        fold_of[number] = fold
        filled[fold] += cells[number]
    return np.where(land, fold_of[block], -1)


def number_blocks(
    row: np.ndarray, col: np.ndarray, mask: np.ndarray, size: int = 1
) -> tuple[np.ndarray, int]:
    """Number the blocks of coarse cells that hold counted cells.

    row, col : (y,), (x,) int64, the coarse row of each fine row and column of each fine column
    mask : (y, x) bool, the cells that count
    size : coarse cells a side of a block
    returns : (y, x) int64 block of each cell, 0 .. n - 1 (0 too where the mask is False), and n
    Raises ConfigError for a size below 1.
    """
    if size < 1:
        raise ConfigError(f"blocks of {size} coarse cells a side, expected at least 1")
    number = (row // size)[:, None] * (int(col.max()) // size + 1) + (col // size)[None, :]
    found, place = np.unique(number[mask], return_inverse=True)
    block = np.zeros(mask.shape, np.int64)
    block[mask] = place
    return block, int(found.size)
