"""Arguments that several commands take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from landstep.emulator.errors import ConfigError

ExperimentFile = Annotated[Path, typer.Argument(help="experiment file (TOML)")]
Years = Annotated[str, typer.Option(help="first year and last, FIRST:LAST; FIRST is the start")]
BothWays = Annotated[
    str, typer.Option(help="FIRST:LAST; FIRST is the start; backward where LAST is earlier")
]


def parse_pair(text: str, mark: str, what: str) -> tuple[int, int]:
    """Read two whole numbers with a mark between them, such as 2015:2030 or 480x720."""
    first, _, last = text.partition(mark)
    try:
        return int(first), int(last)
    except ValueError as error:
        raise ConfigError(f"{what} {text!r}, expected two whole numbers like 1{mark}2") from error
