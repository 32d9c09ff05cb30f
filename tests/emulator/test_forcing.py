"""Forcing: LUH2, LUH3 and block files leave the door in one form, and what is wrong is refused."""

from __future__ import annotations

import csv
import logging

import netCDF4
import numpy as np
import pytest
from scipy.io import netcdf_file

from landstep.emulator.errors import ConfigError, InputError
from landstep.emulator.forcing import LUH2_STATES, Forcing

NY, NX = 5, 9
LAT, LON = 50.125 - 0.25 * np.arange(NY), -5.625 + 0.25 * np.arange(NX)
TWO = ("primf", "urban")


def fractions(n_states, n_years, ny=NY, nx=NX):
    """Made-up fractions, (time, state, lat, lon), summing to .9; one cell is sea."""
    values = np.random.default_rng(5).random((n_years, n_states, ny, nx))
    values *= 0.9 / values.sum(axis=1, keepdims=True)
    values[:, :, 1, 2] = 1e20
    return values.astype(np.float32)


def write_luh2(path, values, first=2015, origin=2015, states=LUH2_STATES, lat=LAT, lon=LON, **more):
    """Write a file as LUH2 is (classic, big-endian), without our own code.

    more : units, calendar, times, dims, units_of_states, attributes
    """
    dims = more.get("dims", ("time", "lat", "lon"))
    with netcdf_file(path, "w") as file:
        for name, size in (("time", None), ("lat", len(lat)), ("lon", len(lon))):
            file.createDimension(name, size)
        for name, data, units in (
            ("time", more.get("times", first - origin + np.arange(len(values), dtype=float)),
             more.get("units", f"years since {origin}-01-01 0:0:0")),
            ("lat", lat, "degrees_north"),
            ("lon", lon, "degrees_east"),
        ):  # fmt: skip
            variable = file.createVariable(name, "f8", (name,))
            variable[:] = data
            variable.units = units
        file.variables["time"].calendar = more.get("calendar", "noleap")
        for n, state in enumerate(states):
            variable = file.createVariable(state, "f4", dims)
            field = values[:, n]
            variable[:] = field if dims[-1] == "lon" else field.transpose(0, 2, 1)
            variable.units = more.get("units_of_states", "1")
            if more.get("fill", True):
                variable.missing_value = np.float32(1e20)
                variable._Fillvalue = np.float32(1e20)
        for name, value in more.get("attributes", {}).items():
            setattr(file, name, value)
    return path


def in_one_form(values):
    """What must come out of values as written: missing as NaN."""
    return np.where(values > 1e19, np.nan, values)


def open_two(path, values=None, **more):
    values = fractions(2, 3) if values is None else values
    return Forcing.open([write_luh2(path, values, states=TWO, **more)], format="luh2", states=TWO)


@pytest.fixture
def joined(tmp_path):
    """History 2010-2015 in `years since 850` and scenario 2015-2018, and their numbers."""
    history, future = fractions(12, 6), fractions(12, 4) * np.float32(0.5)
    future[:, :, 1, 2] = 1e20
    write_luh2(tmp_path / "history.nc", history, first=2010, origin=850)
    write_luh2(tmp_path / "scenario.nc", future)
    files = [tmp_path / "scenario.nc", tmp_path / "history.nc"]
    return Forcing.open(files, format="luh2"), history, future


def test_history_and_scenario_join_and_history_wins_for_2015(joined):
    forcing, history, future = joined
    assert forcing.years == (2010, 2018)
    assert forcing.states == LUH2_STATES and forcing.phase == "01-01"
    assert forcing.quantities == "forecast" and forcing.scenario is None
    for year in range(2010, 2016):
        assert np.array_equal(forcing.year(year), in_one_form(history[year - 2010]), equal_nan=True)
    for year in range(2016, 2019):
        assert np.array_equal(forcing.year(year), in_one_form(future[year - 2015]), equal_nan=True)


def test_one_form_leaves_the_door(joined):
    year = joined[0].year(2012)
    assert year.shape == (12, NY, NX) and year.dtype == np.float32 and year.dtype.isnative
    assert type(year) is np.ndarray and not year.flags.writeable
    assert np.isnan(year[:, 1, 2]).all() and np.isnan(year).sum() == 12
    assert np.nanmin(year) >= 0 and np.nanmax(year) <= 1


