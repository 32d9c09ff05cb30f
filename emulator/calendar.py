"""Calendar years of a NetCDF time axis, exact in every CF calendar and in `years since`.

cftime and xarray refuse `years since` (LUH2's unit), and a float64 count of seconds may round:
here a year is an integer as soon as it leaves the file.
"""

from __future__ import annotations

import re

import cftime
import numpy as np

from landstep.emulator.errors import InputError

CALENDARS = {
    "standard": "standard",
    "gregorian": "standard",
    "proleptic_gregorian": "proleptic_gregorian",
    "noleap": "noleap",
    "365_day": "noleap",
    "all_leap": "all_leap",
    "366_day": "all_leap",
    "360_day": "360_day",
    "julian": "julian",
}
MONTH_NAMES = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)

_SINCE = re.compile(r"\s*(\w+)\s+since\s+([+-]?\d+)(?:-(\d{1,2}))?(?:-(\d{1,2}))?", re.IGNORECASE)
_PLAIN_YEAR_UNITS = ("year", "years", "calendar_year", "common_year")
_MOST_YEARS = 1e6
_PLAIN_YEARS = (500, 3000)  # numbers without any unit are taken as years only in this range


def calendar_name(attrs: dict, where: str) -> str:
    """One name per CF calendar (`365_day` is `noleap`); `standard` where none is given.

    Source: CF conventions 1.11, section 4.4.1.
    Raises InputError for a calendar that CF does not know.
    """
    name = str(attrs.get("calendar", "standard")).strip().lower()
    if name not in CALENDARS:
        raise InputError(f"{where}: calendar {name!r}, expected one of {', '.join(CALENDARS)}")
    return CALENDARS[name]


def decode_years(values: np.ndarray, attrs: dict, where: str) -> np.ndarray:
    """Calendar year of each time.

    values : (n,) any real dtype    times as stored
    attrs : the time variable's attributes; `units` and `calendar` are used
    where : file and variable, for messages
    returns : (n,) int64            calendar years, strictly increasing
    Raises InputError when the unit or the calendar is unknown, a time is missing, or the years do
    not strictly increase (two steps in one year included).
    """
    times = np.atleast_1d(np.asarray(values, dtype=np.float64))
    if times.ndim != 1 or times.size == 0:
        raise InputError(f"{where}: expected a time axis with at least one step")
    if not np.isfinite(times).all():
        step = int(np.flatnonzero(~np.isfinite(times))[0])
        raise InputError(f"{where}: time is missing at step {step}")
    _check_increasing(times, where, "")
    years = _years(times, attrs, where)
    _check_increasing(years, where, "; annual data are expected, one step in each year")
    return years


def _years(times: np.ndarray, attrs: dict, where: str) -> np.ndarray:
    units = str(attrs.get("units", "")).strip()
    calendar = calendar_name(attrs, where)
    match = _SINCE.match(units)
    if match is None:
        return _plain_years(times, units, where)
    unit = match[1].lower()
    year, month, day = int(match[2]), int(match[3] or 1), int(match[4] or 1)
    if not (1 <= month <= 12 and 1 <= day <= 31):
        raise InputError(f"{where}: units {units!r} name no date")
    if unit in ("year", "years", "common_year", "common_years", "yr", "yrs"):
        if np.abs(times).max() > _MOST_YEARS:
            raise InputError(f"{where}: time {np.abs(times).max():g} in {units!r} is no date")
        start = np.floor(times)
        share = (month - 1) / 12 + (day - 1) / 372  # of the year, at the reference date
        later = (times - start) + share >= 1.0
        return year + start.astype(np.int64) + later
    if unit in ("month", "months") and np.abs(times).max() <= 12 * _MOST_YEARS:
        return (year * 12 + month - 1 + np.floor(times).astype(np.int64)) // 12
    return _cftime_years(times, units, calendar, where)


def _plain_years(times: np.ndarray, units: str, where: str) -> np.ndarray:
    """Years written as such (1960, 1961, ...), without a reference date."""
    whole = bool(np.all(times == np.floor(times)))
    low, high = _PLAIN_YEARS
    in_range = bool(np.all((times >= low) & (times <= high)))
    if whole and (units.lower() in _PLAIN_YEAR_UNITS or (units in ("", "1") and in_range)):
        return times.astype(np.int64)
    raise InputError(
        f"{where}: time units {units!r}, expected 'years since DATE', 'days since DATE' "
        "or plain calendar years"
    )


def _cftime_years(times: np.ndarray, units: str, calendar: str, where: str) -> np.ndarray:
    try:
        dates = cftime.num2date(times, units, calendar, only_use_cftime_datetimes=True)
    except (ValueError, OverflowError, KeyError) as error:
        raise InputError(f"{where}: time units {units!r}, calendar {calendar}: {error}") from error
    return np.array([date.year for date in np.atleast_1d(dates)], dtype=np.int64)


def _check_increasing(numbers: np.ndarray, where: str, hint: str) -> None:
    steps = np.flatnonzero(np.diff(numbers) <= 0)
    if steps.size:
        n = int(steps[0]) + 1
        raise InputError(
            f"{where}: time not strictly increasing at {n} "
            f"({numbers[n]:g} after {numbers[n - 1]:g}){hint}"
        )
