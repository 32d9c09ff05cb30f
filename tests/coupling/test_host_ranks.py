"""A host's ranks: the fields of one, whoever has which points; an error of one reaches all."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from landstep.coupling.coupler import Coupler
from landstep.emulator.emulator import Emulator

pytest.importorskip("mpi4py", reason="mpi4py is not installed")
pytestmark = pytest.mark.skipif(shutil.which("mpirun") is None, reason="there is no mpirun")

AS_ROOT = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
QUIET = AS_ROOT | {"OMP_NUM_THREADS": "1", "OMPI_MCA_btl_vader_single_copy_mechanism": "none"}
FIRST, LAST = 2015, 2018

HOST = """
import json, sys
import numpy as np
from mpi4py import MPI
from landstep.coupling.coupler import Coupler
from landstep.emulator.errors import LandstepError

told = json.loads(sys.argv[1])
world = MPI.COMM_WORLD
with np.load(told["points"]) as file:
    points = dict(file)
n = points["lon"].size
index = np.arange(n)
mine = {
    "blocks": index * world.size // n == world.rank,
    "cyclic": index % world.size == world.rank,
    "first": np.full(n, world.rank == 0),
    "uneven": np.minimum(index * 7 // n, world.size - 1) == world.rank,
}[told["division"]]
order = np.flatnonzero(mine)[::-1]
geometry = {name: points[name][order] for name in told["geometry"]}
if told.get("broken") == world.rank:
    points["lat"][order] += 400
try:
    coupler = Coupler.open(
        told["experiment"], points["lon"][order], points["lat"][order], index=order,
        comm=world.py2f(), year=told.get("year"), restart=told.get("restart"), **geometry,
    )
    found = {}
    for year in range(told["first"], told["last"] + 1):
        if told.get("late") == [world.rank, year]:
            coupler.update(year + 3, 1, 1)
        coupler.update(year, 1, 2 if told.get("other_day") == [world.rank, year] else 1)
        for name in coupler.names():
            found[f"{name}_{year}"] = coupler.get(name)
        for name in told["classes"]:
            found[f"gain_{name}_{year}"], found[f"loss_{name}_{year}"] = coupler.get_change(name)
    coupler.write_restart(told["written"])
    coupler.close()
except LandstepError as error:
    print(f"rank {world.rank} told {error.status}: {error}", flush=True)
    sys.exit(0)
whole = {}
for name in sorted(found):
    parts = world.gather((order, found[name]))
    if world.rank == 0:
        values = np.full(n, np.nan)
        for places, part in parts:
            values[places] = part
        whole[name] = values
if world.rank == 0:
    np.savez(told["results"], **whole)
"""


@pytest.fixture(scope="module")
def points(experiment: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rectangles over the world and beyond its edges, of many sizes: some without any land."""
    grid = Emulator.open(experiment).grid
    west, east = grid.lon_edges()[[0, -1]]
    south, north = grid.lat_edges()[[-1, 0]]
    lon = np.linspace(west - 0.2, east + 0.2, 9)
    lat = np.linspace(south - 0.1, north + 0.1, 7)
    middle_lon, middle_lat = np.meshgrid((lon[1:] + lon[:-1]) / 2, (lat[1:] + lat[:-1]) / 2)
    edges = [np.stack([side[:-1], side[1:]], axis=1) for side in (lon, lat)]
    path = tmp_path_factory.mktemp("points") / "points.npz"
    np.savez(
        path,
        lon=middle_lon.ravel(),
        lat=middle_lat.ravel(),
        lon_bounds=np.tile(edges[0], (lat.size - 1, 1)),
        lat_bounds=np.repeat(edges[1], lon.size - 1, axis=0),
    )
    return path


@pytest.fixture(scope="module")
def others(points: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same places with other shapes: scattered rectangles, areas, polygons; some not served."""
    with np.load(points) as file:
        given = dict(file)
    rng = np.random.default_rng(4)
    lon, lat = given["lon"], given["lat"]
    half = rng.uniform(0.02, 0.11, (lon.size, 4))
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * 0.07
    path = tmp_path_factory.mktemp("others") / "points.npz"
    np.savez(
        path,
        lon=lon,
        lat=lat,
        lon_bounds=np.stack([lon - half[:, 0], lon + half[:, 1]], axis=1),
        lat_bounds=np.stack([lat - half[:, 2], lat + half[:, 3]], axis=1),
        vertex_lon=lon[:, None] + corners[:, 0],
        vertex_lat=lat[:, None] + corners[:, 1] + corners[:, 0] / 3,
        area_m2=np.full(lon.size, 3e8),
        mask=rng.random(lon.size) < 0.7,
    )
    return path


def run(ranks: int, folder: Path, **told: object) -> tuple[dict[str, np.ndarray], str]:
    """Run the host above; what it found, by name, and what it printed."""
    told = {
        "first": FIRST, "last": LAST, "division": "blocks", "classes": ["forest", "cropland"],
        "geometry": ["lon_bounds", "lat_bounds"], "written": str(folder / f"restart_{ranks}.nc"),
        "results": str(folder / "results.npz"), **told,
    }  # fmt: skip
    (folder / "results.npz").unlink(missing_ok=True)
    done = subprocess.run(
        ["mpirun", "--oversubscribe", "-n", str(ranks), sys.executable, "-c", HOST,
         json.dumps(told)],
        cwd=folder, env=os.environ | QUIET, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    if not (folder / "results.npz").exists():
        return {}, done.stdout
    with np.load(folder / "results.npz") as file:
        return dict(file), done.stdout


@pytest.fixture(scope="module")
def alone(experiment: Path, points: Path) -> dict[str, np.ndarray]:
    """What one process without MPI finds."""
    with np.load(points) as file:
        given = dict(file)
    bounds = {name: given[name] for name in ("lon_bounds", "lat_bounds")}
    coupler = Coupler.open(experiment, given["lon"], given["lat"], year=FIRST, **bounds)
    found = {}
    for year in range(FIRST, LAST + 1):
        coupler.update(year, 1, 1)
        found |= {f"{name}_{year}": coupler.get(name) for name in coupler.names()}
        for name in ("forest", "cropland"):
            pair = coupler.get_change(name)
            found[f"gain_{name}_{year}"], found[f"loss_{name}_{year}"] = pair
    return found


def assert_same(found: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    assert found and set(found) <= set(expected)
    for name, values in found.items():
        assert np.array_equal(values, expected[name]), name


@pytest.mark.parametrize(
    ("ranks", "division"), [(1, "blocks"), (2, "cyclic"), (3, "first"), (4, "uneven")]
)
def test_any_decomposition_gives_the_same_bits(
    alone, experiment, points, tmp_path, ranks, division
):
    told = {"experiment": str(experiment), "points": str(points), "year": FIRST}
    found, _ = run(ranks, tmp_path, division=division, **told)
    assert len(found) == len(alone)
    assert_same(found, alone)


def test_a_run_goes_on_with_other_ranks_and_another_division(alone, experiment, points, tmp_path):
    told = {"experiment": str(experiment), "points": str(points)}
    run(2, tmp_path, division="cyclic", year=FIRST, **told | {"last": FIRST + 1})
    again = str(tmp_path / "restart_2.nc")
    found, _ = run(3, tmp_path, restart=again, **told | {"first": FIRST + 2})
    assert_same(found, alone)
    assert len(found) == len(alone) // 2


@pytest.mark.parametrize(
    "geometry",
    [["lon_bounds", "lat_bounds"], ["vertex_lon", "vertex_lat", "mask"], ["area_m2", "mask"]],
)
def test_any_shape_of_cell_gives_the_same_bits(experiment, others, tmp_path, geometry):
    """Cells that no other fits, and points that are not served: all decide what the rest gets."""
    told = {"experiment": str(experiment), "points": str(others), "year": FIRST, "last": FIRST}
    one, _ = run(1, tmp_path, geometry=geometry, **told)
    three, _ = run(3, tmp_path, geometry=geometry, division="cyclic", **told)
    assert_same(three, one)
    assert len(three) == len(one) and one[f"area_fraction_forest_{FIRST}"].any()


def test_wrong_points_on_one_rank_are_told_to_all(experiment, points, tmp_path):
    told = {"experiment": str(experiment), "points": str(points), "year": FIRST}
    _, printed = run(3, tmp_path, broken=1, **told)
    assert printed.count("told 8: rank 1: lat is 4") == 3, printed


def test_a_rank_that_is_late_is_told_to_all(experiment, points, tmp_path):
    told = {"experiment": str(experiment), "points": str(points), "year": FIRST}
    _, printed = run(2, tmp_path, late=[1, 2016], **told)
    assert printed.count("told 5: rank 1: 2019 asked, 2015 reached") == 2, printed


def test_ranks_that_ask_for_other_dates_are_told(experiment, points, tmp_path):
    told = {"experiment": str(experiment), "points": str(points), "year": FIRST}
    _, printed = run(2, tmp_path, other_day=[1, 2016], **told)
    assert printed.count("date of update is '2016-1-2', rank 0") == 2, printed
