"""The experiment file (TOML): which model, maps, forcing and statics, and how to run them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from pydantic import (
    Field,
    ValidationInfo,
    field_validator,
)

from landstep.emulator.builtin import builtin_path
from landstep.emulator.errors import ConfigError, InputError
from landstep.emulator.first_look import file_sha256
from landstep.emulator.path_text import path_problem
from landstep.emulator.providers import pair_problem
from landstep.emulator.source_name import split_source
from landstep.emulator.tables import StrictTable, folder_of, read_table
from landstep.emulator.toml_file import short


class LandUseTable(StrictTable):
    """Where the 1 km maps are and how their codes are to be read."""

    file: Path
    scheme: str
    variant: str
    variable: str = "LULC_states"


class ForcingTable(StrictTable):
    """Coarse land use: history and scenario files, in any order."""

    files: list[Path] = Field(min_length=1)
    format: Literal["luh2", "blocks"] = "luh2"
    scenario: str | None = None


class StaticsTable(StrictTable):
    """Static maps on the grid of the land-use map, each "FILE" or "FILE:variable"."""

    elevation: str
    soil_texture: str
    climate_zone: str

    @field_validator("elevation", "soil_texture", "climate_zone")
    @classmethod
    def _is_a_path(cls, entry: str) -> str:
        if problem := path_problem(entry):
            raise ValueError(problem)
        return entry


class RunTable(StrictTable):
    """How to run: window size, threads, where, how precisely. Only the last two change the map.

    core : cells a side of a window's core; None: as many as its memory allows, up to 1440
    """

    core: int | None = Field(default=None, ge=8)
    threads: int = Field(default=1, ge=1)
    provider: Literal["cpu", "cuda", "tensorrt", "openvino"] = "cpu"
    precision: str = "fp32"

    @field_validator("precision")
    @classmethod
    def _can_be_had(cls, precision: str, info: ValidationInfo) -> str:
        if problem := pair_problem(info.data.get("provider", "cpu"), precision):
            raise ValueError(problem)
        return precision


class AllocationTable(StrictTable):
    """How coarse quotas bind the map.

    mode : "exact" changes each group by what the forcing asks since the anchor year, to within one
        fine cell of each coarse cell; "soft" may miss at a price, and repays within ten years;
        "none" gives each cell its likeliest class
    """

    mode: Literal["exact", "soft", "none"] = "exact"


class OutputTable(StrictTable):
    """What a year's file holds beside its map.

    confidence : the probability of each cell's likeliest class; the network then runs over all
        land in every year, also where no quota needs it
    compression : of the maps in a year's file and in the restart. "zlib" is read by every program;
        "zstd" is faster and needs a NetCDF library with this filter. The values are the same
    """

    confidence: bool = False
    compression: Literal["zlib", "zstd"] = "zlib"


class ClimateTable(StrictTable):
    """What the climate zones mean, and the climate that they belong to.

    legend : what the codes of the static `climate_zone` are: "koppen_geiger", "ipcc", "made_up"
    reference : file of monthly means, air_temperature and precipitation_flux (month, lat, lon): the
        climate of the zones as they were observed. A host's own climate moves zones from there
    host_reference : file of the host's own climate in a control run, which a run that observes
        writes. The host's changes are counted from it, so that its bias moves no zone
    """

    legend: str | None = None
    reference: Path | None = None
    host_reference: Path | None = None


ICE_WORDS = ("required", "left")
"""What [coupling] ice says where it names no file."""


class CouplingTable(StrictTable):
    """How a host model is served. Nothing in it changes the land itself.

    host : a table that comes with landstep ("ecland", "ctsm", ...), or the path of one in TOML
    mode : "anomaly": the host's own baseline and the change since a reference year; "absolute":
        landstep's fields as they are
    reference : that year; None: the year that the run starts from. Of an earlier one the
        experiment must have a map; a later one costs the steps to it once more, when a run begins
    calendar : of the host, which dates are held against; "host": any day of twelve months is one
    cover : how dense vegetation of a type stands: by the host's table, or by 1 - exp(-k LAI)
    albedo : "required": fields of a host that keeps an albedo of its own are refused without one;
        "left": they are given, and the albedo stays
    ice : where land is under ice, which no class says, for a host that keeps ice apart from bare
        ground and takes landstep's own fields ("absolute"): "FILE" or "FILE:variable" with 1 there
        and 0 elsewhere, on the grid of the map; "required": the climate zones must tell; "left":
        ice is taken for bare ground
    lai : between the months: the host's own rule, or one by name
    weights : a SCRIP or ESMF weight file from the map's cells to the host's points
    geometry : "required": points far wider apart than the map's cells are refused where nothing
        says how large they are, and so are points none of which lies on known land; "left": sites
    active : false switches landstep off: no call changes anything
    observe : a folder; fields are written there, and the host is never told that they changed
    skip : allow `update` to pass over years, each of which is then computed
    dump : a folder that gets the state of each rank where a step fails
    harvest : LUH2's transitions, history and scenario: their wood harvest is handed out as it is
    missing_months : what stands in for a month in which the host did not put what it put in others:
        "refused": nothing, the year is an error; the "reference" climate's month; that of the
        "last_year"
    baseline_record : a file that knows the baselines of the first start and what was handed out
        since; None: none is kept
    moved_baseline : baselines that the record, or the restart of a branch, shows to be moved or
        other ones: "refused", or "taken", which begins the record anew
    """

    host: str = "classes"
    mode: Literal["anomaly", "absolute"] = "anomaly"
    reference: int | None = None
    calendar: Literal["standard", "proleptic_gregorian", "noleap", "360_day", "host"] = "standard"
    cover: Literal["table", "lai"] = "table"
    albedo: Literal["required", "left"] = "required"
    ice: str = "required"
    lai: Literal["host", "step", "ecland", "ctsm", "noahmp", "mean_preserving"] = "host"
    weights: Path | None = None
    geometry: Literal["required", "left"] = "required"
    active: bool = True
    observe: Path | None = None
    skip: bool = False
    dump: Path | None = None
    harvest: list[Path] = []
    missing_months: Literal["refused", "reference", "last_year"] = "refused"
    baseline_record: Path | None = None
    moved_baseline: Literal["refused", "taken"] = "refused"

    @field_validator("ice")
    @classmethod
    def _is_a_path(cls, ice: str) -> str:
        if problem := path_problem(ice):
            raise ValueError(problem)
        return ice


class Experiment(StrictTable):
    """An experiment file; paths in it are relative to its own folder.

    observed : what `landstep run` does in a year that has a map: "emulate" steps to it all the
        same, so that it can be scored; "copy" takes the map
    """

    name: str
    model: str | None = None
    start: int | None = None
    land_use: LandUseTable
    forcing: ForcingTable
    statics: StaticsTable
    observed: Literal["emulate", "copy"] = "emulate"
    allocation: AllocationTable = AllocationTable()
    run: RunTable = RunTable()
    output: OutputTable = OutputTable()
    climate: ClimateTable = ClimateTable()
    coupling: CouplingTable = CouplingTable()
    checksums: dict[str, str] = {}
    folder: Path

    @field_validator("model")
    @classmethod
    def _is_a_path(cls, model: str | None) -> str | None:
        if model is not None and (problem := path_problem(model)):
            raise ValueError(problem)
        return model

    @field_validator("checksums")
    @classmethod
    def _are_sha256(cls, checksums: dict[str, str]) -> dict[str, str]:
        """Take 64 hexadecimal digits as any program prints them: capitals, blanks between."""
        found = {}
        for name, stated in checksums.items():
            if problem := path_problem(name):
                raise ValueError(f"{short(name)}: {problem}")
            found[name] = "".join(stated.split()).lower()
            if not re.fullmatch("[0-9a-f]{64}", found[name]):
                raise ValueError(
                    f"{short(name)} = {short(stated)}: expected a sha256, 64 hexadecimal digits"
                )
        return found

    def path(self, entry: str | Path) -> Path:
        """Turn a path of the file into one that can be opened."""
        return self.folder / entry

    def static_source(self, entry: str) -> tuple[Path, str | None]:
        """Split "FILE:variable" into path and variable (None where it is not named)."""
        return split_source(self.folder, entry)

    def input_files(self) -> list[Path]:
        """Paths of all maps, forcing and statics that it names."""
        entries = [getattr(self.statics, name) for name in type(self.statics).model_fields]
        return [
            self.path(self.land_use.file),
            *(self.path(file) for file in self.forcing.files),
            *(self.static_source(entry)[0] for entry in entries),
        ]

    def opened_files(self) -> list[Path]:
        """Paths of all NetCDF files that are opened for it, each once."""
        climate = [self.climate.reference, self.climate.host_reference]
        more = [*climate, self.coupling.weights, *self.coupling.harvest]
        paths = [self.path(file) for file in more if file is not None]
        if self.coupling.ice not in ICE_WORDS:
            paths.append(self.static_source(self.coupling.ice)[0])
        there = [path for path in paths if path.is_file()]
        return list(dict.fromkeys([*self.input_files(), *there]))

    def model_path(self) -> Path:
        """Path of the ONNX file; "builtin:NAME" is one that came with the package.

        Raises ConfigError where no model is named, or no such builtin exists.
        """
        if self.model is None:
            raise ConfigError(
                f"experiment {self.name!r}: key 'model' is missing; name an ONNX file"
            )
        return builtin_path(self.model) or self.path(self.model)

    def verify_checksums(self) -> None:
        """Hold the files named in [checksums] against their sha256; InputError if one differs."""
        for name, expected in self.checksums.items():
            path = self.path(name)
            try:
                found = file_sha256(path)
            except OSError as error:
                raise InputError(f"{path}: named in [checksums]: {error.strerror}") from error
            if found != expected:
                raise InputError(
                    f"{path}: sha256 mismatch: expected {expected}, got {found}; the file was "
                    "altered: fetch it again, or correct [checksums]"
                )


def load_experiment(path: str | Path) -> Experiment:
    """Read an experiment file.

    Raises ConfigError where it is missing, not TOML, or has a key or value that cannot be.
    """
    return read_table(Path(path), Experiment, {"folder": folder_of(path)})
