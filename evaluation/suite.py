"""Everything that `landstep evaluate` measures, part by part, as one table ready for JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from landstep.emulator.emulator import Emulator
from landstep.evaluation.baselines import Neighbourhood, training_pairs
from landstep.evaluation.case import Case, direction_of
from landstep.evaluation.cross_validation import check_folds, cross_validate
from landstep.evaluation.details import details
from landstep.evaluation.free_run import run_scores
from landstep.evaluation.history_table import fit_history_table
from landstep.evaluation.infill import (
    Fill,
    fill_by_odds,
    majority,
    nearest,
    nearest_odds,
    proportional,
    score_infill,
)
from landstep.evaluation.map_table import as_row, map_table
from landstep.evaluation.methods import ByOdds, Method
from landstep.evaluation.model import (
    MODES,
    Mode,
    check_pair,
    free_run,
    model_methods,
    odds_of,
    soft_rule,
)
from landstep.evaluation.pairs import PairScores, score_pair
from landstep.evaluation.place import rule_of
from landstep.evaluation.plan import Pair, Plan, check_plan, training_years
from landstep.evaluation.products import caution, product_of
from landstep.evaluation.quantity_error import quantity_curves
from landstep.evaluation.rivals import Rivals

Say = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What was found.

    results : ready for JSON
    scored : the pairs with their maps, in the plan's order
    """

    case: Case
    plan: Plan
    results: dict[str, Any]
    scored: list[PairScores] = field(default_factory=list)


def evaluate(
    emulator: Emulator,
    case: Case,
    plan: Plan,
    progress: Say = lambda text: None,
    fold_models: Sequence[Emulator] = (),
) -> Evaluation:
    """Measure all that a plan asks for.

    fold_models : of a cross-validation in space, in the order of the folds, as
        `cross_validation.fold_emulators` gives them
    Raises ConfigError for a plan that cannot be, or pairs that the model cannot predict, before
    anything is computed, and what the emulator raises.
    """
    check_plan(case, plan)
    for before, after in plan.pairs:
        check_pair(emulator.card, before, after)
    if fold_models:
        check_folds(fold_models, case, plan)
    results: dict[str, Any] = {"about": about(emulator, case, plan)}
    scored: list[PairScores] = []
    if plan.pairs:
        results["details"] = []
        rivals = Rivals(case, plan, progress=progress)
        for found in _pairs(emulator, case, plan, rivals, progress):
            head = {"from": found.before, "to": found.after, **found.caution}
            results["details"].append({**head, "methods": details(case, found)})
            scored.append(found.without_probabilities())
        results["pairs"] = [found.as_dict() for found in scored]
        results["withheld"] = _withheld(emulator, case, plan, progress)
        shortest = min(plan.pairs, key=lambda pair: abs(pair[1] - pair[0]))
        results["infill"] = infill_scores(emulator, case, plan, shortest, progress)
        results["quantity_error"] = _quantity(emulator, case, plan, rivals, progress)
        results["maps"] = _maps(emulator, case, shortest[0], progress)
    if fold_models:
        results["cross_validation"] = cross_validate(fold_models, case, plan, progress)
    if plan.run is not None:
        results["free_run"] = _runs(emulator, case, plan.run, progress)
    return Evaluation(case, plan, results, scored)


def about(emulator: Emulator, case: Case, plan: Plan) -> dict[str, Any]:
    """Say what was evaluated, on what, and what its scores cannot say."""
    notes = [
        '"Nothing changes" (persistence) scores high on every measure of whole maps; figure of '
        "merit and its split into first-time changes and returns measure change.",
        "A change is a return where the cell had the new class in the three years before the prior "
        "map.",
    ]
    if case.known_quantities:
        notes.insert(
            0,
            "Known quantities: the coarse forcing was counted on the very maps that are predicted. "
            "Every score is an upper bound of what a forecast of quantities could give.",
        )
    said = [caution(case, before, after).get("caution") for before, after in plan.pairs]
    notes += dict.fromkeys(text for text in said if text)
    return {
        "experiment": case.name,
        "scheme": case.scheme.name,
        "model": emulator.card.name,
        "model_sha256": emulator.session.sha256,
        "provenance": emulator.session.provenance,
        "train_until": plan.train_until,
        "known_quantities": case.known_quantities,
        "weighted_by_area": case.geographic,
        "cells": list(case.shape),
        "coarse_cells": list(case.coarse),
        "notes": notes,
    }


def _pairs(
    emulator: Emulator, case: Case, plan: Plan, rivals: Rivals, progress: Say
) -> Iterator[PairScores]:
    for before, after in plan.pairs:
        rule = soft_rule(emulator, case, before, after)
        methods = model_methods(emulator, case, before, after)
        methods += rivals.methods(before, after, rule)
        yield score_pair(
            case, before, after, methods, tile=plan.tile, seed=plan.seed, progress=progress
        )


