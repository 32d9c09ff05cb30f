"""Where in the text of a TOML file an entry stands: the parser keeps no line numbers."""

from __future__ import annotations

import re

ANY_HEADER = re.compile(r"\s*\[\[?\s*[A-Za-z_]")


def line_of(text: str, place: tuple[int | str, ...]) -> int:
    """Find the line of an entry, as near as its text tells.

    place : keys, and numbers in lists of tables, as pydantic gives them: ("row", 3, "covers")
    returns : line number from 1: of the key, else of its table's header, else 1
    """
    lines = text.splitlines()
    if not place:
        return 1
    if len(place) > 1 and isinstance(place[1], int):
        headers = _matches(lines, rf"\s*\[\[\s*{re.escape(str(place[0]))}\s*\]\]")
        start = headers[place[1]] if place[1] < len(headers) else None
        keys = place[2:]
    else:
        headers = _matches(lines, rf"\s*\[\s*{re.escape(str(place[0]))}\s*\]")
        start = headers[0] if headers else None
        keys = place[1:]
    if start is None:
        return _key_line(lines, 0, place[0]) or 1
    return (_key_line(lines, start + 1, keys[0]) if keys else None) or start + 1


def _matches(lines: list[str], pattern: str) -> list[int]:
    return [number for number, line in enumerate(lines) if re.match(pattern, line)]


def _key_line(lines: list[str], start: int, key: int | str) -> int | None:
    """Line of a key between a place and the next header; None where it is not there."""
    for number in range(start, len(lines)):
        if ANY_HEADER.match(lines[number]):
            return None
        if re.match(rf"\s*[\"']?{re.escape(str(key))}[\"']?\s*=", lines[number]):
            return number + 1
    return None
