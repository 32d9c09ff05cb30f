"""How large a window may be: as large as pays, and as its memory allows."""

from __future__ import annotations

import math

from landstep.emulator.card import Card

LARGEST_CORE = 1440
"""Cells a side of a core beyond which little is gained: the halo's share is small by then."""

WINDOW_BYTES = 2.0 * 2**30
"""What the network may take while it runs over one window; a process has more beside it."""

PLANES = 2.3
CHANNELS = 3.0
"""Numbers of 4 bytes that live at a time for each cell of a window: so many times the planes of
the network's input, and the channels of its first level. Measured with history 3: 1.27, 1.29 and
1.36 kB a cell for bases 8, 16 and 32 on windows of 1552 cells, 1.85 for base 64 on 880. Files that
an earlier version exported take up to twice as much: name [run] core for those."""


def core_for(card: Card) -> int:
    """Give the cells a side of a window's core: a multiple of the stride, one stride at least."""
    cells = WINDOW_BYTES / bytes_per_cell(card)
    side = (math.isqrt(int(cells)) - 2 * card.halo) // card.stride * card.stride
    return max(card.stride, min(LARGEST_CORE, side))


def bytes_per_cell(card: Card) -> float:
    """Estimate what the network takes for each cell of a window."""
    return 4 * (PLANES * _planes(card) + CHANNELS * card.base)


def work_per_cell(card: Card) -> float:
    """Estimate the multiplications of the network for each cell of a window.

    Of the first level two 3x3 convolutions, 18 base^2; of each level below, which has twice the
    channels on a quarter of the cells, 13.5 going down, 27 going up and 2 between; and the planes
    of the input, each looked at some thirty times and multiplied with the first and the last
    channels.
    """
    convolutions = (18 + 42.5 * card.depth) * card.base**2
    return convolutions + _planes(card) * (card.base + len(card.class_codes) + 30)


def _planes(card: Card) -> int:
    """Planes of the network's input."""
    classes = len(card.class_codes)
    before = (min(3, card.history) + 2) * classes + 5
    statics = len(card.continuous) + sum(category.size for category in card.categories)
    return classes + 1 + before + statics + 2 * len(card.states) + 4 * classes + 3
