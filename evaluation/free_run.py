"""Scores of a free run: drift, and the area of each group against what the forcing asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from landstep.emulator.classes import MASKED, OUTSIDE
from landstep.evaluation.case import Case
from landstep.evaluation.drift import flips, patches, yearly_change
from landstep.evaluation.metrics import KM2, AreaError, area_error


def run_scores(case: Case, start: int, maps: Sequence[np.ndarray]) -> dict[str, Any]:
    """Score a run of yearly maps, forward in time; no true map is needed.

    maps : of `start` and each year after it, (y, x) uint8
    returns : "yearly_change" (share of land), "flips" (A-B-A), "patches" by class of the first and
        last map, "area_error_km2" by group against the forcing where the case has it; JSON-ready
    """
    first, last = maps[0], maps[-1]
    land = (first != OUTSIDE) & (first != MASKED)
    names, n_classes = case.scheme.names, case.scheme.n_classes
    entry: dict[str, Any] = {
        "start": start,
        "years": len(maps) - 1,
        "yearly_change": yearly_change(maps, land).tolist(),
        "changed_at_end": float((first != last)[land].mean()),
        "patches": {
            when: {names[k]: asdict(found) for k, found in patches(m, land, n_classes).items()}
            for when, m in (("start", first), ("end", last))
        },
    }
    if len(maps) > 2:
        found = flips(maps, land)
        entry["flips"] = {"share": found.share, **asdict(found)}
    end = start + len(maps) - 1
    if start in case.forcing and end in case.forcing:
        errors = forcing_errors(case, start, end, first, last)
        entry["area_error_km2"] = {name: asdict(error) for name, error in errors.items()}
    return entry


def forcing_errors(
    case: Case, before: int, after: int, first: np.ndarray, last: np.ndarray
) -> dict[str, AreaError]:
    """Hold the change of each group's area per coarse cell against the forcing's, in km2.

    first, last : maps of the two years; cells unknown in the first count for no group there
    returns : group -> error of the change over the coarse cells that hold land
    """
    asked = case.quota(before, after).reshape(len(case.scheme.groups), -1)
    land = np.bincount(case.block[first != OUTSIDE], minlength=case.n_blocks) > 0
    change = _group_area(case, last) - _group_area(case, first)
    return {
        group.name: area_error((change[g] - asked[g])[land] * KM2)
        for g, group in enumerate(case.scheme.groups)
    }


def _group_area(case: Case, classes: np.ndarray) -> np.ndarray:
    """Area of each group in each coarse cell: (G, blocks) int64 in grid.AREA_UNIT_M2."""
    numbers = np.full(256, -1)
    numbers[: case.scheme.n_classes] = case.scheme.group_of
    group = numbers[classes]
    area = np.zeros((len(case.scheme.groups), case.n_blocks), np.int64)
    bound = group >= 0
    cells = np.broadcast_to(case.area, case.shape)[bound]
    np.add.at(area, (group[bound], case.block[bound]), cells)
    return area
