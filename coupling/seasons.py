"""Values between the months: monthly maps on a date of a host's calendar."""

from __future__ import annotations

from typing import Any

import cftime
import numpy as np

from landstep.emulator.errors import CouplingError, StepError

RULES = ("step", "ecland", "ctsm", "noahmp", "mean_preserving")
"""Ways from twelve months to a day; `value_on` says what each does."""

CALENDARS = ("standard", "proleptic_gregorian", "noleap", "360_day")
"""Calendars of hosts, by their CF names."""

HOST = "host"
"""The calendar of a host that CF has no name for: any day of twelve months is a date. Months have
the days of the proleptic Gregorian calendar between values; a day beyond them is the last one."""

Date = tuple[int, int, int]
"""Year, month 1..12, day of the month from 1."""


def check_date(year: int, month: int, day: int, calendar: str) -> None:
    """Refuse a date that a calendar does not have.

    calendar : one of CALENDARS, or HOST, which has any day
    Raises StepError naming the date, the calendar and what it has instead; CouplingError for a
    calendar that is none.
    """
    if calendar not in (*CALENDARS, HOST):
        raise CouplingError(
            f"calendar {calendar!r}, expected one of {', '.join((*CALENDARS, HOST))}"
        )
    date = f"{year}-{month}-{day}"
    if not 1 <= month <= 12:
        raise StepError(f"month {month} in {date}, expected 1 to 12")
    if year < 1:
        raise StepError(f"year {year} in {date}, expected 1 or later")
    if calendar == HOST:
        return
    days = _days_in(year, month, calendar)
    if not 1 <= day <= days:
        raise StepError(
            f"day {day} in {date}: calendar {calendar} has {days} days; set [coupling] calendar, "
            'or calendar = "host" for one that CF has no name for'
        )
    try:
        cftime.datetime(year, month, day, calendar=calendar)
    except ValueError as error:  # October 1582
        raise StepError(
            f"day {day} in {date}: calendar {calendar} leaves it out; set [coupling] calendar"
        ) from error


def value_on(
    monthly: np.ndarray,
    rule: str,
    year: int,
    month: int,
    day: int,
    calendar: str,
    lat_deg: np.ndarray,
    kind: Any = np.float64,
) -> np.ndarray:
    """Return monthly maps' values on a day.

    monthly : (n, 12) float64      January to December
    lat_deg : (n,) float64         latitudes, degrees north; only "noahmp" looks at them
    kind : float32 or float64, of the host's arrays
    returns : (n,) of that kind, in the unit of `monthly`
    rule :
        "step": the month's value
        "ecland": linear between the 15ths of the months, which have the months' values; computed
            in double precision and rounded, as the host does in both of its builds.
            Source: ecLand, Apache-2.0, src/surf/offline/driver/updtim1s.F90 (LECLIM10D false)
        "ctsm": linear between the middles of the months, the day being (day - 0.5) / days of its
            way through the month. February has 28 days there in leap years too. In double
            precision, the host's only one.
            Source: CTSM, src/biogeochem/SatellitePhenologyMod.F90, interpMonthlyVeg
        "noahmp": linear between the middles of twelfths of the year, at 0 UTC; south of the
            equator half a year later: for tables of the north's months, not for maps. All in
            `kind`, which is the host's.
            Source: Noah-MP (Niu et al. 2011, doi:10.1029/2010JD015139), src/PhenologyMainMod.F90
        "mean_preserving": the mean over the day of a parabola for each month; see `_parabolas`
    All but the last weigh two months with weights in 0..1 that sum to 1, in the order of operations
    of the host whose name the rule has: the same bits, where its compiler contracts none of them.
    The last keeps the mean of each month over its days, is never negative, and goes above the
    highest month, as it must.
    Raises StepError for a date that the calendar lacks; CouplingError for maps of another shape, a
    rule or calendar that is none, and, with "mean_preserving", a value below 0 or not a number.
    """
    check_date(year, month, day, calendar)
    if calendar == HOST:
        calendar = "proleptic_gregorian"
        day = min(max(day, 1), _days_in(year, month, calendar))
    if rule not in RULES:
        raise CouplingError(f"rule between months {rule!r}, expected one of {', '.join(RULES)}")
    if monthly.ndim != 2 or monthly.shape[1] != 12:
        raise CouplingError(f"monthly maps have shape {monthly.shape}, expected (n, 12)")
    if rule == "noahmp":
        return _twelfths(monthly, year, month, day, calendar, lat_deg, kind)
    if rule == "step":
        found = monthly[:, month - 1].copy()
    elif rule == "mean_preserving":
        found = _parabolas(monthly, year, month, day, calendar)
    else:
        weigh = _since_15th if rule == "ecland" else _since_middle
        found = _weighed(monthly, *weigh(year, month, day, calendar))
    return found.astype(kind, copy=False)


