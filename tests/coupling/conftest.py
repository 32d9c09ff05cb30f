"""The installed C library, a small host's table, and areas at points, for tests that need them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from landstep.coupling.areas import Areas
from landstep.coupling.crosswalk import Crosswalk
from landstep.coupling.host_table import host_table
from landstep.emulator.classes import scheme
from landstep.emulator.errors import DependencyError
from landstep.emulator.legends import ZONE_GROUPS
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


@pytest.fixture(scope="session")
def small_table() -> str:
    """Text of a small host's table, for class scheme sweden5."""
    return (Path(__file__).parent / "small_host.toml").read_text("utf-8")


@pytest.fixture(scope="session")
def small() -> Crosswalk:
    """The small host's crosswalk."""
    table = host_table("small_host.toml", Path(__file__).parent)
    return Crosswalk.make(table, scheme("sweden5"), legend_known=True)


@pytest.fixture(scope="session")
def areas_of() -> Callable[..., Areas]:
    """Give a function that makes areas of a few points, each {(zone group, class number): area}."""

    def make(*points: dict[tuple[str, int], int], n_classes: int = 5) -> Areas:
        values = np.zeros((len(points), len(ZONE_GROUPS), n_classes), np.int64)
        for number, point in enumerate(points):
            for (zone, of), area in point.items():
                values[number, ZONE_GROUPS.index(zone), of] = area
        return Areas.make(values, np.zeros(len(points), np.int64), np.ones(len(points)))

    return make


@pytest.fixture(scope="session")
def random_areas() -> Callable[..., Areas]:
    """Give a function that makes areas from nothing to a large cell's, many of them 0."""

    def make(seed: int, n_classes: int = 5, points: int = 7) -> Areas:
        rng = np.random.default_rng(seed)
        size = 10 ** rng.integers(0, 16)
        shape = (points, len(ZONE_GROUPS), n_classes)
        values = rng.integers(0, size + 1, shape) * (rng.random(shape) < rng.choice([0.03, 0.2, 1]))
        unknown = rng.integers(0, size + 1, points)
        return Areas.make(values.astype(np.int64), unknown, rng.random(points))

    return make
