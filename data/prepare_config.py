"""The file of `landstep prepare` (TOML): where the sources are, and how their codes are read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from landstep.data.source_map import TIFF
from landstep.emulator.attributes import text
from landstep.emulator.errors import ConfigError, InputError
from landstep.emulator.experiment import StaticsTable
from landstep.emulator.land_use import PHASE
from landstep.emulator.netcdf import NetcdfFile
from landstep.emulator.path_text import path_problem
from landstep.emulator.source_name import split_source
from landstep.emulator.tables import StrictTable, folder_of, read_table

YEAR_MARK = "{year}"
"""Stands in a GeoTIFF's name for the four figures of its year."""


class LandUseSources(StrictTable):
    """Files of yearly maps, and how their codes are to be read.

    files : NetCDF, each with one year or more, or GeoTIFFs, one a year: "hilda_{year}.tif"
    """

    files: list[str] = Field(min_length=1)
    scheme: str
    variant: str
    variable: str = "LULC_states"

    @field_validator("files")
    @classmethod
    def _are_paths(cls, files: list[str]) -> list[str]:
        for file in files:
            if problem := path_problem(file):
                raise ValueError(problem)
        return files


class ForcingSources(StrictTable):
    """LUH2 or LUH3: history and scenario files, in any order; they stay as they are."""

    files: list[Path] = Field(min_length=1)
    scenario: str | None = None


class StaticSources(StaticsTable):
    """Static maps on grids of their own, each "FILE.nc:variable" or "FILE.tif".

    elevation_unit : "m" says that the elevations are metres whatever their file's `units` say
    """

    elevation_unit: Literal["m"] | None = None


class Sources(StrictTable):
    """A file of sources; paths in it are relative to its own folder."""

    name: str
    model: str | None = None
    land_use: LandUseSources
    forcing: ForcingSources
    statics: StaticSources
    folder: Path

    def static(self, name: str) -> tuple[Path, str]:
        """Return path and variable of a static; a variable not named is named like it."""
        path, variable = split_source(self.folder, getattr(self.statics, name))
        return path, variable or name


@dataclass(frozen=True)
class YearMap:
    """Where the map of a year is: step along time, None in a GeoTIFF."""

    year: int
    path: Path
    step: int | None


def load_sources(path: Path) -> Sources:
    """Read a file of sources.

    Raises ConfigError where it is missing, not TOML, or has a key or value that cannot be.
    """
    return read_table(path, Sources, {"folder": folder_of(path)})


def find_maps(sources: Sources, first: int, last: int) -> tuple[list[YearMap], str]:
    """Find the map of each wanted year, and the day of the year for which the maps are valid.

    Raises InputError where a wanted year has no map or two, or the files name different days;
    ConfigError where the years are in the wrong order or a GeoTIFF's year is not told.
    """
    if first > last:
        raise ConfigError(f"years {first}:{last}, expected the first one first")
    found: dict[int, YearMap] = {}
    phases: dict[str, Path] = {}
    for entry in sources.land_use.files:
        maps, phase = _maps_of(sources, entry)
        for of_year in maps:
            if not first <= of_year.year <= last:
                continue
            other = found.setdefault(of_year.year, of_year)
            if other is not of_year:
                raise InputError(
                    f"{of_year.path}: has a map of {of_year.year}, and so has {other.path}; name "
                    "one of them"
                )
            phases.setdefault(phase, of_year.path)
    for year in range(first, last + 1):
        if year not in found:
            raise InputError(
                f"{', '.join(sources.land_use.files)}: no map of {year}, wanted {first}:{last}"
            )
    if len(phases) > 1:
        said = ", ".join(f"{path.name}: {phase}" for phase, path in phases.items())
        raise InputError(f"maps are valid on different days of the year ({said})")
    return [found[year] for year in range(first, last + 1)], next(iter(phases))


def _maps_of(sources: Sources, entry: str) -> tuple[list[YearMap], str]:
    """All maps that one entry of `files` names, and their day of the year."""
    path = sources.folder / entry
    if path.suffix.lower() in TIFF:
        return _tiffs(path), PHASE
    variable = sources.land_use.variable
    with NetcdfFile(path) as file:
        dims = file.dims(variable)
        if len(dims) != 3:
            raise InputError(
                f"{path.name}, {variable}: dims {dims}, expected (time, latitude, longitude)"
            )
        years = file.years(dims[0])
        phase = text(file.attrs(), "phase", PHASE)
    return [YearMap(int(year), path, step) for step, year in enumerate(years)], phase


def _tiffs(path: Path) -> list[YearMap]:
    if path.name.count(YEAR_MARK) != 1:
        raise ConfigError(
            f"{path}: of which year is this map? Write {YEAR_MARK} once in the name where the year "
            f"stands, such as hilda_{YEAR_MARK}.tif"
        )
    before, after = (re.escape(part) for part in path.name.split(YEAR_MARK))
    pattern = re.compile(rf"{before}(\d{{4}}){after}")
    folder = path.parent
    names = sorted(other.name for other in folder.iterdir()) if folder.is_dir() else []
    return [
        YearMap(int(named.group(1)), folder / name, None)
        for name in names
        if (named := pattern.fullmatch(name))
    ]
