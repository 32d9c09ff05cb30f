"""Coarse land-use forcing: LUH2, LUH3 or block files -> one year of class fractions.

A LUH2 state of year Y is that of 1 January Y. History and scenario are joined into one span of
years; where both have a year, history wins. Fractions are of the whole cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np

from landstep.emulator.attributes import text
from landstep.emulator.errors import ConfigError, InputError
from landstep.emulator.forcing_checks import block_size, check_state, check_states_are_single
from landstep.emulator.fractions import check_fractions
from landstep.emulator.grid import Blocks, Grid
from landstep.emulator.netcdf import NetcdfFile
from landstep.emulator.orientation import Orientation, find_orientation, read_cut
from landstep.emulator.part import Part

LUH2_STATES = (
    "primf", "primn", "secdf", "secdn", "urban", "c3ann", "c4ann", "c3per", "c4per", "c3nfx",
    "pastr", "range",
)  # fmt: skip
"""States of LUH2. Source: Hurtt et al. 2020, doi:10.5194/gmd-13-5425-2020, table 1."""

MOST_BLOCKS = 2**20
"""Blocks along a side of a forcing on blocks: cells of 40 m around the equator. A file may declare
any number without holding one."""

LUH3_STATE = "pltns"
"""The 13th state (planted forest), in LUH3 only."""

PHASE = "01-01"
"""Day of the year of a state where the file does not say (attribute `phase`): LUH2's own."""

_QUANTITIES = ("known", "forecast")
_KEPT_YEARS = 2
Format = Literal["luh2", "blocks"]


@dataclass(frozen=True, eq=False)
class _Part:
    """One file of the forcing: its years and how its cells lie."""

    path: Path
    years: tuple[int, ...]
    orientation: Orientation | None
    coarse: Grid | Blocks
    phase: str
    quantities: str
    scenario: str | None


