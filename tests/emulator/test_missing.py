"""What is missing is found by every mark that CF knows, and by no other (faults 23, 24, 98)."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from landstep.emulator.errors import InputError
from landstep.emulator.missing import (
    looks_like_fill,
    marks,
)

USUAL = (-99.0, -999.0, -9999.0, -99999.0, -32768.0, -32767.0, 32767.0, 65535.0)
NEVER_WRITTEN = {  # NC_FILL_SHORT, _USHORT, _INT, _UINT, _INT64, _UINT64 of netcdf.h
    "i2": -32767,
    "u2": 65535,
    "i4": -2147483647,
    "u4": 4294967295,
    "i8": -9223372036854775806,
    "u8": 18446744073709551614,
}


def missing(stored, dtype=None, **attrs):
    """Which of some stored numbers are missing, as a list."""
    stored = np.asarray(stored, dtype)
    return marks(attrs, stored.dtype, "a.nc, x").missing(stored).tolist()


@pytest.mark.parametrize("number", [1.0000001e9, -1.0000001e9, 1e20, np.inf, *USUAL])
def test_a_number_beyond_a_thousand_million_looks_like_a_fill_value(number):
    assert looks_like_fill(number)


@pytest.mark.parametrize("number", [1e9, -1e9, 999.0, -998.9, 65534.0, 32766.0, -32766.0, 0.0])
def test_a_number_that_can_be_measured_does_not(number):
    assert not looks_like_fill(number)


def test_both_attributes_count_and_each_may_hold_several_numbers():
    attrs = {"_FillValue": np.int16(-32767), "missing_value": np.array([-999, -99], "i2")}
    stored = [-32767, -999, -99, -9999, 3]
    assert missing(stored, "i2", **attrs) == [True, True, True, False, False]
    assert missing(stored, "f4", **attrs) == [True, True, True, False, False]


@pytest.mark.parametrize("name", ["_Fillvalue", "_fill_value", "FillValue", "Missing_Value"])
def test_a_misspelt_mark_is_taken_as_meant_and_logged(name, caplog):
    with caplog.at_level(logging.INFO):
        assert missing([1.0, -5.0], **{name: np.float32(-5)}) == [False, True]
    assert f"a.nc, x: attribute {name!r} is read as _FillValue" in caplog.text


@pytest.mark.parametrize("text", ["-9999", " -9999. ", "-9999, 5", "[-9999 5]", ["-9999"]])
def test_a_mark_written_as_text_is_read(text):
    assert missing([-9999, 7], "i4", missing_value=text) == [True, False]


@pytest.mark.parametrize("nothing", ["", "none", [], np.array([], "f4"), "1e", ["x", "y"]])
def test_a_mark_that_is_no_number_marks_nothing(nothing):
    assert missing([-9999.0, 0.0], missing_value=nothing) == [False, False]


def test_marks_that_no_stored_number_can_equal_mark_nothing():
    stored = np.array([0, 1, 255], "u1")
    for mark in (np.nan, np.inf, 0.5, 1e20, 70000, 256, -129, -300, "9" * 400):
        assert missing(stored, _FillValue=mark) == [False, False, False]


@pytest.mark.parametrize(
    ("dtype", "mark", "stored"),
    [("i1", 255, -1), ("u1", -1, 255), ("u2", -9999, 55537), ("i2", 65535, -1)],
)
def test_a_mark_with_the_other_sign_is_the_same_bits(dtype, mark, stored):
    assert missing([stored, 5], dtype, missing_value=mark) == [True, False]


def test_marks_are_exact_where_floats_are_not():
    largest = 2**63 - 1
    stored = np.array([largest, largest - 1, 2**53 + 1, 2**53], "i8")
    assert missing(stored, _FillValue=np.int64(largest)) == [True, False, False, False]
    assert missing(stored, missing_value=np.int64(2**53 + 1)) == [False, False, True, False]


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_a_large_mark_counts_as_far_as_float32_and_six_figures_reach(dtype):
    near, lowest = np.float32(1e20), np.finfo("f4").min
    assert missing([near, 1.00002e20], dtype, missing_value=1e20) == [True, False]
    assert missing([lowest, -3.402e38], dtype, missing_value=-3.40282e38) == [True, False]
    assert missing([9.99e8, 9.990001e8], "f8", missing_value=9.99e8) == [True, False]
    assert missing([1.1e9, 1.100001e9], "f8", missing_value=1.1e9) == [True, True]


def test_nan_is_missing_and_infinity_is_not():
    assert missing([np.nan, np.inf, 1.0], _FillValue=np.float32(np.nan)) == [True, False, False]


@pytest.mark.parametrize(("dtype", "fill"), NEVER_WRITTEN.items())
def test_whole_numbers_never_written_are_missing_where_nothing_is_declared(dtype, fill):
    """The library's own fill value counts for all but bytes, as it does for ncdump."""
    stored = np.array([fill, 5], dtype)
    assert missing(stored) == [True, False]
    assert missing(stored, _FillValue=stored[1]) == [False, True]


