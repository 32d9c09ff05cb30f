"""Folds in space: whole blocks, even shares of land, and what cannot be dealt out."""

import numpy as np
import pytest

from landstep.emulator.errors import ConfigError
from landstep.emulator.folds import folds, number_blocks

ROW, COL = np.arange(140) // 7, np.arange(175) // 7


def land() -> np.ndarray:
    """Land with the sea in a corner and lakes here and there."""
    lakes = np.random.default_rng(4).random((140, 175)) < 0.1
    return (np.add.outer(np.arange(140), np.arange(175)) > 60) & ~lakes


def test_folds_are_whole_blocks_with_about_the_same_land():
    there = land()
    fold = folds(ROW, COL, there, 5, tile=2, seed=1)
    assert (fold[~there] == -1).all()
    shares = np.bincount(fold[there]) / there.sum()
    assert len(shares) == 5 and shares.max() - shares.min() < 0.06
    for top in range(0, 140, 14):
        for left in range(0, 175, 14):
            here = fold[top : top + 14, left : left + 14]
            assert len(np.unique(here[here >= 0])) <= 1


def test_the_same_arguments_give_the_same_folds_and_another_seed_others():
    assert np.array_equal(folds(ROW, COL, land()), folds(ROW, COL, land()))
    assert not np.array_equal(folds(ROW, COL, land()), folds(ROW, COL, land(), seed=1))


def test_blocks_of_equal_land_are_dealt_out_evenly():
    fold = folds(ROW, COL, np.ones((140, 175), bool), 5, tile=5)
    assert np.bincount(fold.ravel()).tolist() == [35 * 35 * 4] * 5  # 4 x 5 blocks of 35 cells


def test_folds_that_cannot_be_dealt_out_are_refused():
    with pytest.raises(ConfigError, match="5 folds of 4 blocks of 13 .* take fewer folds"):
        folds(ROW, COL, land(), 5, tile=13)
    with pytest.raises(ConfigError, match="1 folds of .* expected 2 folds or more"):
        folds(ROW, COL, land(), 1)


def test_blocks_join_coarse_cells_and_leave_out_those_without_counted_cells():
    row, col = np.arange(6) // 2, np.arange(8) // 2
    mask = np.ones((6, 8), bool)
    assert number_blocks(row, col, mask)[1] == 12
    block, n = number_blocks(row, col, mask, 2)
    assert n == 4
    assert block[0, 0] == block[3, 3] != block[4, 0]
    mask[:4, :4] = False
    assert number_blocks(row, col, mask, 2)[1] == 3


def test_a_block_of_no_coarse_cells_is_refused():
    with pytest.raises(ConfigError, match="at least 1"):
        number_blocks(np.arange(2), np.arange(2), np.ones((2, 2), bool), 0)
