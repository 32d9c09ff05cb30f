"""A host's NetCDF file: its points, the fields that it holds, and a copy with others."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from landstep.coupling.file_numbers import check_numbers, read_numbers
from landstep.coupling.host_files.axes import Axes
from landstep.coupling.host_files.layout import Layout, VariableTable
from landstep.coupling.host_files.netcdf_checks import check_is_of, in_its_classes
from landstep.coupling.host_files.netcdf_points import FilePoints
from landstep.coupling.host_files.stored import Stored, whole_numbers
from landstep.coupling.points import Points
from landstep.emulator.errors import InputError
from landstep.emulator.netcdf import NetcdfFile
from landstep.emulator.netcdf_edit import edited_copy

Fields = Mapping[str, np.ndarray]
"""Field name -> (n,) or (n, 12) float64; NaN: as it was."""


@dataclass(frozen=True, eq=False)
class Held:
    """A variable of the file that holds fields of the host.

    table : of its layout
    axes : of its dimensions
    names : the field of each level
    stored : its numbers, in the file's order
    """

    table: VariableTable
    axes: Axes
    names: tuple[str, ...]
    stored: Stored

    @cached_property
    def values(self) -> np.ndarray:
        """Its values as (R, L, M, n) float64, NaN where missing."""
        return self.axes.sorted(self.stored.values)

    def fields(self, record: int) -> dict[str, np.ndarray]:
        """Give the fields of a record: (n,), or (n, 12) where it has months."""
        of_record = self.values[record if self.axes.counts[0] > 1 else 0]
        return {
            name: np.ascontiguousarray(level.T) if level.shape[0] > 1 else level[0].copy()
            for name, level in zip(self.names, of_record, strict=True)
        }

    def with_fields(
        self, years: Mapping[int, Fields], baseline: int, served: np.ndarray
    ) -> np.ndarray:
        """Give its stored numbers, in the file's order, with fields put in.

        years : record -> fields; those that it does not hold are left alone
        baseline : the record that fields start from; what is NaN in them is its number there
        served : (n,) bool, points whose fields start from it; elsewhere each record's own stay
        """
        new = np.full(self.axes.counts, np.nan)
        numbers = self.axes.sorted(self.stored.numbers).copy()
        for record, fields in years.items():
            for level, name in enumerate(self.names):
                if name in fields:
                    new[record, level] = np.atleast_2d(fields[name].T)
                    if record != baseline:
                        numbers[record, level][:, served] = numbers[baseline, level][:, served]
        start = replace(self.stored, numbers=self.axes.unsorted(numbers))
        return start.replaced(self.axes.unsorted(new), types=self.table.types)


@dataclass(frozen=True, eq=False)
class NetcdfHostFile:
    """A host's file in NetCDF.

    years : of its records; empty where it is no series
    points : where its fields lie, in the order of the file
    land : (n,) bool, points where the host has land
    sea : (n,) share of each cell that is sea, where the file says it; else None
    left : variable -> why it stays as it is
    """

    path: Path
    layout: Layout
    points: Points
    years: tuple[int, ...]
    held: tuple[Held, ...]
    land: np.ndarray
    sea: np.ndarray | None
    left: Mapping[str, str]
    _maxima: dict[str, Stored]

    @classmethod
    def open(cls, path: Path, layout: Layout, places: Path | None = None) -> NetcdfHostFile:
        """Read a file's points and fields.

        places : another file, which holds the longitudes and latitudes where this one does not;
            either may hold what is land
        Raises InputError where it is not such a file: no places, a variable that is missing, is of
        another type or lies elsewhere, classes of another table.
        """
        with ExitStack() as opened:
            paths = [path] if places is None else [path, places]
            files = [opened.enter_context(NetcdfFile(each)) for each in paths]
            file = files[0]
            names = file.names()
            check_is_of(file, layout)
            layout = in_its_classes(file, layout)
            of_points = FilePoints.read(files, layout)
            series, years = _read_years(file, layout)
            held = [
                _read_held(file, table, of_points.dims, series)
                for table in layout.variables
                if table.name in names
            ]
            maxima = {
                table.maximum: _read_stored(file, table.maximum)
                for table in layout.variables
                if table.maximum and series and table.maximum in names
            }
            left = {of.name: of.why for of in layout.left if of.name in names}
        points, land, sea = of_points.points, of_points.land, of_points.sea
        return cls(path, layout, points, years, tuple(held), land, sea, left, maxima)

    @cached_property
    def served(self) -> np.ndarray:
        """Points with land at which no variable is missing: (n,) bool."""
        good = [self.land, *(np.isfinite(h.values).all(axis=(0, 1, 2)) for h in self.held)]
        if self.sea is not None:
            good.append(self.sea < 1.0)
        return np.all(good, axis=0)

    @property
    def variables(self) -> dict[str, tuple[str, ...]]:
        """Give variable -> the fields that it holds."""
        return {held.table.name: held.names for held in self.held}

    def fields(self, record: int = 0) -> dict[str, np.ndarray]:
        """Give the fields that the file holds: name -> (n,) or (n, 12) float64."""
        of_all: dict[str, np.ndarray] = {}
        for held in self.held:
            for name, values in held.fields(record).items():
                of_all.setdefault(name, values)
        return of_all

    @property
    def others_stay(self) -> tuple[tuple[str, ...], ...]:
        """Fields of each variable whose levels that the host's table lacks keep their numbers."""
        return tuple(held.names for held in self.held if held.table.others_stay)

    def types(self, record: int = 0) -> list[tuple[str, str, np.ndarray]]:
        """Return every variable of types: its name, its field, and its (n,) float64 values.

        Packed ones are the numbers that they are a little off from.
        """
        return [
            (held.table.name, name, whole_numbers(values))
            for held in self.held
            if held.table.types
            for name, values in held.fields(record).items()
        ]

    def write_copy(
        self,
        target: Path,
        records: Mapping[int, Fields],
        baseline: int = 0,
        served: np.ndarray | None = None,
    ) -> dict[str, int]:
        """Write a copy with other fields; all else is as it was.

        records : record -> the fields to put there
        baseline : the record whose numbers stand for NaN in them, where a point is `served`
        served : (n,) bool; None: those of this file
        returns : variable -> how many stored numbers differ
        Raises InputError for a value that the file cannot hold, or where it cannot be written.
        """
        points = self.served if served is None else served
        new = {h.table.name: h.with_fields(records, baseline, points) for h in self.held}
        old = {held.table.name: held.stored.numbers for held in self.held}
        for held in self.held:
            if held.table.maximum in self._maxima:
                maximum = self._maxima[held.table.maximum]
                new[held.table.maximum] = _largest(held, new[held.table.name], maximum)
                old[held.table.maximum] = maximum.numbers
        moved = {name: int((new[name] != old[name]).sum()) for name in new}
        for name in moved:
            both_nan = (new[name] != new[name]) & (old[name] != old[name])
            moved[name] -= int(both_nan.sum())
        with edited_copy(self.path, target) as copy:
            for name in new:
                if moved[name]:
                    copy.put(name, new[name])
        return moved


