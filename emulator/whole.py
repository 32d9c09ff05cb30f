"""Codes that a file may hold in any type of number, as the whole numbers that they are."""

from __future__ import annotations

import numpy as np

from landstep.emulator.classes import first_place
from landstep.emulator.errors import InputError

WHOLE_TOLERANCE = 1e-4
"""How far a code may lie from a whole number: what unpacking leaves of float32. Source: ours."""

LARGEST_CODE = 2**31 - 1


def whole_numbers(
    values: np.ma.MaskedArray,
    where: str,
    expected: str,
    origin: tuple[int, int] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return numbers of any type as integers, and where they are missing.

    values : masked where missing
    where : file and variable, expected : what they are to be, both for the message
    origin : the file's place of the first number, for the message
    returns : integers, and bool, of the same shape. Under the mask stands the number that marks
        it, or -1 where that is none
    Raises InputError for a number that is not whole, or larger than any code.
    """
    data, missing = values.data, np.ma.getmaskarray(values)
    if data.dtype.kind in "iu":
        return data, missing
    nearest = np.rint(data)
    with np.errstate(invalid="ignore"):
        code = (np.abs(data - nearest) <= WHOLE_TOLERANCE) & (np.abs(data) <= LARGEST_CODE)
    broken = ~code & ~missing
    if broken.any():
        raise InputError(
            f"{where}: {data[broken][0]:g} at cell {first_place(broken, origin)} "
            f"({int(broken.sum())} such cells), expected {expected}; was the map interpolated "
            "(take codes from the nearest cell), or a fill value not declared?"
        )
    return np.where(code, nearest, -1).astype(np.int32), missing
