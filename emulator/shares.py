"""Who owns which part of a map: rectangles of whole coarse cells with about the same land in each.

Cutting in two again and again along the longer side keeps the parts compact, so that their halos
are small. Source: Berger and Bokhari 1987, doi:10.1109/TC.1987.1676942 (recursive bisection).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from landstep.emulator.errors import ConfigError
from landstep.emulator.grid import Grid
from landstep.emulator.part import Part
from landstep.emulator.tiling import Box


@dataclass(frozen=True)
class Share:
    """What one rank has of a map.

    own : the part of the grid that it answers for; held : that and what its windows see around it,
        in whole coarse cells
    coarse_own, coarse_held : the same of the coarse cells that the map touches
    forcing : `coarse_held`, of the forcing's own grid
    """

    own: Part
    held: Part
    coarse_own: Part
    coarse_held: Part
    forcing: Part

    @property
    def own_box(self) -> Box:
        """The place of what it owns in what it holds."""
        return _within(self.own, self.held)

    @property
    def coarse_box(self) -> Box:
        """The place of the coarse cells that it owns in those that it holds."""
        return _within(self.coarse_own, self.coarse_held)

    @property
    def phase(self) -> tuple[int, int]:
        """Rows and columns of the grid before what it holds."""
        return self.held.top, self.held.left


@dataclass(frozen=True, eq=False)
class Division:
    """A grid to be divided among ranks.

    grid : of the map; row, col : the forcing's row of each fine row, its column of each fine column
    forcing : rows and columns of the forcing's grid
    reach : cells around a part that its windows may see
    """

    grid: Grid
    row: np.ndarray
    col: np.ndarray
    forcing: tuple[int, int]
    reach: int

    @property
    def coarse_shape(self) -> tuple[int, int]:
        """Coarse rows and columns that the map touches."""
        return int(np.ptp(self.row)) + 1, int(np.ptp(self.col)) + 1

    def whole(self) -> Share:
        """Give the share of a rank that is alone."""
        return self._share(Part.whole(self.grid.shape))

    def shares(self, land: np.ndarray, ranks: int) -> list[Share]:
        """Divide by land.

        land : (cy, cx) cells of land in each coarse cell that the map touches
        Raises ConfigError for more ranks than there are coarse cells.
        """
        if ranks > land.size:
            raise ConfigError(
                f"{ranks} ranks for {land.size} coarse cells, expected at most as many; "
                "take fewer ranks"
            )
        tops, lefts = (
            np.searchsorted(index - index[0], np.arange(size + 1))
            for index, size in zip((self.row, self.col), self.coarse_shape, strict=True)
        )
        return [
            self._share(
                Part(int(tops[y0]), int(tops[y1]), int(lefts[x0]), int(lefts[x1]), self.grid.shape)
            )
            for y0, y1, x0, x1 in _bisect(land, (0, land.shape[0], 0, land.shape[1]), ranks)
        ]

    def _share(self, own: Part) -> Share:
        held = self._held(own)
        coarse_held = self._coarse(held)
        top, left = int(self.row[0]), int(self.col[0])
        forcing = Part(
            coarse_held.top + top,
            coarse_held.bottom + top,
            coarse_held.left + left,
            coarse_held.right + left,
            self.forcing,
        )
        return Share(own, held, self._coarse(own), coarse_held, forcing)

    def _held(self, own: Part) -> Part:
        """Widen a part by the reach, to whole coarse cells."""
        (ny, nx), reach = own.of, self.reach
        top, bottom = max(0, own.top - reach), min(ny, own.bottom + reach)
        top = int(np.searchsorted(self.row, self.row[top], "left"))
        bottom = int(np.searchsorted(self.row, self.row[bottom - 1], "right"))
        left, right = own.left - reach, own.right + reach
        if not self.grid.wraps:
            left, right = max(0, left), min(nx, right)
        left -= left % nx - int(np.searchsorted(self.col, self.col[left % nx], "left"))
        last = (right - 1) % nx
        right += int(np.searchsorted(self.col, self.col[last], "right")) - 1 - last
        if right - left >= nx:
            left, right = 0, nx
        return Part(top, bottom, left, right, own.of)

    def _coarse(self, part: Part) -> Part:
        """Give the coarse cells of a part of whole ones."""
        row, col = self.row - self.row[0], self.col - self.col[0]
        nx, across = part.of[1], self.coarse_shape[1]
        turns = part.left // nx
        left = int(col[part.left % nx]) + turns * across
        right = int(col[(part.right - 1) % nx]) + 1 + (part.right - 1) // nx * across
        return Part(
            int(row[part.top]), int(row[part.bottom - 1]) + 1, left, right, self.coarse_shape
        )


def _bisect(land: np.ndarray, box: Box, ranks: int) -> Iterator[Box]:
    """Cut a box of coarse cells into as many as there are ranks, by land."""
    if ranks == 1:
        yield box
        return
    y0, y1, x0, x1 = box
    inside = land[y0:y1, x0:x1].astype(np.float64) + 1e-9
    axis = 0 if y1 - y0 >= x1 - x0 else 1
    fewer = ranks // 2
    before = np.cumsum(inside.sum(axis=1 - axis))
    place = 1 + int(np.abs(before[:-1] - before[-1] * fewer / ranks).argmin())
    above = place * inside.shape[1 - axis]
    below = inside.size - above
    fewer = min(max(fewer, ranks - below), above)
    if axis == 0:
        halves: tuple[Box, Box] = (y0, y0 + place, x0, x1), (y0 + place, y1, x0, x1)
    else:
        halves = (y0, y1, x0, x0 + place), (y0, y1, x0 + place, x1)
    yield from _bisect(land, halves[0], fewer)
    yield from _bisect(land, halves[1], ranks - fewer)


def _within(inner: Part, outer: Part) -> Box:
    """The place of one part in another that holds it."""
    top, left = inner.top - outer.top, inner.left - outer.left
    return top, top + inner.shape[0], left, left + inner.shape[1]
