"""The installed C library, a small host's table, and areas at points, for tests that need them."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from landstep.coupling.areas import Areas
from landstep.coupling.bridge import ABI
from landstep.coupling.coupler import Coupler
from landstep.coupling.crosswalk import Crosswalk
from landstep.coupling.host_table import host_table
from landstep.emulator.classes import scheme
from landstep.emulator.emulator import Emulator
from landstep.emulator.errors import DependencyError
from landstep.emulator.legends import ZONE_GROUPS
from landstep.emulator.reference_climate import coarse_centres
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


LON, LAT = np.array([-29.31, 330.7, 20.0]), np.array([49.5, 49.51, 49.5])


class Host:
    """A host written in C, as Python sees it: every call gives (status, text)."""

    def __init__(self, api: tuple[Any, Any]) -> None:
        self.ffi, self.lib = api
        self.handle = 0

    def text(self, size: int = 4096) -> str:
        buffer = self.ffi.new("char[]", size)
        self.lib.landstep_last_error(buffer, size)
        return self.ffi.string(buffer).decode()

    def told(self, status: int) -> tuple[int, str]:
        return status, self.text() if status else ""

    def doubles(self, values: np.ndarray) -> Any:
        return self.ffi.from_buffer("double[]", values)

    def points(self, **changes: Any) -> Any:
        """A landstep_points of three points, with other values for some of its names."""
        self.kept = {"lon_deg": self.doubles(LON), "lat_deg": self.doubles(LAT), **changes}
        return self.ffi.new("landstep_points *", {"abi": ABI, "n_points": 3, **self.kept})

    def open(
        self,
        experiment: str | Path,
        year: int | None = 2015,
        comm: int = -1,
        restart: bytes | None = None,
        start: bytes | None = None,
        **points: Any,
    ) -> tuple[int, str]:
        handle = self.ffi.new("int *", -7)
        null = self.ffi.NULL
        given = self.ffi.new("char[]", restart) if restart else null
        how = self.ffi.new("char[]", start) if start else null
        first = null if year is None else self.ffi.new("int *", year)
        status = self.lib.landstep_open(
            os.fsencode(experiment), self.points(**points), comm, first, given, how, handle
        )
        assert (handle[0] == -7) == (status != 0), "a failure wrote an output"
        self.handle = handle[0] if status == 0 else self.handle
        return self.told(status)

    def update(self, year: int, month: int = 1, day: int = 1) -> tuple[int, str, int]:
        changed = self.ffi.new("int *", -7)
        status = self.lib.landstep_update(self.handle, year, month, day, changed)
        return *self.told(status), changed[0]

    def get(self, name: str, values: np.ndarray) -> tuple[int, str]:
        return self.told(
            self.lib.landstep_get(self.handle, name.encode(), self.doubles(values), values.size)
        )


@pytest.fixture
def host(c_api: tuple[Any, Any]) -> Host:
    """A host of three points, with nothing open."""
    return Host(c_api)


@pytest.fixture
def opened(host: Host, experiment: Path) -> Iterator[Host]:
    """The same, with the made-up world opened in 2015."""
    assert host.open(experiment) == (0, "")
    yield host
    host.lib.landstep_close(host.handle)


OF_HILDA8 = {
    '["sweden5"]': '["hilda8"]',
    '["not_land"]': '["ocean", "water"]',
    '["pasture_grass_shrub"]': '["pasture", "grass_shrub", "other_land"]',
}


@pytest.fixture(scope="session")
def small_text(small_table: str) -> str:
    """Text of the small host's table for class scheme hilda8: the albedo moves every day."""
    text = small_table
    for old, new in OF_HILDA8.items():
        assert old in text
        text = text.replace(old, new)
    start, end = text.split('name = "alb12"')
    assert 'season = "step"' in end
    return start + 'name = "alb12"' + end.replace('season = "step"', 'season = "ecland"')


@pytest.fixture(scope="session")
def coupled(experiment: Path, small_text: str) -> Callable[..., Path]:
    """Give a function that writes the made-up world's experiment with a table [coupling].

    Without `host` it is the small one, in absolute mode without its albedo.
    """
    experiment.with_name("small.toml").write_text(small_text, "utf-8")

    def write(name: str, **entries: str | int | bool) -> Path:
        small = {"host": "small.toml", "mode": "absolute", "albedo": "left"}
        told = {**({} if "host" in entries else small), **entries}
        lines = [f"{key} = {json.dumps(value)}" for key, value in told.items()]
        path = experiment.with_name(f"coupled_{name}.toml")
        text = experiment.read_text("utf-8")
        path.write_text("\n".join([text, "[coupling]", *lines, ""]), "utf-8")
        return path

    return write


@pytest.fixture(scope="session")
def cells(experiment: Path) -> dict[str, np.ndarray]:
    """Twelve rectangles over the made-up world and beyond it, as keywords of `Coupler.open`."""
    grid = Emulator.open(experiment).grid
    lon = np.linspace(grid.lon_edges()[0] - 0.2, grid.lon_edges()[-1] + 0.1, 5)
    lat = np.linspace(*np.sort(grid.lat_edges()[[0, -1]]), 4)
    east, north = np.meshgrid(np.arange(4), np.arange(3))
    bounds = [
        np.stack([a[k], a[k + 1]], -1) for a, k in ((lon, east.ravel()), (lat, north.ravel()))
    ]
    return {
        "lon_deg": bounds[0].mean(axis=1),
        "lat_deg": bounds[1].mean(axis=1),
        "lon_bounds": bounds[0],
        "lat_bounds": bounds[1],
    }


@pytest.fixture(scope="session")
def emulator(experiment: Path) -> Emulator:
    """The made-up world, opened."""
    return Emulator.open(experiment)


@pytest.fixture(scope="session")
def on_cells(emulator: Emulator) -> dict[str, np.ndarray]:
    """A host whose points are the coarse cells with land, as keywords of `Coupler.open`."""
    of = emulator.inputs
    lat, lon = coarse_centres(of.grid, of.share.held, of.row - of.row[0], of.col - of.col[0])
    assert emulator.climate is not None
    there = np.isfinite(emulator.climate.reference["air_temperature"][0])
    return {"lon_deg": lon[there], "lat_deg": lat[there]}


class Weather:
    """The reference climate at the points of `on_cells`, warmer by so much."""

    def __init__(self, emulator: Emulator, warmer: float) -> None:
        assert emulator.climate is not None
        reference = emulator.climate.reference
        there = np.isfinite(reference["air_temperature"][0])
        self.air = reference["air_temperature"][:, there] + warmer
        self.rain = reference["precipitation_flux"][:, there]

    def put(self, coupler: Coupler, month: int) -> None:
        coupler.put("air_temperature", self.air[month - 1])
        coupler.put("precipitation_flux", self.rain[month - 1], "kg m-2 s-1")

    def run(self, coupler: Coupler, first: int, last: int, without: int = 0) -> Coupler:
        """Go through some years and into the next; in month `without` nothing is put."""
        for year in range(first, last + 1):
            for month in range(1, 13):
                coupler.update(year, month, 1)
                if month != without:
                    self.put(coupler, month)
        coupler.update(last + 1, 1, 1)
        return coupler


@pytest.fixture(scope="session")
def weather(emulator: Emulator) -> Callable[..., Weather]:
    """Give a function that makes a host's climate: the reference, warmer by so much."""
    return lambda warmer=0.0: Weather(emulator, warmer)
