"""Angles as whole numbers, so that an edge that two cells share is one number, not nearly so."""

from __future__ import annotations

import numpy as np

STEP_DEG = 1e-9
"""What angles are counted in: 0.1 mm on the ground. Hosts compute an edge twice, once for the cell
on either side, and the two differ in the last bits of a double, 1e-13 degrees. Ours."""

TURN = 360 * 10**9
"""Once round, in STEP_DEG."""

POLE = 90 * 10**9
"""The North Pole's latitude, in STEP_DEG."""


def whole(degrees: np.ndarray) -> np.ndarray:
    """Degrees to the nearest STEP_DEG: int64 of the same shape."""
    return np.rint(np.asarray(degrees, np.float64) / STEP_DEG).astype(np.int64)


def wrapped(angle: np.ndarray) -> np.ndarray:
    """Bring angles in STEP_DEG into [-180, 180) degrees."""
    return (angle + TURN // 2) % TURN - TURN // 2


def radians(angle: np.ndarray) -> np.ndarray:
    """Give angles in STEP_DEG in radians: float64."""
    return np.deg2rad(angle * STEP_DEG)


def sine_between(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Sine of `high` less sine of `low`, in STEP_DEG, without the loss of figures near the poles.

    Source: sin a - sin b = 2 cos((a + b) / 2) sin((a - b) / 2); Abramowitz and Stegun 4.3.35.
    """
    return 2 * np.cos(radians((high + low) / 2)) * np.sin(radians((high - low) / 2))
