"""The experiments that hosts of this process have open, by number."""

from __future__ import annotations

import itertools
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from landstep.emulator.errors import CouplingError

if TYPE_CHECKING:
    from landstep.coupling.coupler import Coupler
    from landstep.coupling.switched_off import SwitchedOff


@dataclass
class Handle:
    """One opened experiment; the lock lets two threads of a host share it.

    served : (n,) bool, the mask that the host gave; None: all points are served
    """

    coupler: Coupler | SwitchedOff
    served: np.ndarray | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def places(self, what: str, n_values: int) -> slice | np.ndarray:
        """Which points a host's array speaks of, by its length: all of them, or those served.

        A host with padded blocks may keep some fields in blocks and others without padding.
        Raises CouplingError for another length, `what` in front.
        """
        n = self.coupler.n
        if n_values == n:
            return slice(None)
        expected = f"{n}, one for each point"
        if self.served is not None:
            if n_values == np.count_nonzero(self.served):
                return self.served
            expected += f", or {np.count_nonzero(self.served)}, one for each that is served"
        raise CouplingError(f"{what}: the array has {n_values} values, expected {expected}")


class Handles:
    """The experiments that hosts of this process have open, by number."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)  # next() on it is atomic
        self._open: dict[int, Handle] = {}

    def add(self, coupler: Coupler | SwitchedOff, served: np.ndarray | None = None) -> int:
        """Keep an opened coupler, and the host's mask; returns its number, never used again."""
        number = next(self._numbers)
        self._open[number] = Handle(coupler, served)
        return number

    def find(self, number: int) -> Handle:
        """Return the handle with this number, or CouplingError naming those that are open."""
        handle = self._open.get(number)
        if handle is None:
            raise CouplingError(
                f"handle {number} is not open (open handles: {sorted(self._open)}); "
                "was it closed before?"
            )
        return handle

    def remove(self, number: int) -> Handle:
        """Forget the handle with this number and return it."""
        handle = self.find(number)
        self._open.pop(number, None)
        return handle
