"""Many ranks on one map: the bits of one, errors that reach all, ranks that must be alike."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from landstep.emulator.emulator import Emulator
from landstep.emulator.errors import ConfigError, DependencyError, InputError, error_of_status
from landstep.emulator.ranks import LAUNCHED, Ranks
from landstep.emulator.state import State

pytest.importorskip("mpi4py", reason="mpi4py is not installed")
needs_mpirun = pytest.mark.skipif(shutil.which("mpirun") is None, reason="there is no mpirun")


STEPS = """
import sys
from landstep.emulator.emulator import Emulator
from landstep.emulator.ranks import Ranks
ranks = Ranks.launched()
emulator = Emulator.open(sys.argv[1], ranks)
state = emulator.start(2015)
for year in (2016, 2017, 2018):
    state = emulator.step(year, state)
    whole = emulator.whole(state)
    if ranks.is_first:
        print(year, whole.checksum, whole.report.unmet, whole.report.realised.tolist(), flush=True)
"""


def mpirun(ranks: int, *command: str, cwd: Path) -> subprocess.CompletedProcess:
    """Run a command on several ranks."""
    return subprocess.run(
        ["mpirun", "--oversubscribe", "-n", str(ranks), *command],
        cwd=cwd, capture_output=True, text=True, timeout=1800,
    )  # fmt: skip


def landstep(ranks: int, *arguments: object, cwd: Path) -> subprocess.CompletedProcess:
    """Run the command line on several ranks."""
    return mpirun(ranks, sys.executable, "-m", "landstep", *map(str, arguments), cwd=cwd)


@pytest.fixture(scope="module")
def globe(tmp_path_factory) -> Path:
    """Make a made-up Earth, on which ranks meet across the date line."""
    from landstep.data.world import make_world

    return make_world(tmp_path_factory.mktemp("globe"), seed=3, shape=(240, 480), globe=True)


@needs_mpirun
@pytest.mark.parametrize("kind", ["region", "globe"])
def test_states_are_the_same_bits_on_any_number_of_ranks(experiment, globe, kind, tmp_path):
    """Debts and history with them, over three years; every rank holds less than the whole."""
    path = experiment if kind == "region" else globe
    emulator = Emulator.open(path)
    state, expected = emulator.start(2015), []
    for year in (2016, 2017, 2018):
        state = emulator.step(year, state)
        report = state.report
        expected.append(f"{year} {state.checksum} {report.unmet} {report.realised.tolist()}")
    for ranks in (2, 3, 4):
        done = mpirun(ranks, sys.executable, "-c", STEPS, str(path), cwd=tmp_path)
        assert done.stdout.splitlines() == expected, done.stderr[-2000:]


@needs_mpirun
def test_a_run_goes_on_with_another_number_of_ranks(experiment, tmp_path):
    """Three ranks, then two, then one: the files of a run on one, byte for byte."""
    years = ("2015:2016", "2015:2017", "2015:2018")
    plain = tmp_path / "plain"
    done = landstep(1, "run", experiment, "--years", years[-1], "--output", plain, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for ranks, span in zip((3, 2, 1), years, strict=True):
        done = landstep(ranks, "run", experiment, "--years", span, "--output", "many", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("wrote") == 1
    for path in plain.glob("land_use_*.nc"):
        assert path.read_bytes() == (tmp_path / "many" / path.name).read_bytes()
    one, other = (State.load(folder / "restart.nc") for folder in (plain, tmp_path / "many"))
    assert one.checksum == other.checksum


@needs_mpirun
def test_one_ranks_error_reaches_all_as_one_message(experiment, tmp_path):
    """Row 65: the last of three fails in its second step; nobody waits, and it is said once."""
    code = STEPS.replace(
        "for year in (2016",
        "import landstep.emulator.stepping as stepping\n"
        "from landstep.emulator.errors import InputError\n"
        "whole = stepping.check_step\n"
        "def fail(*arguments):\n"
        "    if ranks.rank == 2 and arguments[3] == 2017: raise InputError('the disk is gone')\n"
        "    whole(*arguments)\n"
        "stepping.check_step = fail\n"
        "from landstep.emulator.ranks import ended_by_all\n"
        "with ended_by_all(ranks):\n"
        "  for year in (2016",
    ).replace("\n    state = emulator.step(year", "\n      state = emulator.step(year")
    code = code[: code.index("    whole = emulator.whole")]
    done = mpirun(3, sys.executable, "-c", code, str(experiment), cwd=tmp_path)
    assert done.returncode != 0
    assert done.stderr.count("InputError: rank 2: the disk is gone") == 1, done.stderr
    done = landstep(2, "run", tmp_path / "no.toml", "--years", "2015:2016", cwd=tmp_path)
    assert done.returncode == 4
    assert done.stderr.count("landstep: rank 0:") == 1 and "no.toml" in done.stderr


@needs_mpirun
def test_a_rank_that_is_killed_ends_all_and_costs_a_year_at_most(experiment, tmp_path):
    """Row 66: kill -9 of the second of two; what is there is whole, and one rank goes on."""
    run = [sys.executable, "-m", "landstep", "run", str(experiment), "--output", "run", "--years"]
    process = subprocess.Popen(
        ["mpirun", "--oversubscribe", "-n", "2", *run, "2015:2090"],
        cwd=tmp_path, text=True, stderr=subprocess.PIPE,
    )  # fmt: skip
    restart = tmp_path / "run" / "restart.nc"
    while not restart.exists() and process.poll() is None:
        time.sleep(0.05)
    ranks = [p for p in psutil.Process(process.pid).children() if "landstep" in p.cmdline()]
    assert len(ranks) == 2
    ranks[1].kill()
    _, told = process.communicate(timeout=1800)
    assert process.returncode != 0 and "signal 9" in told
    reached = State.load(restart).year
    subprocess.run([*run, f"2015:{reached + 1}"], cwd=tmp_path, check=True)
    emulator = Emulator.open(experiment)
    state = emulator.start(2015)
    for year in range(2016, reached + 2):
        state = emulator.step(year, state)
    assert State.load(restart).checksum == state.checksum
    for year in range(2015, reached + 2):
        assert (tmp_path / "run" / f"land_use_{year}.nc").exists()


@needs_mpirun
def test_an_error_that_only_one_rank_knows_of_ends_all(tmp_path):
    """It is printed with its rank; the others, who wait for it, are ended."""
    code = """
