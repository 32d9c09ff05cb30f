"""What a step does to a map: the network's logits strip by strip, then the quotas."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from landstep.emulator.allocation import Rule, allocate
from landstep.emulator.card import Card
from landstep.emulator.classes import Scheme
from landstep.emulator.demand import Demand
from landstep.emulator.experiment import Experiment
from landstep.emulator.features import FORBIDDEN, Fields, class_shares
from landstep.emulator.inputs import Inputs
from landstep.emulator.model_checks import categories_of
from landstep.emulator.quota_report import QuotaReport
from landstep.emulator.quotas import RECENT
from landstep.emulator.session import Session
from landstep.emulator.state import State
from landstep.emulator.strips import whole_coarse_rows
from landstep.emulator.tiling import strips


def rule_of(experiment: Experiment, of: Scheme, card: Card, direction: int) -> Rule:
    """Put together what a step of one year is allocated by: experiment, scheme and model card."""
    weights = card.weights_for(1)
    return Rule(
        mode=experiment.allocation.mode,
        group_of=of.group_of,
        n_groups=len(of.groups),
        movable=of.movable(direction),
        stay_weight=weights.stay_weight,
        new_weight=weights.new_weight,
        price=weights.miss_price,
    )


def fields_for(card: Card, inputs: Inputs, year: int, state: State) -> Fields:
    """Gather all that the network is given for going from a state to a year.

    Raises InputError for a year outside the forcing, ConfigError for a static's code that the model
    does not know.
    """
    forcing, change = inputs.forcing_pair(year, state.year)
    row, col, coarse = inputs.row, inputs.col, forcing.shape[1:]
    return Fields(
        prior=state.land_use,
        history=state.history,
        years=year - state.year,
        continuous=inputs.continuous(card.continuous),
        categories=categories_of(card, inputs, year),
        forcing=forcing,
        forcing_change=change,
        prior_shares=class_shares(state.land_use, row, col, coarse, inputs.scheme.n_classes),
        row=row,
        col=col,
    )


def logit_strips(
    session: Session, fields: Fields, of: Scheme, core: int, wraps: bool
) -> Iterator[np.ndarray]:
    """Run the network over all land, in strips of `core` rows from the first row on.

    core : cells a side that a window answers for; wraps : the map is closed in longitude
    returns : (K, some rows, x) float32 each. Where the prior's class is fixed: 0 for that class,
        FORBIDDEN for all others, whether or not a window covers the cell
    """
    prior, card = fields.prior, session.card
    fixed = np.isin(prior, of.fixed_numbers)
    numbers = np.arange(of.n_classes, dtype=np.uint8)[:, None, None]
    cut = strips(prior.shape, core, card.stride, card.halo, wraps, ~fixed)
    for top, bottom, found in cut:
        odds = np.empty((of.n_classes, bottom - top, prior.shape[1]), np.float32)
        for window in found:
            window.write(odds, session.run(fields.cut(window))["logits"][0], top)
        stays = fixed[top:bottom]
        np.copyto(odds, np.float32(FORBIDDEN), where=stays)
        np.copyto(odds, np.float32(0), where=stays & (prior[top:bottom] == numbers))
        yield odds


def allocated(
    logits: Iterable[np.ndarray], state: State, asked: np.ndarray, demand: Demand, rule: Rule
) -> tuple[np.ndarray, np.ndarray, QuotaReport]:
    """Turn a year's logits into its map.

    logits : strips as of `logit_strips`
    asked : (G, cy, cx) int64, what the forcing asks of this step; the state's debt comes on top
    returns : the map (y, x) uint8, by how much each group changed (G, cy, cx) int64, and what came
        of the quotas
    """
    quota = state.debt + asked
    land_use, realised = np.empty_like(state.land_use), np.zeros_like(quota)
    unmet, largest = 0, 0
    for top, bottom, odds in whole_coarse_rows(logits, demand.row):
        first, last = int(demand.row[top]), int(demand.row[bottom - 1]) + 1
        result = allocate(
            odds,
            state.land_use[top:bottom],
            quota[:, first:last],
            demand.area[top:bottom],
            demand.row[top:bottom] - first,
            demand.col,
            (last - first, quota.shape[2]),
            rule,
            state.debt_years[:, first:last],
            state.history[:RECENT, top:bottom],
        )
        land_use[top:bottom] = result.land_use
        realised[:, first:last] = result.realised
        unmet += len(result.unmet)
        largest = max(largest, int(np.abs(result.missed).max(initial=0)))
    sums = asked.sum(axis=(1, 2)), realised.sum(axis=(1, 2))
    return land_use, realised, QuotaReport(*sums, unmet, largest)
