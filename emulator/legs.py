"""The years of a run, in legs that each go one way in time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from landstep.emulator.emulator import Emulator

RESTART, RESTART_BACKWARD = RESTARTS = "restart.nc", "restart_backward.nc"


@dataclass(frozen=True)
class Leg:
    """Years from the map of `first`, where it starts, to `last`, which may lie before it.

    restart : name of its restart file
    """

    first: int
    last: int
    restart: str = RESTART

    @property
    def step(self) -> int:
        """1 forward in time, -1 backward."""
        return 1 if self.last >= self.first else -1

    @property
    def direction(self) -> str | None:
        """The word for the way in time; None for a single year, which goes neither."""
        return None if self.last == self.first else {1: "forward", -1: "backward"}[self.step]

    def after(self, year: int) -> range:
        """Years that are left after one."""
        return range(year + self.step, self.last + self.step, self.step)


def legs_of(emulator: Emulator, first: int, last: int) -> tuple[Leg, ...]:
    """Give the legs of a run from `first` to `last`: one, or two where it must go both ways.

    Where observed years are copied and `first` lies before all maps, the run goes back to it from
    the first map, and forward from there.
    """
    begin = int(emulator.inputs.land_use.years[0])
    if first < begin <= last and copied_years(emulator):
        return Leg(begin, first, RESTART_BACKWARD), Leg(begin, last)
    return (Leg(first, last),)


def require_forcing(emulator: Emulator, legs: Sequence[Leg]) -> None:
    """Refuse legs whose steps need a year that the forcing lacks, before any is made: InputError.

    A year whose map is copied needs no forcing, unless a step begins at it.
    """
    copied = set(copied_years(emulator))
    for leg in legs:
        before, last = leg.first, leg.last
        while before != last and before + leg.step in copied:
            before += leg.step
        while before != last and last in copied:
            last -= leg.step
        if before != last:
            emulator.inputs.forcing.require_years(before, last)


def copied_years(emulator: Emulator) -> tuple[int, ...]:
    """Years whose observed map is taken as it is."""
    if emulator.experiment.observed != "copy":
        return ()
    return tuple(int(year) for year in emulator.inputs.land_use.years)
