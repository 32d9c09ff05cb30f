"""What a coupler writes beside the land in a restart, and how it is found again on other ranks.

Everything of a point is stored in the order of the global index, so that the ranks that go on need
not be those that stopped.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from landstep.coupling import masked_points
from landstep.coupling.host_points import HostPoints
from landstep.emulator.errors import StateError, StepError
from landstep.emulator.grid import unit_vectors
from landstep.emulator.kept import Kept

STARTS = ("initial", "restart", "branch")
_ALL = "all_"
_AGAIN = 'start = "branch" goes on from its land all the same'

SAME_PLACE = 1e-5
"""How far, in radii of the Earth (64 m), a point may lie from where it lay in the run before: hosts
keep coordinates in single precision. Ours."""


def check_start(start: str | None, restart: str | Path | None) -> None:
    """Refuse a way to start that is none, or does not go with a restart file; StepError.

    StateError for a restart whose path names no file.
    """
    if restart is not None:
        check_restart_path(restart)
    if start is None:
        return
    if start not in STARTS:
        raise StepError(f"start {start!r}, expected one of {', '.join(STARTS)}")
    if (start == "initial") == (restart is not None):
        found = f"the restart file {restart}" if restart is not None else "no restart file"
        raise StepError(
            f"start {start!r} with {found}: "
            + ("name none" if start == "initial" else "name the one to start from")
        )


def check_restart_path(path: str | Path) -> None:
    """Refuse a path that names no file, such as "", "/" or a folder; StateError."""
    text = os.fspath(path)
    if not os.path.basename(text) or os.path.isdir(text):
        problem = "is a folder" if text else "names no file"
        raise StateError(
            f"restart {text!r}: {problem}, expected the path of a file, e.g. landstep_restart.nc"
        )


@dataclass(frozen=True, eq=False)
class Memory:
    """What a coupler knows besides the land.

    settings : what its fields depend on, by name; a restart must have the same
    of_points : name -> (n, ...) arrays of this rank's points
    of_all : name -> arrays that are the same on all ranks
    """

    settings: Mapping[str, str]
    of_points: Mapping[str, np.ndarray]
    of_all: Mapping[str, np.ndarray]

    def kept(self, points: HostPoints) -> Kept:
        """Put it together for a restart file. All ranks call it, with the same names."""
        arrays = {name: points.kept(values) for name, values in sorted(self.of_points.items())}
        if arrays:
            index = points.index[points.n_padding :]
            arrays |= {"index": index, "place": points.kept(_places(points))}
            arrays |= masked_points.kept(points, self.of_points)
        arrays |= {_ALL + name: values for name, values in self.of_all.items()}
        return Kept(arrays, {"settings": dict(self.settings)})

    @classmethod
    def of(
        cls, kept: Kept, points: HostPoints, settings: Mapping[str, str], where: str | Path
    ) -> Memory:
        """Find this rank's part of what a restart keeps.

        settings : of this run
        Raises StateError, `where` in front, where it was written with other settings, or for
        points with other indices or in other places.
        """
        then = kept.notes["settings"]
        for name in (*settings, *then):
            if then.get(name) != settings.get(name):
                raise StateError(
                    f"{where}: written with {name} {then.get(name)}, this run has "
                    f"{settings.get(name)}; {_AGAIN}"
                )
        arrays = dict(kept.arrays)
        own = points.index[points.n_padding :]
        index = arrays.pop("index", own)
        if not np.array_equal(index, own):
            raise StateError(
                f"{where}: written for {index.size} points, this run has {own.size}, with "
                f"other global indices; {_AGAIN}"
            )
        mine = _places(points)
        place = points.of_kept(arrays.pop("place")) if "place" in arrays else mine
        apart = np.where(points.mine.index < 0, 0.0, np.abs(place - mine).max(axis=1))
        if (apart > SAME_PLACE).any():
            raise StateError(
                f"{where}: the point of global index {points.mine.index[apart.argmax()]} lay "
                f"elsewhere when it was written, and what it holds belongs to that place; {_AGAIN}"
            )
        of_all = {n.removeprefix(_ALL): a for n, a in arrays.items() if n.startswith(_ALL)}
        of_points = {
            name: points.of_kept(values)
            for name, values in arrays.items()
            if not name.startswith((_ALL, masked_points.MASKED))
        }
        return cls(settings, masked_points.restored(points, of_points, arrays), of_all)


def _places(points: HostPoints) -> np.ndarray:
    return unit_vectors(points.mine.lat, points.mine.lon)
