"""The host's own climate so far: a part of the state, and its place in the restart file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from landstep.emulator.errors import InputError, StateError, StepError
from landstep.emulator.host_values import VARIABLES, check_name
from landstep.emulator.netcdf import NetcdfFile, Variable
from landstep.emulator.owned import Owner, is_owned, owned_copy, take
from landstep.emulator.restart_checks import integer_attribute, text_attribute
from landstep.emulator.shares import Share
from landstep.emulator.stand_ins import StandIn, joined, parted
from landstep.emulator.years import calendar_year

WINDOW_YEARS = 30
"""Years over which a climate is the mean. Source: World Meteorological Organization 2017,
Guidelines on the Calculation of Climate Normals, WMO-No. 1203, section 2."""

STAND_INS = "months_not_given"
"""Attribute of a restart's climate: which months the host did not give, and what stands there."""

DIMS = ("climate_year", "climate_variable", "month", "coarse_y", "coarse_x")


@dataclass(frozen=True, eq=False)
class Climate(Owner):
    """Monthly means that a host gave, year by year without a gap, up to thirty years.

    variables : V names, in the order of VARIABLES
    last : the calendar year of the last of them
    years : Y arrays (V, 12, cy, cx) float32, SI, the newest last, on the coarse cells that the rank
        holds; NaN where the host has nothing. Read-only
    stand_ins : months of these years that the host did not give, in order
    """

    variables: tuple[str, ...]
    last: int
    years: tuple[np.ndarray, ...]
    stand_ins: tuple[StandIn, ...] = ()

    def __post_init__(self) -> None:
        """Take copies of arrays that a caller could change; StateError where they do not fit."""
        object.__setattr__(self, "last", calendar_year(self.last, "last", StateError))
        known = [name for name in VARIABLES if name in self.variables]
        shapes = {year.shape for year in self.years}
        if list(self.variables) != known or not known:
            raise StateError(
                f"climate of {list(self.variables)}, expected some of {list(VARIABLES)}, in order"
            )
        fits = len(shapes) == 1 and {len(s) for s in shapes} == {4}
        fits = fits and shapes.pop()[:2] == (len(known), 12)
        if not (fits and 1 <= len(self.years) <= WINDOW_YEARS) or {
            year.dtype for year in self.years
        } != {np.dtype(np.float32)}:
            raise StateError(
                f"climate of {[(str(y.dtype), y.shape) for y in self.years]}, expected 1 to "
                f"{WINDOW_YEARS} years of float32 ({len(known)}, 12, coarse_y, coarse_x), all alike"
            )
        years = (y if is_owned(y) else owned_copy(y, np.float32) for y in self.years)
        object.__setattr__(self, "years", tuple(years))

    @property
    def shape(self) -> tuple[int, int]:
        """Coarse rows and columns."""
        return self.years[0].shape[2], self.years[0].shape[3]

    def window(self, name: str, reference: np.ndarray) -> np.ndarray:
        """Climate of a variable: its mean over the thirty years to the last.

        Years before the host's first count as the reference, so that after n years the host has a
        weight of n/30; so do places and variables of which it says nothing. A host that gives the
        reference gets it back, bit for bit.

        reference : (12, cy, cx) float64, SI
        returns : (12, cy, cx) float64: reference + sum of differences / 30, the oldest year first
        """
        if name not in self.variables:
            return reference
        return reference + self.change(name, reference)

    def change(self, name: str, since: np.ndarray) -> np.ndarray:
        """Mean difference of a variable over the thirty years to the last; see `window`.

        name : of `variables`; since : (12, cy, cx) float64, SI, what differences are taken from
        returns : (12, cy, cx) float64; 0 where nothing is known of a year, or in `since`
        """
        place = self.variables.index(name)
        total = np.zeros_like(since)
        for year in self.years:
            apart = year[place].astype(np.float64) - since
            total += np.where(np.isnan(apart), 0.0, apart)
        return total / WINDOW_YEARS

    def identity(self) -> dict[str, Any]:
        """Say what it is, but for the numbers."""
        found = {"variables": self.variables, "last": self.last, "years": len(self.years)}
        return found | ({"stand_ins": joined(self.stand_ins)} if self.stand_ins else {})

    def digest_into(self, digest: hashlib._Hash) -> None:
        """Add the numbers to a digest."""
        for year in self.years:
            digest.update(np.ascontiguousarray(year).data)


