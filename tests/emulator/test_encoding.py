"""CF's attributes of stored numbers are read in one place, and all readers agree (fault 98)."""

from __future__ import annotations

import netCDF4
import numpy as np
import pytest

from landstep.emulator.encoding import Encoding, filled
from landstep.emulator.errors import InputError
from landstep.emulator.netcdf import NetcdfFile


def values(stored, dtype=None, **attrs):
    """Values of stored numbers, NaN where missing."""
    stored = np.asarray(stored, dtype)
    return filled(Encoding.of(attrs, stored.dtype, "a.nc, x").masked(stored)).tolist()


def write(path, stored, **attrs):
    """Write `x(n)` as it is, without our own code."""
    with netCDF4.Dataset(path, "w") as file:
        file.set_fill_off()
        file.createDimension("n", len(stored))
        x = file.createVariable("x", stored.dtype, ("n",), fill_value=attrs.pop("_FillValue", None))
        x.set_auto_maskandscale(False)
        x.setncatts(attrs)
        x[:] = stored
    return path


@pytest.mark.parametrize("said", ["true", "True", "TRUE ", b"true"])
@pytest.mark.parametrize("dtype", ["i1", "i2", "i4", ">i2"])
def test_signed_numbers_that_are_unsigned_are_read_so(said, dtype):
    top = 2 ** (8 * np.dtype(dtype).itemsize)
    read = values([-1, -2, 3], dtype, _Unsigned=said, _FillValue=np.array(-1, dtype)[()])
    assert np.isnan(read[0]) and read[1:] == [top - 2, 3]
    read = values([-1, -2, 3], dtype, _Unsigned=said, missing_value=top - 1)
    assert np.isnan(read[0]) and read[1:] == [top - 2, 3]


def test_unsigned_numbers_that_are_signed_are_read_so():
    assert values([255, 1], "u1", _Unsigned="false") == [-1, 1]


def test_limits_of_unsigned_numbers_may_be_written_with_a_sign():
    attrs = {"_Unsigned": "true", "valid_range": np.array([0, -56], "i1")}
    read = values([-56, -55, 7], "i1", **attrs)
    assert read[0] == 200 and np.isnan(read[1]) and read[2] == 7


def test_a_byte_with_limits_beyond_127_has_no_sign():
    """CF 2.2: classic files have signed bytes only, and say 0 to 255."""
    assert values([-1, 5], "i1", valid_range=np.array([0, 255], "i2")) == [255, 5]
    assert values([-1, 5], "i1", valid_max=np.int16(255)) == [255, 5]
    for top in (100, 127, 256):
        assert values([-1, 5], "i1", valid_range=np.array([-100, top], "i2")) == [-1, 5]


def test_packed_numbers_are_unpacked_after_what_is_missing_was_found():
    attrs = {"scale_factor": 0.5, "add_offset": 10.0, "missing_value": np.array([-1, -2], "i2")}
    read = values([2, -1, -2, 4], "i2", **attrs)
    assert read[0] == 11 and read[3] == 12 and np.isnan(read[1:3]).all()


@pytest.mark.parametrize("limits", [np.array([0, 90], "i2"), np.array([10.0, 19.0], "f8")])
@pytest.mark.parametrize("scale", [0.1, np.float32(0.1)])  # float32: 90 steps are 9.0000001
def test_limits_of_packed_numbers_are_packed_or_of_the_unpacked_type(limits, scale):
    attrs = {"scale_factor": scale, "add_offset": 10.0, "valid_range": limits}
    read = values([-1, 0, 90, 91], "i2", **attrs)
    assert np.isnan(read).tolist() == [True, False, False, True]


def test_a_negative_scale_turns_unpacked_limits_round():
    attrs = {"scale_factor": -0.1, "valid_range": np.array([-9.0, 0.0])}
    assert np.isnan(values([-1, 0, 90, 91], "i2", **attrs)).tolist() == [True, False, False, True]


