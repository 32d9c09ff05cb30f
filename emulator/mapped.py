"""Maps that hold land only: large ones lie in a file without a name, the sea as holes in it.

A map of the whole Earth at 1 km has 0.9 billion cells, two thirds of them sea. Its zeros are never
written, so that neither memory nor disk holds them, and what is written the system may put aside.
The file goes when the map does, and it has no name that a killed run could leave behind.
"""

from __future__ import annotations

import mmap
import os
import tempfile
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from landstep.emulator.errors import InputError

Maps = Sequence[np.ndarray] | np.ndarray
"""Some maps (y, x), or an array of them (n, y, x)."""

IN_MEMORY_BYTES = 2**28
"""A map of fewer bytes is an ordinary array."""

ROWS_AT_ONCE = 1024
"""Rows of a map to work on at a time."""

_COLUMNS = 4096
"""Columns that are written or left out together: about a page of memory of a map of bytes."""


def zeros(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """Give a map of zeros that takes no memory until something is put into it.

    Raises InputError where the folder for temporary files (TMPDIR) has no room for a file.
    """
    kind = np.dtype(dtype)
    size = int(np.prod(shape)) * kind.itemsize
    if size < IN_MEMORY_BYTES:
        return np.zeros(shape, kind)
    folder = os.environ.get("TMPDIR") or "/tmp"
    try:
        with tempfile.TemporaryFile(dir=folder, prefix=".landstep-", buffering=0) as file:
            file.truncate(size)
            memory = mmap.mmap(file.fileno(), size)
    except OSError as error:
        raise InputError(
            f"{folder}: no room for a map of {size / 2**30:.1f} GiB: {error.strerror}; set TMPDIR "
            "to a folder on a disk with room"
        ) from error
    return np.frombuffer(memory, kind).reshape(shape)


def put(field: np.ndarray, top: int, left: int, values: np.ndarray) -> None:
    """Put a piece into a map made by `zeros`; where both are zero nothing is touched.

    field : (y, x), zero where nothing was put yet; values : (rows, columns) of the same dtype
    """
    rows, columns = values.shape
    if field.nbytes < IN_MEMORY_BYTES:
        field[top : top + rows, left : left + columns] = values
        return
    for start in range(0, columns, _COLUMNS):
        piece = values[:, start : start + _COLUMNS]
        held = np.flatnonzero(piece.any(axis=1))
        if held.size:
            first, last = int(held[0]), int(held[-1]) + 1
            into = np.s_[top + first : top + last, left + start : left + start + piece.shape[1]]
            field[into] = piece[first:last]


def row_pieces(rows: int) -> Iterator[slice]:
    """Cut rows into pieces to work on one after the other."""
    for start in range(0, rows, ROWS_AT_ONCE):
        yield slice(start, min(start + ROWS_AT_ONCE, rows))
