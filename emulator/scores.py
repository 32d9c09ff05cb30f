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


def accuracy(predicted: np.ndarray, truth: np.ndarray, mask: np.ndarray) -> float:
    """Share of the masked cells whose class is right.

    predicted, truth : same shape, class numbers; mask : same shape, bool, the cells that count
    Raises InputError for unequal shapes or an empty mask.
    """
    _check(mask, predicted, truth)
    return float((predicted[mask] == truth[mask]).mean())


def mean_iou(predicted: np.ndarray, truth: np.ndarray, mask: np.ndarray, n_classes: int) -> float:
    """Intersection over union of each class that the truth holds, averaged over those classes.

    predicted, truth : same shape, class numbers; mask : same shape, bool, the cells that count
    Raises InputError for unequal shapes or an empty mask.
    Source: Everingham et al. 2015, IJCV 111, segmentation accuracy.
    """
    _check(mask, predicted, truth)
    found, true = predicted[mask], truth[mask]
    shares = [
        ((found == number) & (true == number)).sum() / ((found == number) | (true == number)).sum()
        for number in range(n_classes)
        if (true == number).any()
    ]
    return float(np.mean(shares))


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
