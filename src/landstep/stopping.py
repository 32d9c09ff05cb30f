"""When a run is to end early: after the year under way, never within it."""

from __future__ import annotations

import signal
import time
from contextlib import ExitStack
from types import FrameType
from typing import Any

from landstep.emulator.errors import ConfigError
from landstep.watching import Watch

STOPPED = 75
"""Exit status of a run that was stopped and can go on. Source: sysexits.h, EX_TEMPFAIL."""


ASKING = (signal.SIGTERM, signal.SIGUSR1)
"""Signals that ask a run to end. Open MPI's mpirun kills its ranks some seconds after a SIGTERM,
and passes SIGUSR1 on. Source: man mpirun, version 4.1, "Signal propagation"."""

DEAF_SECONDS = 8.0
"""How long after a SIGTERM a library may keep the interpreter from hearing it, before the process
is ended: a library that spins is ended within 10 s. A window that takes longer is cut off, too, and
nothing is lost but the year under way. Ours."""


class Stop:
    """Says after each year whether to end there; use it as a context manager.

    minutes : the run ends before a year that, being as long as the longest so far, could pass this
        many minutes since here; None: no limit
    watched : end the process, by SIGALRM, where a library does not return to Python within
        DEAF_SECONDS of a SIGTERM. Not for ranks: they wait for each other in MPI
    Raises ConfigError for a limit that is not above 0.
    """

    def __init__(self, minutes: float | None = None, *, watched: bool = False) -> None:
        if minutes is not None and not minutes > 0:
            raise ConfigError(f"time limit of {minutes} minutes, expected more than 0")
        self._minutes = minutes
        self._began = self._last = time.monotonic()
        self._longest = 0.0
        self._signal = ""
        self._before: dict[signal.Signals, Any] = {}
        self._watched, self._stack = watched, ExitStack()
        self._watch: Watch | None = None

    def __enter__(self) -> Stop:
        """Take SIGTERM and SIGUSR1 as a wish to end, no longer as the end."""
        if self._watched:
            self._watch = self._stack.enter_context(
                Watch(
                    signal.SIGTERM,
                    DEAF_SECONDS,
                    f"landstep: SIGTERM: a library has not returned for {DEAF_SECONDS:g} s: ended "
                    "within a year; what was written is whole, the same command goes on\n",
                )
            )
        self._before = {number: signal.signal(number, self._asked) for number in ASKING}
        return self

    def __exit__(self, *_: object) -> None:
        """Put the signals back to what they were."""
        for number, before in self._before.items():
            signal.signal(number, before)
        self._stack.close()

    def reason(self) -> str:
        """Why to end here, at the end of a year; "" to go on."""
        now = time.monotonic()
        self._longest, self._last = max(self._longest, now - self._last), now
        if self._signal:
            return self._signal
        if self._minutes is None or now - self._began + self._longest <= self._minutes * 60:
            return ""
        return f"the next year could pass the time limit of {self._minutes:g} minutes"

    def _asked(self, number: int, frame: FrameType | None) -> None:
        self._signal = signal.Signals(number).name
        if self._watch is not None and number == signal.SIGTERM:
            self._watch.heard()
