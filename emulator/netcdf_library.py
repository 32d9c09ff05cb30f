"""The netCDF4 package, loaded so that a host's own libnetcdf is not in its way."""

from __future__ import annotations

import os
import sys
import threading
from typing import Any

LOCK = threading.RLock()
"""Held in every call: the HDF5 library serves one thread at a time."""

LIBRARY_ERRORS = (OSError, RuntimeError, AttributeError, ValueError, MemoryError)
"""What the package raises for a file that is damaged, cut off or not NetCDF."""


def _load_netcdf4() -> Any:
    """Import netCDF4 so that its libnetcdf cannot clash with one that a host has linked."""
    flags = sys.getdlopenflags()
    sys.setdlopenflags(os.RTLD_NOW | getattr(os, "RTLD_DEEPBIND", 0))
    try:
        import netCDF4
    finally:
        sys.setdlopenflags(flags)
    return netCDF4


netcdf4 = _load_netcdf4()


def reason(error: Exception) -> str:
    """Give the library's words without its error number and path."""
    return getattr(error, "strerror", None) or str(error)
