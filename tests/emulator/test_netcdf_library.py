"""The netCDF4 package beside a host's libraries, and what its import leaves behind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from landstep.emulator import netcdf_library
from landstep.emulator.errors import DependencyError

ZSTD = """
import os, sys
import landstep.emulator.netcdf_library as library
assert os.environ.get("HDF5_PLUGIN_PATH") == (sys.argv[2] or None), "the program's own"
assert os.environ == started, "the environment"
with library.netcdf4.Dataset(sys.argv[1]) as file:
    print(file["codes"].filters()["zstd"], int(file["codes"][:].sum()))
"""


@pytest.fixture
def zstd_file(tmp_path: Path) -> Path:
    """A file whose one variable needs the filter that netCDF4 brings."""
    if not netcdf_library.netcdf4.__has_zstandard_support__:
        pytest.skip("this netCDF library has no zstd filter")
    path = tmp_path / "zstd.nc"
    with netcdf_library.netcdf4.Dataset(path, "w") as file:
        file.createDimension("cell", 1000)
        file.createVariable("codes", "i4", ("cell",), compression="zstd")[:] = range(1000)
    return path


def test_the_folder_of_filters_is_read_and_the_environment_put_back(zstd_file: Path) -> None:
    """HDF5 reads the variable while netCDF4 is imported, and not again."""
    env = {name: text for name, text in os.environ.items() if name != "HDF5_PLUGIN_PATH"}
    script = "import os; started = dict(os.environ)\n" + ZSTD
    done = subprocess.run(
        [sys.executable, "-c", script, zstd_file, ""], env=env, capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == ("True 499500\n", "")


def test_the_users_own_folder_of_filters_stays(zstd_file: Path) -> None:
    own = str(Path(netcdf_library.netcdf4.__file__).parent / "plugins")
    script = "import os; started = dict(os.environ)\n" + ZSTD
    done = subprocess.run(
        [sys.executable, "-c", script, zstd_file, own],
        env={**os.environ, "HDF5_PLUGIN_PATH": own}, capture_output=True, text=True,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("True 499500\n", "")


@pytest.fixture
def other_malloc(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A process of another malloc, before netCDF4 is loaded, without libnetcdf_apart: its path."""
    if not hasattr(os, "RTLD_DEEPBIND"):
        pytest.skip("this system has no RTLD_DEEPBIND")
    monkeypatch.delitem(sys.modules, "netCDF4", raising=False)
    monkeypatch.setattr(netcdf_library.native, "malloc_is_libc_own", lambda: False)
    monkeypatch.setattr(netcdf_library, "APART", tmp_path / "libnetcdf_apart.so")
    monkeypatch.setattr(netcdf_library, "_import_netcdf4", lambda: "imported")
    return tmp_path / "libnetcdf_apart.so"


def test_two_netcdf_libraries_that_cannot_be_kept_apart_are_refused(
    other_malloc: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fault 88: where landstep was installed without a C compiler."""
    found = {"nc_open": "/host/libnetcdf.so", "H5open": "", "malloc": "/host/libjemalloc.so"}
    monkeypatch.setattr(netcdf_library.native, "file_of_symbol", found.get)
    with pytest.raises(DependencyError) as raised:
        netcdf_library._load_netcdf4()
    for fact in ("/host/libnetcdf.so", "/host/libjemalloc.so", str(other_malloc)):
        assert fact in str(raised.value)


def test_one_netcdf_library_needs_none_to_keep_it_apart(
    other_malloc: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(netcdf_library.native, "file_of_symbol", lambda name: "")
    assert netcdf_library._load_netcdf4() == "imported"


def test_a_library_that_does_not_fit_is_not_loaded(other_malloc: Path) -> None:
    """No place for a path in it, or a path longer than the place."""
    other_malloc.write_bytes(b"no place")
    assert str(other_malloc) in netcdf_library._load_apart(Path("netCDF4/_netCDF4.so"))
    other_malloc.write_bytes(netcdf_library.PLACE)
    assert "does not fit" in netcdf_library._load_apart(Path("/" + 5000 * "a"))
