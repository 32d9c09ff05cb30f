"""A GeoTIFF read piece by piece."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio.errors import RasterioError, RasterioIOError
from rasterio.windows import Window

from landstep.data.geotiff import describe
from landstep.emulator.errors import InputError

_CACHE_MIB = 64
"""What GDAL may keep of blocks that it has read; by default it takes a share of the machine."""


@dataclass(frozen=True, eq=False)
class Raster:
    """A GeoTIFF of one band that is open.

    lat_deg, lon_deg : (ny,), (nx,) float64, cell centres as the file has them
    nodata : the number that means "missing", or None
    block_rows : rows that the file keeps together
    itemsize : bytes of a value
    """

    path: Path
    lat_deg: np.ndarray
    lon_deg: np.ndarray
    nodata: float | None
    block_rows: int
    itemsize: int
    _dataset: Any

    def read(self, rows: slice, cols: slice) -> np.ndarray:
        """Values of some rows and columns of the file; floats are NaN where missing.

        Raises InputError where the file is damaged.
        """
        window = Window(cols.start, rows.start, cols.stop - cols.start, rows.stop - rows.start)
        try:
            values = np.asarray(self._dataset.read(1, window=window))
        except (RasterioIOError, RasterioError) as error:
            raise InputError(f"{self.path}: damaged GeoTIFF: {error}") from error
        if values.dtype.kind == "f" and self.nodata is not None:
            values[values == self.nodata] = np.nan
        return values


@contextlib.contextmanager
def open_raster(path: Path) -> Iterator[Raster]:
    """Open a GeoTIFF; InputError where it is not one map in latitude and longitude."""
    described = describe(path, kinds="iuf")
    dx, _, west, _, dy, north = described.transform
    ny, nx = described.shape
    with rasterio.Env(GDAL_CACHEMAX=_CACHE_MIB), rasterio.open(path) as dataset:
        yield Raster(
            path,
            north + dy * (np.arange(ny) + 0.5),
            west + dx * (np.arange(nx) + 0.5),
            described.nodata,
            int(dataset.block_shapes[0][0]),
            np.dtype(dataset.dtypes[0]).itemsize,
            dataset,
        )
