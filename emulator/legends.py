"""Legends as data: what the codes of a climate-zone map mean, and which code a climate has.

Source of each row: stands in the row, legends/NAME.toml.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

import numpy as np

from landstep.emulator.classes import first_place
from landstep.emulator.errors import ConfigError, InputError
from landstep.emulator.koppen import KOPPEN_NAMES
from landstep.emulator.mapped import put, row_pieces, zeros
from landstep.emulator.toml_file import parse_toml

ZONE_GROUPS = (
    "tropical",
    "arid_hot",
    "arid_cold",
    "temperate_dry",
    "temperate",
    "continental",
    "boreal",
    "polar",
    "unknown",
)
"""Groups of climate zones that hosts' tables speak of; a group's number is its place. The last is
what no code says anything of: the sea, and all land without a legend."""

UNKNOWN_GROUP = len(ZONE_GROUPS) - 1


@dataclass(frozen=True, eq=False)
class Legend:
    """The codes of a kind of climate-zone map.

    names : code -> name
    group_of : (256,) int16, number in ZONE_GROUPS of each code; -1 for a code that is none
    code_of_koppen : (31,) uint8, code of each Köppen-Geiger class; [0] is 0
    """

    name: str
    names: dict[int, str]
    group_of: np.ndarray
    code_of_koppen: np.ndarray

    @property
    def ice_codes(self) -> list[int]:
        """Codes of ice caps (Köppen EF), and of nothing else; none where the legend mixes them."""
        ice = self.code_of_koppen[KOPPEN_NAMES.index("EF")]
        return [int(ice)] if (self.code_of_koppen == ice).sum() == 1 else []

    def groups(self, codes: np.ndarray) -> np.ndarray:
        """Number in ZONE_GROUPS of each code.

        codes : (y, x) uint8, as the file has them; 0, the sea, is "unknown"
        returns : (y, x) uint8
        Raises InputError naming the first code that the legend lacks.
        """
        found = zeros(codes.shape, np.uint8)
        for piece in row_pieces(len(codes)):
            self.check(codes[piece], "climate_zone", piece.start)
            put(found, piece.start, 0, self.group_of[codes[piece]].astype(np.uint8))
        return found

    def check(self, codes: np.ndarray, where: str, top: int = 0) -> None:
        """Refuse codes that the legend lacks; InputError names the first, `where` in front.

        top : row of the map in which the codes begin
        """
        wrong = self.group_of[codes] < 0
        if wrong.any():
            place = first_place(wrong, (top, 0))
            raise InputError(
                f"{where}: code {int(codes[place])} at cell {place} is not in legend {self.name} "
                f"({int(wrong.sum())} such cells); it has {sorted(self.names)}. Is the legend "
                "right? [climate] legend names it"
            )


def legend_names() -> list[str]:
    """Names of the legends that come with the package."""
    folder = resources.files("landstep.emulator") / "legends"
    return sorted(f.name[:-5] for f in folder.iterdir() if f.name.endswith(".toml"))


@lru_cache
def legend(name: str) -> Legend:
    """Read the legend of that name from the package's tables; ConfigError where there is none."""
    if name not in legend_names():
        close = difflib.get_close_matches(name, legend_names(), 1)
        hint = f" (did you mean {close[0]!r}?)" if close else ""
        raise ConfigError(f"legend {name!r} is not known{hint}; there are {legend_names()}")
    text = (resources.files("landstep.emulator") / "legends" / f"{name}.toml").read_text("utf-8")
    return parse_legend(name, text)


def parse_legend(name: str, text: str) -> Legend:
    """Build a legend from the text of its table; ConfigError where it contradicts itself."""
    group_of = np.full(256, -1, np.int16)
    group_of[0] = UNKNOWN_GROUP
    code_of_koppen = np.zeros(len(KOPPEN_NAMES), np.uint8)
    names: dict[int, str] = {}
    for row in parse_toml(text, f"legend {name}")["code"]:
        code, where = int(row["code"]), f"legend {name}, code {row['code']}"
        if not 1 <= code <= 254 or code in names:
            raise ConfigError(f"{where}: expected each of 1 to 254 at most once")
        if row["group"] not in ZONE_GROUPS:
            raise ConfigError(f"{where}: group {row['group']!r}, expected one of {ZONE_GROUPS}")
        if not str(row.get("source", "")).strip():
            raise ConfigError(f"{where}: no source")
        names[code] = str(row["name"])
        group_of[code] = ZONE_GROUPS.index(row["group"])
        for koppen in row["koppen"]:
            if koppen not in KOPPEN_NAMES[1:] or code_of_koppen[KOPPEN_NAMES.index(koppen)]:
                raise ConfigError(
                    f"{where}: Köppen class {koppen!r}, expected each of {KOPPEN_NAMES[1:]} once"
                )
            code_of_koppen[KOPPEN_NAMES.index(koppen)] = code
    missing = [KOPPEN_NAMES[number] for number in np.flatnonzero(code_of_koppen == 0)[1:]]
    if missing:
        raise ConfigError(f"legend {name}: Köppen classes {missing} become no code")
    for table in (group_of, code_of_koppen):
        table.setflags(write=False)
    return Legend(name, names, group_of, code_of_koppen)
