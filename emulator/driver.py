"""Step through years from the command line's side: maps and a restart after each year."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from landstep.emulator.emulator import Emulator
from landstep.emulator.errors import InputError, StepError
from landstep.emulator.state import State


def run_years(
    experiment: str | Path,
    first: int,
    last: int,
    output: Path,
    *,
    restart: Path | None = None,
    cold: bool = False,
    progress: Callable[[str], None] = lambda text: None,
) -> State:
    """Step from the map of `first` to `last`, writing every map and a restart into a folder.

    output : gets land_use_YEAR.nc (CF) for each year, and restart.nc of the last one written
    restart : start from this file, which must be of year `first`
    cold : start with nothing known but the coast
    returns : the state of year `last`
    Raises StepError where the years run backward, and what `Emulator` raises; what was written
    before stays whole.
    """
    if last < first:
        raise StepError(
            f"years {first}:{last} run backward; expected FIRST:LAST with LAST >= FIRST"
        )
    emulator = Emulator.open(experiment)
    state = emulator.start(first, restart=restart, cold=cold)
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{output}: cannot make the folder: {error.strerror}") from error
    began = time.monotonic()
    if not cold:
        emulator.write(state, output / f"land_use_{first}.nc")
    for year in range(first + 1, last + 1):
        state = emulator.step(year, state)
        emulator.write(state, output / f"land_use_{year}.nc")
        state.save(output / "restart.nc")
        each = (time.monotonic() - began) / (year - first)
        progress(f"{year} of {last}, {each:.2f} s a year, {each * (last - year):.0f} s left")
    return state