def test_every_byte_may_be_a_value_and_floats_never_written_are_none():
    assert not any(missing(np.arange(-128, 128), "i1")) and not any(missing(range(256), "u1"))
    never = np.float32(9.9692099683868690e36)  # NC_FILL_FLOAT, NC_FILL_DOUBLE
    assert missing([never, 1], "f4", _FillValue=np.float32(-5)) == [True, False]
    assert missing([never, 1], "f8") == [True, False]


@pytest.mark.parametrize(
    ("attrs", "expected"),
    [
        ({"valid_min": 2}, [1, 0, 0, 0]),
        ({"valid_max": 5}, [0, 0, 0, 1]),
        ({"valid_range": [2, 5]}, [1, 0, 0, 1]),
        ({"valid_range": "2, 5"}, [1, 0, 0, 1]),
        ({"valid_min": 3, "valid_max": 5}, [1, 1, 0, 1]),
        ({"valid_range": [0, 5], "valid_min": 2}, [1, 0, 0, 1]),
        ({"valid_min": -np.inf, "valid_max": np.nan}, [0, 0, 0, 0]),
        ({"valid_min": 1.5, "valid_max": 5.5}, [1, 0, 0, 1]),
    ],
)
@pytest.mark.parametrize("dtype", ["u1", "i2", "i8", "f4", "f8"])
def test_what_lies_outside_the_valid_range_is_missing(attrs, expected, dtype):
    """Fault 98: CF 2.5.1; the limits themselves are valid."""
    assert missing([1, 2, 5, 6], dtype, **attrs) == [bool(n) for n in expected]


def test_limits_beyond_the_type_limit_nothing():
    assert not any(missing([0, 255], "u1", valid_range=[-1000, 1000]))
    assert not any(missing([-(2**63) + 3, 2**63 - 1], "i8", valid_min=-1e30, valid_max=1e30))


def test_a_limit_is_rounded_as_the_data_were():
    assert missing([np.float32(0.1)], "f4", valid_range=[0.1, 0.1]) == [False]


def test_a_rounding_error_beyond_a_limit_is_no_mark():
    outside = [-1e-9, -9e-7, -2e-6, 1 + 9e-7, 1 + 2e-6]
    assert missing(outside, valid_range=[0.0, 1.0]) == [False, False, True, False, True]
    assert missing([-9e-7, -2e-6], valid_min=0.0) == [False, True]
    assert missing([9000.008, 9000.02], valid_max=9000) == [False, True]


@pytest.mark.parametrize(
    "attrs",
    [
        {"valid_range": [1]},
        {"valid_range": "everything"},
        {"valid_min": [1, 2]},
        {"valid_max": ""},
        {"valid_range": [5, 2]},
        {"valid_min": 5, "valid_max": 2},
    ],
)
def test_limits_that_cannot_be_are_refused_by_name(attrs):
    with pytest.raises(InputError, match=rf"a\.nc, x.*{next(iter(attrs))}.*expected"):
        missing([1.0], **attrs)