@pytest.mark.parametrize("name", ["scale_factor", "add_offset"])
@pytest.mark.parametrize(
    "value", ["0.25 m", "0.25", np.array([0.1, 0.2]), np.array([]), np.nan, np.inf, ["1"]]
)
def test_a_packing_that_is_no_number_is_refused(name, value):
    with pytest.raises(InputError, match=rf"a\.nc, x: attribute {name} is .*expected one number"):
        values([1], "i2", **{name: value})


def test_a_scale_of_zero_and_an_unknown_sign_are_refused():
    with pytest.raises(InputError, match="scale_factor is 0"):
        values([1], "i2", scale_factor=0.0)
    with pytest.raises(InputError, match="_Unsigned is 'maybe', expected 'true' or 'false'"):
        values([1], "i2", _Unsigned="maybe")


@pytest.mark.parametrize("dtype", ["S1", "U3", "O", "c16", [("a", "f4"), ("b", "i2")]])
def test_what_is_no_number_is_refused_in_words(dtype):
    with pytest.raises(InputError, match=r"a\.nc, x: .*, expected numbers"):
        Encoding.of({}, np.dtype(dtype), "a.nc, x")


def test_empty_data_are_no_obstacle():
    assert values([], "i2", scale_factor=0.1, missing_value=[3, 4], valid_min=1) == []


@pytest.mark.parametrize("dtype", ["i2", "u1", "i4", "f4", "f8"])
def test_all_ways_to_read_agree_on_what_is_missing(tmp_path, dtype):
    stored = np.array([1, 7, 9, 50, 120], dtype)
    attrs = {"_FillValue": stored[1], "missing_value": stored[2:3], "valid_max": stored[3]}
    with NetcdfFile(write(tmp_path / "a.nc", stored, **attrs)) as file:
        gone = [False, True, True, False, True]
        assert np.ma.getmaskarray(file.masked("x")).tolist() == gone
        assert np.isnan(file.numbers("x")).tolist() == gone
        assert file.masked("x").data.tolist() == stored.tolist()
        assert np.isnan(file.coordinate("x")).tolist() == [False, True, True, False, False]
        if dtype.startswith("f"):
            assert np.isnan(file.read("x")).tolist() == gone


def write_kind(path, kind):
    """Write `x(n)` of a kind that holds no plain numbers, without our own code."""
    with netCDF4.Dataset(path, "w") as file:
        file.createDimension("n", 2)
        if kind == "compound":
            pair = np.dtype([("a", "f4"), ("b", "i2")])
            file.createVariable("x", file.createCompoundType(pair, "pair"), ("n",))
        elif kind == "list":
            x = file.createVariable("x", file.createVLType("f4", "row"), ("n",))
            x[0], x[1] = np.ones(3, "f4"), np.ones(1, "f4")
        elif kind == "string":
            file.createVariable("x", str, ("n",))[:] = np.array(["1985", "b"], object)
        else:
            file.createVariable("x", "S1", ("n",))[:] = np.array([b"1", b"2"])
    return path


@pytest.mark.parametrize("kind", ["compound", "list", "string", "character"])
@pytest.mark.parametrize("read", ["masked", "numbers", "coordinate", "years"])
def test_a_variable_without_numbers_is_refused_by_file_and_name(tmp_path, kind, read):
    with NetcdfFile(write_kind(tmp_path / "a.nc", kind)) as file:
        with pytest.raises(InputError, match=r"a\.nc, x: .*expected numbers"):
            getattr(file, read)("x")


def test_an_enumeration_is_its_numbers(tmp_path):
    with netCDF4.Dataset(tmp_path / "a.nc", "w") as made:
        made.createDimension("n", 3)
        cover = made.createEnumType("u1", "cover", {"sea": 0, "wood": 44, "gone": 255})
        made.createVariable("x", cover, ("n",), fill_value=255)[:] = np.array([0, 44, 255], "u1")
    with NetcdfFile(tmp_path / "a.nc") as file:
        assert np.isnan(file.numbers("x")).tolist() == [False, False, True]
