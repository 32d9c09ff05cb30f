"""Which dates a host may ask for after which: time goes on, a year at a time."""

from __future__ import annotations

from landstep.coupling.seasons import HOST, Date, check_date
from landstep.emulator.errors import StepError
from landstep.emulator.experiment import CouplingTable

_BEFORE_START = (
    ", which the run starts from; set the experiment's key start (or year of init) to the year of "
    "the first update or the one before it, or name the restart of that year"
)


def check_next_date(asked: Date, last: Date | None, year: int, settings: CouplingTable) -> None:
    """Refuse a date that cannot be, or cannot be reached.

    asked : the date of an update; last : that of the one before, None for the first
    year : what the land surface has reached; settings : its calendar, and whether years are skipped
    Raises StepError.
    """
    check_date(*asked, settings.calendar)
    if asked[0] < year:
        raise StepError(
            f"time went back: {asked[0]} asked, {year} reached"
            + (_BEFORE_START if last is None else "")
        )
    judged = 2 if settings.calendar == HOST else 3
    if last is not None and asked[:judged] < last[:judged]:
        raise StepError(f"time went back: {text_of(asked)} asked, {text_of(last)} reached")
    if asked[0] > year + 1 and not settings.skip:
        raise StepError(
            f"{asked[0]} asked, {year} reached: that skips {year + 1}; call update at least once a "
            "year, or set skip = true in [coupling]"
        )


def text_of(date: Date) -> str:
    """A date as messages have it: 1851-1-31."""
    return "-".join(map(str, date))
