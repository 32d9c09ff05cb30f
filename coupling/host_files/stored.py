"""Numbers as a host's file stores them: packed, rounded, with a mark for what is missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from landstep.emulator.encoding import Encoding, filled
from landstep.emulator.errors import InputError

WHOLE_TOLERANCE = 0.01
"""How far a packed type may lie from its number: hosts round it. Ours; WRF files packed to 16 bits
are within 1e-4."""


@dataclass(frozen=True, eq=False)
class Stored:
    """One variable of a file: its stored numbers, and how they are to be read.

    numbers : as stored, native byte order
    attrs : `scale_factor`, `add_offset`, `_FillValue` and the others that CF knows
    where : file and variable, for messages
    """

    numbers: np.ndarray
    attrs: dict[str, Any]
    where: str

    @property
    def values(self) -> np.ndarray:
        """Their values: float64, NaN where missing."""
        return filled(self._encoding.masked(self.numbers)).astype(np.float64)

    @property
    def _encoding(self) -> Encoding:
        return Encoding.of(self.attrs, self.numbers.dtype, self.where)

    def replaced(self, values: np.ndarray, *, types: bool = False) -> np.ndarray:
        """Give stored numbers with new values; where the value is the old one, so is the number.

        values : of the same shape, float64; NaN: as it was
        types : the values are whole numbers, and what is stored must say the same number
        Raises InputError for a value that the file cannot hold: out of the range of its packing,
        the mark of a missing one, or not whole where only whole numbers can be stored.
        """
        moved = np.isfinite(values) & (values != self.values)
        new = self.numbers.copy()
        if not moved.any():
            return new
        wanted = values[moved]
        raw = self._packed(wanted)
        self._check(wanted, raw, types=types)
        new[moved] = raw
        return new

    def _packed(self, wanted: np.ndarray) -> np.ndarray:
        encoding = self._encoding
        kind, scale, offset = encoding.kind, encoding.scale, encoding.offset
        raw = (wanted - offset) / scale
        if kind.kind == "f":
            return raw.astype(kind)
        raw = np.rint(raw)
        limits = np.iinfo(kind)
        beyond = (raw < limits.min) | (raw > limits.max)
        if beyond.any():
            ends = sorted(limit * scale + offset for limit in (limits.min, limits.max))
            raise InputError(
                f"{self.where}: {wanted[beyond][0]:g} cannot be stored: {kind} with the file's "
                f"scale_factor and add_offset holds {ends[0]:g} to {ends[1]:g}; unpack the file "
                "first (ncpdq -U IN OUT)"
            )
        return raw.astype(kind).view(self.numbers.dtype)

    def _check(self, wanted: np.ndarray, raw: np.ndarray, *, types: bool) -> None:
        """Refuse stored numbers that would not be read as what was meant."""
        encoding = self._encoding
        back = filled(encoding.masked(raw)).astype(np.float64)
        missing = ~np.isfinite(back)
        if missing.any():
            fills = [fill.item() for fill in encoding.marks.fills]
            raise InputError(
                f"{self.where}: {wanted[missing][0]:g} would be stored as the file's mark of a "
                f"missing value (one of {fills}); unpack the file first (ncpdq -U IN OUT)"
            )
        whole = types or (raw.dtype.kind in "iu" and encoding.scale == 1.0)
        off = np.abs(back - wanted) > WHOLE_TOLERANCE
        if whole and off.any():
            raise InputError(
                f"{self.where}: {wanted[off][0]:g} is stored as {back[off][0]:g}, which is another "
                "number; unpack the file first (ncpdq -U IN OUT)"
            )


def whole_numbers(values: np.ndarray) -> np.ndarray:
    """Round what packing leaves of whole numbers; what is farther from one stays."""
    whole = np.rint(values)
    return np.where(np.abs(values - whole) <= WHOLE_TOLERANCE, whole, values)
