"""Which dates a host may ask for after which: time goes on, a year at a time."""

from __future__ import annotations

from landstep.coupling.seasons import Date, check_date
from landstep.emulator.errors import StepError
from landstep.emulator.experiment import CouplingTable


def check_next_date(asked: Date, last: Date | None, year: int, settings: CouplingTable) -> None:
    """Refuse a date that cannot be, or cannot be reached.

    asked : the date of an update; last : that of the one before, None for the first
    year : what the land surface has reached; settings : its calendar, and whether years are skipped
    Raises StepError.
    """
    check_date(*asked, settings.calendar)
    if asked[0] < year:
        raise StepError(f"time went back: {asked[0]} asked, {year} reached")
    if last is not None and asked < last:
        raise StepError(f"time went back: {text_of(asked)} asked, {text_of(last)} reached")
    if asked[0] > year + 1 and not settings.skip:
        raise StepError(
            f"{asked[0]} asked, {year} reached: that skips {year + 1}; call update at least once a "
            "year, or set skip = true in [coupling]"
        )


def text_of(date: Date) -> str:
    """A date as messages have it: 1851-1-31."""
    return "-".join(map(str, date))
