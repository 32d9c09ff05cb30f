"""Static maps on other grids, brought to any rows and columns of the product grid."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

import numpy as np

from landstep.data.product_grid import PER_DEGREE, lat_centres, lon_centres
from landstep.data.resample import col_weights, nearest_cols, nearest_rows, row_weights
from landstep.data.source_map import SourceMap
from landstep.emulator.errors import InputError
from landstep.emulator.length_units import is_metres, other_unit
from landstep.emulator.statics import ELEVATION_RANGE_M, LARGEST_CODE
from landstep.emulator.whole import whole_numbers

_CELLS_AT_ONCE = 2**24  # of the source, or of the product grid: bounds the memory
_MOST_SAMPLES = (720, 1440)


class StaticMap(ABC):
    """A static map: values of cells of the product grid, and where they are known."""

    dtype: type[np.generic]

    def __init__(self, source: SourceMap) -> None:
        """Take an open map."""
        self.source = source

    def block(self, rows: np.ndarray, cols: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Values of some rows and columns of the product grid.

        rows : (m,) int64, one after the other; cols : (n,) int64, in any order
        returns : values (m, n) of the static's dtype, and (m, n) bool, False where the source has
            none, or does not reach
        Raises InputError where a value cannot be.
        """
        lat, lon = lat_centres(rows), lon_centres(cols)
        in_rows, in_cols = (np.flatnonzero(held) for held in self.source.lattice.holds(lat, lon))
        values = np.zeros((rows.size, cols.size), self.dtype)
        known = np.zeros(values.shape, bool)
        if not in_rows.size or not in_cols.size:
            return values, known
        for part in self._parts(in_rows, in_cols.size):
            where = np.ix_(part, in_cols)
            values[where], known[where] = self._resampled(lat[part], lon[in_cols])
        return values, known

    def samples(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Latitude, longitude and value of the source's known cells: (n,) each.

        Of a source with more than 720 x 1440 cells, every second, third, ... row and column.
        """
        ny, nx = self.source.lattice.shape
        down, right = (-(-size // most) for size, most in zip((ny, nx), _MOST_SAMPLES, strict=True))
        lat, lon, values = [], [], []
        for row in range(0, ny, down):
            line, known = self._checked(self.source.window(row, row + 1, 0, nx))
            cols = np.flatnonzero(known[0])
            cols = cols[cols % right == 0]
            lat.append(np.full(cols.size, self.source.lattice.lat_deg[row]))
            lon.append(self.source.lattice.lon_deg[cols])
            values.append(line[0, cols])
        return np.concatenate(lat), np.concatenate(lon), np.concatenate(values)

    def _parts(self, rows: np.ndarray, width: int) -> Iterator[np.ndarray]:
        """Cut rows so that neither the source's part nor the product's is large."""
        ratios = [max(1.0, 1 / PER_DEGREE / step) for step in self.source.lattice.spacing_deg]
        step = max(1, int(_CELLS_AT_ONCE / (width * ratios[0] * ratios[1])))
        for start in range(0, rows.size, step):
            yield rows[start : start + step]

    def _window(self, rows: np.ndarray, cols: np.ndarray) -> tuple[np.ma.MaskedArray, int, int]:
        """Values of the source from the first to the last of some rows and columns."""
        top, left = int(rows.min()), int(cols.min())
        window = self.source.window(top, int(rows.max()) + 1, left, int(cols.max()) + 1)
        return window, top, left

    @abstractmethod
    def _resampled(self, lat: np.ndarray, lon: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Values at some latitudes and longitudes, and where they are known."""

    @abstractmethod
    def _checked(self, found: np.ma.MaskedArray) -> tuple[np.ndarray, np.ndarray]:
        """Values of the source as the static's dtype, and where they are known."""


class CodeMap(StaticMap):
    """Codes of the nearest centre; 0 and what is missing are unknown."""

    dtype = np.uint8

    def __init__(self, source: SourceMap, name: str) -> None:
        """Take an open map and the static's name, which says how large a code may be."""
        super().__init__(source)
        self.largest = LARGEST_CODE[name]

    def _resampled(self, lat: np.ndarray, lon: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        rows, cols = (
            nearest_rows(self.source.lattice, lat),
            nearest_cols(self.source.lattice, lon),
        )
        window, top, left = self._window(rows, cols)
        codes, _ = self._checked(window)
        values = codes[rows - top][:, cols - left]
        return values, values > 0

    def _checked(self, found: np.ma.MaskedArray) -> tuple[np.ndarray, np.ndarray]:
        expected = f"whole numbers 0 to {self.largest} (0: none)"
        whole, missing = whole_numbers(found, self.source.where, expected)
        values = np.where(missing, 0, whole)
        wrong = (values < 0) | (values > self.largest)
        if wrong.any():
            raise InputError(
                f"{self.source.where}: {values[wrong][0]} in {int(wrong.sum())} or more cells, "
                f"expected {expected}; is a fill value not declared?"
            )
        return values.astype(np.uint8), values > 0


class ElevationMap(StaticMap):
    """Elevation in m: the area mean of smaller cells, or between the centres of larger ones.

    A missing value counts for nothing; where all that would count are missing, so is the result.
    """

    dtype = np.float32

    def __init__(self, source: SourceMap, unit: str | None) -> None:
        """Take an open map in metres.

        unit : "m" where the user says so, else None
        Raises InputError where the file names another unit and the user does not.
        """
        super().__init__(source)
        if unit is None and not is_metres(source.units):
            raise InputError(
                f"{source.where}: units {source.units!r}, expected 'm'; "
                f'{other_unit(source.units)}, or write elevation_unit = "m" if it is in metres'
            )

    def _resampled(self, lat: np.ndarray, lon: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        lattice = self.source.lattice
        by_row = row_weights(lattice, lat, 1 / PER_DEGREE)
        by_col = col_weights(lattice, lon, 1 / PER_DEGREE)
        window, top, left = self._window(by_row.indices, by_col.indices)
        heights, known = self._checked(window)
        by_row = by_row[:, top : top + window.shape[0]]
        by_col = by_col[:, left : left + window.shape[1]]
        weight = (by_col @ np.ascontiguousarray((by_row @ known.astype(np.float32)).T)).T
        height = (by_col @ np.ascontiguousarray((by_row @ np.where(known, heights, 0)).T)).T
        counts = weight > 0
        return np.divide(height, weight, out=np.zeros_like(height), where=counts), counts

    def _checked(self, found: np.ma.MaskedArray) -> tuple[np.ndarray, np.ndarray]:
        stored, known = found.data, ~np.ma.getmaskarray(found)
        low, high = ELEVATION_RANGE_M
        wrong = known & ((stored < low) | (stored > high))
        if wrong.any():
            raise InputError(
                f"{self.source.where}: elevation {stored[wrong][0]:g} in {int(wrong.sum())} or "
                f"more cells, expected {low:g} to {high:g} m; is it a fill value that the file "
                "does not declare, the depth of the sea (set it to missing), or another unit?"
            )
        return np.where(known, stored, 0).astype(np.float32), known
