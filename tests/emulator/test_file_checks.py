"""What is not a whole NetCDF file is refused with words before the library sees it."""

from __future__ import annotations

from pathlib import Path

import netCDF4
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.io import netcdf_file

from landstep.emulator.errors import InputError
from landstep.emulator.file_checks import check_file, check_output_folder
from landstep.emulator.netcdf import NetcdfFile


def write_classic(path):
    """Write `urban` (time 3, lat 5, lon 7) as a classic file, without our own code."""
    with netcdf_file(path, "w") as file:
        for name, size in (("time", None), ("lat", 5), ("lon", 7)):
            file.createDimension(name, size)
        file.createVariable("time", "f8", ("time",))[:] = np.arange(3.0)
        urban = file.createVariable("urban", "f4", ("time", "lat", "lon"))
        urban[:] = np.arange(105).reshape(3, 5, 7)
        urban.units = "1"
    return path


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"nothing\.nc: file not found"):
        NetcdfFile(tmp_path / "nothing.nc")


def test_a_directory_is_refused(tmp_path):
    with pytest.raises(InputError, match="is a directory"):
        NetcdfFile(tmp_path)


def test_an_empty_file_is_refused(tmp_path):
    (tmp_path / "a.nc").touch()
    with pytest.raises(InputError, match=r"empty \(0 bytes\)"):
        NetcdfFile(tmp_path / "a.nc")


def test_a_web_page_is_recognised(tmp_path):
    (tmp_path / "a.nc").write_text("\n<html><body>404 Not Found</body></html>")
    with pytest.raises(InputError, match=r"starts with '<html'.*download it again"):
        NetcdfFile(tmp_path / "a.nc")


def test_a_gzip_archive_is_recognised(tmp_path):
    (tmp_path / "a.nc").write_bytes(b"\x1f\x8b\x08\x00abc")
    with pytest.raises(InputError, match="gunzip"):
        NetcdfFile(tmp_path / "a.nc")


def test_another_format_is_refused(tmp_path):
    (tmp_path / "a.nc").write_bytes(b"GRIB\x00\x00\x01\x02 and so on")
    with pytest.raises(InputError, match="not a NetCDF file"):
        NetcdfFile(tmp_path / "a.nc")


@pytest.mark.parametrize("keep", [0.3, 0.5, 0.97])
def test_a_classic_file_cut_short_is_refused_instead_of_read_as_zeros(tmp_path, keep):
    path = write_classic(tmp_path / "a.nc")
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * keep)])
    with pytest.raises(InputError, match=r"shorter than header says|header is damaged or cut off"):
        NetcdfFile(path)


@pytest.mark.parametrize("form", ["NETCDF3_CLASSIC", "NETCDF3_64BIT_OFFSET", "NETCDF3_64BIT_DATA"])
def test_every_classic_format_is_whole_when_it_is_and_short_by_its_last_value_when_not(
    tmp_path, form
):
    path = tmp_path / "a.nc"
    with netCDF4.Dataset(path, "w", format=form) as file:
        file.title = "odd length"
        for name, size in (("time", None), ("y", 3), ("x", 5)):
            file.createDimension(name, size)
        file.createVariable("fixed", "i2", ("y", "x"))[:] = np.arange(15).reshape(3, 5)
        file.createVariable("a", "i1", ("time", "x"))[:] = np.ones((4, 5))
        file.createVariable("b", "f8", ("time", "y", "x"))[:] = np.full((4, 3, 5), 2.5)
    with NetcdfFile(path) as file:
        assert file.read("b", (3, 2, 4)) == 2.5
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(InputError, match="file shorter than header says"):
        NetcdfFile(path)


def test_a_real_classic_file_is_whole_and_its_cut_copy_refused(real_data, tmp_path):
    path = real_data / "luh2" / "raw_km2_primf.nc"
    with NetcdfFile(path) as file:
        assert file.shape("primf") == (86, 71, 103)
        assert np.nanmax(file.read("primf", 0)) == pytest.approx(298.70579346, rel=1e-6)
        assert np.nanmin(file.read("primf")) >= 0  # -9999 is missing
    (tmp_path / "cut.nc").write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(InputError, match=r"cut\.nc: file shorter than header says"):
        NetcdfFile(tmp_path / "cut.nc")


@settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.sampled_from([b"", b"CDF\x01", b"CDF\x02", b"CDF\x05", b"\x89HDF\r\n\x1a\n"]),
    st.binary(max_size=300),
)
def test_any_bytes_are_refused_with_words(tmp_path, magic, body):
    path = tmp_path / "a.nc"
    path.write_bytes(magic + body)
    try:
        with NetcdfFile(path) as file:
            assert isinstance(file.names(), list)
    except InputError as error:
        assert str(path) in str(error)


@pytest.mark.parametrize("step", [1, 4, 8, 12, 16, 24, 40])
def test_a_damaged_classic_header_is_refused(tmp_path, step):
    path = write_classic(tmp_path / "a.nc")
    content = bytearray(path.read_bytes())
    content[8 + step : 12 + step] = b"\x7f\xff\xff\xff"
    path.write_bytes(content)
    with pytest.raises(InputError, match=str(path)):
        NetcdfFile(path)


def test_a_variable_of_absurdly_many_dimensions_is_refused(tmp_path):
    path = write_classic(tmp_path / "a.nc")
    content = path.read_bytes()
    at = content.index(b"urban") + 8  # after the padded name stands the number of dimensions
    path.write_bytes(content[:at] + b"\x7f\xff\xff\xff" + content[at + 4 :])
    with pytest.raises(InputError, match="header is damaged"):
        NetcdfFile(path)


def test_an_attribute_with_a_damaged_name_is_refused(tmp_path):
    path = write_classic(tmp_path / "a.nc")
    with netCDF4.Dataset(path, "a") as file:
        file.title = "damaged"
    path.write_bytes(path.read_bytes().replace(b"title", b"ti\xff\xfee"))
    with pytest.raises(InputError, match=r"a\.nc.*'utf-8'"), NetcdfFile(path) as file:
        file.attrs()


@pytest.mark.parametrize("path", ["a\0b.nc", "a\ud800.nc"])
def test_what_is_no_path_is_refused(path):
    """A NUL, and what the file system's encoding lacks."""
    with pytest.raises(InputError, match="not a path"):
        check_file(Path(path))


@pytest.mark.parametrize("path", ["~/maps.nc", "/data/$YEAR/maps.nc"])
def test_what_a_shell_would_expand_is_said(path):
    with pytest.raises(InputError, match="not expanded"):
        check_file(Path(path))


def test_a_folder_to_write_into_is_looked_at_first(tmp_path):
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "run"):
        with pytest.raises(InputError, match=f"{tmp_path / 'file'}: is a file, expected a folder"):
            check_output_folder(path)
    for path in (tmp_path, tmp_path / "new" / "run"):
        check_output_folder(path)


@pytest.mark.usefixtures("not_root")
def test_a_folder_without_permission_is_named_before_it_is_used(tmp_path):
    """FAULTS row 53."""
    tmp_path.chmod(0o500)
    with pytest.raises(InputError, match=f"{tmp_path}: .*Permission denied"):
        check_output_folder(tmp_path / "run")
    tmp_path.chmod(0o700)
