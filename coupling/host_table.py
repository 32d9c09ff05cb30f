"""Find, read and check a host's table (TOML)."""

from __future__ import annotations

import difflib
from importlib import resources
from pathlib import Path

from pydantic import ValidationError

from landstep.coupling.table_checks import TableProblem, check_table
from landstep.coupling.table_entries import HostTable
from landstep.coupling.table_lines import line_of
from landstep.emulator.errors import ConfigError
from landstep.emulator.tables import problem_place, read_table

CLASSES = "classes"
"""The host that takes the class fractions themselves; it needs no table."""


def host_names() -> list[str]:
    """Names of the hosts whose tables come with the package."""
    return sorted(path.stem for path in _folder().glob("*.toml"))


def host_table(name_or_path: str, folder: str | Path) -> HostTable:
    """Read and check a host's table.

    name_or_path : one of `host_names()`, or the path of a TOML file, relative to `folder`
    Raises ConfigError with the file and the line of what is wrong.
    """
    path = _path_of(name_or_path, Path(folder))
    try:
        table = read_table(path, HostTable, {"name": path.stem})
        check_table(table)
    except TableProblem as problem:
        line = line_of(path.read_text("utf-8"), problem.place)
        raise ConfigError(f"{path}, line {line}: {problem}") from problem
    except ConfigError as error:
        if not isinstance(error.__cause__, ValidationError):
            raise
        line = line_of(path.read_text("utf-8"), problem_place(error.__cause__))
        words = str(error).removeprefix(f"{path}: ")
        raise ConfigError(f"{path}, line {line}: {words}") from error
    return table


def _folder() -> Path:
    return Path(str(resources.files("landstep.coupling"))) / "hosts"


def _path_of(name_or_path: str, folder: Path) -> Path:
    """Path of the table; ConfigError for a bare name that is no host's."""
    if name_or_path in host_names():
        return _folder() / f"{name_or_path}.toml"
    if name_or_path.endswith(".toml"):
        return folder / name_or_path
    close = difflib.get_close_matches(name_or_path, host_names(), 1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    raise ConfigError(
        f"host {name_or_path!r} is not known: {hint}there are {[CLASSES, *host_names()]}; a table "
        "of your own is named by its path, which ends in .toml"
    )
