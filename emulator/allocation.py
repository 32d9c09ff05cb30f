"""Where the forcing's change goes: quotas per coarse cell and the network's odds in, a map out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from landstep.emulator.assignment import HARD, NEVER, PARTS, TIE, best_slots, improve
from landstep.emulator.candidates import Candidates, Part
from landstep.emulator.errors import InputError
from landstep.emulator.quotas import RECENT, Rule

__all__ = ["Allocation", "Rule", "allocate", "fitted_probabilities"]

LONGEST_DEBT = 10
"""Age, in years, from which a debt under soft quotas must be repaid."""

_QUANTUM = 2.0**-24


@dataclass(frozen=True, eq=False)
class Allocation:
    """A new map, and what became of the quotas.

    land_use : (y, x) uint8
    realised : (G, cy, cx) int64, AREA_UNIT_M2, area by which each group changed; an unknown cell
        counts as no group before
    unmet : (n, 2) int64, row and column of the coarse cells that missed a quota by more than one of
        their fine cells; none with mode "none"
    missed : (n, G) int64, AREA_UNIT_M2, quota - realised there
    """

    land_use: np.ndarray
    realised: np.ndarray
    unmet: np.ndarray
    missed: np.ndarray


def allocate(
    odds: np.ndarray,
    prior: np.ndarray,
    quota: np.ndarray,
    area: np.ndarray,
    row: np.ndarray,
    col: np.ndarray,
    shape: tuple[int, int],
    rule: Rule,
    age: np.ndarray | None = None,
    recent: np.ndarray | None = None,
) -> Allocation:
    """Change each group's area in each coarse cell by its quota, where the odds are best.

    The odds become probabilities, are fitted to each coarse cell's totals, and the map is made that
    maximises the sum over moved cells of p(new) - weight x p(old) under the quotas; the weight is
    the rule's stay_weight for a return, else its new_weight. A coarse cell whose quotas all round
    to no cell stays as it is; only its unknown cells get a class.

    odds : (K, y, x) float32, log odds of each class up to a constant per cell; -inf: least likely
    prior : (y, x) uint8 class numbers, or MASKED; those cells get a class, any but OUTSIDE
    quota : (G, cy, cx) int64, AREA_UNIT_M2, by which each group is to change, debt included; where
        cells are MASKED, from what the known ones have
    area : (y, x) or (y, 1) int64, AREA_UNIT_M2; about equal within a coarse cell
    row, col : (y,), (x,) int64, non-decreasing, coarse row and column of each fine one
    shape : coarse rows and columns (cy, cx); the map may be a strip of whole coarse rows of it
    age : (G, cy, cx) uint8, years for which each debt has stood; soft quotas only: the price of a
        miss grows by 10 / (10 - age), and from ten years on the quota is exact
    recent : (h, y, x) uint8, maps of the years before the prior in stepping order, MASKED where
        unknown, of which the first RECENT count: a move to a class of theirs is a return. None:
        no map before the prior is known, so that every move is new
    Raises InputError for arrays that do not fit each other or class numbers that are none,
    ModelError for odds that are not numbers.
    """
    where = Candidates.of(odds, prior, quota, area, row, col, shape, rule)
    if age is not None and age.shape != quota.shape:
        raise InputError(f"ages of {age.shape} for quotas of {quota.shape}, expected the same")
    if recent is not None and (recent.ndim != 3 or recent.shape[1:] != prior.shape):
        raise InputError(
            f"maps before the prior of {recent.shape}, expected (h, {prior.shape[0]}, "
            f"{prior.shape[1]}), h maps like the prior"
        )
    price = _price(rule, quota.shape, age)
    land_use = prior.copy()
    flat = land_use.reshape(-1)
    for part in where.parts(changing=True):
        before = _before(part, recent, rule)
        new = _best_classes(part, before, where.classes, price[:, part.row, part.col], rule)
        flat[part.where[part.real]] = new[part.real]
    realised = _realised(prior, land_use, area, row, col, shape, rule)
    missed = quota - realised
    bound = (where.cell > 0) & (rule.mode != "none")
    unmet = np.argwhere((np.abs(missed) > where.cell).any(axis=0) & bound)
    return Allocation(land_use, realised, unmet, missed[:, unmet[:, 0], unmet[:, 1]].T)


def as_found(
    land_use: np.ndarray,
    prior: np.ndarray,
    area: np.ndarray,
    row: np.ndarray,
    col: np.ndarray,
    shape: tuple[int, int],
    rule: Rule,
) -> Allocation | None:
    """Take a map that no quota binds as it is; None where it holds a change that may not happen.

    land_use : (y, x) uint8 class numbers, one for every cell
    The other parameters are those of `allocate`.
    """
    allowed = np.ones((256, rule.group_of.size), bool)
    allowed[: rule.group_of.size] = rule.movable
    if not allowed[prior, land_use].all():
        return None
    realised = _realised(prior, land_use, area, row, col, shape, rule)
    none = np.zeros((0, 2), np.int64)
    return Allocation(land_use, realised, none, np.zeros((0, rule.n_groups), np.int64))


def fitted_probabilities(
    odds: np.ndarray,
    prior: np.ndarray,
    quota: np.ndarray,
    area: np.ndarray,
    row: np.ndarray,
    col: np.ndarray,
    shape: tuple[int, int],
    rule: Rule,
) -> np.ndarray:
    """Probability of each class, fitted to the totals of every coarse cell.

    The parameters are those of `allocate`.
    returns : (K, y, x) float32, summing to 1 in each cell; a cell that cannot move has 1 on its
        class. With mode "none" they are not fitted.
    Raises what `allocate` raises.
    """
    where = Candidates.of(odds, prior, quota, area, row, col, shape, rule)
    fitted = (prior == np.arange(len(odds), dtype=np.uint8)[:, None, None]).astype(np.float32)
    flat = fitted.reshape(len(odds), -1)
    for part in where.parts(changing=False):
        place = part.where[part.real]
        for k, p in zip(where.classes, part.p, strict=True):
            flat[k, place] = p[part.real]
    return fitted


def _price(rule: Rule, shape: tuple[int, ...], age: np.ndarray | None) -> np.ndarray:
    """Utility lost per fine cell missed, (G, cy, cx) float64."""
    if rule.mode == "exact":
        return np.full(shape, HARD)
    years = np.zeros(shape) if age is None else np.minimum(age, LONGEST_DEBT)
    left = np.maximum(LONGEST_DEBT - years, 1)
    price = np.rint(rule.price * LONGEST_DEBT / left / _QUANTUM) * _QUANTUM
    return np.where(years == LONGEST_DEBT, HARD, price)


def _before(part: Part, recent: np.ndarray | None, rule: Rule) -> np.ndarray | None:
    """Classes of a part's cells before: (h, blocks, cells) uint8; None where they decide nothing.

    recent : as `allocate` takes it
    """
    if recent is None or not len(recent) or rule.stay_weight == rule.new_weight:
        return None
    return np.stack([land_use.reshape(-1)[part.where] for land_use in recent[:RECENT]])


def _best_classes(
    part: Part, before: np.ndarray | None, classes: np.ndarray, price: np.ndarray, rule: Rule
) -> np.ndarray:
    """Class of every cell that makes the best map under the quotas: (blocks, cells) uint8."""
    bound = rule.mode != "none"
    slot_of = rule.slot_of[classes] if bound else np.zeros(classes.size, np.int64)
    n_slots = rule.n_groups + 1 if bound else 1
    utility, choice = _utilities(part, before, classes, slot_of, n_slots, rule)
    if not bound:
        return choice[0]
    target = np.rint(part.wanted / part.mean * PARTS) / PARTS
    price = np.vstack([price, np.zeros(part.mean.size)])
    slot = best_slots(utility, target, price)
    if rule.mode == "exact":
        slot = _corrected(slot, part, utility, target, price)
    return np.take_along_axis(choice, slot[None], axis=0)[0]


def _utilities(
    part: Part,
    before: np.ndarray | None,
    classes: np.ndarray,
    slot_of: np.ndarray,
    n_slots: int,
    rule: Rule,
) -> tuple[np.ndarray, np.ndarray]:
    """What the best class of each slot is worth to each cell, and which it is.

    before : (h, blocks, cells) uint8, to whose classes a move is a return; None: every move is new
    returns : (S, blocks, cells) float64, 0 to stay, else p - weight x p(own), less a little by the
        cell's place, so that the first of equals is taken; and (S, blocks, cells) uint8
    """
    n_classes = rule.group_of.size
    known = part.own < n_classes
    own = np.zeros(part.own.shape, np.float32)
    for k, p in zip(classes, part.p, strict=True):
        np.copyto(own, p, where=part.own == k)
    stay, new = own * np.float32(rule.stay_weight), own * np.float32(rule.new_weight)
    best = np.full((n_slots, *own.shape), NEVER, np.float32)
    choice = np.zeros(best.shape, np.uint8)
    home = np.full(n_classes + 1, -1)
    home[classes] = slot_of
    home = home[part.own]
    for n, (k, s) in enumerate(zip(classes, slot_of, strict=True)):
        p, barred = part.p[n], part.barred[n]
        against = new if before is None else np.where((before == k).any(axis=0), stay, new)
        worth = np.rint((p - against) / np.float32(_QUANTUM)) * np.float32(_QUANTUM)
        better = (worth > best[s]) & ~barred & (part.own != k)
        np.copyto(best[s], worth, where=better)
        np.copyto(choice[s], np.uint8(k), where=better)
    order = TIE * np.arange(1, part.own.shape[1] + 1)
    utility = best.astype(np.float64)
    for s in range(n_slots):
        stays = known & (home == s) & (best[s] <= 0)
        utility[s] = np.where(stays, 0, utility[s] - (s + 1) * order)
        utility[s][~part.real] = NEVER
        np.copyto(choice[s], part.own, where=stays, casting="unsafe")
    utility[-1][~part.real] = 0
    return utility, choice


def _corrected(
    slot: np.ndarray, part: Part, utility: np.ndarray, target: np.ndarray, price: np.ndarray
) -> np.ndarray:
    """Set new numbers of cells where, cells being unequal, the right number misses by a cell."""
    n_slots = len(utility)
    area = np.stack([np.where(slot == s, part.area, 0).sum(axis=1) for s in range(n_slots)])
    count = np.stack([((slot == s) & part.real).sum(axis=1) for s in range(n_slots)])
    missed = (part.wanted - area) / part.mean
    off = (np.abs(missed) > 1) & (np.abs(count - target) < 1)
    again = np.flatnonzero(off[:-1].any(axis=0))
    if not again.size:
        return slot
    target = np.rint((count + missed)[:, again] * PARTS) / PARTS
    corrected = slot.copy()
    corrected[again] = improve(utility[:, again], target, price[:, again], slot[again])
    return corrected


def _realised(
    prior: np.ndarray,
    land_use: np.ndarray,
    area: np.ndarray,
    row: np.ndarray,
    col: np.ndarray,
    shape: tuple[int, int],
    rule: Rule,
) -> np.ndarray:
    """Area by which each group changed: (G, cy, cx) int64, AREA_UNIT_M2."""
    group = np.full(256, -1)
    group[: rule.group_of.size] = rule.group_of
    y, x = np.nonzero(prior != land_use)
    moved = np.broadcast_to(area, prior.shape)[y, x]
    realised = np.zeros((rule.n_groups, *shape), np.int64)
    for codes, sign in ((land_use, 1), (prior, -1)):
        of = group[codes[y, x]]
        bound = of >= 0
        np.add.at(realised, (of[bound], row[y[bound]], col[x[bound]]), sign * moved[bound])
    return realised
