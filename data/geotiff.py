"""HILDA+ GeoTIFFs, one a year, to the NetCDF form that the emulator reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio.errors import RasterioError, RasterioIOError

from landstep.emulator.errors import InputError
from landstep.emulator.netcdf import Variable, write_netcdf
from landstep.emulator.output import time_axis

_ALIGNED = 0.01  # cells by which the corner of one year's map may differ from another's


@dataclass(frozen=True)
class _Raster:
    """What must be the same in every year's file."""

    shape: tuple[int, int]
    transform: tuple[float, ...]
    nodata: float | None


def geotiff_to_netcdf(tifs: Mapping[int, Path], out: Path) -> None:
    """Write yearly GeoTIFFs of class codes as one NetCDF file, `LULC_states(time, lat, lon)`.

    tifs : year -> single-band GeoTIFF of codes 0..255 in geographic coordinates
    out : the NetCDF file; one that is there is replaced. One year is in memory at a time. The
        files' no-data code becomes `_FillValue`, unless it is 0: 0 is ocean, a class
    Raises InputError, naming the file, when it cannot be read, is projected (x/y without lat, lon:
    such a map needs 2-D latitude and longitude), is rotated, holds what is no code, or differs in
    grid from the first year's.
    """
    if not tifs:
        raise InputError(f"{out}: no GeoTIFFs given, expected one a year")
    years = sorted(tifs)
    first = describe(Path(tifs[years[0]]))
    for year in years[1:]:
        _check_same(describe(Path(tifs[year])), first, Path(tifs[year]), Path(tifs[years[0]]))
    ny, nx = first.shape
    fill = int(first.nodata) if first.nodata and 0 < first.nodata <= 255 else None
    codes = Variable(
        "LULC_states",
        ("time", "latitude", "longitude"),
        _maps([Path(tifs[year]) for year in years]),
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
            "source": ", ".join(Path(tifs[year]).name for year in years),
            "history": "landstep: converted from GeoTIFF",
            "phase": "01-01",
        },
    )


def describe(path: Path, kinds: str = "iu") -> _Raster:
    """Read the grid of a GeoTIFF; InputError where it is not a map in latitude and longitude.

    kinds : of numbers that its one band may hold, as in dtype.kind
    """
    try:
        with rasterio.open(path) as raster:
            crs, transform = raster.crs, raster.transform
            described = _Raster(
                (int(raster.height), int(raster.width)),
                tuple(float(number) for number in transform)[:6],
                raster.nodata,
            )
            bands, kind = raster.count, np.dtype(raster.dtypes[0]).kind
    except (RasterioIOError, RasterioError) as error:
        raise InputError(f"{path}: cannot be read as GeoTIFF: {error}") from error
    if bands != 1 or kind not in kinds:
        what = "numbers" if "f" in kinds else "whole numbers"
        raise InputError(f"{path}: {bands} bands of kind {kind!r}, expected one of {what}")
    if crs is None or not crs.is_geographic:
        name = "no coordinate system" if crs is None else str(crs)
        raise InputError(
            f"{path}: projected x/y without lat, lon: refused ({name}); expected latitude and "
            "longitude (EPSG:4326): warp it with nearest neighbour first (gdalwarp -r near)"
        )
    _, row_skew, _, col_skew, _, _ = described.transform
    if row_skew or col_skew:
        raise InputError(f"{path}: rotated grid {described.transform}, expected one north up")
    return described


def _check_same(found: _Raster, expected: _Raster, path: Path, first: Path) -> None:
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
    if found.nodata != expected.nodata:
        raise InputError(
            f"{path}: no-data code {found.nodata}, expected {expected.nodata} (that of "
            f"{first.name})"
        )


def _maps(paths: list[Path]) -> Iterator[np.ndarray]:
    """Codes year by year, (y, x) uint8."""
    for path in paths:
        try:
            with rasterio.open(path) as raster:
                codes = raster.read(1)
        except (RasterioIOError, RasterioError) as error:
            raise InputError(f"{path}: damaged GeoTIFF: {error}") from error
        if codes.min() < 0 or codes.max() > 255:
            raise InputError(
                f"{path}: values {codes.min()} to {codes.max()}, expected class codes 0 to 255"
            )
        yield codes.astype(np.uint8)


def _axes(raster: _Raster) -> list[Variable]:
    """Latitude and longitude of the cell centres, from the corner and size of the cells."""
    dx, _, west, _, dy, north = raster.transform
    ny, nx = raster.shape
    return [
        _axis("latitude", "Y", "degrees_north", north + dy * (np.arange(ny) + 0.5)),
        _axis("longitude", "X", "degrees_east", west + dx * (np.arange(nx) + 0.5)),
    ]


def _axis(name: str, axis: str, units: str, centres: np.ndarray) -> Variable:
    attributes: dict[str, Any] = {
        "standard_name": name,
        "long_name": name,
        "units": units,
        "axis": axis,
    }
    return Variable(name, (name,), centres, attributes)
