"""Write a file so that at every moment a whole one, old or new, is at its path."""

from __future__ import annotations

import contextlib
import os
import re
import uuid
from collections.abc import Iterator
from pathlib import Path

from landstep.emulator.errors import InputError

_TEMPORARY = re.compile(r"\..+\.[0-9a-f]{32}\.tmp")


@contextlib.contextmanager
def replacing(path: Path | str) -> Iterator[Path]:
    """Give a path in the same folder to write to; what is there in the end takes the place of
    `path`, flushed to the disk.

    On an error the old file stays as it was, and nothing else is left. A process that is killed
    leaves the old file, and what it wrote so far under a name that `remove_temporaries` knows.
    Raises InputError, with the path and the reason, where the system cannot write.
    """
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex}.tmp")
    try:
        yield temporary
        flush(temporary)
        os.replace(temporary, target)
        flush(target.parent)
    except OSError as error:
        raise InputError(f"{path}: cannot write: {error.strerror or error}") from error
    finally:
        with contextlib.suppress(OSError):  # where it could not be made, nor can it be removed
            temporary.unlink()


def remove_temporaries(folder: Path) -> None:
    """Remove what killed processes left half-written in a folder."""
    for path in folder.iterdir():
        if _TEMPORARY.fullmatch(path.name):
            path.unlink(missing_ok=True)


def flush(path: Path) -> None:
    """Make the operating system put a file or a folder on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
