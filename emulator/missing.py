"""Which stored numbers mean "missing": the many ways in which files say so.

Source: CF conventions 1.11, sections 2.2, 2.5.1 and 8.1; NetCDF Users Guide, "Attribute
Conventions", for limits in unpacked units and the default fill values.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from landstep.emulator.attributes import Number, numbers
from landstep.emulator.errors import InputError

_LOG = logging.getLogger(__name__)
_FILL_NAMES = ("fillvalue", "missingvalue")  # attribute names without '_', in lower case
_PROPER_NAMES = ("_FillValue", "missing_value")

LIMITS = ("valid_range", "valid_min", "valid_max")
"""Attributes that say between which numbers values lie; what lies outside is missing."""

DEFAULT_FLOAT_FILL = 9.969209968386869e36
"""What the library puts where nothing was written. Source: NC_FILL_FLOAT in netcdf.h."""

DEFAULT_FILLS = {
    "i2": -(2**15) + 1,
    "u2": 2**16 - 1,
    "i4": -(2**31) + 1,
    "u4": 2**32 - 1,
    "i8": -(2**63) + 2,
    "u8": 2**64 - 2,
}
"""The same for whole numbers; bytes have none, since every byte may be a value. Source: NC_FILL_*
in netcdf.h."""

USUAL_FILLS = (-99.0, -999.0, -9999.0, -99999.0, -32768.0, -32767.0, 32767.0, 65535.0)
"""Numbers that often stand for "missing" in files that do not say so."""

LARGE = 1e9
"""No measurement that landstep reads is larger, in any unit."""

SAME_FILL = 1e-5
"""How far, as a share of it, a number may lie from a declared fill value beyond LARGE: files name
1e20 for what float32 stores as 1.00000002e20, or write -3.40282e+38 with six figures."""

LIMIT_ROUNDING = 1e-6
"""How far, as a share of the larger limit, a float may lie outside: rounding, and no mark. Models
write fractions of -1e-9 and 1.0000001, which the checks of a field deal with."""

_ROUNDING = 0.01  # of a step of packed numbers, in limits that are given unpacked


@dataclass(frozen=True)
class Marks:
    """Stored numbers that mean "missing".

    fills : declared ones, and the library's own
    low, high : limits of valid numbers, or None
    """

    fills: tuple[Any, ...]
    low: Number | None = None
    high: Number | None = None

    def missing(self, stored: np.ndarray) -> np.ndarray:
        """Tell which stored numbers are missing: bool of the same shape; NaN is."""
        floats = stored.dtype.kind == "f"
        missing = np.isnan(stored) if floats else np.zeros(stored.shape, dtype=bool)
        with np.errstate(invalid="ignore", over="ignore"):
            has_large = floats and bool((np.abs(stored) > LARGE).any())
            for fill in self.fills:
                missing |= stored == fill
                if has_large and LARGE < abs(fill) < np.inf:
                    missing |= np.abs(stored - fill) <= SAME_FILL * abs(fill)
        if self.low is not None:
            missing |= stored < self.low
        if self.high is not None:
            missing |= stored > self.high
        return missing


def marks(
    attrs: Mapping[str, Any],
    kind: np.dtype,
    where: str,
    packing: tuple[float, float] = (1.0, 0.0),
    *,
    signed: bool = False,
) -> Marks:
    """Find what marks a missing value, from a variable's attributes.

    attrs : `_FillValue` and `missing_value`, each one number or several, and misspelt forms such
        as LUH2's `_Fillvalue`, which are taken as meant and logged; `valid_range`, `valid_min`,
        `valid_max`, in stored numbers, or, as floating-point numbers for packed integers, unpacked
    kind : of the stored numbers, as they are read (unsigned where `_Unsigned` says so)
    packing : scale and offset
    signed : the file stores, and names, unsigned numbers as signed ones of the same bits
    Raises InputError naming the attribute where a limit is no number, or the limits leave nothing.
    """
    low, high = _limits(attrs, kind, where, packing, signed)
    return Marks(tuple(fill_values(attrs, kind, where)), low, high)


def fill_values(attrs: Mapping[str, Any], kind: np.dtype, where: str) -> list[np.generic]:
    """Numbers that mean "missing" wherever they stand.

    attrs, kind : as in `marks`; declared numbers are rounded to that type, as the data were
    returns : scalars of that type: `_FillValue`, then the others that are declared, then what the
        library puts where nothing was written; none for text
    """
    found: list[np.generic] = []
    if kind.kind not in "fiu":
        return found
    for key in sorted(attrs, key=lambda key: key != "_FillValue"):
        if key.replace("_", "").lower() not in _FILL_NAMES:
            continue
        if key not in _PROPER_NAMES:
            _LOG.info("%s: attribute %r is read as _FillValue", where, key)
        declared = numbers(attrs[key])
        if declared is None:
            _LOG.info("%s: attribute %s is not a number, ignored", where, key)
            continue
        found += [fill for number in declared if (fill := _stored(number, kind)) is not None]
    if kind.kind == "f":
        found.append(np.float32(DEFAULT_FLOAT_FILL).astype(kind))
    elif not found and (default := DEFAULT_FILLS.get(f"{kind.kind}{kind.itemsize}")) is not None:
        found.append(kind.type(default))
    return found


def says_unsigned(attrs: Mapping[str, Any]) -> bool:
    """Whether limits of a byte say that it has no sign (CF 1.11, section 2.2: 0 to 255)."""
    tops = [numbers(attrs[name]) for name in ("valid_range", "valid_max") if name in attrs]
    return any(top is not None and 127 < top[-1] <= 255 for top in tops)


def looks_like_fill(value: float) -> bool:
    """Whether a number in the data is more likely an undeclared fill value than a measurement."""
    return bool(abs(value) > LARGE or value in USUAL_FILLS)


def _stored(number: Number, kind: np.dtype) -> Any:
    """Return a declared number as it is stored; None where no stored number can be equal to it.

    -1 and 255 are the same byte: a number that fits only with, or only without, a sign is taken so.
    """
    if kind.kind == "f":
        with np.errstate(over="ignore"):
            return np.asarray(number, np.float64).astype(kind)[()]
    if not np.isfinite(number) or number != int(number):
        return None
    whole, bits, limits = int(number), 8 * kind.itemsize, np.iinfo(kind)
    if not limits.min <= whole <= limits.max:
        if not -(2 ** (bits - 1)) <= whole < 2**bits:
            return None
        whole += 2**bits if whole < limits.min else -(2**bits)
    return kind.type(whole)


def _limits(
    attrs: Mapping[str, Any],
    kind: np.dtype,
    where: str,
    packing: tuple[float, float],
    signed: bool,
) -> tuple[Number | None, Number | None]:
    lows: list[Number] = []
    highs: list[Number] = []
    for name in LIMITS:
        if name not in attrs:
            continue
        found, size = numbers(attrs[name]), 2 if name == "valid_range" else 1
        if found is None or len(found) != size:
            what = "two numbers" if size == 2 else "a number"
            raise InputError(
                f"{where}: attribute {name} is {_short(attrs[name])}, expected {what}; correct it, "
                f"or remove it (ncatted -a {name},VARIABLE,d,, FILE)"
            )
        low, high = found[0], found[-1]
        if kind.kind in "iu" and np.asarray(attrs[name]).dtype.kind == "f" and packing != (1, 0):
            low, high = _packed(low, high, packing)
        elif signed:
            low, high = (_unsigned(number, kind, attrs[name]) for number in (low, high))
        if name != "valid_max" and not np.isnan(low):
            lows.append(low)
        if name != "valid_min" and not np.isnan(high):
            highs.append(high)
    slack = LIMIT_ROUNDING * (max(map(abs, [*lows[:1], *highs[:1]]), default=0) or 1)
    slack = slack if kind.kind == "f" and np.isfinite(slack) else 0
    least = _rounded(max(lows) - slack, kind, np.ceil) if lows else None
    most = _rounded(min(highs) + slack, kind, np.floor) if highs else None
    if least is not None and most is not None and least > most:
        said = ", ".join(f"{name} {_short(attrs[name])}" for name in LIMITS if name in attrs)
        raise InputError(
            f"{where}: {said}: no number lies between them, expected the lower one first"
        )
    return least, most


def _packed(low: Number, high: Number, packing: tuple[float, float]) -> tuple[Number, Number]:
    """Return limits in stored numbers that are given in unpacked ones."""
    scale, offset = packing
    ends = sorted(((low - offset) / scale, (high - offset) / scale))
    return float(np.ceil(ends[0] - _ROUNDING)), float(np.floor(ends[1] + _ROUNDING))


def _unsigned(number: Number, kind: np.dtype, value: Any) -> Number:
    declared = np.asarray(value).dtype
    if number < 0 and declared.kind == "i" and declared.itemsize == kind.itemsize:
        return number + 2 ** (8 * kind.itemsize)
    return number


def _rounded(limit: Number, kind: np.dtype, inward: Any) -> Number | None:
    """Return a limit as a number that stored ones compare with exactly; None: it limits nothing."""
    if kind.kind == "f":
        with np.errstate(over="ignore"):
            return float(np.asarray(limit, np.float64).astype(kind))
    ends = np.iinfo(kind)
    if np.isinf(limit):
        return None if (limit < 0) == (inward is np.ceil) else int(ends.max if limit > 0 else 0)
    whole = limit if isinstance(limit, int) else int(inward(limit))
    if inward is np.ceil:
        return None if whole <= ends.min else min(whole, int(ends.max))
    return None if whole >= ends.max else max(whole, int(ends.min))


def _short(value: Any) -> str:
    said = repr(value.tolist() if isinstance(value, np.ndarray) else value)
    return said if len(said) <= 60 else said[:57] + "..."
