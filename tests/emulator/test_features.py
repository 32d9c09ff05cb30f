"""What the network is given, against brute force."""

from __future__ import annotations

import numpy as np

from landstep.emulator.classes import MASKED
from landstep.emulator.features import INPUT_NAMES, Fields, class_shares, known
from landstep.emulator.tiling import Cut


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


def made_up_fields(shape=(30, 44)):
    """Make up the fields of a whole map on blocks of 7."""
    rng = np.random.default_rng(5)
    return Fields(
        prior=rng.integers(0, 8, shape).astype(np.uint8),
        history=rng.integers(0, 8, (3, *shape)).astype(np.uint8),
        years=-1,
        continuous=rng.random((1, *shape)).astype(np.float32),
        categories=rng.integers(0, 5, (2, *shape)).astype(np.uint8),
        forcing=rng.random((3, 5, 7)).astype(np.float32),
        forcing_change=rng.random((3, 5, 7)).astype(np.float32),
        prior_shares=rng.random((8, 5, 7)).astype(np.float32),
        row=np.arange(shape[0]) // 7,
        col=np.arange(shape[1]) // 7,
    )


def test_the_graphs_inputs_have_its_names_and_a_leading_axis():
    fields = made_up_fields()
    inputs = fields.inputs()
    assert tuple(inputs) == INPUT_NAMES
    assert inputs["years"].tolist() == [-1] and inputs["years"].dtype == np.float32
    assert inputs["history"].shape == (1, 3, 30, 44)
    for name in set(INPUT_NAMES) - {"years", "row", "col"}:
        assert np.array_equal(inputs[name][0], getattr(fields, name))


def test_windows_see_the_coarse_cells_that_hold_their_fine_ones():
    shape, fields = (30, 44), made_up_fields()
    row, col = fields.row, fields.col
    for window in Cut(shape, 4, 8, False).over(row, col, 8, np.ones(shape, bool)):
        cut = fields.cut(window)
        inside_y, inside_x = window.rows >= 0, window.cols >= 0
        y, x = window.rows[inside_y], window.cols[inside_x]
        history = cut["history"][0][:, inside_y][:, :, inside_x]
        assert np.array_equal(history, fields.history[:, y][:, :, x])
        assert not cut["history"][0][:, ~inside_y].any()
        assert cut["years"].tolist() == [-1]
        for name in ("forcing", "forcing_change", "prior_shares"):
            whole = getattr(fields, name)
            painted = cut[name][0][:, cut["row"]][:, :, cut["col"]][:, inside_y][:, :, inside_x]
            assert np.array_equal(painted, whole[:, row[y]][:, :, col[x]])
