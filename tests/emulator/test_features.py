"""What the network is given, against brute force."""

from __future__ import annotations

import numpy as np

from landstep.emulator.classes import MASKED
from landstep.emulator.features import class_shares, cut_inputs, known
from landstep.emulator.tiling import windows


def test_shares_are_counted_cell_by_cell():
    rng = np.random.default_rng(4)
    land_use = rng.choice([0, 1, 2, MASKED], (13, 11)).astype(np.uint8)
    row, col = np.sort(rng.integers(1, 4, 13)), np.sort(rng.integers(0, 3, 11))
    shares = class_shares(land_use, row, col, (5, 3), 3)
    assert shares.dtype == np.float32
    for cy in range(5):
        for cx in range(3):
            cells = land_use[row == cy][:, col == cx]
            for number in range(3):
                expected = (cells == number).mean() if cells.size else 0
                assert shares[number, cy, cx] == np.float32(expected)


def test_a_missing_field_is_0_and_the_rest_is_kept():
    field = np.array([[np.nan, 0.25]], np.float32)
    assert np.array_equal(known(field), [[0, 0.25]])


def test_windows_see_the_coarse_cells_that_hold_their_fine_ones():
    rng = np.random.default_rng(5)
    shape, row, col = (30, 44), np.arange(30) // 7, np.arange(44) // 7
    fields = (
        rng.integers(0, 8, shape).astype(np.uint8),
        rng.random((1, *shape)).astype(np.float32),
        rng.integers(0, 5, (2, *shape)).astype(np.uint8),
        *(rng.random((3, 5, 7)).astype(np.float32) for _ in range(2)),
        rng.random((8, 5, 7)).astype(np.float32),
    )
    for window in windows(shape, 8, 4, 8, False, np.ones(shape, bool)):
        cut = cut_inputs(window, *fields, row, col)
        inside_y, inside_x = window.rows >= 0, window.cols >= 0
        for name, whole in (("forcing", fields[3]), ("prior_shares", fields[5])):
            painted = cut[name][0][:, cut["row"]][:, :, cut["col"]][:, inside_y][:, :, inside_x]
            at = window.rows[inside_y], window.cols[inside_x]
            assert np.array_equal(painted, whole[:, row[at[0]]][:, :, col[at[1]]])
