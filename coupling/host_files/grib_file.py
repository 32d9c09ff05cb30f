"""A host's GRIB file: its points, the fields that it holds, and a copy with others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from landstep.coupling.host_files.axes import MONTHS
from landstep.coupling.host_files.grib_library import (
    Message,
    grid_places,
    new_message,
    read_messages,
)
from landstep.coupling.host_files.layout import SMALLEST_LAND, Layout, VariableTable
from landstep.coupling.host_files.netcdf_file import Fields
from landstep.coupling.host_files.places import from_list
from landstep.coupling.points import Points
from landstep.emulator.atomic import replacing
from landstep.emulator.errors import CouplingError, InputError


@dataclass(frozen=True, eq=False)
class GribHostFile:
    """A host's file in GRIB: one message a field, or one a field and month.

    messages : all of the file, in its order
    held : variable of the layout -> where its messages are in `messages`, by month where there are
        twelve
    """

    path: Path
    layout: Layout
    points: Points
    messages: tuple[Message, ...]
    held: Mapping[VariableTable, tuple[int, ...]]
    years: tuple[int, ...] = ()
    sea: None = None
    left: Mapping[str, str] = field(default_factory=dict)
    others_stay: tuple[tuple[str, ...], ...] = ()

    @classmethod
    def open(cls, path: Path, layout: Layout) -> GribHostFile:
        """Read a file's points and fields.

        Raises InputError where it lacks a field, holds one neither once nor for each month, or has
        its fields on several grids; DependencyError without ecCodes.
        """
        messages = read_messages(path)
        held = {}
        for table in layout.variables:
            places = [n for n, one in enumerate(messages) if one.parameter == table.parameter]
            if len(places) == MONTHS:
                places.sort(key=lambda n: messages[n].month)
            months = {messages[n].month for n in places}
            if len(places) > 1 and not (len(places) == len(months) == MONTHS):
                raise InputError(
                    f"{path.name}, {table.name} (parameter {table.parameter}): {len(places)} "
                    f"messages of {len(months)} months, expected one, or one for each month"
                )
            if places:
                held[table] = tuple(places)
        lacking = [t for t in layout.variables if t.required and t not in held]
        if lacking:
            named = ", ".join(f"{table.name} (parameter {table.parameter})" for table in lacking)
            raise InputError(
                f"{path.name}: lacks {named}, which {layout.long_name} holds; it has parameters "
                f"{sorted({one.parameter for one in messages})}; is it another host's file?"
            )
        used = [messages[n] for places in held.values() for n in places]
        if len({one.grid for one in used}) > 1:
            raise InputError(
                f"{path.name}: its fields of vegetation lie on {len({o.grid for o in used})} "
                "grids, expected one; split the file (grib_copy)"
            )
        with _named(path):
            points = from_list(*used[0].places)
        return cls(path, layout, points, tuple(messages), held)

    @cached_property
    def served(self) -> np.ndarray:
        """Points with land at which no field is missing: (n,) bool."""
        used = [self.messages[n] for places in self.held.values() for n in places]
        good = [np.isfinite(message.values) for message in used]
        land = [m for m in self.messages if m.parameter == self.layout.land_parameter]
        good += [m.values > SMALLEST_LAND for m in land if m.grid == used[0].grid]
        return np.all(good, axis=0)

    @property
    def variables(self) -> dict[str, tuple[str, ...]]:
        """Give variable -> the field that it holds."""
        return {table.name: (table.field,) for table in self.held}

    def fields(self, record: int = 0) -> dict[str, np.ndarray]:
        """Give the fields that the file holds: name -> (n,) or (n, 12) float64."""
        of_all = {}
        for table, places in self.held.items():
            values = np.stack([self.messages[n].values for n in places], axis=1)
            of_all[table.field] = values if len(places) == MONTHS else values[:, 0]
        return of_all

    def types(self, record: int = 0) -> list[tuple[str, str, np.ndarray]]:
        """Return the variables of a type that stand in the file more than once: none."""
        return []

    def write_copy(self, target: Path, fields: Fields) -> dict[str, int]:
        """Write a copy with other fields; every other message stays byte for byte.

        fields : name -> (n,) or (n, 12) float64; NaN: as it was
        returns : variable -> how many numbers differ
        Raises InputError for a value that cannot be packed, or where the file cannot be written.
        """
        contents = [message.content for message in self.messages]
        moved = {}
        for table, places in self.held.items():
            moved[table.name] = 0
            if table.field not in fields:
                continue
            new = fields[table.field]
            for month, n in enumerate(places):
                old = self.messages[n].values
                given = new if new.ndim == 1 else new[:, month]
                values = np.where(np.isfinite(given), given, old)
                with _named(self.path):
                    contents[n] = self.messages[n].replaced(values, table.tolerance)
                moved[table.name] += int((np.isfinite(old) & (values != old)).sum())
        _write(target, contents)
        return moved


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Put the file's name before what is said of a message of it, or of its points."""
    try:
        yield
    except (InputError, CouplingError) as error:
        raise InputError(f"{path.name}: {error}") from error


LARGEST_OF_GRIB1 = 255
"""Largest parameter of ECMWF's table 128 in GRIB 1; others need GRIB 2."""


@dataclass(frozen=True, eq=False)
class GribGrid:
    """A reduced Gaussian grid without a file: all that is written is new.

    grid : "O320" (octahedral) or "N320" (original reduced grid)
    """

    grid: str
    layout: Layout
    points: Points

    @classmethod
    def named(cls, grid: str, layout: Layout) -> GribGrid:
        """Make the points of a grid. Raises InputError for one that ecCodes does not know."""
        return cls(grid, layout, from_list(*grid_places(grid)))

    @property
    def variables(self) -> dict[str, tuple[str, ...]]:
        """Give variable -> the field that it holds, of those that GRIB 1 has."""
        tables = [t for t in self.layout.variables if t.parameter <= LARGEST_OF_GRIB1]
        return {table.name: (table.field,) for table in tables}

    def write(self, target: Path, fields: Fields, year: int) -> dict[str, int]:
        """Write fields for 1 January of a year.

        fields : name -> (n,) float64 of `variables`; those that are not given are left out
        returns : variable -> how many numbers were written
        """
        written = {}
        contents = []
        for table in self.layout.variables:
            if table.name not in self.variables or table.field not in fields:
                continue
            values, date = fields[table.field], year * 10000 + 101
            contents.append(new_message(self.grid, table.parameter, date, values, table.tolerance))
            written[table.name] = values.size
        _write(target, contents)
        return written


def _write(target: Path, contents: list[bytes]) -> None:
    with replacing(target) as temporary:
        temporary.write_bytes(b"".join(contents))
