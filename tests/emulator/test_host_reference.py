"""A host's own climate: written by the run that observes, read on any grid, counted from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from landstep.emulator.climate import heard
from landstep.emulator.coarse_places import places_of
from landstep.emulator.emulator import Emulator
from landstep.emulator.errors import ConfigError, InputError
from landstep.emulator.host_reference import HostReference, write_host_reference
from landstep.emulator.host_zones import HostZones, host_change, needed
from landstep.emulator.netcdf import NetcdfFile, Variable, write_netcdf

AIR, RAIN = "air_temperature", "precipitation_flux"


@pytest.fixture(scope="module")
def emulator(experiment: Path) -> Emulator:
    return Emulator.open(experiment)


def a_year(emulator: Emulator, seed: int, names: tuple[str, ...] = (AIR, RAIN)) -> Any:
    """Monthly means that no two coarse cells share; nothing is known of the first row."""
    rng, shape = np.random.default_rng(seed), (12, *places_of(emulator.inputs)[0].shape)
    means = {AIR: rng.uniform(260, 300, shape), RAIN: rng.uniform(1e-6, 9e-5, shape)}
    for field in means.values():
        field[:, 0] = np.nan
    return {name: means[name].astype(np.float32) for name in names}


def write(path: Path, sizes: dict[str, int], *variables: tuple[Any, ...]) -> Path:
    write_netcdf(path, sizes, [Variable(*of) for of in variables], {})
    return path


def test_what_is_written_is_read_as_the_mean_of_its_years(
    emulator: Emulator, tmp_path: Path
) -> None:
    path, years = tmp_path / "own.nc", [a_year(emulator, seed) for seed in range(3)]
    climate = None
    for number, of_year in enumerate(years):
        climate = heard(climate, 2001 + number, of_year)
    assert climate is not None
    write_host_reference(path, climate, emulator.inputs, emulator.assembly)
    found = HostReference.read(path, emulator.inputs)
    for name in (AIR, RAIN):
        expected = np.mean([of_year[name].astype(np.float64) for of_year in years], axis=0)
        known = np.isfinite(expected)
        assert known[:, 1:].all()
        np.testing.assert_allclose(found.means[name][known], expected[known], rtol=1e-15)
    with NetcdfFile(path) as file:
        assert (
            file.dims(AIR) == ("month", "lat", "lon") and file.attrs(RAIN)["units"] == "kg m-2 s-1"
        )
        assert file.attrs()["years"] == 3 and "2001 to 2003" in file.attrs()["source"]


def test_a_climate_that_is_the_same_every_year_is_written_exactly(
    emulator: Emulator, tmp_path: Path
) -> None:
    climate, of_year = None, a_year(emulator, 7)
    for year in range(2001, 2008):
        climate = heard(climate, year, of_year)
    assert climate is not None
    write_host_reference(tmp_path / "own.nc", climate, emulator.inputs, emulator.assembly)
    found = HostReference.read(tmp_path / "own.nc", emulator.inputs)
    for name, field in of_year.items():
        assert np.array_equal(found.means[name][:, 1:], field[:, 1:].astype(np.float64))
        assert not climate.change(name, found.means[name]).any()


def test_a_month_that_no_year_has_is_of_no_climate(emulator: Emulator, tmp_path: Path) -> None:
    """And one that some years lack is the mean of the others."""
    first, second = a_year(emulator, 1), a_year(emulator, 2)
    second[AIR][4] = np.nan
    climate = heard(heard(None, 2001, first), 2002, second)
    write_host_reference(tmp_path / "own.nc", climate, emulator.inputs, emulator.assembly)
    found = HostReference.read(tmp_path / "own.nc", emulator.inputs).means[AIR]
    assert np.array_equal(found[4, 1:], first[AIR][4, 1:].astype(np.float64))


def test_a_file_on_a_gaussian_grid_south_first_and_in_other_units_is_read(
    emulator: Emulator, tmp_path: Path
) -> None:
    """Uneven latitudes, longitudes to 360, degC: each coarse cell takes the nearest cell."""
    lat, lon = (place.ravel() for place in places_of(emulator.inputs))
    rows = np.sort(np.unique(lat)) + np.linspace(0, 0.01, np.unique(lat).size)
    columns = np.unique(lon) + 360
    air = np.arange(12.0)[:, None, None] + rows[:, None] / 10 + 0 * columns
    path = write(
        tmp_path / "gauss.nc",
        {"month": 12, "y": rows.size, "x": columns.size},
        ("lat", ("y",), rows, {"units": "degrees_north"}),
        ("lon", ("x",), columns, {"units": "degrees_east"}),
        ("t2m", ("month", "y", "x"), air, {"units": "degC", "standard_name": AIR}),
    )
    found = HostReference.read(path, emulator.inputs)
    assert set(found.means) == {AIR}
    assert np.allclose(
        found.means[AIR][3], 273.15 + 3 + places_of(emulator.inputs)[0] / 10, atol=0.01
    )


def places_variables(lat: Any, lon: Any) -> list[tuple[Any, ...]]:
    return [
        ("lat", ("lat",), np.asarray(lat, float), {"units": "degrees_north"}),
        ("lon", ("lon",), np.asarray(lon, float), {"units": "degrees_east"}),
    ]


GRID = {"month": 12, "lat": 2, "lon": 3}
OF_GRID = ("month", "lat", "lon")
WARM = np.full((12, 2, 3), 290.0)


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ([("tas", OF_GRID, WARM, {"units": "K"})], "none of air_temperature, precipitation_flux"),
        ([(AIR, ("lat", "lon"), WARM[0], {"units": "K"})], "expected 12 months first"),
        ([(AIR, OF_GRID, WARM, {})], "air_temperature: names no units"),
        ([(AIR, OF_GRID, WARM * np.nan, {"units": "K"})], "no cell has a value in each of the 12"),
        ([(AIR, OF_GRID, WARM, {"units": "furlong"})], "in 'furlong', expected one of"),
        ([(AIR, OF_GRID, WARM - 200, {"units": "K"})], "range 90..90 K"),
        (
            [(RAIN, OF_GRID, WARM / 1e4, {"units": "mm s-1"})],
            "January in own.nc, precip.*looks",
        ),
    ],
)
def test_a_file_that_cannot_be_is_refused_with_its_name(
    emulator: Emulator, tmp_path: Path, variables: list[Any], words: str
) -> None:
    path = write(tmp_path / "own.nc", GRID, *places_variables([49, 50], [1, 2, 3]), *variables)
    with pytest.raises(InputError, match=words) as error:
        HostReference.read(path, emulator.inputs)
    assert "own.nc" in str(error.value)


def test_a_file_that_does_not_say_where_its_cells_lie_is_refused(
    emulator: Emulator, tmp_path: Path
) -> None:
    of = (AIR, ("month", "y", "x"), WARM, {"units": "K"})
    path = write(tmp_path / "own.nc", {"month": 12, "y": 2, "x": 3}, of)
    with pytest.raises(InputError, match="own.nc, air_temperature: the latitude and longitude"):
        HostReference.read(path, emulator.inputs)
    holes = places_variables([49, np.nan], [1, 2, 3])
    path = write(tmp_path / "own.nc", GRID, *holes, (AIR, OF_GRID, WARM, {"units": "K"}))
    with pytest.raises(InputError, match="own.nc, .*lat"):
        HostReference.read(path, emulator.inputs)


def test_a_change_of_rain_counts_in_proportion_where_the_host_is_wetter() -> None:
    """By hand, after thirty years: (host's own, its rain now, reference) -> window."""
    cases = [
        (5.0, 6.0, 1.0, 1.2),  # a fifth more
        (5.0, 0.0, 1.0, 0.0),
        (5.0, 2.5, 1.0, 0.5),
        (1.0, 2.0, 3.0, 4.0),  # the host is drier: as it is
        (1.0, 0.0, 3.0, 2.0),
        (0.0, 1.0, 0.0, 1.0),
        (2.0, 3.0, 0.0, 0.0),  # no rain in the reference, none after
        (4.0, 4.0, 1.0, 1.0),
    ]
    own, now, reference, expected = (
        np.broadcast_to(column, (12, 1, len(cases))) for column in np.array(cases).T
    )
    climate = None
    for year in range(30):
        climate = heard(climate, year, {RAIN: now * 2.0**-16})
    assert climate is not None
    found = host_change(RAIN, reference * 2.0**-16, own * 2.0**-16, climate)
    np.testing.assert_allclose(found, expected * 2.0**-16, rtol=1e-12, atol=1e-15)
    assert (found >= 0).all()


def test_a_change_of_temperature_is_added_whatever_the_bias() -> None:
    own, reference = np.full((12, 1, 1), 293.0), np.full((12, 1, 1), 290.0)
    climate = None
    for year in range(30):
        climate = heard(climate, year, {AIR: own + 4})
    assert climate is not None
    assert host_change(AIR, reference, own, climate)[0, 0, 0] == pytest.approx(294.0)


def test_a_variable_that_the_file_lacks_may_not_be_put(emulator: Emulator) -> None:
    zones = emulator.climate
    assert zones is not None
    own = HostReference("own.nc", "", {AIR: zones.reference[AIR]})
    with_own = HostZones(
        zones.legend, zones.reference, zones.coarse, zones.col, zones.elevation, zones.height, own
    )
    assert needed(with_own, AIR) is with_own
    with pytest.raises(ConfigError, match="precipitation_flux: .*own.nc has air_temperature alone"):
        needed(with_own, RAIN)


def test_an_own_climate_without_a_reference_is_refused(experiment: Path) -> None:
    text = experiment.read_text("utf-8")
    assert 'reference = "climate.nc"' in text
    path = experiment.with_name("own_alone.toml")
    path.write_text(text.replace("reference =", "host_reference ="), "utf-8")
    with pytest.raises(ConfigError, match=r"\[climate\] host_reference without a reference"):
        Emulator.open(path)
