"""Blocks in which nothing happens: inputs as before give the answer of before."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from landstep.emulator.network import Given
from landstep.emulator.tiling import Box


@dataclass(frozen=True, eq=False)
class Settled:
    """The blocks whose last answer was their own prior map, by a digest of all that led to it."""

    _digest: dict[Box, bytes] = field(default_factory=dict)

    def holds(self, block: Box, digest: bytes) -> bool:
        """Tell whether the same inputs gave back the prior map the last time."""
        return self._digest.get(block) == digest

    def note(self, block: Box, digest: bytes, unchanged: bool) -> None:
        """Remember what a block's inputs led to."""
        if unchanged:
            self._digest[block] = digest
        else:
            self._digest.pop(block, None)


def digest_of(given: Iterable[Given], rule: str) -> bytes:
    """Sum up the inputs of a block's windows, and the rule that turns logits into classes."""
    digest = hashlib.blake2b(rule.encode(), digest_size=16)
    for window, inputs in given:
        digest.update(repr(window.core).encode())
        for array in inputs.values():
            digest.update(repr(array.shape).encode())
            digest.update(np.ascontiguousarray(array).data)
    return digest.digest()
