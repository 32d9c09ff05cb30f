"""Fill the unknown part of a map: what a model must be better at than the nearest known cell.

Cells are hidden in square patches, in the prior map and in all maps before it. Error is the share
of the hidden cells whose class in the target year is wrong, under the coarse totals of that year.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import distance_transform_edt

from landstep.emulator.allocation import Rule, allocate
from landstep.emulator.classes import MASKED, OUTSIDE
from landstep.emulator.errors import ConfigError
from landstep.emulator.scores import accuracy, class_iou, mean_iou
from landstep.evaluation.case import Case, direction_of
from landstep.evaluation.methods import Odds

SHARES = (0.25, 0.5, 0.75, 1.0)
"""Shares of the land that are hidden."""

PATCH = 16
"""Cells a side of a hidden patch."""

DISTANCE_SCALE = 2.0
"""Cells over which the odds of a class fall by e away from its nearest known cell."""

SURE = 20.0
"""Log odds by which a known cell keeps its class against every other."""

Fill = Callable[[Case, int, int], np.ndarray | None]
"""(case with hidden cells, before, after) -> (y, x) uint8, every cell known; None: cannot fill."""


def hidden_cells(land: np.ndarray, share: float, patch: int = PATCH, seed: int = 0) -> np.ndarray:
    """Choose square patches by chance until they hold about a share of the land.

    land : (y, x) bool; share : 0..1, of its cells
    returns : (y, x) bool, cells of land to hide
    Raises ConfigError for a share outside 0..1.
    """
    if not 0 <= share <= 1:
        raise ConfigError(f"share of hidden cells {share}, expected 0 to 1")
    ny, nx = land.shape
    columns = -(-nx // patch)
    number = (np.arange(ny) // patch)[:, None] * columns + (np.arange(nx) // patch)[None, :]
    cells = np.bincount(number.ravel(), weights=land.ravel().astype(np.float64))
    order = np.random.default_rng(seed).permutation(cells.size)
    so_far = np.cumsum(cells[order])
    until = 0 if share == 0 else int(np.searchsorted(so_far, share * land.sum() - 0.5)) + 1
    return land & np.isin(number, order[:until])


def hide(case: Case, before: int, after: int, hidden: np.ndarray) -> Case:
    """Mask cells in the map of year `before` and in all maps that precede it in stepping order."""
    direction = direction_of(before, after)
    maps = {
        year: np.where(hidden, MASKED, land_use).astype(np.uint8)
        if (year - before) * direction <= 0
        else land_use
        for year, land_use in case.maps.items()
    }
    return replace(case, maps=maps)


def totals_quota(case: Case, before: int, after: int) -> np.ndarray:
    """What each group is owed where cells are hidden: (G, cy, cx) int64 in grid.AREA_UNIT_M2.

    In a coarse cell with hidden cells it is the forcing's area of the target year less that of the
    known cells; elsewhere the forcing's change.
    """
    prior = case.map(before)
    of_group = np.where(
        prior < case.scheme.n_classes, case.scheme.group_of[prior % case.scheme.n_classes], -1
    )
    area = np.broadcast_to(case.area, case.shape)
    known = np.zeros((len(case.scheme.groups), case.n_blocks), np.int64)
    bound = of_group >= 0
    np.add.at(known, (of_group[bound], case.block[bound]), area[bound])
    target = np.rint(np.nan_to_num(case.group_shares(after)) * case.coarse_area).astype(np.int64)
    masked = np.bincount(case.block[prior == MASKED], minlength=case.n_blocks) > 0
    owed = target - known.reshape(target.shape)
    return np.where(masked.reshape(case.coarse), owed, case.quota(before, after))


def fill_by_odds(odds: Odds, rule: Rule) -> Fill:
    """Fill by odds under the coarse totals, with the emulator's allocator.

    Cells hidden in the prior map are hidden in the maps before it, which say what is a return.
    """

    def fill(case: Case, before: int, after: int) -> np.ndarray:
        return allocate(
            odds(case, before, after),
            case.map(before),
            totals_quota(case, before, after),
            case.area,
            case.row,
            case.col,
            case.coarse,
            rule,
            recent=case.history(before, direction_of(before, after)),
        ).land_use

    return fill


def nearest(case: Case, before: int, after: int) -> np.ndarray | None:
    """Give each unknown cell the class of the nearest known cell of land: (y, x) uint8.

    None where no cell of land is known.
    """
    prior = case.map(before)
    known = (prior != MASKED) & (prior != OUTSIDE)
    if not known.any():
        return None
    row, col = distance_transform_edt(~known, return_distances=False, return_indices=True)
    return np.where(prior == MASKED, prior[row, col], prior).astype(np.uint8)


def majority(case: Case, before: int, after: int) -> np.ndarray:
    """Give each unknown cell the class that its coarse cell is owed most of: (y, x) uint8.

    It meets no totals, and of all that know nothing of place it is right most often.
    """
    prior = case.map(before)
    most = _owed_cells(case, before, after).argmax(axis=0)
    return np.where(prior == MASKED, most[case.block], prior).astype(np.uint8)


def nearest_odds(case: Case, before: int, after: int) -> np.ndarray:
    """Odds that fall with the distance to the nearest known cell of each class: (K, y, x) float32.

    With `fill_by_odds` it is nearest infill under the coarse totals; known cells hold on to their
    class.
    """
    prior = case.map(before)
    farthest = float(sum(case.shape))
    odds = np.full((case.scheme.n_classes, *case.shape), -farthest, np.float32)
    for k in range(case.scheme.n_classes):
        if (prior == k).any():
            odds[k] = -distance_transform_edt(prior != k)
    odds /= np.float32(DISTANCE_SCALE)
    return odds - np.float32(SURE) * (odds < 0) * (prior != MASKED)


def proportional(seed: int = 0) -> Fill:
    """Give unknown cells classes by chance, as many of each as the coarse cell is owed."""

    def fill(case: Case, before: int, after: int) -> np.ndarray:
        prior = case.map(before)
        filled, owed = prior.copy(), _owed_cells(case, before, after)
        rng = np.random.default_rng(seed)
        unknown = np.flatnonzero(prior == MASKED)
        unknown = rng.permutation(unknown)
        unknown = unknown[np.argsort(case.block.ravel()[unknown], kind="stable")]
        starts = np.searchsorted(case.block.ravel()[unknown], np.arange(case.n_blocks + 1))
        for block in np.flatnonzero(np.diff(starts)):
            cells = unknown[starts[block] : starts[block + 1]]
            filled.ravel()[cells] = _deal(owed[:, block], cells.size)
        return filled

    return fill


def _deal(owed: np.ndarray, n: int) -> np.ndarray:
    """Turn owed amounts into n class numbers, each class within one of its proportional share."""
    share = owed / owed.sum() * n
    counts = np.floor(share).astype(np.int64)
    rest = np.argsort(-(share - counts), kind="stable")[: n - int(counts.sum())]
    counts[rest] += 1
    return np.repeat(np.arange(owed.size), counts)


def _owed_cells(case: Case, before: int, after: int) -> np.ndarray:
    """Cells of each class that each coarse cell lacks: (K, blocks) float64, 0 for fixed classes.

    Where all classes are there already, every class that moves is owed alike.
    """
    prior, n_classes = case.map(before), case.scheme.n_classes
    cells_of = np.bincount(case.block.ravel(), minlength=case.n_blocks)
    known = [np.bincount(case.block[prior == k], minlength=case.n_blocks) for k in range(n_classes)]
    owed = _class_shares(case, after).reshape(n_classes, -1) * cells_of - np.stack(known)
    owed = np.maximum(owed, 0)
    owed[:, owed[~np.array(case.scheme.fixed)].sum(axis=0) <= 0] = 1
    owed[case.scheme.fixed_numbers] = 0
    return owed


def _class_shares(case: Case, year: int) -> np.ndarray:
    """Share of each class in each coarse cell by the scheme's mix of states: (K, cy, cx)."""
    forcing = np.nan_to_num(case.forcing[year].astype(np.float64))
    with_rest = np.concatenate([forcing, 1 - forcing.sum(axis=0, keepdims=True)])
    return np.einsum("fk,fyx->kyx", case.scheme.mix_matrix(case.states), with_rest)


