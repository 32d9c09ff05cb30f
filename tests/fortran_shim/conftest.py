"""The example host, built as hosts are built, on points of the made-up world."""

from __future__ import annotations

import shutil
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
    "trapping": "-O2 -ffpe-trap=invalid,zero,overflow -fdefault-real-8 -finit-real=snan".split(),
    "fast": ["-Ofast", "-fconvert=swap"],
    "debug": ["-g", "-O0", "-fcheck=all", *WARNINGS],
}


RunHost = Callable[..., tuple[int, str, str]]
RunRanks = Callable[..., tuple[int, str, str]]
ReadResults = Callable[[Path], dict[str, np.ndarray]]
WithCoupling = Callable[..., Path]


@pytest.fixture(scope="session")
def tools() -> None:
    """Skip where the C library, a Fortran compiler or netCDF-Fortran is not there."""
    try:
        build.shared_library()
        build.fortran_compiler()
        build.netcdf_fortran()
    except DependencyError as error:
        pytest.skip(str(error))


class Made(dict[str, Any]):
    """Things that are made when they are first asked for, and kept: a build costs seconds."""

    def __init__(self, make: Callable[[str], Any]) -> None:
        self.make = make

    def __missing__(self, name: str) -> Any:
        self[name] = self.make(name)
        return self[name]


@pytest.fixture(scope="session")
def programs(tools: None, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The example host, built with each set of flags that a test asks for."""
    folder = tmp_path_factory.mktemp("hosts")
    return Made(lambda name: build.build_example_host(folder / name, BUILDS[name]))


@pytest.fixture(scope="session")
def mpi_program(tools: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example host for the ranks of MPI, built as the plain one is."""
    pytest.importorskip("mpi4py", reason="mpi4py is not installed")
    if shutil.which("mpirun") is None:
        pytest.skip("there is no mpirun")
    try:
        build.mpi_compiler()
    except DependencyError as error:
        pytest.skip(str(error))
    return build.build_example_host(tmp_path_factory.mktemp("mpi"), BUILDS["plain"], mpi=True)


@pytest.fixture(scope="session")
def run_ranks(mpi_program: Path) -> RunRanks:
    """Give the function that runs the MPI program: a namelist for so many ranks, then others."""

    def run(*asked: tuple[int, Path], cwd: Path) -> tuple[int, str, str]:
        command = ["mpirun", "--oversubscribe"]
        for place, (ranks, namelist) in enumerate(asked):
            command += [":"] if place else []
            command += ["-n", str(ranks), str(mpi_program), str(namelist)]
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=1800)
        return done.returncode, done.stdout, done.stderr

    return run


@pytest.fixture(scope="session")
def with_coupling(experiment: Path) -> WithCoupling:
    """Give the function that writes the experiment anew, with a table [coupling]."""

    def write(name: str, **entries: str | int | bool) -> Path:
        lines = [f"{key} = {_toml(value)}" for key, value in entries.items()]
        path = experiment.with_name(f"host_{name}.toml")
        text = experiment.read_text("utf-8")
        path.write_text("\n".join([text, "[coupling]", 'calendar = "noleap"', *lines, ""]), "utf-8")
        return path

    return write


def _toml(value: str | int | bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f'"{value}"' if isinstance(value, str) else str(value)


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

    def run(name: str) -> dict[str, np.ndarray]:
        folder = tmp_path_factory.mktemp(f"run_{name}")
        namelist = prepare_example_run(folder, experiment, scheme("hilda8"), points, 2015, 2018)
        code, out, err = run_host(programs[name], namelist, env={})
        assert (code, err) == (0, ""), name
        assert [line[:5] for line in out.splitlines()] == ["2015:", "2016:", "2017:", "2018:"]
        return read_results(folder / "results.nc")

    return Made(run)
