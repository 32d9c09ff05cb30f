"""What a caller may hand over as a map of class numbers, or as any field of whole numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from landstep.emulator.classes import MASKED, first_place
from landstep.emulator.errors import StateError
from landstep.emulator.mapped import row_pieces
from landstep.emulator.owned import Remembered, is_owned, owned_copy

CLASS_NUMBERS = f"class numbers, {MASKED} where not known"


def class_map(value: Any, name: str) -> np.ndarray:
    """Return a map of class numbers that nobody else can change.

    value : (y, x) of whole numbers 0 to 255: an array of any integer type, byte order and stride,
        a nested list, floats that are whole; what is masked, or NaN, is not known
    name : of the value, for the message
    returns : (y, x) uint8, MASKED where not known; the value itself where it is one already
    Raises StateError saying what was found, and what to give.
    """
    return _owned(value, name, np.dtype(np.uint8), CLASS_NUMBERS, MASKED)


def class_maps(value: Any, name: str) -> tuple[np.ndarray, ...]:
    """Return maps of class numbers: a list of them, or an array of three dimensions.

    Raises as `class_map` does.
    """
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
        raise StateError(
            f"{name} is {type(value).__name__}, expected a list of maps (y, x) of {CLASS_NUMBERS}"
        )
    try:
        maps = list(value)
    except TypeError as error:  # an array of no dimensions
        raise StateError(f"{name}: {error}; expected a list of maps (y, x)") from error
    return tuple(class_map(one, f"{name}[{number}]") for number, one in enumerate(maps))


def whole_numbers(value: Any, name: str, dtype: Any) -> np.ndarray:
    """Return a field of whole numbers that nobody else can change.

    value : any shape; nothing in it may be masked
    returns : the same shape, of that dtype
    Raises StateError for anything else, or numbers that the dtype does not hold.
    """
    if np.ma.is_masked(value):
        raise StateError(f"{name} is masked in {np.ma.count_masked(value)} places, expected none")
    return _owned(value, name, np.dtype(dtype), f"{np.dtype(dtype)} numbers")


def check_classes(field: np.ndarray, n_classes: int, name: str, known: Remembered) -> None:
    """Refuse a map that holds a number which is neither a class nor MASKED; StateError.

    field : (y, x) uint8; known : maps that were looked at before, which are not looked at again
    """
    if field in known:
        return
    table = np.zeros(256, bool)
    table[:n_classes] = table[MASKED] = True
    for piece in row_pieces(len(field)):
        fine = table[field[piece]]
        if not fine.all():
            row, col = first_place(~fine, (piece.start, 0))
            raise StateError(
                f"{name}: {int(field[row, col])} at cell ({row}, {col}) is no class number, "
                f"expected 0 to {n_classes - 1}, or {MASKED} where not known; are these a file's "
                "codes? scheme.numbers_from_codes turns them into class numbers"
            )
    known.add(field)


def _owned(
    value: Any, name: str, kind: np.dtype, wanted: str, unknown: int | None = None
) -> np.ndarray:
    """Take a value as it is where it is owned and of the type; else what of it is meant, copied.

    unknown : stands for what is masked or NaN; None: nothing may be
    """
    if is_owned(value) and value.dtype == kind:
        return np.asarray(value)
    plain, hidden = _numbers(value, name, wanted)
    if plain.dtype == kind and not hidden.any():
        return owned_copy(plain, kind)
    limits = np.iinfo(kind)
    if plain.dtype.kind == "f":
        hidden = hidden | np.isnan(plain)
    if unknown is None:
        _refuse(name, plain, hidden, wanted)
    whole = np.where(hidden, 0, plain) if hidden.any() else plain
    if plain.dtype.kind == "f":
        _refuse(name, whole, whole != np.rint(whole), wanted)
    _refuse(name, whole, (whole < limits.min) | (whole > limits.max), wanted)
    if unknown is not None and hidden.any():
        whole = np.where(hidden, unknown, whole)
    return owned_copy(whole, kind)


def _numbers(value: Any, name: str, wanted: str) -> tuple[np.ndarray, np.ndarray]:
    """Read a value as an array of real numbers, and where it is masked: both of one shape."""
    if hasattr(value, "dims") and hasattr(value, "coords"):
        raise StateError(
            f"{name} is {type(value).__name__} with dimensions {tuple(value.dims)}, expected a "
            f"numpy array (y, x), north first, of {wanted}; give its .values, turned where need be"
        )
    try:
        masked = np.ma.asarray(value)
        plain, hidden = np.asarray(masked.data), np.ma.getmaskarray(masked)
    except (TypeError, ValueError) as error:
        raise StateError(f"{name}: {error}; expected an array of {wanted}") from error
    if plain.dtype.kind not in "iuf":
        raise StateError(f"{name} is {plain.dtype} {plain.shape}, expected {wanted}")
    return plain, hidden


def _refuse(name: str, values: np.ndarray, wrong: np.ndarray, wanted: str) -> None:
    if wrong.any():
        place = first_place(np.atleast_1d(wrong))
        found = np.atleast_1d(values)[place]
        raise StateError(
            f"{name}: {found:g} at {place} ({int(wrong.sum())} such), expected {wanted}"
        )
