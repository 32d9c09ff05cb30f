"""Scores of maps against maps: quantity, place, transitions. Pure functions on arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from landstep.emulator.errors import InputError
from landstep.emulator.grid import AREA_UNIT_M2

KM2 = AREA_UNIT_M2 / 1e6


def confusion(
    predicted: np.ndarray,
    truth: np.ndarray,
    mask: np.ndarray,
    n_classes: int,
    weights: np.ndarray | None = None,
) -> np.ndarray:
    """Cells, or area, by true and predicted class.

    predicted, truth : same shape, class numbers; mask : same shape, bool, the cells that count
    weights : cell areas, broadcasting to that shape; None counts cells
    returns : (n_classes, n_classes) float64, [true, predicted]; predicted cells of no class
        (MASKED) are counted nowhere
    Raises InputError for unequal shapes, an empty mask, or a true class that is none.
    """
    shapes = {mask.shape, predicted.shape, truth.shape}
    if len(shapes) > 1 or mask.dtype != bool or not mask.any():
        raise InputError(
            f"maps and mask have shapes {sorted(shapes)}, mask is {mask.dtype} with "
            f"{int(mask.sum())} cells; expected one shape and a bool mask with some"
        )
    true, found = truth[mask].astype(np.int64), predicted[mask].astype(np.int64)
    if true.max() >= n_classes:
        raise InputError(f"true class {int(true.max())}, expected 0 to {n_classes - 1}")
    of_class = found < n_classes
    both = (true * n_classes + found)[of_class]
    weight = None
    if weights is not None:
        weight = np.broadcast_to(weights, mask.shape)[mask][of_class].astype(np.float64)
    counts = np.bincount(both, weights=weight, minlength=n_classes**2)
    return counts.reshape(n_classes, n_classes).astype(np.float64)


@dataclass(frozen=True, eq=False)
class ClassScores:
    """Scores of each class, (n_classes,) float64, NaN for a class that the truth does not hold.

    recall : share of the true class that is found (the talk's "per class accuracy")
    precision : share of the predicted class that is true; 0 where it is never predicted
    f1 : their harmonic mean; iou : intersection over union
    """

    recall: np.ndarray
    precision: np.ndarray
    f1: np.ndarray
    iou: np.ndarray


def class_scores(table: np.ndarray) -> ClassScores:
    """Scores of each class from a table of `confusion`."""
    right, true, found = np.diag(table), table.sum(axis=1), table.sum(axis=0)
    held = true > 0

    def share(part: np.ndarray, of: np.ndarray) -> np.ndarray:
        return np.where(held, part / np.where(of > 0, of, 1), np.nan)

    return ClassScores(
        recall=share(right, true),
        precision=share(right, found),
        f1=share(2 * right, true + found),
        iou=share(right, true + found - right),
    )


@dataclass(frozen=True)
class Disagreement:
    """Share of the cells that two maps give different classes, in its two parts.

    quantity : because the maps have unequal amounts of the classes
    allocation : because the right amounts lie in the wrong places
    Source: Pontius and Millones 2011, Int. J. Remote Sens. 32, 4407-4429, equations 2 to 7.
    """

    quantity: float
    allocation: float


def disagreement(table: np.ndarray) -> Disagreement:
    """Quantity and allocation disagreement from a table of `confusion`."""
    shares = table / table.sum()
    right, true, found = np.diag(shares), shares.sum(axis=1), shares.sum(axis=0)
    return Disagreement(
        quantity=float(np.abs(true - found).sum() / 2),
        allocation=float(np.minimum(true - right, found - right).sum()),
    )


@dataclass(frozen=True)
class Transition:
    """One change of class, in cells.

    true, predicted : cells that made it, and cells that were predicted to
    hits : cells of both
    """

    before: int
    after: int
    true: int
    predicted: int
    hits: int

    @property
    def merit(self) -> float:
        """Hits over all cells of either: the figure of merit of this change alone."""
        either = self.true + self.predicted - self.hits
        return self.hits / either if either else 0.0


def transitions(
    prior: np.ndarray, predicted: np.ndarray, truth: np.ndarray, mask: np.ndarray, n_classes: int
) -> list[Transition]:
    """Every change of class that happened or was predicted, the most frequent true one first.

    prior, predicted, truth : same shape, class numbers; mask : same shape, bool, cells that count
    """
    start, end, found = (a[mask].astype(np.int64) for a in (prior, truth, predicted))

    def count(after: np.ndarray, of: np.ndarray) -> np.ndarray:
        both = (start * n_classes + after)[of & (after != start) & (after < n_classes)]
        return np.bincount(both, minlength=n_classes**2)

    everywhere = np.ones(start.shape, bool)
    true, predicted_count = count(end, everywhere), count(found, everywhere)
    hits = count(end, end == found)
    there = np.flatnonzero(true + predicted_count)
    there = there[np.lexsort((there, -predicted_count[there], -true[there]))]
    return [
        Transition(
            int(n // n_classes),
            int(n % n_classes),
            int(true[n]),
            int(predicted_count[n]),
            int(hits[n]),
        )
        for n in there
    ]


def count_error(
    predicted: np.ndarray, truth: np.ndarray, mask: np.ndarray, block: np.ndarray, n_classes: int
) -> float:
    """Share of the cells by which class counts of coarse cells are off: 0..1.

    block : (y, x) int64, the coarse cell of each cell
    returns : sum over coarse cells and classes of |count - true count|, over two, over cells
    """
    n_blocks = int(block.max()) + 1
    difference = _by_block(predicted, mask, block, n_classes, n_blocks, None) - _by_block(
        truth, mask, block, n_classes, n_blocks, None
    )
    return float(np.abs(difference).sum() / 2 / mask.sum())


@dataclass(frozen=True)
class AreaError:
    """Error of one class's area over the coarse cells that hold it in either map, in km2.

    median, p95, largest : of the absolute error; bias : mean of the signed one, predicted less
    true; coarse_cells : how many there are
    """

    median: float
    p95: float
    largest: float
    bias: float
    coarse_cells: int


def area_errors(
    predicted: np.ndarray,
    truth: np.ndarray,
    mask: np.ndarray,
    block: np.ndarray,
    area: np.ndarray,
    n_classes: int,
) -> dict[int, AreaError]:
    """Error of each class's area per coarse cell.

    block : (y, x) int64, the coarse cell of each cell
    area : broadcasting to (y, x), int64 in grid.AREA_UNIT_M2
    returns : class -> its error; classes that no counted cell has in either map are left out
    """
    n_blocks = int(block.max()) + 1
    found = _by_block(predicted, mask, block, n_classes, n_blocks, area)
    true = _by_block(truth, mask, block, n_classes, n_blocks, area)
    return {
        k: area_error((found[k] - true[k])[(found[k] > 0) | (true[k] > 0)] * KM2)
        for k in range(n_classes)
        if (found[k] > 0).any() or (true[k] > 0).any()
    }


def area_error(signed_km2: np.ndarray) -> AreaError:
    """Sum up signed errors of area: (n,) float64, km2, n at least 1."""
    size = np.abs(signed_km2)
    return AreaError(
        median=float(np.median(size)),
        p95=float(np.percentile(size, 95)),
        largest=float(size.max()),
        bias=float(signed_km2.mean()),
        coarse_cells=int(size.size),
    )


def _by_block(
    classes: np.ndarray,
    mask: np.ndarray,
    block: np.ndarray,
    n_classes: int,
    n_blocks: int,
    area: np.ndarray | None,
) -> np.ndarray:
    """Cells, or area, of each class in each coarse cell: (n_classes, n_blocks) float64."""
    counted = mask & (classes < n_classes)
    both = classes[counted].astype(np.int64) * n_blocks + block[counted]
    weight = None
    if area is not None:
        weight = np.broadcast_to(area, mask.shape)[counted].astype(np.float64)
    counts = np.bincount(both, weights=weight, minlength=n_classes * n_blocks)
    return counts.reshape(n_classes, n_blocks).astype(np.float64)
