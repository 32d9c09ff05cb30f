"""Invariant 22: what is scaled, packed, coded or turned round comes back as it was."""

from __future__ import annotations

from typing import Any

import cftime
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from landstep.coupling.host_files.axes import Axes
from landstep.coupling.host_files.layout import VariableTable
from landstep.coupling.host_files.stored import Stored
from landstep.coupling.remapping.angles import STEP_DEG, whole, wrapped
from landstep.emulator.calendar import CALENDARS, decode_years
from landstep.emulator.classes import MASKED, scheme, scheme_names
from landstep.emulator.grid import AREA_UNIT_M2, unit_vectors
from landstep.emulator.host_values import VARIABLES, checked
from landstep.emulator.orientation import eastward
from landstep.emulator.output import time_axis

UNITS = [
    (name, spelling)
    for name, of in VARIABLES.items()
    for spelling, unit in of.units.items()
    if unit.accepted
]


@pytest.mark.parametrize(("name", "units"), UNITS)
@given(share=st.floats(1e-6, 1 - 1e-6))
def test_a_hosts_value_comes_back_from_any_unit(name: str, units: str, share: float) -> None:
    """SI, in the host's unit by hand, and read again: to rounding of the sum with the offset."""
    of = VARIABLES[name]
    unit, value = of.units[units], of.low + share * (of.high - of.low)
    back = checked(name, np.array([(value - unit.offset) / unit.scale]), units)
    assert abs(back[0] - value) <= 4 * np.spacing(max(abs(value), abs(unit.offset)))


@given(
    area=arrays.arrays(np.int64, st.integers(1, 9), elements=st.integers(0, 2 * 10**15)),
)
def test_an_area_in_square_metres_is_the_same_whole_number_again(area: np.ndarray) -> None:
    """Up to 2e15 units, 2e12 m2: a cell of 12 degrees at the equator."""
    assert np.array_equal(np.rint(area * AREA_UNIT_M2 / AREA_UNIT_M2).astype(np.int64), area)


@pytest.mark.parametrize("name", scheme_names())
@given(data=st.data())
def test_a_class_has_its_code_back(name: str, data: st.DataObject) -> None:
    of = scheme(name)
    numbers = data.draw(
        arrays.arrays(np.uint8, (3, 4), elements=st.sampled_from([*range(of.n_classes), MASKED]))
    )
    codes = of.codes_from_numbers(numbers)
    back = np.full(256, MASKED, np.uint8)
    back[list(of.codes)] = np.arange(of.n_classes)
    assert np.array_equal(back[codes], numbers)


@given(
    years=st.lists(st.integers(1, 9000), min_size=1, max_size=6, unique=True).map(sorted),
)
def test_the_years_of_a_written_time_axis_are_read_again(years: list[int]) -> None:
    written = time_axis(years)
    assert decode_years(written.data, written.attrs, "f.nc, time").tolist() == years


@given(
    calendar=st.sampled_from(sorted(CALENDARS)),
    unit=st.sampled_from(["days", "hours", "seconds"]),
    first=st.integers(850, 2300),
    month=st.integers(1, 12),
    day=st.integers(1, 28),
)
def test_a_date_is_decoded_to_the_year_from_which_it_was_made(
    calendar: str, unit: str, first: int, month: int, day: int
) -> None:
    """Invariant 11, with the numbers that cftime makes."""
    years = [first, first + 1, first + 17]
    units = f"{unit} since 850-01-01"
    known = CALENDARS[calendar]
    dates = [cftime.datetime(year, month, day, calendar=known) for year in years]
    times = np.asarray(cftime.date2num(dates, units, known), np.float64)
    found = decode_years(times, {"units": units, "calendar": calendar}, "f.nc, time")
    assert found.tolist() == years