@dataclass(frozen=True, eq=False)
class Forcing:
    """Yearly coarse fractions of land-use states, read year by year.

    states : names, in the order of the channels
    years : first and last year; every year between them is there
    coarse : Grid of the cells, or Blocks of fine cells
    scenario : name of the scenario, None where neither the caller nor a file gives one
    phase : day of the year ("MM-DD") of the states
    quantities : "forecast", or "known" where the fractions were counted on the target maps
    part : of the coarse grid, the rows and columns that are read
    clipped : year -> how many of its values lay outside 0..1 by rounding only and were brought
        back; years without any are not in it
    """

    states: tuple[str, ...]
    years: tuple[int, int]
    coarse: Grid | Blocks
    scenario: str | None
    phase: str
    quantities: str
    part: Part
    _parts: tuple[_Part, ...]
    clipped: dict[int, int] = field(default_factory=dict)
    _kept: dict[int, np.ndarray] = field(default_factory=dict)

    @classmethod
    def open(
        cls,
        files: Sequence[Path | str],
        *,
        format: Format,
        states: Sequence[str] | None = None,
        scenario: str | None = None,
    ) -> Forcing:
        """Open the files of a forcing and check that they join into one.

        files : history and scenario, in any order; where they overlap the one that begins first
            wins
        format : "luh2" (LUH2 v2h, v2f, LUH3: time, lat, lon) or "blocks" (time, block_y, block_x)
        states : names of the variables; None: the 12 states of LUH2 and, where there, LUH3's
            `pltns`; for blocks every variable on (time, block_y, block_x)
        scenario : name of the scenario that the experiment declares
        Raises InputError where a file, unit, grid, calendar or year is not as it must be;
        ConfigError for an unknown format or no file.
        """
        if format not in ("luh2", "blocks"):
            raise ConfigError(f"forcing format {format!r}, expected 'luh2' or 'blocks'")
        if not files:
            raise ConfigError("forcing: no files given, expected at least one")
        paths = [Path(path) for path in files]
        names = tuple(states) if states else _all_states(paths, format)
        parts = [_open_part(path, format, names) for path in paths]
        parts.sort(key=lambda part: part.years[0])
        for before, after in zip(parts, parts[1:], strict=False):
            _check_joint(before, after)
        return cls(
            states=names,
            years=(parts[0].years[0], parts[-1].years[-1]),
            coarse=parts[0].coarse,
            scenario=_scenario(parts, scenario),
            phase=parts[0].phase,
            quantities=parts[0].quantities,
            part=Part.whole(parts[0].coarse.shape),
            _parts=tuple(parts),
        )

    def cut(self, part: Part) -> Forcing:
        """Give the same forcing, of which only a part of the coarse grid is read."""
        return replace(self, part=part, clipped={}, _kept={})

    def year(self, year: int) -> np.ndarray:
        """Fractions of a year.

        returns : (state, y, x) float32 in 0..1, read-only; NaN where missing (in all states
            alike); for a grid north first and -180..180. The last two years stay in memory.
        Raises InputError for a year outside the files, or fractions that cannot be: percent,
        negative, summing to more than 1, a fill value that the file does not declare.
        """
        self.require_years(year, year)
        if year not in self._kept:
            fractions = self._read(year)
            while len(self._kept) >= _KEPT_YEARS:
                del self._kept[next(iter(self._kept))]
            self._kept[year] = fractions
        return self._kept[year]

    def require_years(self, first: int, last: int) -> None:
        """Refuse a span of years that the files do not hold, before any of it is computed.

        first, last : the ends of the span, either of which may be the later one
        Raises InputError, naming the files and the first year on the way that they lack.
        """
        begin, end = self.years
        lacking = next((y for y in (first, last) if not begin <= y <= end), None)
        if lacking is None:
            return
        names = " + ".join(part.path.name for part in self._parts)
        if lacking != first:  # on the way to the last year: the one after those that are there
            lacking = end + 1 if last > end else begin - 1
        span = "" if first == last else f" (asked for: {first} to {last})"
        raise InputError(
            f"{names}: year {lacking} outside {begin}-{end}; there is no forcing{span}; stay "
            "within these years, or name a file that holds the others in [forcing] files"
        )

    def _read(self, year: int) -> np.ndarray:
        part = next(part for part in self._parts if year in part.years)
        step = part.years.index(year)
        with NetcdfFile(part.path) as file:
            slabs = [
                read_cut(file, state, (step,), self.part, part.orientation) for state in self.states
            ]
        with np.errstate(over="ignore"):  # infinite is refused as what it was
            stored = np.stack(slabs).astype(np.float32)
        where = f"{part.path.name}, year {year}"
        whole = self.part.is_whole
        fractions, clipped = check_fractions(stored, self.states, self._place, where, whole)
        if clipped:
            self.clipped[year] = clipped
        return fractions

    def _place(self, row: int, col: int) -> str:
        row, col = row + self.part.top, int(self.part.columns[col])
        if isinstance(self.coarse, Blocks):
            return f"block ({row}, {col})"
        return f"(lat {self.coarse.lat_deg[row]:g}, lon {self.coarse.lon_deg[col]:g})"


def _all_states(paths: list[Path], format: Format) -> tuple[str, ...]:
    """Names of the states when the caller does not choose: all that the format has."""
    if format == "blocks":
        with NetcdfFile(paths[0]) as file:
            names = [n for n in file.names() if file.dims(n) == ("time", "block_y", "block_x")]
        if not names:
            raise InputError(
                f"{paths[0].name}: no variable on dims (time, block_y, block_x); is it a forcing "
                "on blocks?"
            )
        return tuple(names)
    for path in paths:
        with NetcdfFile(path) as file:
            if LUH3_STATE in file.names():
                return (*LUH2_STATES, LUH3_STATE)
    return LUH2_STATES


