"""The installed C library, for tests that call it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from landstep.emulator.errors import DependencyError
from landstep.fortran_shim.build import shared_library


@pytest.fixture(scope="session")
def liblandstep() -> Path:
    """Path of the installed C library; the test skips where this installation has none."""
    try:
        return shared_library()
    except DependencyError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def header(liblandstep: Path) -> str:
    """Text of the installed landstep.h."""
    return (liblandstep.parents[1] / "include" / "landstep.h").read_text("utf-8")


@pytest.fixture(scope="session")
def c_api(liblandstep: Path, header: str) -> tuple[Any, Any]:
    """The C library as cffi loads it, by the declarations of landstep.h: (ffi, lib)."""
    cffi = pytest.importorskip("cffi")
    ffi = cffi.FFI()
    plain = re.sub(r'^#if.*?#endif$|^#.*$|^extern "C" \{$|^\}$', "", header, flags=re.M)
    ffi.cdef(plain)
    return ffi, ffi.dlopen(str(liblandstep))
