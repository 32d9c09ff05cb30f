"""The folder of a run: which run it holds, so that the same command goes on where it stopped."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from landstep.emulator.atomic import (
    destination,
    refuse_links_out,
    remove_temporaries,
    replacing,
)
from landstep.emulator.emulator import Emulator
from landstep.emulator.errors import ConfigError, InputError
from landstep.emulator.experiment import Experiment
from landstep.emulator.legs import RESTARTS
from landstep.emulator.state import previous_path

RECORD = "run.json"
_WRITTEN = re.compile(r"land_use_-?\d+\.nc|restart(_backward)?\.nc|run\.json")
"""What a run writes: only regular files are replaced."""


_NOT_THE_RUNS: Any = {
    "name": True,
    "folder": True,
    "coupling": True,
    "run": {"core", "threads"},
    "output": {"compression"},
}
"""Keys of an experiment that change no map, or stand in the record by themselves."""


def settings_of(experiment: Experiment) -> dict[str, Any]:
    """Return the settings that make a run, table -> key -> value, ready for JSON."""
    return experiment.model_dump(mode="json", exclude=_NOT_THE_RUNS)


def identity(emulator: Emulator, start: str) -> dict[str, Any]:
    """Say what makes a run the same run; its last year may differ, and where its files lie.

    start : the year that it starts from and how
    returns : name -> value, ready for JSON
    """
    experiment = emulator.experiment
    settings = experiment.model_dump_json(exclude=_NOT_THE_RUNS)
    return {
        "experiment": experiment.name,
        "settings_sha256": hashlib.sha256(settings.encode()).hexdigest(),
        "model_sha256": emulator.session.sha256,
        "grid_sha256": emulator.grid.fingerprint,
        "input_bytes": {path.name: path.stat().st_size for path in experiment.input_files()},
        "start": start,
    }


@contextlib.contextmanager
def held_folder(path: Path) -> Iterator[None]:
    """Make a run's folder and keep other processes' runs out of it meanwhile.

    What a killed run left half-written is removed. Where the file system knows no locks, nothing
    keeps others out.
    Raises InputError where the folder cannot be made, or holds a device, a fifo, a socket, a folder
    or a link to nothing under the name of a file that a run writes; ConfigError where another run
    is in it.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDONLY)
    except OSError as error:
        raise InputError(f"{path}: cannot make the folder: {error.strerror}") from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ConfigError(
                f"{path}: another run is writing into it; wait for it, or name another folder"
            ) from error
        except OSError:
            pass
        remove_temporaries(path)
        for entry in path.iterdir():
            if _WRITTEN.fullmatch(entry.name):
                destination(entry)
        yield
    finally:
        os.close(handle)


def holds(path: Path, of: dict[str, Any], settings: dict[str, Any] | None = None) -> bool:
    """Tell whether a folder holds a run.

    of : the run's `identity`; settings : its `settings_of`, to say which of them differs
    Raises ConfigError where it holds another run, InputError where its record cannot be read.
    """
    record = path / RECORD
    if not os.path.lexists(record):
        return False
    destination(record)
    for name, (found, expected) in differences(read_record(record), of, settings).items():
        raise ConfigError(
            f"{path}: holds another run: its {name} is {found!r}, this run has {expected!r}; name "
            "another folder, or begin anew with --fresh"
        )
    return True


def differences(
    record: dict[str, Any], of: dict[str, Any], settings: dict[str, Any] | None
) -> dict[str, tuple[Any, Any]]:
    """Say in what a run's record differs from another run: name -> its value, the other's.

    of, settings : of the other run. A record of an earlier version holds no settings, only their
        sum
    """
    found: dict[str, tuple[Any, Any]] = {}
    for name, value in of.items():
        theirs = record.get(name)
        if theirs == value:
            continue
        pair = (theirs, value)
        if name == "settings_sha256" and settings is not None:
            pair = (record.get("settings"), settings)
            name = "settings"
        inner = _inner(*pair)
        found |= {f"{name}.{key}": both for key, both in inner.items()} or {name: (theirs, value)}
    return found


def _inner(theirs: Any, ours: Any) -> dict[str, tuple[Any, Any]]:
    """Name the entries in which two tables differ, with dots; nothing where one is no table."""
    if not (isinstance(theirs, dict) and isinstance(ours, dict)):
        return {}
    found: dict[str, tuple[Any, Any]] = {}
    for key in [*ours, *(key for key in theirs if key not in ours)]:
        pair = theirs.get(key), ours.get(key)
        if pair[0] != pair[1]:
            inner = _inner(*pair)
            found |= {f"{key}.{name}": both for name, both in inner.items()} or {key: pair}
    return found


def begin(
    path: Path,
    of: dict[str, Any],
    settings: dict[str, Any] | None = None,
    *,
    fresh: bool = False,
) -> None:
    """Make a folder a run's; restart files that are there are kept as the previous ones.

    of, settings : as in `holds`; both go into the record
    fresh : whatever the folder holds; then no link in it may lead out of it
    Raises InputError where the record cannot be written, or such a link is there.
    """
    if fresh:
        refuse_links_out(path)
    for name in RESTARTS:
        if (path / name).exists():
            (path / name).replace(previous_path(path / name))
    with replacing(path / RECORD) as temporary:
        text = json.dumps(of if settings is None else {**of, "settings": settings}, indent=1)
        temporary.write_text(text + "\n", "utf-8")


def read_record(record: Path) -> dict[str, Any]:
    """Read the record of a run; InputError where it cannot be read."""
    try:
        return dict(json.loads(record.read_text("utf-8")))
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise InputError(
            f"{record}: cannot be read ({error}); name another folder, or begin anew with --fresh"
        ) from error
