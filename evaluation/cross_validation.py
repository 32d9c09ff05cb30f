"""Cross-validation in space: every part of the land is predicted by a model that left it out.

Of n models, model k was trained without the cells of fold k (emulator/folds.py); its map counts
there and nowhere else. What is fitted beside it, the history table and boosting, leaves out the
same cells. Folds are whole coarse cells, so the stitched map keeps the quotas.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from landstep.emulator.card import Card
from landstep.emulator.emulator import Emulator
from landstep.emulator.errors import ConfigError
from landstep.emulator.folds import TILE, folds
from landstep.emulator.model_checks import check_fit
from landstep.emulator.session import Session
from landstep.evaluation.case import Case
from landstep.evaluation.methods import Method, Prediction
from landstep.evaluation.model import check_pair, model_methods, soft_rule
from landstep.evaluation.pairs import score_pair
from landstep.evaluation.plan import Plan
from landstep.evaluation.rivals import Rivals
from landstep.evaluation.spread import spread
from landstep.evaluation.stitched import Stitched

FITTED = ("history_table", "boosting")
"""Baselines that learn, so that each fold has its own."""

Say = Callable[[str], None]


def fold_emulators(emulator: Emulator, models: Sequence[Path]) -> list[Emulator]:
    """Open the models of a cross-validation on the inputs of an emulator.

    models : n ONNX files, the k-th one trained on this experiment with `[data] fold = [k, n]`
    Raises ConfigError where a model's card says another fold or none, or it does not fit the
    experiment; ModelError where a file cannot be opened.
    """
    experiment, found = emulator.experiment, []
    run = experiment.run
    for number, path in enumerate(models, start=1):
        session = Session.open(path, run.provider, run.threads, precision=run.precision)
        check_fold(session.card, number, len(models), path.name)
        check_fit(session.card, emulator.inputs, experiment)
        found.append(replace(emulator, session=session))
    return found


def check_fold(card: Card, number: int, count: int, where: str) -> None:
    """Refuse a model that was not trained without fold `number` of `count`, from 1.

    Raises ConfigError naming the file and the fold that its card says.
    """
    said = card.training.get("config", {}).get("data", {}).get("fold")
    if said != [number, count]:
        raise ConfigError(
            f"{where}: its card says fold {said or 'none'}, expected {[number, count]}; name "
            f"{count} models in the order of their folds, each trained with fold = [k, {count}]"
        )


def check_folds(emulators: Sequence[Emulator], case: Case, plan: Plan) -> None:
    """Refuse models or a plan that cannot be cross-validated.

    Raises ConfigError where there are no pairs, models learned different steps, cannot predict a
    pair, or the land has too few blocks for so many folds.
    """
    if not plan.pairs:
        raise ConfigError("fold models need pairs of years to be scored on")
    first = emulators[0].card
    for emulator in emulators:
        card = emulator.card
        if (card.lags, card.direction) != (first.lags, first.direction):
            raise ConfigError(
                f"fold models learned lags {first.lags} {first.direction} and {card.lags} "
                f"{card.direction}, expected the same in all"
            )
        for before, after in plan.pairs:
            check_pair(card, before, after)
    fold_of(case, len(emulators))


def fold_of(case: Case, n_folds: int) -> np.ndarray:
    """Fold of each cell, as the training divides it: (y, x) int64, from 0; -1 where not land."""
    return folds(case.row, case.col, case.land, n_folds)


def cross_validate(
    emulators: Sequence[Emulator], case: Case, plan: Plan, progress: Say = lambda text: None
) -> dict[str, Any]:
    """Score a plan's pairs on maps stitched from the models of n folds.

    emulators : n, in the order of the folds, as `fold_emulators` gives them
    returns : "folds" n, "tile" (coarse cells a side of a block), "cells" of land in each fold,
        "pairs" (scores over all land, as of `pairs.score_pair`) and "spread" (for each pair each
        method's mean, standard deviation, lowest and highest over the folds); ready for JSON
    Raises what `check_folds` raises, before anything is computed.
    """
    check_folds(emulators, case, plan)
    fold = fold_of(case, len(emulators))
    rivals = [
        Rivals(case, plan, fold != number, _of_fold(number, progress))
        for number in range(len(emulators))
    ]
    pairs, apart = [], []
    for before, after in plan.pairs:
        models, others = [], []
        for emulator, fitted in zip(emulators, rivals, strict=True):
            rule = soft_rule(emulator, case, before, after)
            models.append(_direct(model_methods(emulator, case, before, after)))
            others.append(fitted.methods(before, after, rule))
        methods = [*stitched(models, fold), *stitched(others, fold, FITTED)]
        found, each = score_folds(case, before, after, methods, fold, plan, progress)
        pairs.append(found)
        apart.append(each)
    cells = np.bincount(fold[fold >= 0], minlength=len(emulators))
    return {
        "folds": len(emulators),
        "tile": TILE,
        "cells": cells.tolist(),
        "pairs": pairs,
        "spread": apart,
    }


def stitched(
    by_fold: Sequence[Sequence[Method]], fold: np.ndarray, learned: Sequence[str] | None = None
) -> list[Method]:
    """Stitch the methods of each fold, name by name.

    by_fold : for each fold the same methods in the same order
    learned : names of those that differ from fold to fold; the others are taken as they are. None:
        all
    """
    methods: list[Method] = []
    for same in zip(*by_fold, strict=True):
        name = same[0].name
        differ = learned is None or name in learned
        methods.append(Stitched(name, same, fold) if differ else same[0])
    return methods


def score_folds(
    case: Case,
    before: int,
    after: int,
    methods: Sequence[Method],
    fold: np.ndarray,
    plan: Plan,
    progress: Say = lambda text: None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Score stitched methods over all land, and their spread over the folds.

    returns : the table of `PairScores.as_dict`; from, to and "methods" as of `spread.spread`
    """
    whole = score_pair(
        case, before, after, methods, tile=plan.tile, seed=plan.seed, progress=progress
    )
    told = [_Told(name, found) for name, found in whole.predictions.items()]
    runs = [
        score_pair(
            case, before, after, told, cells=fold == number, tile=plan.tile, seed=plan.seed
        ).as_dict()
        for number in range(int(fold.max()) + 1)
    ]
    return whole.as_dict(), {"from": before, "to": after, "methods": spread(runs)}


@dataclass(frozen=True, eq=False)
class _Told:
    """A method whose prediction is known already."""

    name: str
    prediction: Prediction

    def predict(self, case: Case, before: int, after: int) -> Prediction:
        """Give it."""
        return self.prediction


def _of_fold(number: int, progress: Say) -> Say:
    return lambda text: progress(f"fold {number + 1}: {text}")


def _direct(methods: Sequence[Method]) -> list[Method]:
    """Leave out the run of yearly steps where there is a direct jump."""
    return [m for m in methods if m.name != "model_rolled"] or list(methods)
