"""When a step fails: what each rank had is in a file, and the failure says so where it is not."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from landstep.coupling.coupler import Coupler
from landstep.coupling.dump import dumped
from landstep.emulator.emulator import Emulator
from landstep.emulator.errors import CheckError, ConfigError, InputError, StepError
from landstep.emulator.ranks import Ranks
from landstep.emulator.state import State

FIRST = 2015
Coupled = Callable[..., Path]
ALONE = Ranks()


@pytest.fixture(scope="module")
def state(experiment: Path) -> State:
    return Emulator.open(experiment).start(FIRST)


def test_a_step_that_fails_leaves_what_the_rank_had(
    coupled: Coupled, cells: dict[str, np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "not" / "yet"
    experiment = coupled("dump", host="classes", dump=str(folder))
    coupler = Coupler.open(experiment, **cells, year=FIRST)
    coupler.update(FIRST, 1, 1)
    before = coupler.get("area_fraction_forest").copy()
    state = coupler.state

    def fails(*_: Any) -> State:
        raise CheckError("cell (3, 5): ocean became forest")

    with monkeypatch.context() as patched:
        patched.setattr(Emulator, "step", fails)
        with pytest.raises(CheckError, match="^cell .3, 5.: ocean became forest$"):
            coupler.update(FIRST + 1, 1, 1)
    assert coupler.year == FIRST and np.array_equal(coupler.get("area_fraction_forest"), before)
    assert [path.name for path in folder.iterdir()] == ["landstep_dump_rank0.npz"]
    with np.load(folder / "landstep_dump_rank0.npz") as file:
        assert np.array_equal(file["land_use"], state.land_use)
        assert np.array_equal(file["history"], np.array(state.history))
        assert np.array_equal(file["debt"], state.debt)
        assert np.array_equal(file["debt_years"], state.debt_years)
        about = json.loads(str(file["about"]))
    assert about["asked"] == "update to 2016-1-1" and about["year"] == FIRST
    assert (about["rank"], about["ranks"]) == (0, 1)
    assert "ocean became forest" in about["error"] and "Traceback" in about["error"]
    assert about["model_sha256"] == state.model and about["provenance"] == state.provenance
    assert coupler.update(FIRST + 1, 1, 1) is True


def test_a_hosts_own_mistake_is_no_reason_for_a_file(
    coupled: Coupled, cells: dict[str, np.ndarray], tmp_path: Path
) -> None:
    experiment = coupled("no_dump", host="classes", dump=str(tmp_path / "dumps"))
    coupler = Coupler.open(experiment, **cells, year=FIRST)
    for date in ((FIRST - 1, 1, 1), (FIRST + 4, 1, 1), (FIRST, 2, 30)):
        with pytest.raises(StepError):
            coupler.update(*date)
    assert not (tmp_path / "dumps").exists()


def test_each_rank_has_a_file_of_its_own_and_a_later_failure_takes_its_place(
    state: State, tmp_path: Path
) -> None:
    for number in (0, 3, 3):
        ranks = Ranks(number, 4)
        with pytest.raises(StepError), dumped(tmp_path, ranks, state, f"call {number}"):
            raise StepError("odd")
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["landstep_dump_rank0.npz", "landstep_dump_rank3.npz"]
    with np.load(tmp_path / files[1]) as file:
        assert json.loads(str(file["about"]))["ranks"] == 4
    assert zipfile.is_zipfile(tmp_path / files[0])


def test_what_is_no_error_of_landsteps_is_dumped_as_well(state: State, tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), dumped(tmp_path / "a", ALONE, state, "update"):
        1 / 0  # noqa: B018
    with np.load(tmp_path / "a" / "landstep_dump_rank0.npz") as file:
        assert "ZeroDivisionError" in json.loads(str(file["about"]))["error"]
    (tmp_path / "file").touch()
    with pytest.raises(ZeroDivisionError), dumped(tmp_path / "file", ALONE, state, "update"):
        1 / 0  # noqa: B018


@pytest.mark.parametrize("shared", [True, False])
def test_a_folder_that_cannot_be_written_is_said(
    state: State, tmp_path: Path, shared: bool
) -> None:
    """The failure keeps its kind, and whether all ranks know of it."""
    (tmp_path / "file").touch()
    error = InputError("forcing.nc: NetCDF: HDF error")
    error.shared = shared
    words = r"^forcing.nc: NetCDF: HDF error; the state could not be dumped: .*/file"
    with pytest.raises(InputError, match=words) as told:
        with dumped(tmp_path / "file" / "dumps", ALONE, state, "update"):
            raise error
    assert told.value.shared is shared


def test_without_a_folder_nothing_is_written(
    state: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError), dumped(None, ALONE, state, "update"):
        raise ConfigError("odd")
    with dumped(tmp_path, ALONE, state, "update"):
        pass
    assert list(tmp_path.iterdir()) == []
