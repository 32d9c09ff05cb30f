"""Write a file so that at every moment a whole one, old or new, is at its path."""

from __future__ import annotations

import contextlib
import os
import re
import stat
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
    Raises InputError, with the path and the reason, where the system cannot write, or something
    other than a regular file is at `path`: see `destination`.
    """
    target = destination(path)
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


def destination(path: Path | str) -> Path:
    """Return the path that a new file takes, with all links resolved; nothing is written.

    A link to a regular file is followed: the new file takes the place of what it points to.
    Raises InputError where a folder, a device, a fifo, a socket, a link to nothing or a loop of
    links is at `path`: only a regular file is ever replaced.
    """
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        if os.path.islink(path):
            raise InputError(
                f"{path}: cannot write: is a link to {os.readlink(path)}, which is not there; "
                "expected a regular file or nothing: remove the link, or make the file"
            ) from None
        return Path(os.path.realpath(path))
    except OSError as error:
        raise InputError(f"{path}: cannot write: {error.strerror or error}") from error
    except ValueError as error:
        raise InputError(f"{str(path)!r}: not a path: {error}") from error
    if not stat.S_ISREG(mode):
        found = "Is a directory" if stat.S_ISDIR(mode) else f"is {kind_of(mode)}"
        raise InputError(
            f"{path}: cannot write: {found}, expected a regular file or nothing; name another path"
        )
    return Path(os.path.realpath(path))


def kind_of(mode: int) -> str:
    """Return in words what a path that is no regular file is, from its `st_mode`."""
    kinds = {
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
        stat.S_IFIFO: "a fifo",
        stat.S_IFSOCK: "a socket",
        stat.S_IFDIR: "a directory",
    }
    return kinds.get(stat.S_IFMT(mode), "not a regular file")


def refuse_links_out(folder: Path) -> None:
    """Refuse a folder that holds a link to a file or folder outside it.

    Raises InputError naming the first such link.
    """
    inside = folder.resolve()
    for path in sorted(folder.iterdir()):
        if path.is_symlink() and not Path(os.path.realpath(path)).is_relative_to(inside):
            raise InputError(
                f"{path}: is a link to {os.readlink(path)}, outside the folder; a run that begins "
                "anew writes nothing there: remove the link, or name another folder"
            )


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
