"""Arguments that several commands take."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from landstep.emulator.errors import ConfigError
from landstep.emulator.toml_file import short

ExperimentFile = Annotated[Path, typer.Argument(help="experiment file (TOML)")]
Years = Annotated[str, typer.Option(help="first year and last, FIRST:LAST; FIRST is the start")]
BothWays = Annotated[
    str, typer.Option(help="FIRST:LAST; FIRST is the start; backward where LAST is earlier")
]


_FORMS = {":": ("FIRST:LAST", "2015:2030"), "x": ("ROWSxCOLUMNS", "480x720")}
_WHOLE = re.compile(r"[+-]?[0-9]{1,9}")


def parse_pair(text: str, mark: str, what: str) -> tuple[int, int]:
    """Read two whole numbers with a mark between them, such as 2015:2030 or 480x720.

    Raises ConfigError, with the form, for anything else.
    """
    parts = [part.strip() for part in text.split(mark)]
    if len(parts) != 2 or not all(_WHOLE.fullmatch(part) for part in parts):
        form, example = _FORMS[mark]
        raise ConfigError(
            f"{what} {short(text)}, expected {form}, two whole numbers with {mark!r} between, like "
            f"{what} {example}"
        )
    return int(parts[0]), int(parts[1])
