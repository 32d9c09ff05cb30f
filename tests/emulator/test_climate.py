"""A host's climate: thirty years, blended from the reference, kept in the restart bit for bit."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landstep.emulator.climate import Climate, heard
from landstep.emulator.errors import CouplingError, InputError, StateError, StepError
from landstep.emulator.state import State

AIR, RAIN, LIGHT = (
    "air_temperature", "precipitation_flux", "surface_downwelling_shortwave_flux_in_air",
)  # fmt: skip


def year_of(number, shape=(3, 4), names=(AIR, RAIN)):
    """Monthly means of a year, made up."""
    rng = np.random.default_rng(number)
    return {name: rng.uniform(200, 300, (12, *shape)) for name in names}


def years(first, last, **options):
    """A climate of some years."""
    climate = None
    for year in range(first, last + 1):
        climate = heard(climate, year, year_of(year, **options))
    return climate


def a_state(climate=None):
    """A state on 3 x 4 coarse cells."""
    land_use = np.random.default_rng(0).integers(0, 8, (9, 12)).astype(np.uint8)
    debt = np.zeros((2, 3, 4), np.int64)
    return State(
        2031, land_use, (land_use,), 1, 2001, debt, debt.astype(np.uint8), "hilda8", "g", "m", {},
        climate=climate,
    )  # fmt: skip


@given(n=st.integers(1, 34))
def test_the_window_is_the_mean_of_thirty_years_the_reference_before_the_first(n):
    """By brute force over the years, in the order of time."""
    reference = np.full((12, 3, 4), 250.0)
    climate = years(2001, 2000 + n)
    assert (climate.last, len(climate.years)) == (2000 + n, min(n, 30))
    counted = [year_of(y)[AIR].astype(np.float32).astype(float) for y in range(2001, 2001 + n)]
    counted = ([reference] * 30 + counted)[-30:]
    assert climate.window(AIR, reference) == pytest.approx(np.mean(counted, axis=0), rel=1e-13)


def test_a_host_that_gives_the_reference_gets_it_back_bit_for_bit():
    reference = {
        name: field.astype(np.float32).astype(np.float64) for name, field in year_of(7).items()
    }
    climate = None
    for year in range(2001, 2040):
        climate = heard(climate, year, reference)
        for name, field in reference.items():
            assert np.array_equal(climate.window(name, field), field)


def test_what_the_host_does_not_give_stays_the_reference():
    """A place without a host's point, and a variable that was not put."""
    reference = np.full((12, 3, 4), 250.0)
    means = year_of(1, names=(AIR,))
    means[AIR][:, 1, 2] = np.nan
    climate = heard(None, 2001, means)
    window = climate.window(AIR, reference)
    assert (window[:, 1, 2] == 250.0).all() and (window[:, 0, 0] != 250.0).all()
    assert climate.window(RAIN, reference) is reference


def test_a_variable_may_come_later_and_one_may_stop():
    reference = np.full((12, 3, 4), 250.0)
    first = heard(None, 2001, year_of(1, names=(RAIN,)))
    second = heard(first, 2002, year_of(2, names=(LIGHT, AIR)))
    assert second.variables == (AIR, RAIN, LIGHT)
    given_rain = year_of(1, names=(RAIN,))[RAIN].astype(np.float32).astype(float)
    assert np.array_equal(second.window(RAIN, reference), reference + (given_rain - reference) / 30)
    assert np.isnan(second.years[0][0]).all() and np.isnan(second.years[1][1]).all()


