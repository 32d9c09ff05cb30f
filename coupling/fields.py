"""The fields that a host can ask for, and what each is a share of."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

import numpy as np

from landstep.emulator.classes import Scheme
from landstep.emulator.errors import CouplingError

OUTSIDE_CODE = 255.0
"""dominant_class of a point of which the emulator knows nothing."""

AREA_FRACTION = "area_fraction_"
DOMINANT_CLASS = "dominant_class"
COVERED_FRACTION = "covered_fraction"


@dataclass(frozen=True)
class Field:
    """What a field is.

    name : as a host asks for it
    long_name : in words
    units : CF units
    denominator : what a share is a share of; empty for what is not a share
    """

    name: str
    long_name: str
    units: str
    denominator: str


def field_list(scheme: Scheme) -> list[Field]:
    """Fields of a class scheme: a fraction for each class, the dominant class, the known share."""
    known = "the part of the host's cell whose class the emulator knows"
    shares = [
        Field(AREA_FRACTION + name, f"area fraction of {long_name}", "1", known)
        for name, long_name in zip(scheme.names, scheme.long_names, strict=True)
    ]
    return [
        *shares,
        Field(DOMINANT_CLASS, "code of the class with the largest area", "", ""),
        Field(COVERED_FRACTION, "share of the host's cell that is known", "1", "the host's cell"),
    ]


def host_fields(areas: np.ndarray, coverage: np.ndarray, scheme: Scheme) -> dict[str, np.ndarray]:
    """Values of every field.

    areas : (n_points, n_classes + 1) int64; the last column is the area whose class is not known
    coverage : (n_points,) float64, share of the host's cell inside the grid, 0..1
    returns : name -> (n_points,) float64, read-only, always finite. Area fractions are in 0..1 and
        sum to 1 (to rounding), or are all 0 where nothing is known; there covered_fraction is 0
        and dominant_class OUTSIDE_CODE. Of equal areas the class with the lowest number dominates.
    """
    of_class = areas[:, : scheme.n_classes]
    known, inside = of_class.sum(axis=1), areas.sum(axis=1)
    shares = of_class / np.maximum(known, 1)[:, None]
    codes = np.asarray(scheme.codes, np.float64)
    fields = {AREA_FRACTION + name: shares[:, k] for k, name in enumerate(scheme.names)}
    fields[DOMINANT_CLASS] = np.where(known > 0, codes[of_class.argmax(axis=1)], OUTSIDE_CODE)
    fields[COVERED_FRACTION] = coverage * (known / np.maximum(inside, 1))
    fixed = {name: np.ascontiguousarray(values) for name, values in fields.items()}
    for values in fixed.values():
        values.setflags(write=False)
    return fixed


def field_named(fields: dict[str, np.ndarray], name: str) -> np.ndarray:
    """Find the field of that name; CouplingError, with the nearest name, where there is none."""
    if name not in fields:
        close = difflib.get_close_matches(name, fields, 1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        raise CouplingError(f"no field {name!r}: {hint}there are {sorted(fields)}")
    return fields[name]
