"""The netCDF4 package, loaded so that a host's own libnetcdf is not in its way."""

from __future__ import annotations

import importlib.util
import os
import sys
import threading
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Any

from landstep.emulator import native
from landstep.emulator.errors import DependencyError

LOCK = threading.RLock()
"""Held in every call: the HDF5 library serves one thread at a time."""

LIBRARY_ERRORS = (OSError, RuntimeError, AttributeError, ValueError, MemoryError)
"""What the package raises for a file that is damaged, cut off or not NetCDF."""

APART = Path(__file__).parents[1] / "lib" / "libnetcdf_apart.so"
"""Built from netcdf_apart.c where landstep was installed with a C compiler."""

PLACE = b"/netCDF4's extension module/" + 4000 * b"_"
"""What netcdf_apart.c needs, as it was built; the path is written over it."""

FILTERS = "HDF5_PLUGIN_PATH"
"""Set by the package where the user has not; programs that a host starts would inherit it."""

CLASHING = ("nc_open", "H5open")
"""Functions by which a host's libnetcdf or libhdf5 is known."""


def _load_netcdf4() -> Any:
    """Import netCDF4 so that its libraries cannot clash with those that a host has linked.

    With libc's own malloc that is RTLD_DEEPBIND. With another one, or a sanitizer, RTLD_DEEPBIND
    would abort the process: then libnetcdf_apart does the same and keeps the process's malloc.

    Raises DependencyError where neither can be had and there is a library to clash with.
    """
    if "netCDF4" in sys.modules or not hasattr(os, "RTLD_DEEPBIND"):
        return _import_netcdf4()
    if native.malloc_is_libc_own():
        flags = sys.getdlopenflags()
        sys.setdlopenflags(os.RTLD_NOW | os.RTLD_DEEPBIND)
        try:
            return _import_netcdf4()
        finally:
            sys.setdlopenflags(flags)
    extension = _extension_module()
    others = {file for name in CLASHING if (file := native.file_of_symbol(name))}
    problem = _load_apart(extension)
    if problem and others:
        raise DependencyError(
            f"this process runs another malloc ({native.file_of_symbol('malloc')}) and has a "
            f"netCDF or HDF5 library of its own ({', '.join(sorted(others))}), which would answer "
            f"for those of {extension}; they cannot be kept apart here: {problem}. Run without "
            "that malloc, or install landstep again with a C compiler"
        )
    return _import_netcdf4()


def _extension_module() -> Path:
    """Return the path of netCDF4's compiled part, without importing the package."""
    package = importlib.util.find_spec("netCDF4")
    folders = (package.submodule_search_locations if package else None) or []
    names = [f"_netCDF4{suffix}" for suffix in EXTENSION_SUFFIXES]
    found = [path for folder in folders for name in names if (path := Path(folder, name)).is_file()]
    return found[0] if found else Path("netCDF4", names[-1])


def _import_netcdf4() -> Any:
    """Import the package, which tells HDF5 its folder of filters by the environment, and no more.

    HDF5 has read the variable when this returns.
    """
    with native.kept_environment(FILTERS):
        import netCDF4

    return netCDF4


def _load_apart(extension: Path) -> str:
    """Load netCDF4's extension module together with libnetcdf_apart; returns why not, or ""."""
    try:
        library, path = APART.read_bytes(), os.fsencode(extension) + b"\0"
        if library.count(PLACE) != 1 or len(path) > len(PLACE):
            return f"{APART} does not fit {extension}"
        return native.load_bytes(library.replace(PLACE, path.ljust(len(PLACE), b"\0")), "netcdf")
    except OSError as error:
        return str(error)


netcdf4 = _load_netcdf4()


def reason(error: Exception) -> str:
    """Return the library's words without its error number and path."""
    return getattr(error, "strerror", None) or str(error)
