"""Tables of TOML files: known keys only, and every problem in the words of the file."""

from __future__ import annotations

import difflib
import math
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError, ValidationInfo, field_validator
from pydantic_core import ErrorDetails

from landstep.emulator.classes import scheme, scheme_names
from landstep.emulator.errors import ConfigError
from landstep.emulator.path_text import path_problem
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


def folder_of(path: str | Path) -> Path:
    """Return the folder to which the paths in a file are relative; ConfigError for no path."""
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
