"""Score a pair of years for all methods at once: the same cells, the same resampled blocks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from landstep.emulator.errors import ConfigError
from landstep.emulator.folds import number_blocks
from landstep.emulator.scores import accuracy, class_iou
from landstep.evaluation.baselines import RIVALS
from landstep.evaluation.block_sums import block_sums
from landstep.evaluation.bootstrap import draws
from landstep.evaluation.case import Case, direction_of
from landstep.evaluation.change import KINDS, ChangeCounts, change_counts
from landstep.evaluation.intervals import REFERENCE, finite, intervals
from landstep.evaluation.methods import Method, Prediction
from landstep.evaluation.metrics import count_error
from landstep.evaluation.probability import brier, skill
from landstep.evaluation.products import caution


@dataclass(frozen=True, eq=False)
class PairScores:
    """Scores of one pair of years.

    changed : share of the counted cells that changed; cells : how many were counted
    scores : method -> its scores, ready for JSON; see `score_pair`
    predictions : method -> what it predicted; counted : (y, x) bool, the cells that count
    caution : {"caution": text} where scores of this pair carry no claim, else empty
    """

    before: int
    after: int
    changed: float
    cells: int
    scores: dict[str, dict[str, Any]]
    predictions: dict[str, Prediction]
    counted: np.ndarray
    caution: dict[str, str]

    def as_dict(self) -> dict[str, Any]:
        """Give the scores as one table: from, to, caution, changed, cells, an entry a method."""
        head = {"from": self.before, "to": self.after, **self.caution}
        return {**head, "changed": self.changed, "cells": self.cells, **self.scores}

    def without_probabilities(self) -> PairScores:
        """Keep the maps and let go of the probabilities, which take most of the memory."""
        maps = {name: Prediction(found.land_use) for name, found in self.predictions.items()}
        return replace(self, predictions=maps)


def score_pair(
    case: Case,
    before: int,
    after: int,
    methods: Sequence[Method],
    *,
    cells: np.ndarray | None = None,
    tile: int = 1,
    seed: int = 0,
    rivals: Sequence[str] = RIVALS,
    progress: Callable[[str], None] = lambda text: None,
) -> PairScores:
    """Predict and score a pair of years.

    before, after : years of the prior map and of the target; backward where after < before
    cells : (y, x) bool, the cells that count (of those that are land and known); None takes all
    tile : coarse cells a side of the blocks that the bootstrap draws
    rivals : methods of which the best, other than the one scored, is what `first_ratio` is against
    returns : for each method fom, fom_first, fom_return (evaluation/change.py), hits, misses,
        wrong_hits, false_alarms (cells), accuracy, mean_iou, iou by class (weighted by area where
        the case is geographic; accuracy_cells and mean_iou_cells count cells alike), brier and
        brier_skill of the probability of change over the history table's, count_error (share of
        cells by which class counts of coarse cells are off), accuracy_gain and mean_iou_gain over
        persistence, first_ratio, and fom_ratio over the neighbourhood's. 95 % intervals: ratios
        have theirs as _low and _high; fom, fom_first, both gains and brier_skill as _interval
    Raises ConfigError for methods of one name, a year without a map or equal years; InputError
    where no cell counts.
    """
    names = [method.name for method in methods]
    if len(set(names)) < len(names):
        raise ConfigError(f"pair {before}:{after}: methods {names}, expected each name once")
    direction = direction_of(before, after)
    prior, truth = case.map(before), case.map(after)
    mask = case.counted(before, after, cells)
    past = case.past(before, direction)
    block, n_blocks = number_blocks(case.row, case.col, mask, tile)
    predictions, sums, scores = {}, {}, {}
    for method in methods:
        progress(f"{before}:{after}, {method.name}")
        found = method.predict(case, before, after)
        predictions[method.name] = found
        counts = change_counts(prior, found.land_use, truth, past, mask, block, n_blocks)
        sums[method.name] = block_sums(case, found, before, after, mask, block, counts)
        scores[method.name] = _scores(case, found, prior, truth, mask, counts)
    drawn = draws(n_blocks, seed)
    for name, entry in scores.items():
        entry |= intervals(name, sums, drawn, rivals)
        if REFERENCE in scores:
            entry["brier_skill"] = finite(skill(entry["brier"], scores[REFERENCE]["brier"]))
    return PairScores(
        before=before,
        after=after,
        changed=float((prior != truth)[mask].mean()),
        cells=int(mask.sum()),
        scores=scores,
        predictions=predictions,
        counted=mask,
        caution=caution(case, before, after),
    )


def _scores(
    case: Case,
    found: Prediction,
    prior: np.ndarray,
    truth: np.ndarray,
    mask: np.ndarray,
    counts: ChangeCounts,
) -> dict[str, Any]:
    """Score one prediction without the others."""
    of, merit = case.scheme, counts.merit()
    iou = class_iou(found.land_use, truth, mask, of.n_classes, case.weights)
    iou_cells = class_iou(found.land_use, truth, mask, of.n_classes)
    change = found.change_probability(prior)[mask]
    return {
        "fom": merit.value,
        "fom_first": counts.merit("first").value,
        "fom_return": counts.merit("return").value,
        "hits": merit.hits,
        "misses": merit.misses,
        "wrong_hits": merit.wrong_hits,
        "false_alarms": merit.false_alarms,
        "kinds": {kind: vars(counts.merit(kind)) for kind in KINDS[1:]},
        "accuracy": accuracy(found.land_use, truth, mask, case.weights),
        "accuracy_cells": accuracy(found.land_use, truth, mask),
        "mean_iou": float(np.nanmean(iou)),
        "mean_iou_cells": float(np.nanmean(iou_cells)),
        "iou": {of.names[k]: float(iou[k]) for k in np.flatnonzero(~np.isnan(iou))},
        "brier": brier(change, (prior != truth)[mask]),
        "count_error": count_error(found.land_use, truth, mask, case.block, of.n_classes),
    }
