"""What is looked at in a file before a library opens it for the first time in this process.

A file that landstep wrote is held against the checksum behind its data; one of others is opened in
a small process first. Both happen once per process and file, and for many ranks on the first.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from landstep.emulator.checksum_trailer import verify_trailer
from landstep.emulator.errors import InputError
from landstep.emulator.file_checks import HDF5_MAGIC, check_file, is_locked
from landstep.emulator.first_reader import READER
from landstep.emulator.ranks import Ranks

_SETTLED_NS = 1_000_000_000
"""A file that was changed more recently than this is looked at again the next time: another change
could leave its time as it is. Ours."""

Identity = tuple[str, int, int, int]


@dataclass(frozen=True)
class Looked:
    """What came of the look at a file.

    sha256 : of the whole file, where its checksum confirmed it; None: it has none
    """

    sha256: str | None


_KNOWN: dict[Identity, Looked] = {}


def look(path: Path | str) -> Looked:
    """Look at a NetCDF file once, before it is opened.

    Raises InputError, naming the file, where it is no whole NetCDF file, its bytes are not those
    that landstep wrote, or opening it does not come to an end.
    """
    path = Path(path)
    check_file(path)
    try:
        identity = _identity(path)
        if identity in _KNOWN:
            return _KNOWN[identity]
        with open(path, "rb") as file:
            is_hdf5 = file.read(len(HDF5_MAGIC)) == HDF5_MAGIC
        found = Looked(_verified(path) if is_hdf5 else None)
        if is_hdf5 and found.sha256 is None:
            READER.read(path)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror} (errno {error.errno})") from error
    if time.time_ns() - identity[2] > _SETTLED_NS:
        _KNOWN[identity] = found
    return found


def _verified(path: Path) -> str | None:
    try:
        return verify_trailer(path)
    except InputError as error:
        if is_locked(path):
            raise InputError(
                f"{path}: another program is writing it (HDF5 lock), wait until it has closed it"
            ) from error
        raise


def look_on_first(ranks: Ranks, paths: Iterable[Path]) -> None:
    """Look at files on the first rank; the others take its word for files that are the same there.

    All ranks call it. Raises on all what `look` raises on the first.
    """
    with ranks.together():
        if ranks.is_first:
            for path in paths:
                look(path)
    _KNOWN.update(ranks.from_first(dict(_KNOWN)))


@contextlib.contextmanager
def looking() -> Iterator[None]:
    """End the small process, where one was started, with the block."""
    try:
        yield
    finally:
        READER.stop()


def file_sha256(path: Path) -> str:
    """Return the hex sha256 of a whole file: the one that is known, else it is read. OSError."""
    known = _KNOWN.get(_identity(path))
    if known is not None and known.sha256 is not None:
        return known.sha256
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _identity(path: Path) -> Identity:
    found = path.stat()
    return os.path.abspath(path), found.st_size, found.st_mtime_ns, found.st_ino
