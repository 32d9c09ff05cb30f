"""Maps of any size as pictures: read by strips, each pixel from the cells that it covers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from landstep.emulator.classes import MASKED, Scheme
from landstep.emulator.errors import InputError
from landstep.emulator.land_use import codes_of_year
from landstep.emulator.netcdf import NetcdfFile

STRIP = 1024
"""Rows that are read at once: those of a stored chunk, so that none is unpacked twice."""

Part = tuple[slice, slice]
"""Rows and columns of a map, each with start and stop."""

Block = tuple[int, int]
"""Rows and columns of cells in a pixel; the last pixels of a row or column may hold fewer."""


@dataclass(frozen=True, eq=False)
class Shown:
    """A map as it is drawn.

    classes : (py, px) uint8, the commonest class of each pixel's cells (the first of equals),
        MASKED where none is known
    """

    year: int
    classes: np.ndarray


@dataclass(frozen=True, eq=False)
class Change:
    """What changed from one map to another, as it is drawn.

    before, after : years
    share : (py, px) float64, changed cells of each pixel's land cells; NaN where there is no land
    became : (py, px) uint8, the commonest class that changed cells became, MASKED where none did
    changed, land : cells, in all; land is what may change: not fixed in the earlier map, and known
    """

    before: int
    after: int
    share: np.ndarray
    became: np.ndarray
    changed: int
    land: int


def read_map(path: Path, scheme: Scheme) -> np.ndarray:
    """Read a whole map that `Emulator.write` wrote: (y, x) uint8 class numbers."""
    with NetcdfFile(path) as file:
        codes = codes_of_year(file)
    numbers = np.full(256, MASKED, np.uint8)
    numbers[list(scheme.codes)] = np.arange(scheme.n_classes)
    return numbers[codes]


def read_maps(
    paths: Sequence[tuple[int, Path]],
    scheme: Scheme,
    part: Part,
    block: Block,
    change_block: Block,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[list[Shown], list[Change]]:
    """Read some years' maps in one pass, never more than two strips of them at a time.

    paths : (year, file) each, by increasing year
    part : what is drawn of the maps
    block, change_block : cells of a pixel of the maps, and of the changes between one and the next
    progress : told how many rows are done, of how many
    Raises InputError for a damaged file, or a code that the scheme lacks.
    """
    rows, cols = part
    shape = rows.stop - rows.start, cols.stop - cols.start
    maps = [MapTally(scheme, shape, block) for _ in paths]
    changes = [ChangeTally(scheme, shape, change_block) for _ in paths[1:]]
    with ExitStack() as stack:
        files = [stack.enter_context(NetcdfFile(path)) for _, path in paths]
        for top, bottom in strips(rows):
            before = None
            for n, file in enumerate(files):
                codes = codes_of_year(file, slice(top, bottom), cols)
                maps[n].add(codes, f"{file.path.name}, land_use")
                if before is not None:
                    changes[n - 1].add(before, codes)
                before = codes
            progress(bottom - rows.start, shape[0])
    years = [year for year, _ in paths]
    return (
        [Shown(year, tally.classes) for year, tally in zip(years, maps, strict=True)],
        [tally.change(*years[n : n + 2]) for n, tally in enumerate(changes)],
    )


def strips(rows: slice) -> Iterator[tuple[int, int]]:
    """Cut rows where stored chunks end: (top, bottom) each."""
    cuts = [rows.start, *range((rows.start // STRIP + 1) * STRIP, rows.stop, STRIP), rows.stop]
    yield from zip(cuts, cuts[1:], strict=False)


class _Tally:
    """Counts cells by class, one row of pixels after the other, from strips of any height."""

    def __init__(self, scheme: Scheme, shape: tuple[int, int], block: Block) -> None:
        self.scheme, self.shape, self.block = scheme, shape, block
        self.starts = np.arange(0, shape[1], block[1])
        self.classes = np.full((-(-shape[0] // block[0]), self.starts.size), MASKED, np.uint8)
        self.numbers = np.full(256, MASKED, np.uint8)
        self.numbers[list(scheme.codes)] = np.arange(scheme.n_classes)
        self._row = 0
        self._counts = self._none()

    def _none(self) -> np.ndarray:
        return np.zeros((self.scheme.n_classes, self.starts.size), np.int64)

    def _pieces(self, rows: int) -> Iterator[tuple[int, slice]]:
        """Cut the next rows where pixels end: the row of pixels, and where in the strip."""
        begin, end = self._row, self._row + rows
        while self._row < end:
            pixel = self._row // self.block[0]
            stop = min((pixel + 1) * self.block[0], end)
            yield pixel, slice(self._row - begin, stop - begin)
            self._row = stop
            if stop == min((pixel + 1) * self.block[0], self.shape[0]):
                self.classes[pixel] = commonest(self._counts)
                self._counts = self._none()


class MapTally(_Tally):
    """The commonest class of each pixel's cells."""

    def add(self, codes: np.ndarray, where: str) -> None:
        """Take the next rows of a map: (rows, x) uint8 codes.

        Raises InputError, with `where` in front, for a code that the scheme lacks.
        """
        self._refuse_unknown(codes, where)
        for _, piece in self._pieces(codes.shape[0]):
            self._counts += class_counts(codes[piece], self.scheme.codes, self.starts)

    def _refuse_unknown(self, codes: np.ndarray, where: str) -> None:
        known = np.zeros(256, bool)
        known[[*self.scheme.codes, MASKED]] = True
        for row, line in enumerate(codes):
            if not known[line].all():
                column = int(np.flatnonzero(~known[line])[0])
                raise InputError(
                    f"{where}: code {int(line[column])} at row {self._row + row}, column {column} "
                    f"of what is drawn; scheme {self.scheme.name} has {list(self.scheme.codes)}"
                )


