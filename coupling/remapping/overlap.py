"""Exact overlap of host rectangles with the cells of a regular grid.

Each cell's whole-numbered area is shared out by rounding sums, not parts: first along latitude,
R(A f(north)) - R(A f(south)) with f the share of the cell south of an edge, then in each such band
along longitude, in the same way. What two rectangles have between them thus cancels, and where
rectangles cover a cell once, however they lie, their parts add up to its area to the last unit.
The bands are those of all rectangles, so one whose own edges lie elsewhere may move a part of
another by a unit; in grids made of rows, regular or reduced, none does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from landstep.coupling.points import Points
from landstep.coupling.remapping.angles import POLE, TURN, sine_between, whole
from landstep.coupling.remapping.runs import add_runs, checked, pieces, renumbered, runs_in
from landstep.emulator.grid import Grid
from landstep.emulator.part import Part


@dataclass(frozen=True)
class Bands:
    """The rows of a part, cut where rectangles begin and end in latitude.

    edges : (m + 1,) int64 latitudes in STEP_DEG, north to south
    row : (m,) int64, the part's row that each band lies in
    area : (m,) int64, of the band in one cell of the row, in AREA_UNIT_M2
    """

    edges: np.ndarray
    row: np.ndarray
    area: np.ndarray

    @classmethod
    def make(cls, lat_edges: np.ndarray, area: np.ndarray, others: np.ndarray) -> Bands:
        """Cut rows at other latitudes.

        lat_edges : (rows + 1,) int64, north to south; area : (rows,) int64; others : int64
        """
        held = others[(others < lat_edges[0]) & (others > lat_edges[-1])]
        edges = np.unique(np.concatenate([lat_edges, held]))[::-1]
        row = np.searchsorted(-lat_edges, -edges[:-1], side="right") - 1
        upper, lower = lat_edges[row], lat_edges[row + 1]
        share = sine_between(lower, edges[:-1]) / sine_between(lower, upper)
        below = np.rint(area[row] * share).astype(np.int64)
        below = np.where(edges[:-1] == upper, area[row], below)
        next_below = np.where(edges[1:] == lower, 0, np.append(below[1:], 0))
        return cls(edges, row, below - next_below)


@dataclass(frozen=True)
class RectangleOverlap:
    """Host rectangles on a part of a regular grid.

    n : points; part : of the grid
    bands : of the part's rows
    point : (m,) int64, whose rectangle a run of columns belongs to
    top, bottom : (m,) int64, its bands; bottom excluded
    first, stop : (m,) int64, columns of the part
    west, east : (m,) float64, the share of each of these columns that lies west of the run's
        western and eastern edge: 0 and 1 where it holds them whole
    """

    n: int
    part: Part
    bands: Bands
    point: np.ndarray
    top: np.ndarray
    bottom: np.ndarray
    first: np.ndarray
    stop: np.ndarray
    west: np.ndarray
    east: np.ndarray

    @classmethod
    def make(cls, points: Points, grid: Grid, part: Part) -> RectangleOverlap:
        """Find the bands and columns under each rectangle."""
        served = np.flatnonzero(points.mask)
        west, width, south, north = points.take(served).whole_rectangles()
        lat_edges = whole(grid.lat_edges())[part.top : part.bottom + 1]
        area = grid.cell_area()[part.rows, 0]
        bands = Bands.make(lat_edges, area, np.concatenate([south, north]))
        top = np.maximum(np.searchsorted(-bands.edges, -north, side="left"), 0)
        bottom = np.minimum(np.searchsorted(-bands.edges, -south, side="left"), bands.row.size)
        edges = lon_edges(grid)
        start = (west - edges[0]) % TURN
        edges = edges - edges[0]
        runs: list[tuple[np.ndarray, ...]] = []
        for begin, end in ((start, start + width), (0 * start, start + width - TURN)):
            for run in _columns(begin, np.minimum(end, edges[-1]), edges):
                which, first, stop, low, high = run
                for k, left, right in runs_in(part, first, stop):
                    runs.append((which[k], left, right, low[k], high[k]))
        which, first, stop, low, high = (np.concatenate(each) for each in zip(*runs, strict=True))
        return cls(
            points.n, part, bands, served[which], top[which], bottom[which], first, stop, low, high
        )

    def class_areas(self, numbers: np.ndarray, n_classes: int) -> np.ndarray:
        """Area of each class, as in Remap."""
        areas = np.zeros((self.n, n_classes + 1), np.int64)
        bands, width = self.bands, checked(numbers, self.part).shape[1]
        for rows in pieces(self.part.shape):
            low, high = np.searchsorted(bands.row, [rows.start, rows.stop])
            run = np.flatnonzero((self.top < high) & (self.bottom > low))
            if not run.size:
                continue
            top, bottom = np.maximum(self.top[run], low), np.minimum(self.bottom[run], high)
            count = np.maximum(bottom - top, 0)
            band = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count - top, count)
            run = np.repeat(run, count)
            area = _up_to(bands.area[band], self.east[run])
            area -= _up_to(bands.area[band], self.west[run])
            row = (bands.row[band] - rows.start) * width
            first, stop = row + self.first[run], row + self.stop[run]
            add_runs(areas, numbers[rows].ravel(), first, stop, self.point[run], area)
        return areas

    def cell_counts(self) -> np.ndarray:
        """How many cells each rectangle touches, as in Remap."""
        held = np.flatnonzero(self.bottom > self.top)
        rows = self.bands.row[self.bottom[held] - 1] - self.bands.row[self.top[held]] + 1
        count = np.zeros(self.n, np.int64)
        np.add.at(count, self.point[held], rows * (self.stop[held] - self.first[held]))
        return count

    def only(self, places: np.ndarray) -> RectangleOverlap:
        """Keep some points, as in Remap: the bands stay those of all."""
        point = renumbered(self.point, self.n, places)
        held = np.flatnonzero(point >= 0)
        names = ("top", "bottom", "first", "stop", "west", "east")
        kept = {name: getattr(self, name)[held] for name in names}
        return replace(self, n=places.size, point=point[held], **kept)


def lon_edges(grid: Grid) -> np.ndarray:
    """Edges of a regular grid's columns: (nx + 1,) int64 in STEP_DEG; a whole turn where it wraps.

    Source: HILDA+ v1's columns do not divide 360 degrees; the last one ends where the first begins.
    """
    edges = whole(grid.lon_edges())
    if grid.wraps:
        edges[-1] = edges[0] + TURN
    return edges


def rectangle_coverage(points: Points, grid: Grid) -> np.ndarray:
    """Share of each rectangle's area that lies in a regular grid: (n,) float64, 0..1.

    points : all of them served
    """
    west, width, south, north = points.whole_rectangles()
    top, bottom = whole(grid.lat_edges())[[0, -1]]
    low = np.clip(south, bottom, POLE)
    high = np.maximum(np.minimum(north, top), low)
    edges = lon_edges(grid)
    start, span = (west - edges[0]) % TURN, edges[-1] - edges[0]
    inside = np.minimum(start + width, span) - np.minimum(start, span)
    inside += np.clip(start + width - TURN, 0, span)
    share = sine_between(low, high) / sine_between(south, north) * (inside / width)
    return np.clip(share, 0.0, 1.0)


def _up_to(area: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Round shares of areas; all of it is all of it, also where a double has too few figures."""
    return np.where(share == 1, area, np.rint(area * share).astype(np.int64))


def _columns(
    begin: np.ndarray, end: np.ndarray, edges: np.ndarray
) -> list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """Columns between longitudes where end > begin: whole ones, and those cut at either end.

    begin, end : (m,) int64; edges : (nx + 1,) int64 from 0
    returns : three lists of (which, first, stop, west, east), as in RectangleOverlap
    """
    which = np.flatnonzero(end > begin)
    begin, end = begin[which], end[which]
    first = np.searchsorted(edges, begin, side="right") - 1
    last = np.searchsorted(edges, end, side="left") - 1
    width = np.diff(edges)
    west = (begin - edges[first]) / width[first]
    east = (end - edges[last]) / width[last]
    alone = first == last
    cut_first = alone | (west > 0)
    cut_last = ~alone & (east < 1)
    zero, one = np.zeros(which.size), np.ones(which.size)
    inner = first + cut_first, last + 1 - cut_last
    found = [
        (inner[1] > inner[0], *inner, zero, one),
        (cut_first, first, first + 1, west, np.where(alone, east, one)),
        (cut_last, last, last + 1, zero, east),
    ]
    return [(which[k], a[k], b[k], c[k], d[k]) for k, a, b, c, d in found]
