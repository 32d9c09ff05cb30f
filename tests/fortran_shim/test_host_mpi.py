"""The example host on many ranks: the bits of one, and one rank's failure as that of all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from landstep.coupling.points import Points
from landstep.emulator.classes import scheme
from landstep.emulator.errors import DependencyError
from landstep.emulator.state import State
from landstep.fortran_shim import build
from landstep.fortran_shim.example_run import prepare_example_run

FIRST, LAST = 2015, 2018
RunHost = Callable[..., tuple[int, str, str]]
RunRanks = Callable[..., tuple[int, str, str]]
Prepare = Callable[..., Path]


@pytest.fixture
def prepare(experiment: Path, points: Points, tmp_path: Path) -> Prepare:
    """Give the function that writes a run into a folder of that name: its namelist."""

    def write(name: str, first: int, last: int, restart: Path | None = None, **settings: Any):
        folder = tmp_path / name
        folder.mkdir()
        of = scheme("hilda8")
        return prepare_example_run(
            folder, experiment, of, points, first, last, restart, settings=settings
        )

    return write


@pytest.fixture
def serial(prepare: Prepare, programs: dict[str, Path], run_host: RunHost) -> Path:
    """Folder of the serial program's run."""
    namelist = prepare("serial", FIRST, LAST)
    code, out, err = run_host(programs["plain"], namelist)
    assert (code, err) == (0, "")
    (namelist.parent / "printed.txt").write_text(out, "utf-8")
    return namelist.parent


def test_any_division_of_the_points_gives_the_file_of_the_serial_program(
    prepare: Prepare, serial: Path, run_ranks: RunRanks, tmp_path: Path
) -> None:
    """Byte for byte: blocks, in turn, uneven, and a first rank that has no points at all."""
    for ranks, division in ((1, "blocks"), (2, "uneven"), (3, "empty"), (4, "round_robin")):
        namelist = prepare(division, FIRST, LAST, division=division, thread_multiple=ranks == 2)
        code, out, err = run_ranks((ranks, namelist), cwd=tmp_path)
        assert code == 0, err
        assert out == (serial / "printed.txt").read_text("utf-8")
        for name in ("results.nc", "host_restart.nc"):
            assert (namelist.parent / name).read_bytes() == (serial / name).read_bytes(), division
        one, other = (State.load(f / "landstep_restart.nc") for f in (serial, namelist.parent))
        assert one.checksum == other.checksum


def test_a_run_goes_on_with_another_number_of_ranks(
    prepare: Prepare,
    serial: Path,
    run_ranks: RunRanks,
    read_results: Callable[[Path], dict[str, np.ndarray]],
    tmp_path: Path,
) -> None:
    begun = prepare("begun", FIRST, 2016, division="round_robin")
    assert run_ranks((3, begun), cwd=tmp_path)[0] == 0
    restart = begun.parent / "landstep_restart.nc"
    ended = prepare("ended", 2017, LAST, restart, division="uneven")
    assert run_ranks((2, ended), cwd=tmp_path)[0] == 0
    whole = read_results(serial / "results.nc")
    for name, values in read_results(ended.parent / "results.nc").items():
        assert np.array_equal(values, whole[name][2:]), name
    assert (ended.parent / "host_restart.nc").read_bytes() == (
        serial / "host_restart.nc"
    ).read_bytes()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"covers": "forest,tundra"}, "the host has no surface values for cover 'tundra'"),
        ({"covers": "forest,pasture_grass_shrub"}, "no field 'area_fraction_pasture_grass_shrub'"),
        ({"points_file": "no_points.nc"}, "no_points.nc: No such file"),
        ({"experiment": "no_such.toml"}, "no_such.toml"),
    ],
)
def test_one_ranks_failure_ends_all_in_its_own_words(
    prepare: Prepare,
    run_ranks: RunRanks,
    tmp_path: Path,
    wrong: dict[str, str],
    words: str,
) -> None:
    """The second of three ranks has another namelist; what it alone does wrong, all hear once."""
    good = prepare("good", FIRST, FIRST)
    bad = prepare("bad", FIRST, FIRST, **wrong)
    code, _, err = run_ranks((1, good), (1, bad), (1, good), cwd=tmp_path)
    assert code == 1
    said = [line for line in err.splitlines() if line.startswith("example_mpi: ")]
    assert len(said) == 1 and words in said[0] and "rank 1" in said[0]


def test_a_file_that_rank_0_cannot_write_ends_all(
    prepare: Prepare, run_ranks: RunRanks, tmp_path: Path
) -> None:
    for name, entry in (("own", "host_restart_out"), ("land", "restart_out")):
        namelist = prepare(name, FIRST, FIRST, **{entry: "/nowhere/restart.nc"})
        code, out, err = run_ranks((2, namelist), cwd=tmp_path)
        assert code == 1 and out.count("\n") == 1
        assert err.count("example_mpi: rank 0: ") == 1 and "/nowhere/restart.nc" in err


def test_a_missing_mpi_compiler_is_named_with_its_cure(
    tools: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MPIFC", "no_such_compiler")
    with pytest.raises(DependencyError, match="for MPI 'no_such_compiler' not found: install one"):
        build.build_example_host(tmp_path, mpi=True)