def _withheld(emulator: Emulator, case: Case, plan: Plan, progress: Say) -> dict[str, Any]:
    """Score again with the map of the year before the prior hidden from every method.

    returns : "note" why, and which methods are there; "pairs" as of `score_pair`
    """
    hidden, tables = case.withhold(1), []
    for before, after in plan.pairs:
        methods = _blind(emulator, hidden, plan, before, after)
        progress(f"{before}:{after} without the map of the year before")
        found = score_pair(hidden, before, after, methods, tile=plan.tile, seed=plan.seed)
        tables.append(found.as_dict())
    note = (
        f"{product_of(case.source).ahead} Here no method sees it: the history table is counted "
        "again without it. Boosting is not fitted again and not shown; the neighbourhood looks at "
        "the prior map alone."
    )
    return {"note": note, "pairs": tables}


def _blind(emulator: Emulator, hidden: Case, plan: Plan, before: int, after: int) -> list[Method]:
    """Give the model and the baselines that are quick, all fitted on a case with hidden maps."""
    rule = soft_rule(emulator, hidden, before, after)
    years = training_years(hidden.maps, before, after, int(plan.train_until or 0))
    table = fit_history_table(hidden, training_pairs(years, before, after))
    methods: list[Method] = [
        method
        for method in model_methods(emulator, hidden, before, after)
        if method.name != "model_exact"
    ]
    return [*methods, Neighbourhood(), ByOdds("history_table", table.odds, rule)]


def infill_scores(
    emulator: Emulator, case: Case, plan: Plan, pair: Pair, progress: Say
) -> dict[str, Any]:
    """Score how hidden cells are filled, by the model and by what is good without one.

    returns : from, to, caution, and a row a method and share of hidden cells (`infill.InfillScore`)
    """
    before, after = pair
    progress(f"{before}:{after}, filling hidden cells")
    direction, card = direction_of(before, after), emulator.card
    weights = card.weights_for(abs(after - before))
    soft, exact = (rule_of(case.scheme, direction, mode, weights) for _, mode in MODES)
    fills: dict[str, Fill] = {}
    if abs(after - before) in card.lags:
        odds = odds_of(emulator)
        fills = {"model": fill_by_odds(odds, soft), "model_exact": fill_by_odds(odds, exact)}
    fills |= {
        "nearest": nearest,
        "majority": majority,
        "nearest_totals": fill_by_odds(nearest_odds, exact),
        "proportional": proportional(plan.seed),
    }
    rows = score_infill(case, before, after, fills, shares=plan.hidden_shares, seed=plan.seed)
    head = {"from": before, "to": after, **caution(case, before, after)}
    return {**head, "rows": [asdict(row) for row in rows]}


QUANTITY_METHODS = ("model", "neighbourhood", "history_table", "boosting")


def _quantity(
    emulator: Emulator, case: Case, plan: Plan, rivals: Rivals, progress: Say
) -> dict[str, Any]:
    """Score the first pair under wrong quantities; what was fitted for it serves again."""
    before, after = plan.pairs[0]
    methods = model_methods(emulator, case, before, after)
    methods += rivals.methods(before, after, soft_rule(emulator, case, before, after))
    curves = quantity_curves(
        case,
        before,
        after,
        [method for method in methods if method.name in QUANTITY_METHODS],
        levels=plan.levels,
        seed=plan.seed,
        progress=progress,
    )
    head = {"from": before, "to": after, **caution(case, before, after)}
    return {**head, "curves": [asdict(curve) for curve in curves]}


def _maps(emulator: Emulator, case: Case, start: int, progress: Say) -> dict[str, Any]:
    """Score whole maps, where the model takes single years forward and maps allow.

    returns : from, caution, and a row a map (`map_table.MapScores`)
    """
    head = {"from": start, **caution(case, start, start + 1)}
    years = {start, start + 1, start + 2}
    if not years <= set(case.maps) or 1 not in emulator.card.lags or not emulator.card.steps(1):
        return {**head, "rows": []}
    progress("scoring whole maps")
    return {**head, "rows": [as_row(row) for row in map_table(emulator, case, start)]}


def _runs(emulator: Emulator, case: Case, run: Pair, progress: Say) -> dict[str, Any]:
    """Score free runs as the experiment runs, and under constant forcing without quotas as well.

    Under constant forcing exact quotas let nothing change, which is no merit of the network.
    """
    (start, end), own = run, emulator.experiment.allocation.mode
    runs: dict[str, Mode] = {"forced": own, "constant": own}
    if own != "none":
        runs["constant_none"] = "none"
    entry: dict[str, Any] = {}
    for name, mode in runs.items():
        constant = name != "forced"
        steps = end - start
        maps = free_run(
            emulator, case, start, steps, mode=mode, constant=constant, progress=progress
        )
        given = _held(case, start, end) if constant else case
        entry[name] = {"quotas": mode, **run_scores(given, start, maps)}
    truth = _longest(case, start, end)
    if len(truth) > 2:
        entry["truth"] = run_scores(case, start, truth)
    return entry


def _held(case: Case, start: int, end: int) -> Case:
    """Give the end of a run the forcing of its start."""
    if start not in case.forcing:
        return replace(case, forcing={})
    return replace(case, forcing=dict.fromkeys((start, end), case.forcing[start]))


def _longest(case: Case, start: int, end: int) -> Sequence[np.ndarray]:
    """Give the true maps from the start on, until one is missing."""
    maps = []
    for year in range(start, end + 1):
        if year not in case.maps:
            break
        maps.append(case.maps[year])
    return maps
