"""What a rank had in its hands when a step failed, in a file for whoever looks for the reason."""

from __future__ import annotations

import contextlib
import json
import traceback
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from landstep.emulator.atomic import replacing
from landstep.emulator.errors import InputError, LandstepError
from landstep.emulator.ranks import Ranks
from landstep.emulator.state import State


@contextlib.contextmanager
def dumped(folder: Path | None, ranks: Ranks, state: State, asked: str) -> Iterator[None]:
    """Write the state of this rank where what is done inside fails; the failure goes on.

    folder : made where it is missing; None: nothing is written
    asked : what the host asked for, in words
    The file is landstep_dump_rankN.npz: land_use, history, debt, debt_years of what the rank holds,
    and `about`, a JSON text. Where it cannot be written the failure says that as well.
    """
    try:
        yield
    except Exception as error:
        if folder is None:
            raise
        try:
            _write(folder, ranks, state, asked, error)
        except (OSError, InputError) as problem:
            if not isinstance(error, LandstepError):
                raise error from problem
            told = type(error)(f"{error}; the state could not be dumped: {problem}")
            told.shared = error.shared
            raise told from error
        raise


def _write(folder: Path, ranks: Ranks, state: State, asked: str, error: Exception) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    about = {
        "asked": asked,
        "error": "".join(traceback.format_exception(error)),
        "rank": ranks.rank,
        "ranks": ranks.size,
        "year": state.year,
        "model_sha256": state.model,
        "provenance": state.provenance,
    }
    path = folder / f"landstep_dump_rank{ranks.rank}.npz"
    with replacing(path) as staged, staged.open("wb") as file:
        np.savez_compressed(
            file,
            land_use=state.land_use,
            history=np.asarray(state.history),
            debt=state.debt,
            debt_years=state.debt_years,
            about=json.dumps(about),
        )
