"""A host's view of the emulator: dates in, fields on the host's points out."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from landstep.coupling.coverage import coverage
from landstep.coupling.fields import field_list, field_named, host_fields
from landstep.coupling.points import Points
from landstep.coupling.remap import remap_to
from landstep.emulator.emulator import Emulator
from landstep.emulator.errors import CouplingError, StepError
from landstep.emulator.state import State

LONGEST_MONTH = (31, 30, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
"""Days of each month in whichever calendar gives it most: February has 30 in a 360-day year."""


class Coupler:
    """One experiment on the points of one host.

    The Fortran and C interfaces are this class and nothing else. A call that raises leaves the
    coupler as it was, so that the host can go on.
    """

    def __init__(self, emulator: Emulator, state: State, points: Points) -> None:
        """Put an opened emulator and a state on a host's points."""
        self._emulator: Emulator | None = emulator
        self._state = state
        self._points = points
        self._remap = remap_to(points, emulator.grid)
        self._heard: int | None = None
        self._fields: dict[str, np.ndarray] | None = None

    @classmethod
    def open(
        cls,
        experiment: str | Path,
        lon_deg: np.ndarray,
        lat_deg: np.ndarray,
        *,
        lon_bounds: np.ndarray | None = None,
        lat_bounds: np.ndarray | None = None,
        year: int | None = None,
        restart: str | Path | None = None,
    ) -> Coupler:
        """Open an experiment on a host's points.

        lon_deg, lat_deg : (n_points,) centres, degrees; longitudes -180..180 or 0..360
        lon_bounds, lat_bounds : (n_points, 2) edges: area fractions are then taken over the
            rectangles; without them, from the cell that holds the point
        year : the year of the experiment's map to start from
        restart : a restart file to start from instead; with `year`, it must be of that year
        Raises CouplingError for points that cannot be, StateError for a restart that steps
        backward in time, and whatever `Emulator` raises.
        """
        points = Points.make(lon_deg, lat_deg, lon_bounds, lat_bounds)
        emulator = Emulator.open(experiment)
        state = emulator.start(year, direction="forward", restart=restart)
        return cls(emulator, state, points)

    @property
    def year(self) -> int:
        """The year that the land surface has reached."""
        return self._state.year

    @property
    def state(self) -> State:
        """The land surface itself."""
        return self._state

    def update(self, year: int, month: int, day: int) -> bool:
        """Bring the land surface to a date of the host's calendar.

        returns : True where fields moved since the last call that said so; always True for the
            first call, because the host has no fields yet
        Raises StepError for a date that cannot be, an earlier year, or a year that skips one;
        InputError for a year outside the forcing.
        """
        emulator = self._opened("update")
        _check_date(year, month, day)
        reached = self._state.year
        if year < reached:
            raise StepError(f"time went back: {year} asked, {reached} reached")
        if year > reached + 1:
            raise StepError(
                f"{year} asked, {reached} reached: that skips {reached + 1}; call update at least "
                "once a year"
            )
        if year == reached + 1:
            self._state = emulator.step(year, self._state)
            self._fields = None
        changed = self._heard != year
        self._heard = year
        return changed

    def get(self, name: str) -> np.ndarray:
        """Give a field on the host's points: (n_points,) float64, read-only.

        Raises CouplingError for a name that is none; see `names`.
        """
        emulator = self._opened("get")
        if self._fields is None:
            areas = self._remap.class_areas(self._state.land_use, emulator.scheme.n_classes)
            covered = coverage(self._points, emulator.grid, areas.sum(axis=1))
            self._fields = host_fields(areas, covered, emulator.scheme)
        return field_named(self._fields, name)

    def names(self) -> list[str]:
        """Names of the fields."""
        return [field.name for field in field_list(self._opened("names").scheme)]

    def write_restart(self, path: str | Path) -> None:
        """Write a restart file; the run goes on as if it had not. Raises InputError."""
        self._opened("write_restart")
        self._state.save(path)

    def close(self) -> None:
        """Let the emulator go. A later call raises CouplingError."""
        self._opened("close")
        self._emulator = None
        self._fields = None

    def _opened(self, call: str) -> Emulator:
        if self._emulator is None:
            raise CouplingError(f"{call}: this coupler was closed")
        return self._emulator


def _check_date(year: int, month: int, day: int) -> None:
    """Refuse a month or day that no calendar has."""
    if not 1 <= month <= 12:
        raise StepError(f"month {month} in {year}-{month}-{day}, expected 1 to 12")
    if not 1 <= day <= LONGEST_MONTH[month - 1]:
        raise StepError(
            f"day {day} in {year}-{month}-{day}, expected 1 to {LONGEST_MONTH[month - 1]}"
        )
