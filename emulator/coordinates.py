"""Which variables of a file are latitude and longitude, by any mark that CF knows.

Source: CF conventions 1.11, sections 4.1, 4.2 (units, standard_name, axis), 5 (coordinates) and
5.6 (grid mappings).
"""

from __future__ import annotations

import re
from typing import Literal

from landstep.emulator.attributes import text
from landstep.emulator.errors import InputError
from landstep.emulator.netcdf import NetcdfFile

Kind = Literal["latitude", "longitude"]
KINDS: tuple[Kind, Kind] = ("latitude", "longitude")

_LETTERS = {"latitude": ("north", "n"), "longitude": ("east", "e")}
_NAMES = {"latitude": ("lat", "latitude", "nav_lat"), "longitude": ("lon", "longitude", "nav_lon")}
_AXIS = {"latitude": "y", "longitude": "x"}
_ROWS_AND_COLUMNS = {
    "latitude": ("y", "row", "rows", "j", "nj", "ny"),
    "longitude": ("x", "col", "cols", "column", "columns", "i", "ni", "nx"),
}
_UNIT = re.compile(r"(?:degrees?|deg)[\s_]?(north|east|n|e)")
_PLAIN_DEGREES = re.compile(r"|1|degrees?|deg|°|arc_?degrees?")
_LAT_LON = "latitude_longitude"


def find_axes(file: NetcdfFile, name: str) -> tuple[str, str] | None:
    """Names of the latitude of a variable's rows and of the longitude of its columns.

    returns : names of one-dimensional variables; None where the last two dimensions have none
    Raises InputError where they are (lon, lat), or in another unit than degrees.
    """
    dims = file.dims(name)
    if len(dims) < 2:
        return None
    if _grid_mapping(file, name).startswith("rotated"):
        return None
    found = [_axis_of(file, name, dim) for dim in dims[-2:]]
    kinds = [kind for _, kind in found]
    if kinds == ["longitude", "latitude"]:
        raise InputError(
            f"{file.path.name}, {name}: dims (lat, lon) expected last, found "
            f"({sizes_of(file, name)}); transpose the file (e.g. ncpdq -a lat,lon)"
        )
    if kinds != ["latitude", "longitude"]:
        return None
    for variable, _ in found:
        _check_degrees(file, variable)
    return found[0][0], found[1][0]


def find_cells(file: NetcdfFile, name: str) -> tuple[str, str] | None:
    """Names of the 2-D latitude and longitude of a variable's cells; None where it has none.

    Raises InputError where one is in another unit than degrees.
    """
    lat, lon = (_of_cells(file, name, kind) for kind in KINDS)
    if lat is None or lon is None:
        return None
    for variable in (lat, lon):
        _check_degrees(file, variable)
    return lat, lon


def _of_cells(file: NetcdfFile, name: str, kind: Kind) -> str | None:
    cells = file.dims(name)[-2:]
    for candidate in [*_declared(file, name), *file.names()]:
        if candidate == name or len(cells) != 2 or file.dims(candidate)[-2:] != cells:
            continue
        if any(size != 1 for size in file.shape(candidate)[:-2]):  # WRF's have a time of one step
            continue
        if _kind(file, candidate) == kind:
            return candidate
    return None


def is_coordinate(file: NetcdfFile, name: str) -> bool:
    """Whether a variable says where cells lie: a latitude, a longitude, or the bounds of one."""
    return name.endswith(("_bounds", "_bnds")) or _kind(file, name) is not None


def is_point_list(file: NetcdfFile, name: str) -> bool:
    """Whether cells have one dimension: nothing else is left, or it has its own lat and lon."""
    dims = file.dims(name)
    if len(dims) < 2 or _runs_along_time(file, dims[-2]):
        return True
    return any(
        file.dims(other) == dims[-1:] and _kind(file, other) == "latitude" for other in file.names()
    )


