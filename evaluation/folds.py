"""Folds for cross-validation in space: blocks of coarse cells; maps put together again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from landstep.emulator.errors import ConfigError
from landstep.evaluation.bootstrap import tiles
from landstep.evaluation.case import Case
from landstep.evaluation.methods import Method, Prediction

FOLDS = 5
TILE = 4
"""Coarse cells a side of the blocks that are dealt out to the folds."""


def folds(
    case: Case, land: np.ndarray, n_folds: int = FOLDS, tile: int = TILE, seed: int = 0
) -> np.ndarray:
    """Deal blocks of coarse cells out to folds, each with about the same land.

    land : (y, x) bool
    tile : coarse cells a side of a block; neighbours in a fold share an edge no more than by chance
    returns : (y, x) int64, fold of each cell, 0 .. n_folds - 1; -1 where there is no land
    Raises ConfigError where there are fewer blocks with land than folds.
    """
    block, n_blocks = tiles(case.row, case.col, land, tile)
    if n_folds < 2 or n_blocks < n_folds:
        raise ConfigError(
            f"{case.name}: {n_folds} folds of {n_blocks} blocks of {tile} coarse cells, expected "
            "2 folds or more and a block for each; make the blocks smaller"
        )
    cells = np.bincount(block[land], minlength=n_blocks)
    order = np.random.default_rng(seed).permutation(n_blocks)
    order = order[np.argsort(-cells[order], kind="stable")]
    fold_of, filled = np.zeros(n_blocks, np.int64), np.zeros(n_folds, np.int64)
    for number in order:
        fold = int(filled.argmin())
        fold_of[number] = fold
        filled[fold] += cells[number]
    return np.where(land, fold_of[block], -1)


@dataclass(frozen=True, eq=False)
class Stitched:
    """One method from several, each answering for its own fold, where it did not learn.

    methods : one a fold; fold : (y, x) int64, of each cell; -1 where there is no land
    """

    name: str
    methods: Sequence[Method]
    fold: np.ndarray

    def predict(self, case: Case, before: int, after: int) -> Prediction:
        """Predict with every method, and take each cell from the one of its fold."""
        found = [method.predict(case, before, after) for method in self.methods]
        land_use = case.map(before).copy()
        whole = all(one.probability is not None for one in found)
        probability = None if not whole else np.zeros_like(found[0].probability)
        for number, one in enumerate(found):
            here = self.fold == number
            land_use[here] = one.land_use[here]
            if probability is not None and one.probability is not None:
                probability[:, here] = one.probability[:, here]
        return Prediction(land_use, probability)
