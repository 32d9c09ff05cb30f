"""Numbers of another program's file, of the shape and kind that is expected."""

from __future__ import annotations

import numpy as np

from landstep.emulator.errors import InputError
from landstep.emulator.netcdf import NetcdfFile


def check_numbers(file: NetcdfFile, name: str, expected: str = "numbers") -> None:
    """Refuse a variable of text, or of a kind that is no plain number. Nothing is read.

    Raises InputError naming file, variable, what it holds, and what was `expected`.
    """
    kind = file.dtype(name)
    if kind.kind not in "fiu":
        found = "text" if kind.kind in "OSU" else str(kind)
        raise InputError(f"{file.path}, {name}: holds {found}, expected {expected}")


def read_numbers(
    file: NetcdfFile, name: str, shape: tuple[int, ...] | None = None, expected: str = "numbers"
) -> np.ndarray:
    """Read a variable as float64; NaN where missing.

    shape : that it must have, looked at before anything is read; None: any
    Raises InputError naming file, variable, what was found and what was expected: for text, another
    shape, or what the file cannot give.
    """
    check_numbers(file, name, expected)
    found = file.shape(name)
    if shape is not None and found != shape:
        raise InputError(f"{file.path}, {name}: shape {found}, expected {shape}")
    return file.read(name).astype(np.float64)
