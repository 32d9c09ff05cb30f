"""Years from time axes: exact in every calendar, from 850 to 2300 and before year 1."""

from __future__ import annotations

import cftime
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landstep.emulator.calendar import calendar_name, decode_years
from landstep.emulator.errors import InputError

CALENDARS = [
    "standard", "gregorian", "proleptic_gregorian", "noleap", "365_day", "all_leap", "366_day",
    "360_day", "julian",
]  # fmt: skip


@pytest.mark.parametrize(
    ("units", "times", "years"),
    [
        ("years since 850-01-01 0:0:0", [0.0, 1.0, 1165.0], [850, 851, 2015]),
        ("years since 2015-01-01", [0, 85], [2015, 2100]),
        ("YEARS SINCE 2015-1-1 00:00:00", [1], [2016]),
        ("common_years since 2015", [3], [2018]),
        ("years since 2015-07-01", [0.0, 0.75], [2015, 2016]),  # July 2015, April 2016
        ("years since 0-01-01", [-2, 0, 1], [-2, 0, 1]),
        ("years since -5-01-01", [0, 10], [-5, 5]),
        ("months since 2015-03-01", [0, 9, 10, 24], None),
        ("months since 2015-03-01", [0, 10, 24], [2015, 2016, 2017]),
        ("days since 0850-01-01", [0.0, 365.0, 425225.0], [850, 851, 2015]),
        ("hours since 2000-01-01", [0, 8760], [2000, 2001]),
        ("years", [1960, 1961], [1960, 1961]),
        ("year", [-3, 4], [-3, 4]),
        ("", [1960, 2019], [1960, 2019]),
    ],
)
def test_noleap_times_decode_to_calendar_years(units, times, years):
    attrs = {"units": units, "calendar": "noleap"}
    if years is None:
        with pytest.raises(InputError, match="time not strictly increasing at 1.*annual data"):
            decode_years(np.array(times), attrs, "a.nc, time")
        return
    decoded = decode_years(np.array(times), attrs, "a.nc, time")
    assert decoded.dtype == np.int64 and decoded.tolist() == years


@given(
    st.sampled_from(CALENDARS),
    st.lists(st.integers(850, 2300), min_size=1, max_size=5, unique=True),
    st.sampled_from([(1, 1), (2, 28), (7, 1), (12, 30)]),
    st.sampled_from(["days", "hours", "seconds"]),
)
def test_every_calendar_decodes_what_was_encoded(calendar, years, day, unit):
    dates = [cftime.datetime(year, *day, calendar=calendar) for year in sorted(years)]
    units = f"{unit} since 0850-01-01"
    times = cftime.date2num(dates, units, calendar)
    attrs = {"units": units, "calendar": calendar}
    assert decode_years(np.asarray(times), attrs, "a.nc, time").tolist() == sorted(years)


@given(st.integers(-300, 300), st.lists(st.integers(-2000, 2000), min_size=1, unique=True))
def test_years_since_is_exact_before_year_one_too(reference, steps):
    times = np.array(sorted(steps), np.float64)
    decoded = decode_years(times, {"units": f"years since {reference}-01-01"}, "a.nc, time")
    assert decoded.tolist() == [reference + step for step in sorted(steps)]


def test_the_29th_of_february_is_in_its_year():
    dates = [cftime.datetime(year, 2, 29, calendar="standard") for year in (2000, 2004)]
    units = "days since 1850-01-01"
    times = cftime.date2num(dates, units, "standard")
    assert decode_years(times, {"units": units}, "a.nc, time").tolist() == [2000, 2004]


def test_two_names_of_a_calendar_become_one():
    assert calendar_name({"calendar": "365_day"}, "") == calendar_name({"calendar": "NoLeap"}, "")
    assert calendar_name({}, "") == "standard"


@pytest.mark.parametrize(
    ("attrs", "times", "words"),
    [
        ({"units": "fortnights since 2000-01-01"}, [1], "fortnights"),
        ({"units": "years since 2000-13-01"}, [1], "name no date"),
        ({"units": "days since 2000-02-31"}, [1], "2000-02-31"),
        ({"units": "metres"}, [1], "time units 'metres', expected 'years since DATE'"),
        ({"units": "1"}, [1], "plain calendar years"),
        ({}, [2000.5], "plain calendar years"),
        ({"units": "days since 2000-01-01", "calendar": "mayan"}, [1], "'mayan', expected"),
        ({"units": "days since 2000-01-01"}, [np.nan], "time is missing at step 0"),
        ({"units": "days since 2000-01-01"}, [1e300], "a.nc, time"),
        ({"units": "days since 2000-01-01"}, [], "at least one step"),
        ({"units": "days since 2000-01-01"}, [0, 400, 400], "not strictly increasing at 2"),
    ],
)
def test_times_that_name_no_year_are_refused(attrs, times, words):
    with pytest.raises(InputError, match=words):
        decode_years(np.array(times, np.float64), attrs, "a.nc, time")


