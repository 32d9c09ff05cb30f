"""Changing stored numbers in a copy, and nothing else."""

import netCDF4
import numpy as np
import pytest

from landstep.emulator.errors import InputError
from landstep.emulator.netcdf_edit import edited_copy


@pytest.fixture(params=["NETCDF3_CLASSIC", "NETCDF3_64BIT_OFFSET", "NETCDF4"])
def made(request, tmp_path):
    """A file with two variables on a growing dimension, and one that is packed."""
    path = tmp_path / "made.nc"
    with netCDF4.Dataset(path, "w", format=request.param) as file:
        file.createDimension("time", None)
        file.createDimension("x", 5)
        more = {"zlib": True, "chunksizes": (2, 3)} if request.param == "NETCDF4" else {}
        for name in ("a", "b"):
            file.createVariable(name, "f8", ("time", "x"), **more)[:] = np.arange(15.0).reshape(
                3, 5
            )
        packed = file.createVariable("c", "i2", ("x",))
        packed.scale_factor = 0.5
        packed.set_auto_maskandscale(False)
        packed[:] = [1, 2, 3, 4, 5]
        file.history = "made"
    return path


def described(path):
    """All of a file but its numbers."""
    with netCDF4.Dataset(path) as file:
        return (
            file.data_model,
            {name: (len(d), d.isunlimited()) for name, d in file.dimensions.items()},
            {name: file.getncattr(name) for name in file.ncattrs()},
            {
                name: (
                    v.dtype.str,
                    v.dimensions,
                    v.endian(),
                    v.filters() if file.data_model == "NETCDF4" else None,
                    v.chunking() if file.data_model == "NETCDF4" else None,
                    {a: v.getncattr(a) for a in v.ncattrs()},
                )
                for name, v in file.variables.items()
            },
        )


def test_only_the_numbers_that_are_put_change(made, tmp_path):
    """Of a classic file every other byte stays; of a NETCDF4 file all that describes it."""
    target = tmp_path / "copy.nc"
    with edited_copy(made, target) as edit:
        numbers = edit.stored("b")
        numbers[1, 2] = 77.25
        edit.put("b", numbers)
        packed = edit.stored("c")
        assert packed.dtype == np.int16 and packed.tolist() == [1, 2, 3, 4, 5]
        packed[4] = -3
        edit.put("c", packed)
    assert described(target) == described(made)
    with netCDF4.Dataset(target) as new, netCDF4.Dataset(made) as old:
        assert np.array_equal(new["a"][:], old["a"][:])
        assert np.flatnonzero(new["b"][:] != old["b"][:]).tolist() == [7]
        assert new["c"][:].tolist() == [0.5, 1.0, 1.5, 2.0, -1.5]
    before, after = made.read_bytes(), target.read_bytes()
    if made.read_bytes()[:3] == b"CDF":
        assert len(before) == len(after)
        off = np.flatnonzero(np.frombuffer(before, "u1") != np.frombuffer(after, "u1"))
        assert after.count(np.array(77.25, ">f8").tobytes()) == 1
        assert off.size <= 8 + 2  # one float64 and one int16


def test_without_a_change_the_copy_is_the_file(made, tmp_path):
    """Byte for byte, a NETCDF4 file too as long as nothing is put."""
    target = tmp_path / "copy.nc"
    with edited_copy(made, target):
        pass
    if made.read_bytes()[:3] == b"CDF":
        assert target.read_bytes() == made.read_bytes()
    assert described(target) == described(made)


@pytest.mark.parametrize("numbers", [np.zeros((3, 4)), np.zeros((3, 5), np.float32)])
def test_other_shapes_and_types_are_refused_and_leave_nothing(made, tmp_path, numbers):
    """And the folder is as it was."""
    with pytest.raises(InputError, match=r"made.nc, b: .* to be stored, expected \(3, 5\) float64"):
        with edited_copy(made, tmp_path / "copy.nc") as edit:
            edit.put("b", numbers)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["made.nc"]


def test_a_file_that_is_none_is_refused(tmp_path):
    """As in reading, with the path."""
    (tmp_path / "text.nc").write_text("no")
    with pytest.raises(InputError, match="text.nc"):
        with edited_copy(tmp_path / "text.nc", tmp_path / "copy.nc"):
            pass


def test_damage_found_while_writing_names_the_copy(made, tmp_path):
    """Nothing is at the target then."""
    with pytest.raises(InputError, match=r"copy.nc: cannot write: HDF error"):
        with edited_copy(made, tmp_path / "copy.nc"):
            raise RuntimeError("HDF error")
    assert not (tmp_path / "copy.nc").exists()