def changes_on(rule: str, before: Date, now: Date) -> bool:
    """Say whether a rule's value may differ between two dates.

    "step" moves with the month, whatever the year; every other rule moves every day.
    Raises CouplingError for a rule that is none.
    """
    if rule not in RULES:
        raise CouplingError(f"rule between months {rule!r}, expected one of {', '.join(RULES)}")
    return before[1] != now[1] if rule == "step" else before != now


def _days_in(year: int, month: int, calendar: str) -> int:
    return int(cftime.datetime(year, month, 1, calendar=calendar).daysinmonth)


def _weighed(monthly: np.ndarray, first: int, weight: float) -> np.ndarray:
    """A month, counted from 0, by its weight, and the next by the rest, as hosts compute it."""
    return weight * monthly[:, first % 12] + (1 - weight) * monthly[:, (first + 1) % 12]


def _since_15th(year: int, month: int, day: int, calendar: str) -> tuple[int, float]:
    """The month, from 0, whose 15th was last, and its weight: the way left to the next 15th."""
    first = month - 1 if day >= 15 else month - 2
    of = _days_in(year, first % 12 + 1, calendar)  # December has the same days in every year
    return first, (15 - day + (of if day >= 15 else 0)) / of


def _since_middle(year: int, month: int, day: int, calendar: str) -> tuple[int, float]:
    """The month, from 0, whose middle was last, and its weight: the way left to the next middle."""
    of = 28 if month == 2 and calendar != "360_day" else _days_in(year, month, calendar)
    through = (day - 0.5) / of
    begun = int(through + 0.5)
    return month - 2 + begun, begun + 0.5 - through


def _twelfths(
    monthly: np.ndarray,
    year: int,
    month: int,
    day: int,
    calendar: str,
    lat_deg: np.ndarray,
    kind: Any,
) -> np.ndarray:
    """Noah-MP's rule, north and south, in its kind from the day of the year on."""
    number = np.dtype(kind).type
    passed = sum(_days_in(year, m, calendar) for m in range(1, month)) + day - 1
    length = sum(_days_in(year, m, calendar) for m in range(1, 13))
    found = np.empty(len(monthly), kind)
    for side, days in ((lat_deg >= 0, passed), (lat_deg < 0, passed + length / 2)):
        twelfths = number(12) * number(days % length) / number(length)
        begun = int(twelfths + number(0.5))
        weight = number(begun + 0.5) - twelfths
        first, second = (monthly[side, m % 12].astype(kind) for m in (begun - 1, begun))
        found[side] = weight * first + (1 - weight) * second
    return found


def _parabolas(monthly: np.ndarray, year: int, month: int, day: int, calendar: str) -> np.ndarray:
    """Mean over a day of the parabola through the month's edges that has the month's mean.

    Source: Colella and Woodward (1984), doi:10.1016/0021-9991(84)90143-8, section 1: the parabola
    that has two given edges and a given mean. Which edges is ours: linear between the middles of
    the months, and at most three times either month's mean. That bound is what keeps parabolas from
    going below 0: one whose edges are each 0 or three times its mean touches 0 and goes no further,
    and all others with edges between are weighted means of those four.
    """
    _refuse_below_zero(monthly)
    here = monthly[:, month - 1]
    left = _edge(monthly, year, month - 2, calendar) - here
    right = _edge(monthly, year, month - 1, calendar) - here
    days = _days_in(year, month, calendar)
    middle = (day - 0.5) / days
    # the mean of x (1 - x) over the day is that of its middle, less a twelfth of the day squared
    bend = middle * (1 - middle) - 1 / (12 * days**2)
    value = here + left * (1 - middle) + right * middle - 3 * (left + right) * bend
    return np.maximum(value, 0.0)  # what rounding leaves below 0


def _edge(monthly: np.ndarray, year: int, first: int, calendar: str) -> np.ndarray:
    """Value where a month, counted from 0, ends and the next begins."""
    days, of_next = (_days_in(year, m % 12 + 1, calendar) for m in (first, first + 1))
    start, end = monthly[:, first % 12], monthly[:, (first + 1) % 12]
    linear = start + days / (days + of_next) * (end - start)  # a constant keeps its bits
    return np.minimum(linear, 3 * np.minimum(start, end))


def _refuse_below_zero(monthly: np.ndarray) -> None:
    wrong = ~(monthly >= 0)
    if wrong.any():
        point, month = (int(i) for i in np.argwhere(wrong)[0])
        raise CouplingError(
            f"{monthly[point, month]} at point {point}, month {month + 1}, expected at least 0: "
            'the rule "mean_preserving" is for quantities that are never negative'
        )
