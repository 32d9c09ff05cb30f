"""What the forcing asks of each coarse cell, what is still owed, and for how long."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from landstep.emulator.coarse_cells import CoarseCells
from landstep.emulator.errors import ConfigError, InputError

MAX_STAY_WEIGHT = 4.0
"""Largest weight of a cell's own class."""

RECENT = 3
"""Maps before the prior, a year apart, to whose classes a change is a return."""

MAX_PRICE = 4.0
"""Largest price of a miss; no move is worth more than 1."""


@dataclass(frozen=True, eq=False)
class Rule:
    """How quotas bind.

    mode : "exact" (quotas are met wherever they can be), "soft" (a miss has a price) or "none"
        (every cell takes its best class)
    group_of : (K,) int64, group that each class belongs to, -1 for the unbound rest
    n_groups : G, number of groups
    movable : (K, K) bool [from, to], changes that may happen, in the direction of the step; True on
        the diagonal; a fixed class goes nowhere and nothing becomes it
    stay_weight : what a cell's own class counts against a return, a move to a class that it had in
        one of its last RECENT maps, 0 .. 4: the move is worth p of the new class - stay_weight x p
        of the old; 1 for accuracy, less for figure of merit
    new_weight : what it counts against every other move, 0 .. 4
    price : soft quotas: worth lost per fine cell missed, 0 .. 4
    Raises ConfigError where they contradict each other.
    """

    mode: Literal["exact", "soft", "none"]
    group_of: np.ndarray
    n_groups: int
    movable: np.ndarray
    stay_weight: float = 1.0
    new_weight: float = 1.0
    price: float = 1.0

    def __post_init__(self) -> None:
        n_classes = self.group_of.size
        if self.mode not in ("exact", "soft", "none"):
            raise ConfigError(f"quotas {self.mode!r}, expected 'exact', 'soft' or 'none'")
        if self.movable.shape != (n_classes, n_classes) or self.movable.dtype != bool:
            raise ConfigError(
                f"allowed changes are {self.movable.dtype} {self.movable.shape}, expected bool "
                f"({n_classes}, {n_classes}): from and to each of {n_classes} classes"
            )
        if not self.movable.diagonal().all():
            stuck = int(np.flatnonzero(~self.movable.diagonal())[0])
            raise ConfigError(f"class {stuck} may not stay; every class must be allowed to")
        if self.group_of.min() < -1 or self.group_of.max() >= self.n_groups:
            raise ConfigError(
                f"groups {self.group_of.tolist()}, expected -1 (unbound) to {self.n_groups - 1}"
            )
        for name, value, most in (
            ("stay_weight", self.stay_weight, MAX_STAY_WEIGHT),
            ("new_weight", self.new_weight, MAX_STAY_WEIGHT),
            ("price", self.price, MAX_PRICE),
        ):
            if not 0 <= value <= most:
                raise ConfigError(f"{name} {value}, expected 0 to {most:g}")

    @property
    def slot_of(self) -> np.ndarray:
        """Slot of each class: its group, or the last for the unbound rest: (K,) int64."""
        return np.where(self.group_of < 0, self.n_groups, self.group_of)


def coarse_area(
    area: np.ndarray, row: np.ndarray, col: np.ndarray, shape: tuple[int, int]
) -> np.ndarray:
    """Area of all fine cells of each coarse cell, whatever their class.

    area : (y, x) or (y, 1) int64, AREA_UNIT_M2
    row, col : (y,) and (x,) int64, non-decreasing, the coarse row and column of each fine one
    shape : coarse rows and columns, (cy, cx)
    returns : (cy, cx) int64, AREA_UNIT_M2; 0 for a coarse cell that holds no fine one
    """
    coarse = CoarseCells.of(row, col)
    whole = np.zeros(shape, np.int64)
    whole[np.ix_(coarse.rows, coarse.cols)] = coarse.sum(area)
    return whole


def asked_area(
    then: np.ndarray, now: np.ndarray, group_matrix: np.ndarray, whole: np.ndarray
) -> np.ndarray:
    """Area by which the forcing asks each group to change between two years.

    then, now : (F, cy, cx) shares of the coarse cell, in the year stepped from and the one stepped
        to; NaN in, or 0 of, every state where the forcing knows nothing
    group_matrix : (G, F) 0 or 1, the states that each group follows
    whole : (cy, cx) int64, area of each coarse cell's fine cells, as `coarse_area` gives it
    returns : (G, cy, cx) int64, AREA_UNIT_M2: round(share now x area) - round(share then x area),
        so that the sum over years is that of the first and the last; 0 where either is missing
    Raises InputError for arrays that do not fit each other.
    """
    fit = (group_matrix.shape[1:], *(x.shape[:1] for x in (then, now)))
    if len(set(fit)) > 1 or not then.shape[1:] == now.shape[1:] == whole.shape:
        raise InputError(
            f"forcing of {then.shape} and {now.shape}, groups of {group_matrix.shape} and coarse "
            f"cells of {whole.shape}, expected (F, cy, cx) twice, (G, F) and (cy, cx)"
        )
    known = _known(then) & _known(now)
    before, after = (group_area(fractions, group_matrix, whole) for fractions in (then, now))
    return np.where(known, after - before, 0)


def owed(debt: np.ndarray, asked: np.ndarray, realised: np.ndarray) -> np.ndarray:
    """Area still owed after a step: (G, cy, cx) int64, AREA_UNIT_M2."""
    return debt + asked - realised


def older(age: np.ndarray, before: np.ndarray, after: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """Years for which each debt has stood.

    age : (G, cy, cx) uint8, as of the year before
    before, after : (G, cy, cx) int64, debt as of the year before and now
    cell : (cy, cx), mean area of a fine cell of each coarse cell
    returns : (G, cy, cx) uint8: a debt under half a cell, which no map can repay, has age 0; one of
        the same sign as last year's is a year older; any other is in its first year
    """
    stands = 2 * np.abs(after) >= np.maximum(cell, 1)
    same = np.sign(after) == np.sign(before)
    return np.where(stands, np.where(same, np.minimum(age, 254) + 1, 1), 0).astype(np.uint8)


def _known(fractions: np.ndarray) -> np.ndarray:
    """Coarse cells whose forcing is given: (cy, cx) bool."""
    return np.isfinite(fractions).all(axis=0) & (fractions != 0).any(axis=0)


def group_area(fractions: np.ndarray, group_matrix: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Area of each group, (G, cy, cx) int64; states are added in order, so that no cutting of the
    region changes a bit.
    """
    area = np.zeros((len(group_matrix), *whole.shape), np.int64)
    for group, states in enumerate(group_matrix):
        share = np.zeros(whole.shape)
        for state in np.flatnonzero(states):
            share += np.nan_to_num(fractions[state].astype(np.float64))
        area[group] = np.rint(share * whole)
    return area
