"""How a variable's stored numbers become values: the one place that knows CF's attributes of it.

Source: CF conventions 1.11, sections 2.2 (signs), 2.5.1 (missing data) and 8.1 (packed data).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from landstep.emulator.attributes import numbers, text
from landstep.emulator.errors import InputError
from landstep.emulator.missing import LIMITS, Marks, marks, says_unsigned


@dataclass(frozen=True)
class Encoding:
    """How stored numbers are to be read.

    kind : their type in the machine's byte order, unsigned where the file says so
    marks : which of them are missing
    scale, offset : value = number x scale + offset
    """

    kind: np.dtype
    marks: Marks
    scale: float
    offset: float

    @classmethod
    def of(
        cls, attrs: Mapping[str, Any], dtype: np.dtype, where: str, *, limits: bool = True
    ) -> Encoding:
        """Find it from a variable's attributes.

        dtype : of the stored numbers
        where : file and variable, for messages
        limits : False where `valid_range` and its like are not looked at: a coordinate has no
            missing values, and these attributes often are those of another file
        Raises InputError, with `where` in front, for data that are no numbers, and for an
        attribute that is not what CF says, with what was found and expected.
        """
        if dtype.kind not in "fiu":
            raise InputError(f"{where}: {kind_words(dtype)}, expected numbers")
        if not limits:
            attrs = {name: value for name, value in attrs.items() if name not in LIMITS}
        kind = _kind(attrs, dtype.newbyteorder("="), where)
        scale = _factor(attrs, "scale_factor", 1.0, where)
        offset = _factor(attrs, "add_offset", 0.0, where)
        if scale == 0:
            raise InputError(f"{where}: attribute scale_factor is 0, expected another number")
        signed = kind.kind == "u" and dtype.kind == "i"
        found = marks(attrs, kind, where, (scale, offset), signed=signed)
        return cls(kind, found, scale, offset)

    @property
    def packed(self) -> bool:
        """Whether values are other numbers than those that are stored."""
        return (self.scale, self.offset) != (1.0, 0.0)

    def stored(self, numbers: np.ndarray) -> np.ndarray:
        """Return stored numbers in the machine's byte order, with the sign that they have."""
        native = numbers.astype(numbers.dtype.newbyteorder("="), copy=False)
        return native if native.dtype == self.kind else native.view(self.kind)

    def masked(self, numbers: np.ndarray) -> np.ma.MaskedArray:
        """Return the values of stored numbers, masked where they are missing.

        numbers : any shape, as in the file
        returns : an array of its own. Floats: the same precision. Packed integers: float64. Other
            integers: the same type. Under the mask stands the value of the number that marks it.
        """
        native = self.stored(numbers)
        missing = self.marks.missing(native)
        if not self.packed:
            return np.ma.MaskedArray(native.copy(), missing)
        data = native.astype(np.float64) if native.dtype.kind in "iu" else native
        with np.errstate(over="ignore", invalid="ignore"):  # of the marks
            data = data * data.dtype.type(self.scale) + data.dtype.type(self.offset)
        return np.ma.MaskedArray(data, missing)


def filled(values: np.ma.MaskedArray) -> np.ndarray:
    """Return values with NaN where they are masked: floats in their precision, integers float64."""
    data = values.data if values.dtype.kind == "f" else values.data.astype(np.float64)
    data[np.ma.getmaskarray(values)] = np.nan
    return data


def kind_words(dtype: np.dtype) -> str:
    """Say what data are that are no numbers."""
    if dtype.kind in "SUO":
        return "text"
    if dtype.kind == "V":
        return "records of several numbers (a compound type)"
    return "complex numbers" if dtype.kind == "c" else f"{dtype} values"


def _kind(attrs: Mapping[str, Any], dtype: np.dtype, where: str) -> np.dtype:
    """Type of the numbers with the sign that the file gives them."""
    if dtype.kind not in "iu":
        return dtype
    said = text(attrs, "_Unsigned").lower()
    if said not in ("", "true", "false"):
        raise InputError(f"{where}: attribute _Unsigned is {said!r}, expected 'true' or 'false'")
    unsigned = said == "true" or (not said and dtype == np.int8 and says_unsigned(attrs))
    sign = "u" if unsigned else "i" if said == "false" else dtype.kind
    return np.dtype(f"{sign}{dtype.itemsize}")


def _factor(attrs: Mapping[str, Any], name: str, default: float, where: str) -> float:
    if name not in attrs:
        return default
    value = attrs[name]
    found = None if isinstance(value, str | bytes | list) else numbers(value)
    if found is None or len(found) != 1 or not np.isfinite(found[0]):
        shown = value.tolist() if isinstance(value, np.ndarray) else value
        raise InputError(
            f"{where}: attribute {name} is {shown!r}, expected one number; correct it "
            f"(ncatted -a {name},VARIABLE,o,d,NUMBER FILE)"
        )
    return float(found[0])
