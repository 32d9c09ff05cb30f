"""Odd TOML and JSON: values of another type, numbers without end, deep nests, other encodings."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

_ENTRY = re.compile(r"^([ \t]*[\w.\"-]+[ \t]*=[ \t]*)([^#\n]*)", re.MULTILINE)

TOML_VALUES = (
    '""',
    "0",
    "-1",
    "1e400",
    "nan",
    "-inf",
    "true",
    "[]",
    "{}",
    "[[]]",
    '["a", 1]',
    '"\\u0000"',
    '"a\\u0000b"',
    "1979-05-27",
    "07:32:00",
    "9" * 5000,
    "0x" + "f" * 200,
    "1_000",
    '"' + "x" * 9000 + '"',
    "[" * 300 + "]" * 300,
    "{a=" * 120 + "1" + "}" * 120,
    "{" + "a." * 400 + "b = 1}",
    '"../../../etc"',
    '"/dev/null"',
    '"."',
    '"/"',
    '"a:b:c"',
    "'''\n'''",
    '"\\ud7ff"',
    '"%s{0}"',
    '["", ""]',
    "1.5",
    "-0",
    '"hilda8"',
    '"luh2"',
    '"no such file.nc"',
    '"' + "a/" * 3000 + '"',
    "[1, 2, 3]",
    '"2015"',
    "\\",
    "'",
    '"',
    "= 1",
    "{name = 1}",
    "[{}]",
    "99999999999999999999",
    "1e308",
    '"\u202e\u00e9"',
)
JSON_VALUES: tuple[Any, ...] = (
    None,
    0,
    -1,
    1.5,
    "",
    "x",
    [],
    {},
    [1],
    {"a": 1},
    True,
    10**40,
    "0" * 64,
    "x" * 5000,
    [[[[]]]],
)


@dataclass(frozen=True)
class TomlEdit:
    """One change of a TOML text: what, where (by number), and a number to choose with."""

    what: str
    which: int
    other: int

    def apply(self, text: str) -> str:
        """Return the changed text."""
        return str(getattr(self, f"_{self.what}")(text))

    def _line(self, text: str) -> tuple[list[str], int]:
        lines = text.split("\n")
        return lines, self.which % len(lines)

    def _value(self, text: str) -> str:
        entries = list(_ENTRY.finditer(text))
        if not entries:
            return text
        found = entries[self.which % len(entries)]
        new = TOML_VALUES[self.other % len(TOML_VALUES)]
        return text[: found.start(2)] + new + text[found.end(2) :]

    def _key(self, text: str) -> str:
        entries = list(_ENTRY.finditer(text))
        if not entries:
            return text
        found = entries[self.which % len(entries)]
        new = ("folder", "a.b.c", '""', '"\\n"', "x" * 500, "a" + ".a" * 900, "name")[
            self.other % 7
        ]
        return f"{text[: found.start(1)]}{new} = {text[found.start(2) :]}"

    def _again(self, text: str) -> str:
        lines, at = self._line(text)
        return "\n".join([*lines[:at], lines[at], *lines[at:]])

    def _without(self, text: str) -> str:
        lines, at = self._line(text)
        return "\n".join([*lines[:at], *lines[at + 1 :]])

    def _moved(self, text: str) -> str:
        lines, at = self._line(text)
        line = lines.pop(at)
        lines.insert(self.other % (len(lines) + 1), line)
        return "\n".join(lines)

    def _table(self, text: str) -> str:
        names = (
            "[a]",
            "[[a]]",
            "[coupling]",
            "[run]",
            "[checksums]",
            "[output]",
            "[" + "a." * 500 + "b]",
            '["a\\u0000"]',
            "[]",
            "[[land_use]]",
        )
        lines, at = self._line(text)
        return "\n".join([*lines[:at], names[self.other % len(names)], *lines[at:]])

    def _ends(self, text: str) -> str:
        return text.replace("\n", ("\r\n", "\r", "\0", "\u2028")[self.other % 4])

    def _mark(self, text: str) -> str:
        return "\ufeff" * (1 + self.other % 2) + text

    def _long(self, text: str) -> str:
        pieces = ("# x\n", "\n", "a = 1\n", "[x]\n", "a." * 1000 + "b = 1\n", "x = [\n", "\t")
        piece = pieces[self.other % len(pieces)]
        return text + piece * min((10, 1000, 100_000)[self.which % 3], 300_000 // len(piece))


WHATS = (
    "value",
    "value",
    "value",
    "value",
    "key",
    "again",
    "without",
    "moved",
    "table",
    "ends",
    "mark",
    "long",
)

toml_edits = st.builds(TomlEdit, st.sampled_from(WHATS), st.integers(0, 9999), st.integers(0, 9999))
encodings = st.sampled_from(("utf-8", "utf-8", "utf-8", "utf-8", "utf-16", "latin-1", "utf-32"))


def edited_toml(text: str, steps: list[TomlEdit], encoding: str) -> bytes:
    """Return a text as bytes after some changes."""
    for step in steps:
        text = step.apply(text)
    return text.encode(encoding, "replace")


@dataclass(frozen=True)
class JsonEdit:
    """Put an odd value in one place of a JSON text."""

    which: int
    other: int

    def apply(self, value: Any) -> Any:
        """Return the changed value."""
        places = list(_places(value))
        return _with(
            value, places[self.which % len(places)], JSON_VALUES[self.other % len(JSON_VALUES)]
        )


json_edits = st.builds(JsonEdit, st.integers(0, 9999), st.integers(0, 9999))


def edited_json(text: str, steps: list[JsonEdit]) -> str:
    """Return a JSON text after some changes."""
    value = json.loads(text)
    for step in steps:
        value = step.apply(value)
    return json.dumps(value)


def _places(value: Any, before: tuple[Any, ...] = ()) -> Any:
    yield before
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, inner in items:
        yield from _places(inner, (*before, key))


def _with(value: Any, place: tuple[Any, ...], new: Any) -> Any:
    if not place:
        return new
    if isinstance(value, dict):
        return value | {place[0]: _with(value[place[0]], place[1:], new)}
    return [_with(v, place[1:], new) if n == place[0] else v for n, v in enumerate(value)]
