"""Inputs held against each other: what each file alone cannot know."""

from dataclasses import replace

import numpy as np
import pytest
import xarray

from landstep.coupling.regress import reference_points
from landstep.emulator import inputs as inputs_module
from landstep.emulator.emulator import Emulator
from landstep.emulator.errors import ConfigError, InputError
from landstep.emulator.experiment import load_experiment
from landstep.emulator.inputs import open_inputs


@pytest.fixture(scope="module")
def opened(experiment):
    """Open the made-up world."""
    return open_inputs(load_experiment(experiment))


def open_changed(monkeypatch, experiment, reader, **changes):
    """Open the made-up world as if one file said something else."""
    kind = getattr(inputs_module, reader)
    read = kind.open
    monkeypatch.setattr(kind, "open", lambda *a, **k: replace(read(*a, **k), **changes))
    return open_inputs(load_experiment(experiment))


def test_zones_and_forcing_must_follow_one_scenario(monkeypatch, experiment):
    """Climate zones of another scenario than the forcing's are refused; of none, taken."""
    open_changed(monkeypatch, experiment, "Statics", scenario=None)
    with pytest.raises(InputError, match="climate zones of scenario 'ssp999', forcing of 'made-up"):
        open_changed(monkeypatch, experiment, "Statics", scenario="ssp999")


def test_maps_and_forcing_must_hold_on_one_day(monkeypatch, experiment):
    """A map of July does not belong to a forcing of January."""
    with pytest.raises(InputError, match="maps are valid on 07-01 of their year, forcing on 01-01"):
        open_changed(monkeypatch, experiment, "LandUse", phase="07-01")


def test_a_static_that_is_not_there_is_named(opened):
    """With those that are; of no names there is nothing, of the right shape."""
    with pytest.raises(ConfigError, match=r"static 'slope' is not one of \['elevation'\]"):
        opened.continuous(["slope"])
    with pytest.raises(ConfigError, match="static 'rock' is not one of"):
        opened.categories(["rock"], 2015)
    assert opened.continuous([]) == opened.categories([], 2015) == ()


def test_fields_come_in_the_order_that_is_asked_for(opened):
    """And hold no missing value: 0 at sea."""
    one = opened.categories(["soil_texture", "climate_zone"], 2015)
    other = opened.categories(["climate_zone", "soil_texture"], 2015)
    assert np.array_equal(one, other[::-1]) and not np.array_equal(one[0], one[1])
    elevation = opened.continuous(["elevation"])[0]
    assert np.isfinite(elevation).all() and (elevation[opened.sea] == 0).all()
    assert (opened.cold_map() == np.where(opened.sea, 0, 255)).all()


def test_history_holds_the_maps_that_there_are_in_stepping_order(opened):
    """Unknown, and not the nearest map, where there is none."""
    first, last = opened.land_use.years[0], opened.land_use.years[-1]
    of, unknown = opened.land_use.map, np.full(opened.grid.shape, 255)
    assert np.array_equal(opened.history(2015, 1, 2), [of(2014), of(2013)])
    assert np.array_equal(opened.history(2015, -1, 2), [of(2016), of(2017)])
    assert np.array_equal(opened.history(first + 1, 1, 2), [of(first), unknown])
    assert np.array_equal(opened.history(last, -1, 1), [unknown])
    assert {m.dtype for m in opened.history(last + 2, 1, 3)} == {np.dtype(np.uint8)}
    assert np.array_equal(opened.history(last + 2, 1, 3), [unknown, of(last), of(last - 1)])


def test_the_change_of_the_forcing_is_that_of_its_years(opened):
    """Later less earlier, 0 where either is missing; nothing changes within a year."""
    now, change = opened.forcing_pair(2020, 2019)
    years = [np.nan_to_num(opened.forcing.year(y)) for y in (2019, 2020)]
    assert np.array_equal(now, years[1])
    assert np.allclose(change, years[1] - years[0], atol=1e-7) and np.abs(change).max() > 0
    assert not opened.forcing_pair(2020, 2020)[1].any()
    assert np.isfinite(now).all() and np.isfinite(change).all()


def test_of_a_wider_forcing_only_what_the_map_needs_is_read(experiment, tmp_path):
    """And the steps are the same bits, as is where the coarse cells lie."""
    settings = load_experiment(experiment)
    (history, *later) = (settings.path(file) for file in settings.forcing.files)
    wide = []
    for path in (history, *later):
        with xarray.open_dataset(path, decode_times=False, mask_and_scale=False) as given:
            lat, lon = given["lat"].values, given["lon"].values
            step = abs(float(lat[1] - lat[0]))
            north = np.concatenate([lat[:1] + step * np.arange(3, 0, -1), lat, lat[-1:] - step])
            east = np.concatenate([lon[:1] - step * np.arange(2, 0, -1), lon, lon[-1:] + step])
            wide.append(tmp_path / path.name)
            fill = {name: 1e20 for name in given.data_vars if "lat" in given[name].dims}
            given.reindex(lat=north, lon=east, fill_value=fill).to_netcdf(wide[-1])
    table = settings.forcing.model_copy(update={"files": wide})
    one, other = (
        Emulator.open(of) for of in (settings, settings.model_copy(update={"forcing": table}))
    )
    assert one.inputs.forcing.part.is_whole and not other.inputs.forcing.part.is_whole
    assert one.inputs.forcing.year(2015).shape == other.inputs.forcing.year(2015).shape
    states = [of.step(2016, of.start(2015)) for of in (one, other)]
    assert states[0].checksum == states[1].checksum
    places = [reference_points(of.inputs) for of in (one, other)]
    assert np.allclose(places[0].lat_bounds, places[1].lat_bounds)
    assert np.allclose(places[0].lon_bounds, places[1].lon_bounds)
