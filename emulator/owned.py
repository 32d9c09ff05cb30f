"""Arrays that nobody but landstep can change, known by identity.

A read-only array proves nothing: whoever made it may hold another, writable view of its memory. So
what was copied here, or made here and handed over with `take`, is remembered, and all else copied.
"""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np

from landstep.emulator.mapped import put, row_pieces, zeros


class Remembered:
    """Arrays that something was found of; one that nobody holds any more is forgotten."""

    def __init__(self) -> None:
        """Begin with none."""
        self._arrays: weakref.WeakValueDictionary[int, np.ndarray] = weakref.WeakValueDictionary()

    def add(self, array: np.ndarray) -> None:
        """Remember an array."""
        self._arrays[id(array)] = array

    def __contains__(self, array: object) -> bool:
        """Tell whether it is remembered, and still read-only."""
        found = self._arrays.get(id(array))
        return found is not None and found is array and not found.flags.writeable


_OWNED = Remembered()


def is_owned(array: object) -> bool:
    """Tell whether an array is one that `take` or `owned_copy` returned."""
    return array in _OWNED


def take(array: np.ndarray) -> np.ndarray:
    """Take over an array that was just made, and that no caller holds; nothing is copied.

    returns : a read-only view, which stays the same object wherever it is handed on
    """
    if array in _OWNED:
        return array
    base: Any = array
    while isinstance(base, np.ndarray):  # so that no view of it can be made writable again
        base.setflags(write=False)
        base = base.base
    view = array.view(np.ndarray)
    _OWNED.add(view)
    return view


def owned_copy(array: np.ndarray, dtype: Any) -> np.ndarray:
    """Copy an array in C order and the machine's byte order, and take the copy.

    array : of numbers that `dtype` holds; a map (y, x) of the whole Earth is copied piece by piece,
        its zeros as holes
    """
    if array.ndim != 2:
        return take(np.array(array, dtype, order="C"))
    field = zeros(array.shape, dtype)
    for piece in row_pieces(len(array)):
        put(field, piece.start, 0, np.asarray(array[piece], dtype))
    return take(field)


class Owner:
    """A frozen dataclass that copies arrays in `__post_init__`, and out of a pickle or deep copy.

    Arrays that come from there are new and writable.
    """

    def __setstate__(self, values: dict[str, Any]) -> None:
        """Take the values as a call of the class does."""
        for name, value in values.items():
            object.__setattr__(self, name, value)
        self.__post_init__()

    def __post_init__(self) -> None:
        """Copy arrays that a caller could change."""
