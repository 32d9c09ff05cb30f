"""The example host, built as hosts are built, on points of the made-up world."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from landstep.coupling.points import Points
from landstep.emulator.classes import scheme
from landstep.emulator.emulator import Emulator
from landstep.emulator.errors import DependencyError
from landstep.emulator.netcdf import NetcdfFile
from landstep.fortran_shim import build
from landstep.fortran_shim.example_run import prepare_example_run

WARNINGS = ["-std=f2018", "-Wall", "-Wextra", "-Wimplicit-interface", "-Werror"]
BUILDS = {
    "plain": ["-O2"],
    "trapping": ["-O2", "-ffpe-trap=invalid,zero,overflow", "-fdefault-real-8"],
    "fast": ["-Ofast", "-fconvert=swap"],
    "debug": ["-g", "-O0", "-fcheck=all", *WARNINGS],
}

RunHost = Callable[..., tuple[int, str, str]]
ReadResults = Callable[[Path], dict[str, np.ndarray]]


@pytest.fixture(scope="session")
def tools() -> None:
    """Skip where the C library, a Fortran compiler or netCDF-Fortran is not there."""
    try:
        build.shared_library()
        build.fortran_compiler()
        build.netcdf_fortran()
    except DependencyError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def programs(tools: None, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The example host, built with each set of flags."""
    folder = tmp_path_factory.mktemp("hosts")
    return {name: build.build_example_host(folder / name, flags) for name, flags in BUILDS.items()}


@pytest.fixture(scope="session")
def points(experiment: Path) -> Points:
    """Rectangles of 10 x 10 cells spread over the made-up world; the first is half outside."""
    grid = Emulator.open(experiment).grid
    half = 5.3 * grid.spacing_deg[0]
    places = np.meshgrid(grid.lat_deg[9::25], grid.lon_deg[9::33], indexing="ij")
    lat, lon = (place.ravel() for place in places)
    lon[0] = grid.lon_edges()[0] + half / 3
    sides = np.array([-half, half])
    return Points.make(lon, lat, lon[:, None] + sides, lat[:, None] + sides)


@pytest.fixture(scope="session")
def run_host() -> RunHost:
    """Give the function that runs a program on a namelist file: return code, stdout, stderr."""

    def run(program: Path, namelist: Path, **options: Any) -> tuple[int, str, str]:
        command = [str(program), str(namelist)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
        return done.returncode, done.stdout, done.stderr

    return run


@pytest.fixture(scope="session")
def read_results() -> ReadResults:
    """Give the function that reads a results file: every variable but the names of the covers."""

    def read(path: Path) -> dict[str, np.ndarray]:
        with NetcdfFile(path) as file:
            return {name: file.read(name) for name in file.names() if name != "cover"}

    return read


@pytest.fixture(scope="session")
def results(
    programs: dict[str, Path],
    points: Points,
    experiment: Path,
    run_host: RunHost,
    read_results: ReadResults,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, dict[str, np.ndarray]]:
    """What each build of the host wrote over 2015-2018, in an environment that holds nothing."""
    found = {}
    for name, program in programs.items():
        folder = tmp_path_factory.mktemp(f"run_{name}")
        namelist = prepare_example_run(folder, experiment, scheme("hilda8"), points, 2015, 2018)
        code, out, err = run_host(program, namelist, env={})
        assert (code, err) == (0, ""), name
        assert [line[:5] for line in out.splitlines()] == ["2015:", "2016:", "2017:", "2018:"]
        found[name] = read_results(folder / "results.nc")
    return found
