"""A host's ranks: the fields of one, whoever has which points; an error of one reaches all."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from landstep.coupling.coupler import Coupler
from landstep.emulator.emulator import Emulator
from landstep.emulator.state import State

pytest.importorskip("mpi4py", reason="mpi4py is not installed")
pytestmark = pytest.mark.skipif(shutil.which("mpirun") is None, reason="there is no mpirun")

FIRST, LAST = 2015, 2018

HOST = """
import json, os, signal, sys
import numpy as np
from mpi4py import MPI
from landstep.coupling.coupler import Coupler
from landstep.coupling.land_surface import LandSurface
from landstep.emulator.errors import InputError, LandstepError

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
if told.get("no_index") != world.rank:
    geometry["index"] = order
if told.get("broken") == world.rank:
    points["lat"][order] += 400
experiment = told["experiment"]
if told.get("other") == world.rank:
    experiment = told["other_experiment"]
months = np.arange(12.0) / 4 + points["lat"][:, None] / 40
own = {"vegl": 0.2 + index / 100, "vegh": 0.5 - index / 100, "typel": 1.0 + index % 2,
       "typeh": 3.0 + 2 * (index % 2), "lail": months, "alb12": months / 100 + 0.1}
own = {name: own[name][order] for name in told.get("baselines", [])}
if told.get("backward") == world.rank:
    own = dict(reversed(own.items()))
if told.get("fewer") == world.rank:
    own.popitem()

def fails(*_):
    raise InputError("zones.nc: code 9 is not in legend made_up")

def weather(year, month):
    lat = points["lat"][order]
    for _ in range(2 if told.get("twice") == [world.rank, year] else 1):
        coupler.put("air_temperature", 300 - lat / 2 + month + told.get("warmer", 0))
        coupler.put("precipitation_flux", (1 + index[order] / 10 + month / 9) / 86400)
try:
    coupler = Coupler.open(
        experiment, points["lon"][order], points["lat"][order],
        comm=world.py2f(), year=told.get("year"), restart=told.get("restart"), **geometry,
    )
    if not hasattr(coupler, "year"):
        print(f"rank {world.rank} is off", flush=True)
        sys.exit(0)
    if told.get("step_fails") == world.rank:
        LandSurface._with_zones = fails
    for name, values in own.items():
        coupler.baseline(name, values)
    found = {}
    if told.get("coverage"):
        for name, value in vars(coupler.get_coverage()).items():
            found[name] = np.full(order.size, float(value))
    if told.get("largest"):
        found["largest"] = coupler.get_maximum(told["largest"], told["last"])
    for year in range(told["first"], told["last"] + 1):
        if told.get("killed") == [world.rank, year]:
            os.kill(os.getpid(), signal.SIGKILL)
        if told.get("late") == [world.rank, year]:
            coupler.update(year + 3, 1, 1)
        coupler.update(year, 1, 2 if told.get("other_day") == [world.rank, year] else 1)
        for name in told.get("baselines") or coupler.names():
            found[f"{name}_{year}"] = coupler.get(name)
        for name in told["classes"]:
            found[f"gain_{name}_{year}"], found[f"loss_{name}_{year}"] = coupler.get_change(name)
            found[f"to_{name}_{year}"] = coupler.get_transition("pasture", name)
        if told.get("weather"):
            for month in range(1, told["weather"] + 1):
                coupler.update(year, month, 1)
                weather(year, month)
        if told.get("each_year"):
            coupler.write_restart(told["written"])
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


def launched(ranks: int, folder: Path, **told: object) -> subprocess.CompletedProcess[str]:
    """Run the host above on so many ranks."""
    told = {
        "first": FIRST, "last": LAST, "division": "blocks", "classes": ["forest", "cropland"],
        "geometry": ["lon_bounds", "lat_bounds"], "written": str(folder / f"restart_{ranks}.nc"),
        "results": str(folder / "results.npz"), **told,
    }  # fmt: skip
    (folder / "results.npz").unlink(missing_ok=True)
    return subprocess.run(
        ["mpirun", "--oversubscribe", "-n", str(ranks), sys.executable, "-c", HOST,
         json.dumps(told)],
        cwd=folder, capture_output=True, text=True, timeout=1800,
    )  # fmt: skip


