"""Logits kept until their coarse rows are complete, so that each coarse cell is fitted once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

MOST_CELLS = 2**19
"""A piece holds about this many fine cells, and at least one coarse row: it bounds the memory."""


def whole_coarse_rows(
    strips: Iterable[np.ndarray], row: np.ndarray, most: int = MOST_CELLS
) -> Iterator[tuple[int, int, np.ndarray]]:
    """Join strips of a map, and cut the whole where coarse rows end.

    strips : (K, some rows, x) each, from the first row of the map to the last
    row : (y,) int64, the coarse row of each fine row, non-decreasing
    most : cells of a piece, where it holds more than one coarse row
    returns : (top, bottom, piece), piece (K, bottom - top, x) of whole coarse rows; what is in a
        coarse row does not depend on how the strips were cut
    """
    ends = np.append(np.flatnonzero(np.diff(row)) + 1, row.size)
    top, reached, kept = 0, 0, []
    for strip in strips:
        kept.append(strip)
        reached += strip.shape[1]
        if not ((ends > top) & (ends <= reached)).any():
            continue
        joined = np.concatenate(kept, axis=1) if len(kept) > 1 else strip
        start = top
        while (inside := ends[(ends > top) & (ends <= reached)]).size:
            within = inside[inside <= top + most // strip.shape[2]]
            bottom = int(within[-1] if within.size else inside[0])
            yield top, bottom, joined[:, top - start : bottom - start]
            top = bottom
        kept = [joined[:, top - start :]] if top < reached else []
