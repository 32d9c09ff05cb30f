"""Online = offline: twenty coupled years on any ranks, stopped and gone on, against the files.

Offline are `landstep run` and `landstep hostfile ecland`; both are held against what is stored in
`ecland/`. A reference that is to be replaced is written anew by

    LANDSTEP_RECORD=1 pytest tests/regression/test_online_offline.py -k reference
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from landstep.__main__ import app
from landstep.coupling import regress
from landstep.coupling.coupler import Coupler
from landstep.coupling.host_files.layout import layout_named
from landstep.coupling.host_files.netcdf_file import NetcdfHostFile
from landstep.coupling.host_files.update import Task, update_host_file
from landstep.emulator.emulator import Emulator

FIRST, LAST = 2015, 2035
ANNUAL = ("cvl", "cvh", "tvl", "tvh", "cu", "cl")
MONTHLY = ("lai_lv", "lai_hv", "albedo")
STORED = Path(__file__).parent / "ecland"
STORED_YEARS = (2016, 2025, 2035)


HOST = """
import json, sys
import numpy as np
from mpi4py import MPI
from pathlib import Path
from landstep.coupling.coupler import Coupler
from landstep.coupling.host_files.layout import layout_named
from landstep.coupling.host_files.netcdf_file import NetcdfHostFile

told = json.loads(sys.argv[1])
world = MPI.COMM_WORLD
file = NetcdfHostFile.open(Path(told["source"]), layout_named("ecland"))
of, index = file.points, np.arange(file.points.n)
mine = {
    "blocks": index * world.size // of.n == world.rank,
    "cyclic": index % world.size == world.rank,
    "empty": index % max(world.size - 1, 1) == world.rank - (world.size > 1),
}[told["division"]]
order = np.flatnonzero(mine)[::-1]
coupler = Coupler.open(
    told["experiment"], of.lon[order], of.lat[order], index=order, lon_bounds=of.lon_bounds[order],
    lat_bounds=of.lat_bounds[order], comm=world.py2f(), year=told["year"], restart=told["restart"],
)
if told["restart"] is None:
    for name, values in file.fields().items():
        coupler.baseline(name, values[order])
found = {}
for year, month in told["months"]:
    for day in (1, 15):
        coupler.update(year, month, day)
        for name in coupler.names():
            if name in told["annual"] or (day == 15 and name in told["monthly"]):
                found[f"{name}_{year}_{month}_{day}"] = coupler.get(name)
coupler.write_restart(told["written"])
coupler.close()
parts = world.gather((order, found))
if world.rank == 0:
    whole = {name: np.full(of.n, np.nan) for name in found}
    for places, part in parts:
        for name, values in part.items():
            whole[name][places] = values
    np.savez(told["results"], **whole)
"""

Months = list[tuple[int, int]]


def months(first: tuple[int, int], last: tuple[int, int]) -> Months:
    """All months from one to another, both with it."""
    begin, end = (12 * year + month - 1 for year, month in (first, last))
    return [(number // 12, number % 12 + 1) for number in range(begin, end + 1)]


@pytest.fixture(scope="module")
def run(
    region: Path, surfclim: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., tuple[dict[str, np.ndarray], Path]]:
    """Give the function that runs the host above: its fields by name and date, and a restart."""
    pytest.importorskip("mpi4py", reason="mpi4py is not installed")
    if shutil.which("mpirun") is None:
        pytest.skip("there is no mpirun")

    def call(
        ranks: int, division: str, over: Months, restart: Path | None = None
    ) -> tuple[dict[str, np.ndarray], Path]:
        folder = tmp_path_factory.mktemp(f"ranks_{ranks}")
        told = {
            "experiment": str(region / "ecland.toml"), "source": str(surfclim), "months": over,
            "year": FIRST if restart is None else None, "division": division, "annual": ANNUAL,
            "restart": None if restart is None else str(restart), "monthly": MONTHLY,
            "written": str(folder / "restart.nc"), "results": str(folder / "results.npz"),
        }  # fmt: skip
        done = subprocess.run(
            ["mpirun", "--oversubscribe", "-n", str(ranks), sys.executable, "-c", HOST,
             json.dumps(told)],
            cwd=folder, capture_output=True, text=True, timeout=1800,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        with np.load(folder / "results.npz") as file:
            return dict(file), folder / "restart.nc"

    return call


@pytest.fixture(scope="module")
def files(
    region: Path, offline: Path, surfclim: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[int, dict[str, np.ndarray]]:
    """The fields in the copies of the host's file that `landstep hostfile` writes, by year."""
    folder = tmp_path_factory.mktemp("files")
    found = {}
    for year in range(FIRST, LAST + 1):
        target = folder / f"surfclim_{year}.nc"
        words = ["hostfile", "ecland", surfclim, region / "ecland.toml", "--run", offline]
        words += ["--year", year, "--output", target]
        done = CliRunner().invoke(app, [str(word) for word in words])
        assert done.exit_code == 0, done.output
        found[year] = NetcdfHostFile.open(target, layout_named("ecland")).fields()
        assert set(found[year]) == {*ANNUAL, *MONTHLY}
    return found


