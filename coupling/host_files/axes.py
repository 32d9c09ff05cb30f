"""A variable's dimensions, brought into one order: records, levels, months, points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from landstep.coupling.host_files.layout import VariableTable
from landstep.emulator.errors import InputError

MONTHS = 12


@dataclass(frozen=True)
class Axes:
    """Where a variable's records, levels, months and points lie among its dimensions.

    order : the dimensions of the file in the order records, levels, months, others, points
    shape : of the file's array in that order
    counts : records R, levels L, months M, points n
    """

    order: tuple[int, ...]
    shape: tuple[int, ...]
    counts: tuple[int, int, int, int]

    @classmethod
    def of(
        cls,
        variable: VariableTable,
        dims: tuple[str, ...],
        sizes: Mapping[str, int],
        point_dims: tuple[str, ...],
        series: str | None,
        where: str,
    ) -> Axes:
        """Sort a variable's dimensions.

        dims, sizes : its dimensions, slowest first, and how long each is
        point_dims : the dimensions that the points lie along, slowest first
        series : the dimension of a series of years, where the file has one
        where : file and variable, for messages
        Raises InputError where it does not lie on the points, has no twelve months where its table
        says months, or more than one record of a dimension that the table does not know.
        """
        levels = next((dim for dim in dims if dim in variable.levels), None)
        roles = [series, levels, variable.months]
        named = [dim for dim in roles if dim is not None and dim in dims]
        others = [dim for dim in dims if dim not in (*named, *point_dims)]
        if tuple(dim for dim in dims if dim in point_dims) != point_dims:
            raise InputError(f"{where}: dims {dims}, expected them to end in {point_dims}")
        months = (variable.months,) if variable.months else ()
        for names in (months, variable.levels):
            if names and not set(names) & set(dims):
                expected = " or ".join(map(repr, names))
                raise InputError(f"{where}: dims {dims}, expected one of them to be {expected}")
        if variable.months is not None and sizes[variable.months] != MONTHS:
            raise InputError(f"{where}: {sizes[variable.months]} months, expected {MONTHS}")
        for dim in others:
            if sizes[dim] != 1:
                raise InputError(
                    f"{where}: {sizes[dim]} records along {dim!r}, expected 1: landstep would not "
                    "know which of them is the boundary condition; keep one "
                    f"(ncks -d {dim},0 IN OUT)"
                )
        order = (*named, *others, *point_dims)
        counts = [sizes[dim] if dim in named else 1 for dim in roles]
        n = int(np.prod([sizes[dim] for dim in point_dims], dtype=np.int64))
        return cls(
            tuple(dims.index(dim) for dim in order),
            tuple(sizes[dim] for dim in order),
            (counts[0], counts[1], counts[2], n),
        )

    def sorted(self, array: np.ndarray) -> np.ndarray:
        """Give the file's array as (R, L, M, n); a copy where the order differs."""
        return np.transpose(array, self.order).reshape(self.counts)

    def unsorted(self, array: np.ndarray) -> np.ndarray:
        """Give an array (R, L, M, n) the file's dimensions back."""
        back = tuple(int(axis) for axis in np.argsort(self.order))
        return np.ascontiguousarray(np.transpose(array.reshape(self.shape), back))
