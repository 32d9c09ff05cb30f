"""Codes in any type of number are whole, or refused with the cell."""

from __future__ import annotations

import numpy as np
import pytest

from landstep.emulator.errors import InputError
from landstep.emulator.whole import whole_numbers


def whole(values, missing=False):
    """Whole numbers of some values, as a list."""
    values = np.ma.MaskedArray(np.asarray(values), np.broadcast_to(missing, np.shape(values)))
    return whole_numbers(values, "a.nc, x", "codes")[0].tolist()


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_what_unpacking_leaves_of_a_code_is_the_code(dtype):
    assert whole(np.array([3 * 0.1 * 10, 254 * 0.1 * 10, 6.99995, 7.00005, -1, 0], dtype)) == [
        3, 254, 7, 7, -1, 0
    ]  # fmt: skip


@pytest.mark.parametrize("wrong", [3.5, 3.002, 2.998, np.nan, np.inf, 1e20, -1e20, 2.0**31])
def test_what_is_no_whole_number_is_refused_with_its_cell(wrong):
    with pytest.raises(InputError, match=r"a\.nc, x: .* at cell \(1, 2\) \(1 such"):
        whole([[0.0, 1.0, 2.0], [3.0, 4.0, wrong]])
    assert whole([4.0, wrong], [False, True])[0] == 4


def test_integers_stay_as_they_are():
    assert whole(np.array([2**63 - 1, -5], "i8")) == [2**63 - 1, -5]
