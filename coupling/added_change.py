"""A host's own value, plus what landstep's field changed: the host keeps its own rule in time."""

from __future__ import annotations

import numpy as np

from landstep.coupling.fields import Field
from landstep.emulator.errors import CouplingError


def host_values(name: str, values: np.ndarray, n: int) -> np.ndarray:
    """Take a host's values of a day: (n,) float32 or float64, as they are.

    Raises CouplingError for another shape, or for what is no number.
    """
    found = np.asarray(values)
    if found.shape != (n,):
        raise CouplingError(
            f"{name!r}: array of shape {found.shape}, expected ({n},), one value for each point"
        )
    if found.dtype.kind not in "fiu":
        raise CouplingError(f"{name!r}: {found.dtype}, expected numbers")
    return found if found.dtype in (np.float32, np.float64) else found.astype(np.float64)


def refuse_type(field: Field) -> None:
    """Refuse a field whose values are numbers of types: they cannot be added to."""
    if field.integer:
        raise CouplingError(
            f"field {field.name!r} is a type, which is chosen and not added to: call "
            f"get({field.name!r}, values)"
        )


def added(
    field: Field, values: np.ndarray, moved: np.ndarray, own: np.ndarray, now: np.ndarray
) -> np.ndarray:
    """Return a host's values plus what landstep's field changed, within the field's bounds.

    values : (n,) float32 or float64, the host's own, of a day
    moved : (m,) int64, points where the field's year is not the baseline's
    own, now : (m,) of the values' dtype, the host's baseline and landstep's field there, of the
        same day by one rule
    returns : (n,) of the dtype of `values`. Where the two are equal, and elsewhere, the bytes of
        `values` (-0.0, what is no number); where `values` is `own` it is `now`; else
        values + (now - own)
    Raises CouplingError naming the first point that changes and whose value is not finite.
    """
    found = values.copy()
    differs = now != own
    places = moved[differs]
    given = values[places].astype(np.float64)
    wrong = np.flatnonzero(~np.isfinite(given))
    if wrong.size:
        point = int(places[wrong[0]])
        raise CouplingError(
            f"{field.name!r}: {values[point]} at point {point}, expected a finite number: the "
            "field changed there; is it the host's own value of the day?"
        )
    before, after = (of[differs].astype(np.float64) for of in (own, now))
    wanted = np.where(given == before, after, given + (after - before))
    found[places] = np.clip(wanted, *field.bounds)
    return found
