"""A host's own fields, which the change is added to: which are needed, and whether they can be."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Literal

import numpy as np

from landstep.coupling.fields import Field, FieldSource, SumGroup
from landstep.emulator.errors import CouplingError

ROUNDING = 2.0**-16
"""How far, as a share of the bound, a baseline may lie beyond it: half a step of a number packed to
16 bits, as GRIB files hold covers; single precision needs less. Ours (decision 27)."""

SUM_TOLERANCE = 1e-6
"""How far, in parts of the total, a host's own fractions may be from it where its table names no
tolerance of the host: what single precision leaves of a sum of some tens. Ours."""


def partners(source: FieldSource, name: str) -> set[str]:
    """Names of the fields whose baseline a field needs: itself, its sum's, those it goes with."""
    fields = {field.name: field for field in source.fields}
    found: set[str] = set()
    to_add = [name]
    while to_add:
        this = to_add.pop()
        if this in found:
            continue
        found.add(this)
        to_add += [other for other in (fields[this].of_type, fields[this].of_cover) if other]
        to_add += [other for group in source.sums if this in group.fields for other in group.fields]
    return found


def require_baselines(
    source: FieldSource,
    names: Iterable[str],
    given: Collection[str],
    mode: Literal["anomaly", "absolute"],
    albedo: Literal["required", "left"],
    albedo_sets: Collection[Collection[str]] = (),
) -> None:
    """Refuse fields of which the host has not given what they need.

    names : fields that the host asks for
    given : fields that it has given a baseline of
    mode : in "absolute" only monthly fields need one
    albedo : "required": a host that keeps an albedo of its own (`albedo_sets` of its table) gets
        no field before it has given one of these sets; in "absolute" mode an annual albedo is
        landstep's own and needs no baseline. "left": it does, and its albedo stays
    Raises CouplingError naming the field and the baseline that is missing.
    """
    fields = {field.name: field for field in source.fields}
    for name in names:
        if name not in fields:
            raise CouplingError(f"no field {name!r}: there are {sorted(fields)}")
        if mode == "anomaly" or fields[name].schedule == "monthly":
            if missing := sorted(partners(source, name) - set(given)):
                remedy = "" if _monthly(fields[name]) else ", or set [coupling] mode = 'absolute'"
                raise CouplingError(
                    f"field {name!r} needs the host's own {missing[0]!r}: call "
                    f"{_call(fields[missing[0]])} before the first update"
                    + ("" if mode == "absolute" else remedy)
                )
        if albedo == "left" or not albedo_sets:
            continue
        wanted = [
            [of for of in names_of if mode == "anomaly" or _monthly(fields[of])]
            for names_of in albedo_sets
        ]
        if not any(set(names_of) <= set(given) for names_of in wanted):
            calls = " or ".join(
                ", ".join(_call(fields[of]) for of in names_of) for names_of in wanted
            )
            raise CouplingError(
                f"field {name!r}: this host keeps an albedo of its own, which would stay that of "
                f"the old cover. Call {calls} before the first update, or set [coupling] albedo = "
                "'left'"
            )


def require_on_ice(source: FieldSource, name: str, given: Collection[str], n_icy: int) -> None:
    """Refuse a field in absolute mode of which there is nothing to stand at points of ice.

    n_icy : how many there are. Raises CouplingError naming the baseline that is missing.
    """
    fields = {field.name: field for field in source.fields}
    if missing := sorted(partners(source, name) - set(given)):
        raise CouplingError(
            f"field {name!r}: {n_icy} points are ice, of which landstep has no field of its own "
            f"([coupling] mode = 'absolute'): call {_call(fields[missing[0]])} before the first "
            "update, or set [coupling] ice = 'left'"
        )


def _monthly(field: Field) -> bool:
    return field.schedule == "monthly"


def _call(field: Field) -> str:
    """The call that gives a baseline of a field, as a host writes it."""
    if _monthly(field):
        return f"baseline_monthly({field.name!r}, values) with (n, 12) values"
    return f"baseline({field.name!r}, values)"


