"""What stands in for months that a host did not give: as text, in the climate, in the restart."""

from __future__ import annotations

import numpy as np
import pytest

from landstep.emulator.climate import Climate, heard
from landstep.emulator.errors import StateError
from landstep.emulator.stand_ins import StandIn, joined, parted, stand_in_note

AIR, RAIN = "air_temperature", "precipitation_flux"
MAY = StandIn(2016, 5, AIR, "reference")
JULY = StandIn(2017, 7, RAIN, "last_year")


def a_year() -> dict[str, np.ndarray]:
    return {AIR: np.full((12, 2, 3), 280.0)}


def test_they_are_read_as_they_were_written() -> None:
    assert joined([MAY, JULY]) == "2016-05 air_temperature reference; " + JULY.text
    assert parted(joined([MAY, JULY])) == (MAY, JULY)
    assert parted("") == ()


@pytest.mark.parametrize(
    "text",
    [
        "2016-05",
        "2016-13 air_temperature reference",
        "2016-05 tas reference",
        "2016-05 air_temperature guess",
        "2016-05 air_temperature reference;",
    ],
)
def test_a_text_that_says_none_is_refused(text: str) -> None:
    with pytest.raises(StateError, match="stand-in .*expected year-month, a variable"):
        parted(text)


def test_the_note_counts_them_by_what_stands_in() -> None:
    assert stand_in_note([]) == ""
    note = stand_in_note([JULY, MAY, StandIn(2016, 6, AIR, "reference")])
    for fact in ("3 monthly means of 2016 to 2017", "2 by the reference", "1 by the year before"):
        assert fact in note
    assert note.endswith("precipitation_flux of 2017-07")


def test_a_climate_holds_those_of_its_thirty_years() -> None:
    climate: Climate | None = None
    for year in range(2001, 2040):
        of_year = [StandIn(year, 2, AIR, "reference")] if year in (2001, 2010, 2039) else []
        climate = heard(climate, year, a_year(), of_year)
    assert climate is not None
    assert [one.year for one in climate.stand_ins] == [2010, 2039]


def test_they_are_part_of_what_a_climate_is() -> None:
    """And one without any is what it was before they were known."""
    plain, noted = heard(None, 2016, a_year()), heard(None, 2016, a_year(), [MAY])
    assert plain.identity() == {"variables": (AIR,), "last": 2016, "years": 1}
    assert noted.identity() != plain.identity()
