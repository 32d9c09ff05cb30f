"""What a file is before the NetCDF library opens it: missing, empty, a web page, cut short.

The library's own words for these faults do not help ("Unknown file format"), and a classic file
that lost its end is read as zeros without an error.
"""

from __future__ import annotations

import fcntl
import os
import stat
from pathlib import Path
from typing import BinaryIO

from landstep.emulator.atomic import kind_of
from landstep.emulator.errors import InputError

HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"
_CLASSIC = {1: (4, 4), 2: (4, 8), 5: (8, 8)}  # version: bytes of a count, bytes of an offset
_TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 4, 6: 8, 7: 1, 8: 2, 9: 4, 10: 8, 11: 8}
_DIMENSIONS, _VARIABLES, _ATTRIBUTES = 10, 11, 12


def check_file(path: Path) -> None:
    """Refuse what cannot be a complete NetCDF file.

    path : the file
    Raises InputError, naming the path, when it is missing, a directory, unreadable, empty, a web
    page, a compressed archive, of another format, or (classic format) shorter than its header
    says.
    """
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):  # a fifo would be waited for, a device read without end
            raise InputError(f"{path}: is {kind_of(mode)}, expected a NetCDF file")
        with open(path, "rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            head = stream.read(512)
            _check_head(path, head, size)
            if head[:3] == b"CDF":
                stream.seek(3)
                _check_classic_size(path, stream, size)
    except FileNotFoundError:
        expanded = "; '~' and variables are not expanded, write the path out"
        hint = (
            expanded if str(path).startswith("~") or "/~" in str(path) or "$" in str(path) else ""
        )
        raise InputError(f"{path}: file not found; check the path{hint}") from None
    except OSError as error:
        raise InputError(f"{path}: {error.strerror} (errno {error.errno})") from error
    except ValueError as error:  # a NUL, or what the file system's encoding lacks
        raise InputError(f"{str(path)!r}: not a path: {error}") from error


def check_output_folder(path: Path) -> None:
    """Refuse a folder that could not be made or written to, before anything is computed for it.

    Raises InputError, naming the path that is in the way.
    """
    there = path.absolute()
    while not there.exists() and there != there.parent:
        there = there.parent
    if not there.is_dir():
        raise InputError(f"{there}: is a file, expected a folder to write into; name another one")
    if not os.access(there, os.W_OK | os.X_OK):
        raise InputError(f"{there}: cannot be written to: Permission denied; name another folder")


def is_locked(path: Path) -> bool:
    """Whether another program holds the file for writing, as HDF5 does."""
    with open(path, "rb") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _check_head(path: Path, head: bytes, size: int) -> None:
    """Raise InputError unless the first bytes are those of a NetCDF file."""
    if size == 0:
        raise InputError(f"{path}: is empty (0 bytes), expected a NetCDF file")
    if head.startswith(HDF5_MAGIC) or (head[:3] == b"CDF" and head[3:4] in b"\x01\x02\x05"):
        return
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text[:1] == b"<":
        start = text[:5].decode("ascii", "replace")
        raise InputError(
            f"{path}: starts with {start!r}: a web page, not a NetCDF file; download it again"
        )
    if head[:2] == b"\x1f\x8b":
        raise InputError(f"{path}: is a gzip archive, expected NetCDF; unpack it with gunzip")
    raise InputError(
        f"{path}: not a NetCDF file (starts with {head[:8]!r}, expected 'CDF' or HDF5)"
    )


def _check_classic_size(path: Path, stream: BinaryIO, size: int) -> None:
    """Raise InputError when a classic file ends before the data that its header announces."""
    try:
        needed = _Header(stream, size).end_of_data()
    except (_BadHeaderError, KeyError, IndexError) as error:
        raise InputError(
            f"{path}: the NetCDF header is damaged or cut off ({size} bytes in the file); "
            "copy or download it again"
        ) from error
    if size < needed:
        raise InputError(
            f"{path}: file shorter than header says ({size} bytes, header says {needed}); "
            "copy or download it again"
        )


class _BadHeaderError(Exception):
    """A count or tag in a classic header that cannot be."""


class _Header:
    """Reads a classic NetCDF header just far enough to know where the data end.

    Source: NetCDF Users Guide, appendix "File Format Specifications" (CDF-1, CDF-2, CDF-5).
    """

    def __init__(self, stream: BinaryIO, size: int) -> None:
        """Start after the three letters CDF of `stream`, a file of `size` bytes."""
        self._stream, self._size = stream, size
        self._count_bytes, self._offset_bytes = _CLASSIC[self._bytes(1)[0]]

    def end_of_data(self) -> int:
        """Smallest size in bytes of a file that holds all data the header announces."""
        streaming = (1 << 8 * self._count_bytes) - 1
        records = self._count()
        records = 0 if records == streaming else records
        lengths = self._dimensions()
        self._skip_attributes()
        fixed_end, per_record = self._stream.tell(), []
        for _ in range(self._list_length(_VARIABLES)):
            begin, n_bytes, is_record = self._variable(lengths)
            if is_record:
                per_record.append((begin, n_bytes))
            else:
                fixed_end = max(fixed_end, begin + n_bytes)
        if not per_record or records == 0:
            return fixed_end
        padded = [_padded(n) for _, n in per_record]
        stride = sum(padded) if len(padded) > 1 else per_record[0][1]
        ends = [begin + (records - 1) * stride + n for begin, n in per_record]
        return max([fixed_end, *ends])

    def _bytes(self, n: int) -> bytes:
        if n > self._size:
            raise _BadHeaderError(n)
        data = self._stream.read(n)
        if len(data) != n:
            raise _BadHeaderError(n)
        return data

    def _number(self, n_bytes: int) -> int:
        return int.from_bytes(self._bytes(n_bytes), "big")

    def _count(self) -> int:
        return self._number(self._count_bytes)

    def _list_length(self, expected_tag: int) -> int:
        tag, n = self._number(4), self._count()
        if tag not in (0, expected_tag) or (tag == 0 and n != 0):
            raise _BadHeaderError(tag)
        return n

    def _skip_name(self) -> None:
        self._bytes(_padded(self._count()))

    def _dimensions(self) -> list[int]:
        lengths = []
        for _ in range(self._list_length(_DIMENSIONS)):
            self._skip_name()
            lengths.append(self._count())
        return lengths

    def _skip_attributes(self) -> None:
        for _ in range(self._list_length(_ATTRIBUTES)):
            self._skip_name()
            item = _TYPE_BYTES[self._number(4)]
            self._bytes(_padded(self._count() * item))

    def _variable(self, lengths: list[int]) -> tuple[int, int, bool]:
        """Offset, bytes (of one record), and whether the first dimension is the record one."""
        self._skip_name()
        n_dims = self._count()
        if n_dims > self._size:
            raise _BadHeaderError(n_dims)
        shape = [lengths[self._count()] for _ in range(n_dims)]
        self._skip_attributes()
        n_bytes = _TYPE_BYTES[self._number(4)]
        self._count()  # vsize: overflows for large variables, so it is not used
        begin = self._number(self._offset_bytes)
        is_record = bool(shape) and shape[0] == 0
        for length in shape[1:] if is_record else shape:
            n_bytes *= length
        return begin, n_bytes, is_record


def _padded(n: int) -> int:
    return -(-n // 4) * 4
