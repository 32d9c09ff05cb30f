"""What a coupler keeps in a restart beside the land: arrays of a host's points, and notes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from landstep.emulator.errors import StateError
from landstep.emulator.netcdf import NetcdfFile, Variable
from landstep.emulator.owned import Owner, is_owned, owned_copy
from landstep.emulator.restart_checks import notes_attribute

PREFIX = "kept_"
NOTES = "kept_notes"


@dataclass(frozen=True, eq=False)
class Kept(Owner):
    """Arrays and notes that the emulator stores and gives back, and does not read.

    arrays : name -> array of numbers, none of size 0
    notes : name -> what JSON can hold
    """

    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)
    notes: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Take copies, which a caller cannot change."""
        arrays = {
            name: array if is_owned(array) else owned_copy(array, array.dtype.newbyteorder("="))
            for name, array in self.arrays.items()
        }
        object.__setattr__(self, "arrays", arrays)
        object.__setattr__(self, "notes", dict(self.notes))

    def __bool__(self) -> bool:
        """Tell whether there is anything."""
        return bool(self.arrays or self.notes)

    def identity(self) -> dict[str, Any]:
        """Give what names it in a checksum, besides the arrays' own bytes."""
        shapes = {name: [a.dtype.str, list(a.shape)] for name, a in sorted(self.arrays.items())}
        return {"arrays": shapes, "notes": dict(self.notes)}

    def pieces(self) -> list[np.ndarray]:
        """Give the arrays in the order of their names, contiguous."""
        return [np.ascontiguousarray(self.arrays[name]) for name in sorted(self.arrays)]

    def sizes(self) -> dict[str, int | None]:
        """Give the size of each dimension in a file."""
        return {
            dim: size
            for name, array in self.arrays.items()
            for dim, size in zip(_dims(name, array.ndim), array.shape, strict=True)
        }

    def variables(self) -> list[Variable]:
        """Give the arrays as they stand in a file."""
        return [
            Variable(PREFIX + name, _dims(name, array.ndim), array, {})
            for name, array in self.arrays.items()
        ]

    def attributes(self) -> dict[str, Any]:
        """Give the notes as they stand in a file."""
        return {NOTES: json.dumps(self.notes, sort_keys=True)} if self else {}

    @classmethod
    def read(cls, file: NetcdfFile) -> Kept:
        """Read what a file keeps; nothing where it keeps nothing. Raises StateError."""
        names = [name for name in file.names() if name.startswith(PREFIX)]
        for name in names:
            if file.dtype(name).kind not in "fiu":
                raise StateError(f"{name} is {file.dtype(name)}, expected numbers")
        arrays = {name.removeprefix(PREFIX): file.read(name) for name in names}
        attributes = file.attrs()
        return cls(arrays, notes_attribute(attributes, NOTES) if NOTES in attributes else {})


def _dims(name: str, ndim: int) -> tuple[str, ...]:
    return tuple(f"{PREFIX}{name}_{axis}" for axis in range(ndim))