def run(ranks: int, folder: Path, **told: object) -> tuple[dict[str, np.ndarray], str]:
    """Run it to its end; what it found, by name, and what it printed."""
    done = launched(ranks, folder, **told)
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
    found = {"largest": coupler.get_maximum("area_fraction_forest", LAST)}
    for year in range(FIRST, LAST + 1):
        coupler.update(year, 1, 1)
        found |= {f"{name}_{year}": coupler.get(name) for name in coupler.names()}
        for name in ("forest", "cropland"):
            pair = coupler.get_change(name)
            found[f"gain_{name}_{year}"], found[f"loss_{name}_{year}"] = pair
            found[f"to_{name}_{year}"] = coupler.get_transition("pasture", name)
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
    told["largest"] = "area_fraction_forest"
    found, _ = run(ranks, tmp_path, division=division, **told)
    assert len(found) == len(alone) and found[f"to_forest_{LAST}"].any()
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
    told |= {"coverage": True}
    one, _ = run(1, tmp_path, geometry=geometry, **told)
    three, _ = run(3, tmp_path, geometry=geometry, division="cyclic", **told)
    assert_same(three, one)
    assert len(three) == len(one) and one[f"area_fraction_forest_{FIRST}"].any()
    assert one["cells_most"][0] > one["cells_mean"][0] > one["cells_least"][0] > 0


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


def test_landstep_off_on_one_rank_alone_is_told_to_all(experiment, coupled, points, tmp_path):
    """Before, the others waited for it for ever."""
    off = coupled("off", host="classes", active=False)
    told = {"experiment": str(experiment), "points": str(points), "year": FIRST}
    _, printed = run(2, tmp_path, other=1, other_experiment=str(off), **told)
    assert printed.count("[coupling] active is 'false', rank 0") == 2, printed
    _, printed = run(2, tmp_path, **told | {"experiment": str(off)})
    assert printed.count("is off") == 2, printed


def test_another_model_on_one_rank_is_told_to_all(
    experiment, untrained_model, points, tmp_path
):  # fmt: skip
    text = experiment.read_text("utf-8")
    line = next(line for line in text.splitlines() if line.startswith("model = "))
    other = experiment.with_name("untrained_on_one.toml")
    other.write_text(text.replace(line, f'model = "{untrained_model}"'), "utf-8")
    told = {"experiment": str(experiment), "points": str(points), "year": FIRST}
    _, printed = run(2, tmp_path, other=1, other_experiment=str(other), **told)
    assert printed.count("told 4: rank 1 on ") == 2, printed
    assert printed.count("model sha256 is '") == 2, printed


def test_an_index_on_some_ranks_alone_is_told_to_all(experiment, points, tmp_path):
    told = {"experiment": str(experiment), "points": str(points), "year": FIRST}
    _, printed = run(2, tmp_path, no_index=1, **told)
    assert printed.count("some ranks gave an index of their points and others did not") == 2


def test_a_rank_without_points_needs_no_index(alone, experiment, points, tmp_path):
    told = {"experiment": str(experiment), "points": str(points), "year": FIRST}
    found, _ = run(2, tmp_path, division="first", no_index=1, **told | {"last": FIRST})
    assert len(found) == len(alone) // 4
    assert_same(found, alone)


OWN = ["vegl", "vegh", "typel", "typeh", "lail", "alb12"]


@pytest.fixture(scope="module")
def anomaly(coupled) -> Path:
    return coupled("ranks", mode="anomaly", albedo="required")


@pytest.fixture(scope="module")
def heard(anomaly, points, tmp_path_factory) -> dict[str, np.ndarray]:
    """What one rank finds that gave baselines and its climate in every month."""
    folder = tmp_path_factory.mktemp("heard")
    told = {"experiment": str(anomaly), "points": str(points), "year": FIRST}
    return run(1, folder, baselines=OWN, weather=12, **told)[0]