class ChangeTally(_Tally):
    """The share of cells that change, and what most of them become."""

    def __init__(self, scheme: Scheme, shape: tuple[int, int], block: Block) -> None:
        super().__init__(scheme, shape, block)
        self.changed, self.land = (np.zeros(self.classes.shape, np.int64) for _ in range(2))
        self._moves = np.zeros(256, bool)
        self._moves[
            [c for c, fixed in zip(scheme.codes, scheme.fixed, strict=True) if not fixed]
        ] = True

    def add(self, before: np.ndarray, after: np.ndarray) -> None:
        """Take the next rows of two maps: (rows, x) uint8 codes each."""
        for pixel, piece in self._pieces(before.shape[0]):
            land = self._moves[before[piece]]
            self.land[pixel] += block_counts(land, self.starts)
            rows, cols = np.nonzero(land & (before[piece] != after[piece]))
            became = self.numbers[after[piece][rows, cols]]
            known = became != MASKED
            place = became[known].astype(np.int64) * self.starts.size
            place += cols[known] // self.block[1]
            counts = np.bincount(place, minlength=self._counts.size).reshape(self._counts.shape)
            self._counts += counts
            self.changed[pixel] += counts.sum(axis=0)

    def change(self, before: int, after: int) -> Change:
        """Give what was counted, between maps of two years."""
        share = np.where(self.land > 0, self.changed / np.maximum(self.land, 1), np.nan)
        changed, land = int(self.changed.sum()), int(self.land.sum())
        return Change(before, after, share, self.classes, changed, land)


def class_counts(codes: np.ndarray, of: Sequence[int], starts: np.ndarray) -> np.ndarray:
    """Count cells of each class in each pixel of one row of pixels.

    codes : (rows, x) uint8; of : the code of each class; starts : (px,) first column of each pixel
    returns : (n_classes, px) int64
    """
    return np.stack([block_counts(codes == code, starts) for code in of])


def block_counts(cells: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Count True cells in each pixel of one row of pixels.

    cells : (rows, x) bool; starts : (px,) first column of each pixel
    returns : (px,) int64
    """
    down = cells.view(np.uint8).sum(axis=0, dtype=np.min_scalar_type(cells.shape[0]))
    return np.add.reduceat(down, starts, dtype=np.int64)


def commonest(counts: np.ndarray) -> np.ndarray:
    """Number of the class with most cells, the first of equals: (px,) uint8.

    counts : (n_classes, px); where all are 0 the class is MASKED
    """
    return np.where(counts.any(axis=0), counts.argmax(axis=0), MASKED).astype(np.uint8)
