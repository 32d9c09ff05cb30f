"""What a host talks to where its experiment says `active = false`: nothing moves or is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from landstep.coupling.point_coverage import PointCoverage
from landstep.emulator.errors import CouplingError


class SwitchedOff:
    """The calls of a `Coupler`, on any number of ranks, none of which does anything.

    A host needs no branch of its own to run without landstep: `update` always says that nothing
    moved, and `get` has only what the host itself gave as a baseline.
    """

    def __init__(self, n: int) -> None:
        """Take the number of points."""
        self.n = n
        self._baselines: dict[str, np.ndarray] = {}

    def names(self) -> list[str]:
        """Names of the fields that can be had: the baselines."""
        return sorted(self._baselines)

    def describe(self, name: str, attribute: str) -> str:
        """Know nothing of a field."""
        return ""

    def baseline(self, name: str, values: np.ndarray) -> None:
        """Take a field as the host has it: (n,) or (n, 12)."""
        self._baselines[name] = np.array(values, np.float64)

    def put(self, name: str, values: np.ndarray, units: str = "") -> None:
        """Take the host's climate, and do nothing with it."""

    def update(self, year: int, month: int, day: int) -> bool:
        """Say that nothing moved."""
        return False

    def changed(self, name: str) -> bool:
        """Say that it did not move."""
        return False

    def get(self, name: str, kind: Any = np.float64) -> np.ndarray:
        """Return a baseline of one value a point; CouplingError for any other field."""
        return self._given("get", name, 1).astype(kind, copy=False)

    get_previous = get

    def get_monthly(self, name: str) -> np.ndarray:
        """Return a monthly baseline, (n, 12); CouplingError for any other field."""
        return self._given("get_monthly", name, 12)

    def add_change(self, name: str, values: np.ndarray) -> np.ndarray:
        """Return the host's values as they are."""
        return np.array(values)

    def get_change(self, class_name: str) -> tuple[np.ndarray, np.ndarray]:
        """Give no gain and no loss."""
        return np.zeros(self.n), np.zeros(self.n)

    def get_coverage(self) -> PointCoverage:
        """Say that nothing was measured: no point is served."""
        return PointCoverage(0, 0, 0, 0.0, 0)

    def get_transition(self, from_class: str, to_class: str) -> np.ndarray:
        """Return that nothing went from class to class."""
        return np.zeros(self.n)

    def get_maximum(self, name: str, last_year: int) -> np.ndarray:
        """Return a baseline of one value a point; CouplingError for any other field."""
        return self._given("get_maximum", name, 1)

    def _given(self, call: str, name: str, months: int) -> np.ndarray:
        values = self._baselines.get(name)
        if values is None or values.ndim != (1 if months == 1 else 2):
            held = "one value a point" if months == 1 else "a value for each month"
            raise CouplingError(
                f"{call} {name!r}: landstep is switched off (active = false in [coupling]), and no "
                f"baseline of that name with {held} was given; keep the host's own field"
            )
        return values

    def write_restart(self, path: str | Path) -> None:
        """Write nothing: there is no land to go on from."""

    def close(self) -> None:
        """Forget the baselines."""
        self._baselines.clear()
