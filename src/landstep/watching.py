"""A small process that ends this one when a signal asks for it and a library does not return.

Python's signal handlers run between two steps of the interpreter, so that a process that spins
inside a C library is deaf, and so are all its threads where that library was called with the
interpreter's lock held. What Python does at once, in C, is to write the signal's number into a
pipe: the small process reads it there.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from typing import Any

ENDED = signal.SIGALRM
"""The signal that ends a deaf process: a shell reports 128 + 14 = 142."""

_HEARD = b"\0"

_PROGRAM = """
import os, select, signal, sys, time
watched, grace, ended = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
told, parent, until = sys.argv[4], os.getppid(), None
while True:
    left = None if until is None else max(until - time.monotonic(), 0)
    if select.select([0], [], [], left)[0]:
        numbers = os.read(0, 4096)
        if not numbers:
            break
        for number in numbers:
            if number == watched and until is None:
                until = time.monotonic() + grace
            elif number == 0:
                until = None
    elif os.getppid() == parent:
        os.write(2, told.encode("utf-8", "replace"))
        os.kill(parent, ended)
        time.sleep(1)
        if os.getppid() == parent:
            os.kill(parent, signal.SIGKILL)
        break
    else:
        break
"""


class Watch:
    """Ends this process when a signal's Python handler has not run some time after the signal.

    The handler calls `heard`. A context manager, for the main thread.
    """

    def __init__(self, number: signal.Signals, seconds: float, told: str) -> None:
        """Watch for one signal; `told` goes to standard error when the process is ended."""
        self._command = ["-I", "-S", "-c", _PROGRAM, str(int(number)), str(seconds)]
        self._command += [str(int(ENDED)), told]
        self._pipe = self._before = -1
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Watch:
        """Start the small process; without one, where none can be started."""
        inlet, self._pipe = os.pipe()
        os.set_blocking(self._pipe, False)
        kept = {n: os.environ[n] for n in ("PATH", "LD_LIBRARY_PATH") if n in os.environ}
        # what it inherits, so that no signal to a group or a job step ends it first
        masked = signal.pthread_sigmask(signal.SIG_BLOCK, set(signal.Signals) - {ENDED})
        try:
            with contextlib.suppress(OSError):
                self._process = subprocess.Popen(
                    [sys.executable, *self._command],
                    stdin=inlet,
                    stdout=subprocess.DEVNULL,
                    cwd="/",
                    env=kept,
                    start_new_session=True,
                )
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, masked)
            os.close(inlet)
        if self._process is not None:
            self._before = signal.set_wakeup_fd(self._pipe, warn_on_full_buffer=False)
        return self

    def heard(self) -> None:
        """Say that the handler has run."""
        with contextlib.suppress(OSError):
            os.write(self._pipe, _HEARD)

    def __exit__(self, *_: Any) -> None:
        """End the small process."""
        if self._process is not None:
            signal.set_wakeup_fd(self._before)
        os.close(self._pipe)
        if self._process is not None:
            self._process.wait()
