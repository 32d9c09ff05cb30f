"""Runs that are stopped or killed: by SIGTERM, by a limit of time, by kill -9 at any moment."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from landstep import State
from landstep.emulator.errors import ConfigError
from landstep.emulator.netcdf import NetcdfFile
from landstep.stopping import STOPPED, Stop

KILLS = 5


def start(experiment: Path, output: Path, *words: str) -> subprocess.Popen[str]:
    """Start a run from 2015 to 2039."""
    command = [sys.executable, "-m", "landstep", "run", str(experiment), "--years", "2015:2039"]
    return subprocess.Popen(
        [*command, "--output", str(output), *words], text=True, stdout=-1, stderr=-1
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Wait for a run: its exit status and all that it said."""
    out, error = process.communicate(timeout=1800)
    return process.returncode, out + error


def wait_for(path: Path, process: subprocess.Popen[str]) -> float:
    """Wait for a file that a run is to write, for as long as it runs: when the file was there."""
    while not path.exists():
        assert process.poll() is None, f"{path} did not come: {finish(process)}"
        time.sleep(0.01)
    return time.monotonic()


@pytest.fixture(scope="module")
def whole(experiment: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a run that nothing stopped."""
    output = tmp_path_factory.mktemp("whole")
    assert finish(start(experiment, output))[0] == 0
    return output


def assert_same(one: Path, other: Path) -> None:
    """Two folders hold the same maps and the same state, and nothing else."""
    names = [{path.name for path in folder.iterdir()} for folder in (one, other)]
    assert names[0] == names[1]
    for year in range(2015, 2040):
        maps = []
        for folder in (one, other):
            with NetcdfFile(folder / f"land_use_{year}.nc") as file:
                maps.append(file.read("land_use"))
        assert np.array_equal(*maps)
    states = [State.load(folder / "restart.nc") for folder in (one, other)]
    assert states[0].checksum == states[1].checksum


def test_a_run_killed_at_random_moments_comes_out_the_same(
    experiment: Path, whole: Path, tmp_path: Path
) -> None:
    """Each time the restart, where there is one, is whole, and so is every map beside it.

    The first is killed as soon as it has begun, the others within about a year of the third that
    they add, however long a year takes here.
    """
    rng = random.Random(1)
    reached = 2015
    for kill in range(KILLS):
        process = start(experiment, tmp_path)
        wait_for(tmp_path / "run.json", process)
        if kill:
            first, second = (
                wait_for(tmp_path / f"land_use_{reached + years}.nc", process) for years in (2, 3)
            )
            time.sleep(rng.uniform(0.0, 1.2) * (second - first))
        process.kill()
        finish(process)
        for path in tmp_path.glob("land_use_*.nc"):
            with NetcdfFile(path) as file:
                file.read("land_use")
        if (tmp_path / "restart.nc").exists():
            year = State.load(tmp_path / "restart.nc").year
            assert year >= reached
            reached = year
    assert reached > 2015
    status, said = finish(start(experiment, tmp_path))
    assert status == 0, said
    assert_same(tmp_path, whole)


def test_sigterm_ends_a_run_after_the_year(experiment: Path, whole: Path, tmp_path: Path) -> None:
    process = start(experiment, tmp_path)
    wait_for(tmp_path / "restart.nc", process)
    process.send_signal(signal.SIGTERM)
    status, said = finish(process)
    year = State.load(tmp_path / "restart.nc").year
    assert status == STOPPED and year < 2039, said
    assert f"stopped after {year}: SIGTERM; the same command goes on" in said
    assert finish(start(experiment, tmp_path))[0] == 0
    assert_same(tmp_path, whole)
    status, said = finish(start(experiment, tmp_path))
    assert status == 0 and "nothing was left to do" in said


def test_a_limit_of_time_ends_a_run_after_a_year(experiment: Path, tmp_path: Path) -> None:
    status, said = finish(start(experiment, tmp_path, "--time-limit", "0.0001"))
    assert status == STOPPED and State.load(tmp_path / "restart.nc").year == 2016
    assert "stopped after 2016: the next year could pass the time limit of 0.0001 minutes" in said


def test_the_longest_year_so_far_says_whether_the_next_one_fits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A limit of a minute: after years of 10, 20 and 10 s, 20 more make it just one minute."""
    now = [100.0]
    monkeypatch.setattr("landstep.stopping.time.monotonic", lambda: now[0])
    stop = Stop(1)
    for taken, fits in ((10, True), (20, True), (10, True), (1, False)):
        now[0] += taken
        assert (stop.reason() == "") == fits


def test_sigterm_is_what_it_was_afterwards() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with Stop() as stop:
        assert stop.reason() == ""
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.reason() == "SIGTERM"
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize("minutes", [0, -1, float("nan")])
def test_a_limit_that_is_none_is_refused(minutes: float) -> None:
    with pytest.raises(ConfigError, match=f"time limit of {minutes} minutes, expected more than"):
        Stop(minutes)
