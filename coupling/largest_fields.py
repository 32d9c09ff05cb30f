"""The largest values that fields will have: what a host allocates by before it runs."""

from __future__ import annotations

import numpy as np

from landstep.coupling.areas import Areas
from landstep.coupling.host_fields import HostFields
from landstep.coupling.land_surface import LandSurface
from landstep.emulator.emulator import Emulator
from landstep.emulator.errors import CouplingError, StepError
from landstep.emulator.state import State


def check_largest(fields: HostFields, name: str, first: int, last: int) -> None:
    """Refuse a field that has no largest value, or years that cannot be.

    first : the year reached; last : the last that is asked about
    Raises CouplingError for a field that is none, monthly, a type or passed through; StepError for
    a last year before the first.
    """
    field = fields.field(name)
    kinds = {"type": "a type", "passed": "passed through"}
    if field.rule in kinds or field.months > 1:
        what = kinds.get(field.rule, "a monthly field")
        raise CouplingError(f"field {name!r} is {what}: only annual fields have a largest value")
    if last < first:
        raise StepError(f"{name!r}: last year {last}, expected {first}, the year reached, or later")


def largest_fields(
    emulator: Emulator,
    land: LandSurface,
    fields: HostFields,
    state: State,
    reference: Areas | None,
    last: int,
) -> dict[str, np.ndarray]:
    """Return the largest value of each annual field from a state's year to a last one.

    The years are computed as a run would, without a climate of the host's own. All ranks call it.

    fields : with the baselines given so far, and not begun; reference : as `HostFields.begin` takes
        it
    returns : name -> (n,) float64, of those that can be handed out
    """
    ranks = emulator.assembly.ranks
    fields.begin(reference, ranks)
    surface = fields.surface(land.areas(state))
    found = {name: v.copy() for name, v in surface.values.items() if v.ndim == 1}
    while state.year < last:
        state = emulator.step(state.year + 1, state)
        surface = fields.surface(land.areas(state))
        for name, values in found.items():
            np.maximum(values, surface.values[name], out=values)
    for values in found.values():
        values.setflags(write=False)
    return found
