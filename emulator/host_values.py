"""What a host may say of its climate: names, units, and what values can be."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

import numpy as np

from landstep.emulator.calendar import MONTH_NAMES
from landstep.emulator.errors import CouplingError, InputError
from landstep.emulator.missing import LARGE, USUAL_FILLS

ZERO_DEGC_K = 273.15
"""0 degrees Celsius in K. Source: BIPM, The International System of Units (2019), section 2.3.1."""

SECONDS_A_DAY = 86400.0
SECONDS_AN_HOUR = 3600.0

ROUNDING = 1e-6
"""A value below the range by at most this share of it is rounding, and becomes the lowest: models
give rain of -1e-12 kg m-2 s-1. Source: ours."""


@dataclass(frozen=True)
class Unit:
    """A unit: value in SI = value x scale + offset.

    words : how it is called in a message
    accepted : False for one that is only told by its looks
    """

    words: str
    scale: float = 1.0
    offset: float = 0.0
    accepted: bool = True


@dataclass(frozen=True)
class HostVariable:
    """A CF standard name that a host may give.

    low, high : what its values can be, in SI
    units : spelling -> unit; the first is SI
    month : lowest and highest mean that a month can have, in SI
    usual : a mean over much land, in SI: of several units that fit, it tells the likeliest
    """

    low: float
    high: float
    units: dict[str, Unit]
    month: tuple[float, float]
    usual: float


_CELSIUS = Unit("degC", 1.0, ZERO_DEGC_K)
_PER_DAY = Unit("mm/day", 1 / SECONDS_A_DAY)
_ONE = Unit("1")

VARIABLES = {
    "air_temperature": HostVariable(
        150.0,
        350.0,
        {
            "K": Unit("K"),
            "degC": _CELSIUS,
            "celsius": _CELSIUS,
            "Celsius": _CELSIUS,
            "degree_Celsius": _CELSIUS,
        },
        (180.0, 325.0),
        283.0,
    ),
    "precipitation_flux": HostVariable(
        0.0,
        0.2,
        {
            "kg m-2 s-1": Unit("kg m-2 s-1"),
            "mm s-1": Unit("mm/s"),
            "mm day-1": _PER_DAY,
            "mm/day": _PER_DAY,
            "m s-1": Unit("m/s", 1000.0),
            "g m-2 s-1": Unit("g m-2 s-1", 1e-3),
            "mm h-1": Unit("mm/h", 1 / SECONDS_AN_HOUR),
        },
        (0.0, 5e-3),
        3e-5,
    ),
    "volume_fraction_of_condensed_water_in_soil": HostVariable(
        0.0,
        1.0,
        {"1": _ONE, "m3 m-3": _ONE, "%": Unit("percent", 0.01, accepted=False)},
        (0.0, 1.0),
        0.25,
    ),
    "surface_downwelling_shortwave_flux_in_air": HostVariable(
        0.0,
        1500.0,
        {"W m-2": Unit("W m-2"), "kJ m-2 h-1": Unit("kJ m-2 h-1", 1 / 3.6, accepted=False)},
        (0.0, 600.0),
        180.0,
    ),
}
"""The names, in the order in which they are kept. Names: CF standard name table, version 85.
Limits leave room around what was observed. Air: 184 K at Vostok in 1983, 330 K in Death Valley in
1913 (World Meteorological Organization, World Weather and Climate Extremes Archive). Rain: 305 mm
in 42 minutes at Holt, Missouri, in 1947, 0.12 kg m-2 s-1 (the same). Radiation: 1361 W m-2 above
the air (Kopp and Lean 2011, doi:10.1029/2010GL045777).
Of months: 9300 mm of rain at Cherrapunji in July 1861, 3.5e-3 kg m-2 s-1 (the same archive); the
South Pole's coldest month was 205 K, Death Valley's hottest 315 K, and models are off by 10 K and
more (ours); 560 W m-2 is the most that a day has above the air, at the South Pole (Berger 1978,
doi:10.1175/1520-0469(1978)035<2362:LTVODI>2.0.CO;2)."""

ZONE_VARIABLES = ("air_temperature", "precipitation_flux")
"""Those from which climate zones follow."""


def check_name(name: str) -> None:
    """Refuse a variable that a host cannot give; CouplingError names the one that was meant."""
    if name not in VARIABLES:
        close = difflib.get_close_matches(name, VARIABLES, 1, 0.5)
        hint = f" (did you mean {close[0]!r}?)" if close else ""
        raise CouplingError(f"{name!r} is not known{hint}; there are {list(VARIABLES)}")


def checked(
    name: str,
    values: np.ndarray,
    units: str = "",
    served: np.ndarray | None = None,
    where: str = "",
) -> np.ndarray:
    """Bring what a host puts to SI, or say what is wrong with it.

    name : of VARIABLES
    values : (n,) any real type, byte order and stride
    units : of the values; "": SI
    served : (n,) bool, the points that count; what stands elsewhere is not looked at. None: all
    where : a file and what is in it, before a message; "": nothing stands there
    returns : (n,) float64 in K, kg m-2 s-1, 1 or W m-2, an array of its own; NaN where not served
    Raises CouplingError for a name, unit or type that cannot be; InputError naming the first point
    whose value cannot be, and what the unit looks like.
    """
    check_name(name)
    of = VARIABLES[name]
    where = f"{where}: " if where else ""
    unit = _unit(name, units, where)
    if np.asarray(values).dtype.kind not in "fiu":
        raise CouplingError(f"{where}{name} is {np.asarray(values).dtype}, expected real numbers")
    plain = np.ma.filled(np.ma.asarray(values, np.float64), np.nan)
    counted = np.ones(plain.shape, bool) if served is None else served
    _check_numbers(name, plain, counted, where)
    found = np.where(counted, plain, np.nan) * unit.scale + unit.offset
    slack = ROUNDING * (of.high - of.low)
    wrong = counted & ((found < of.low - slack) | (found > of.high))
    if wrong.any():
        raise InputError(f"{where}{_out_of_range(name, plain, counted, wrong, unit)}")
    return np.where(found < of.low, of.low, found)


def check_month_means(name: str, means: np.ndarray, of_what: int | str) -> None:
    """Refuse means over months that no place on Earth has, and say what their unit looks like.

    A time step may bring what a month cannot: a thousand times too much rain is a heavy shower.

    name : of VARIABLES
    means : (12, n) float64 in SI, January first; NaN: not looked at
    of_what : the year that they are of, or in which file they are
    Raises InputError naming the first month and point, and how many points are wrong.
    """
    of = VARIABLES[name]
    low, high = of.month
    wrong = (means < low) | (means > high)
    if not wrong.any():
        return
    month, point = (int(i) for i in np.argwhere(wrong)[0])
    unit = next(iter(of.units))
    raise InputError(
        f"{name}: the mean of {MONTH_NAMES[month]} {of_what} is {means[month, point]:.6g} {unit} "
        f"at point {point}, n={int(wrong.any(axis=0).sum())} of {means.shape[1]} points; expected "
        f"{low:g} to {high:g}, which is more than any month on Earth had{_looks_like(of, means)}"
    )


def _looks_like(of: HostVariable, means: np.ndarray) -> str:
    """Name the units, the likeliest first, in which all means could be those of months."""
    known = means[np.isfinite(means)]
    fits: dict[str, tuple[float, str]] = {}
    for spelling, unit in of.units.items():
        found = known * unit.scale + unit.offset
        if found.min() >= of.month[0] and found.max() <= of.month[1]:
            off = abs(float(np.log(max(float(found.mean()), 1e-30) / of.usual)))
            fits.setdefault(unit.words, (off, spelling))
    if not fits:
        return ""
    words = sorted(fits, key=lambda word: fits[word][0])
    spelling = fits[words[0]][1]
    advice = f"; pass units {spelling!r}" if of.units[spelling].accepted else ""
    return f"; looks like {' or '.join(words)}{advice}"


def _unit(name: str, units: str, where: str) -> Unit:
    known = VARIABLES[name].units
    accepted = [spelling for spelling, unit in known.items() if unit.accepted]
    spelling = units.strip() or accepted[0]
    if spelling not in accepted:
        raise CouplingError(f"{where}{name} in {units!r}, expected one of {accepted}")
    return known[spelling]


def _check_numbers(name: str, plain: np.ndarray, counted: np.ndarray, where: str) -> None:
    """Refuse what is no number, or marks a missing one and can be no value in any unit."""
    marks = (np.abs(plain) > LARGE) | np.isin(plain, USUAL_FILLS)
    for unit in VARIABLES[name].units.values():
        marks &= ~_in_range(name, plain, unit)
    for word, wrong in (("NaN", np.isnan(plain)), ("infinity", np.isinf(plain)), ("fill", marks)):
        at = np.flatnonzero(wrong & counted)
        if at.size:
            word = word if word != "fill" else f"fill value {plain[at[0]]:g}"
            raise InputError(
                f"{where}{word} in {name} at point {at[0]}, n={at.size} of {plain.size}; give a "
                "value at every point that is served"
            )


def _in_range(name: str, values: np.ndarray, unit: Unit) -> np.ndarray:
    of = VARIABLES[name]
    found = values * unit.scale + unit.offset
    return (found >= of.low) & (found <= of.high)


def _out_of_range(
    name: str, plain: np.ndarray, counted: np.ndarray, wrong: np.ndarray, given: Unit
) -> str:
    of = VARIABLES[name]
    low, high = float(plain[counted].min()), float(plain[counted].max())
    at = int(np.flatnonzero(wrong)[0])
    said = (
        f"{name} range {low:g}..{high:g} {given.words}, expected {of.low:g} to {of.high:g} in "
        f"{next(iter(of.units))}; point {at} has {plain[at]:g}, n={int(wrong.sum())} of "
        f"{plain.size}"
    )
    for spelling, unit in of.units.items():
        if unit != given and _in_range(name, np.array([low, high]), unit).all():
            return f"{said}: looks like {unit.words}" + (
                f"; pass units {spelling!r}" if unit.accepted else "; divide by 100"
            )
    return said
