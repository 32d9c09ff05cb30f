"""LUH2's wood harvest, year by year, as its files have it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from landstep.emulator.attributes import text
from landstep.emulator.errors import InputError
from landstep.emulator.grid import Grid
from landstep.emulator.netcdf import NetcdfFile
from landstep.emulator.orientation import Orientation, find_orientation, read_cut
from landstep.emulator.part import Part

FORESTS = {
    "primf": "primary forest",
    "primn": "primary land that is no forest",
    "secmf": "mature secondary forest",
    "secyf": "young secondary forest",
    "secnf": "secondary land that is no forest",
}
"""What wood is taken from. Source: Hurtt et al. 2020, doi:10.5194/gmd-13-5425-2020, section 2.5."""

AREA, CARBON = "_harv", "_bioh"
"""Endings of LUH2's names: area that is harvested, and the carbon that is taken."""

UNITS = {
    AREA: ("", "1", "1.0", "fraction", "none", "unitless", "yr-1", "1 yr-1"),
    CARBON: ("kg", "kg yr-1", "kg/yr", "kgc", "kg c", "kgc yr-1", "kg c yr-1"),
}
"""Units that the files may name, in small letters: shares of the whole cell; carbon of the cell."""

LEAST = -1e-6
"""Values down to this, in parts of the largest one, are rounding; LUH2 has some. Ours."""


@dataclass(frozen=True, eq=False)
class _File:
    path: Path
    years: tuple[int, ...]
    orientation: Orientation


@dataclass(frozen=True, eq=False)
class HarvestFiles:
    """Files of transitions that join into one: history and scenario.

    names : those of the harvest variables that all files have
    grid : of LUH2's cells
    """

    names: tuple[str, ...]
    grid: Grid
    _files: tuple[_File, ...]

    @classmethod
    def open(cls, paths: Sequence[Path]) -> HarvestFiles:
        """Look at the files; the one that begins first has a year that is in two.

        Raises InputError where one cannot be read, has no wood harvest, another unit, other
        variables or another grid than the first.
        """
        found = sorted((_opened(path) for path in paths), key=lambda each: each[0].years[0])
        first, names = found[0]
        for other, theirs in found[1:]:
            where = f"{other.path.name}: "
            if theirs != names:
                raise InputError(f"{where}has {theirs}, expected {names} ({first.path.name})")
            differs = first.orientation.grid.same_place(other.orientation.grid)
            if differs:
                raise InputError(f"{where}not on the grid of {first.path.name}: {differs}")
        return cls(names, first.orientation.grid, tuple(file for file, _ in found))

    def year(self, year: int) -> dict[str, np.ndarray]:
        """Return what was harvested in a year: name -> (y, x) float64, 0 where nothing is known.

        Raises InputError for a year that no file has, or a value that cannot be.
        """
        of = next((file for file in self._files if year in file.years), None)
        if of is None:
            files = " + ".join(file.path.name for file in self._files)
            span = f"{self._files[0].years[0]}-{self._files[-1].years[-1]}"
            raise InputError(
                f"{files}: no harvest of {year} (years {span}); name a file that has it in "
                "[coupling] harvest"
            )
        step, whole = of.years.index(year), Part.whole(self.grid.shape)
        with NetcdfFile(of.path) as file:
            read = {n: read_cut(file, n, (step,), whole, of.orientation) for n in self.names}
        where = f"{of.path.name}, year {year}"
        return {name: _checked(values, name, where, self.grid) for name, values in read.items()}


def _opened(path: Path) -> tuple[_File, tuple[str, ...]]:
    with NetcdfFile(path) as file:
        names = tuple(
            forest + ending
            for ending in (AREA, CARBON)
            for forest in FORESTS
            if forest + ending in file.names()
        )
        if not names:
            raise InputError(
                f"{path.name}: no wood harvest (primf_harv, primf_bioh, ...); [coupling] harvest "
                "takes LUH2's transitions"
            )
        for name in names:
            where, units = f"{path.name}, {name}", text(file.attrs(name), "units")
            if len(file.dims(name)) != 3:
                raise InputError(f"{where}: dims {file.dims(name)}, expected (time, lat, lon)")
            allowed = UNITS[name[-len(AREA) :]]
            if units.lower() not in allowed:
                raise InputError(f"{where}: units {units!r}, expected one of {allowed}")
        orientation = find_orientation(file, names[0], regular=True)
        if orientation.grid.kind != "regular":
            raise InputError(f"{path.name}: a projected grid, expected latitude and longitude")
        years = tuple(int(year) for year in file.years(file.dims(names[0])[0]))
    return _File(path, years, orientation), names


def _checked(stored: np.ndarray, name: str, where: str, grid: Grid) -> np.ndarray:
    """Refuse what no harvest can be; what is missing, such as the sea, is 0."""
    values = np.where(np.isnan(stored), 0.0, stored.astype(np.float64))
    most = 1.0001 if name.endswith(AREA) else np.inf
    least = LEAST * max(1.0, float(values.max(initial=0.0, where=np.isfinite(values))))
    wrong = ~np.isfinite(values) | (values > most) | (values < least)
    if wrong.any():
        row, col = (int(i) for i in np.argwhere(wrong)[0])
        expected = "0 to 1" if name.endswith(AREA) else "0 or more"
        raise InputError(
            f"{where}, {name}: {values[row, col]:g} at (lat {grid.lat_deg[row]:g}, lon "
            f"{grid.lon_deg[col]:g}), expected {expected}"
        )
    return np.maximum(values, 0.0)