def _largest(held: Held, numbers: np.ndarray, maximum: Stored) -> np.ndarray:
    """Largest value of all years, where it is another one now: CTSM allocates by it."""
    series = Stored(numbers, held.stored.attrs, held.stored.where)
    before, after = held.values, held.axes.sorted(series.values)
    was, now = before.max(axis=0), after.max(axis=0)
    shape = maximum.numbers.shape
    if maximum.numbers.size != was.size:
        raise InputError(
            f"{maximum.where}: {maximum.numbers.size} numbers, expected {was.size}: one for each "
            f"of a year of {held.table.name}"
        )
    changed = (was != now).reshape(shape)
    return maximum.replaced(np.where(changed, now.reshape(shape), np.nan))


def _read_years(file: NetcdfFile, layout: Layout) -> tuple[str | None, tuple[int, ...]]:
    """Read the dimension and the years of a series; None where the file is none."""
    name = layout.years
    if name is None or name not in file.names():
        return None, ()
    found, dims = read_numbers(file, name, expected="years"), file.dims(name)
    if found.ndim != 1 or found.size == 0:
        raise InputError(f"{file.path.name}, {name}: shape {found.shape}, expected a row of years")
    wrong = ~(np.abs(found) < 1e6) | (found != np.rint(found))
    wrong[1:] |= ~(found[1:] > found[:-1])
    if wrong.any():
        place = int(np.flatnonzero(wrong)[0])
        raise InputError(
            f"{file.path.name}, {name}: {found[place]:g} at record {place}, expected whole years "
            "that increase"
        )
    return dims[0], tuple(int(year) for year in found)


def _read_held(
    file: NetcdfFile, table: VariableTable, point_dims: tuple[str, ...], series: str | None
) -> Held:
    stored = _read_stored(file, table.name)
    dims = file.dims(table.name)
    sizes = dict(zip(dims, file.shape(table.name), strict=True))
    axes = Axes.of(table, dims, sizes, point_dims, series, stored.where)
    if series is not None and series not in dims:
        raise InputError(
            f"{stored.where}: dims {dims}, expected one of them to be {series!r}, as the file is a "
            f"series of years; leave the variable out (ncks -x -v {table.name} IN OUT)"
        )
    if 0 in axes.counts:
        raise InputError(f"{stored.where}: shape {file.shape(table.name)}, expected a record")
    if table.exact and stored.numbers.dtype != np.float64:
        raise InputError(
            f"{stored.where}: stored as {stored.numbers.dtype}, whose sums miss 100 by more than "
            f"the host allows; expected float64 (ncap2 -s '{table.name}=double({table.name})')"
        )
    names: tuple[str, ...] = (table.field,)
    count = axes.counts[1]
    if table.fields:
        if count != len(table.fields):
            raise InputError(
                f"{stored.where}: {count} levels, expected {len(table.fields)}: "
                f"{', '.join(table.fields)}; other types need a table and a layout of their own"
            )
        names = tuple(table.fields)
    elif table.levels:
        numbers = table.first + np.arange(count)
        if table.numbers is not None and table.numbers in file.names():
            numbers = read_numbers(file, table.numbers, (count,), "the numbers of the levels")
            if not np.isfinite(numbers).all():
                raise InputError(f"{file.path.name}, {table.numbers}: holds a missing value")
        names = tuple(f"{table.field}_{int(number)}" for number in numbers)
    return Held(table, axes, names, stored)


def _read_stored(file: NetcdfFile, name: str) -> Stored:
    """Read a variable's numbers as they are stored."""
    check_numbers(file, name)
    numbers = file.stored(name)
    numbers = numbers.astype(numbers.dtype.newbyteorder("="))
    return Stored(numbers, file.attrs(name), f"{file.path.name}, {name}")
