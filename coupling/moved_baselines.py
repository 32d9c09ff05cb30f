"""Baselines of a branch that landstep itself has moved: their change would count twice."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from landstep.coupling.areas import Areas
from landstep.coupling.host_fields import HostFields
from landstep.coupling.host_points import HostPoints
from landstep.coupling.restarting import Memory
from landstep.emulator.errors import CouplingError, StateError
from landstep.emulator.kept import Kept
from landstep.emulator.ranks import Ranks

ALIKE = 1e-6
"""How far, in parts of the bounds' width, a field may be from another to be the same: hosts keep
them in single precision. Ours."""

MOVED = 1e-4
"""How far, in parts of the bounds' width, a field must have moved to be told from its baseline.
Ours."""


class MovedBaselines:
    """What the run before a branch handed out: a host that restarts has it in its own arrays."""

    def __init__(self, before: HostFields) -> None:
        """Take the fields of the run before, with its baselines and its reference."""
        self._before = before

    @classmethod
    def of(
        cls, kept: Kept, points: HostPoints, fields: HostFields, where: str | Path
    ) -> MovedBaselines | None:
        """Find them in a restart; None where it is of other points or settings. All ranks call it.

        fields : of this run, of which nothing was given yet
        """
        try:
            memory = Memory.of(kept, points, dict(kept.notes["settings"]), where)
        except StateError:
            memory = None
        same = {name: kept.notes["settings"].get(name) for name in fields.identity}
        same.pop("[coupling] reference")
        of_this = {name: fields.identity[name] for name in same}
        before = None
        if memory is not None and same == of_this:
            before = HostFields(fields.settings, fields.source, fields.scheme, fields.lat_deg)
            before.icy = fields.icy
            before.recall(memory.of_points)
        found = before is not None and before.reference is not None
        return cls(before) if all(points.ranks.of_all(found)) and before is not None else None

    def check(self, given: HostFields, areas: Areas, year: int, ranks: Ranks) -> None:
        """Refuse baselines that are the fields of the restart's year. All ranks call it.

        given : of the branch, begun; areas, year : of the restart
        Raises CouplingError on all ranks, naming the field and a point.
        """
        self._before.begin(self._before.reference, ranks)
        moved = self._before.surface(areas).values
        with ranks.together():
            for name in sorted(set(given.baselines) & set(self._before.baselines) & set(moved)):
                field = given.field(name)
                if field.integer:
                    continue
                width = field.bounds[1] - field.bounds[0]
                own, now, told = self._before.baselines[name], given.baselines[name], moved[name]
                far = np.abs(told - own) > MOVED * width
                if far.any() and (np.abs(now - told)[far] <= ALIKE * width).all():
                    point = int(np.argwhere(far)[0][0])
                    place = tuple(np.argwhere(far)[0])
                    raise CouplingError(
                        f"baseline {name!r}: {now[place]:g} at point {point} is what landstep "
                        f"handed out in {year}, expected the host's own field (it was "
                        f"{own[place]:g}): counted from {given.settings.reference} the change "
                        f"would count twice; give that field, or set [coupling] reference = {year}"
                    )