@pytest.mark.parametrize(
    ("first", "last", "lacking"),
    [(2010, 2019, 2019), (2010, 2900, 2019), (2018, 1800, 2009), (2009, 2012, 2009), (30, 40, 30)],
)
def test_a_span_is_held_against_the_years_of_the_files(joined, first, last, lacking):
    with pytest.raises(InputError, match=f"history.nc.*year {lacking} outside 2010-2018"):
        joined[0].require_years(first, last)


@pytest.mark.parametrize(("first", "last"), [(2010, 2018), (2018, 2010), (2015, 2015)])
def test_a_span_within_the_files_is_taken_either_way(joined, first, last):
    joined[0].require_years(first, last)


@pytest.mark.parametrize("year", [2009, 2019, 2101, 0, -1])
def test_a_year_outside_is_never_clamped(joined, year):
    with pytest.raises(InputError, match=f"year {year} outside 2010-2018"):
        joined[0].year(year)


def test_the_last_two_years_stay_in_memory(joined):
    forcing = joined[0]
    first = forcing.year(2011)
    second = forcing.year(2012)
    assert forcing.year(2011) is first and forcing.year(2012) is second
    forcing.year(2013)
    assert forcing.year(2012) is second and forcing.year(2011) is not first


def test_a_gap_between_history_and_scenario_is_named(tmp_path):
    write_luh2(tmp_path / "history.nc", fractions(12, 3), first=2010, origin=850)
    write_luh2(tmp_path / "scenario.nc", fractions(12, 3))
    with pytest.raises(InputError, match=r"but history\.nc ends in 2012; year 2013 is m"):
        Forcing.open([tmp_path / "history.nc", tmp_path / "scenario.nc"], format="luh2")


def test_a_year_missing_inside_a_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"a\.nc: year 2017 is missing \(after 2016 comes 2018\)"):
        open_two(tmp_path / "a.nc", times=np.array([0.0, 1, 3]))


def test_two_scenarios_are_not_a_history(tmp_path):
    for name in ("a.nc", "b.nc"):
        write_luh2(tmp_path / name, fractions(12, 3))
    with pytest.raises(InputError, match="adds no year.*two scenarios"):
        Forcing.open([tmp_path / "a.nc", tmp_path / "b.nc"], format="luh2")


def open_pair(tmp_path, **scenario):
    """Open a history on the usual grid with a scenario that differs from it."""
    write_luh2(tmp_path / "history.nc", fractions(2, 3), first=2013, states=TWO)
    shape = {"ny": len(scenario.get("lat", LAT)), "nx": len(scenario.get("lon", LON))}
    write_luh2(tmp_path / "scenario.nc", fractions(2, 3, **shape), states=TWO, **scenario)
    files = [tmp_path / "history.nc", tmp_path / "scenario.nc"]
    return Forcing.open(files, format="luh2", states=TWO)


def test_history_and_scenario_on_grids_of_different_size_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"scenario\.nc: grid 4x9, expected 5x9.*history\.nc"):
        open_pair(tmp_path, lat=LAT[:-1])


def test_a_grid_shifted_by_half_a_cell_is_detected_by_its_coordinates(tmp_path):
    with pytest.raises(InputError, match=r"longitude differs by up to 0\.125 degrees"):
        open_pair(tmp_path, lon=LON + 0.125)


@pytest.mark.parametrize("calendar", ["365_day", "360_day", "standard"])
def test_the_years_of_each_file_are_read_by_its_own_calendar(tmp_path, calendar):
    """Annual states of history in noleap join those of a scenario in any calendar (fault 42)."""
    assert open_pair(tmp_path, calendar=calendar).years == (2013, 2017)


def test_phases_are_not_mixed(tmp_path):
    with pytest.raises(InputError, match="phase 07-01, expected 01-01"):
        open_pair(tmp_path, attributes={"phase": "07-01"})


