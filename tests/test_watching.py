"""A process that is deaf to a signal is ended from outside; one that hears it goes on."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

from landstep.stopping import Stop
from landstep.watching import ENDED

PROGRAM = """
import ctypes, signal, sys, time
from landstep import stopping
stopping.DEAF_SECONDS = {seconds}
with stopping.Stop(watched=True) as stop:
    print("ready", flush=True)
    {work}
    print(stop.reason(), flush=True)
"""
LOCKED_TWICE = """lock = ctypes.create_string_buffer(128)
    c = ctypes.{library}(None)
    c.pthread_mutex_lock(lock); c.pthread_mutex_lock(lock)"""


def started(work: str, seconds: float) -> subprocess.Popen[str]:
    """A process that does its work, after it is ready for the signal."""
    program = PROGRAM.format(work=work, seconds=seconds)
    process = subprocess.Popen([sys.executable, "-c", program], stdout=-1, stderr=-1, text=True)
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize("library", ["CDLL", "PyDLL"])
def test_a_library_that_does_not_return_is_ended_after_sigterm(library: str) -> None:
    """Fault 92. PyDLL calls with the interpreter's lock held: no thread of Python's runs then."""
    process = started(LOCKED_TWICE.format(library=library), 0.2)
    time.sleep(0.3)
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    assert process.returncode == -ENDED and "SIGTERM" in said


def test_work_in_python_that_hears_the_signal_goes_on() -> None:
    """Twice: what was heard once is not held against the process later."""
    work = "until = time.monotonic() + 7\n    while time.monotonic() < until: time.sleep(0.05)"
    process = started(work, 3)
    for _ in range(2):
        process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
    out, said = process.communicate(timeout=60)
    assert (process.returncode, out.strip(), said) == (0, "SIGTERM", "")


def test_nothing_is_left_after_a_watched_run() -> None:
    before = [signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGUSR1)]
    fd = signal.set_wakeup_fd(-1)
    with Stop(watched=True):
        assert signal.getsignal(signal.SIGTERM) != before[0]
    assert [signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGUSR1)] == before
    assert signal.set_wakeup_fd(fd) == -1
