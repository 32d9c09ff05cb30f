"""Units of elevation: the spellings of metres, and what others look like.

Only metres are taken. A file in another unit is refused with the factor that converts it: what the
attribute says is wrong often enough that nothing is converted unasked.
"""

from __future__ import annotations

import re

GRAVITY = 9.80665
"""Standard acceleration of free fall, m s-2. Source: BIPM, The International System of Units
(2019), appendix 4; geopotential in m2 s-2 divided by it is height in geopotential metres."""

_METRE = r"m|met(?:er|re)s?|mtrs?|m\*\*1|m\^?1|gpm|geopotential met(?:er|re)s?"
_ABOVE = r"a\.?m?\.?s\.?l\.?|(?:above )?(?:mean )?sea[ _-]?level|above (?:the )?geoid"
_METRES = re.compile(rf"(?:{_METRE})(?:[ _,(]*(?:{_ABOVE})\)?)?|masl|mamsl|")

_OTHERS = (
    (
        r"m\*{0,2}\^?2[ ./*]*s\*{0,2}\^?-?2|j[ ./*]*kg\*{0,2}\^?(?:-1)?|m2/m|geopotential",
        "geopotential",
        1 / GRAVITY,
    ),
    (r"dam|dec?ameters?|dec?ametres?|gpdm|gpdam", "decametres", 10.0),
    (r"dm|decimeters?|decimetres?", "decimetres", 0.1),
    (r"cm|centimeters?|centimetres?", "centimetres", 0.01),
    (r"mm|millimeters?|millimetres?", "millimetres", 0.001),
    (r"hm|hectometers?|hectometres?", "hectometres", 100.0),
    (r"km|kilometers?|kilometres?", "kilometres", 1000.0),
    (
        r"ft|feet|foot|ft_?us|us[ _]survey[ _](?:foot|feet)|international[ _]?(?:foot|feet)",
        "feet",
        0.3048,
    ),
    (r"hft|hundreds? (?:of )?f(?:ee|oo)t", "hundreds of feet", 30.48),
    (r"in|inch(?:es)?", "inches", 0.0254),
    (r"yards?|yd", "yards", 0.9144),
    (r"fathoms?", "fathoms", 1.8288),
    (r"(?:statute )?miles?|mi", "miles", 1609.344),
)


def is_metres(units: str) -> bool:
    """Whether a file's units are metres by any usual spelling, or it names none."""
    return _METRES.fullmatch(units.strip().lower().replace("_", " ")) is not None


def other_unit(units: str) -> str:
    """Say what a unit that is not metres looks like, and how to make metres of it."""
    for pattern, name, factor in _OTHERS:
        if re.fullmatch(pattern, units.strip().lower()):
            return (
                f"looks like {name}: multiply by {factor:.8g} and set units to 'm', or, if only "
                "the attribute is wrong, correct it"
            )
    return "convert the file to metres, or, if only the attribute is wrong, correct it"
