"""What is usual elsewhere: overlapping tiles, their logits weighted by a Gaussian and added."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

TILE, STRIDE = 512, 256


def weights() -> np.ndarray:
    """Weight of each cell of a tile: (TILE, TILE) float32, a Gaussian of an eighth of its side."""
    place = np.arange(TILE) - (TILE - 1) / 2
    along = np.exp(-0.5 * (place / (TILE / 8)) ** 2)
    return np.outer(along, along).astype(np.float32)


@dataclass
class Blend:
    """Logits of tiles added up on a part of a map: sums, and the weights that went into them."""

    total: np.ndarray
    weight: np.ndarray

    @classmethod
    def of(cls, n_classes: int, rows: int, columns: int) -> Blend:
        """Start with nothing."""
        shape = rows, columns
        return cls(np.zeros((n_classes, *shape), np.float32), np.zeros(shape, np.float32))

    def add(self, logits: np.ndarray, top: int, left: int, of: np.ndarray) -> None:
        """Add a tile's logits (K, TILE, TILE) at a place."""
        place = np.s_[top : top + TILE, left : left + TILE]
        self.total[:, *place] += logits * of
        self.weight[place] += of

    def classes(self) -> np.ndarray:
        """Give the likeliest classes: (rows, columns) uint8."""
        return (self.total / self.weight).argmax(axis=0).astype(np.uint8)


def starts(size: int, closed: bool = False) -> list[int]:
    """Give where tiles begin along an axis; round the Earth where it is closed."""
    if closed:
        return list(range(0, size, STRIDE))
    return [*range(0, size - TILE, STRIDE), size - TILE]


def blended(
    run: Callable[[int, int], np.ndarray], n_classes: int, shape: tuple[int, int]
) -> np.ndarray:
    """Make a map by tiles: `run` gives the logits of the tile that begins at a row and column."""
    blend, of = Blend.of(n_classes, *shape), weights()
    for top in starts(shape[0]):
        for left in starts(shape[1]):
            blend.add(run(top, left), top, left, of)
    return blend.classes()
