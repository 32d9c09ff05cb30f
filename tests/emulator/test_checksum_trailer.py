"""Files that landstep wrote: no changed byte is read, and every program can read the file."""

from __future__ import annotations

import random
import shutil
import subprocess
from pathlib import Path

import netCDF4
import numpy as np
import pytest

from landstep.emulator.checksum_trailer import SIZE, hdf5_end, verify_trailer
from landstep.emulator.errors import InputError
from landstep.emulator.netcdf import NetcdfFile, Variable, write_netcdf
from landstep.emulator.netcdf_edit import edited_copy

DATA = np.arange(35 * 51, dtype=np.int32).reshape(35, 51)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file as landstep writes it, with strings in HDF5's global heap."""
    return write(tmp_path / "a.nc")


def write(path: Path, compress: str = "zlib") -> Path:
    names = np.array(["one", "two", "three"], object)
    variables = [
        Variable("x", ("lat", "lon"), DATA, {"units": "1"}, compress=compress),  # type: ignore[arg-type]
        Variable("name", ("n",), names),
        Variable("lat", ("lat",), np.linspace(50, 49, 35), {"units": "degrees_north"}),
        Variable("lon", ("lon",), np.linspace(3, 4, 51), {"units": "degrees_east"}),
    ]
    write_netcdf(path, {"lat": 35, "lon": 51, "n": 3}, variables, {"Conventions": "CF-1.11"})
    return path


def refused(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    with pytest.raises(InputError) as error:
        NetcdfFile(path)
    assert path.name in str(error.value)
    return str(error.value)


def test_no_changed_byte_of_a_file_is_read(path: Path) -> None:
    """Fault 50: of any byte, the trailer's own included, before a library sees it."""
    whole, draw = path.read_bytes(), random.Random(3)
    places = [*draw.sample(range(len(whole)), 150), *range(len(whole) - SIZE, len(whole))]
    for place in places:
        changed = bytearray(whole)
        changed[place] ^= 1 << draw.randrange(8)
        refused(path, bytes(changed))


def test_bytes_that_are_cut_off_added_or_overwritten_are_noticed(path: Path) -> None:
    """Fault 50."""
    whole = path.read_bytes()
    data = len(whole) - SIZE
    for n in (1, 7, 8, 40, SIZE - 1, SIZE + 1, 4096):
        refused(path, whole[:-n])
    for extra in (b"\0", b"\n", bytes(SIZE), bytes(4096), whole):
        refused(path, whole + extra)
    refused(path, whole[:500] + whole[501:])
    refused(path, whole[:500] + b"\0" + whole[500:])
    refused(path, whole[:data] + bytes(SIZE))
    refused(path, whole[:data] + random.Random(1).randbytes(SIZE))
    refused(path, whole[: data - 30] + bytes(SIZE + 30))
    refused(path, whole[: data - 30] + random.Random(2).randbytes(SIZE + 2070))
    refused(path, whole[:data] + bytes(4096))


def test_a_file_says_where_its_hdf5_data_end(path: Path, tmp_path: Path) -> None:
    with open(path, "rb") as file:
        assert hdf5_end(file) == path.stat().st_size - SIZE
    with netCDF4.Dataset(tmp_path / "b.nc", "w") as other:
        other.createDimension("x", 3)
    with open(tmp_path / "b.nc", "rb") as file:
        assert hdf5_end(file) == (tmp_path / "b.nc").stat().st_size
    for content in (b"", b"CDF\x01" + bytes(90), path.read_bytes()[:20]):
        (tmp_path / "c").write_bytes(content)
        with open(tmp_path / "c", "rb") as file:
            assert hdf5_end(file) is None


def test_a_program_that_changes_or_rewrites_a_file_leaves_it_unverified(
    path: Path, tmp_path: Path
) -> None:
    """Opened for writing, HDF5 cuts the file at its end."""
    assert verify_trailer(path) is not None
    copy = tmp_path / "copy.nc"
    shutil.copy(path, copy)
    assert verify_trailer(copy) == verify_trailer(path)
    with netCDF4.Dataset(copy, "a") as file:
        file["x"][0, 0] = 7
    assert verify_trailer(copy) is None
    with NetcdfFile(copy) as read:
        assert read.read("x")[0, 0] == 7
    with edited_copy(path, copy) as edit:
        edit.put("x", DATA + 1)
    assert verify_trailer(copy) is None and verify_trailer(path) is not None
    with NetcdfFile(copy) as read:
        assert np.array_equal(read.read("x"), DATA + 1)


def output_of(*command: str | Path) -> str:
    """What a program says; the test skips where it is not installed."""
    if shutil.which(str(command[0])) is None:
        pytest.skip(f"{command[0]} is not installed (Debian: netcdf-bin, gdal-bin, cdo)")
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_ncdump_reads_the_file(path: Path) -> None:
    """Fault 104."""
    said = output_of("ncdump", "-v", "x,name", path)
    assert f"{DATA[-1, -2]}, {DATA[-1, -1]} ;" in said and "three" in said


def test_nccopy_makes_an_unverified_copy(path: Path, tmp_path: Path) -> None:
    """Fault 104."""
    output_of("nccopy", path, tmp_path / "b.nc")
    assert verify_trailer(tmp_path / "b.nc") is None
    with NetcdfFile(tmp_path / "b.nc") as file:
        assert np.array_equal(file.read("x"), DATA)


def test_gdal_reads_the_file(path: Path) -> None:
    """Fault 104: QGIS reads through GDAL."""
    said = output_of("gdalinfo", "-stats", f'NETCDF:"{path}":x')
    assert f"STATISTICS_MAXIMUM={DATA.max()}" in said


def test_cdo_reads_the_file(path: Path) -> None:
    """Fault 104."""
    said = output_of("cdo", "-s", "output", "-selname,x", path)
    assert said.split()[-1] == str(DATA[-1, -1])


def test_xarray_reads_the_file(path: Path) -> None:
    """Fault 104."""
    xarray = pytest.importorskip("xarray")
    with xarray.open_dataset(path) as dataset:
        assert np.array_equal(dataset["x"].values, DATA)
