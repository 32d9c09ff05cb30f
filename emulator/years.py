"""Calendar years as a caller gives them."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from landstep.emulator.errors import LandstepError, StepError

LARGEST_YEAR = 2**31 - 1
"""Files hold years as integers of 32 bits."""


def calendar_year(value: Any, name: str = "year", error: type[LandstepError] = StepError) -> int:
    """Return a year as Python's integer.

    value : an integer of any kind: Python's, numpy's, an array of one and no dimensions
    name : of the value, for the message
    Raises `error` for anything else, a float, text or a truth value among them, and for a year that
    a file cannot hold.
    """
    try:
        if isinstance(value, bool | np.bool_) or getattr(value, "dtype", None) == np.bool_:
            raise TypeError
        year = operator.index(value)
    except TypeError:
        kind = type(value).__name__
        raise error(
            f"{name} is {value!r} ({kind}), expected an integer, e.g. 2015; "
            + (f"give int({name})" if kind.startswith(("float", "str")) else "give its year")
        ) from None
    if abs(year) > LARGEST_YEAR:
        raise error(f"{name} is {year}, expected at most {LARGEST_YEAR} either way")
    return year
