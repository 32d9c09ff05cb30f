"""How well a predicted map meets the true one, and how well it meets the change."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from landstep.emulator.errors import InputError


@dataclass(frozen=True)
class FigureOfMerit:
    """Predicted change held against true change, in cells.

    hits : changed, and predicted to change to the right class
    misses : changed, and predicted to stay
    wrong_hits : changed, and predicted to change to a wrong class
    false_alarms : stayed, and predicted to change
    Source: Pontius et al. 2008, Ann. Reg. Sci. 42, 11-37, components A to D.
    """

    hits: int
    misses: int
    wrong_hits: int
    false_alarms: int

    @property
    def value(self) -> float:
        """Hits over all cells that changed or were predicted to: 0 to 1; 0 where there are none.

        Source: Pontius et al. 2008, equation of the figure of merit.
        """
        total = self.hits + self.misses + self.wrong_hits + self.false_alarms
        return self.hits / total if total else 0.0


def accuracy(
    predicted: np.ndarray, truth: np.ndarray, mask: np.ndarray, weights: np.ndarray | None = None
) -> float:
    """Share of the masked cells whose class is right.

    predicted, truth : same shape, class numbers; mask : same shape, bool, the cells that count
    weights : cell areas, broadcasting to that shape, in any unit; None counts cells alike
    Raises InputError for unequal shapes or an empty mask.
    """
    _check(mask, predicted, truth)
    right = predicted[mask] == truth[mask]
    if weights is None:
        return float(right.mean())
    weight = np.broadcast_to(weights, mask.shape)[mask].astype(np.float64)
    return float(weight[right].sum() / weight.sum())


def mean_iou(
    predicted: np.ndarray,
    truth: np.ndarray,
    mask: np.ndarray,
    n_classes: int,
    weights: np.ndarray | None = None,
) -> float:
    """Intersection over union of each class that the truth holds, averaged over those classes.

    The parameters are those of `class_iou`.
    Raises InputError for unequal shapes or an empty mask.
    Source: Everingham et al. 2015, IJCV 111, segmentation accuracy.
    """
    return float(np.nanmean(class_iou(predicted, truth, mask, n_classes, weights)))


def class_iou(
    predicted: np.ndarray,
    truth: np.ndarray,
    mask: np.ndarray,
    n_classes: int,
    weights: np.ndarray | None = None,
) -> np.ndarray:
    """Intersection over union of each class: where both maps have it over where either has.

    predicted, truth : same shape, class numbers; mask : same shape, bool, the cells that count
    weights : cell areas, broadcasting to that shape, in any unit; None counts cells alike
    returns : (n_classes,) float64, 0..1; NaN for a class that the truth does not hold
    Raises InputError for unequal shapes or an empty mask.
    """
    _check(mask, predicted, truth)
    found, true = predicted[mask].astype(np.int64), truth[mask].astype(np.int64)
    weight = None if weights is None else np.broadcast_to(weights, mask.shape)[mask]

    def area(codes: np.ndarray, of: np.ndarray) -> np.ndarray:
        chosen = None if weight is None else weight[of].astype(np.float64)
        return np.bincount(codes[of], weights=chosen, minlength=256)[:n_classes].astype(np.float64)

    everywhere = np.ones(found.shape, bool)
    both, true_area = area(true, found == true), area(true, everywhere)
    either = true_area + area(found, everywhere) - both
    return np.where(true_area > 0, both / np.where(either > 0, either, 1), np.nan)


def figure_of_merit(
    prior: np.ndarray, predicted: np.ndarray, truth: np.ndarray, mask: np.ndarray
) -> FigureOfMerit:
    """Count hits, misses, wrong hits and false alarms of a predicted change.

    prior, predicted, truth : same shape, class numbers; mask : same shape, bool, cells that count
    Raises InputError for unequal shapes or an empty mask.
    """
    _check(mask, prior, predicted, truth)
    changed = (prior != truth)[mask]
    moved = (prior != predicted)[mask]
    right = (predicted == truth)[mask]
    return FigureOfMerit(
        hits=int((changed & moved & right).sum()),
        misses=int((changed & ~moved).sum()),
        wrong_hits=int((changed & moved & ~right).sum()),
        false_alarms=int((~changed & moved).sum()),
    )


def _check(mask: np.ndarray, *maps: np.ndarray) -> None:
    shapes = [array.shape for array in (mask, *maps)]
    if len(set(shapes)) > 1:
        raise InputError(f"mask and maps have shapes {shapes}, expected one shape")
    if mask.dtype != bool or not mask.any():
        raise InputError(
            f"mask is {mask.dtype} with {int(mask.sum())} cells, expected bool with some"
        )
