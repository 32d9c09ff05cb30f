"""JSON from a file that others wrote: read whole, or refused in one way."""

from __future__ import annotations

import json
from typing import Any

LARGEST = 2**24
"""Characters that a text may have: a card with a hundred gates has a few million."""


def strict_json(text: str) -> Any:
    """Read a JSON text.

    Raises ValueError for what is no JSON, for a name that stands twice in one object, for NaN and
    infinities, integers beyond what Python reads, nesting beyond its stack, and texts beyond
    LARGEST.
    """
    if len(text) > LARGEST:
        raise ValueError(f"{len(text)} characters, expected at most {LARGEST}")
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice!r} stands {names.count(twice)} times")
    return found


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no JSON number")