def assert_offline(
    found: dict[str, np.ndarray], files: dict[int, dict[str, np.ndarray]], over: Months
) -> None:
    """Every field of every date is the file's, bit for bit."""
    assert len(found) == len(over) * (2 * len(ANNUAL) + len(MONTHLY))
    for key, values in found.items():
        name, year, month, _ = key.rsplit("_", 3)
        expected = files[int(year)][name]
        expected = expected if expected.ndim == 1 else expected[:, int(month) - 1]
        assert np.array_equal(values, expected), key


def test_the_fields_move_so_that_the_comparison_can_fail(
    files: dict[int, dict[str, np.ndarray]], surfclim: Path
) -> None:
    """Each field over the years; at points outside none does."""
    own = NetcdfHostFile.open(surfclim, layout_named("ecland")).fields()
    for name in (*ANNUAL, *MONTHLY):
        assert np.array_equal(files[FIRST][name], own[name]), name
        moved = [(files[y][name] != own[name]).reshape(56, -1).any(axis=1) for y in files]
        assert moved[-1].any() and not moved[-1].all(), name
        assert len({files[y][name].tobytes() for y in files}) > 1, name


@pytest.mark.slow
@pytest.mark.parametrize(("ranks", "division"), [(1, "blocks"), (2, "cyclic"), (4, "empty")])
def test_twenty_coupled_years_are_the_files(run, files, ranks: int, division: str) -> None:
    over = months((FIRST, 1), (LAST, 12))
    found, _ = run(ranks, division, over)
    assert_offline(found, files, over)


@pytest.mark.slow
def test_a_run_stopped_twice_goes_on_with_other_ranks(run, files) -> None:
    """Four ranks to a July, two to the end of a year, then one."""
    restart = None
    for ranks, division, over in (
        (4, "cyclic", months((FIRST, 1), (2022, 7))),
        (2, "empty", months((2022, 8), (2029, 12))),
        (1, "blocks", months((2030, 1), (LAST, 12))),
    ):
        found, restart = run(ranks, division, over, restart)
        assert_offline(found, files, over)


def test_the_files_are_those_of_the_reference(
    files: dict[int, dict[str, np.ndarray]], region: Path, agree: Callable[..., bool]
) -> None:
    emulator = Emulator.open(region / "ecland.toml")
    provenance = {"model": emulator.session.sha256, **emulator.session.provenance}
    arrays = {f"{n}_{y}": files[y][n] for y in STORED_YEARS for n in (*ANNUAL, *MONTHLY)}
    if os.environ.get("LANDSTEP_RECORD"):
        regress.store(STORED, FIRST, LAST, arrays, provenance)
    note, stored = regress.load(STORED)
    assert note["model"] == provenance["model"]
    assert set(stored) == set(arrays)
    for name, values in arrays.items():
        assert agree(note, provenance, values, stored[name]), name


@pytest.mark.parametrize("reference", [2008, 2018])
def test_another_reference_year_than_the_first_is_one_land_online_and_offline(
    region: Path, offline: Path, surfclim: Path, tmp_path: Path, reference: int
) -> None:
    """An earlier one is the map of that year; a later one the run's own land, as it will be.

    In that year, when it comes, the host gets its own fields.
    """
    experiment = region / f"reference_{reference}.toml"
    text = (region / "ecland.toml").read_text("utf-8")
    experiment.write_text(f"{text}reference = {reference}\n", "utf-8")
    file = NetcdfHostFile.open(surfclim, layout_named("ecland"))
    of, own = file.points, file.fields()
    bounds = {"lon_bounds": of.lon_bounds, "lat_bounds": of.lat_bounds}
    coupler = Coupler.open(experiment, of.lon, of.lat, year=FIRST, **bounds)
    for name, values in own.items():
        coupler.baseline(name, values)
    for year in range(FIRST, 2020):
        coupler.update(year, 1, 1)
        target = tmp_path / f"{year}.nc"
        update_host_file(Task("ecland", surfclim, offline, experiment, (year, year), target))
        assert (target.read_bytes() == surfclim.read_bytes()) == (year == reference)
        found = NetcdfHostFile.open(target, layout_named("ecland")).fields()
        for name in ANNUAL:
            assert np.array_equal(coupler.get(name), found[name]), (name, year)
        same = [np.array_equal(coupler.get(name), own[name]) for name in ("cvl", "cvh", "cu")]
        assert all(same) if year == reference else not any(same), year
    record = json.loads((tmp_path / "2019.nc.landstep.json").read_text("utf-8"))
    of_map = "hildaplus.nc" if reference < FIRST else f"land_use_{reference}.nc"
    path = (region if reference < FIRST else offline) / of_map
    assert record["maps_sha256"][str(reference)] == sha256(path.read_bytes()).hexdigest()
