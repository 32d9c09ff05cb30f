"""What an evaluation is to measure, and whether the maps at hand can serve it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from landstep.emulator.errors import ConfigError
from landstep.evaluation.baselines import training_pairs
from landstep.evaluation.boosting import ITERATIONS
from landstep.evaluation.case import HISTORY, Case, direction_of
from landstep.evaluation.infill import SHARES
from landstep.evaluation.quantity_error import LEVELS

Pair = tuple[int, int]


@dataclass(frozen=True)
class Plan:
    """What to measure.

    pairs : years of prior and target; backward where the target is the earlier
    train_until : the last year that was learned from, the way a pair steps
    run : first and last year of a free run, with a run as long under constant forcing; None: none
    depth : years of history that gradient boosting looks at
    tile : coarse cells a side of the blocks that the bootstrap draws
    iterations : trees a class that gradient boosting grows
    levels : sizes of the errors of the quantities; hidden_shares : shares of land to fill in
    """

    pairs: tuple[Pair, ...] = ()
    train_until: int | None = None
    run: Pair | None = None
    depth: int = HISTORY
    tile: int = 1
    seed: int = 0
    iterations: int = ITERATIONS
    levels: tuple[float, ...] = LEVELS
    hidden_shares: tuple[float, ...] = SHARES


def training_years(years: Iterable[int], before: int, after: int, until: int) -> tuple[int, ...]:
    """Years with a map that may be learned from for a pair.

    until : the last of them, the way the pair steps: the latest year for a pair that goes forward,
        the earliest for one that goes backward
    Raises ConfigError where the pair's target is one of them.
    """
    direction = direction_of(before, after)
    learned = tuple(year for year in sorted(years) if (until - year) * direction >= 0)
    if (after - until) * direction <= 0:
        raise ConfigError(
            f"pair {before}:{after}: {after} is a training year (until {until}); score years that "
            "were not learned from"
        )
    return learned


def check_plan(case: Case, plan: Plan) -> None:
    """Refuse a plan that the case's maps and forcing cannot serve.

    Raises ConfigError where nothing is asked for, a pair lacks a map or forcing, no year is said
    until which was trained, the training years hold no pair of that lag, or a free run is short or
    lacks its first map.
    """
    if not plan.pairs and plan.run is None:
        raise ConfigError("nothing to evaluate: name pairs of years, a free run, or both")
    if plan.pairs and plan.train_until is None:
        raise ConfigError("pairs need the last training year, so that no target year is among them")
    for before, after in plan.pairs:
        for year in (before, after):
            case.map(year), case.group_shares(year)
        years = training_years(case.maps, before, after, int(plan.train_until or 0))
        training_pairs(years, before, after)
    if plan.run is not None:
        case.map(plan.run[0])
        if plan.run[1] <= plan.run[0] + 1:
            raise ConfigError(f"free run {plan.run[0]}:{plan.run[1]}: expected two years or more")
