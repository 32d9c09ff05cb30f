"""The fields that a host can ask for, and what each is a share of."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from landstep.coupling.areas import Areas
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
    rule : how it is made: "fraction", "type", "mean", "monthly_type" or "monthly_mix"; or "passed"
        through, of which a host gives no baseline
    standard_name : CF's, where there is one
    schedule : "annual", one value that jumps on 1 January; "monthly", twelve values
    season : of a monthly field, the host's own rule between months
    bounds : lowest and highest value, in its units
    fill : value where there is no land, or nothing to take a share of
    of_type, of_cover : the fields that it goes with
    types : of a type, the numbers that there are; none: any within the bounds
    shares : of a type that is the largest of some fractions, their names in the order of `types`
    source : who says so
    attributes : for host files, such as a GRIB paramId
    """

    name: str
    long_name: str
    units: str
    denominator: str
    rule: str = "fraction"
    standard_name: str = ""
    schedule: str = "annual"
    season: str = ""
    bounds: tuple[float, float] = (0.0, 1.0)
    fill: float = 0.0
    of_type: str = ""
    of_cover: str = ""
    types: tuple[float, ...] = ()
    shares: tuple[str, ...] = ()
    source: str = ""
    attributes: Mapping[str, str | int] = field(default_factory=dict)

    @property
    def months(self) -> int:
        """Values at each point: 12 for a monthly field, else 1."""
        return 12 if self.schedule == "monthly" else 1

    @property
    def integer(self) -> bool:
        """Whether its values are numbers of types: chosen, never interpolated."""
        return self.rule == "type"


@dataclass(frozen=True)
class SumGroup:
    """Fractions of one denominator that belong together.

    fields : their names
    total : 1 or 100
    exact : they sum to the total; else at most to it
    last_gives_way : of too large a sum the last field is cut first; else all are scaled
    whole : the field of them that is 0 or the total; "" where there is none
    tolerance : how far, in parts of the total, the host lets an exact sum be off; 0: not known
    """

    fields: tuple[str, ...]
    total: float
    exact: bool
    last_gives_way: bool = False
    whole: str = ""
    tolerance: float = 0.0


class FieldSource(Protocol):
    """What makes a host's fields out of areas: ClassFields, or the Crosswalk of a table."""

    @property
    def fields(self) -> tuple[Field, ...]:
        """All fields."""
        ...

    @property
    def sums(self) -> tuple[SumGroup, ...]:
        """Fractions that belong together."""
        ...

    def values(self, areas: Areas) -> dict[str, np.ndarray]:
        """Value of every annual field: name -> (n,) float64, read-only, always finite."""
        ...

    def mask(self, areas: Areas) -> np.ndarray:
        """Points of which there is land to tell of: (n,) bool."""
        ...


@dataclass(frozen=True)
class ClassFields:
    """The class fractions themselves, for a host without a table.

    of : the class scheme
    """

    of: Scheme

    @property
    def fields(self) -> tuple[Field, ...]:
        """A fraction for each class, the dominant class, the known share."""
        return tuple(field_list(self.of))

    @property
    def sums(self) -> tuple[SumGroup, ...]:
        """The class fractions sum to 1."""
        return (SumGroup(tuple(AREA_FRACTION + name for name in self.of.names), 1.0, True),)

    def values(self, areas: Areas) -> dict[str, np.ndarray]:
        """Values of every field, as `host_fields` gives them."""
        return host_fields(areas.of_classes(), areas.coverage, self.of)

    def mask(self, areas: Areas) -> np.ndarray:
        """Points where some class is known: (n,) bool."""
        return areas.values.sum(axis=(1, 2)) > 0


def field_list(scheme: Scheme) -> list[Field]:
    """Fields of a class scheme: a fraction for each class, the dominant class, the known share."""
    known = "the part of the host's cell whose class the emulator knows"
    source = f"by definition, class scheme {scheme.name}"
    shares = [
        Field(
            AREA_FRACTION + name,
            f"area fraction of {long_name}",
            "1",
            known,
            standard_name="area_fraction",
            source=source,
        )
        for name, long_name in zip(scheme.names, scheme.long_names, strict=True)
    ]
    return [
        *shares,
        Field(
            DOMINANT_CLASS,
            "code of the class with the largest area",
            "",
            "",
            rule="type",
            bounds=(0.0, OUTSIDE_CODE),
            fill=OUTSIDE_CODE,
            source=source,
        ),
        Field(
            COVERED_FRACTION,
            "share of the host's cell that is known",
            "1",
            "the host's cell",
            source="by definition",
        ),
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