def test_luh3_has_a_thirteenth_state_and_days_since_850(tmp_path):
    values, states = fractions(13, 3), (*LUH2_STATES, "pltns")
    days = (2015 - 850 + np.arange(3)) * 365.0
    path = write_luh2(
        tmp_path / "luh3.nc", values, states=states, times=days, units="days since 0850-01-01"
    )
    forcing = Forcing.open([path], format="luh2")
    assert forcing.states == states and forcing.years == (2015, 2017)
    assert np.array_equal(forcing.year(2017), in_one_form(values[2]), equal_nan=True)


def test_pltns_in_only_one_of_the_files_is_refused(tmp_path):
    write_luh2(tmp_path / "history.nc", fractions(12, 3), first=2013)
    states = (*LUH2_STATES, "pltns")
    write_luh2(tmp_path / "scenario.nc", fractions(13, 3), states=states)
    with pytest.raises(InputError, match=r"history\.nc: pltns not in it; has \["):
        Forcing.open([tmp_path / "history.nc", tmp_path / "scenario.nc"], format="luh2")


def test_secma_and_secmb_are_never_states(tmp_path):
    states = (*LUH2_STATES, "secma", "secmb")
    path = write_luh2(tmp_path / "a.nc", fractions(14, 2), states=states)
    assert Forcing.open([path], format="luh2").states == LUH2_STATES


def test_a_renamed_state_gets_a_suggestion(tmp_path):
    states = tuple("urbn" if state == "urban" else state for state in LUH2_STATES)
    path = write_luh2(tmp_path / "a.nc", fractions(12, 2), states=states)
    with pytest.raises(InputError, match=r"a\.nc: urban not in it; has \[.*did you mean urbn"):
        Forcing.open([path], format="luh2")


def write_on_cells(path, dims, sizes, extra=()):
    """Write `primf` on any dimensions; extra: (name, dims, units) of more variables."""
    with netCDF4.Dataset(path, "w") as file:
        for name, size in zip(dims, sizes, strict=True):
            file.createDimension(name, size)
        if dims[0] == "time":
            time = file.createVariable("time", "f8", ("time",))
            time.units, time[:] = "years since 2015-01-01", np.arange(sizes[0])
        file.createVariable("primf", "f4", dims)[:] = 0.5
        for name, of, units in extra:
            variable = file.createVariable(name, "f8", of)
            variable.units = units
            ny, nx = variable.shape
            step = np.arange(ny)[:, None] if units == "degrees_north" else np.arange(nx)[None]
            variable[:] = 50 + 0.1 * step + 0.001 * np.mgrid[:ny, :nx].sum(0)
    return path


def test_a_projected_forcing_must_come_in_blocks(tmp_path):
    places = [("lat", ("y", "x"), "degrees_north"), ("lon", ("y", "x"), "degrees_east")]
    path = write_on_cells(tmp_path / "a.nc", ("time", "y", "x"), (2, 5, 7), places)
    with pytest.raises(InputError, match="on a projected grid.*'blocks'"):
        Forcing.open([path], format="luh2", states=["primf"])


def test_a_forcing_of_two_dimensions_is_refused(tmp_path):
    path = write_on_cells(tmp_path / "a.nc", ("time", "cell"), (2, 7))
    with pytest.raises(InputError, match=r"dims \('time', 'cell'\), expected \(time, lat, lon\)"):
        Forcing.open([path], format="luh2", states=["primf"])


def test_states_on_different_dimensions_are_refused(tmp_path):
    path = write_luh2(tmp_path / "a.nc", fractions(1, 2), states=("primf",))
    with netCDF4.Dataset(path, "a") as file:
        file.createVariable("urban", "f4", ("time", "lon", "lat"))
    with pytest.raises(InputError, match=r"urban: dims .* as primf has"):
        Forcing.open([path], format="luh2", states=TWO)


@pytest.mark.parametrize("units", ["km2", "%", "percent", "m2"])
def test_a_unit_that_is_no_fraction_is_refused(tmp_path, units):
    with pytest.raises(InputError, match=rf"a\.nc, primf: units '{units}', expected '1'"):
        open_two(tmp_path / "a.nc", units_of_states=units)


def with_value(value, cell=(3, 4), state=1):
    values = fractions(2, 3)
    values[1, state, cell[0], cell[1]] = value
    return values


