"""What gradient boosting sees of each cell: prior, history, neighbours, forcing, statics."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import uniform_filter

from landstep.emulator.classes import MASKED
from landstep.evaluation.case import HISTORY, Case, direction_of
from landstep.evaluation.neighbourhood import land_mean

WINDOWS = (3, 7, 15)
CHANGE_WINDOWS = (3, 7, 21)
FLOW_WINDOW = 7
RELIEF_WINDOW = 5
FADING = 0.7
"""Weight of a map against that of the year after it, in the share of years spent in a class."""


@dataclass(frozen=True, eq=False)
class CellFeatures:
    """Features of some cells: values (n, f) float32, NaN where missing; a name each."""

    values: np.ndarray
    names: tuple[str, ...]


def cell_features(
    case: Case, before: int, after: int, cells: np.ndarray, depth: int = HISTORY
) -> CellFeatures:
    """Give the features of cells for a step from year `before` to `after`.

    cells : (y, x) bool, the cells to describe
    depth : years of history that are looked at
    The first feature is the prior class, the only categorical one. The target year's map is never
    read, only its forcing.
    """
    direction = direction_of(before, after)
    prior = case.map(before)
    past = case.history(before, direction, depth)
    land = ~np.isin(prior, case.scheme.fixed_numbers) & (prior != MASKED)
    fields = {"prior": prior.astype(np.float32)}
    fields |= _forcing(case, before, after, cells)
    fields["lag"] = np.full(case.shape, abs(after - before), np.float32)
    fields |= _neighbours(case, prior, land)
    fields |= _history(case, prior, past, land)
    fields |= _statics(case)
    values = [field if field.ndim == 1 else field[cells] for field in fields.values()]
    return CellFeatures(np.stack(values, axis=1).astype(np.float32), tuple(fields))


def _forcing(case: Case, before: int, after: int, cells: np.ndarray) -> dict[str, np.ndarray]:
    """Target shares and owed shares of each state, and what the cell's own group owes."""
    block = case.block[cells]
    now, then = (case.forcing[year].astype(np.float32) for year in (after, before))
    fields = {}
    for state, share, owed in zip(case.states, now, now - then, strict=True):
        fields[f"share_{state}"] = share.ravel()[block]
        fields[f"owed_{state}"] = owed.ravel()[block]
        around = uniform_filter(np.nan_to_num(owed), 3, mode="constant")
        fields[f"owed_around_{state}"] = around.ravel()[block]
    groups = [case.group_shares(year).reshape(-1, case.n_blocks) for year in (before, after)]
    unbound = np.zeros((1, case.n_blocks))
    then_all, now_all = (np.vstack([group, unbound]) for group in groups)
    own_group = case.scheme.group_of[case.map(before)[cells]]
    own, owed = then_all[own_group, block], (now_all - then_all)[own_group, block]
    fields["own_share"], fields["own_owed"] = own, owed
    fields["own_owed_relative"] = owed / np.maximum(own, 1e-3)
    fields["net"] = (np.abs(now_all - then_all).sum(axis=0) / 2)[block]
    return fields


def _neighbours(case: Case, prior: np.ndarray, land: np.ndarray) -> dict[str, np.ndarray]:
    fields: dict[str, np.ndarray] = {}
    for window in WINDOWS:
        shares = {k: land_mean(prior == k, land, window) for k in _moving(case)}
        fields |= {f"near{window}_{case.scheme.names[k]}": share for k, share in shares.items()}
        fields[f"near{window}_own"] = _own(prior, shares)
    return fields


def _history(
    case: Case, prior: np.ndarray, past: np.ndarray, land: np.ndarray
) -> dict[str, np.ndarray]:
    """Maps of the years before, time in each class, age, number and neighbourhood of changes."""
    maps = np.concatenate([prior[None], past])
    known = maps != MASKED
    fields = {
        f"map_{step}": np.where(known[step], maps[step], np.nan).astype(np.float32)
        for step in range(1, min(HISTORY, len(past)) + 1)
    }
    fading = FADING ** np.arange(len(maps), dtype=np.float32)[:, None, None]
    weight = (fading * known).sum(axis=0)
    for k in _moving(case):
        spent = (fading * (maps == k)).sum(axis=0)
        fields[f"time_{case.scheme.names[k]}"] = spent / np.maximum(weight, 1e-6)
    changed = (maps[:-1] != maps[1:]) & known[:-1] & known[1:]
    ever = changed.any(axis=0)
    latest = changed.argmax(axis=0)
    fields["age"] = np.where(ever, latest, 2 * len(maps)).astype(np.float32)
    fields["changes"] = changed.sum(axis=0).astype(np.float32)
    before = np.take_along_axis(maps, latest[None] + 1, axis=0)[0]
    fields["class_before"] = np.where(ever, before, np.nan).astype(np.float32)
    for window in CHANGE_WINDOWS:
        fields[f"changed_near{window}"] = land_mean(ever, land, window)
    then = maps[min(HISTORY, len(past))]
    both = land & (then != MASKED)
    for k in _moving(case):
        name = case.scheme.names[k]
        fields[f"into_{name}"] = land_mean((prior == k) & (then != k) & both, land, FLOW_WINDOW)
        fields[f"out_of_{name}"] = land_mean((prior != k) & (then == k) & both, land, FLOW_WINDOW)
    return fields


def _statics(case: Case) -> dict[str, np.ndarray]:
    fields: dict[str, np.ndarray] = {}
    for name, field in case.continuous.items():
        fields[name] = field
        filled = np.nan_to_num(field.astype(np.float64))
        spread = (
            uniform_filter(filled**2, RELIEF_WINDOW) - uniform_filter(filled, RELIEF_WINDOW) ** 2
        )
        fields[f"{name}_spread"] = np.sqrt(np.maximum(spread, 0))
    fields |= {name: field.astype(np.float32) for name, field in case.categories.items()}
    ny, nx = case.shape
    fields["row"] = np.broadcast_to(np.arange(ny, dtype=np.float32)[:, None], case.shape)
    fields["column"] = np.broadcast_to(np.arange(nx, dtype=np.float32)[None], case.shape)
    return fields


def _moving(case: Case) -> list[int]:
    return [k for k in range(case.scheme.n_classes) if not case.scheme.fixed[k]]


def _own(prior: np.ndarray, shares: dict[int, np.ndarray]) -> np.ndarray:
    """Share of the cell's own class."""
    own = np.zeros(prior.shape, np.float32)
    for k, share in shares.items():
        own[prior == k] = share[prior == k]
    return own