@dataclass(frozen=True)
class InfillScore:
    """Scores of one way of filling, by area where the case is geographic.

    error_hidden, error_seen : share of the hidden, and of the seen, cells with a wrong class
    mean_iou_hidden : over the hidden cells, none of which is not land
    mean_iou, mean_iou_land : over all known cells of the map, with and without the class that is
        not land
    """

    method: str
    hidden_share: float
    error_hidden: float
    error_seen: float | None
    mean_iou_hidden: float
    mean_iou: float
    mean_iou_land: float


def score_infill(
    case: Case,
    before: int,
    after: int,
    fills: Mapping[str, Fill],
    *,
    shares: Sequence[float] = SHARES,
    cells: np.ndarray | None = None,
    patch: int = PATCH,
    seed: int = 0,
) -> list[InfillScore]:
    """Hide shares of the land and score each way of filling on hidden and seen cells apart.

    fills : name -> way of filling
    cells : (y, x) bool, cells that count; None takes all. Cells are hidden everywhere.
    """
    counted, land = case.counted(before, after, cells), case.counted(before, after)
    whole = case.map(after) != MASKED
    whole = whole if cells is None else whole & cells
    scores = []
    for share in shares:
        hidden = hidden_cells(land, share, patch, seed)
        masked = hide(case, before, after, hidden)
        parts = counted & hidden, counted & ~hidden, whole
        for name, fill in fills.items() if parts[0].any() else ():
            found = fill(masked, before, after)
            if found is not None:
                scores.append(_score(case, case.map(after), found, parts, name, share))
    return scores


def _score(
    case: Case,
    truth: np.ndarray,
    found: np.ndarray,
    parts: tuple[np.ndarray, np.ndarray, np.ndarray],
    name: str,
    share: float,
) -> InfillScore:
    """Score a filled map; parts : (y, x) bool, its hidden, seen and known cells."""
    (hidden, seen, whole), weights = parts, case.weights
    iou = class_iou(found, truth, whole, case.scheme.n_classes, weights)
    return InfillScore(
        method=name,
        hidden_share=share,
        error_hidden=1 - accuracy(found, truth, hidden, weights),
        error_seen=1 - accuracy(found, truth, seen, weights) if seen.any() else None,
        mean_iou_hidden=mean_iou(found, truth, hidden, case.scheme.n_classes, weights),
        mean_iou=float(np.nanmean(iou)),
        mean_iou_land=float(np.nanmean(np.delete(iou, OUTSIDE))),
    )