def checked_baseline(field: Field, values: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Take a host's own field, with its own bits.

    values : (n,) or (n, 12) of any float or integer dtype
    mask : (n,) bool, points with land
    returns : the same shape, float64, read-only; what is not finite at a point without land, which
        hosts do not care for, is the field's fill
    Raises CouplingError naming the first point with land whose value is not finite, out of bounds,
    or, for a type, not a whole number.
    """
    shape = (len(mask),) if field.months == 1 else (len(mask), field.months)
    values = unmasked(field.name, values)
    where = f"baseline {field.name!r}"
    if values.shape != shape:
        raise CouplingError(f"{where}: shape {values.shape}, expected {shape}")
    if values.dtype.kind not in "fiu":
        raise CouplingError(f"{where}: {values.dtype}, expected numbers")
    own = values.astype(np.float64)
    on_land = mask if own.ndim == 1 else np.broadcast_to(mask[:, None], own.shape)
    finite = np.isfinite(own)
    _refuse(where, own, on_land & ~finite, "a finite number; is it masked?")
    own[~finite] = field.fill
    low, high = field.bounds
    outside = own < low - ROUNDING * (abs(low) or abs(high))
    outside |= own > high + ROUNDING * abs(high)
    _refuse(where, own, on_land & outside, f"{low} to {high} {field.units}; are the units right?")
    if field.integer:
        part = own != np.rint(own)
        _refuse(where, own, on_land & part, "a whole number; was a type interpolated?")
    own.setflags(write=False)
    return own


def check_sums(source: FieldSource, given: Mapping[str, np.ndarray], mask: np.ndarray) -> None:
    """Refuse fractions whose sum the host's own code would not accept.

    given : baselines, as `checked_baseline` gives them; a group that is not whole is left out
    mask : (n,) bool, points with land
    Raises CouplingError naming the fields, the first point, its sum and how many such points.
    """
    for group in source.sums:
        if not set(group.fields) <= set(given):
            continue
        values = np.stack([given[name] for name in group.fields], axis=1)
        total = values.sum(axis=1)
        if group.exact:
            tolerance = group.tolerance or SUM_TOLERANCE
            wrong = mask & ~(np.abs(total - group.total) <= tolerance * group.total)
            expected = f"{group.total:g} within {tolerance * group.total:g}"
        else:
            most = group.total * (1.0 + ROUNDING * len(group.fields))
            wrong, expected = mask & ~(total <= most), f"at most {group.total:g}"
        if wrong.any():
            point = int(np.flatnonzero(wrong)[0])
            raise CouplingError(
                f"baselines of {', '.join(group.fields)}: sum {total[point]:.16g} at point {point} "
                f"({int(wrong.sum())} such points), expected {expected}; do they all belong to one "
                "field, and are they shares of the same?"
            )
        if group.whole:
            _check_whole(group, given[group.whole], mask)


def _check_whole(group: SumGroup, values: np.ndarray, mask: np.ndarray) -> None:
    """Refuse a fraction between 0 and all of a field that hosts have nowhere or everywhere."""
    off = np.minimum(np.abs(values), np.abs(values - group.total))
    wrong = mask & (off > SUM_TOLERANCE * group.total)
    _refuse(f"baseline {group.whole!r}", values, wrong, f"0 or {group.total:g}")


def unknown_types(field: Field, own: np.ndarray) -> np.ndarray:
    """Points whose one type is none of the table's, such as WRF's local climate zones: (n,) bool.

    A type that goes with a cover (a host's low vegetation) has bounds instead, and is refused.
    """
    if not field.types or field.of_cover:
        return np.zeros(len(own), bool)
    return (own == np.rint(own)) & ~np.isin(own, field.types)


def leaves_without_cover(
    source: FieldSource, given: Mapping[str, np.ndarray], mask: np.ndarray
) -> dict[str, str]:
    """Say where a host has leaves on a cover of 0: they stay, and count for nothing.

    returns : name of the monthly field -> a sentence with the number of points
    """
    notes = {}
    for field in source.fields:
        if field.rule != "monthly_type" or not {field.name, field.of_cover} <= set(given):
            continue
        bare = mask & (given[field.of_cover] <= 0) & (given[field.name] > 0).any(axis=1)
        if bare.any():
            point = int(np.flatnonzero(bare)[0])
            notes[field.name] = (
                f"{int(bare.sum())} of {bare.size} points have {field.name} above 0 where "
                f"{field.of_cover} is 0 (point {point}: {given[field.name][point].max():g}): they "
                "keep it, and it has no weight"
            )
    return notes


def unmasked(name: str, values: np.ndarray) -> np.ndarray:
    """Take an array with NaN where it is masked; CouplingError for what is no array."""
    try:
        masked = np.ma.asarray(values)
        plain = np.asarray(masked.data)
    except (TypeError, ValueError) as error:
        raise CouplingError(f"baseline {name!r}: {error}; expected an array") from error
    if not np.ma.is_masked(masked) or plain.dtype.kind not in "fiu":
        return plain
    return np.where(np.ma.getmaskarray(masked), np.nan, plain.astype(np.float64))


def _refuse(where: str, values: np.ndarray, wrong: np.ndarray, expected: str) -> None:
    if wrong.any():
        place = tuple(int(i) for i in np.argwhere(wrong)[0])
        month = f", month {place[1] + 1}" if len(place) > 1 else ""
        raise CouplingError(
            f"{where}: {values[place]:g} at point {place[0]}{month}, expected {expected}"
        )


def own_albedo_sets(source: FieldSource) -> list[list[str]]:
    """Sets of albedo fields of a host that keeps one of its own; empty for any other."""
    table = getattr(source, "table", None)
    return [] if table is None else table.albedo


def baseline_of(baselines: Mapping[str, np.ndarray], name: str) -> np.ndarray:
    """Find a baseline; CouplingError where the host gave none."""
    if name not in baselines:
        raise CouplingError(f"no baseline of {name!r} was given")
    return baselines[name]
