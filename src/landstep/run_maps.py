"""The maps of a run's folder: which years it holds, and each year's areas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from landstep.emulator.classes import Scheme, scheme
from landstep.emulator.errors import InputError
from landstep.emulator.netcdf import NetcdfFile

SAME = ("class_scheme", "model_sha256", "grid_sha256")
"""Attributes that all files of a run share."""


@dataclass(frozen=True, eq=False)
class YearMap:
    """One file of a run, without its map.

    class_area : (n_classes,) float64 m2
    debt : (groups,) float64 m2, what the map still owes each group
    in_map, in_forcing : (groups,) float64 m2, the group's area in the map and in the forcing; None
        where the file does not say
    stepped : True where the file says what its step was asked: it is no start and no copied map
    """

    year: int
    path: Path
    class_area: np.ndarray
    debt: np.ndarray
    in_map: np.ndarray | None
    in_forcing: np.ndarray | None
    stepped: bool


@dataclass(frozen=True)
class RunMaps:
    """What `landstep run` wrote into a folder, by increasing year."""

    folder: Path
    scheme: Scheme
    maps: tuple[YearMap, ...]

    @property
    def years(self) -> tuple[int, ...]:
        """Years that have a map."""
        return tuple(of.year for of in self.maps)

    def chosen(self, years: Sequence[int]) -> tuple[YearMap, ...]:
        """Give the maps of some years, or of the first, middle and last where none is named.

        returns : by increasing year, each once
        Raises InputError for a year that has no map, with those that have one.
        """
        there = dict(zip(self.years, self.maps, strict=True))
        last = len(self.maps) - 1
        asked = years or [self.years[n] for n in (0, last // 2, last)]
        for year in asked:
            if year not in there:
                raise InputError(f"{self.folder}: no map of {year}; it has {spans(self.years)}")
        return tuple(there[year] for year in sorted(set(asked)))


def read_run(folder: Path) -> RunMaps:
    """Read what the files of a run say of themselves; no map is read.

    folder : with land_use_YEAR.nc of each year
    Raises InputError where there is none, a file is damaged, is not what `landstep run` writes, or
    is of another run than the first.
    """
    paths = sorted(folder.glob("land_use_*.nc"))
    if not paths:
        raise InputError(
            f"{folder}: 0 maps named land_use_YEAR.nc, expected at least 1; `landstep run` "
            "writes them"
        )
    first = _identity(paths[0])
    of = scheme(first["class_scheme"])
    maps = [_read(path, of, first, paths[0]) for path in paths]
    return RunMaps(folder, of, tuple(sorted(maps, key=lambda of: of.year)))


def spans(years: Sequence[int]) -> str:
    """Say which years there are, in short: "1850, 1900 to 1903"."""
    numbers = np.array(years)
    runs = np.split(numbers, np.flatnonzero(np.diff(numbers) != 1) + 1)
    return ", ".join(f"{r[0]} to {r[-1]}" if r.size > 1 else f"{r[0]}" for r in runs)


def _identity(path: Path) -> dict[str, str]:
    with NetcdfFile(path) as file:
        return _identity_of(file)


def _identity_of(file: NetcdfFile) -> dict[str, str]:
    attributes = file.attrs()
    for name in SAME:
        if name not in attributes:
            raise InputError(
                f"{file.path}: has no attribute {name}, which `landstep run` writes; is it "
                "another program's file?"
            )
    return {name: str(attributes[name]) for name in SAME}


def _read(path: Path, of: Scheme, expected: dict[str, str], first: Path) -> YearMap:
    with NetcdfFile(path) as file:
        found = _identity_of(file)
        for name in SAME:
            if found[name] != expected[name]:
                raise InputError(
                    f"{path}: is of another run than {first.name}: its {name} is {found[name]}, "
                    f"not {expected[name]}; keep each run in a folder of its own"
                )
        years = file.years().tolist()
        if len(years) != 1 or path.name != f"land_use_{years[0]}.nc":
            raise InputError(
                f"{path}: holds the years {years}, expected the one year in its name; was it "
                "renamed?"
            )
        groups = {
            name: _areas(file, f"group_area_{name}", len(of.groups))
            for name in ("debt", "map", "forcing")
        }
        area, debt = _areas(file, "class_area", of.n_classes), groups["debt"]
        if area is None or debt is None:
            raise InputError(f"{path}: lacks class_area or group_area_debt; write it again")
        stepped = "group_area_asked" in file.names()
        return YearMap(years[0], path, area, debt, groups["map"], groups["forcing"], stepped)


def _areas(file: NetcdfFile, name: str, size: int) -> np.ndarray | None:
    """Read areas of a year, (size,) float64 m2; None where the file has none of that name."""
    if name not in file.names():
        return None
    if file.shape(name) != (1, size):
        raise InputError(
            f"{file.path}, {name}: is {file.shape(name)}, expected (1, {size}): the file is not of "
            "its class scheme"
        )
    return file.read(name)[0].astype(np.float64)