@pytest.mark.parametrize(("ranks", "division"), [(2, "cyclic"), (3, "first")])
def test_baselines_and_climate_give_the_same_bits_on_any_ranks(
    heard, anomaly, points, tmp_path, ranks, division
):
    """One rank gives its baselines in another order: months must not be mixed up."""
    told = {"experiment": str(anomaly), "points": str(points), "year": FIRST, "weather": 12}
    found, _ = run(ranks, tmp_path, division=division, baselines=OWN, backward=1, **told)
    assert found.keys() == heard.keys() and len(heard) == (len(OWN) + 6) * 4
    assert_same(found, heard)
    other, _ = run(ranks, tmp_path, division=division, baselines=OWN, warmer=9, **told)
    assert any(not np.array_equal(other[name], heard[name]) for name in heard)


def test_baselines_and_half_a_year_go_on_with_other_ranks(heard, anomaly, points, tmp_path):
    told = {"experiment": str(anomaly), "points": str(points), "baselines": OWN}
    run(3, tmp_path, division="uneven", year=FIRST, weather=12, **told | {"last": FIRST + 1})
    again = str(tmp_path / "restart_3.nc")
    found, _ = run(
        2, tmp_path, restart=again, division="cyclic", weather=12, **told | {"first": FIRST + 2}
    )
    changes = [name for name in heard if name.startswith(("gain", "loss"))]
    assert_same(found, heard)
    assert len(found) == len(heard) // 2 and any(heard[name].any() for name in changes)


def test_a_baseline_or_climate_that_one_rank_lacks_is_told_to_all(anomaly, points, tmp_path):
    told = {"experiment": str(anomaly), "points": str(points), "year": FIRST, "baselines": OWN}
    _, printed = run(2, tmp_path, fewer=1, **told)
    assert printed.count("told 4: rank 1 on ") == 2, printed
    assert printed.count("baselines is 'lail, typeh, typel, vegh, vegl', rank 0 on") == 2, printed
    _, printed = run(2, tmp_path, twice=[1, FIRST + 1], weather=12, **told)
    assert printed.count("climate put is 'air_temperature: 2 2 2 2 2 2 2 2 2 2 2 2; prec") == 2
    _, printed = run(2, tmp_path, twice=[1, FIRST], weather=5, **told | {"last": FIRST})
    assert printed.count("climate put is 'air_temperature: 2 2 2 2 2 0 0 0 0 0 0 0; prec") == 2


def test_a_month_without_climate_is_told_to_all(anomaly, points, tmp_path):
    told = {"experiment": str(anomaly), "points": str(points), "year": FIRST, "baselines": OWN}
    _, printed = run(2, tmp_path, weather=10, **told)
    assert printed.count(f"no air_temperature for November and December of {FIRST}") == 2, printed


def test_a_rank_that_dies_ends_the_run_and_leaves_the_restart(experiment, points, tmp_path):
    told = {"experiment": str(experiment), "points": str(points), "each_year": True}
    done = launched(2, tmp_path, killed=[1, FIRST + 2], year=FIRST, **told)
    assert done.returncode != 0 and "signal 9" in done.stdout + done.stderr
    assert not (tmp_path / "results.npz").exists()
    restart = tmp_path / "restart_2.nc"
    assert State.load(restart).year == FIRST + 1
    found, _ = run(3, tmp_path, restart=str(restart), **told | {"first": FIRST + 2})
    assert found


def test_a_step_that_fails_on_one_rank_is_told_to_all_and_each_dumps(coupled, points, tmp_path):
    dumps = tmp_path / "dumps"
    experiment = coupled("dumps", host="classes", dump=str(dumps))
    told = {"experiment": str(experiment), "points": str(points), "year": FIRST}
    _, printed = run(3, tmp_path, step_fails=1, **told)
    assert printed.count("told 2: rank 1: zones.nc: code 9 is not in legend made_up") == 3, printed
    files = sorted(dumps.iterdir())
    assert [path.name for path in files] == [f"landstep_dump_rank{n}.npz" for n in range(3)]
    abouts = []
    for path in files:
        with np.load(path) as file:
            abouts.append(json.loads(str(file["about"])))
    assert [of["rank"] for of in abouts] == [0, 1, 2] and {of["ranks"] for of in abouts} == {3}
    assert all("code 9" in of["error"] for of in abouts)
    assert "in fails" in abouts[1]["error"], "where it went wrong"
