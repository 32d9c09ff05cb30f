"""What the network is given: the one place where maps and forcing become its inputs.

Training, export and stepping all come through here, so that they cannot differ. Everything after
it (one-hot, scaling, painting coarse cells onto fine ones) happens inside the graph.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from landstep.emulator.area_sums import coarse_class_sums
from landstep.emulator.classes import OUTSIDE
from landstep.emulator.mapped import Maps
from landstep.emulator.tiling import Window

INPUT_NAMES = (
    "prior",
    "history",
    "years",
    "continuous",
    "categories",
    "forcing",
    "forcing_change",
    "prior_shares",
    "row",
    "col",
)
OUTPUT_NAMES = ("land_use", "logits")

FORBIDDEN = -1e4
"""Logit of a class that a cell cannot have; finite, so that no host meets an infinity."""


def known(field: np.ndarray) -> np.ndarray:
    """Put 0 where a field is missing (NaN): float32, the same shape.

    The network tells "missing" from "none" by the sum of the states, which is then 0.
    """
    return np.nan_to_num(field.astype(np.float32, copy=False), nan=0.0)


def class_shares(
    land_use: np.ndarray, row: np.ndarray, col: np.ndarray, shape: tuple[int, int], n_classes: int
) -> np.ndarray:
    """Share of each class among the fine cells of each coarse cell.

    What the forcing asks for less this is what a map still owes. It is counted over the whole map,
    so that no window's edge cuts a coarse cell.

    land_use : (y, x) uint8 class numbers; MASKED cells count as cells of no class
    row, col : (y,), (x,) int64, the coarse row of each fine row and column of each fine column
    shape : (cy, cx) of the coarse grid
    returns : (n_classes, cy, cx) float32, 0..1; 0 where a coarse cell holds no fine cell
    """
    ones = np.ones((row.size, 1), np.int64)
    counts = coarse_class_sums(land_use, ones, row, col, shape, n_classes)
    height, width = np.bincount(row, minlength=shape[0]), np.bincount(col, minlength=shape[1])
    cells = np.maximum(np.outer(height, width), 1)
    return (counts / cells).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Fields:
    """All that the network is given, over a whole map or one window of it.

    prior : (y, x) uint8 class numbers of the map before, MASKED where unknown
    history : H maps (y, x) uint8, those before the prior in stepping order, [0] one year before it
        (one year after it, when stepping backward); MASKED where unknown
    years : the target's year less the prior's: 1 in a step, -1 in a step backward, not 0
    continuous : S statics (y, x) float32 in their own units, 0 where missing
    categories : C categorical statics (y, x) uint8, class codes, 0 at sea
    forcing, forcing_change : (F, cy, cx) float32, fractions of the target year, and those less the
        prior map's year; 0 where missing
    prior_shares : (K, cy, cx) float32, `class_shares` of the whole prior map
    row, col : (y,), (x,) int64, the coarse row of each fine row and column of each fine column
    """

    prior: np.ndarray
    history: Maps
    years: int
    continuous: Maps
    categories: Maps
    forcing: np.ndarray
    forcing_change: np.ndarray
    prior_shares: np.ndarray
    row: np.ndarray
    col: np.ndarray

    def inputs(self) -> dict[str, np.ndarray]:
        """Name and shape the fields as the graph takes them, with a leading axis of 1.

        returns : a dict with the names of INPUT_NAMES, in that order
        """

        def stacked(maps: Maps, dtype: Any) -> np.ndarray:
            all_maps = np.asarray(maps, dtype).reshape(1, len(maps), *self.prior.shape)
            return np.ascontiguousarray(all_maps)

        return {
            "prior": np.ascontiguousarray(self.prior[None], np.uint8),
            "history": stacked(self.history, np.uint8),
            "years": np.array([self.years], np.float32),
            "continuous": stacked(self.continuous, np.float32),
            "categories": stacked(self.categories, np.uint8),
            "forcing": np.ascontiguousarray(self.forcing[None], np.float32),
            "forcing_change": np.ascontiguousarray(self.forcing_change[None], np.float32),
            "prior_shares": np.ascontiguousarray(self.prior_shares[None], np.float32),
            "row": np.ascontiguousarray(self.row, np.int64),
            "col": np.ascontiguousarray(self.col, np.int64),
        }

    def cut(self, window: Window) -> dict[str, np.ndarray]:
        """Cut one window's inputs out of a whole map's fields.

        window : what to cut; its cells beyond the map are outside land, with statics of 0
        returns : as `inputs`, with only the coarse cells that the window touches
        """
        row, col = (
            index[np.where(seen < 0, seen.max(), seen)]
            for index, seen in ((self.row, window.rows), (self.col, window.cols))
        )
        top, left = int(row.min()), int(col.min())
        coarse = np.s_[:, top : int(row.max()) + 1, left : int(col.max()) + 1]
        return Fields(
            prior=window.read(self.prior, OUTSIDE),
            history=[window.read(land_use, OUTSIDE) for land_use in self.history],
            years=self.years,
            continuous=[window.read(field, 0.0) for field in self.continuous],
            categories=[window.read(codes, 0) for codes in self.categories],
            forcing=self.forcing[coarse],
            forcing_change=self.forcing_change[coarse],
            prior_shares=self.prior_shares[coarse],
            row=row - top,
            col=col - left,
        ).inputs()
