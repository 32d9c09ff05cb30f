"""Static maps on the grid of the land-use map: elevation, soil texture, climate zones.

A climate zone may change slowly: its file then has one map a period, of a named scenario.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from landstep.emulator.attributes import text
from landstep.emulator.classes import first_place
from landstep.emulator.coordinates import is_coordinate
from landstep.emulator.errors import ConfigError, InputError
from landstep.emulator.grid import Grid
from landstep.emulator.length_units import is_metres, other_unit
from landstep.emulator.missing import looks_like_fill
from landstep.emulator.netcdf import NetcdfFile
from landstep.emulator.orientation import Orientation, find_orientation
from landstep.emulator.part import Part
from landstep.emulator.whole import whole_numbers

CONTINUOUS = ("elevation",)
LARGEST_CODE = {"soil_texture": 7, "climate_zone": 254, "ice": 1}
"""Largest code of each categorical static. Source: ECMWF IFS documentation CY47R3, part IV,
table 8.8 (soil texture classes 1 to 7); climate zones are the file's own, in one byte. Ice is for
coupling alone: 1 where land is under it."""

ELEVATION_RANGE_M = (-500.0, 9000.0)
"""Land lies between the shore of the Dead Sea (-430 m) and Everest (8849 m)."""

_MOST_YEARS = 1e6
MOST_PERIODS = 1000
"""Periods of a static that are read; a file may declare any number without holding one."""

Source = tuple[Path, str | None]


@dataclass(frozen=True)
class _Category:
    """Where the codes of a categorical static are; periods is empty for one that never changes."""

    name: str
    path: Path
    variable: str
    orientation: Orientation
    periods: tuple[tuple[int, int], ...]


@dataclass(frozen=True, eq=False)
class Statics:
    """The static maps of an experiment.

    continuous : name -> (y, x) float32 in the unit of its name's definition, 0 at sea.
        elevation: m above sea level
    part : of the grid, the rows and columns that are read
    scenario : scenario that the climate zones' periods follow; None where the file names none
    """

    continuous: dict[str, np.ndarray]
    scenario: str | None
    part: Part
    _categories: tuple[_Category, ...]
    _cache: dict[tuple[str, int], np.ndarray] = field(default_factory=dict)

    @classmethod
    def open(cls, sources: Mapping[str, Source], grid: Grid, part: Part | None = None) -> Statics:
        """Open the static maps and check that they lie on the grid.

        sources : name -> (file, variable); variable None: the one named like the static, else the
            only map in the file. Names: elevation, soil_texture, climate_zone
        grid : of the land-use map
        part : the rows and columns of it to read; None: all
        Raises InputError for a file, unit, value or grid that is not as it must be, ConfigError
        for a static of another name.
        """
        known = (*CONTINUOUS, *LARGEST_CODE)
        unknown = [name for name in sources if name not in known]
        if unknown:
            raise ConfigError(f"static {unknown[0]!r} is not known; expected some of {list(known)}")
        continuous, categories, scenario = {}, [], None
        part = part or Part.whole(grid.shape)
        for name in (name for name in known if name in sources):
            path, wanted = Path(sources[name][0]), sources[name][1]
            with NetcdfFile(path) as file:
                variable = wanted or _find_variable(file, name)
                orientation = _on_grid(file, variable, grid)
                if name in CONTINUOUS:
                    continuous[name] = _elevation(file, variable, orientation, part)
                else:
                    periods = _periods(file, variable)
                    file.encoding(variable)
                    categories.append(_Category(name, path, variable, orientation, periods))
                    scenario = scenario or _scenario(file, variable)
        return cls(continuous, scenario, part, tuple(categories))

    def categories(self, year: int) -> dict[str, np.ndarray]:
        """Categorical statics of a year.

        year : calendar year. A static with periods has the map of the period that holds the year,
            else of the nearest period (of two equally near, the earlier); codes are never mixed
        returns : name -> (y, x) uint8 codes, read-only; 0 at sea
        Raises InputError for a code that is not a whole number in range.
        """
        return {category.name: self._codes(category, year) for category in self._categories}

    def _codes(self, category: _Category, year: int) -> np.ndarray:
        step = nearest_period(category.periods, year)
        key = (category.name, step)
        if key not in self._cache:
            for old in [old for old in self._cache if old[0] == category.name]:
                del self._cache[old]
            self._cache[key] = _read_codes(category, step, self.part)
        return self._cache[key]


def nearest_period(periods: tuple[tuple[int, int], ...], year: int) -> int:
    """Index of the period that holds a year, else of the nearest; 0 where there are none."""
    distances = [max(first - year, year - last, 0) for first, last in periods]
    return distances.index(min(distances)) if distances else 0


def _find_variable(file: NetcdfFile, name: str) -> str:
    """Name of the variable that holds a static: its own name, or the only map in the file."""
    if name in file.names():
        return name
    maps = [other for other in file.names() if len(file.dims(other)) >= 2]
    maps = [other for other in maps if not is_coordinate(file, other)]
    if len(maps) == 1:
        return maps[0]
    raise InputError(
        f"{file.path.name}: which variable is {name}? It has {maps}; "
        f'write "{file.path.name}:VARIABLE" in the experiment file'
    )


def _on_grid(file: NetcdfFile, variable: str, grid: Grid) -> Orientation:
    """Orientation of a map that lies on the grid; InputError where it lies elsewhere."""
    orientation = find_orientation(file, variable, regular=grid.kind == "regular")
    where = f"{file.path.name}, {variable}"
    if orientation.grid.shape != grid.shape:
        found, expected = ("x".join(map(str, g.shape)) for g in (orientation.grid, grid))
        raise InputError(
            f"{where}: grid {found}, expected {expected} (the land-use map's); "
            "put it on that grid first"
        )
    difference = grid.same_place(orientation.grid)
    if difference:
        raise InputError(f"{where}: not on the land-use map's grid: {difference}")
    return orientation


def _map_index(file: NetcdfFile, variable: str, step: int | None) -> tuple[int, ...]:
    """Index of one map: `step` along the leading dimension, or the only one there is."""
    leading = file.shape(variable)[:-2]
    if step is not None:
        return (step,)
    if any(size != 1 for size in leading):
        raise InputError(
            f"{file.path.name}, {variable}: dims {file.dims(variable)} of sizes "
            f"{file.shape(variable)}, expected one map (y, x)"
        )
    return (0,) * len(leading)


def _elevation(file: NetcdfFile, variable: str, orientation: Orientation, part: Part) -> np.ndarray:
    """Elevation in m, (y, x) float32, 0 at sea."""
    where = f"{file.path.name}, {variable}"
    units = text(file.attrs(variable), "units")
    if not is_metres(units):
        raise InputError(f"{where}: units {units!r}, expected 'm'; {other_unit(units)}")

    def metres(values: np.ma.MaskedArray, origin: tuple[int, int]) -> np.ndarray:
        missing = np.ma.getmaskarray(values)
        with np.errstate(over="ignore"):  # infinite is refused as what it was
            field_m = np.where(missing, 0, values.data).astype(np.float32)
        _check_elevation(field_m, where, origin)
        return field_m

    index = _map_index(file, variable, None)
    return orientation.read(file, variable, index, part, metres, np.float32)


def _check_elevation(field_m: np.ndarray, where: str, origin: tuple[int, int]) -> None:
    low, high = ELEVATION_RANGE_M
    wrong = (field_m < low) | (field_m > high)
    if not wrong.any():
        return
    at = first_place(wrong, origin)
    value = float(field_m[wrong][0])
    if looks_like_fill(value):
        raise InputError(
            f"{where}: fill value in valid cell: {value:g} at cell {at} ({int(wrong.sum())} such "
            "cells), which the file does not declare; set its attribute _FillValue"
        )
    raise InputError(
        f"{where}: elevation {value:g} m at cell {at} ({int(wrong.sum())} such cells), expected "
        f"{low:g} to {high:g} on land; set the sea to missing, and check the unit"
    )


def _periods(file: NetcdfFile, variable: str) -> tuple[tuple[int, int], ...]:
    """First and last year of each map of a static that changes; empty for one that does not."""
    dims, shape = file.dims(variable), file.shape(variable)
    where = f"{file.path.name}, {variable}"
    if len(dims) == 2 or dims[0] != "period":
        _map_index(file, variable, None)
        return ()
    if len(dims) != 3:
        raise InputError(f"{where}: dims {dims}, expected (period, y, x)")
    if shape[0] > MOST_PERIODS:
        raise InputError(f"{where}: {shape[0]} periods, expected at most {MOST_PERIODS}")
    bounds = file.coordinate("period_bounds")
    if bounds.shape != (shape[0], 2):
        raise InputError(
            f"{where}: period_bounds has shape {bounds.shape}, expected ({shape[0]}, 2): first and "
            "last year of each period"
        )
    years = np.rint(bounds)
    ordered = (years[:, 0] <= years[:, 1]).all() and (years[1:, 0] >= years[:-1, 1]).all()
    within = bool((np.abs(years) <= _MOST_YEARS).all())  # False where one is missing
    if not (within and (years == bounds).all() and ordered):
        raise InputError(
            f"{where}: period_bounds {bounds.tolist()}"[:400] + ", expected whole years, each "
            "period after the one before"
        )
    return tuple((int(first), int(last)) for first, last in years)


def _scenario(file: NetcdfFile, variable: str) -> str | None:
    return text(file.attrs(variable), "scenario") or text(file.attrs(), "scenario") or None


def _read_codes(category: _Category, step: int, part: Part) -> np.ndarray:
    """Codes of one period, (y, x) uint8, 0 at sea."""
    where = f"{category.path.name}, {category.variable}"
    largest = LARGEST_CODE[category.name]
    with NetcdfFile(category.path) as file:

        def codes(values: np.ma.MaskedArray, origin: tuple[int, int]) -> np.ndarray:
            expected = f"whole numbers 0 to {largest} (0: sea)"
            whole, missing = whole_numbers(values, where, expected, origin)
            wrong = ~missing & ((whole < 0) | (whole > largest))
            if wrong.any():
                raise InputError(
                    f"{where}: {whole[wrong][0]} at cell {first_place(wrong, origin)} "
                    f"({int(wrong.sum())} such cells), expected {expected}; is a fill value not "
                    "declared?"
                )
            return np.where(missing, 0, whole).astype(np.uint8)

        index = _map_index(file, category.variable, step if category.periods else None)
        return category.orientation.read(file, category.variable, index, part, codes, np.uint8)