@given(
    kind=st.sampled_from(["i2", "i4", "u1", "f4", "f8"]),
    scale=st.sampled_from([1.0, 0.01, 0.5, 1e-4]),
    offset=st.sampled_from([0.0, 1.0, -3.0]),
    numbers=arrays.arrays(np.int16, 6, elements=st.integers(1, 250)),
)
def test_packed_numbers_are_the_same_after_unpacking(
    kind: str, scale: float, offset: float, numbers: np.ndarray
) -> None:
    """From stored numbers to values and back: every bit."""
    attrs: dict[str, Any] = {"scale_factor": scale, "add_offset": offset}
    stored = Stored(numbers.astype(kind), attrs, "f.nc, v")
    empty = Stored(np.zeros(6, kind) + np.array(7, kind), attrs, "f.nc, v")
    again = empty.replaced(stored.values)
    if np.dtype(kind).kind == "f":
        np.testing.assert_allclose(again, stored.numbers, rtol=1e-5)
    else:
        assert np.array_equal(again, stored.numbers)


@given(order=st.permutations(["time", "month", "lat", "lon"]))
def test_axes_that_were_sorted_are_the_files_again(order: list[str]) -> None:
    if order.index("lat") > order.index("lon"):
        order[order.index("lat")], order[order.index("lon")] = "lon", "lat"
    order = [{"lat": "lat", "lon": "lon"}.get(dim, dim) for dim in order]
    if order.index("lat") > order.index("lon"):
        return
    sizes = {"time": 2, "month": 12, "lat": 3, "lon": 5}
    table = VariableTable(name="v", field="v", months="month")
    axes = Axes.of(table, tuple(order), sizes, ("lat", "lon"), "time", "f.nc, v")
    array = np.arange(2 * 12 * 3 * 5).reshape([sizes[dim] for dim in order])
    assert axes.sorted(array).shape == axes.counts
    assert np.array_equal(axes.unsorted(axes.sorted(array)), array)


@given(n=st.integers(4, 90), roll=st.integers(0, 89), turn=st.sampled_from([0, 360]))
def test_longitudes_that_were_rolled_eastward_roll_back(n: int, roll: int, turn: int) -> None:
    lon = -180 + (np.arange(n) + 0.5) * 360 / n
    given_lon = np.roll(np.where(lon < 0, lon + turn, lon), roll % n)
    found, back = eastward(given_lon, "f.nc")
    np.testing.assert_allclose(found, lon, atol=1e-9)
    np.testing.assert_allclose(np.cos(np.deg2rad(np.roll(found, -back) - given_lon)), 1, atol=1e-9)


@given(lat=st.floats(-89.999, 89.999), lon=st.floats(-180, 180))
def test_a_place_is_found_again_from_its_unit_vector(lat: float, lon: float) -> None:
    x, y, z = unit_vectors(np.array(lat), np.array(lon))
    assert np.hypot(x, y) ** 2 + z**2 == pytest.approx(1, abs=1e-12)
    assert np.rad2deg(np.arctan2(z, np.hypot(x, y))) == pytest.approx(lat, abs=1e-9)
    assert np.cos(np.deg2rad(np.rad2deg(np.arctan2(y, x)) - lon)) == pytest.approx(1, abs=1e-9)


@given(steps=arrays.arrays(np.int64, 5, elements=st.integers(-180 * 10**9, 180 * 10**9 - 1)))
def test_angles_in_whole_steps_are_the_same_steps_again(steps: np.ndarray) -> None:
    assert np.array_equal(whole(steps * STEP_DEG), steps)
    assert np.array_equal(wrapped(steps + 360 * 10**9), steps)


@pytest.fixture(scope="module")
def network() -> Any:
    """A network of one continuous static."""
    pytest.importorskip("torch")
    from landstep.training.network import LandUseNetwork, NetworkShape

    return LandUseNetwork(NetworkShape(scheme("sweden5"), ("crop",), 1, (3,), 1, 2, 1))


@given(
    values=arrays.arrays(np.float32, 7, elements=st.floats(-500, 9000, width=32)),
    mean=st.floats(-500, 5000),
    deviation=st.floats(1, 3000),
)
def test_scaled_statics_come_back(
    network: Any, values: np.ndarray, mean: float, deviation: float
) -> None:
    """As the network scales them: to float32's rounding of the largest number on the way."""
    import torch

    network.set_scaling(np.array([mean]), np.array([deviation]))
    scaled = (torch.from_numpy(values) - network.mean.ravel()) * network.scale.ravel()
    back = scaled / network.scale.ravel() + network.mean.ravel()
    largest = np.float32(max(abs(mean), 9000))
    np.testing.assert_allclose(back.numpy(), values, atol=8 * np.spacing(largest), rtol=0)