def test_percent_is_recognised(tmp_path):
    forcing = open_two(tmp_path / "a.nc", with_value(100))
    with pytest.raises(InputError) as refused:
        forcing.year(2016)
    assert str(refused.value) == (
        "a.nc, year 2016, urban: max 100 at (lat 49.375, lon -4.625), units '1', expected at most "
        "1; is the file in percent?"
    )


def test_a_negative_fraction_is_an_error_and_a_rounding_error_is_clipped_and_counted(tmp_path):
    with pytest.raises(InputError, match=r"urban: negative fraction -0\.001 at \(lat 49\.375"):
        open_two(tmp_path / "a.nc", with_value(-1e-3)).year(2016)
    forcing = open_two(tmp_path / "b.nc", with_value(-1e-9))
    assert forcing.year(2016)[1, 3, 4] == 0
    forcing.year(2015)
    assert forcing.clipped == {2016: 1}


def test_a_misspelt_fill_attribute_is_understood_and_logged(tmp_path, caplog):
    with caplog.at_level(logging.INFO):
        assert np.isnan(open_two(tmp_path / "a.nc").year(2015)[:, 1, 2]).all()
    assert "'_Fillvalue' is read as _FillValue" in caplog.text


@pytest.mark.parametrize(
    ("times", "n"), [([0.0, 1, 1], 2), ([0.0, 2, 1], 2), ([1.0, 0, 2], 1), ([3.0, 2, 1], 1)]
)
def test_unsorted_or_repeated_time_names_the_step(tmp_path, times, n):
    with pytest.raises(InputError, match=f"a.nc, time: time not strictly increasing at {n}"):
        open_two(tmp_path / "a.nc", times=np.array(times))


def test_monthly_data_are_refused(tmp_path):
    with pytest.raises(InputError, match="annual data are expected"):
        open_two(tmp_path / "a.nc", times=np.array([15.0, 45, 75]), units="days since 2015-01-01")


def test_scenarios_are_compared_with_the_declared_one(tmp_path):
    path = write_luh2(
        tmp_path / "a.nc", fractions(2, 2), states=TWO, attributes={"scenario": "ssp126"}
    )
    assert Forcing.open([path], format="luh2", states=TWO).scenario == "ssp126"
    with pytest.raises(InputError, match="scenario 'ssp126', expected 'ssp585'"):
        Forcing.open([path], format="luh2", states=TWO, scenario="ssp585")
    silent = write_luh2(tmp_path / "b.nc", fractions(2, 2), states=TWO)
    assert Forcing.open([silent], format="luh2", states=TWO, scenario="x").scenario == "x"


def test_an_unknown_format_and_no_files_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="'luh2' or 'blocks'"):
        Forcing.open([tmp_path / "a.nc"], format="luh4")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="no files given"):
        Forcing.open([], format="luh2")


def test_real_luh2_of_europe_is_read_year_by_year(real_data):
    path = real_data / "luh2" / "luh2_v2f_europe_2015_2100.nc"
    states = ("crops", "pastr", "primf", "primn", "secdf", "secdn", "urban")
    forcing = Forcing.open([path], format="luh2", states=states)
    assert forcing.years == (2015, 2100) and forcing.coarse.shape == (71, 103)
    with netCDF4.Dataset(path) as file:
        south_first = file["lat"][0] < file["lat"][-1]
        expected = np.stack([file[state][85].filled(np.nan) for state in states])
    expected = expected[:, ::-1] if south_first else expected
    assert np.array_equal(forcing.year(2100), expected, equal_nan=True)
    assert np.isnan(expected).mean() == pytest.approx(0.5386, abs=0.01)
    with pytest.raises(InputError, match="year 2101 outside 2015-2100"):
        forcing.year(2101)
    with pytest.raises(InputError, match=r"c3ann, .* not in it, but crops.*states\.nc"):
        Forcing.open([path], format="luh2")


def test_real_luh2_in_km2_is_refused_for_its_unit(real_data):
    path = real_data / "luh2" / "raw_km2_primf.nc"
    with pytest.raises(InputError, match=r"raw_km2_primf\.nc, primf: units 'km2', expected '1'"):
        Forcing.open([path], format="luh2", states=["primf"])