def test_a_climate_goes_through_the_restart_and_back(tmp_path):
    """With places that have none; and going on from it is going on."""
    climate = years(2001, 2030)
    means = year_of(31)
    means[AIR][3, 0, 0] = np.nan
    state = a_state(heard(climate, 2031, means))
    state.save(tmp_path / "restart.nc")
    back = State.load(tmp_path / "restart.nc")
    assert back.checksum == state.checksum
    assert (back.climate.variables, back.climate.last) == (state.climate.variables, 2031)
    for one, other in zip(back.climate.years, state.climate.years, strict=True):
        assert one.tobytes() == other.tobytes()
    after = [replace(s, climate=heard(s.climate, 2032, year_of(32))) for s in (state, back)]
    assert after[0].checksum == after[1].checksum != state.checksum
    with pytest.raises(ValueError, match="read-only"):
        back.climate.years[0][0] = 1.0


def test_a_state_without_a_climate_has_the_bits_and_the_restart_that_it_always_had(tmp_path):
    """Checksum and schema of before there was any; the number comes from that version."""
    state = a_state()
    assert state.checksum == "bd6883089572b93bf7f4e1bc1c29fd47626a31737ec2ca64187fe3800b398321"
    state.save(tmp_path / "restart.nc")
    from landstep.emulator.netcdf import NetcdfFile

    with NetcdfFile(tmp_path / "restart.nc") as file:
        assert file.attrs()["landstep_restart_schema"] == 2
        assert "climate" not in file.names()
    assert State.load(tmp_path / "restart.nc").climate is None


def test_every_number_of_a_climate_is_in_the_checksum():
    state = a_state(years(2001, 2003))
    seen = {state.checksum, a_state().checksum}
    for number in range(3):
        changed = [year.copy() for year in state.climate.years]
        changed[number][1, 11, 2, 3] += 1
        climate = replace(state.climate, years=tuple(changed))
        seen.add(replace(state, climate=climate).checksum)
    seen.add(replace(state, climate=replace(state.climate, last=2004)).checksum)
    assert len(seen) == 6


def test_a_year_that_is_left_out_is_named():
    with pytest.raises(StepError, match="climate of 2032 after that of 2030: expected 2031"):
        heard(years(2030, 2030), 2032, year_of(1))
    with pytest.raises(StepError, match="climate of 2030 after that of 2030: expected 2031"):
        heard(years(2030, 2030), 2030, year_of(1))


def test_means_that_cannot_be_are_refused():
    with pytest.raises(CouplingError, match=r"'tas' is not known"):
        heard(None, 2001, {"tas": np.zeros((12, 3, 4))})
    with pytest.raises(InputError, match=r"climate of 2001: fields of \[\(11, 3, 4\)\], expected"):
        heard(None, 2001, {AIR: np.zeros((11, 3, 4))})
    with pytest.raises(InputError, match=r"fields of \[\(12, 3, 4\), \(12, 4, 3\)\]"):
        heard(years(2000, 2000), 2001, {AIR: np.zeros((12, 4, 3))})


@pytest.mark.parametrize(
    ("variables", "fields", "words"),
    [
        ((), (np.zeros((0, 12, 1, 1), np.float32),), r"climate of \[\], expected some of"),
        ((RAIN, AIR), (np.zeros((2, 12, 1, 1), np.float32),), "expected some of .*, in order"),
        ((AIR,), (), r"climate of \[\], expected 1 to 30 years"),
        ((AIR,), (np.zeros((1, 12, 1, 1)),), r"\('float64', \(1, 12, 1, 1\)\)\], expected 1 to 30"),
        ((AIR,), (np.zeros((2, 12, 1, 1), np.float32),), r"expected 1 to 30 years of float32 \(1,"),
        ((AIR,), (np.zeros((1, 12, 1, 1), np.float32),) * 31, "expected 1 to 30 years"),
    ],
)
def test_a_climate_that_contradicts_itself_is_refused(variables, fields, words):
    with pytest.raises(StateError, match=words):
        Climate(variables, 2001, fields)


def test_a_climate_on_other_coarse_cells_than_the_debt_is_refused():
    with pytest.raises(StateError, match=r"climate on coarse cells \(4, 3\), debt on \(3, 4\)"):
        a_state(years(2001, 2001, shape=(4, 3)))
