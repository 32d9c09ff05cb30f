"""Cells that may change, coarse cell by coarse cell, with the probability of each class."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from landstep.emulator.classes import MASKED, OUTSIDE
from landstep.emulator.coarse_cells import CoarseCells, bundles
from landstep.emulator.errors import InputError, ModelError
from landstep.emulator.fitting import fit, in_order, probabilities
from landstep.emulator.quotas import Rule


@dataclass(frozen=True, eq=False)
class Part:
    """Some coarse cells, one a row, and those of their fine cells that may change.

    row, col : (blocks,) int64, coarse row and column
    where, real : (blocks, cells), place in the flat map; False where a row repeats its first cell
    own : (blocks, cells) int64, class number before, K where it is not known
    p : (C, blocks, cells) float32, probability of each class that is open, fitted to the quotas
    barred : (C, blocks, cells) bool, classes that a cell may not have
    area : (blocks, cells) int64, AREA_UNIT_M2, 0 where not real
    wanted : (S, blocks) int64, AREA_UNIT_M2, area of these cells that each slot is to have
    mean : (blocks,) float64, AREA_UNIT_M2, mean area of the coarse cell's fine cells
    """

    row: np.ndarray
    col: np.ndarray
    where: np.ndarray
    real: np.ndarray
    own: np.ndarray
    p: np.ndarray
    barred: np.ndarray
    area: np.ndarray
    wanted: np.ndarray
    mean: np.ndarray


@dataclass(frozen=True, eq=False)
class Candidates:
    """A map, its odds and its quotas, looked at by coarse cells.

    odds, prior, quota, area, rule : as `allocation.allocate` takes them
    coarse : coarse cells that hold cells of the map
    cell : (cy, cx) float64, AREA_UNIT_M2, mean area of each coarse cell's fine cells; 0 for none
    classes : (C,) int64, class numbers that a cell which may change can have or take
    """

    odds: np.ndarray
    prior: np.ndarray
    quota: np.ndarray
    area: np.ndarray
    rule: Rule
    coarse: CoarseCells
    cell: np.ndarray
    classes: np.ndarray

    @classmethod
    def of(
        cls,
        odds: np.ndarray,
        prior: np.ndarray,
        quota: np.ndarray,
        area: np.ndarray,
        row: np.ndarray,
        col: np.ndarray,
        shape: tuple[int, int],
        rule: Rule,
    ) -> Candidates:
        """Check what `allocate` was given, and find its coarse cells.

        Raises InputError for arrays that do not fit each other, or class numbers that are none.
        """
        n_classes = rule.group_of.size
        ny, nx = prior.shape
        for name, found, expected in (
            ("odds", odds.shape, [(n_classes, ny, nx)]),
            ("quota", quota.shape, [(rule.n_groups, *shape)]),
            ("area", area.shape, [(ny, nx), (ny, 1)]),
            ("row", row.shape, [(ny,)]),
            ("col", col.shape, [(nx,)]),
        ):
            if found not in expected:
                raise InputError(
                    f"{name} has shape {found}, expected {' or '.join(map(str, expected))} for a "
                    f"map of {prior.shape} on {shape} coarse cells"
                )
        classes, masked = _present(prior, n_classes)
        moves = rule.movable & ~np.eye(n_classes, dtype=bool)
        moving = classes[moves[classes].any(axis=1)]
        open_to = moves[moving].any(axis=0)
        open_to[moving] = True
        if masked:
            open_to[:] = True
            open_to[OUTSIDE] = False
        coarse = CoarseCells.of(row, col)
        cell = np.zeros(shape)
        at = np.ix_(coarse.rows, coarse.cols)
        cell[at] = coarse.sum(area) / (coarse.height[:, None] * coarse.width)
        return cls(odds, prior, quota, area, rule, coarse, cell, np.flatnonzero(open_to))

    def parts(self, changing: bool) -> Iterator[Part]:
        """Coarse cells in parts that fit a processor's cache.

        changing : only the coarse cells in which a quota comes to a fine cell or more, and the
            unknown cells of the others; all of them with mode "none"
        Raises ModelError for odds, of a cell that may change, that are not numbers.
        """
        n_classes = self.rule.group_of.size
        moves = self.rule.movable & ~np.eye(n_classes, dtype=bool)
        moving = np.zeros(256, bool)
        moving[:n_classes] = moves.any(axis=1)
        moving[MASKED] = True
        rows, cols = self.coarse.rows, self.coarse.cols
        at = np.ix_(rows, cols)
        busy = np.ones((rows.size, cols.size), bool)
        if changing and self.rule.mode != "none":
            busy = busy_cells(self.quota[:, at[0], at[1]], self.cell[at])
        chosen = np.argwhere(busy | (self.coarse.sum((self.prior == MASKED).astype(np.int64)) > 0))
        if not chosen.size:
            return
        places, size = self.coarse.cells(chosen)
        codes = self.prior.reshape(-1)[places]
        taken = moving[codes] & (np.repeat(busy[tuple(chosen.T)], size) | (codes == MASKED))
        kept = np.add.reduceat(taken, np.cumsum(size) - size, dtype=np.int64)
        odds = self.odds.reshape(n_classes, -1)
        for bundle in bundles(places[taken], kept):
            i, j = chosen[bundle.number].T
            yield self._part(bundle.where, bundle.real, rows[i], cols[j], odds)

    def _part(
        self,
        where: np.ndarray,
        real: np.ndarray,
        row: np.ndarray,
        col: np.ndarray,
        odds: np.ndarray,
    ) -> Part:
        n_classes = self.rule.group_of.size
        own = self.prior.reshape(-1)[where].astype(np.int64)
        own[own == MASKED] = n_classes
        allowed = np.vstack([self.rule.movable, np.ones(n_classes, bool)])
        barred = np.stack([~allowed[:, k][own] for k in self.classes])
        p = probabilities(np.stack([odds[k][where] for k in self.classes]), barred)
        if np.isnan(p).any():
            self._refuse(where, np.isnan(p).any(axis=0))
        across = self.prior.shape[1] if self.area.shape[1] == 1 else 1
        area = self.area.reshape(-1)[where // across] * real
        mean = self.cell[row, col]
        wanted = self._wanted(own, area) + np.pad(self.quota[:, row, col], ((0, 1), (0, 0)))
        wanted[-1] = area.sum(axis=1) - wanted[:-1].sum(axis=0)
        if self.rule.mode == "none":
            p /= in_order(p)
        else:
            weight = (area / mean[:, None]).astype(np.float32)
            p = fit(p, self.rule.slot_of[self.classes], wanted / mean, weight)
        return Part(row, col, where, real, own, p, barred, area, wanted, mean)

    def _wanted(self, own: np.ndarray, area: np.ndarray) -> np.ndarray:
        """Area that each slot has, the last being the unbound rest: (S, blocks) int64."""
        slot = np.append(self.rule.slot_of, -1)[own]
        return np.stack(
            [np.where(slot == s, area, 0).sum(axis=1) for s in range(self.rule.n_groups + 1)]
        )

    def _refuse(self, where: np.ndarray, wrong: np.ndarray) -> None:
        y, x = divmod(int(where[wrong][0]), self.prior.shape[1])
        raise ModelError(
            f"odds of cell ({y}, {x}) are {self.odds[:, y, x].tolist()}, expected numbers, or -inf "
            "for some of the classes that the cell may have; is the model damaged?"
        )


def busy_cells(quota: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """Coarse cells in which a quota comes to a fine cell or more: (cy, cx) bool.

    quota : (G, cy, cx) int64, AREA_UNIT_M2; cell : (cy, cx), mean area of their fine cells
    """
    return (np.rint(quota / np.maximum(cell, 1)) != 0).any(axis=0)


def _present(prior: np.ndarray, n_classes: int) -> tuple[np.ndarray, bool]:
    """Class numbers that a map holds, and whether some of its cells are unknown."""
    held = np.flatnonzero(np.bincount(prior.reshape(-1), minlength=256))
    masked = MASKED in held
    wrong = held[(held >= n_classes) & (held != MASKED)]
    if wrong.size:
        y, x = (int(i) for i in np.argwhere(prior == wrong[0])[0])
        raise InputError(
            f"class number {int(wrong[0])} at cell ({y}, {x}), expected 0 to {n_classes - 1}, or "
            f"{MASKED} for unknown"
        )
    return held[held != MASKED], masked
