"""What a restart file must hold before anything of it is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from landstep.emulator.errors import StateError
from landstep.emulator.netcdf import NetcdfFile
from landstep.emulator.strict_json import strict_json

MOST = 255
"""Maps of a history, and groups of a debt: more than any network or scheme has."""

LEAST = 4096
"""Coarse cells that any restart may have; more only where its map has as many cells."""


def check_variables(file: NetcdfFile, arrays: Mapping[str, tuple[Any, tuple[str, ...]]]) -> None:
    """Refuse a file whose arrays are missing, of another type, or too large for its map.

    arrays : name -> (type, dimensions)
    Raises StateError naming the variable, what was found and what was expected.
    """
    sizes: dict[str, int] = {}
    for name, (kind, dims) in arrays.items():
        if name not in file.names():
            raise StateError(f"{name} is missing, found {file.names()}")
        shape, dtype = file.shape(name), file.dtype(name)
        if dtype != kind or len(shape) != len(dims):
            raise StateError(
                f"{name} is {dtype} {shape}, expected {np.dtype(kind)} ({', '.join(dims)})"
            )
        for dim, size in zip(dims, shape, strict=True):
            if sizes.setdefault(dim, size) != size:
                raise StateError(f"{name}: {dim} has size {size}, elsewhere {sizes[dim]}")
    for dim in ("history", "group"):
        if not 0 < sizes[dim] <= MOST:
            raise StateError(f"dimension {dim} has size {sizes[dim]}, expected 1 to {MOST}")
    coarse, most = sizes["coarse_y"] * sizes["coarse_x"], max(LEAST, sizes["y"] * sizes["x"])
    if not 0 < coarse <= most:
        raise StateError(f"debt is on {coarse} coarse cells, expected 1 to {most}")


def integer_attribute(attributes: Mapping[str, Any], name: str) -> int:
    """Return an attribute that is a whole number; StateError for anything else."""
    value = _there(attributes, name)
    if not isinstance(value, int | np.integer) or isinstance(value, bool):
        raise StateError(f"attribute {name} is {value!r:.100}, expected a whole number")
    return int(value)


def text_attribute(attributes: Mapping[str, Any], name: str) -> str:
    """Return an attribute that is text; StateError for anything else."""
    value = _there(attributes, name)
    if not isinstance(value, str):
        raise StateError(f"attribute {name} is {value!r:.100}, expected text")
    return value


def notes_attribute(attributes: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return an attribute that is a JSON object; StateError for anything else."""
    text = text_attribute(attributes, name)
    try:
        found = strict_json(text)
    except ValueError as error:
        raise StateError(f"attribute {name} is no JSON ({error}): {text!r:.100}") from error
    if not isinstance(found, dict):
        raise StateError(f"attribute {name} is {text!r:.100}, expected a JSON object")
    return found


def _there(attributes: Mapping[str, Any], name: str) -> Any:
    if name not in attributes:
        raise StateError(f"attribute {name} is missing, found {sorted(attributes)}")
    return attributes[name]
