"""Everything that `landstep evaluate` measures, part by part, as one table ready for JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from landstep.emulator.emulator import Emulator
from landstep.evaluation.baselines import Baselines, Neighbourhood, training_pairs
from landstep.evaluation.case import Case, direction_of
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
from landstep.evaluation.model import MODES, check_pair, free_run, model_methods, odds_of
from landstep.evaluation.pairs import PairScores, score_pair
from landstep.evaluation.place import rule_of
from landstep.evaluation.plan import Pair, Plan, check_plan, training_years
from landstep.evaluation.quantity_error import quantity_curves

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
    emulator: Emulator, case: Case, plan: Plan, progress: Say = lambda text: None
) -> Evaluation:
    """Measure all that a plan asks for.

    Raises ConfigError for a plan that cannot be, or pairs that the model cannot predict, before
    anything is computed, and what the emulator raises.
    """
    check_plan(case, plan)
    for before, after in plan.pairs:
        check_pair(emulator.card, before, after)
    results: dict[str, Any] = {"about": about(emulator, case, plan)}
    scored: list[PairScores] = []
    if plan.pairs:
        results["details"] = []
        for found in _pairs(emulator, case, plan, progress):
            head = {"from": found.before, "to": found.after}
            results["details"].append({**head, "methods": details(case, found)})
            scored.append(found.without_probabilities())
        results["pairs"] = [found.as_dict() for found in scored]
        results["withheld"] = _withheld(emulator, case, plan, progress)
        shortest = min(plan.pairs, key=lambda pair: abs(pair[1] - pair[0]))
        results["infill"] = _infill(emulator, case, plan, shortest, progress)
        results["quantity_error"] = _quantity(emulator, case, plan, plan.pairs[0], progress)
        results["maps"] = _maps(emulator, case, shortest[0], progress)
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


def _pairs(emulator: Emulator, case: Case, plan: Plan, progress: Say) -> Iterator[PairScores]:
    fitted: dict[tuple[int, ...], Baselines] = {}
    for before, after in plan.pairs:
        years = training_years(case.maps, before, after, int(plan.train_until or 0))
        direction, card = direction_of(before, after), emulator.card
        if years not in fitted:
            rule = rule_of(case.scheme, direction, "soft", card.stay_weight, card.miss_price)
            fitted[years] = Baselines(
                case,
                years,
                rule,
                depth=plan.depth,
                seed=plan.seed,
                iterations=plan.iterations,
                progress=progress,
            )
        methods = model_methods(emulator, case, before, after)
        methods += fitted[years].methods(before, after)
        yield score_pair(
            case, before, after, methods, tile=plan.tile, seed=plan.seed, progress=progress
        )


def _withheld(emulator: Emulator, case: Case, plan: Plan, progress: Say) -> list[dict[str, Any]]:
    """Score again with the map of the year before the prior hidden from every method.

    A product's filters over time may look one year ahead, so that map may know of the target's.
    """
    hidden, tables = case.withhold(1), []
    for before, after in plan.pairs:
        methods = _quick(emulator, hidden, plan, before, after)
        progress(f"{before}:{after} without the map of the year before")
        tables.append(score_pair(hidden, before, after, methods, seed=plan.seed).as_dict())
    return tables


def _quick(emulator: Emulator, case: Case, plan: Plan, before: int, after: int) -> list[Method]:
    """Give the model with the baselines that are quick: neighbourhood and history table."""
    direction, card = direction_of(before, after), emulator.card
    rule = rule_of(case.scheme, direction, "soft", card.stay_weight, card.miss_price)
    years = training_years(case.maps, before, after, int(plan.train_until or 0))
    table = fit_history_table(case, training_pairs(years, before, after))
    methods: list[Method] = [
        method
        for method in model_methods(emulator, case, before, after)
        if method.name != "model_exact"
    ]
    return [*methods, Neighbourhood(), ByOdds("history_table", table.odds, rule)]


def _infill(
    emulator: Emulator, case: Case, plan: Plan, pair: Pair, progress: Say
) -> dict[str, Any]:
    before, after = pair
    progress(f"{before}:{after}, filling hidden cells")
    direction, card = direction_of(before, after), emulator.card
    soft, exact = (
        rule_of(case.scheme, direction, mode, card.stay_weight, card.miss_price)
        for _, mode in MODES
    )
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
    return {"from": before, "to": after, "rows": [asdict(row) for row in rows]}


def _quantity(
    emulator: Emulator, case: Case, plan: Plan, pair: Pair, progress: Say
) -> dict[str, Any]:
    before, after = pair
    methods = [
        method
        for method in _quick(emulator, case, plan, before, after)
        if method.name != "model_rolled"
    ]
    curves = quantity_curves(
        case, before, after, methods, levels=plan.levels, seed=plan.seed, progress=progress
    )
    return {"from": before, "to": after, "curves": [asdict(curve) for curve in curves]}


def _maps(emulator: Emulator, case: Case, start: int, progress: Say) -> list[dict[str, Any]]:
    """Give the table of whole maps, where the model takes single years forward and maps allow."""
    years = {start, start + 1, start + 2}
    if not years <= set(case.maps) or 1 not in emulator.card.lags or not emulator.card.steps(1):
        return []
    progress("scoring whole maps")
    return [as_row(row) for row in map_table(emulator, case, start)]


def _runs(emulator: Emulator, case: Case, run: Pair, progress: Say) -> dict[str, Any]:
    start, end = run
    entry: dict[str, Any] = {}
    for name, constant in (("forced", False), ("constant", True)):
        maps = free_run(emulator, case, start, end - start, constant=constant, progress=progress)
        known = _without_forcing(case) if constant else case
        entry[name] = run_scores(known, start, maps)
    truth = _longest(case, start, end)
    if len(truth) > 2:
        entry["truth"] = run_scores(case, start, truth)
    return entry


def _without_forcing(case: Case) -> Case:
    return replace(case, forcing={})


def _longest(case: Case, start: int, end: int) -> Sequence[np.ndarray]:
    """Give the true maps from the start on, until one is missing."""
    maps = []
    for year in range(start, end + 1):
        if year not in case.maps:
            break
        maps.append(case.maps[year])
    return maps
