"""Scores of whole maps, as other studies give them: accuracy, F1, IoU, with and without ocean.

They say little about change (docs/skill.md): persistence scores as high. Rows: the step from a real
map that is partly hidden (year 0), the next step from the model's own map (year 1), and a start
with nothing known but the coast.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from landstep.emulator.classes import MASKED, OUTSIDE
from landstep.emulator.emulator import Emulator
from landstep.emulator.errors import ConfigError
from landstep.evaluation.case import Case
from landstep.evaluation.infill import PATCH, hidden_cells, hide, nearest
from landstep.evaluation.metrics import class_scores, confusion
from landstep.evaluation.model import rolled

HIDDEN = 0.5
"""Share of the land that is hidden in year 0."""


@dataclass(frozen=True)
class MapScores:
    """Scores of one map over all its cells, ocean included, weighted by area on latitudes.

    macro_f1 : mean over classes; weighted_f1 : weighted by their true area
    mean_iou, mean_iou_land : with and without the class that is not land
    classes : class -> recall ("accuracy" of the class), precision, f1, iou
    """

    row: str
    year: int
    accuracy: float
    macro_f1: float
    weighted_f1: float
    mean_iou: float
    mean_iou_land: float
    classes: dict[str, dict[str, float]]


def map_scores(case: Case, row: str, year: int, found: np.ndarray) -> MapScores:
    """Score a map of a year against the true one, every known cell counting."""
    truth, of = case.map(year), case.scheme
    table = confusion(found, truth, truth != MASKED, of.n_classes, case.weights)
    by_class, area = class_scores(table), table.sum(axis=1)
    held = np.flatnonzero(area > 0)
    land = held[held != OUTSIDE]
    return MapScores(
        row=row,
        year=year,
        accuracy=float(np.diag(table).sum() / table.sum()),
        macro_f1=float(by_class.f1[held].mean()),
        weighted_f1=float((by_class.f1[held] * area[held]).sum() / area.sum()),
        mean_iou=float(by_class.iou[held].mean()),
        mean_iou_land=float(by_class.iou[land].mean()),
        classes={
            of.names[k]: {what: float(values[k]) for what, values in vars(by_class).items()}
            for k in held
        },
    )


def map_table(
    emulator: Emulator, case: Case, start: int, *, hidden: float = HIDDEN, seed: int = 0
) -> list[MapScores]:
    """Score the model's maps of the two years after a start, beside doing nothing.

    start : year of the map that the first step starts from, forward in time
    returns : "year 0" (from the map with a share hidden), "year 1" (on from the model's own map),
        "cold start" (from nothing known), "persistence" (the whole map of the start), "nearest
        infill" (the hidden part filled with the nearest known class, where any is known)
    Raises ConfigError where the case lacks a map of one of the three years.
    """
    missing = [year for year in (start, start + 1, start + 2) if year not in case.maps]
    if missing:
        raise ConfigError(
            f"{case.name}: no map of {missing}; the table of maps needs three in a row"
        )
    land = case.counted(start, start + 1)
    part = hide(case, start, start + 1, hidden_cells(land, hidden, PATCH, seed))
    nothing = hide(case, start, start + 1, case.map(start) != OUTSIDE)
    step = rolled(emulator)
    rows = [
        map_scores(case, "year 0", start + 1, step(part, start, start + 1)),
        map_scores(case, "year 1", start + 2, step(part, start, start + 2)),
        map_scores(case, "cold start", start + 1, step(nothing, start, start + 1)),
        map_scores(case, "persistence", start + 1, case.map(start)),
    ]
    filled = nearest(part, start, start + 1)
    if filled is not None:
        rows.append(map_scores(case, "nearest infill", start + 1, filled))
    return rows


def as_row(scores: MapScores) -> dict[str, Any]:
    """Give one row for JSON."""
    return dict(vars(scores))
