"""The maps that `landstep run` left in a folder, and the experiment that they are of."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from landstep.emulator.classes import MASKED, first_place
from landstep.emulator.errors import ConfigError, InputError
from landstep.emulator.experiment import Experiment, load_experiment
from landstep.emulator.inputs import Files, check_files, open_files
from landstep.emulator.land_use import codes_of_year
from landstep.emulator.netcdf import NetcdfFile

_NAME = re.compile(r"land_use_(-?\d+)\.nc")


@dataclass(frozen=True, eq=False)
class Run:
    """A folder of yearly maps.

    files : of the experiment: grid, scheme and static maps
    years : that have a map, ascending
    model : sha256 of the model
    """

    folder: Path
    experiment: Experiment
    files: Files
    years: tuple[int, ...]
    model: str

    @classmethod
    def open(cls, folder: Path, experiment: Path) -> Run:
        """Open a run and its experiment; no map is read.

        Raises InputError where there is no map, or they are not on the experiment's grid and in
        its classes; ConfigError or InputError for an experiment that cannot be read.
        """
        found = {int(m[1]): p for p in folder.glob("*.nc") if (m := _NAME.fullmatch(p.name))}
        if not found:
            raise InputError(
                f"{folder}: 0 maps named land_use_YEAR.nc, expected at least 1; `landstep run` "
                "writes them"
            )
        settings = load_experiment(experiment)
        check_files(settings)
        files = open_files(settings)
        first = found[min(found)]
        attributes = _attributes(first)
        of = files.land_use
        for name, ours in (("class_scheme", of.scheme.name), ("grid_sha256", of.grid.fingerprint)):
            if attributes[name] != ours:
                raise ConfigError(
                    f"{first}: {name} is {attributes[name]}, {experiment} has {ours}; name the "
                    "experiment that the run is of"
                )
        return cls(folder, settings, files, tuple(sorted(found)), attributes["model_sha256"])

    def land_use(self, year: int) -> np.ndarray:
        """Read the map of a year: (y, x) uint8 class numbers, MASKED where not known.

        Raises InputError for a year without a map, a map of another run, or a code that is no
        class.
        """
        self.check_year(year)
        path = self.map_path(year)
        model = _attributes(path)["model_sha256"]
        if model != self.model:
            raise InputError(
                f"{path}: is of another run than land_use_{self.years[0]}.nc: its model_sha256 is "
                f"{model}, not {self.model}; keep each run in a folder of its own"
            )
        with NetcdfFile(path) as file:
            found, shape = file.shape("land_use")[1:], self.files.land_use.grid.shape
            if found != shape:
                raise InputError(f"{path}, land_use: {found} cells, expected the map's {shape}")
            codes = codes_of_year(file)
        scheme = self.files.land_use.scheme
        numbers = np.full(256, MASKED, np.uint8)
        numbers[list(scheme.codes)] = np.arange(scheme.n_classes)
        known = np.zeros(256, bool)
        known[[*scheme.codes, 255]] = True
        wrong = ~known[codes]
        if wrong.any():
            raise InputError(
                f"{path}, land_use: code {codes[wrong][0]} at cell {first_place(wrong)} is none of "
                f"scheme {scheme.name}'s"
            )
        return numbers[codes]

    def reference(self, year: int) -> np.ndarray:
        """Read the map of a reference year, as `land_use` does.

        The run's own; of a year before its first the experiment's, as in a coupled run. Raises
        InputError where there is neither.
        """
        self.check_reference(year)
        if year in self.years:
            return self.land_use(year)
        return self.files.land_use.map(year)

    def check_reference(self, year: int) -> None:
        """Refuse a reference year that has no map: InputError with those that have one."""
        observed = self.files.land_use.years
        if year >= self.years[0] or year not in observed:
            self.check_year(year, "the reference year")

    def check_year(self, year: int, what: str = "a year that was asked for") -> None:
        """Refuse a year that has no map: InputError with those that have one."""
        if year not in self.years:
            raise InputError(f"{self.folder}: no map of {year}, {what}; it has {self._spans()}")

    def map_path(self, year: int) -> Path:
        """Path of a year's map; of a year before the run's first, of the experiment's maps."""
        if year < self.years[0]:
            return self.files.land_use.path
        return self.folder / f"land_use_{year}.nc"

    def forcing_sha256(self) -> dict[str, str]:
        """Give name -> sha256 of each forcing file."""
        return {
            Path(file).name: sha256_of(self.experiment.path(file))
            for file in self.experiment.forcing.files
        }

    def _spans(self) -> str:
        """Say which years there are."""
        first, last = self.years[0], self.years[-1]
        gaps = " with gaps" if len(self.years) != last - first + 1 else ""
        return f"{first} to {last}{gaps}"


def sha256_of(path: Path) -> str:
    """Give the sha256 of a file's content. Raises InputError where it cannot be read."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error


def _attributes(path: Path) -> dict[str, str]:
    with NetcdfFile(path) as file:
        attributes = file.attrs()
    wanted = ("class_scheme", "grid_sha256", "model_sha256")
    for name in wanted:
        if name not in attributes:
            raise InputError(
                f"{path}: has no attribute {name}, which `landstep run` writes; is it another "
                "program's file?"
            )
    return {name: str(attributes[name]) for name in wanted}
