"""Progress of long work: one moving line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.status import Status

PLAIN_SECONDS = 5.0
"""Elsewhere than on a terminal, a line at most this often."""


class Progress:
    """Says how far the work is; use it as a context manager."""

    def __init__(self, work: str, silent: bool = False) -> None:
        """Name the work, such as "run"; silent where another process speaks for this one."""
        self.work, self._silent = work, silent
        self._console = Console(stderr=True, highlight=False)
        self._status: Status | None = None
        self._last = time.monotonic()

    def __enter__(self) -> Progress:
        """Start the moving line where there is a terminal."""
        if self._console.is_terminal and not self._silent:
            self._status = self._console.status(self.work)
            self._status.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the moving line."""
        if self._status is not None:
            self._status.stop()

    def say(self, text: str) -> None:
        """Say where the work is."""
        if self._status is not None:
            self._status.update(f"{self.work}: {text}")
        elif not self._silent and time.monotonic() - self._last >= PLAIN_SECONDS:
            self._last = time.monotonic()
            print(f"{self.work}: {text}", file=sys.stderr, flush=True)

    def note(self, text: str) -> None:
        """Say something that stays to be read, on a line of its own."""
        if not self._silent:
            self._console.print(f"{self.work}: {text}", markup=False, soft_wrap=True)

    def count(self, done: int, total: int, what: str) -> None:
        """Say how many pieces of the work are done."""
        self.say(f"{what} ({done} of {total})")
