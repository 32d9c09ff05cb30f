"""One map of a file, read piece by piece: NetCDF or GeoTIFF, in any order of rows and columns."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from landstep.data.lattice import Lattice
from landstep.emulator.attributes import text
from landstep.emulator.errors import InputError
from landstep.emulator.netcdf import NetcdfFile

TIFF = (".tif", ".tiff")

_MOST_KEPT = 2**28
"""Bytes of rows that a file keeps together up to which they are read together; larger ones are
unpacked anew for each window, which takes longer, and less memory."""


@dataclass(eq=False)
class SourceMap:
    """A map of a file that is open, read from north to south.

    where : file and variable, for messages
    lattice : places of its cells
    units : what the file says of its values; empty where nothing
    by_number : a number marks what is missing, not a mask of its own
    """

    where: str
    lattice: Lattice
    units: str
    by_number: bool
    _values: Callable[[slice, slice], np.ma.MaskedArray]
    _chunk_rows: int
    _band: np.ma.MaskedArray = field(default_factory=lambda: np.ma.MaskedArray(np.empty((0, 0))))
    _held: tuple[int, int, int, int] = (0, 0, 0, 0)

    def window(self, top: int, bottom: int, left: int, right: int) -> np.ma.MaskedArray:
        """Values of rows top..bottom-1 and columns left..right-1 of `lattice`, masked if missing.

        Rows that the file keeps together are read once, as long as windows follow one another
        southward over the same columns.
        """
        held_top, held_bottom, *sides = self._held
        if sides != [left, right] or not held_top <= top < held_bottom:
            held_top = held_bottom = top
            self._band = self._band[:0, :0]
        if bottom > held_bottom:
            end = self._chunk_end(bottom)
            more = self._oriented(held_bottom, end, left, right)
            kept = self._band[top - held_top :]
            self._band = np.ma.concatenate([kept, more]) if kept.size else more
            held_top, held_bottom = top, end
        self._held = (held_top, held_bottom, left, right)
        return self._band[top - held_top : bottom - held_top]

    def _chunk_end(self, bottom: int) -> int:
        """First row at or after `bottom` at which the file starts another chunk."""
        ny, rows = self.lattice.shape[0], self._chunk_rows
        if self.lattice.south_first:
            return ny - (ny - bottom) // rows * rows
        return min(ny, -(-bottom // rows) * rows)

    def _oriented(self, top: int, bottom: int, left: int, right: int) -> np.ma.MaskedArray:
        ny, nx = self.lattice.shape
        turned = self.lattice.south_first
        rows = slice(ny - bottom, ny - top) if turned else slice(top, bottom)
        first = (left - self.lattice.roll) % nx
        width = right - left
        parts = [self._values(rows, slice(first, min(nx, first + width)))]
        if first + width > nx:
            parts.append(self._values(rows, slice(0, first + width - nx)))
        values = np.ma.concatenate(parts, axis=1) if len(parts) > 1 else parts[0]
        return values[::-1] if turned else values


@contextlib.contextmanager
def open_map(path: Path, variable: str, step: int | None = None) -> Iterator[SourceMap]:
    """Open one map of a file; a GeoTIFF has one only, and no variables.

    step : index along the first of three dimensions; None: the only map there is
    Raises InputError where the file is not one map in latitude and longitude.
    """
    if path.suffix.lower() in TIFF:
        from landstep.data.raster import open_raster

        with open_raster(path) as raster:
            about = raster.about
            lattice = Lattice.of_axes(about.lat_deg, about.lon_deg, path.name)
            rows = _kept_rows(raster.block_rows, lattice, raster.itemsize)
            yield SourceMap(path.name, lattice, about.units, about.by_number, raster.read, rows)
        return
    with NetcdfFile(path) as file:
        lattice, leading = Lattice.of_variable(file, variable), file.shape(variable)[:-2]
        index = (step,) if step is not None else (0,) * len(leading)
        if len(index) != len(leading) or (step is None and any(n != 1 for n in leading)):
            raise InputError(
                f"{path.name}, {variable}: dims {file.dims(variable)} of sizes "
                f"{file.shape(variable)}, expected one map (lat, lon)"
            )
        file.encoding(variable)
        yield SourceMap(
            f"{path.name}, {variable}",
            lattice,
            text(file.attrs(variable), "units"),
            True,
            lambda rows, cols: file.masked(variable, (*index, rows, cols)),
            _kept_rows(file.chunk_rows(variable), lattice, file.dtype(variable).itemsize),
        )


def _kept_rows(stored_together: int, lattice: Lattice, itemsize: int) -> int:
    return stored_together if stored_together * lattice.shape[1] * itemsize <= _MOST_KEPT else 1
