"""Calendar years of a NetCDF time axis, exact in every CF calendar and in `years since`.

cftime and xarray refuse `years since` (LUH2's unit), and a float64 count of seconds may round:
here a year is an integer as soon as it leaves the file.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from typing import Any

import cftime
import numpy as np

from landstep.emulator.attributes import text
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

_SINCE = re.compile(
    r"(?P<unit>\w+)\s+since\s+(?P<year>[+-]?\d{1,6})(?:-(?P<month>\d{1,2})(?:-(?P<day>\d{1,2}))?)?"
    r"(?P<clock>[ T].*)?",
    re.IGNORECASE,
)
_ABSOLUTE = re.compile(r"(day|month|year)s? as %Y(%m)?(%d)?(\.%f)?", re.IGNORECASE)
_YEARS = ("year", "years", "calendar_year", "calendar_years", "common_year", "common_years")
_SHORT_YEARS = ("yr", "yrs")
_MONTHS = ("month", "months")
_DATE_UNITS = ("yyyymmdd", "%y%m%d", "day", "date")
_MOST_YEARS = 1e6
_PLAIN_YEARS = (500, 3000)  # numbers without any unit are taken as years only in this range
_EXPECTED = (
    "expected 'years since DATE', 'days since DATE' with the date as YEAR-MONTH-DAY, plain "
    "calendar years (1850, 1851, ...), or dates as YYYYMMDD"
)


def calendar_name(attrs: Mapping[str, Any], where: str) -> str:
    """Return one name for each CF calendar (`365_day` is `noleap`); `standard` where none is given.

    Source: CF conventions 1.11, section 4.4.1.
    Raises InputError for a calendar that CF does not know.
    """
    said = text(attrs, "calendar") or "standard"
    name = re.sub(r"[\s_-]", "", said.lower())
    for known, calendar in CALENDARS.items():
        if name.removesuffix("s") == known.replace("_", ""):
            return calendar
    raise InputError(f"{where}: calendar {said!r}, expected one of {', '.join(CALENDARS)}")


def decode_years(values: np.ndarray, attrs: Mapping[str, Any], where: str) -> np.ndarray:
    """Return the calendar year of each time.

    values : (n,) any real dtype    times as stored
    attrs : the time variable's attributes; `units` and `calendar` are used
    where : file and variable, for messages
    returns : (n,) int64            calendar years, strictly increasing
    Raises InputError when the unit or the calendar is unknown, a time is missing, infinite or no
    number, or the years do not strictly increase (two steps in one year included).
    """
    if np.asarray(values).dtype.kind not in "fiu":
        raise InputError(f"{where}: {np.asarray(values).dtype} values; {_EXPECTED}")
    times = np.atleast_1d(np.asarray(values, dtype=np.float64))
    if times.ndim != 1 or times.size == 0:
        raise InputError(
            f"{where}: times of shape {times.shape}, expected a time axis with at least one step"
        )
    if not np.isfinite(times).all():
        step = int(np.flatnonzero(~np.isfinite(times))[0])
        what = "missing" if np.isnan(times[step]) else "infinite"
        raise InputError(f"{where}: time is {what} at step {step}, expected a number")
    _check_increasing(times, where, "")
    years = _years(times, attrs, where)
    _check_increasing(years, where, "; annual data are expected, one step in each year")
    return years


def _years(times: np.ndarray, attrs: Mapping[str, Any], where: str) -> np.ndarray:
    units = " ".join(text(attrs, "units").split())
    calendar = calendar_name(attrs, where)
    match = _SINCE.fullmatch(units)
    if match is None:
        return _plain_years(times, units, where)
    unit = match["unit"].lower()
    year, month, day = int(match["year"]), int(match["month"] or 1), int(match["day"] or 1)
    if not (1 <= month <= 12 and 1 <= day <= 31):
        raise InputError(f"{where}: units {units!r} name no date")
    largest = float(np.abs(times).max())
    if unit in (*_YEARS, *_SHORT_YEARS):
        if largest > _MOST_YEARS:
            raise InputError(f"{where}: time {largest:g} in {units!r} is no date")
        start = np.floor(times)
        share = (month - 1) / 12 + (day - 1) / 372  # of the year, at the reference date
        later = (times - start) + share >= 1.0
        return year + start.astype(np.int64) + later
    if unit in _MONTHS and largest <= 12 * _MOST_YEARS:
        return (year * 12 + month - 1 + np.floor(times).astype(np.int64)) // 12
    if match["day"] is None:  # cftime wants a whole date
        units = f"{unit} since {match['year']}-{month}-1{match['clock'] or ''}"
    return _cftime_years(times, units, calendar, where)


def _plain_years(times: np.ndarray, units: str, where: str) -> np.ndarray:
    """Return years that are written as such: 1960, 1961, ..., or 19600101, 19610101, ..."""
    whole = bool(np.all(times == np.floor(times)))
    unit = units.lower()
    low, high = _PLAIN_YEARS
    in_range = bool(np.all((times >= low) & (times <= high)))
    if whole and (unit in (*_YEARS, "yyyy") or (unit in ("", "1") and in_range)):
        if np.abs(times).max() <= _MOST_YEARS:
            return times.astype(np.int64)
    absolute = _ABSOLUTE.fullmatch(units)
    if absolute is not None:
        return _dated_years(times, absolute[1].lower(), units, where)
    dates_in_range = bool(np.all((times >= low * 10_000) & (times < (high + 1) * 10_000)))
    if whole and dates_in_range and (unit in ("", "1") or unit.startswith(_DATE_UNITS)):
        return _dated_years(times, "day", units, where)
    raise InputError(
        f"{where}: time units {units!r}, {_EXPECTED}; found times {times[0]:.10g} to "
        f"{times[-1]:.10g}"
    )


def _dated_years(times: np.ndarray, unit: str, units: str, where: str) -> np.ndarray:
    """Return the years of dates in figures, YYYYMMDD, YYYYMM or YYYY, as CDO writes them."""
    if np.abs(times).max() > _MOST_YEARS * 10_000:
        raise InputError(f"{where}: time {np.abs(times).max():g} in {units!r} is no date")
    figures = np.abs(np.trunc(times)).astype(np.int64)
    if unit == "year":
        return np.where(times < 0, -figures, figures)
    dates = figures if unit == "day" else figures * 100 + 1
    months, days = dates // 100 % 100, dates % 100
    wrong = (months < 1) | (months > 12) | (days < 1) | (days > 31)
    if wrong.any():
        step = int(np.flatnonzero(wrong)[0])
        raise InputError(
            f"{where}: time {times[step]:.10g} at step {step} in {units!r} is no date; {_EXPECTED}"
        )
    return np.where(times < 0, -(dates // 10_000), dates // 10_000)


def _cftime_years(times: np.ndarray, units: str, calendar: str, where: str) -> np.ndarray:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # cftime's on years before 1, which say nothing of ours
            dates = cftime.num2date(times, units, calendar, only_use_cftime_datetimes=True)
    except (ValueError, OverflowError, KeyError, TypeError, ArithmeticError) as error:
        raise InputError(
            f"{where}: time units {units!r}, calendar {calendar}: {error}; {_EXPECTED}"
        ) from error
    return np.array([date.year for date in np.atleast_1d(dates)], dtype=np.int64)


def _check_increasing(numbers: np.ndarray, where: str, hint: str) -> None:
    steps = np.flatnonzero(np.diff(numbers) <= 0)
    if steps.size:
        n = int(steps[0]) + 1
        raise InputError(
            f"{where}: time not strictly increasing at {n} "
            f"({numbers[n]:g} after {numbers[n - 1]:g}){hint}"
        )
