"""What a coupler keeps in a restart: stored, given back, and part of the checksum."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from landstep.emulator.errors import StateError
from landstep.emulator.kept import Kept
from landstep.emulator.state import State

ARRAYS = {
    "index": np.array([3, 5, 9], np.int64),
    "baseline_cvl": np.array([0.1, 0.2, np.nextafter(0.3, 1)]),
    "baseline_albedo": np.arange(36, dtype=np.float64).reshape(3, 12) / 7,
}
NOTES = {"settings": {"host": "ecland"}, "reference_year": 2015}


@pytest.fixture
def state() -> State:
    land_use = np.arange(35, dtype=np.uint8).reshape(5, 7) % 8
    debt = np.zeros((3, 2, 2), np.int64)
    ages = debt.astype(np.uint8)
    return State(2020, land_use, (land_use,), 1, 2015, debt, ages, "hilda8", "g", "m", {})


def test_what_is_kept_comes_back_bit_for_bit(state: State, tmp_path: Path) -> None:
    kept = replace(state, kept=Kept(ARRAYS, NOTES))
    kept.save(tmp_path / "restart.nc")
    again = State.load(tmp_path / "restart.nc")
    assert again.kept.notes == NOTES and list(again.kept.arrays) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert again.kept.arrays[name].dtype == array.dtype
        assert np.array_equal(again.kept.arrays[name], array)
    assert again.checksum == kept.checksum


def test_nothing_kept_is_the_restart_of_before(state: State, tmp_path: Path) -> None:
    assert replace(state, kept=Kept()).checksum == state.checksum
    state.save(tmp_path / "restart.nc")
    assert not State.load(tmp_path / "restart.nc").kept


@pytest.mark.parametrize(
    "other",
    [
        Kept({**ARRAYS, "baseline_cvl": np.array([0.1, 0.2, 0.3])}, NOTES),
        Kept(ARRAYS, {**NOTES, "reference_year": 2016}),
        Kept({"index": ARRAYS["index"]}, NOTES),
        Kept({**ARRAYS, "index": ARRAYS["index"].astype(np.int32)}, NOTES),
    ],
)
def test_the_checksum_sees_every_part(state: State, other: Kept) -> None:
    assert replace(state, kept=other).checksum != replace(state, kept=Kept(ARRAYS, NOTES)).checksum


def test_a_kept_array_that_was_altered_is_refused(state: State, tmp_path: Path) -> None:
    import netCDF4

    replace(state, kept=Kept(ARRAYS, NOTES)).save(tmp_path / "restart.nc")
    with netCDF4.Dataset(tmp_path / "restart.nc", "r+") as file:
        file["kept_baseline_cvl"][0] = 0.5
    with pytest.raises(StateError, match="checksum mismatch"):
        State.load(tmp_path / "restart.nc")
