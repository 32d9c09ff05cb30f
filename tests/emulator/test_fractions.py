"""Fractions of a cell: what cannot be is refused with its cell, rounding is clipped and counted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from landstep.emulator.errors import InputError
from landstep.emulator.fractions import check_fractions

STATES = ("primf", "urban")


def place(row, col):
    return f"(lat {50 - row}, lon {col})"


def check(stored):
    return check_fractions(np.asarray(stored, np.float32), STATES, place, "a.nc, year 2016")


def usual():
    """Two states on 3 x 5 cells, summing to .7; one cell is sea."""
    fractions = np.full((2, 3, 5), 0.35, np.float32)
    fractions[:, 0, 4] = np.nan
    return fractions


def test_good_fractions_pass_untouched_and_read_only():
    fractions, clipped = check(usual())
    assert np.array_equal(fractions, usual(), equal_nan=True)
    assert clipped == 0 and not fractions.flags.writeable


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (35.0, r"^a\.nc, year 2016, urban: max 35 at \(lat 48, lon 3\), .*in percent\?$"),
        (1.001, r"urban: max 1\.001 at \(lat 48, lon 3\)"),
        (-0.001, r"urban: negative fraction -0\.001 at \(lat 48, lon 3\), expected 0 to 1"),
        (0.651, r"^a\.nc, year 2016: states sum to 1\.001 at \(lat 48, lon 3\), .*tol 1e-05"),
        (np.nan, r"urban: fill value in valid cell \(lat 48, lon 3\), where other states"),
        (np.inf, r"urban: fill value in valid cell: inf at \(lat 48, lon 3\)"),
        (-np.inf, r"urban: fill value in valid cell: -inf"),
        (1e20, r"urban: fill value in valid cell: 1e\+20"),
        (9.97e36, r"urban: fill value in valid cell: 9\.97e\+36"),
        (-9e33, r"urban: fill value in valid cell: -9e\+33"),
        (-999.0, r"urban: fill value in valid cell: -999 at"),
        (-9999.0, r"urban: fill value in valid cell: -9999 at.*set its attribute _FillValue"),
    ],
)
def test_what_cannot_be_is_refused_with_state_and_cell(value, words):
    stored = usual()
    stored[1, 2, 3] = value
    with pytest.raises(InputError, match=words):
        check(stored)


def test_a_year_without_any_valid_cell_is_refused():
    with pytest.raises(InputError, match=r"a\.nc, year 2016: all cells are missing"):
        check(np.full((2, 3, 5), np.nan))


def test_rounding_errors_are_clipped_and_counted():
    stored = usual()
    stored[:, 1, 1] = (-1e-9, 1 + 5e-6)
    stored[1, 2, 2] = -9e-7
    fractions, clipped = check(stored)
    assert clipped == 3
    assert fractions[:, 1, 1].tolist() == [0, 1] and fractions[1, 2, 2] == 0
    assert stored[1, 2, 2] < 0  # the argument is not edited


@given(arrays(np.float32, (2, 3, 5), elements=st.floats(0, 0.5, width=32)))
def test_fractions_that_sum_to_one_at_most_always_pass(stored):
    fractions, clipped = check(stored)
    assert np.array_equal(fractions, stored) and clipped == 0


@given(arrays(np.float32, (2, 2, 3), elements=st.floats(width=32)))
def test_any_numbers_are_refused_or_leave_within_0_and_1(stored):
    try:
        fractions, _ = check(stored)
    except InputError as error:
        assert str(error).startswith("a.nc, year 2016")
        return
    valid = fractions[~np.isnan(fractions)]
    assert valid.min() >= 0 and valid.max() <= 1
    assert np.nansum(fractions, axis=0, dtype=np.float64).max() <= 1 + 1.1e-5
