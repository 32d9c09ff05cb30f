"""A region as it is typed: LAT_SOUTH:LAT_NORTH,LON_WEST:LON_EAST in degrees."""

from __future__ import annotations

import math

from landstep.emulator.errors import ConfigError
from landstep.emulator.toml_file import short

FORM = "LAT_SOUTH:LAT_NORTH,LON_WEST:LON_EAST in degrees"
EXAMPLE = "36:44,-10:4"


def degrees(text: str, what: str) -> tuple[float, float, float, float]:
    """Read a region.

    what : the option, for messages
    returns : south, north, west, east
    Raises ConfigError, with the form, for another form, or sides that are no box within -90..90
    and -180..180.
    """
    given = f"{what} {short(text)}"
    form = f"expected {FORM}, like {what}={EXAMPLE}"
    pairs = [pair.split(":") for pair in text.split(",")]
    if [len(pair) for pair in pairs] != [2, 2]:
        raise ConfigError(f"{given}: {form}")
    sides = []
    for side in (side for pair in pairs for side in pair):
        try:
            sides.append(float(side))
        except ValueError:
            raise ConfigError(f"{given}: {short(side)} is no number; {form}") from None
        if not math.isfinite(sides[-1]):
            raise ConfigError(f"{given}: {short(side)} is no place; {form}")
    south, north, west, east = sides
    wrong = ""
    if not (-90 <= south <= 90 and -90 <= north <= 90):
        swapped = -90 <= west <= 90 and -90 <= east <= 90
        wrong = f"latitudes {south:g}:{north:g} lie outside -90..90" + (
            "; latitude comes first, then longitude" if swapped else ""
        )
    elif not (-180 <= west <= 180 and -180 <= east <= 180):
        wrong = f"longitudes {west:g}:{east:g} lie outside -180..180; west of Greenwich is negative"
    elif south >= north:
        wrong = f"south {south:g} is not below north {north:g}"
    elif west >= east:
        wrong = (
            f"west {west:g} is not below east {east:g}; a region across 180 degrees is made in two "
            "parts"
        )
    if wrong:
        raise ConfigError(f"{given}: {wrong}; {form}")
    return south, north, west, east
