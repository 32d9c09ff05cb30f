"""A map that is written row by row, so that not even one year of it need be in memory."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from landstep.emulator.errors import InputError


@dataclass(frozen=True)
class Rows:
    """Data of a variable in blocks of rows.

    pieces : (rows, x) each, in the order of the file: the first step from its first row to its
        last, then the next step; a piece may have any number of rows
    """

    pieces: Iterable[np.ndarray]


def whole_blocks(
    rows: Rows, shape: Sequence[int | None], most: int, dtype: Any, name: str
) -> Iterator[tuple[tuple[int | slice, ...], np.ndarray]]:
    """Gather pieces into blocks of `most` rows, the last of each step smaller.

    shape : sizes of the variable's dimensions, slowest first; only the first may be None
    name : of the variable, for the message
    returns : (index, block): where the block belongs in the variable, and its (rows, x) of dtype;
        the block is overwritten by the next one
    Raises InputError where a piece is not (rows, x), or there are fewer or more rows than the
    shape holds.
    """
    if len(shape) < 2 or None in shape[-2:] or None in shape[1:]:
        raise InputError(f"{name}: rows need y and x of known size, found {tuple(shape)}")
    *leading, ny, nx = [0 if size is None else size for size in shape]
    steps = None if None in shape else math.prod(leading)
    block = np.empty((min(ny, most), nx), dtype)
    step, top, filled = 0, 0, 0  # rows from `top` on are in the block, `filled` of them
    for piece in rows.pieces:
        if piece.ndim != 2 or piece.shape[1] != nx:
            raise InputError(f"{name}: a piece of rows is {piece.shape}, expected (rows, {nx})")
        start = 0
        while start < len(piece):
            if step == steps:
                raise InputError(f"{name}: more rows than {tuple(shape)} holds")
            wanted = min(len(block), ny - top)
            taken = piece[start : start + wanted - filled]
            block[filled : filled + len(taken)] = taken
            start, filled = start + len(taken), filled + len(taken)
            if filled == wanted:
                yield (*_place(step, leading), slice(top, top + filled)), block[:filled]
                top, filled = top + filled, 0
            if top == ny:
                step, top = step + 1, 0
    if top + filled or steps not in (None, step):
        raise InputError(
            f"{name}: rows end after {top + filled} of step {step}, expected {tuple(shape)}"
        )


def _place(step: int, leading: list[int]) -> tuple[int, ...]:
    """Turn the number of a step into its index on each leading dimension."""
    place: list[int] = []
    for size in reversed(leading[1:]):
        step, inner = divmod(step, size)
        place.insert(0, inner)
    return (step, *place) if leading else ()
