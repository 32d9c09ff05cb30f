"""What the small process of `first_reader` does: open files and walk through them.

The loops and crashes of HDF5 that damaged bytes lead to lie in its global heap, which has no
checksum: in opening, in attributes, and in data of strings and of lists of varying length. So all
of these are read; of numbers all that a small file has, the first and the last of any other.
"""

from __future__ import annotations

import os
import resource
import signal
import socket
from typing import Any, TextIO

import numpy as np

from landstep.emulator.netcdf_library import LIBRARY_ERRORS, netcdf4

MEMORY = 4 << 30
"""Bytes of address space that it may take. Ours."""

IDLE_SECONDS = 10.0
"""It ends when it is not asked for so long. Ours."""

SMALL_FILE, MOST_OF_VARIABLE, MOST_STRINGS = 16 << 20, 64 << 20, 1_000_000


def serve(link: socket.socket, lines: TextIO) -> None:
    """Open the files that come in, a line of JSON [path, seconds, change] each, and answer.

    change : the file is opened as one that is to be changed, else walked through
    """
    import json

    signal.signal(signal.SIGXCPU, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _limit(resource.RLIMIT_AS, MEMORY)
    link.settimeout(IDLE_SECONDS)
    link.sendall(b"ready\n")
    while True:
        try:
            line = lines.readline()
        except TimeoutError:
            line = ""
        if not line:
            os._exit(0)
        path, seconds, change = json.loads(line)
        used = resource.getrusage(resource.RUSAGE_SELF)
        _limit(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime) + 1 + seconds)
        answer = open_for_change(path) if change else walk(path)
        link.sendall(answer.encode("ascii", "replace") + b"\n")


def _limit(kind: int, value: int) -> None:
    _, most = resource.getrlimit(kind)
    resource.setrlimit(kind, (value if most == resource.RLIM_INFINITY else min(value, most), most))


def open_for_change(path: str) -> str:
    """Open a file as one that is to be changed, and close it; returns as `walk` does."""
    try:
        netcdf4.Dataset(path, "r+").close()
    except MemoryError:
        return f"asks for more than {MEMORY >> 30} GiB to open it"
    except LIBRARY_ERRORS:
        pass
    return "ok"


def walk(path: str) -> str:
    """Open a file, read what damaged bytes could spin or crash on, and close it.

    returns : "ok", also where the library refuses the file or a part of it: whoever opens it next
        gets that error; else what the library does
    """
    small = os.stat(path).st_size <= SMALL_FILE
    try:
        dataset = netcdf4.Dataset(path, "r")
    except MemoryError:
        return f"asks for more than {MEMORY >> 30} GiB to open it"
    except LIBRARY_ERRORS:
        return "ok"
    groups = [dataset]
    while groups:
        group = groups.pop()
        groups += group.groups.values()
        _attributes(group)
        for variable in group.variables.values():
            _attributes(variable)
            _data(variable, small)
    try:
        dataset.close()
    except LIBRARY_ERRORS:
        pass
    return "ok"


def _attributes(owner: Any) -> None:
    try:
        names = owner.ncattrs()
    except LIBRARY_ERRORS:
        return
    for name in names:
        try:
            owner.getncattr(name)
        except LIBRARY_ERRORS:
            continue


def _data(variable: Any, small: bool) -> None:
    try:
        variable.set_auto_maskandscale(False)
        variable.chunking()
        size, width = int(np.prod(variable.shape, dtype=object)), _width(variable)
        if size == 0:
            return
        if size <= MOST_STRINGS if width is None else small and size * width <= MOST_OF_VARIABLE:
            variable[...]
        else:
            for end in (0, -1):
                variable[(end,) * variable.ndim]
    except (*LIBRARY_ERRORS, IndexError, TypeError, KeyError):
        return


def _width(variable: Any) -> int | None:
    """Bytes of a number; None for strings and lists of varying length."""
    kind = variable.datatype
    return kind.itemsize if isinstance(kind, np.dtype) else None
