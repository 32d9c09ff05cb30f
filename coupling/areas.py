"""Areas of the classes in each zone group, at a host's points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from landstep.emulator.errors import CouplingError
from landstep.emulator.legends import ZONE_GROUPS

UNKNOWN_ZONE = ZONE_GROUPS.index("unknown")
"""Number of the group of all land without a declared legend, and of all sea."""


@dataclass(frozen=True)
class Areas:
    """What lies at each point.

    values : (n, zone groups, classes) int64 in AREA_UNIT_M2
    unknown : (n,) int64, area inside the grid whose class is not known
    coverage : (n,) float64, share of the host's cell that lies in the grid, 0..1
    """

    values: np.ndarray
    unknown: np.ndarray
    coverage: np.ndarray

    @classmethod
    def make(cls, values: np.ndarray, unknown: np.ndarray, coverage: np.ndarray) -> Areas:
        """Check the arrays and make them read-only.

        Raises CouplingError for other shapes, areas that are not int64, or a negative one.
        """
        n = len(unknown)
        if values.ndim != 3 or values.shape[:2] != (n, len(ZONE_GROUPS)) or len(coverage) != n:
            raise CouplingError(
                f"areas of shape {values.shape}, unknown {unknown.shape}, coverage "
                f"{coverage.shape}: expected (n, {len(ZONE_GROUPS)}, classes), (n,) and (n,)"
            )
        for what, areas in (("areas", values), ("unknown area", unknown)):
            if areas.dtype != np.int64:
                raise CouplingError(f"{what}: {areas.dtype}, expected int64")
            if (areas < 0).any():
                point = int(np.argwhere(areas < 0)[0][0])
                raise CouplingError(f"{what}: negative at point {point}")
        kept = [np.ascontiguousarray(array).copy() for array in (values, unknown, coverage)]
        for array in kept:
            array.setflags(write=False)
        return cls(*kept)

    @classmethod
    def unpack(
        cls,
        columns: np.ndarray,
        groups: Sequence[str],
        n_classes: int,
        coverage: np.ndarray,
    ) -> Areas:
        """Take apart what Remap.class_areas gave for composite numbers.

        columns : (n, len(groups) * n_classes + 1) int64; column group * n_classes + class holds
            that class in that zone group, the last what is not known
        groups : the groups that the numbers were made with, names of ZONE_GROUPS; without a
            legend ("unknown",), and the columns are those of the plain classes
        coverage : (n,) float64
        Raises CouplingError for another number of columns, or a group that is none.
        """
        expected = len(groups) * n_classes + 1
        if columns.ndim != 2 or columns.shape[1] != expected:
            raise CouplingError(
                f"areas of shape {columns.shape}: {len(groups)} zone groups of {n_classes} "
                f"classes have {expected} columns"
            )
        values = np.zeros((len(columns), len(ZONE_GROUPS), n_classes), np.int64)
        for number, group in enumerate(groups):
            if group not in ZONE_GROUPS:
                raise CouplingError(f"zone group {group!r} is not known; there are {ZONE_GROUPS}")
            first = number * n_classes
            values[:, ZONE_GROUPS.index(group)] += columns[:, first : first + n_classes]
        return cls.make(values, columns[:, -1], coverage)

    @property
    def n(self) -> int:
        """How many points there are."""
        return len(self.unknown)

    @property
    def n_classes(self) -> int:
        """How many classes there are."""
        return self.values.shape[2]

    def of_classes(self) -> np.ndarray:
        """Areas over all zones, as Remap.class_areas gives them: (n, n_classes + 1) int64."""
        return np.concatenate([self.values.sum(axis=1), self.unknown[:, None]], axis=1)
