"""Numbers as files store them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landstep.coupling.host_files.stored import Stored
from landstep.emulator.errors import InputError

PACKED = {"scale_factor": np.float32(-0.0004122757), "add_offset": np.float32(13.508625)}
"""VEGFRA's, of a WRF file that ncpdq packed."""


def test_where_the_value_is_the_old_one_so_is_the_number():
    """Every int16 comes back as itself, whatever unpacking and packing would round it to."""
    stored = Stored(np.arange(-32767, 32768, dtype=np.int16), PACKED, "f, v")
    assert np.array_equal(stored.replaced(stored.values), stored.numbers)


@given(st.lists(st.floats(0.0, 27.0), min_size=1, max_size=20))
def test_a_new_value_is_stored_to_half_a_step(values):
    """The nearest packed number."""
    stored = Stored(np.zeros(len(values), np.int16), PACKED, "f, v")
    new = Stored(stored.replaced(np.array(values)), PACKED, "f, v")
    assert np.abs(new.values - values).max() <= 0.5 * 0.0004122757 + 1e-9


def test_nan_leaves_a_number_alone():
    """Points that are not served."""
    stored = Stored(np.array([1.5, 2.5], np.float32), {}, "f, v")
    assert stored.replaced(np.array([np.nan, 0.25])).tolist() == [1.5, 0.25]


def test_a_missing_value_stays_missing():
    """1e20 in ecLand's files, at sea."""
    stored = Stored(np.array([1e20, 0.5]), {"missing_value": 1e20}, "f, v")
    assert np.isnan(stored.values[0])
    assert stored.replaced(np.array([np.nan, 0.7])).tolist() == [1e20, 0.7]


def test_a_value_beyond_the_packing_is_refused():
    """A packing made for 0 to 27 cannot hold 40."""
    stored = Stored(np.zeros(2, np.int16), PACKED, "wrf.nc, VEGFRA")
    with pytest.raises(
        InputError, match=r"wrf.nc, VEGFRA: 40 cannot be stored: int16 .* holds -0.0004"
    ):
        stored.replaced(np.array([1.0, 40.0]))


def test_the_mark_of_a_missing_value_is_refused():
    """A value that lands on it would be read as missing."""
    stored = Stored(np.array([5], np.int32), {"_FillValue": 7, "scale_factor": 0.5}, "f, v")
    with pytest.raises(InputError, match=r"f, v: 3.5 would be stored as the file's mark .*\[7\]"):
        stored.replaced(np.array([3.5]))


def test_types_stay_whole():
    """A type in a packed file is stored near enough to be read as itself."""
    attrs = {"scale_factor": np.float32(-0.00013733748), "add_offset": np.float32(11.5)}
    stored = Stored(np.full(3, 32766, np.int16), attrs, "f, LU_INDEX")
    new = Stored(stored.replaced(np.array([7.0, 9.0, 16.0]), types=True), attrs, "f, LU_INDEX")
    assert np.rint(new.values).tolist() == [7, 9, 16]


@pytest.mark.parametrize(
    ("numbers", "attrs", "types"),
    [
        (np.array([3], np.int32), {}, False),  # an integer variable holds no half
        (np.array([3], np.int16), {"scale_factor": 1.3}, True),
    ],
)
def test_a_number_that_becomes_another_is_refused(numbers, attrs, types):
    """2.5 in an integer, 5 in steps of 1.3."""
    wanted = np.array([5.0 if types else 2.5])
    with pytest.raises(InputError, match=r"f, v: .* which is another number"):
        Stored(numbers, attrs, "f, v").replaced(wanted, types=types)


def test_unsigned_shorts_are_read_and_written_as_such():
    """CF 2.2: `_Unsigned`; 40000 is stored as -25536."""
    attrs = {"_Unsigned": "true", "_FillValue": np.int16(-1)}
    stored = Stored(np.array([-25536, -1, 5], np.int16), attrs, "f, v")
    assert stored.values[[0, 2]].tolist() == [40000, 5] and np.isnan(stored.values[1])
    new = stored.replaced(np.array([50000.0, np.nan, 6.0]))
    assert new.dtype == np.int16 and new.view(np.uint16).tolist() == [50000, 65535, 6]
    with pytest.raises(InputError, match="65535 would be stored as the file's mark"):
        stored.replaced(np.array([65535.0, np.nan, 6.0]))
