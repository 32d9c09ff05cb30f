"""What must hold after every step, whatever the network says."""

from __future__ import annotations

import numpy as np

from landstep.emulator.classes import MASKED, Scheme
from landstep.emulator.errors import CheckError


def check_step(
    prior: np.ndarray, land_use: np.ndarray, of: Scheme, year: int, direction: int
) -> None:
    """Hold a new map against the one before it.

    prior, land_use : (y, x) uint8 class numbers; the prior may be MASKED where it was not known
    direction : the way in time of the step, 1 or -1
    Raises CheckError, naming the first cell, where a cell holds no class, a fixed class moved, a
    known cell became a fixed class, or made a change that the scheme forbids.
    """
    _refuse(land_use >= of.n_classes, land_use, prior, year, "holds no class of the scheme")
    fixed = np.zeros(256, bool)
    fixed[of.fixed_numbers] = True
    was, is_now = fixed[prior], fixed[land_use]
    _refuse(was & (land_use != prior), land_use, prior, year, "left a class that never moves")
    _refuse(
        is_now & ~was & (prior != MASKED), land_use, prior, year, "became a class that is fixed"
    )
    allowed = np.ones((256, of.n_classes), bool)
    allowed[: of.n_classes] = of.movable(direction)
    _refuse(~allowed[prior, land_use], land_use, prior, year, "made a change that is forbidden")


def _refuse(
    wrong: np.ndarray, land_use: np.ndarray, prior: np.ndarray, year: int, what: str
) -> None:
    if not wrong.any():
        return
    y, x = (int(i) for i in np.argwhere(wrong)[0])
    raise CheckError(
        f"year {year}: cell ({y}, {x}) {what}: {prior[y, x]} -> {land_use[y, x]} "
        f"({int(wrong.sum())} such cells); the step does not keep its contract: please report it"
    )
