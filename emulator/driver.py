"""Step through years from the command line's side: maps and a restart after each year."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from landstep.emulator.emulator import Emulator
from landstep.emulator.errors import InputError
from landstep.emulator.quota_report import QuotaReport, worst_of
from landstep.emulator.state import State


@dataclass(frozen=True)
class Ran:
    """A run that has come to its end: its last state, and the report of each year's quotas."""

    state: State
    reports: tuple[QuotaReport, ...]

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
    progress: Callable[[str], None] = lambda text: None,
) -> Ran:
    """Step from the map of `first` to `last`, writing every map and a restart into a folder.

    first, last : forward in time, or backward where `last` lies before `first`. Where the
        experiment says observed = "copy", a year that has a map is that map, not a step
    output : gets land_use_YEAR.nc (CF) for each year, and restart.nc of the last one written
    restart : start from this file, which must be of year `first` and go the same way
    cold : start with nothing known but the coast
    returns : the state of year `last`, and what came of the quotas
    Raises what `Emulator` raises; what was written before stays whole.
    """
    emulator = Emulator.open(experiment)
    step = 1 if last >= first else -1
    direction = None if last == first else ("forward" if step > 0 else "backward")
    observed = emulator.inputs.land_use.years
    copied = observed if emulator.experiment.observed == "copy" else ()
    state = emulator.start(first, direction=direction, restart=restart, cold=cold)
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{output}: cannot make the folder: {error.strerror}") from error
    began, reports = time.monotonic(), []
    if not cold:
        emulator.write(state, output / f"land_use_{first}.nc")
    for year in range(first + step, last + step, step):
        if year in copied:
            state = emulator.start(year, direction=direction)
        else:
            state = emulator.step(year, state)
        emulator.write(state, output / f"land_use_{year}.nc")
        state.save(output / "restart.nc")
        if state.report is not None:
            reports.append(state.report)
        each, left = (time.monotonic() - began) / abs(year - first), abs(last - year)
        said = f"{year} of {last}, {each:.2f} s a year, {each * left:.0f} s left"
        missed = state.report.text() if state.report is not None else "the observed map"
        progress(f"{said}; {missed}" if missed else said)
    return Ran(state, tuple(reports))
