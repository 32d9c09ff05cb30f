"""A month that the host did not put: what stands in, where it is said, going on."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from landstep.coupling.coupler import Coupler
from landstep.emulator.emulator import Emulator
from landstep.emulator.errors import StepError
from landstep.emulator.netcdf import NetcdfFile

FIRST, MAY = 2015, 5
AIR, RAIN = "air_temperature", "precipitation_flux"
ON_CELLS: dict[str, Any] = {"host": "classes", "geometry": "left"}
Coupled = Callable[..., Path]
Cells = dict[str, np.ndarray]


def begun(experiment: Path, on_cells: Cells) -> Coupler:
    coupler = Coupler.open(experiment, **on_cells, year=FIRST)
    assert isinstance(coupler, Coupler)
    return coupler


def newest(coupler: Coupler) -> np.ndarray:
    """The last year that was heard: (V, 12, cy, cx)."""
    assert coupler.state.climate is not None
    return coupler.state.climate.years[-1]


def test_the_reference_stands_in_as_if_it_had_been_put(
    coupled: Coupled, on_cells: Cells, weather: Any, emulator: Emulator
) -> None:
    """Against a host that puts the reference climate in May and is 4 K warmer in other months."""
    by_reference = coupled("by_reference", **ON_CELLS, missing_months="reference")
    lacking = weather(4.0).run(begun(by_reference, on_cells), FIRST, FIRST, without=MAY)
    host = weather(4.0)
    host.air[MAY - 1] -= 4.0
    whole = host.run(begun(coupled("whole", **ON_CELLS), on_cells), FIRST, FIRST)
    assert np.isnan(newest(lacking)[:, MAY - 1]).all()
    assert emulator.climate is not None
    for name, reference in emulator.climate.reference.items():
        windows = [c.state.climate.window(name, reference) for c in (lacking, whole)]
        assert np.array_equal(*windows, equal_nan=True)
        assert not np.array_equal(windows[0], reference, equal_nan=True) or name == RAIN
    assert np.array_equal(lacking.state.land_use, whole.state.land_use)


def test_the_month_of_the_year_before_stands_in(
    coupled: Coupled, on_cells: Cells, weather: Any
) -> None:
    experiment = coupled("by_last_year", **ON_CELLS, missing_months="last_year")
    coupler = weather(4.0).run(begun(experiment, on_cells), FIRST, FIRST)
    first = newest(coupler)
    weather(7.0).run(coupler, FIRST + 1, FIRST + 1, without=MAY)
    second, there = newest(coupler), np.isfinite(first)
    assert np.array_equal(second[:, MAY - 1], first[:, MAY - 1], equal_nan=True)
    others = np.arange(12) != MAY - 1
    assert (second[0][others][there[0][others]] > first[0][others][there[0][others]]).all()


def test_no_year_before_is_told_and_the_land_stays(
    coupled: Coupled, on_cells: Cells, weather: Any
) -> None:
    coupler = begun(coupled("no_year", **ON_CELLS, missing_months="last_year"), on_cells)
    with pytest.raises(StepError, match=f"{AIR} of {FIRST}: 1 months.* none of {FIRST - 1}"):
        weather().run(coupler, FIRST, FIRST, without=MAY)
    assert coupler.year == FIRST and coupler.state.climate is None


def test_it_is_counted_and_said_in_log_notes_restart_and_what_is_observed(
    coupled: Coupled,
    on_cells: Cells,
    weather: Any,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    seen = tmp_path / "seen"
    told = {
        "host": "classes",
        "geometry": "left",
        "missing_months": "reference",
        "observe": str(seen),
    }
    experiment = coupled("said", **told)
    coupler = begun(experiment, on_cells)
    assert coupler.describe("climate", "notes") == ""
    with caplog.at_level(logging.WARNING):
        weather().run(coupler, FIRST, FIRST, without=MAY)
    note = coupler.describe("climate", "notes")
    assert f"2 monthly means of {FIRST}" in note and f"{RAIN} of {FIRST}-05" in note
    assert note in caplog.text
    with NetcdfFile(seen / f"landstep_fields_{FIRST + 1}.nc") as file:
        assert note in file.attrs()["comment"]
    coupler.write_restart(tmp_path / "r.nc")
    with NetcdfFile(tmp_path / "r.nc") as file:
        said = file.attrs("climate")["months_not_given"]
    assert said == f"{FIRST}-05 {AIR} reference; {FIRST}-05 {RAIN} reference"
    again = Coupler.open(experiment, **on_cells, restart=tmp_path / "r.nc")
    assert again.describe("climate", "notes") == note
    weather().run(again, FIRST + 1, FIRST + 1)
    assert again.state.climate is not None and len(again.state.climate.stand_ins) == 2


def test_years_that_a_host_passes_over_are_filled_too(
    coupled: Coupled, on_cells: Cells, weather: Any
) -> None:
    told = {**ON_CELLS, "missing_months": "last_year", "skip": True}
    coupler = begun(coupled("passed", **told), on_cells)
    weather(4.0).run(coupler, FIRST, FIRST)
    host = weather(5.0)
    for month in range(1, 13):
        coupler.update(FIRST + 1, month, 1)
        host.put(coupler, month)
    coupler.update(FIRST + 3, 1, 1)
    climate = coupler.state.climate
    assert climate is not None and (climate.last, len(climate.stand_ins)) == (FIRST + 2, 24)
    assert np.array_equal(climate.years[-1], climate.years[-2], equal_nan=True)
