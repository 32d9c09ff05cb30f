"""Readers that fail in every way that is counted: what the driver must tell apart."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

from landstep.emulator.errors import InputError

from .kinds import Kind

SEEDS = ("seed.bin",)


def _damaged(path: Path) -> bool:
    return path.read_bytes() != b"whole"


def untyped(path: Path, world: Any) -> str:
    if _damaged(path):
        raise ZeroDivisionError(path)
    return ""


def hang(path: Path, world: Any) -> str:
    while _damaged(path):
        pass
    return ""


def crash(path: Path, world: Any) -> str:
    if _damaged(path):
        os.kill(os.getpid(), signal.SIGSEGV)
    return ""


def left(path: Path, world: Any) -> str:
    if _damaged(path):
        os._exit(0)
    return ""


def greedy(path: Path, world: Any) -> str:
    return str(len(bytearray(3 << 30))) if _damaged(path) else ""


def unnamed(path: Path, world: Any) -> str:
    if _damaged(path):
        raise InputError("a file is damaged")
    return ""


def refused(path: Path, world: Any) -> str:
    if _damaged(path):
        raise InputError(f"{path.name} is damaged")
    return ""


def read(path: Path, world: Any) -> bytes:
    return path.read_bytes()


KINDS = {
    of.__name__: Kind(of, SEEDS, "input.bin", "bytes")
    for of in (untyped, hang, crash, left, greedy, unnamed, refused)
} | {
    "different": Kind(read, SEEDS, "input.bin", "bytes", checked="beside"),
    "accepted": Kind(read, SEEDS, "input.bin", "bytes"),
}
