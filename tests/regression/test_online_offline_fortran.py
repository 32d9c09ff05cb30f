"""Online = offline for a host in Fortran: twenty years of tiles, on any ranks, stopped and gone on.

Its class fractions against the maps of `landstep run`, counted cell by cell, and against the stored
reference; its own stores and budgets against those of the run on one rank.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from landstep.coupling import regress
from landstep.coupling.points import Points
from landstep.emulator.classes import scheme
from landstep.emulator.emulator import Emulator
from landstep.emulator.errors import DependencyError
from landstep.emulator.grid import AREA_UNIT_M2
from landstep.emulator.netcdf import NetcdfFile
from landstep.emulator.state import State
from landstep.fortran_shim import build
from landstep.fortran_shim.example_run import prepare_example_run

FIRST, LAST = 2015, 2035
REFERENCE = Path(__file__).parent / "reference"
NAMES = scheme("hilda8").names
Run = Callable[..., Path]


@pytest.fixture(scope="module")
def points(region: Path) -> Points:
    """The coarse cells over the map: rectangles of 30 x 30 whole cells."""
    return regress.reference_points(Emulator.open(region / "experiment.toml").inputs)


@pytest.fixture(scope="module")
def run(region: Path, points: Points, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Give the function that runs the example host on ranks: the folder of its files."""
    pytest.importorskip("mpi4py", reason="mpi4py is not installed")
    if shutil.which("mpirun") is None:
        pytest.skip("there is no mpirun")
    try:
        build.mpi_compiler()
        program = build.build_example_host(tmp_path_factory.mktemp("host"), mpi=True)
    except DependencyError as error:
        pytest.skip(str(error))

    def call(ranks: int, division: str, first: int, last: int, restart: Path | None = None) -> Path:
        folder = tmp_path_factory.mktemp(f"ranks_{ranks}")
        namelist = prepare_example_run(
            folder, region / "experiment.toml", scheme("hilda8"), points, first, last, restart,
            settings={"division": division},
        )  # fmt: skip
        done = subprocess.run(
            ["mpirun", "--oversubscribe", "-n", str(ranks), str(program), str(namelist)],
            cwd=folder, capture_output=True, text=True, timeout=1800,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        return folder

    return call


def results(folder: Path) -> dict[str, np.ndarray]:
    """All that the host wrote: name -> (year, ..., point)."""
    with NetcdfFile(folder / "results.nc") as file:
        return {name: file.read(name) for name in file.names() if name != "cover"}


@pytest.fixture(scope="module")
def alone(run: Run) -> Path:
    """The folder of the host on one rank."""
    return run(1, "blocks", FIRST, LAST)


def test_its_fractions_are_those_of_the_maps_of_landstep_run(alone: Path, offline: Path) -> None:
    """Whole numbers of area, added cell by cell, and one division."""
    of, found = scheme("hilda8"), results(alone)
    assert found["year"].tolist() == list(range(FIRST, LAST + 1))
    for record, year in enumerate(range(FIRST, LAST + 1)):
        with NetcdfFile(offline / f"land_use_{year}.nc") as file:
            codes = file.read("land_use", 0).view(np.uint8)
            area = np.rint(file.read("cell_area") / AREA_UNIT_M2).astype(np.int64)
        area = np.broadcast_to(area.reshape(len(codes), -1), codes.shape)
        by_class = np.stack([np.where(codes == code, area, 0) for code in of.codes])
        sums = by_class.reshape(len(of.codes), 4, 30, 6, 30).sum(axis=(2, 4)).reshape(-1, 24)
        assert np.array_equal(found["area_fraction"][record], sums / sums.sum(axis=0)), year
        assert (found["covered_fraction"][record] == 1).all()
    assert (np.diff(found["area_fraction"], axis=0) != 0).any(axis=(1, 2)).all()


def test_its_fractions_are_those_of_the_reference(
    alone: Path, region: Path, agree: Callable[..., bool]
) -> None:
    note, stored = regress.load(REFERENCE)
    provenance, found = Emulator.open(region / "experiment.toml").session.provenance, results(alone)
    for year in range(note["first"], note["last"] + 1):
        for k, name in enumerate(NAMES):
            expected = stored[f"field_area_fraction_{name}_{year}"]
            values = found["area_fraction"][year - FIRST, k]
            assert agree(note, provenance, values, expected), (name, year)


def test_its_budgets_close_at_every_update_of_twenty_years(alone: Path) -> None:
    """To the host's single precision, as gross change moves its stores."""
    found, epsilon = results(alone), np.finfo(np.float32).eps
    for name in ("water", "heat"):
        before, after = found[f"{name}_before"], found[f"{name}_after"]
        assert (np.abs(after - before) <= 4 * epsilon * before).all() and (before > 0).all()
        assert (found[f"{name}_error"] <= 4 * epsilon).all()
        assert (after != before).any(axis=1)[1:].all()


@pytest.mark.slow
@pytest.mark.parametrize(("ranks", "division"), [(2, "round_robin"), (4, "empty")])
def test_any_ranks_write_the_file_of_one(run: Run, alone: Path, ranks: int, division: str) -> None:
    """Byte for byte: fractions, tiles, budgets; and the land of the restart."""
    folder = run(ranks, division, FIRST, LAST)
    for name in ("results.nc", "host_restart.nc"):
        assert (folder / name).read_bytes() == (alone / name).read_bytes()
    one, other = (State.load(f / "landstep_restart.nc") for f in (alone, folder))
    assert one.checksum == other.checksum


@pytest.mark.slow
def test_a_run_stopped_twice_goes_on_with_other_ranks(run: Run, alone: Path) -> None:
    whole, restart = results(alone), None
    for ranks, division, first, last in (
        (4, "uneven", FIRST, 2022),
        (1, "blocks", 2023, 2029),
        (2, "empty", 2030, LAST),
    ):
        folder = run(ranks, division, first, last, restart)
        found, restart = results(folder), folder / "landstep_restart.nc"
        assert found.keys() == whole.keys()
        for name, values in found.items():
            assert np.array_equal(values, whole[name][first - FIRST : last - FIRST + 1]), name
    assert (folder / "host_restart.nc").read_bytes() == (alone / "host_restart.nc").read_bytes()
    assert State.load(restart).checksum == State.load(alone / "landstep_restart.nc").checksum
