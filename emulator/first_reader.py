"""A small process that opens files which others wrote before this process does.

The NetCDF and HDF5 libraries can spin for ever or crash on damaged bytes; then the small process
ends, and not this one. It is started by exec, gets a limit of processor time for each file and a
limit of memory, and ends when it is not needed.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

from landstep.emulator.errors import InputError

_LOG = logging.getLogger(__name__)

SECONDS, BYTES_A_SECOND, MOST_SECONDS = 2, 1 << 22, 60
"""Processor time that opening a file may take: 2 s and 1 s for every 4 MiB, 60 s at most. What is
walked through (`reading_child`) takes less than a hundredth of it. Ours."""

WALL_SECONDS = 900.0
"""How long an answer is waited for on a slow disk or a loaded machine. Ours."""

_CRASHES = "crashes"
_KEPT = ("PATH", "LD_LIBRARY_PATH", "HOME", "TMPDIR", "SYSTEMROOT", "HDF5_PLUGIN_PATH",
         "HDF5_USE_FILE_LOCKING")  # fmt: skip
"""All that the small process gets of the environment: no preloaded library, no launcher of MPI."""

_START = (
    "import json, socket, sys\n"
    "s = socket.socket(fileno=0)\n"
    "f = s.makefile('r', encoding='ascii')\n"
    "sys.path += [p for p in json.loads(f.readline()) if p not in sys.path]\n"
    "from landstep.emulator.reading_child import serve\n"
    "serve(s, f)\n"
)


class _Unavailable(Exception):
    """The small process cannot be started here."""


class FirstReader:
    """The small process, started when it is first needed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._owner = 0
        self._usable = True

    def read(self, path: Path, *, change: bool = False) -> None:
        """Open a file and walk through it in the small process.

        change : open it as one that is to be changed, which reads other parts of it; nothing in
            it is changed
        Raises InputError where that does not come to an end, crashes, or asks for too much memory.
        Where no process can be started nothing is done, and that is logged once.
        """
        with self._lock:
            if self._owner != os.getpid():  # a fork: the small process is the parent's
                self._process, self._socket, self._owner = None, None, os.getpid()
            if not self._usable:
                return
            try:
                answer = self._ask(path, change)
                if answer == "" or answer.startswith(_CRASHES):
                    # that process had ended, or another file had harmed it
                    answer = self._ask(path, change)
            except (_Unavailable, OSError, ValueError) as error:
                self._usable = False
                self._end()
                _LOG.info("files are opened without trying them in another process: %s", error)
                return
        if answer not in ("ok", ""):
            raise InputError(
                f"{path}: the NetCDF library {answer}; the file is damaged: copy it again"
            )

    def stop(self) -> None:
        """End the small process; it is started again when it is needed."""
        with self._lock:
            if self._owner == os.getpid():
                self._end()

    def _ask(self, path: Path, change: bool) -> str:
        """Return "ok", what the library did, or "" where the process had ended before."""
        process, link = self._running()
        seconds = min(SECONDS + path.stat().st_size // BYTES_A_SECOND, MOST_SECONDS)
        asked = json.dumps([os.path.abspath(path), seconds, change])
        try:
            link.sendall(asked.encode("ascii") + b"\n", socket.MSG_NOSIGNAL)
            answer = _line(link)
        except TimeoutError:
            self._end()
            return f"has not opened it after {WALL_SECONDS:g} s"
        except OSError:
            answer = ""
        if answer:
            return answer
        status = self._end()
        if status == 0:
            return ""
        if status == -signal.SIGXCPU:
            return f"does not come to an end ({seconds} s of processor time)"
        return f"{_CRASHES} ({_name(status)})"

    def _running(self) -> tuple[subprocess.Popen[bytes], socket.socket]:
        if self._process is not None and self._socket is not None:
            return self._process, self._socket
        if getattr(sys, "frozen", False) or not os.access(sys.executable or "", os.X_OK):
            raise _Unavailable(f"no Python program at {sys.executable!r}")
        ours, theirs = socket.socketpair()
        with theirs:
            ours.settimeout(WALL_SECONDS)
            self._socket = ours
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-c", _START],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env=_environment(),
                start_new_session=True,
            )
        ours.sendall(json.dumps(sys.path).encode("ascii") + b"\n", socket.MSG_NOSIGNAL)
        if _line(ours) != "ready":
            raise _Unavailable(f"{sys.executable} ended with {self._end()} before it was ready")
        return self._process, ours

    def _end(self) -> int | None:
        """Let go of the process, and return its status."""
        process, link = self._process, self._socket
        self._process = self._socket = None
        if link is not None:
            link.close()
        if process is None:
            return None
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(5)
        process.kill()
        return process.wait()


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    # memory that was never filled is not 0 there: what would crash one day crashes now
    return {**kept, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MALLOC_PERTURB_": "165"}


def _line(link: socket.socket) -> str:
    """Receive a line; "" where the other end has gone."""
    received = b""
    while not received.endswith(b"\n"):
        part = link.recv(4096)
        if not part:
            return ""
        received += part
    return received.decode("ascii", "replace").strip()


def _name(status: int | None) -> str:
    try:
        return signal.Signals(-(status or 0)).name
    except ValueError:
        return f"status {status}"


READER = FirstReader()
"""The one of this process."""
