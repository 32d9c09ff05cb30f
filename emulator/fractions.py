"""What fractions of a cell must hold: within 0..1, summing to at most 1, missing all at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from landstep.emulator.errors import InputError
from landstep.emulator.missing import looks_like_fill

SUM_TOLERANCE = 1e-5
"""How far the states of a cell may sum beyond 1: rounding of 13 float32 numbers, and no more."""

LARGEST = 1.0001
SMALLEST = -1e-6
"""Single fractions beyond these are errors; those between them and 0..1 are rounding, clipped."""


def check_fractions(
    stored: np.ndarray,
    states: Sequence[str],
    place: Callable[[int, int], str],
    where: str,
    whole: bool = True,
) -> tuple[np.ndarray, int]:
    """Check fractions and bring rounding errors back into 0..1.

    stored : (state, y, x) float32, NaN where missing
    states : names of the states, for messages
    place : words for the cell in a row and column
    where : file and year, for messages
    whole : False for a part of the file, which may have no valid cell
    returns : (state, y, x) float32 within 0..1, read-only, and how many values were clipped
    Raises InputError naming state and cell: infinite, a fill value in a valid cell, percent,
    negative, states that sum to more than 1, or no valid cell at all.
    """
    _check_missing(stored, states, place, where, whole)
    valid = np.nan_to_num(stored, nan=0.0, posinf=np.inf, neginf=-np.inf)
    _check_extreme(valid, states, place, where, int(valid.argmax()))
    _check_extreme(valid, states, place, where, int(valid.argmin()))
    sums = valid.sum(axis=0, dtype=np.float64)
    row, col = np.unravel_index(int(sums.argmax()), sums.shape)
    if sums[row, col] > 1 + SUM_TOLERANCE:
        raise InputError(
            f"{where}: states sum to {sums[row, col]:.6g} at {place(int(row), int(col))}, expected "
            f"at most 1 (tol {SUM_TOLERANCE:g}); do states overlap, or is the file in percent?"
        )
    outside = int(((valid < 0) | (valid > 1)).sum())
    fractions = np.clip(stored, 0, 1) if outside else stored
    fractions.setflags(write=False)
    return fractions, outside


def _check_missing(
    stored: np.ndarray,
    states: Sequence[str],
    place: Callable[[int, int], str],
    where: str,
    whole: bool,
) -> None:
    missing = np.isnan(stored)
    if whole and missing.all():
        raise InputError(f"{where}: all cells are missing; was this year ever written?")
    mixed = missing.any(axis=0) & ~missing.all(axis=0)
    if mixed.any():
        row, col = (int(i) for i in np.argwhere(mixed)[0])
        lacks = [s for s, gone in zip(states, missing[:, row, col], strict=True) if gone]
        raise InputError(
            f"{where}, {lacks[0]}: fill value in valid cell {place(row, col)}, where other states "
            f"have numbers ({int(mixed.sum())} such cells); expected all states missing or none"
        )


def _check_extreme(
    valid: np.ndarray,
    states: Sequence[str],
    place: Callable[[int, int], str],
    where: str,
    position: int,
) -> None:
    state, row, col = (int(i) for i in np.unravel_index(position, valid.shape))
    value = float(valid[state, row, col])
    if SMALLEST <= value <= LARGEST:
        return
    at = f"{where}, {states[state]}: "
    if looks_like_fill(value):
        raise InputError(
            f"{at}fill value in valid cell: {value:g} at {place(row, col)}, which the file does "
            "not declare as missing; set its attribute _FillValue"
        )
    if value > LARGEST:
        raise InputError(
            f"{at}max {value:g} at {place(row, col)}, units '1', expected at most 1; is the file "
            "in percent?"
        )
    raise InputError(f"{at}negative fraction {value:g} at {place(row, col)}, expected 0 to 1")
