"""A biased host: its changes count from its own climate, which a run that observes writes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from landstep.coupling.coupler import Coupler
from landstep.emulator.emulator import Emulator
from landstep.emulator.errors import ConfigError, StateError
from landstep.emulator.netcdf import NetcdfFile, Variable, write_netcdf

FIRST, BIAS, WARMING = 2015, 3.0, 4.0
YEARS = 10
ON_CELLS: dict[str, Any] = {"host": "classes", "geometry": "left"}
Coupled = Callable[..., Path]
Cells = dict[str, np.ndarray]


def with_own(experiment: Path, own: Path, name: str) -> Path:
    """The same experiment with [climate] host_reference."""
    text = experiment.read_text("utf-8")
    path = experiment.with_name(f"{name}.toml")
    line = f'host_reference = "{own}"\nreference = "climate.nc"'
    path.write_text(text.replace('reference = "climate.nc"', line), "utf-8")
    return path


@pytest.fixture(scope="module")
def control(
    coupled: Coupled, on_cells: Cells, weather: Any, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """What a control run of a host 3 K too warm wrote of its climate, over two years."""
    folder = tmp_path_factory.mktemp("control")
    experiment = coupled("control", **ON_CELLS, observe=str(folder))
    coupler = Coupler.open(experiment, **on_cells, year=FIRST)
    weather(BIAS).run(coupler, FIRST, FIRST + 1)
    return folder / "landstep_host_climate.nc"


@pytest.fixture(scope="module")
def counted(coupled: Coupled, control: Path) -> Path:
    return with_own(coupled("raw", **ON_CELLS), control, "counted")


def zones_after(
    experiment: Path, on_cells: Cells, host: Any, years: int = YEARS
) -> tuple[Coupler, np.ndarray]:
    coupler = Coupler.open(experiment, **on_cells, year=FIRST)
    host.run(coupler, FIRST, FIRST + years - 1)
    emulator = coupler._emulator
    assert emulator is not None
    return coupler, emulator.climate_zones(FIRST + years, coupler.state)


def test_the_control_run_writes_the_hosts_own_climate(control: Path, weather: Any) -> None:
    with NetcdfFile(control) as file:
        assert file.attrs()["years"] == 2
        air = file.read("air_temperature")
    own = weather(BIAS).air.astype(np.float32)
    assert np.isin(own[0], air[0]).all()


def test_a_host_three_kelvin_too_warm_moves_no_zone_in_its_own_climate(
    coupled: Coupled, counted: Path, on_cells: Cells, weather: Any, emulator: Emulator
) -> None:
    """Its bias counts as a change without the file; with it the maps are those of no climate."""
    (observed,) = emulator.inputs.categories(["climate_zone"], FIRST + YEARS)
    _, biased = zones_after(coupled("raw", **ON_CELLS), on_cells, weather(BIAS))
    assert (biased != observed).mean() > 0.01
    coupler, zones = zones_after(counted, on_cells, weather(BIAS))
    assert np.array_equal(zones, observed)
    offline = emulator.start(FIRST)
    for year in range(FIRST + 1, FIRST + YEARS + 1):
        offline = emulator.step(year, offline)
    assert np.array_equal(coupler.state.land_use, offline.land_use)


def test_its_warming_moves_the_zones_that_an_unbiased_hosts_moves(
    coupled: Coupled, counted: Path, on_cells: Cells, weather: Any, emulator: Emulator
) -> None:
    """To within rounding: 3 K and 4 K in single precision are not 7."""
    (observed,) = emulator.inputs.categories(["climate_zone"], FIRST + YEARS)
    _, unbiased = zones_after(coupled("raw", **ON_CELLS), on_cells, weather(WARMING))
    _, zones = zones_after(counted, on_cells, weather(BIAS + WARMING))
    moved = (unbiased != observed).mean()
    assert moved > 0.01 and (zones != unbiased).mean() < 0.02 * moved


def test_a_restart_counts_from_the_same_climate(
    coupled: Coupled, counted: Path, control: Path, on_cells: Cells, weather: Any, tmp_path: Path
) -> None:
    coupler, _ = zones_after(counted, on_cells, weather(BIAS), 1)
    coupler.write_restart(tmp_path / "r.nc")
    other = with_own(coupled("raw", **ON_CELLS), tmp_path / "other.nc", "other_own")
    (tmp_path / "other.nc").write_bytes(control.read_bytes())
    Coupler.open(other, **on_cells, restart=tmp_path / "r.nc")
    raw = coupled("raw", **ON_CELLS)
    with pytest.raises(StateError, match="r.nc: written with .*host_reference sha256 .*has None"):
        Coupler.open(raw, **on_cells, restart=tmp_path / "r.nc")
    Coupler.open(raw, **on_cells, restart=tmp_path / "r.nc", start="branch")
    plain, _ = zones_after(raw, on_cells, weather(BIAS), 1)
    plain.write_restart(tmp_path / "raw.nc")
    with pytest.raises(StateError, match="host_reference sha256 None, this run has"):
        Coupler.open(counted, **on_cells, restart=tmp_path / "raw.nc")


def far_climate(path: Path, lat: float) -> Path:
    places = [
        Variable("lat", ("lat",), np.array([lat, lat + 0.1]), {"units": "degrees_north"}),
        Variable("lon", ("lon",), np.array([-29.3, -29.2]), {"units": "degrees_east"}),
    ]
    air = np.full((12, 2, 2), 285.0)
    of = Variable("air_temperature", ("month", "lat", "lon"), air, {"units": "K"})
    write_netcdf(path, {"month": 12, "lat": 2, "lon": 2}, [*places, of], {})
    return path


def test_places_that_its_own_climate_does_not_reach_are_counted(
    coupled: Coupled, on_cells: Cells, emulator: Emulator, tmp_path: Path
) -> None:
    north = float(emulator.grid.lat_deg.max())
    raw = coupled("raw", **ON_CELLS)
    near = with_own(raw, far_climate(tmp_path / "near.nc", north - 0.2), "near_own")
    note = Coupler.open(near, **on_cells, year=FIRST).describe("climate", "notes")
    assert "of 24 coarse cells with land have no climate in near.nc" in note, note
    far = with_own(raw, far_climate(tmp_path / "far.nc", -40.0), "far_own")
    with pytest.raises(ConfigError, match="host_reference: (.*) of .* have no climate in far.nc"):
        Coupler.open(far, **on_cells, year=FIRST)