@pytest.mark.parametrize("times", [[1e300], [-1e300], [1e18, 2e18]])
def test_years_beyond_all_history_are_refused(times):
    with pytest.raises(InputError, match="a.nc, time"):
        decode_years(np.array(times), {"units": "years since 2000-01-01"}, "a.nc, time")


@pytest.mark.parametrize(
    ("units", "times", "years"),
    [
        ("day as %Y%m%d.%f", [18500101.0, 18511231.75], [1850, 1851]),
        ("day as %Y%m%d.%f", [-50101, -40101], [-5, -4]),
        ("month as %Y%m.%f", [185001.5, 185112], [1850, 1851]),
        ("year as %Y.%f", [1850.5, 1851.25], [1850, 1851]),
        ("YYYYMMDD", [18500701, 18510701], [1850, 1851]),
        ("", [18500701, 18510701], [1850, 1851]),
        ("1", [18500701, 18510701], [1850, 1851]),
        ("  days  since\t1850-01-01\0", [0, 400], [1850, 1851]),
        ("Days Since 1850", [0, 400], [1850, 1851]),
        ("days since 1850-7", [0, 184], [1850, 1851]),
        ("hours since 1850-01-01T00:00:00", [0, 8760], [1850, 1851]),
        ("seconds since 1850-01-01 00:00:00.0", [0, 31536000], [1850, 1851]),
        ("yr since 1850-01-01", [0, 1], [1850, 1851]),
        ("year", [0, 1], [0, 1]),
        ("years since 0000-01-01", [-1, 0], [-1, 0]),
    ],
)
def test_years_are_read_from_every_axis_that_people_write(units, times, years):
    """Absolute dates are CDO's (cdo -a); the others are CF 4.4, padded or short (fault 98)."""
    found = decode_years(np.array(times, np.float64), {"units": units}, "a.nc, time")
    assert found.tolist() == years


@pytest.mark.parametrize(
    ("units", "times"),
    [
        ("days since 01-01-1850", [0, 400]),  # the day first: not the year 1
        ("years since 01-01-1850", [0, 1]),
        ("days since 1850/01/01", [0, 400]),
        ("days since 18500101", [0, 400]),
        ("days since 01-JAN-1850", [0, 400]),
        ("days after 1850-01-01", [0, 400]),
        ("days since ", [0, 400]),
        ("day as %Y%m%d.%f", [18501301.0]),
        ("day as %Y%m%d.%f", [1e300]),
        ("", [18500732]),
        ("year", [1e300]),
        ("days since 99999-01-01", [1e9]),
        ("days since 0000-01-01", [0]),
        (5, [1]),
        (np.array([1.5, 2.5]), [1]),
    ],
)
def test_a_date_that_is_not_understood_is_never_guessed(units, times):
    with pytest.raises(InputError, match=r"a\.nc, time: "):
        decode_years(np.array(times, np.float64), {"units": units}, "a.nc, time")


@pytest.mark.parametrize("values", [np.array(["1985-01-01"]), np.array([b"1"]), np.array([None])])
def test_times_that_are_no_numbers_are_refused(values):
    with pytest.raises(InputError, match=r"a\.nc, time: .*expected"):
        decode_years(values, {"units": "days since 1850-01-01"}, "a.nc, time")


def test_an_infinite_time_is_refused_with_its_step():
    with pytest.raises(InputError, match=r"a\.nc, time: .*infinite at step 1"):
        decode_years(np.array([0, np.inf]), {"units": "days since 1850-01-01"}, "a.nc, time")


@pytest.mark.parametrize(
    ("said", "name"),
    [("NOLEAP", "noleap"), ("no_leap", "noleap"), ("365days", "noleap"), ("360 day", "360_day"),
     (" Proleptic_Gregorian\0", "proleptic_gregorian"), ("", "standard"),
     (["gregorian"], "standard")],
)  # fmt: skip
def test_a_calendar_is_known_by_other_spellings(said, name):
    assert calendar_name({"calendar": said}, "a.nc, time") == name


@pytest.mark.parametrize("said", [5, np.array([1, 2]), "none", "lunar"])
def test_a_calendar_that_cf_does_not_know_is_refused(said):
    with pytest.raises(InputError, match=r"a\.nc, time: calendar .*expected one of"):
        calendar_name({"calendar": said}, "a.nc, time")
