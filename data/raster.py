"""A GeoTIFF of one map, read piece by piece: values as GDAL scales them, masked as GDAL masks."""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio.enums import ColorInterp, MaskFlags
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.windows import Window

from landstep.emulator.errors import InputError

_CACHE_MIB = 64
"""What GDAL may keep of blocks that it has read; by default it takes a share of the machine."""

_ERRORS = (RasterioError, OSError, ValueError)
"""What rasterio raises for a file that is damaged or no raster."""

_MOST_CELLS = 2**20  # along a side: more cells than any map of the Earth has


@dataclass(frozen=True)
class Description:
    """What a GeoTIFF says of its map.

    shape : rows and columns
    transform : GDAL's six numbers, in degrees
    units : of its values; empty where it says nothing
    by_number : a number marks what is missing, not a mask of its own
    nodata : that number, or None
    scale, offset : value = stored number x scale + offset
    """

    shape: tuple[int, int]
    transform: tuple[float, ...]
    units: str
    by_number: bool
    nodata: float | None
    scale: float
    offset: float

    @property
    def lat_deg(self) -> np.ndarray:
        """Latitudes of the cell centres, in the file's order: (ny,) float64."""
        _, _, _, _, dy, north = self.transform
        return north + dy * (np.arange(self.shape[0]) + 0.5)

    @property
    def lon_deg(self) -> np.ndarray:
        """Longitudes of the cell centres, in the file's order: (nx,) float64."""
        dx, _, west, _, _, _ = self.transform
        return west + dx * (np.arange(self.shape[1]) + 0.5)


@dataclass(frozen=True, eq=False)
class Raster:
    """A GeoTIFF of one map that is open.

    about : what it says of its map
    block_rows : rows that the file keeps together
    itemsize : bytes of a value
    """

    path: Path
    about: Description
    block_rows: int
    itemsize: int
    _dataset: Any

    def read(self, rows: slice, cols: slice) -> np.ma.MaskedArray:
        """Values of some rows and columns of the file, masked where GDAL masks them, or NaN.

        returns : floats in their precision; integers in their type, or float64 where the band has
            a scale or an offset
        Raises InputError where the file is damaged.
        """
        window = Window(cols.start, rows.start, cols.stop - cols.start, rows.stop - rows.start)
        try:
            values = np.asarray(self._dataset.read(1, window=window))
            missing = self._dataset.read_masks(1, window=window) == 0
        except _ERRORS as error:
            raise InputError(f"{self.path}: damaged GeoTIFF: {error}") from error
        if values.dtype.kind == "f":
            missing |= np.isnan(values)
        about = self.about
        if (about.scale, about.offset) != (1.0, 0.0):
            if values.dtype.kind != "f":
                values = values.astype(np.float64)
            with np.errstate(over="ignore", invalid="ignore"):  # of what is missing
                values = values * values.dtype.type(about.scale) + values.dtype.type(about.offset)
        return np.ma.MaskedArray(values, missing)


@contextlib.contextmanager
def open_raster(path: Path) -> Iterator[Raster]:
    """Open a GeoTIFF; InputError where it is not one map in latitude and longitude."""
    with rasterio.Env(GDAL_CACHEMAX=_CACHE_MIB):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", NotGeoreferencedWarning)  # refused below, in words
                dataset = rasterio.open(os.path.abspath(path), driver="GTiff")
        except _ERRORS as error:
            raise InputError(f"{path}: cannot be read as GeoTIFF: {error}") from error
        with dataset:
            about = _description(path, dataset)
            yield Raster(
                path,
                about,
                int(dataset.block_shapes[0][0]),
                np.dtype(dataset.dtypes[0]).itemsize,
                dataset,
            )


def describe(path: Path) -> Description:
    """Read what a GeoTIFF says of its map; InputError where `open_raster` raises it."""
    with open_raster(path) as raster:
        return raster.about


def _description(path: Path, dataset: Any) -> Description:
    _check_bands(path, dataset)
    crs = dataset.crs
    if crs is None or not crs.is_geographic:
        name = "no coordinate system" if crs is None else str(crs)
        raise InputError(
            f"{path}: projected x/y without lat, lon: refused ({name}); expected latitude and "
            "longitude (EPSG:4326): warp it with nearest neighbour first (gdalwarp -r near)"
        )
    transform = tuple(float(number) for number in dataset.transform)[:6]
    dx, row_skew, _, col_skew, dy, _ = transform
    if row_skew or col_skew:
        raise InputError(f"{path}: rotated grid {transform}, expected one north up")
    if not (np.isfinite(transform).all() and dx and dy):
        raise InputError(f"{path}: cells of {dx} x {dy} degrees, expected a size")
    shape = (int(dataset.height), int(dataset.width))
    if max(shape) > _MOST_CELLS:
        raise InputError(f"{path}: {shape[0]}x{shape[1]} cells, expected at most {_MOST_CELLS}")
    scale, offset = float(dataset.scales[0]), float(dataset.offsets[0])
    if not (np.isfinite([scale, offset]).all() and scale):
        raise InputError(
            f"{path}: scale {scale} and offset {offset} of the band, expected numbers; correct "
            "them (gdal_edit.py -scale 1 -offset 0)"
        )
    flags = dataset.mask_flag_enums[0]
    return Description(
        shape,
        transform,
        str(dataset.units[0] or "").strip(" \t\r\n\0"),
        MaskFlags.nodata in flags or MaskFlags.all_valid in flags,
        dataset.nodata if MaskFlags.nodata in flags else None,
        scale,
        offset,
    )


def _check_bands(path: Path, dataset: Any) -> None:
    """Refuse anything but one band of real numbers, which a band of opacity may follow."""
    kinds = [np.dtype(name).kind if "complex" not in name else "c" for name in dataset.dtypes]
    alpha = dataset.count == 2 and dataset.colorinterp[1] == ColorInterp.alpha
    if dataset.count != 1 and not alpha:
        colours = {ColorInterp.red, ColorInterp.green, ColorInterp.blue} <= {*dataset.colorinterp}
        raise InputError(
            f"{path}: {dataset.count} bands"
            + (" of red, green and blue: a picture, not numbers;" if colours else ",")
            + " expected one band of numbers (gdal_translate -b BAND writes one)"
        )
    if kinds[0] not in "iuf":
        raise InputError(f"{path}: band of {dataset.dtypes[0]}, expected real numbers")
