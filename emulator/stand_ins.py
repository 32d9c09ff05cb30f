"""Months that a host did not give, and what stands in their place: a note in the state."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from landstep.emulator.errors import StateError
from landstep.emulator.host_values import VARIABLES

Source = Literal["reference", "last_year"]
"""What stands in: the reference climate's month, or the same month of the host's last year."""

_TEXT = re.compile(r"(-?\d+)-(\d\d) (\w+) (\w+)")


@dataclass(frozen=True, order=True)
class StandIn:
    """One month of one variable.

    year, month : calendar year and 1..12
    name : of VARIABLES
    source : what stands there
    """

    year: int
    month: int
    name: str
    source: Source

    @property
    def text(self) -> str:
        """How a restart says it, e.g. "2016-05 air_temperature reference"."""
        return f"{self.year}-{self.month:02} {self.name} {self.source}"

    @classmethod
    def parse(cls, text: str) -> StandIn:
        """Read what `text` gave; StateError for anything else."""
        found = _TEXT.fullmatch(text)
        if found is not None:
            year, month, name, source = found.groups()
            for known in get_args(Source):
                if source == known and name in VARIABLES and 1 <= int(month) <= 12:
                    return cls(int(year), int(month), name, known)
        raise StateError(
            f"stand-in {text!r:.100}, expected year-month, a variable, and one of "
            f"{', '.join(get_args(Source))}"
        )


def joined(stand_ins: Iterable[StandIn]) -> str:
    """Put several into one text."""
    return "; ".join(one.text for one in stand_ins)


def parted(text: str) -> tuple[StandIn, ...]:
    """Read what `joined` gave; StateError for anything else."""
    return tuple(map(StandIn.parse, text.split("; "))) if text else ()


def stand_in_note(stand_ins: Iterable[StandIn]) -> str:
    """Say in one sentence how many months the host did not give; "" where it gave all."""
    of = sorted(stand_ins)
    if not of:
        return ""
    years = sorted({one.year for one in of})
    span = str(years[0]) if len(years) == 1 else f"{years[0]} to {years[-1]}"
    counts = [
        f"{sum(one.source == source for one in of)} by {words}"
        for source, words in _WORDS.items()
        if any(one.source == source for one in of)
    ]
    return (
        f"{len(of)} monthly means of {span} were not put, and other months stand in for them: "
        f"{' and '.join(counts)}; the last is {of[-1].name} of {of[-1].year}-{of[-1].month:02}"
    )


_WORDS: dict[Source, str] = {
    "reference": "the reference climate",
    "last_year": "the year before",
}
