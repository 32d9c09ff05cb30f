"""Read a TOML file that anyone may have written: bounded in size and depth, and in plain words.

The parser of the standard library takes time with the square of a key's length, and ends in errors
of its own kind for deep nesting and long numbers; so the text is looked through first.
"""

from __future__ import annotations

import os
import re
import stat
import tomllib
from pathlib import Path
from typing import Any

from landstep.emulator.errors import ConfigError

LARGEST_BYTES = 2**18
"""Largest file that is read: a second or so of parsing, whatever it holds. The largest table that
comes with landstep has 27 kB."""

DEEPEST = 32
"""Most brackets within each other, and most parts of a dotted key. landstep's own use 4."""

LONGEST_WORD = 200
"""Most characters of a number, or of a part of a key without quotes."""

_PIECE = re.compile(
    r'"""(?:\\.|[^\\])*?"""'
    r"|'''.*?'''"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|#[^\n]*"
    r"|[A-Za-z0-9_+:-]+"
    r"|[\[\]{}.,=\n]",
    re.DOTALL,
)
_OTHER_FORMATS = {
    b"\x89HDF": "a NetCDF-4 file",
    b"CDF": "a NetCDF file",
    b"GRIB": "a GRIB file",
    b"II*\0": "a TIFF picture",
    b"MM\0*": "a TIFF picture",
    b"II+\0": "a TIFF picture",
    b"PK\x03\x04": "a zip archive",
    b"\x1f\x8b": "a gzip archive",
    b"<": "a web page",
}
_WIDE = {
    b"\xff\xfe\0\0": "UTF-32",
    b"\0\0\xfe\xff": "UTF-32",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}


def read_toml(path: Path) -> dict[str, Any]:
    """Read a file of TOML, with or without a byte order mark.

    returns : key -> value, as `tomllib` gives them
    Raises ConfigError, naming the file and, where there is one, the line, for a file that cannot be
    read, is not text in UTF-8, is not TOML, or is larger or deeper than such a file can be.
    """
    return parse_toml(_text(path, _content(path)), str(path))


def parse_toml(text: str, where: str) -> dict[str, Any]:
    """Turn TOML into values.

    where : the file, for messages
    Raises ConfigError as `read_toml` does.
    """
    _check_size(text, where)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        hint = ""
        if re.search(r"overwrite|twice|duplicate|immutable|mutate", str(error), re.IGNORECASE):
            hint = "; a key or table is given twice: keep one of them"
        raise ConfigError(f"{where}: not TOML: {error}{hint}") from error
    except (ValueError, OverflowError, RecursionError) as error:  # no date, say: 2015-13-01
        raise ConfigError(f"{where}: not TOML: {error}") from error


def short(value: object) -> str:
    """Put a value of a file into a message, at most a line of it."""
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:150]}... ({len(text)} characters)"


def _content(path: Path) -> bytes:
    """Read a regular file of bounded size; nothing else is waited for."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(handle, "rb") as stream:
            found = os.fstat(handle)
            if stat.S_ISDIR(found.st_mode):
                raise ConfigError(f"{path}: cannot be read: Is a directory; name the TOML file")
            if not stat.S_ISREG(found.st_mode):
                raise ConfigError(
                    f"{path}: cannot be read: a device, fifo or socket, expected a regular file "
                    "of TOML"
                )
            content = stream.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be read: {error.strerror}; is the path right?"
        ) from error
    except ValueError as error:
        raise ConfigError(f"{str(path)!r}: not a path: {error}") from error
    for magic, what in _OTHER_FORMATS.items():
        if content.startswith(magic):
            raise ConfigError(f"{path}: is {what}, expected a text file of TOML")
    if len(content) > LARGEST_BYTES:
        raise ConfigError(
            f"{path}: {found.st_size} bytes, expected at most {LARGEST_BYTES}; is this TOML?"
        )
    return content


def _text(path: Path, content: bytes) -> str:
    """Decode UTF-8; say how a file in another encoding becomes one."""
    cure = "save it as UTF-8 (in an editor: Save as, Encoding)"
    for mark, name in _WIDE.items():
        if content.startswith(mark):
            raise ConfigError(f"{path}: not a text file in UTF-8 but in {name}; {cure}")
    zeros = content.count(0)
    if zeros and zeros * 3 >= len(content) and len(content) < 2**16:
        raise ConfigError(f"{path}: not a text file in UTF-8 but, it seems, in UTF-16; {cure}")
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            f"{path}: not a text file in UTF-8: line {line} has the byte "
            f"0x{content[error.start]:02x}; {cure}"
        ) from error


def _check_size(text: str, where: str) -> None:
    """Refuse what would keep the parser busy for ever, or end it in an error of its own."""
    depth = parts = 0
    line = 1
    for piece in _PIECE.finditer(text):
        word = piece[0]
        first = word[0]
        if first == "\n":
            line, parts = line + 1, 0
        elif first in "[{":
            depth, parts = depth + 1, 0
        elif first in "]}":
            depth, parts = max(depth - 1, 0), 0
        elif first in ",=":
            parts = 0
        elif first == ".":
            parts += 1
        elif first in "\"'":
            line += word.count("\n")
        elif first != "#" and len(word) > LONGEST_WORD:
            raise ConfigError(
                f"{where}, line {line}: {word[:20]}... of {len(word)} characters, expected a "
                f"number or key of at most {LONGEST_WORD}"
            )
        if depth > DEEPEST or parts > DEEPEST:
            what = "brackets within each other" if depth > DEEPEST else "parts of a dotted key"
            raise ConfigError(f"{where}, line {line}: more than {DEEPEST} {what}")
