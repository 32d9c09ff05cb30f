"""What came of a year's quotas: told to the user, not carried on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from landstep.emulator.grid import AREA_UNIT_M2

KM2 = AREA_UNIT_M2 / 1e6


@dataclass(frozen=True, eq=False)
class QuotaReport:
    """One step's quotas over the whole map; areas in AREA_UNIT_M2.

    asked : (G,) int64, by how much the forcing changes each group in this step
    realised : (G,) int64, by how much the map changed
    unmet : how many coarse cells missed a quota by more than one fine cell
    largest_miss : the largest of those misses, 0 where there is none
    """

    asked: np.ndarray
    realised: np.ndarray
    unmet: int
    largest_miss: int

    def text(self) -> str:
        """Say it in a few words; empty where every quota was met."""
        if not self.unmet:
            return ""
        return (
            f"{self.unmet} coarse cells could not meet a quota, by up to "
            f"{self.largest_miss * KM2:.3g} km2"
        )


def worst_of(reports: Sequence[QuotaReport]) -> str:
    """Say over a run's steps what `QuotaReport.text` says of one; empty where all were met."""
    missed = [report for report in reports if report.unmet]
    if not missed:
        return ""
    return (
        f"quotas that could not be met: in {len(missed)} of {len(reports)} years, at most "
        f"{max(report.unmet for report in missed)} coarse cells in one, by up to "
        f"{max(report.largest_miss for report in missed) * KM2:.3g} km2"
    )
