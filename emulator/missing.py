"""Missing values: from the many ways in which files mark them to NaN."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np

_LOG = logging.getLogger(__name__)
_FILL_NAMES = ("fillvalue", "missingvalue")  # attribute names without '_', in lower case
_PROPER_NAMES = ("_FillValue", "missing_value")

DEFAULT_FLOAT_FILL = 9.969209968386869e36
"""What the library puts where nothing was written. Source: NC_FILL_FLOAT in netcdf.h."""

USUAL_FILLS = (-99.0, -999.0, -9999.0, -99999.0, -32768.0, -32767.0, 32767.0, 65535.0)
"""Numbers that often stand for "missing" in files that do not say so."""


def fill_values(attrs: dict[str, Any], dtype: np.dtype, where: str) -> list[np.ndarray]:
    """Numbers that a variable's attributes declare to mean "missing".

    attrs : attributes; `_FillValue` comes first, then `missing_value` and misspelt forms such as
        LUH2's `_Fillvalue`, which are taken as meant and logged
    dtype : of the stored data; the numbers are rounded to it, as the data were
    returns : scalars of that dtype; none for text
    """
    found: list[np.ndarray] = []
    if dtype.kind not in "fiu":
        return found
    for key in sorted(attrs, key=lambda key: key != "_FillValue"):
        if key.replace("_", "").lower() not in _FILL_NAMES:
            continue
        if key not in _PROPER_NAMES:
            _LOG.info("%s: attribute %r is read as _FillValue", where, key)
        try:
            numbers = np.atleast_1d(np.asarray(attrs[key], dtype=np.float64))
        except (TypeError, ValueError):
            _LOG.info("%s: attribute %s is not a number, ignored", where, key)
            continue
        found += [number.astype(dtype) for number in numbers if _fits(number, dtype)]
    return found


def decoded(stored: np.ndarray, attrs: dict[str, Any], where: str) -> np.ndarray:
    """Stored numbers as an array of the machine's byte order, with missing values as NaN.

    stored : any shape and dtype, as in the file
    returns : floats: the same precision, missing NaN. Integers packed by `scale_factor` and
        `add_offset`: float64, missing NaN. Other integers and text: unchanged.
    """
    if stored.dtype.kind not in "fiu":
        return stored
    data = stored.astype(stored.dtype.newbyteorder("="), copy=True)
    scale = float(attrs.get("scale_factor", 1.0))
    offset = float(attrs.get("add_offset", 0.0))
    packed = (scale, offset) != (1.0, 0.0)
    if data.dtype.kind in "iu" and not packed:
        return data
    fills = fill_values(attrs, data.dtype, where)
    if data.dtype.kind == "f":
        fills.append(np.asarray(DEFAULT_FLOAT_FILL, np.float32).astype(data.dtype))
    missing = np.zeros(data.shape, dtype=bool)
    for value in fills:
        missing |= data == value
    if data.dtype.kind in "iu":
        data = data.astype(np.float64)
    if packed:
        data = data * data.dtype.type(scale) + data.dtype.type(offset)
    data[missing] = np.nan
    return data


def looks_like_fill(value: float) -> bool:
    """Whether a number in the data is more likely an undeclared fill value than a measurement."""
    return bool(abs(value) > 1e9 or value in USUAL_FILLS)


def _fits(number: np.floating, dtype: np.dtype) -> bool:
    """Whether a fill value can be told from others in the stored type."""
    if dtype.kind == "f":
        return True
    info = np.iinfo(dtype)
    return bool(np.isfinite(number) and info.min <= number <= info.max)