def projection_of(file: NetcdfFile, name: str) -> str:
    """Say why a variable's map is projected: its grid mapping or its coordinates; else empty."""
    mapping = _grid_mapping(file, name)
    if mapping and mapping != _LAT_LON:
        return f"grid_mapping_name {mapping}"
    for dim in file.dims(name)[-2:]:
        if dim in file.names():
            said = text(file.attrs(dim), "standard_name")
            units = text(file.attrs(dim), "units").lower()
            if said.startswith(("projection_", "grid_l")) or units in _LENGTHS:
                return f"{dim}: standard_name {said!r}, units {units!r}"
    return ""


_LENGTHS = ("m", "meter", "metre", "meters", "metres", "km", "kilometer", "kilometre", "ft", "feet")


def sizes_of(file: NetcdfFile, name: str) -> str:
    """Words for a variable's dimensions and their sizes."""
    pairs = zip(file.dims(name), file.shape(name), strict=True)
    return ", ".join(f"{dim}={size}" for dim, size in pairs)


def _axis_of(file: NetcdfFile, name: str, dim: str) -> tuple[str, Kind | None]:
    """Variable that says where a map's rows or columns lie, and its kind.

    That is the coordinate of the dimension's name, else one along it that `coordinates` or its own
    attributes mark.
    """
    if dim in file.names() and file.dims(dim) == (dim,):
        kind = _kind(file, dim) or _kind_by_mapping(file, name, dim)
        if kind:
            return dim, kind
    for other in [*_declared(file, name), *file.names()]:
        if other != dim and file.dims(other) == (dim,) and (kind := _kind(file, other)):
            return other, kind
    return dim, None


def _kind(file: NetcdfFile, name: str) -> Kind | None:
    """What a variable's own marks say that it is."""
    attrs = file.attrs(name)
    standard = text(attrs, "standard_name").lower()
    said = text(attrs, "long_name").lower()
    if standard.startswith(("grid_", "projection_")) or "rotated" in said:
        return None
    unit = _UNIT.fullmatch(text(attrs, "units").lower())
    for kind in KINDS:
        if (unit and unit[1] in _LETTERS[kind]) or standard == kind:
            return kind
    for kind in KINDS:
        if name.lower() in _NAMES[kind]:
            return kind
    for kind in KINDS:
        on_axis = text(attrs, "axis").lower() == _AXIS[kind]
        if on_axis and re.search(rf"\b{kind}\b", said):
            return kind
    return None


def _kind_by_mapping(file: NetcdfFile, name: str, dim: str) -> Kind | None:
    """What a coordinate is in a file whose grid mapping says latitude and longitude."""
    if _grid_mapping(file, name) != _LAT_LON:
        return None
    axis = text(file.attrs(dim), "axis").lower()
    for kind in KINDS:
        if axis == _AXIS[kind] or (not axis and dim.lower() in _ROWS_AND_COLUMNS[kind]):
            return kind
    return None


def _grid_mapping(file: NetcdfFile, name: str) -> str:
    """Return the grid_mapping_name of a variable; empty where it has none."""
    words = text(file.attrs(name), "grid_mapping").split()
    mapping = words[0].rstrip(":") if words else ""
    if mapping not in file.names():
        return ""
    return text(file.attrs(mapping), "grid_mapping_name").lower()


def _declared(file: NetcdfFile, name: str) -> list[str]:
    """Names in a variable's attribute `coordinates` that are in the file."""
    return [c for c in text(file.attrs(name), "coordinates").split() if c in file.names()]


def _check_degrees(file: NetcdfFile, name: str) -> None:
    """Refuse a latitude or longitude, known by another mark, whose unit is no degrees."""
    units = text(file.attrs(name), "units")
    if not (_UNIT.fullmatch(units.lower()) or _PLAIN_DEGREES.fullmatch(units.lower())):
        raise InputError(
            f"{file.path.name}, {name}: units {units!r}, expected 'degrees_north' or "
            "'degrees_east'; convert the coordinate, or correct its attribute units"
        )


def _runs_along_time(file: NetcdfFile, dim: str) -> bool:
    return dim in file.names() and " since" in text(file.attrs(dim), "units").lower()