def _open_part(path: Path, format: Format, states: tuple[str, ...]) -> _Part:
    with NetcdfFile(path) as file:
        if format == "luh2":
            check_states_are_single(file, states)
        for state in states:
            check_state(file, state, states[0])
        time = file.dims(states[0])[0]
        years = tuple(int(year) for year in file.years(time))
        _check_yearly(years, path.name)
        orientation, coarse = _cells(file, format, states[0])
        attrs = file.attrs()
        quantities = text(attrs, "quantities", "forecast" if format == "luh2" else "")
        if quantities not in _QUANTITIES:
            raise InputError(
                f"{path.name}: attribute quantities is {quantities!r}, expected 'known' (counted "
                "on the target maps) or 'forecast'"
            )
        return _Part(
            path=path,
            years=years,
            orientation=orientation,
            coarse=coarse,
            phase=text(attrs, "phase", PHASE),
            quantities=quantities,
            scenario=text(attrs, "scenario") or None,
        )


def _check_yearly(years: tuple[int, ...], where: str) -> None:
    for before, after in zip(years, years[1:], strict=False):
        if after != before + 1:
            raise InputError(
                f"{where}: year {before + 1} is missing (after {before} comes {after}); expected "
                "every year"
            )


def _cells(
    file: NetcdfFile, format: Format, state: str
) -> tuple[Orientation | None, Grid | Blocks]:
    if format == "luh2":
        orientation = find_orientation(file, state, regular=True)
        if orientation.grid.kind != "regular":
            raise InputError(
                f"{file.path.name}: on a projected grid, expected latitude and longitude; a "
                "projected map takes format = 'blocks'"
            )
        return orientation, orientation.grid
    dims, size = file.dims(state), block_size(file)
    if dims != ("time", "block_y", "block_x"):
        raise InputError(
            f"{file.path.name}, {state}: dims {dims}, expected (time, block_y, block_x)"
        )
    _, rows, cols = file.shape(state)
    if not (0 < min(rows, cols) and max(rows, cols) <= MOST_BLOCKS):
        raise InputError(
            f"{file.path.name}, {state}: {rows} x {cols} blocks, expected 1 to {MOST_BLOCKS} each "
            "way"
        )
    return None, Blocks(size, (rows, cols))


def _check_joint(before: _Part, after: _Part) -> None:
    """Refuse two files that do not make one forcing; InputError says in what they differ."""
    where, other = after.path.name, before.path.name
    if after.years[0] > before.years[-1] + 1:
        raise InputError(
            f"{where}: begins in {after.years[0]}, but {other} ends in {before.years[-1]}; year "
            f"{before.years[-1] + 1} is missing"
        )
    if after.years[-1] <= before.years[-1]:
        raise InputError(
            f"{where}: adds no year to {other} ({after.years[0]}-{after.years[-1]} against "
            f"{before.years[0]}-{before.years[-1]}); are two scenarios given?"
        )
    if after.coarse.shape != before.coarse.shape:
        found, expected = ("x".join(map(str, p.coarse.shape)) for p in (after, before))
        raise InputError(f"{where}: grid {found}, expected {expected} (that of {other})")
    if isinstance(before.coarse, Grid) and isinstance(after.coarse, Grid):
        difference = before.coarse.same_place(after.coarse)
        if difference:
            raise InputError(f"{where}: not on the grid of {other}: {difference}")
    elif before.coarse != after.coarse:
        raise InputError(f"{where}: {after.coarse}, expected {before.coarse} (those of {other})")
    for what, found, expected in (
        ("phase", after.phase, before.phase),
        ("quantities", after.quantities, before.quantities),
    ):
        if found != expected:
            raise InputError(f"{where}: {what} {found}, expected {expected} (that of {other})")


def _scenario(parts: list[_Part], declared: str | None) -> str | None:
    named = [part for part in parts if part.scenario is not None]
    if not named:
        return declared
    found = named[-1].scenario
    if declared is not None and declared != found:
        raise InputError(
            f"{named[-1].path.name}: scenario {found!r}, expected {declared!r} as the experiment "
            "declares"
        )
    return found
