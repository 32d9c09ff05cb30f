"""What `landstep plot` is told on the command line: years, a region, a format."""

from __future__ import annotations

from landstep.emulator.errors import ConfigError
from landstep.map_places import Box

FORMATS = ("png", "pdf")


def parse_years(text: str) -> list[int]:
    """Read years with commas between them, such as 1850,2015,2100; none where there is no text.

    Raises ConfigError for anything else.
    """
    try:
        return [int(year) for year in text.split(",")] if text.strip() else []
    except ValueError as error:
        raise ConfigError(f"--years {text!r}, expected years like 1850,2015,2100") from error


def parse_region(text: str) -> Box | None:
    """Read a box in degrees, such as -35:5,-75:-34; None where there is no text.

    Raises ConfigError for anything that is not LAT_SOUTH:LAT_NORTH,LON_WEST:LON_EAST.
    """
    if not text.strip():
        return None
    try:
        (south, north), (west, east) = (
            (float(side) for side in pair.split(":")) for pair in text.split(",")
        )
    except ValueError as error:
        raise ConfigError(
            f"--region {text!r}, expected LAT_SOUTH:LAT_NORTH,LON_WEST:LON_EAST in degrees, like "
            "-35:5,-75:-34"
        ) from error
    if not (-90 <= south < north <= 90 and -180 <= west < east <= 180):
        raise ConfigError(
            f"--region {text!r}: expected south before north in -90..90 and west before east in "
            "-180..180"
        )
    return Box(south, north, west, east)


def check_format(text: str) -> str:
    """Give the format back; ConfigError for one that pictures are not written in."""
    if text not in FORMATS:
        raise ConfigError(f"--format {text!r}, expected one of {', '.join(FORMATS)}")
    return text
