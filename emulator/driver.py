"""Step through years from the command line's side: maps and a restart after each year."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar, cast

from landstep.emulator.emulator import Emulator
from landstep.emulator.errors import ConfigError
from landstep.emulator.inputs import unverified
from landstep.emulator.legs import Leg, copied_years, legs_of, require_forcing
from landstep.emulator.model_checks import direction_of
from landstep.emulator.output import Year
from landstep.emulator.quota_report import QuotaReport, worst_of
from landstep.emulator.ranks import ALONE, Ranks
from landstep.emulator.run_folder import begin, held_folder, holds, identity, settings_of
from landstep.emulator.state import State, checksum_of
from landstep.emulator.writer import Writer
from landstep.emulator.years import calendar_year

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Ran:
    """A run that has come to its end, or was stopped before.

    state : the last one; years : how many were done now
    reports : of the quotas of each step made now
    stopped : why it ended before its last year; empty where it did not
    """

    state: State
    years: int
    reports: tuple[QuotaReport, ...]
    stopped: str = ""

    @property
    def unmet(self) -> str:
        """What is to be said of quotas that could not be met; empty where all were."""
        return worst_of(self.reports)


def run_years(
    experiment: str | Path,
    first: int,
    last: int,
    output: Path,
    *,
    restart: Path | None = None,
    cold: bool = False,
    fresh: bool = False,
    stop: Callable[[], str] = lambda: "",
    progress: Callable[[str], None] = lambda text: None,
    note: Callable[[str], None] = lambda text: None,
    ranks: Ranks = ALONE,
) -> Ran:
    """Step from the map of `first` to `last`, writing every map and a restart into a folder.

    Where the folder holds this run already, it goes on from the last year that is whole, however
    it ended.

    first, last : forward in time, or backward where `last` lies before `first`. Where the
        experiment says observed = "copy", a year that has a map is that map, not a step, and
        `first` may lie before all maps: see `legs.legs_of`
    output : gets land_use_YEAR.nc (CF) for each year, restart.nc of the last one written (the way
        back of a run both ways has restart_backward.nc), and run.json, which says whose they are
    restart : start from this file, which must be of year `first` and go the same way
    cold : start with nothing known but the coast
    fresh : begin anew, whatever the folder holds
    stop : asked after each year but the last; what it gives, unless "", is why to end there
    note : is told once, on the first rank, which inputs no checksum confirms
    ranks : processes that share the map; the first of them writes, and all make the same call
    returns : the last state (this rank's part of it), and what came of the quotas
    Raises what `Emulator` raises, InputError, before anything is computed or written, where the
    forcing lacks a year, and ConfigError where the folder holds another run, or this one with years
    past `last`. What was written before stays whole.
    """
    first, last = calendar_year(first, "first"), calendar_year(last, "last")
    emulator = Emulator.open(experiment, ranks)
    with ranks.together():
        if ranks.is_first and (missing := unverified(emulator.experiment)):
            note(missing)
    both_ways = restart is None and not cold
    legs = legs_of(emulator, first, last) if both_ways else (Leg(first, last),)
    for leg in legs:
        direction_of(emulator.card, leg.direction or "forward")
    given, start = None, f"map of {first}{', cold' * cold}"
    if restart is not None:
        given = emulator.start(first, direction=legs[0].direction, restart=restart, cold=cold)
        start = f"restart {checksum_of(restart)}"
    by_hand = restart is not None and restart.resolve().parent == output.resolve()
    of, settings = identity(emulator, start), settings_of(emulator.experiment)
    there = not (by_hand or fresh) and _on_first(ranks, lambda: holds(output, of, settings))
    if not there and given is None:
        given = emulator.start(legs[0].first, direction=legs[0].direction, cold=cold)
    with ranks.together():
        require_forcing(emulator, legs)
    with ExitStack() as stack:
        with ranks.together():
            if ranks.is_first:
                stack.enter_context(held_folder(output))
                if not (there or by_hand):
                    begin(output, of, settings, fresh=fresh)
        reached = [_stopped_at(emulator, leg, output) if there else None for leg in legs]
        writer = stack.enter_context(Writer())
        run = _Run(emulator, output, writer, stop, progress)
        for leg, known in zip(legs, reached, strict=True):
            run.pace.left += len(leg.after(leg.first if known is None else known.year))
        ran = run.legs(legs, reached, given, cold)
        with ranks.together():
            writer.wait()
    return ran


@dataclass
class _Run:
    """A run under way."""

    emulator: Emulator
    output: Path
    writer: Writer
    stop: Callable[[], str]
    progress: Callable[[str], None]

    def __post_init__(self) -> None:
        self.pace = _Pace(self.progress)
        self.copied = copied_years(self.emulator)
        self.reports: list[QuotaReport] = []

    def legs(
        self, legs: Sequence[Leg], reached: Sequence[State | None], given: State | None, cold: bool
    ) -> Ran:
        """Go through the legs, each from where it was stopped, or from its start.

        given : the state to start the first one from
        """
        emulator = self.emulator
        for leg, stopped_at in zip(legs, reached, strict=True):
            known = stopped_at or given
            state = known or emulator.start(leg.first, direction=leg.direction, cold=cold)
            if stopped_at is None:
                given = None
                if not cold:
                    self._write(state, None)
            for year in leg.after(state.year):
                state = self._next(year, state, leg)
                self._write(state, leg.restart)
                self.pace.say(state, leg)
                if self.pace.left and (stopped := _on_first(emulator.assembly.ranks, self.stop)):
                    return Ran(state, self.pace.done, tuple(self.reports), stopped)
        return Ran(state, self.pace.done, tuple(self.reports))

    def _next(self, year: int, state: State, leg: Leg) -> State:
        if year in self.copied:
            return self.emulator.start(year, direction=leg.direction)
        state = self.emulator.step(year, state)
        self.reports += [state.report] if state.report else []
        return state

    def _write(self, state: State, restart: str | None) -> None:
        """Have a year written while the next is computed: its map, and then the restart."""
        year = self.emulator.record(state)
        with self.emulator.assembly.ranks.together():
            if year is not None:
                self.writer.put(partial(_write, self.emulator, year, self.output, restart))


def _on_first(ranks: Ranks, ask: Callable[[], Answer]) -> Answer:
    """Ask something on the first rank, and tell all."""
    answer = None
    with ranks.together():
        if ranks.is_first:
            answer = ask()
    return cast(Answer, ranks.from_first(answer))


def _stopped_at(emulator: Emulator, leg: Leg, output: Path) -> State | None:
    """Give the state from which a leg goes on; None where it has not begun.

    Raises ConfigError where it has gone past its last year.
    """
    path = output / leg.restart
    if not _on_first(emulator.assembly.ranks, path.exists):
        return None
    state = emulator.start(restart=path, direction=leg.direction)
    if (leg.last - state.year) * leg.step < 0:
        raise ConfigError(
            f"{output}: holds this run to {state.year}, past {leg.last}: nothing is left to do; "
            "name another folder, or begin anew with --fresh"
        )
    return state


def _write(emulator: Emulator, year: Year, output: Path, restart: str | None) -> None:
    """Write a year's map, and then the restart: a restart's map is always there."""
    emulator.output.write(output / f"land_use_{year.state.year}.nc", year)
    if restart is not None:
        compression = emulator.experiment.output.compression
        year.state.save(output / restart, compression=compression)


@dataclass
class _Pace:
    """How fast a run goes, and how much of it is left.

    left : years to come; done : years done now
    """

    progress: Callable[[str], None]
    left: int = 0
    done: int = 0
    began: float = field(default_factory=time.monotonic)

    def say(self, state: State, leg: Leg) -> None:
        """Say that a year is done."""
        self.left -= 1
        self.done += 1
        each = (time.monotonic() - self.began) / self.done
        said = f"{state.year} of {leg.last}, {each:.2f} s a year, {each * self.left:.0f} s left"
        missed = state.report.text() if state.report is not None else "the observed map"
        self.progress(f"{said}; {missed}" if missed else said)
