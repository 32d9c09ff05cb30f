"""What a host put, logged and put again: the same bits, on any ranks, stopped or not."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from landstep.coupling.coupler import Coupler
from landstep.emulator.errors import StepError
from landstep.emulator.state import State

FIRST, LAST = 2015, 2019
AIR, RAIN = "air_temperature", "precipitation_flux"
FIELDS = ("area_fraction_forest", "area_fraction_cropland", "dominant_class")
DATES = [(y, m, d) for y in range(FIRST, LAST + 1) for m in range(1, 13) for d in (1, 16)]

HOST = """
import json, sys
import numpy as np
from mpi4py import MPI
from landstep.coupling.coupler import Coupler

told = json.loads(sys.argv[1])
world = MPI.COMM_WORLD
with np.load(told["log"]) as file:
    log = dict(file)
order = np.flatnonzero(np.arange(log["lon"].size) % world.size == world.rank)[::-1]
coupler = Coupler.open(
    told["experiment"], log["lon"][order], log["lat"][order], index=order, comm=world.py2f(),
    year=told["year"], restart=told["restart"], lon_bounds=log["lon_bounds"][order],
    lat_bounds=log["lat_bounds"][order],
)
for number in range(*told["range"]):
    coupler.update(*map(int, log["dates"][number]))
    for name in ("air_temperature", "precipitation_flux"):
        coupler.put(name, log[name][number, order])
coupler.write_restart(told["written"])
"""


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A host's log: on 6 x 8 points over the made-up world, twice a month, hot noisy weather."""
    rng = np.random.default_rng(7)
    lat, lon = np.meshgrid(np.linspace(49.95, 49.05, 6), np.linspace(-29.95, -28.55, 8))
    lat, lon, size = lat.ravel(), lon.ravel(), (len(DATES), lat.size)
    month = np.array([m for _, m, _ in DATES])[:, None]
    path = tmp_path_factory.mktemp("log") / "log.npz"
    np.savez(
        path,
        lon=lon,
        lat=lat,
        lon_bounds=np.stack([lon - 0.1, lon + 0.1], axis=1),
        lat_bounds=np.stack([lat - 0.09, lat + 0.09], axis=1),
        dates=DATES,
        **{
            AIR: 300 - 10 * np.cos(month / 6 * np.pi) + rng.normal(0, 3, size),
            RAIN: rng.gamma(1, 3e-5, size),
        },
    )
    return path


def opened(experiment: Path, log: dict[str, np.ndarray]) -> Coupler:
    """Open the land on the log's points."""
    bounds = {name: log[name] for name in ("lon_bounds", "lat_bounds")}
    return Coupler.open(experiment, log["lon"], log["lat"], year=FIRST, **bounds)


def replayed(
    experiment: Path, log: dict[str, np.ndarray], restart: Path
) -> tuple[dict[str, np.ndarray], State]:
    """Put a log into a coupler of its own: the fields by date, and the state that is left."""
    coupler = opened(experiment, log)
    found = {}
    for number, date in enumerate(log["dates"]):
        if coupler.update(*map(int, date)):
            found |= {f"{name}_{date}": coupler.get(name) for name in FIELDS}
        for name in (AIR, RAIN):
            if name in log:
                coupler.put(name, log[name][number])
    coupler.write_restart(restart)
    coupler.close()
    return found, State.load(restart)


@pytest.fixture(scope="module")
def once(
    world: Path, log: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, np.ndarray], State]:
    """The run that was logged."""
    with np.load(log) as file:
        restart = tmp_path_factory.mktemp("once") / "restart.nc"
        return replayed(world / "experiment.toml", dict(file), restart)


def equal(one: State, other: State) -> bool:
    """Land, debts, climate, and the months of the year that is not over."""
    kept, other_kept = one.kept, other.kept
    assert kept is not None and other_kept is not None
    assert kept.arrays.keys() == other_kept.arrays.keys()
    return one.checksum == other.checksum and all(
        np.array_equal(values, other_kept.arrays[name]) for name, values in kept.arrays.items()
    )


def test_a_log_put_again_gives_the_same_bits(world: Path, log: Path, once, tmp_path) -> None:
    with np.load(log) as file:
        found, state = replayed(world / "experiment.toml", dict(file), tmp_path / "again.nc")
    assert found.keys() == once[0].keys() and len(found) == len(FIELDS) * (LAST - FIRST + 1)
    for name, values in found.items():
        assert np.array_equal(values, once[0][name]), name
    assert state.climate is not None and state.climate.last == LAST - 1
    assert equal(state, once[1])


def test_the_land_answers_to_the_log(world: Path, log: Path, once, tmp_path) -> None:
    """Without the log, or half a kelvin off in one value of it, the bits are others."""
    experiment = world / "experiment.toml"
    with np.load(log) as file:
        held = dict(file)
    silent = {name: values for name, values in held.items() if name not in (AIR, RAIN)}
    found, state = replayed(experiment, silent, tmp_path / "silent.nc")
    assert state.climate is None and (state.land_use != once[1].land_use).any()
    assert any(not np.array_equal(values, once[0][name]) for name, values in found.items())
    held[AIR][30, 20] += 0.5
    assert not equal(replayed(experiment, held, tmp_path / "off.nc")[1], once[1])


def test_a_month_without_climate_is_named_at_the_years_end_and_the_host_goes_on(
    world: Path, log: Path, tmp_path
) -> None:
    with np.load(log) as file:
        held = dict(file)
    coupler = opened(world / "experiment.toml", held)
    for number, date in enumerate(DATES[:24]):
        coupler.update(*date)
        coupler.put(AIR, held[AIR][number])
        if date[1] < 12:
            coupler.put(RAIN, held[RAIN][number])
    with pytest.raises(StepError, match=rf"no {RAIN} for December of {FIRST};"):
        coupler.update(FIRST + 1, 1, 1)
    assert coupler.year == FIRST
    assert coupler.update(FIRST, 12, 31) is False
    coupler.put(RAIN, held[RAIN][23])
    assert coupler.update(FIRST + 1, 1, 1) and coupler.year == FIRST + 1


@pytest.fixture(scope="module")
def ranks(world: Path, log: Path) -> Callable[..., None]:
    """Give the function that puts a part of the log from ranks, and writes a restart."""
    pytest.importorskip("mpi4py", reason="mpi4py is not installed")
    if shutil.which("mpirun") is None:
        pytest.skip("there is no mpirun")

    def run(number: int, part: tuple[int, int], restart: Path | None, written: Path) -> None:
        told = {
            "experiment": str(world / "experiment.toml"), "log": str(log), "range": part,
            "restart": restart and str(restart), "year": None if restart else FIRST,
            "written": str(written),
        }  # fmt: skip
        done = subprocess.run(
            ["mpirun", "--oversubscribe", "-n", str(number), sys.executable, "-c", HOST,
             json.dumps(told)],
            capture_output=True, text=True, timeout=1800,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]

    return run


def test_ranks_that_stop_within_a_month_and_go_on_as_others_give_the_same_bits(
    ranks: Callable[..., None], once, tmp_path: Path
) -> None:
    """Three ranks to the first half of an August, then two."""
    middle = DATES.index((2017, 8, 1)) + 1
    ranks(3, (0, middle), None, tmp_path / "middle.nc")
    ranks(2, (middle, len(DATES)), tmp_path / "middle.nc", tmp_path / "end.nc")
    assert equal(State.load(tmp_path / "end.nc"), once[1])
