"""Yearly land-use maps: HILDA+ codes in a file, class numbers in the emulator."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from landstep.emulator.attributes import text
from landstep.emulator.classes import Scheme
from landstep.emulator.errors import ConfigError, InputError
from landstep.emulator.grid import Grid
from landstep.emulator.netcdf import NetcdfFile
from landstep.emulator.orientation import Orientation, find_orientation
from landstep.emulator.part import Part
from landstep.emulator.whole import whole_numbers

_LOG = logging.getLogger(__name__)

PHASE = "01-01"
"""Day of the year for which a map is valid where the file does not say (attribute `phase`)."""


@dataclass(frozen=True, eq=False)
class LandUse:
    """Yearly land-use maps of one file, read year by year.

    path, variable : the file and the variable that holds the codes
    scheme, variant : the class scheme and which of its code lists the file uses
    grid : of the maps, north first, -180..180
    years : calendar years that have a map, ascending; gaps are allowed
    phase : day of the year ("MM-DD") for which each map is valid
    part : of the grid, the rows and columns that are read
    """

    path: Path
    variable: str
    scheme: Scheme
    variant: str
    grid: Grid
    years: tuple[int, ...]
    phase: str
    _orientation: Orientation
    part: Part

    @classmethod
    def open(
        cls, path: Path | str, *, scheme: Scheme, variant: str, variable: str = "LULC_states"
    ) -> LandUse:
        """Open a file of maps (time, latitude, longitude) and check all but the maps themselves.

        variant : always declared, because code 44 means two things in two HILDA+ products
        Raises InputError for a file, variable, time axis or grid that is not as it must be;
        ConfigError for a variant that the scheme lacks.
        """
        path = Path(path)
        if variant not in scheme.variants:
            raise ConfigError(
                f"{path.name}: variant {variant!r} is not one of scheme {scheme.name}'s "
                f"{sorted(scheme.variants)}; say which product the file is"
            )
        with NetcdfFile(path) as file:
            dims = file.dims(variable)
            if len(dims) != 3:
                raise InputError(
                    f"{path.name}, {variable}: dims {dims}, expected (time, latitude, longitude)"
                )
            file.encoding(variable)
            years = file.years(dims[0])
            orientation = find_orientation(file, variable)
            phase = text(file.attrs(), "phase", PHASE)
        return cls(
            path=path,
            variable=variable,
            scheme=scheme,
            variant=variant,
            grid=orientation.grid,
            years=tuple(int(year) for year in years),
            phase=phase,
            _orientation=orientation,
            part=Part.whole(orientation.grid.shape),
        )

    def cut(self, part: Part) -> LandUse:
        """Give the same maps, of which only a part is read."""
        return replace(self, part=part)

    def map(self, year: int) -> np.ndarray:
        """Land use of a year.

        returns : (y, x) uint8 class numbers of the part; 255 where the file has no data
        Raises InputError for a year without a map, or a code that the scheme's variant lacks.
        """
        if year not in self.years:
            raise InputError(
                f"{self.path.name}: no map of {year}; it has {self.years[0]}-{self.years[-1]}"
                + ("" if self._complete() else " with gaps")
            )
        where = f"{self.path.name}, {self.variable}, year {year}"
        with NetcdfFile(self.path) as file:

            def numbers(values: np.ma.MaskedArray, origin: tuple[int, int]) -> np.ndarray:
                codes = whole_codes(values, self.scheme, self.variant, where, origin)
                return self.scheme.numbers_from_codes(codes, self.variant, where, origin)

            step = (self.years.index(year),)
            return self._orientation.read(file, self.variable, step, self.part, numbers, np.uint8)

    def _complete(self) -> bool:
        return len(self.years) == self.years[-1] - self.years[0] + 1


def codes_of_year(
    file: NetcdfFile, rows: slice = slice(None), cols: slice = slice(None)
) -> np.ndarray:
    """Return codes of a year's map that landstep wrote, or of some of its rows and columns.

    returns : (y, x) uint8, as stored
    Raises InputError, with the file's name, where they are no codes of one byte in a map.
    """
    name, dims = "land_use", file.dims("land_use")
    if len(dims) != 3 or file.shape(name)[0] != 1:
        sizes = dict(zip(dims, file.shape(name), strict=True))
        raise InputError(f"{file.path.name}, {name}: on {sizes}, expected one map (time, y, x)")
    codes = file.read(name, (0, rows, cols))
    if codes.dtype not in (np.int8, np.uint8):
        raise InputError(
            f"{file.path.name}, {name}: {codes.dtype} values, expected codes of one byte, as "
            "`landstep run` writes them"
        )
    return codes.view(np.uint8)


def whole_codes(
    values: np.ma.MaskedArray,
    of: Scheme,
    variant: str,
    where: str,
    origin: tuple[int, int] | None = None,
    *,
    by_number: bool = True,
) -> np.ndarray:
    """Turn a file's numbers into whole codes, and what is missing into a no-data code.

    values : any shape, masked where missing
    where : file and year, for the message; origin : the file's place of the first code
    by_number : a number marks what is missing. Where that is the code of a class (0 is often
        declared, and is ocean), it stays that class. False: a mask of its own does
    returns : the same shape, integer
    Raises InputError for a number that is not whole, or larger than any code.
    """
    codes, missing = whole_numbers(values, where, "class codes, whole numbers", origin)
    if codes.dtype == np.int8:  # a classic file's signed byte: -1 is 255
        codes = codes.view(np.uint8)
    if not missing.any():
        return codes
    if by_number:
        marks = codes[missing]
        classes = np.isin(marks, list(of.variants[variant]))
        if classes.any():
            code = marks[classes][0]
            _LOG.info("%s: fill value %s is a class code and read as that class", where, code)
            missing = missing.copy()
            missing[missing] = ~classes
    return np.where(missing, codes.dtype.type(of.nodata[0]), codes)
