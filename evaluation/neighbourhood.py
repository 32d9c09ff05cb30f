"""Shares of the classes around each cell."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import uniform_filter


def shares(classes: np.ndarray, n_classes: int, window: int = 3) -> np.ndarray:
    """Share of each class in the square window around each cell, the cell itself included.

    classes : (y, x) uint8 class numbers
    window : cells a side, odd
    returns : (n_classes, y, x) float32; beyond the map its edge is mirrored
    """
    return np.stack([_mean((classes == k).astype(np.float32), window) for k in range(n_classes)])


def land_mean(field: np.ndarray, land: np.ndarray, window: int) -> np.ndarray:
    """Mean of a field over the land cells of the window around each cell; 0 where there is none.

    field : (y, x); land : (y, x) bool
    returns : (y, x) float32
    """
    weight = _mean(land.astype(np.float32), window)
    total = _mean(np.where(land, field, 0).astype(np.float32), window)
    return np.where(weight > 0.5 / window**2, total / np.maximum(weight, 1e-6), 0).astype(
        np.float32
    )


def _mean(field: np.ndarray, window: int) -> np.ndarray:
    return np.clip(uniform_filter(field, window), 0, None)
