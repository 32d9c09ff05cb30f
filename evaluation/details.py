"""What else is worth knowing of a scored pair: classes, transitions, areas, reliability."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from landstep.evaluation.case import Case
from landstep.evaluation.metrics import (
    area_errors,
    class_scores,
    confusion,
    disagreement,
    transitions,
)
from landstep.evaluation.pairs import PairScores
from landstep.evaluation.probability import Reliability, reliability

TRANSITIONS = 12
"""Most frequent transitions that are listed."""


def details(
    case: Case, scored: PairScores, transitions_listed: int = TRANSITIONS
) -> dict[str, Any]:
    """Score each method's map further.

    returns : method -> "classes" (recall, precision, f1, iou by class), "disagreement" (quantity,
        allocation), "transitions" (the most frequent true ones), "area_error" by class (km2 per
        coarse cell), and, where it gives probabilities, "reliability" of change and of becoming
        each class (of cells that are not of it yet); ready for JSON
    """
    return {name: _details(case, scored, name, transitions_listed) for name in scored.predictions}


def _details(case: Case, scored: PairScores, name: str, listed: int) -> dict[str, Any]:
    found, mask, of = scored.predictions[name], scored.counted, case.scheme
    prior, truth = case.map(scored.before), case.map(scored.after)
    table = confusion(found.land_use, truth, mask, of.n_classes, case.weights)
    by_class = class_scores(table)
    held = np.flatnonzero(~np.isnan(by_class.recall))
    moves = transitions(prior, found.land_use, truth, mask, of.n_classes)[:listed]
    areas = area_errors(found.land_use, truth, mask, case.block, case.area, of.n_classes)
    entry: dict[str, Any] = {
        "classes": {
            of.names[k]: {what: float(values[k]) for what, values in vars(by_class).items()}
            for k in held
        },
        "disagreement": asdict(disagreement(table)),
        "transitions": [
            {
                "from": of.names[move.before],
                "to": of.names[move.after],
                "true": move.true,
                "predicted": move.predicted,
                "hits": move.hits,
                "fom": move.merit,
            }
            for move in moves
        ],
        "area_error_km2": {of.names[k]: asdict(error) for k, error in areas.items()},
    }
    if found.probability is not None:
        change = found.change_probability(prior)[mask]
        entry["reliability"] = {
            "change": _curve(reliability(change, (prior != truth)[mask])),
            **{
                of.names[k]: _curve(reliability(found.probability[k][cells], truth[cells] == k))
                for k in held
                if (cells := mask & (prior != k)).any()
            },
        }
    return entry


def _curve(found: Reliability) -> dict[str, Any]:
    """Give a reliability for JSON, without its empty bins; a bin is named by its lower end."""
    some = found.cells > 0
    return {
        "error": found.error,
        "at_least": found.edges[:-1][some].tolist(),
        "cells": found.cells[some].tolist(),
        "probability": found.mean_probability[some].tolist(),
        "frequency": found.frequency[some].tolist(),
    }
