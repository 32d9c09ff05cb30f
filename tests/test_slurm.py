"""The batch script, with stand-ins for Slurm: ranks run, a stopped job goes back into the queue."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from landstep.emulator.state import State

SCRIPT = Path(__file__).parents[1] / "docs" / "slurm" / "landstep.slurm"

SRUN = """#!/bin/bash
shift
mpirun --oversubscribe -n 2 "$@" &
trap 'kill -USR1 $!' TERM
while kill -0 $! 2>/dev/null; do wait $!; status=$?; done
exit $status
"""
"""Passes a wish to end on to the ranks, as srun does."""

pytestmark = pytest.mark.skipif(shutil.which("mpirun") is None, reason="there is no mpirun")


@pytest.fixture
def slurm(tmp_path: Path) -> dict[str, str]:
    """Stand-ins on the path: srun starts two ranks, scontrol writes down what it is asked."""
    pytest.importorskip("mpi4py", reason="mpi4py is not installed")
    folder = tmp_path / "bin"
    folder.mkdir()
    programs = {
        "srun": SRUN,
        "scontrol": f'#!/bin/bash\necho "$@" >> {tmp_path}/asked\n',
        "landstep": f'#!/bin/bash\nexec {sys.executable} -m landstep "$@"\n',
    }
    for name, text in programs.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    path = f"{folder}:{os.environ['PATH']}"
    return os.environ | {"PATH": path, "SLURM_JOB_ID": "42"}


def job(experiment: Path, years: str, slurm: dict[str, str], cwd: Path) -> subprocess.Popen[str]:
    """Start the script as a job."""
    return subprocess.Popen(
        ["bash", str(SCRIPT), str(experiment), years, "run"],
        env=slurm, cwd=cwd, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def test_the_script_is_sound_and_asks_for_what_it_needs():
    assert subprocess.run(["bash", "-n", SCRIPT]).returncode == 0
    text = SCRIPT.read_text()
    minutes, limit = 4 * 60, int(re.search(r"--time-limit (\d+)", text)[1])
    assert "--time=04:00:00" in text and limit * 60 + 900 <= minutes * 60


def test_a_job_that_is_done_ends_there(experiment, slurm, tmp_path):
    process = job(experiment, "2015:2016", slurm, tmp_path)
    told, _ = process.communicate(timeout=1800)
    assert process.returncode == 0, told
    assert State.load(tmp_path / "run" / "restart.nc").year == 2016
    assert not (tmp_path / "asked").exists()


def test_a_job_that_is_asked_to_end_finishes_its_year_and_goes_back(experiment, slurm, tmp_path):
    """Slurm sends SIGTERM to the script; the next job goes on from there."""
    process = job(experiment, "2015:2090", slurm, tmp_path)
    restart = tmp_path / "run" / "restart.nc"
    while not restart.exists() and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    told, _ = process.communicate(timeout=1800)
    assert process.returncode == 75, told
    assert (tmp_path / "asked").read_text() == "requeue 42\n"
    reached = State.load(restart).year
    assert 2016 <= reached < 2090
    process = job(experiment, f"2015:{reached + 1}", slurm, tmp_path)
    told, _ = process.communicate(timeout=1800)
    assert process.returncode == 0, told
    assert State.load(restart).year == reached + 1