def test_real_luh2_points_come_back_from_a_luh2_file(real_data, tmp_path):
    """Real rows of LUH2's 12 states, put in a file as LUH2 is, pass every check unchanged."""
    with open(real_data / "luh2" / "luh2_gcb_uk_points.csv", newline="") as stream:
        rows = list(csv.DictReader(stream))
    year = int(rows[0]["time"])
    rows = [row for row in rows if int(row["time"]) == year]
    lat = np.arange(59.875, 49.875, -0.25)
    lon = np.arange(-8.125, 2, 0.25)
    values = np.full((1, 12, lat.size, lon.size), 1e20, np.float32)
    cells = []
    for row in rows:
        at = (int((59.875 - float(row["lat"])) / 0.25), int((float(row["lon"]) + 8.125) / 0.25))
        values[0, :, at[0], at[1]] = [float(row[state]) for state in LUH2_STATES]
        cells.append((row, at))
    path = write_luh2(tmp_path / "uk.nc", values, first=year, origin=850, lat=lat, lon=lon)
    forcing = Forcing.open([path], format="luh2")
    field = forcing.year(year)
    assert len(cells) >= 1 and np.isfinite(field[0]).sum() == len({at for _, at in cells})
    for row, (y, x) in cells:
        assert forcing.coarse.lat_deg[y] == float(row["lat"])
        assert forcing.coarse.lon_deg[x] == float(row["lon"])
        crops = [field[LUH2_STATES.index(s), y, x] for s in LUH2_STATES if s[:2] in ("c3", "c4")]
        assert sum(crops) == pytest.approx(float(row["crop"]), abs=1e-6)
        assert field[LUH2_STATES.index("urban"), y, x] == np.float32(row["urban"])


def test_states_that_sum_to_1_001_are_refused_with_cell_and_tolerance(tmp_path):
    """Fault 29: the sum, where it is, and how far it may be off."""
    values = with_value(0.6, state=1)
    values[1, 0, 3, 4] = 0.401
    with pytest.raises(
        InputError, match=r"a\.nc, year 2016: .*1\.001 at \(lat 49\.375, lon -4\.625\).*1e-05"
    ):
        open_two(tmp_path / "a.nc", values).year(2016)
    values[1, 0, 3, 4] = 0.400001
    assert open_two(tmp_path / "b.nc", values).year(2016)[:, 3, 4].sum() == pytest.approx(1)


@pytest.mark.parametrize(("value", "count"), [(-1e-9, 1), (-9e-7, 1), (1e-9, 0)])
def test_a_negative_rounding_error_is_clipped_to_0_and_counted(tmp_path, value, count):
    """Fault 30: -1e-3 is an error; -1e-9 becomes 0, and is counted."""
    forcing = open_two(tmp_path / "a.nc", with_value(value))
    assert forcing.year(2016)[1, 3, 4] == max(np.float32(value), 0)
    assert forcing.clipped.get(2016, 0) == count
    for wrong in (-1e-3, -2e-6):
        with pytest.raises(InputError, match=rf"urban: negative fraction {wrong:g} at \(lat 49"):
            open_two(tmp_path / "b.nc", with_value(wrong)).year(2016)


def test_summed_crops_are_named_with_the_file_to_take(tmp_path):
    """A file in which LUH2's five crops were summed: what is lacking, and what stands for it."""
    states = ("primf", "primn", "secdf", "secdn", "urban", "crops", "pastr", "range")
    path = write_luh2(tmp_path / "summed.nc", fractions(8, 2), states=states)
    with pytest.raises(
        InputError, match=r"summed\.nc: c3ann, .*c3nfx not in it, but crops: .*states\.nc"
    ):
        Forcing.open([path], format="luh2")


@pytest.mark.parametrize(
    ("units", "way"),
    [("km2", "carea"), ("m2", "carea"), ("km^2", "carea"), ("ha", "area"), ("%", "divide by 100")],
)
def test_a_unit_of_area_or_percent_is_refused_with_the_way_to_fractions(tmp_path, units, way):
    with pytest.raises(InputError, match=rf"primf: units .*expected '1'.*{way}"):
        open_two(tmp_path / "a.nc", units_of_states=units)
