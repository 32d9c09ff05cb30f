"""A checksum behind a file's HDF5 data: the sha256 of all bytes before it.

HDF5 keeps the address of its end in the superblock and does not look at what lies behind, so that
every program reads such a file, and a program that changes or rewrites it drops the checksum.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import BinaryIO

from landstep.emulator.errors import InputError
from landstep.emulator.file_checks import HDF5_MAGIC

_START, _END = b"LANDSTEP SHA-256", b"landstep"
SIZE = len(_START) + 8 + 32 + len(_END)
"""Bytes of a trailer: a magic, how many bytes lie before it, their sha256, another magic."""

_BLOCK = 1 << 20


def append_trailer(path: Path) -> None:
    """Add the checksum of a file to its end. Raises OSError."""
    with open(path, "r+b") as file:
        digest, size = hashlib.sha256(), 0
        while block := file.read(_BLOCK):
            digest.update(block)
            size += len(block)
        file.write(_START + size.to_bytes(8, "little") + digest.digest() + _END)


def drop_trailer(path: Path) -> None:
    """Take the trailer off a file that has one, before it is changed. Raises OSError."""
    with open(path, "r+b") as file:
        size = os.fstat(file.fileno()).st_size
        if _has_both_magics(_last(file, size)):
            file.truncate(size - SIZE)


def verify_trailer(path: Path) -> str | None:
    """Hold a file against its trailer.

    returns : hex sha256 of the whole file, trailer included; None for a file without a trailer
    Raises InputError where the bytes are not those that were written, or the trailer is damaged,
    cut short or followed by something; OSError.
    """
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        tail = _last(file, size)
        if not _has_both_magics(tail):
            _refuse_remains(path, file, size, tail)
            return None
        length, expected = _length(tail), tail[24:56]
        if length != size - SIZE:
            raise InputError(
                f"{path}: {size - SIZE} bytes before its checksum, written were {length}; the "
                "file is damaged: copy it again"
            )
        file.seek(0)
        digest = hashlib.sha256()
        while length:
            block = file.read(min(length, _BLOCK))
            if not block:
                break
            digest.update(block)
            length -= len(block)
        if digest.digest() != expected:
            raise InputError(
                f"{path}: sha256 mismatch: expected {expected.hex()}, got {digest.hexdigest()}; "
                "the file is damaged: copy it again"
            )
        digest.update(tail)
        return digest.hexdigest()


def _refuse_remains(path: Path, file: BinaryIO, size: int, tail: bytes) -> None:
    """Raise InputError where a file without a trailer holds a part of one, or anything unknown.

    HDF5 itself leaves nothing behind its end.
    """
    end = hdf5_end(file)
    if (
        (end is not None and size > end)
        or tail[: len(_START)] == _START
        or tail[-len(_END) :] == _END
        or (len(tail) == SIZE and _length(tail) == size - SIZE)
    ):
        raise InputError(
            f"{path}: {size} bytes, HDF5 data to {'an unknown byte' if end is None else end}, and "
            "what lies behind them is no checksum; the file is damaged: copy it again (one that is "
            "not from landstep: rewrite it with nccopy)"
        )


def hdf5_end(file: BinaryIO) -> int | None:
    """Return the byte at which a file's HDF5 data end; None where it does not say so.

    Source: HDF5 File Format Specification 3.0, section II.A, superblock versions 0 to 3.
    """
    file.seek(0)
    head = file.read(64)
    if len(head) < 64 or not head.startswith(HDF5_MAGIC):
        return None
    version = head[8]
    if version > 3:
        return None
    width, first = (head[9], 12) if version >= 2 else (head[13], 24 if version == 0 else 28)
    if width not in (2, 4, 8):
        return None
    base, _, end = (
        int.from_bytes(head[first + n * width : first + (n + 1) * width], "little")
        for n in range(3)
    )
    return base + end


def _last(file: BinaryIO, size: int) -> bytes:
    file.seek(max(size - SIZE, 0))
    return file.read(SIZE)


def _has_both_magics(tail: bytes) -> bool:
    return len(tail) == SIZE and tail.startswith(_START) and tail.endswith(_END)


def _length(tail: bytes) -> int:
    return int.from_bytes(tail[16:24], "little")