from landstep.emulator.ranks import Ranks, ended_by_all
ranks = Ranks.launched()
with ended_by_all(ranks):
    if ranks.rank == 1:
        raise ZeroDivisionError("only here")
    ranks.largest(1)
"""
    done = mpirun(2, sys.executable, "-c", code, cwd=tmp_path)
    assert done.returncode != 0 and "ZeroDivisionError: only here" in done.stderr


@needs_mpirun
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            "session.provenance['instruction_set'] = 'abacus beads'",  # no machine has it
            "instruction_set is 'abacus beads'",
        ),
        ("session.provenance['onnxruntime'] = '0.1'", "onnxruntime is '0.1', rank 0 on .* has"),
        ("object.__setattr__(session, 'sha256', 'f' * 64)", "model sha256 is 'ffff"),
    ],
)
def test_ranks_that_differ_are_refused_by_name(experiment, tmp_path, change, words):
    """Row 68: model, version or instruction set of one rank."""
    code = f"""
import sys
from landstep.emulator import emulator as module
from landstep.emulator.ranks import Ranks, ended_by_all
from landstep.emulator.session import Session
ranks = Ranks.launched()
opened = Session.open
def other(*arguments, **options):
    session = opened(*arguments, **options)
    if ranks.rank == 1:
        {change}
    return session
module.Session = type("Session", (), {{"open": staticmethod(other)}})
with ended_by_all(ranks):
    module.Emulator.open(sys.argv[1], ranks)
"""
    done = mpirun(3, sys.executable, "-c", code, str(experiment), cwd=tmp_path)
    assert done.returncode != 0
    told = " ".join(done.stderr.split())
    assert re.search(f"rank 1 on .*: {words}", told), told
    assert done.stderr.count("ConfigError") == 1


def test_one_process_is_alone_without_mpi(monkeypatch):
    """Nothing is imported, nothing is sent; errors pass as they are."""
    for name in LAUNCHED:
        monkeypatch.delenv(name, raising=False)
    ranks = Ranks.launched()
    assert (ranks.rank, ranks.size, ranks.is_first) == (0, 1, True)
    values = np.arange(3)
    assert ranks.sum(values) is values and ranks.from_first(values) is values
    assert ranks.largest(7) == 7 and ranks.exchange({}, {}) == {}
    ranks.same({"model": "x"})
    with pytest.raises(InputError, match="^as it is$"), ranks.together():
        raise InputError("as it is")


def test_a_launcher_without_mpi4py_is_an_error(monkeypatch):
    """Else every rank would write the whole map into one folder."""
    monkeypatch.setenv(LAUNCHED[0], "2")
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    with pytest.raises(DependencyError, match=r"pip install 'landstep\[mpi\]'"):
        Ranks.launched()


def test_a_ranks_place_on_its_machine_is_what_the_launcher_says(monkeypatch):
    monkeypatch.setenv("OMPI_COMM_WORLD_LOCAL_RANK", "3")
    assert Ranks().local == 3
    monkeypatch.delenv("OMPI_COMM_WORLD_LOCAL_RANK")
    assert Ranks().local == 0


def test_a_status_gives_its_error_back():
    assert error_of_status(ConfigError.status) is ConfigError
    assert error_of_status(99).status == 1
