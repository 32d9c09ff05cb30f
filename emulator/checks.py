"""What must hold after every step, whatever the network says."""

from __future__ import annotations

import numpy as np

from landstep.emulator.classes import MASKED, Scheme, first_place
from landstep.emulator.errors import CheckError


def check_step(
    prior: np.ndarray,
    land_use: np.ndarray,
    of: Scheme,
    year: int,
    direction: int,
    origin: tuple[int, int] = (0, 0),
) -> None:
    """Hold a new map against the one before it.

    prior, land_use : (y, x) uint8 class numbers; the prior may be MASKED where it was not known
    direction : the way in time of the step, 1 or -1
    origin : row and column of the arrays' first cell in the whole map, for messages
    Raises CheckError, naming the first cell, where a cell holds no class, a fixed class moved, a
    known cell became a fixed class, or made a change that the scheme forbids.
    """

    def refuse(wrong: np.ndarray, what: str) -> None:
        if not wrong.any():
            return
        at = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise CheckError(
            f"year {year}: cell {first_place(wrong, origin)} {what}: {prior[at]} -> "
            f"{land_use[at]} ({int(wrong.sum())} such cells); the step does not keep its "
            "contract: please report it"
        )

    refuse(land_use >= of.n_classes, "holds no class of the scheme")
    fixed = np.zeros(256, bool)
    fixed[of.fixed_numbers] = True
    was, is_now = fixed[prior], fixed[land_use]
    refuse(was & (land_use != prior), "left a class that never moves")
    refuse(is_now & ~was & (prior != MASKED), "became a class that is fixed")
    allowed = np.ones((256, of.n_classes), bool)
    allowed[: of.n_classes] = of.movable(direction)
    refuse(~allowed[prior, land_use], "made a change that is forbidden")
