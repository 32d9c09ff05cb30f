"""What the network is given: the one place where maps and forcing become its inputs.

Training, export and stepping all come through here, so that they cannot differ. Everything after
it (one-hot, scaling, painting coarse cells onto fine ones) happens inside the graph.
"""

from __future__ import annotations

import numpy as np

from landstep.emulator.classes import OUTSIDE
from landstep.emulator.tiling import Window

INPUT_NAMES = (
    "prior",
    "continuous",
    "categories",
    "forcing",
    "forcing_change",
    "prior_shares",
    "row",
    "col",
)
OUTPUT_NAMES = ("land_use", "logits")


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
    n_coarse = shape[0] * shape[1]
    place = row[:, None] * shape[1] + col[None, :]
    of_class = np.minimum(land_use, n_classes).astype(np.int64)
    both = (of_class * n_coarse + place).ravel()
    counts = np.bincount(both, minlength=(n_classes + 1) * n_coarse).reshape(-1, *shape)
    return (counts[:-1] / np.maximum(counts.sum(axis=0), 1)).astype(np.float32)


def window_inputs(
    prior: np.ndarray,
    continuous: np.ndarray,
    categories: np.ndarray,
    forcing: np.ndarray,
    forcing_change: np.ndarray,
    prior_shares: np.ndarray,
    row: np.ndarray,
    col: np.ndarray,
) -> dict[str, np.ndarray]:
    """Name one window's arrays as the graph takes them, with a leading axis of 1.

    prior : (y, x) uint8 class numbers of the map before, MASKED where unknown
    continuous : (S, y, x) float32 statics in their own units, 0 where missing
    categories : (C, y, x) uint8 class codes of categorical statics, 0 at sea
    forcing, forcing_change : (F, cy, cx) float32, fractions of the target year, and those less the
        prior map's year; 0 where missing
    prior_shares : (K, cy, cx) float32, `class_shares` of the whole prior map
    row, col : (y,), (x,) int64, the coarse row of each fine row and column of each fine column
    returns : a dict with the names of INPUT_NAMES
    """
    return {
        "prior": np.ascontiguousarray(prior[None], np.uint8),
        "continuous": np.ascontiguousarray(continuous[None], np.float32),
        "categories": np.ascontiguousarray(categories[None], np.uint8),
        "forcing": np.ascontiguousarray(forcing[None], np.float32),
        "forcing_change": np.ascontiguousarray(forcing_change[None], np.float32),
        "prior_shares": np.ascontiguousarray(prior_shares[None], np.float32),
        "row": np.ascontiguousarray(row, np.int64),
        "col": np.ascontiguousarray(col, np.int64),
    }


def cut_inputs(
    window: Window,
    prior: np.ndarray,
    continuous: np.ndarray,
    categories: np.ndarray,
    forcing: np.ndarray,
    forcing_change: np.ndarray,
    prior_shares: np.ndarray,
    row: np.ndarray,
    col: np.ndarray,
) -> dict[str, np.ndarray]:
    """Cut one window's inputs out of whole fields.

    window : what to cut; its cells beyond the map are outside land, with statics of 0
    the rest : as in `window_inputs`, over the whole map and the whole coarse grid
    """
    fine_row, fine_col = (
        index[np.where(seen < 0, seen.max(), seen)]
        for index, seen in ((row, window.rows), (col, window.cols))
    )
    top, left = int(fine_row.min()), int(fine_col.min())
    coarse = (
        slice(None),
        slice(top, int(fine_row.max()) + 1),
        slice(left, int(fine_col.max()) + 1),
    )
    return window_inputs(
        window.read(prior, OUTSIDE),
        window.read(continuous, 0.0),
        window.read(categories, 0),
        forcing[coarse],
        forcing_change[coarse],
        prior_shares[coarse],
        fine_row - top,
        fine_col - left,
    )
