"""The experiment file (TOML): which model, maps, forcing and statics, and how to run them."""

from __future__ import annotations

import difflib
import hashlib
import math
import re
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import ErrorDetails

from landstep.emulator.builtin import builtin_path
from landstep.emulator.classes import scheme, scheme_names
from landstep.emulator.errors import ConfigError, InputError
from landstep.emulator.path_text import path_problem
from landstep.emulator.providers import pair_problem
from landstep.emulator.source_name import split_source
from landstep.emulator.toml_file import read_toml, short

Table = TypeVar("Table", bound=BaseModel)


class StrictTable(BaseModel):
    """A table of a TOML file: read-only, no key that is not known."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @field_validator("*", mode="before")
    @classmethod
    def _is_of_its_kind(cls, value: Any, info: ValidationInfo) -> Any:
        """Refuse `true` for a number, which counts as 1, numbers without end, and no paths."""
        kinds = _kinds(cls.model_fields[str(info.field_name)].annotation)
        for entry in value if isinstance(value, list) else [value]:
            if isinstance(entry, bool) and bool not in kinds:
                raise ValueError("expected no true or false here")
            if isinstance(entry, str) and Path in kinds and (problem := path_problem(entry)):
                raise ValueError(problem)
            if not any(issubclass(kind, StrictTable) for kind in kinds):
                _check_numbers(entry)
        return value


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
    """

    confidence: bool = False


class ClimateTable(StrictTable):
    """What the climate zones mean, and the climate that they belong to.

    legend : what the codes of the static `climate_zone` are: "koppen_geiger", "ipcc", "made_up"
    reference : file of monthly means, air_temperature and precipitation_flux (month, lat, lon): the
        climate of the zones as they were observed. A host's own climate moves zones from there
    """

    legend: str | None = None
    reference: Path | None = None


class CouplingTable(StrictTable):
    """How a host model is served. Nothing in it changes the land itself.

    host : a table that comes with landstep ("ecland", "ctsm", ...), or the path of one in TOML
    mode : "anomaly": the host's own baseline and the change since a reference year; "absolute":
        landstep's fields as they are
    reference : that year; None: the year that the run starts from. Of an earlier one the
        experiment must have a map; a later one costs the steps to it once more, when a run begins
    cover : how dense vegetation of a type stands: by the host's table, or by 1 - exp(-k LAI)
    albedo : "required": fields of a host that keeps an albedo of its own are refused without one;
        "left": they are given, and the albedo stays
    lai : between the months: the host's own rule, or one by name
    weights : a SCRIP or ESMF weight file from the map's cells to the host's points
    active : false switches landstep off: no call changes anything
    observe : a folder; fields are written there, and the host is never told that they changed
    skip : allow `update` to pass over years, each of which is then computed
    dump : a folder that gets the state of each rank where a step fails
    """

    host: str = "classes"
    mode: Literal["anomaly", "absolute"] = "anomaly"
    reference: int | None = None
    calendar: Literal["standard", "proleptic_gregorian", "noleap", "360_day"] = "standard"
    cover: Literal["table", "lai"] = "table"
    albedo: Literal["required", "left"] = "required"
    lai: Literal["host", "step", "ecland", "ctsm", "noahmp", "mean_preserving"] = "host"
    weights: Path | None = None
    active: bool = True
    observe: Path | None = None
    skip: bool = False
    dump: Path | None = None


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
                with path.open("rb") as file:
                    found = hashlib.file_digest(file, "sha256").hexdigest()
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


def folder_of(path: str | Path) -> Path:
    """Give the folder of a file, which the paths in it are relative to; ConfigError for no path."""
    try:
        return Path(path).resolve().parent
    except (OSError, ValueError, RuntimeError) as error:  # the last for links in a circle
        raise ConfigError(f"{str(path)!r}: not a path: {error}") from error


def read_table(path: Path, kind: type[Table], extra: dict[str, Any] | None = None) -> Table:
    """Read a TOML file into a table, naming the key that is wrong and the one that was meant.

    extra : values that are not the file's to give
    Raises ConfigError.
    """
    values, extra = read_toml(path), extra or {}
    for key in extra.keys() & values.keys():
        raise ConfigError(f"{path}: unknown key '{key}'")
    try:
        return kind.model_validate({**values, **extra})
    except ValidationError as error:
        raise ConfigError(f"{path}: {_first_problem(error, kind, values)}") from error


def problem_place(error: ValidationError) -> tuple[int | str, ...]:
    """Where the problem that `read_table` names lies: keys, and numbers in lists of tables."""
    return _first(error)["loc"]


def _first(error: ValidationError) -> ErrorDetails:
    return min(error.errors(), key=lambda problem: problem["type"] != "extra_forbidden")


def _first_problem(error: ValidationError, kind: type[BaseModel], values: dict[str, Any]) -> str:
    """Say what is wrong in the words of the file, not of the validator."""
    first = _first(error)
    place = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        known = _keys(kind, first["loc"][:-1])
        close = difflib.get_close_matches(str(first["loc"][-1]), known, 1)
        hint = f" (did you mean '{close[0]}'?)" if close else f"; it may have {sorted(known)}"
        return f"unknown key {short(place)}{hint}"
    if first["type"] == "missing":
        return f"key '{place}' is missing{_choice(first['loc'], values)}"
    said = first["msg"].removeprefix("Value error, ")
    return f"{place} = {short(first['input'])}: {said}" if place else said


def _choice(place: tuple[int | str, ...], values: dict[str, Any]) -> str:
    """Say what may stand where a key is missing, for those that nobody can guess."""
    table = values.get(str(place[0])) if len(place) == 2 else None
    if not isinstance(table, dict) or place[0] != "land_use":
        return ""
    if place[1] == "scheme":
        return f"; the class schemes are {scheme_names()}"
    if place[1] == "variant" and table.get("scheme") in scheme_names():
        of = scheme(table["scheme"])
        return f"; which product is the file? Scheme {of.name} has {sorted(of.variants)}"
    return ""


def _kinds(annotation: Any) -> set[Any]:
    """Types that an annotation is made of: {int, NoneType} of `int | None`."""
    inner = [kind for part in get_args(annotation) for kind in _kinds(part)]
    return {annotation, *inner} if isinstance(annotation, type) else set(inner)


def _check_numbers(value: object) -> None:
    """Refuse what no quantity is (nan, inf), and whole numbers that TOML does not have."""
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            _check_numbers(inner)
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValueError("expected a finite number")
    elif isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise ValueError("a whole number of more than 64 bits")


def _keys(kind: type[BaseModel], place: tuple[int | str, ...]) -> list[str]:
    for part in place:
        if isinstance(part, int):  # the number of an entry in a list of tables
            continue
        inner = kind.model_fields[part].annotation if part in kind.model_fields else None
        inner = next(iter(get_args(inner)), inner)
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            return []
        kind = inner
    return [name for name in kind.model_fields if name != "folder"]
