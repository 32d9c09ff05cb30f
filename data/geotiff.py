"""HILDA+ GeoTIFFs, one a year, to the NetCDF form that the emulator reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from landstep.data.raster import Description, Raster, describe, open_raster
from landstep.emulator.errors import InputError
from landstep.emulator.netcdf import Variable, write_netcdf
from landstep.emulator.output import time_axis
from landstep.emulator.whole import whole_numbers

NO_DATA = 99
"""Code of a cell that is missing, where the files have none of their own. Source: HILDA+ v2.1."""

_ALIGNED = 0.01  # cells by which the corner of one year's map may differ from another's
_CELLS_AT_ONCE = 2**24
_EXPECTED = "class codes 0 to 255, whole numbers"


def geotiff_to_netcdf(tifs: Mapping[int, Path], out: Path) -> None:
    """Write yearly GeoTIFFs of class codes as one NetCDF file, `LULC_states(time, lat, lon)`.

    tifs : year -> single-band GeoTIFF of codes 0..255 in geographic coordinates
    out : the NetCDF file; one that is there is replaced. One year is in memory at a time. What
        GDAL masks becomes `_FillValue`: the files' no-data code where they share one that is a
        code, else 99. A no-data code of 0 stays 0: that is ocean, a class
    Raises InputError, naming the file, when it cannot be read, is projected (x/y without lat, lon:
    such a map needs 2-D latitude and longitude), is rotated, holds what is no code, or differs in
    grid from the first year's.
    """
    if not tifs:
        raise InputError(f"{out}: no GeoTIFFs given, expected one a year")
    years = sorted(tifs)
    paths = [Path(tifs[year]) for year in years]
    found = [describe(path) for path in paths]
    first = found[0]
    for path, about in zip(paths[1:], found[1:], strict=True):
        _check_same(about, first, path, paths[0])
    ny, nx = first.shape
    fill = _fill(found)
    codes = Variable(
        "LULC_states",
        ("time", "latitude", "longitude"),
        _maps(paths, fill),
        {"long_name": "land use and land cover, HILDA+ codes"},
        dtype=np.uint8,
        fill=fill,
    )
    write_netcdf(
        out,
        {"time": len(years), "latitude": ny, "longitude": nx},
        [time_axis(years), *_axes(first), codes],
        {
            "Conventions": "CF-1.11",
            "title": "yearly land-use maps",
            "source": ", ".join(path.name for path in paths),
            "history": "landstep: converted from GeoTIFF",
            "phase": "01-01",
        },
    )


def _fill(found: list[Description]) -> int | None:
    """Return the code that stands for what is missing; None where the files mark nothing."""
    marks = {about.nodata for about in found}
    if all(about.by_number for about in found) and marks <= {None, 0}:
        return None
    one = marks.pop() if len(marks) == 1 else None
    plain = (found[0].scale, found[0].offset) == (1.0, 0.0)
    return int(one) if plain and one is not None and one in range(1, 256) else NO_DATA


def _check_same(found: Description, expected: Description, path: Path, first: Path) -> None:
    """Refuse a year whose cells are not those of the first; InputError says in what."""
    if found.shape != expected.shape:
        raise InputError(
            f"{path}: grid {found.shape[0]}x{found.shape[1]}, expected "
            f"{expected.shape[0]}x{expected.shape[1]} (that of {first.name})"
        )
    cell = abs(expected.transform[0])
    apart = max(abs(a - b) for a, b in zip(found.transform, expected.transform, strict=True))
    if apart > _ALIGNED * cell:
        raise InputError(
            f"{path}: coordinates differ by up to {apart:g} degrees from those of {first.name}"
        )


def _maps(paths: list[Path], fill: int | None) -> Iterator[np.ndarray]:
    """Codes year by year, (y, x) uint8."""
    for path in paths:
        with open_raster(path) as raster:
            ny, nx = raster.about.shape
            codes = np.empty((ny, nx), np.uint8)
            step = max(1, _CELLS_AT_ONCE // nx)
            for top in range(0, ny, step):
                rows = slice(top, min(ny, top + step))
                codes[rows] = _codes(raster, rows, slice(0, nx), fill)
        yield codes


def _codes(raster: Raster, rows: slice, cols: slice, fill: int | None) -> np.ndarray:
    origin = (rows.start, cols.start)
    codes, missing = whole_numbers(raster.read(rows, cols), str(raster.path), _EXPECTED, origin)
    if raster.about.by_number:  # 0 is ocean, also where it marks what is missing
        missing = missing & (codes != 0)
    found = codes[~missing]
    if found.size and (found.min() < 0 or found.max() > 255):
        raise InputError(
            f"{raster.path}: values {found.min()} to {found.max()}, expected {_EXPECTED}"
        )
    return np.where(missing, NO_DATA if fill is None else fill, codes).astype(np.uint8)


def _axes(about: Description) -> list[Variable]:
    """Latitude and longitude of the cell centres, from the corner and size of the cells."""
    return [
        _axis("latitude", "Y", "degrees_north", about.lat_deg),
        _axis("longitude", "X", "degrees_east", about.lon_deg),
    ]


def _axis(name: str, axis: str, units: str, centres: np.ndarray) -> Variable:
    attributes: dict[str, Any] = {
        "standard_name": name,
        "long_name": name,
        "units": units,
        "axis": axis,
    }
    return Variable(name, (name,), centres, attributes)
