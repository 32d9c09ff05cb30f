"""Land-use codes on the product grid, strip by strip, and where land is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from landstep.data.prepare_config import YearMap
from landstep.data.product_grid import Region, lat_centres, lon_centres
from landstep.data.resample import nearest_cols, nearest_rows
from landstep.data.source_map import SourceMap, open_map
from landstep.emulator.classes import OUTSIDE, Scheme
from landstep.emulator.errors import InputError
from landstep.emulator.land_use import whole_codes

STRIP = 240
"""Rows of the product grid that are worked on at once: two degrees."""


class LandMask:
    """Where land is, in one bit a cell for each of two questions: 233 MB for the globe."""

    def __init__(self, shapes: Sequence[tuple[int, int]]) -> None:
        """Expect strips of these shapes."""
        self._shapes = list(shapes)
        self._ever: list[np.ndarray | None] = [None] * len(self._shapes)
        self._always: list[np.ndarray | None] = [None] * len(self._shapes)

    def add(self, number: int, land: np.ndarray) -> None:
        """Take in a year's strip: (rows, cols) bool, True on land."""
        bits = np.packbits(land)
        ever, always = self._ever[number], self._always[number]
        self._ever[number] = bits if ever is None else ever | bits
        self._always[number] = bits if always is None else always & bits

    def land(self, number: int) -> np.ndarray:
        """Cells of a strip that are land in any year: (rows, cols) bool."""
        return self._unpacked(self._ever, number)

    def count(self) -> tuple[int, int]:
        """How many cells are land in any year, and how many of them are sea in another."""
        strips = range(len(self._shapes))
        ever = sum(int(self._unpacked(self._ever, n).sum()) for n in strips)
        return ever, ever - sum(int(self._unpacked(self._always, n).sum()) for n in strips)

    def _unpacked(self, bits: list[np.ndarray | None], number: int) -> np.ndarray:
        shape, packed = self._shapes[number], bits[number]
        if packed is None:
            return np.zeros(shape, bool)
        return np.unpackbits(packed, count=shape[0] * shape[1]).reshape(shape).view(bool)


def check_reach(source: SourceMap, region: Region) -> None:
    """Refuse a map that does not reach all of a region; InputError says what it reaches."""
    lat = lat_centres(np.array([region.top, region.bottom - 1]))
    lon = lon_centres(np.array([region.left, region.right - 1]))
    if not all(held.all() for held in source.lattice.holds(lat, lon)):
        raise InputError(
            f"{source.where}: has cells in {source.lattice.extent()} (degrees, south:north,"
            f"west:east), expected all of the region {region}; ask for a smaller region"
        )


def land_strips(
    maps: Sequence[YearMap],
    variable: str,
    region: Region,
    of: Scheme,
    variant: str,
    mask: LandMask,
    progress: Callable[[int, int, str], None],
) -> Iterator[np.ndarray]:
    """Codes of the nearest source cell: year by year, strip by strip from north to south.

    mask : takes in where each year has land: any class but OUTSIDE, "not known" included
    returns : (rows, cols) uint8 file codes; what the file marks as missing is a no-data code
    Raises InputError, naming file and year, where a map cannot be read, does not reach the region,
    or has a code that the variant lacks.
    """
    strips = region.strips(STRIP)
    lon = lon_centres(region.cols)
    for of_year in maps:
        with open_map(of_year.path, variable, of_year.step) as source:
            check_reach(source, region)
            cols = nearest_cols(source.lattice, lon)
            for number, strip in enumerate(strips):
                progress(number, len(strips), f"land use {of_year.year}")
                lat = lat_centres(strip)
                where = f"{source.where}, year {of_year.year}, south of {lat[0]:.2f} degrees north"
                values = _gathered(source, nearest_rows(source.lattice, lat), cols)
                codes = whole_codes(values, of, variant, where, by_number=source.by_number)
                numbers = of.numbers_from_codes(codes, variant, where)
                mask.add(number, numbers != OUTSIDE)
                yield codes.astype(np.uint8)


def _gathered(source: SourceMap, rows: np.ndarray, cols: np.ndarray) -> np.ma.MaskedArray:
    top, left = int(rows.min()), int(cols.min())
    window = source.window(top, int(rows.max()) + 1, left, int(cols.max()) + 1)
    data, missing = (
        np.take(np.take(part, cols - left, axis=1), rows - top, axis=0)
        for part in (window.data, np.ma.getmaskarray(window))
    )
    return np.ma.MaskedArray(data, missing)
