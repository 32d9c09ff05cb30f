"""What is left of the skill when the coarse quantities are wrong.

A forecast never knows each coarse cell's change exactly. Here the change is made wrong in three
ways, by 0 to 100 %, and every method predicts from the wrong forcing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from landstep.emulator.errors import ConfigError
from landstep.evaluation.baselines import Persistence
from landstep.evaluation.case import Case
from landstep.evaluation.methods import Method
from landstep.evaluation.pairs import score_pair

KINDS = ("bias", "noise", "displaced")
LEVELS = (0.0, 0.25, 0.5, 0.75, 1.0)

Scores = dict[str, dict[str, Any]]
"""method -> its scores."""


def with_error(case: Case, before: int, after: int, kind: str, level: float, seed: int = 0) -> Case:
    """Make the forcing's change from year `before` to `after` wrong.

    kind : "bias": every change is (1 + level) times what it is; "noise": a normal number of
        `level` standard deviations of the state's changes over the coarse cells is added, the same
        amount being taken off evenly from the other states there; "displaced": a share `level` of
        every change happens in the next coarse cell to the east instead
    returns : a case whose forcing of `after` is that of `before` with the wrong change, within 0..1
        and summing to no more than the states of `before` or `after` do
    Raises ConfigError for an unknown kind or a level outside 0..1.
    """
    if kind not in KINDS or not 0 <= level <= 1:
        raise ConfigError(f"quantity error {kind!r} of {level}, expected one of {KINDS}, 0 to 1")
    case.group_shares(before), case.group_shares(after)
    then, now = (case.forcing[year].astype(np.float64) for year in (before, after))
    change = now - then
    if kind == "bias":
        wrong = change * (1 + level)
    elif kind == "noise":
        wrong = change + level * _noise(change, seed)
    else:
        wrong = (1 - level) * change + level * _eastward(change)
    fractions = np.clip(then + wrong, 0, 1)
    limit = np.maximum(then.sum(axis=0), now.sum(axis=0))
    total = fractions.sum(axis=0)
    fractions *= np.where(total > limit, limit / np.where(total > 0, total, 1), 1)
    fractions = np.where(np.isnan(now), now, fractions).astype(np.float32)
    if level == 0:
        fractions = case.forcing[after]
    return replace(case, forcing={**case.forcing, after: fractions}, known_quantities=False)


def _noise(change: np.ndarray, seed: int) -> np.ndarray:
    """Normal numbers as large as each state's changes, summing to 0 over the states of a cell."""
    spread = np.nanstd(change, axis=(1, 2), keepdims=True)
    drawn = spread * np.random.default_rng(seed).standard_normal(change.shape)
    return drawn - drawn.mean(axis=0)


def _eastward(change: np.ndarray) -> np.ndarray:
    """Each coarse cell's change in its eastern neighbour; the last column's stays."""
    moved = np.zeros_like(change)
    moved[:, :, 1:] = np.nan_to_num(change[:, :, :-1])
    moved[:, :, -1] += np.nan_to_num(change[:, :, -1])
    return moved


@dataclass(frozen=True)
class QuantityCurve:
    """Scores of one method against the size of one kind of error.

    levels : 0..1; fom, accuracy, mean_iou : one entry a level
    below_persistence : "accuracy", "mean_iou" -> smallest level at which it is below persistence's,
        between levels by a straight line; None where it never is
    """

    method: str
    kind: str
    levels: tuple[float, ...]
    fom: tuple[float, ...]
    accuracy: tuple[float, ...]
    mean_iou: tuple[float, ...]
    below_persistence: dict[str, float | None]


def quantity_curves(
    case: Case,
    before: int,
    after: int,
    methods: Sequence[Method],
    *,
    kinds: Sequence[str] = KINDS,
    levels: Sequence[float] = LEVELS,
    cells: np.ndarray | None = None,
    seed: int = 0,
    progress: Callable[[str], None] = lambda text: None,
) -> list[QuantityCurve]:
    """Score methods under wrong quantities; "persistence" is added where it is not among them."""
    scored = list(methods)
    if not any(method.name == "persistence" for method in scored):
        scored.append(Persistence())
    curves, right = [], _scores(case, before, after, scored, cells)
    for kind in kinds:
        tables = []
        for level in levels:
            progress(f"{before}:{after}, {kind} of {level:.0%}")
            wrong = with_error(case, before, after, kind, level, seed)
            tables.append(_scores(wrong, before, after, scored, cells) if level else right)
        for method in methods:
            curves.append(_curve(method.name, kind, levels, tables, right["persistence"]))
    return curves


def _scores(
    case: Case, before: int, after: int, methods: Sequence[Method], cells: np.ndarray | None
) -> Scores:
    return score_pair(case, before, after, methods, cells=cells).scores


def _curve(
    name: str, kind: str, levels: Sequence[float], tables: Sequence[Scores], still: dict[str, Any]
) -> QuantityCurve:
    """Gather one method's scores; still : those of persistence."""
    of = {
        score: tuple(table[name][score] for table in tables)
        for score in ("fom", "accuracy", "mean_iou")
    }
    below = {what: crossing(levels, of[what], still[what]) for what in ("accuracy", "mean_iou")}
    return QuantityCurve(name, kind, tuple(levels), **of, below_persistence=below)


def crossing(levels: Sequence[float], values: Sequence[float], bar: float) -> float | None:
    """Smallest level at which values fall below a bar, by straight lines; None where never."""
    if values[0] < bar:
        return float(levels[0])
    for n in range(1, len(levels)):
        if values[n] < bar:
            step = (values[n - 1] - bar) / (values[n - 1] - values[n])
            return float(levels[n - 1] + step * (levels[n] - levels[n - 1]))
    return None
