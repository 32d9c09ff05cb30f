"""What `landstep plot` is told on the command line: years, a region, a format."""

from __future__ import annotations

from landstep.emulator.box_text import degrees
from landstep.emulator.errors import ConfigError
from landstep.emulator.toml_file import short
from landstep.map_places import Box

FORMATS = ("png", "pdf")


def parse_years(text: str) -> list[int]:
    """Read years with commas between them, such as 1850,2015,2100; none where there is no text.

    Raises ConfigError for anything else.
    """
    try:
        return [int(year) for year in text.split(",")] if text.strip() else []
    except ValueError as error:
        raise ConfigError(
            f"--years {short(text)}, expected years with commas between, like --years "
            "1850,2015,2100"
        ) from error


def parse_region(text: str) -> Box | None:
    """Read a box in degrees, such as -35:5,-75:-34; None where there is no text.

    Raises ConfigError for anything that is not LAT_SOUTH:LAT_NORTH,LON_WEST:LON_EAST.
    """
    return Box(*degrees(text, "--region")) if text.strip() else None


def check_format(text: str) -> str:
    """Give the format back; ConfigError for one that pictures are not written in."""
    if text not in FORMATS:
        raise ConfigError(f"--format {text!r}, expected one of {', '.join(FORMATS)}")
    return text
