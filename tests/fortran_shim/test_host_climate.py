"""The other way: the example host tells its climate, and the land answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from landstep.coupling.coupler import Coupler
from landstep.coupling.points import Points
from landstep.emulator.classes import scheme
from landstep.emulator.emulator import Emulator
from landstep.emulator.state import State
from landstep.fortran_shim.example_run import HostRun, run_example_host

FIRST, LAST = 2015, 2018
Told = Callable[..., HostRun]


@pytest.fixture
def told(
    programs: dict[str, Path],
    points: Points,
    with_coupling: Callable[..., Path],
    tmp_path: Path,
) -> Told:
    """Give the function that runs the host over 2015-2018; it tells its climate."""
    experiment = with_coupling("climate")

    def run(name: str, last: int = LAST, flags: str = "plain", **settings: Any) -> HostRun:
        folder = tmp_path / name
        folder.mkdir()
        return run_example_host(
            programs[flags], folder, experiment, scheme("hilda8"), points, FIRST, last,
            settings={"climate": True} | settings,
        )  # fmt: skip

    return run


def test_a_host_that_tells_nothing_leaves_the_land_as_it_is_offline(
    told: Told, with_coupling: Callable[..., Path]
) -> None:
    """The land itself; what the coupler keeps for its points stands beside it in the restart."""
    emulator = Emulator.open(with_coupling("climate"))
    offline = emulator.start(FIRST)
    for year in range(FIRST + 1, LAST + 1):
        offline = emulator.step(year, offline)
    silent = State.load(told("silent", climate=False).restart)
    assert silent.climate is None
    assert replace(silent, kept=offline.kept).checksum == offline.checksum
    state = State.load(told("told").restart)
    assert state.climate is not None
    assert not np.array_equal(state.land_use, offline.land_use)


def test_a_day_and_a_month_tell_the_same_climate(told: Told) -> None:
    """The host's daily weather, and its means of months: to the rounding of single precision."""
    daily, monthly = (State.load(told(e, exchange=e).restart).climate for e in ("day", "month"))
    assert daily.variables == monthly.variables == ("air_temperature", "precipitation_flux")
    assert daily.last == monthly.last == LAST - 1
    for one, other in zip(daily.years, monthly.years, strict=True):
        assert np.allclose(one, other, rtol=2e-6, atol=0, equal_nan=True)


def test_landstep_hears_the_hosts_own_weather(told: Told, points: Points) -> None:
    """Monthly means at the places of the points, by the host's formula written anew."""
    climate = State.load(told("told", warming=4.0).restart).climate
    sin = np.sin(np.deg2rad(points.lat))
    day = np.arange(1, 32)
    swing = np.cos(2 * np.pi * (day - 20) / 365).mean()
    january = 300 - 40 * sin**2 - 20 * sin * swing + 4.0
    air, rain = climate.years[-1][:, 0]
    known = np.isfinite(air)
    assert known.any() and np.isfinite(rain[known]).all()
    nearest = np.abs(air[known][:, None] - january).min(axis=1)
    assert nearest.max() < 1e-3
    fall = (4 - 2 * sin**2) * (1 - 0.5 * sin * swing) / 86400
    assert np.abs(rain[known][:, None] / fall - 1).min(axis=1).max() < 1e-5


def test_a_warmer_host_is_heard_in_either_real_kind(told: Told) -> None:
    """Four kelvin more in every month of every cell; in single and in double precision alike."""
    cold = State.load(told("cold").restart).climate
    for flags in ("plain", "trapping"):
        warm = State.load(told(f"warm_{flags}", flags=flags, warming=4.0).restart).climate
        for one, other in zip(cold.years, warm.years, strict=True):
            assert np.allclose((other - one)[0], 4.0, atol=1e-3, equal_nan=True)
            assert np.allclose(other[1], one[1], rtol=1e-5, atol=0, equal_nan=True)


def test_a_warmer_host_moves_zones_and_maps_to_the_warm_side(
    told: Told, with_coupling: Callable[..., Path]
) -> None:
    """Twelve years of four kelvin more: zones at least as warm as a given one gain cells, or keep.

    Codes of the made-up zones: 1 polar, 2 boreal, 3 temperate, then 4 dry and 5 warm, alike.
    """
    last = FIRST + 12
    cold, warm = (
        State.load(told(name, last=last, exchange="month", warming=by).restart)
        for name, by in (("cold", 0.0), ("warm", 4.0))
    )
    emulator = Emulator.open(with_coupling("climate"))
    warmth = np.array([0, 1, 2, 3, 4, 4])
    found = [warmth[emulator.climate_zones(last, state)] for state in (cold, warm)]
    assert np.array_equal(found[0] > 0, found[1] > 0)
    at_least = [[int((zones >= of).sum()) for of in (2, 3, 4)] for zones in found]
    assert all(after >= before for before, after in zip(*at_least, strict=True)), at_least
    assert at_least[1] != at_least[0]
    moved = warm.land_use != cold.land_use
    assert moved.any() and not moved[found[0] == 0].any()


def test_what_the_host_told_gives_the_same_bits_when_it_is_told_again(
    told: Told, points: Points, with_coupling: Callable[..., Path], tmp_path: Path
) -> None:
    """The same daily weather from Python: the state that the Fortran host left."""
    state = State.load(told("told", last=2016).restart)
    coupler = Coupler.open(
        with_coupling("climate"),
        points.lon,
        points.lat,
        lon_bounds=points.lon_bounds,
        lat_bounds=points.lat_bounds,
        year=FIRST,
    )
    days = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    for year in (FIRST, 2016):
        day_of_year = 0
        for month, length in enumerate(days, 1):
            for day in range(1, length + 1):
                day_of_year += 1
                coupler.update(year, month, day)
                for name, values in weather(points.lat, day_of_year).items():
                    coupler.put(name, values)
    coupler.write_restart(tmp_path / "python.nc")
    again = State.load(tmp_path / "python.nc")
    assert again.year == state.year == 2016
    for one, other in zip(again.climate.years, state.climate.years, strict=True):
        assert np.allclose(one, other, rtol=1e-6, atol=0, equal_nan=True)
    assert np.array_equal(again.land_use, state.land_use)


def weather(lat: np.ndarray, day_of_year: int) -> dict[str, np.ndarray]:
    """The host's formulas, in double precision."""
    sin = np.sin(np.deg2rad(lat))
    swing = np.cos(2 * np.pi * (day_of_year - 20) / 365)
    return {
        "air_temperature": 300 - 40 * sin**2 - 20 * sin * swing,
        "precipitation_flux": (4 - 2 * sin**2) * (1 - 0.5 * sin * swing) / 86400,
    }
