"""The network over a map, block by block: what it is given, its logits, its likeliest classes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from landstep.emulator.classes import Scheme
from landstep.emulator.features import FORBIDDEN, Fields
from landstep.emulator.session import Session
from landstep.emulator.tiling import Box, Cut, Window

Given = tuple[Window, dict[str, np.ndarray]]
"""A window, and the network's inputs there."""


@dataclass(frozen=True, eq=False)
class Network:
    """A session with all that it is given over one map.

    of : the class scheme; cut : how windows lie on the map
    """

    session: Session
    fields: Fields
    of: Scheme
    cut: Cut

    def free(self, block: Box) -> np.ndarray:
        """Tell which cells of a block may change: (rows, columns) bool."""
        fixed = np.zeros(256, bool)
        fixed[self.of.fixed_numbers] = True
        return ~fixed[self._prior(block)]

    def given(self, block: Box, wanted: np.ndarray) -> list[Given]:
        """Cut out what the network needs for some cells of a block.

        wanted : (rows, columns) bool
        """
        found = self.cut.windows(block, wanted)
        return [(window, self.fields.cut(window)) for window in found]

    def logits(self, block: Box, given: Iterable[Given]) -> np.ndarray:
        """Run the network over windows of a block.

        returns : (K, rows, columns) float32; 0 where no window is. Where the prior's class is
            fixed: 0 for that class, FORBIDDEN for all others, whether or not a window is there
        """
        y0, y1, x0, x1 = block
        odds = np.zeros((self.of.n_classes, y1 - y0, x1 - x0), np.float32)
        for window, inputs in given:
            window.write(odds, self.session.run(inputs)["logits"][0], (y0, x0))
        fixed, prior = ~self.free(block), self._prior(block)
        numbers = np.arange(self.of.n_classes, dtype=np.uint8)[:, None, None]
        np.copyto(odds, np.float32(FORBIDDEN), where=fixed)
        np.copyto(odds, np.float32(0), where=fixed & (prior == numbers))
        return odds

    def confidence(self, block: Box, logits: np.ndarray) -> np.ndarray:
        """Probability of the likeliest class: (rows, columns) uint8 percent, 0 where fixed.

        logits : (K, rows, columns) float32, as `logits` gives them for all free cells
        """
        highest = logits.max(axis=0)
        total = np.zeros(highest.shape, np.float32)
        for of_class in logits:
            total += np.exp(of_class - highest)
        percent = np.rint(100 / total).astype(np.uint8)
        return np.where(self.free(block), percent, 0).astype(np.uint8)

    def likeliest(self, block: Box, given: Iterable[Given]) -> np.ndarray:
        """Run the network over windows of a block: the class of the largest logit.

        returns : (rows, columns) uint8; the prior's class where it is fixed, or no window is
        """
        prior = self._prior(block)
        found = prior.copy()
        for window, inputs in given:
            window.write(found, self.session.run(inputs)["land_use"][0], (block[0], block[2]))
        np.copyto(found, prior, where=~self.free(block))
        return found

    def _prior(self, block: Box) -> np.ndarray:
        y0, y1, x0, x1 = block
        return self.fields.prior[y0:y1, x0:x1]
