"""Attributes of NetCDF variables, which files write in more ways than conventions name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

Number = int | float


def text(attrs: Mapping[str, Any], name: str, default: str = "") -> str:
    """Return an attribute as text, without the blanks and NUL that pad it.

    attrs : attributes; name : of one of them
    default : what is returned where it is not there
    returns : an array or a list of one becomes its entry, of more their words in a row; a number
        becomes its figures
    """
    value = attrs.get(name, default)
    if isinstance(value, list | tuple | np.ndarray):
        entries = np.ravel(np.asarray(value, dtype=object)).tolist()
        return " ".join(_word(entry) for entry in entries)
    return _word(value)


def numbers(value: Any) -> list[Number] | None:
    """Return the numbers that an attribute holds; None where it holds anything else.

    value : a number, an array or a list of them, or text such as "-9999" or "0, 100"
    returns : whole ones as int, exact in any size
    """
    if isinstance(value, str | bytes):
        words = [word for word in re.split(r"[\s,;]+", _word(value).strip("[](){}")) if word]
    else:
        found = np.ravel(np.asarray(value))
        if found.dtype.kind in "iufb":
            return found.tolist() or None
        words = [_word(entry) for entry in found.tolist()]
    if not words:
        return None
    try:
        return [_number(word) for word in words]
    except ValueError:
        return None


def _word(value: Any) -> str:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return str(value).strip(" \t\r\n\0")


def _number(word: str) -> Number:
    try:
        whole = int(word)
    except ValueError:
        return float(word)
    return whole if abs(whole) < 2**64 else float(word)
