"""The folder of a run: which run it holds, so that the same command goes on where it stopped."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from landstep.emulator.atomic import remove_temporaries, replacing
from landstep.emulator.emulator import Emulator
from landstep.emulator.errors import ConfigError, InputError
from landstep.emulator.legs import RESTARTS
from landstep.emulator.state import previous_path

RECORD = "run.json"


def identity(emulator: Emulator, start: str) -> dict[str, Any]:
    """Say what makes a run the same run; its last year may differ, and where its files lie.

    start : the year that it starts from and how
    returns : name -> value, ready for JSON
    """
    experiment = emulator.experiment
    settings = experiment.model_dump_json(
        exclude={"name": True, "folder": True, "coupling": True, "run": {"core", "threads"}}
    )
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
    Raises InputError where the folder cannot be made; ConfigError where another run is in it.
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
        yield
    finally:
        os.close(handle)


def holds(path: Path, of: dict[str, Any]) -> bool:
    """Tell whether a folder holds a run.

    of : the run's `identity`
    Raises ConfigError where it holds another run, InputError where its record cannot be read.
    """
    record = path / RECORD
    if not record.exists():
        return False
    found = _read(record)
    for name in of:
        if found.get(name) != of[name]:
            raise ConfigError(
                f"{path}: holds another run: its {name} is {found.get(name)!r}, this run has "
                f"{of[name]!r}; name another folder, or begin anew with --fresh"
            )
    return True


def begin(path: Path, of: dict[str, Any]) -> None:
    """Make a folder a run's; restart files that are there are kept as the previous ones."""
    for name in RESTARTS:
        if (path / name).exists():
            (path / name).replace(previous_path(path / name))
    with replacing(path / RECORD) as temporary:
        temporary.write_text(json.dumps(of, indent=1) + "\n", "utf-8")


def _read(record: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(record.read_text("utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise InputError(
            f"{record}: cannot be read ({error}); name another folder, or begin anew with --fresh"
        ) from error
