"""A year is an integer of any kind; anything else is refused in words (fault 97)."""

from decimal import Decimal

import numpy as np
import pytest

from landstep.emulator.errors import LandstepError, StateError, StepError
from landstep.emulator.state import State
from landstep.emulator.years import calendar_year

INTEGERS = [2001, np.int64(2001), np.int16(2001), np.uint32(2001), np.array(2001, ">i4")]
OTHERS = [
    2001.0, np.float32(2001), "2001", True, np.True_, np.datetime64("2001"), 2001 + 0j, [2001],
    np.array([2001, 2002]), np.array(True), Decimal(2001), b"2001", {}, Ellipsis,
]  # fmt: skip


@pytest.fixture(scope="module")
def emulator(make_emulator):
    """Open the tiny model on made-up fields."""
    return make_emulator("regular", (14, 21))


@pytest.mark.parametrize("year", INTEGERS, ids=repr)
def test_an_integer_of_any_kind_is_a_year(year):
    """As Python's own."""
    found = calendar_year(year)
    assert type(found) is int and found == 2001


@pytest.mark.parametrize("year", OTHERS, ids=repr)
def test_what_is_no_integer_is_refused_in_words(year):
    """With the name, what was found, and an example."""
    with pytest.raises(StepError, match=r"^first is .*expected an integer, e.g. 2015"):
        calendar_year(year, "first")


def test_a_year_that_no_file_holds_is_refused():
    """Restarts hold 32 bits."""
    with pytest.raises(StepError, match="year is 2147483648"):
        calendar_year(2**31)


def test_states_of_numpy_years_are_those_of_pythons(emulator, tmp_path):
    """Fault 97: the same checksum, and a restart that loads."""
    plain = emulator.step(2001, emulator.start(2000))
    state = emulator.start(np.int64(2000))
    for year in np.arange(2001, 2002):
        state = emulator.step(year, state)
    assert state.checksum == plain.checksum
    assert type(state.year) is type(state.anchor) is type(state.direction) is int
    state.save(tmp_path / "restart.nc")
    again = emulator.start(np.uint16(2001), restart=tmp_path / "restart.nc")
    assert again.checksum == State.load(tmp_path / "restart.nc").checksum == plain.checksum
    assert np.array_equal(emulator.odds(np.int32(2002), state), emulator.odds(2002, state))


@pytest.mark.parametrize("year", [2001.0, "2001", True, None], ids=repr)
def test_no_call_takes_another_kind_of_year(emulator, year):
    """Fault 97: a float year wrote a restart that never loaded."""
    state = emulator.start(2000)
    calls = [
        lambda: emulator.start_from(year, state.land_use),
        lambda: emulator.step(year, state),
        lambda: emulator.odds(year, state),
        lambda: emulator.heard(year, {}, state),
        lambda: emulator.climate_zones(year, state),
    ]
    if year is not None:
        calls.append(lambda: emulator.start(year))
    for call in calls:
        with pytest.raises(LandstepError, match="expected an integer"):
            call()


@pytest.mark.parametrize("name", ["year", "anchor", "direction"])
def test_a_state_of_another_kind_of_year_cannot_be_made(emulator, name):
    """By `replace`, too."""
    from dataclasses import replace

    with pytest.raises(StateError, match=f"{name} is 1.0"):
        replace(emulator.start(2000), **{name: 1.0})
