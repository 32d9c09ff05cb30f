"""What a file of forcing must hold before its years are read: states one by one, as fractions."""

from __future__ import annotations

import re

from landstep.emulator.attributes import numbers, text
from landstep.emulator.errors import InputError
from landstep.emulator.netcdf import NetcdfFile

_FRACTION_UNITS = ("", "1", "1.0", "fraction", "none", "unitless")
_PERCENT = ("%", "percent", "per cent", "pct")
_AREA = re.compile(r"(k?m|ha|hectares?|[mk]?ha)([ ^*]*2)?|square (kilo)?met(er|re)s?|acres?")
_SUMS = ("crop", "c3crop", "c4crop", "c3_crop", "c4_crop", "pasture", "grazing", "forest")


def check_states_are_single(file: NetcdfFile, states: tuple[str, ...]) -> None:
    """Refuse a file in which crops, or other states of LUH2, were summed; InputError says how."""
    names = file.names()
    lacking = [state for state in states if state not in names]
    sums = [name for name in names if name.lower().startswith(_SUMS) and name not in states]
    if lacking and len(lacking) < len(states) and sums:
        raise InputError(
            f"{file.path.name}: {', '.join(lacking)} not in it, but {', '.join(sums)}: expected "
            f"the {len(states)} states of LUH2 one by one, and a sum cannot be divided again; take "
            "the file that it was made from (states.nc of LUH2 v2h, or of the scenario)"
        )


def check_state(file: NetcdfFile, state: str, first: str) -> None:
    """Refuse a state that is missing, no fraction, no number, or of another shape than the first.

    Raises InputError naming file and state.
    """
    dims, where = file.dims(state), f"{file.path.name}, {state}"
    if len(dims) != 3:
        raise InputError(f"{where}: dims {dims}, expected (time, lat, lon)")
    if dims != file.dims(first):
        raise InputError(f"{where}: dims {dims}, expected {file.dims(first)} as {first} has")
    file.encoding(state)
    attrs = file.attrs(state)
    if file.dtype(state).kind != "f" and "scale_factor" not in attrs:
        raise InputError(f"{where}: {file.dtype(state)} values, expected floating-point fractions")
    units = text(attrs, "units")
    if units.lower() not in _FRACTION_UNITS:
        raise InputError(
            f"{where}: units {units!r}, expected '1' (fraction of the whole cell, as LUH2 has); "
            f"{_to_fractions(units)}"
        )


def block_size(file: NetcdfFile) -> int:
    """Return the attribute block_size: map cells along a block's side; else InputError."""
    said = file.attrs().get("block_size")
    found = numbers(said) if said is not None else None
    if found is None or len(found) != 1 or not 1 <= found[0] < 2**31 or found[0] != int(found[0]):
        raise InputError(
            f"{file.path.name}: attribute block_size is {said}, expected the number of map cells "
            "along a block's side"
        )
    return int(found[0])


def _to_fractions(units: str) -> str:
    """Say how a file in another unit becomes one of fractions."""
    if units.lower() in _PERCENT:
        return "divide by 100 and set units to '1' (cdo -setunit,1 -divc,100 IN OUT)"
    if _AREA.fullmatch(units.lower()):
        return (
            "divide by the area of the whole cell in the same unit, which LUH2's "
            "staticData_quarterdeg.nc has as carea in km2, and set units to '1' (cdo -setunit,1 "
            "-div IN -selname,carea staticData_quarterdeg.nc OUT)"
        )
    return "convert the file to fractions"
