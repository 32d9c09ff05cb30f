"""How far scores lie apart over seeds or folds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from landstep.emulator.errors import InputError


def spread(runs: Sequence[dict[str, Any]]) -> dict[str, dict[str, dict[str, float]]]:
    """Sum up one pair's scores over runs.

    runs : tables of `PairScores.as_dict`, all of one pair and with the same methods
    returns : method -> number -> mean, sample standard deviation ("sd"; 0 for one run), lowest and
        highest over the runs that have it
    Raises InputError for no run, or runs of different pairs or methods.
    """
    if not runs:
        raise InputError(f"{len(runs)} runs to sum up, expected at least one")
    pairs = {(run["from"], run["to"]) for run in runs}
    names = [sorted(name for name, entry in run.items() if isinstance(entry, dict)) for run in runs]
    if len(pairs) > 1 or any(name != names[0] for name in names):
        raise InputError(
            f"runs of pairs {sorted(pairs)} with methods {names}, expected one pair and the same "
            "methods in every run"
        )
    return {name: _over([run[name] for run in runs]) for name in names[0]}


def _over(entries: Sequence[dict[str, Any]]) -> dict[str, dict[str, float]]:
    numbers = {
        key
        for entry in entries
        for key, value in entry.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    found = {}
    for key in sorted(numbers):
        values = np.array([entry[key] for entry in entries if entry.get(key) is not None], float)
        found[key] = {
            "mean": float(values.mean()),
            "sd": float(values.std(ddof=1)) if values.size > 1 else 0.0,
            "lowest": float(values.min()),
            "highest": float(values.max()),
        }
    return found