def heard(
    before: Climate | None,
    year: int,
    means: Mapping[str, np.ndarray],
    stand_ins: Iterable[StandIn] = (),
) -> Climate:
    """Add a year to a host's climate; the oldest goes where there are thirty.

    before : None where the host said nothing yet
    means : name -> (12, cy, cx) real, SI, January first; NaN where the host has nothing
    stand_ins : months of the year that the host did not give
    Raises CouplingError for a name that is none, StepError where a year lies between, InputError
    for fields of another size.
    """
    for name in means:
        check_name(name)
    if before is not None and year != before.last + 1:
        raise StepError(
            f"climate of {year} after that of {before.last}: expected {before.last + 1}; put what "
            "was put before in every year, or start again"
        )
    earlier = () if before is None else before.variables
    variables = tuple(name for name in VARIABLES if name in means or name in earlier)
    shapes = {np.shape(field) for field in means.values()}
    shapes |= set() if before is None else {(12, *before.shape)}
    if len(shapes) != 1 or any(len(s) != 3 or s[0] != 12 for s in shapes):
        raise InputError(
            f"climate of {year}: fields of {sorted(shapes)}, expected one size (12, cy, cx)"
        )
    nothing = np.full(shapes.pop(), np.nan, np.float32)
    newest = take(np.stack([_float32(means.get(name, nothing)) for name in variables]))
    years: tuple[np.ndarray, ...] = ()
    if before is not None:
        years = tuple(_with(variables, before, old, nothing) for old in before.years)
    kept = (*(() if before is None else before.stand_ins), *sorted(stand_ins))
    in_window = tuple(one for one in kept if one.year > year - WINDOW_YEARS)
    return Climate(variables, year, (*years, newest)[-WINDOW_YEARS:], in_window)


def _float32(field: np.ndarray) -> np.ndarray:
    """As float32, with one bit pattern for what is missing or masked."""
    found = np.array(np.ma.filled(np.ma.asarray(field).astype(np.float32), np.nan))
    found[np.isnan(found)] = np.nan
    return found


def _with(
    variables: tuple[str, ...], of: Climate, year: np.ndarray, nothing: np.ndarray
) -> np.ndarray:
    """Make room in a year for variables that it lacks."""
    if variables == of.variables:
        return year
    return take(
        np.stack([year[of.variables.index(n)] if n in of.variables else nothing for n in variables])
    )


def restart_sizes(climate: Climate | None) -> dict[str, int | None]:
    """Sizes of the dimensions that a climate adds to a restart file."""
    if climate is None:
        return {}
    return dict(zip(DIMS, (len(climate.years), *climate.years[0].shape), strict=True))


def restart_variables(climate: Climate | None) -> list[Variable]:
    """Give what of a climate goes into a restart file."""
    if climate is None:
        return []
    about = {
        "long_name": "monthly means that the host gave, the newest year last",
        "variables": " ".join(climate.variables),
        "last_year": np.int32(climate.last),
        **({STAND_INS: joined(climate.stand_ins)} if climate.stand_ins else {}),
    }
    return [Variable("climate", DIMS, climate.years, about, dtype=np.float32)]


def read_climate(file: NetcdfFile, share: Share | None) -> Climate | None:
    """Read the climate of a restart file: what a rank holds of it; None where it has none.

    Raises StateError where it does not fit.
    """
    if "climate" not in file.names():
        return None
    shape, dtype, attrs = file.shape("climate"), file.dtype("climate"), file.attrs("climate")
    if len(shape) != len(DIMS) or dtype != np.float32:
        raise StateError(f"climate is {dtype} {shape}, expected float32 ({', '.join(DIMS)})")
    variables = tuple(text_attribute(attrs, "variables").split())
    if shape[0] > WINDOW_YEARS or shape[1:3] != (len(variables), 12):
        raise StateError(
            f"climate is {shape}, expected at most {WINDOW_YEARS} years of {variables} by 12 months"
        )
    years = (file.read("climate", (number,)) for number in range(shape[0]))
    held = tuple(take(year if share is None else share.coarse_held.cut(year)) for year in years)
    stand_ins = parted(text_attribute(attrs, STAND_INS)) if STAND_INS in attrs else ()
    return Climate(variables, integer_attribute(attrs, "last_year"), held, stand_ins)
