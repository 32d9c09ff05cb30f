"""Exact overlap of host rectangles with the cells of a regular grid, row by row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from landstep.coupling.points import Points
from landstep.emulator.classes import MASKED
from landstep.emulator.grid import Grid


@dataclass(frozen=True)
class Rows:
    """The rows of the grid under each rectangle.

    top, bottom : (n,) int64, bottom excluded; no row where they are equal
    ny : rows of the grid
    """

    top: np.ndarray
    bottom: np.ndarray
    ny: int

    def members(self, point: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Which of some rectangles lie on each row: places in `point`, row after row, and where
        each row's begin, (ny + 1,).
        """
        height = self.bottom[point] - self.top[point]
        member = np.repeat(np.arange(point.size), height)
        first = np.repeat(np.cumsum(height) - height, height)
        row = np.repeat(self.top[point], height) + np.arange(member.size) - first
        start = np.searchsorted(np.sort(row), np.arange(self.ny + 1))
        return member[np.argsort(row, kind="stable")], start


@dataclass(frozen=True)
class Span:
    """A run of columns under each rectangle: [first, last], the ends covered in part.

    point : (m,) int64, the rectangles that have one
    first, last : (m,) int64 columns
    first_share, last_share : (m,) float64, share of the end columns' width, 0..1; where first and
        last are the same column, first_share is all of it and last_share is 0
    member : places in the arrays above, row after row of the grid
    start : (ny + 1,) int64, where each row's members begin in `member`
    """

    point: np.ndarray
    first: np.ndarray
    last: np.ndarray
    first_share: np.ndarray
    last_share: np.ndarray
    member: np.ndarray
    start: np.ndarray


@dataclass(frozen=True)
class RectangleOverlap:
    """Host rectangles on a regular grid.

    sines : (ny + 1,) sine of the rows' edges, north to south
    south, north : (n,) sine of the rectangles' edges
    area : (ny,) int64 area of a row's cells, in AREA_UNIT_M2
    spans : one or two runs of columns a rectangle (two where it crosses the grid's western edge)
    coverage : (n,) float64 share of the rectangle's area that lies in the grid
    """

    sines: np.ndarray
    south: np.ndarray
    north: np.ndarray
    area: np.ndarray
    spans: tuple[Span, Span]
    coverage: np.ndarray

    @classmethod
    def make(cls, points: Points, grid: Grid) -> RectangleOverlap:
        """Find the rows and columns under each rectangle."""
        west, width, south_deg, north_deg = points.rectangles()
        edges_deg = np.clip(grid.lat_edges(), -90.0, 90.0)
        sines = np.sin(np.deg2rad(edges_deg))
        low = np.maximum(south_deg, edges_deg[-1])
        high = np.maximum(np.minimum(north_deg, edges_deg[0]), low)
        south, north = np.sin(np.deg2rad(low)), np.sin(np.deg2rad(high))
        full = np.sin(np.deg2rad(north_deg)) - np.sin(np.deg2rad(south_deg))
        top = np.searchsorted(-edges_deg, -high, side="right") - 1
        bottom = np.where(high > low, np.searchsorted(-edges_deg, -low, side="left"), top)
        edges = grid.lon_edges() - grid.lon_edges()[0]
        if grid.wraps:
            edges[-1] = 360.0
        start = np.mod(west - grid.lon_edges()[0], 360.0)
        start[start >= 360.0] = 0.0
        rows = Rows(top, bottom, grid.shape[0])
        spans = (
            _span(start, np.minimum(start + width, edges[-1]), edges, rows),
            _span(0 * start, np.minimum(start + width - 360.0, edges[-1]), edges, rows),
        )
        beyond = np.maximum(start + width - np.maximum(edges[-1], start), 0.0)
        beyond -= np.maximum(np.minimum(start + width - 360.0, edges[-1]), 0.0)
        inside = width if grid.wraps else width - beyond
        coverage = np.clip((north - south) / full * (inside / width), 0.0, 1.0)
        return cls(sines, south, north, grid.cell_area().ravel(), spans, coverage)

    def class_areas(self, numbers: np.ndarray, n_classes: int) -> np.ndarray:
        """Area of each class in each rectangle.

        numbers : (y, x) uint8 class numbers, MASKED where not known
        returns : (n, n_classes + 1) int64 in AREA_UNIT_M2; the last column is what is not known
        """
        areas = np.zeros((self.coverage.size, n_classes + 1), np.int64)
        for row in range(numbers.shape[0]):
            members = [span.member[span.start[row] : span.start[row + 1]] for span in self.spans]
            if not any(member.size for member in members):
                continue
            column = np.where(numbers[row] == MASKED, n_classes, numbers[row]).astype(np.int64)
            before = _counts_before(column, n_classes + 1)
            for span, member in zip(self.spans, members, strict=True):
                self._add_row(areas, row, column, before, span, member)
        return areas

    def _add_row(
        self,
        areas: np.ndarray,
        row: int,
        column: np.ndarray,
        before: np.ndarray,
        span: Span,
        member: np.ndarray,
    ) -> None:
        """Add one row's cells to the rectangles that have them under a span."""
        point, first, last = span.point[member], span.first[member], span.last[member]
        upper, lower = self.sines[row], self.sines[row + 1]
        high, low = np.minimum(self.north[point], upper), np.maximum(self.south[point], lower)
        cell = self.area[row] * ((high - low) / (upper - lower))
        between = before[np.maximum(last, first + 1)] - before[first + 1]
        areas[point] += np.rint(cell).astype(np.int64)[:, None] * between
        for end, share in ((first, span.first_share[member]), (last, span.last_share[member])):
            areas[point, column[end]] += np.rint(cell * share).astype(np.int64)


def _span(start: np.ndarray, end: np.ndarray, edges: np.ndarray, rows: Rows) -> Span:
    """Columns between two longitudes, degrees east of the grid's western edge, where end > start.

    edges : (nx + 1,) ascending from 0
    rows : under each rectangle
    """
    point = np.flatnonzero((end > start) & (rows.bottom > rows.top))
    begin, stop = start[point], end[point]
    first = np.searchsorted(edges, begin, side="right") - 1
    last = np.searchsorted(edges, stop, side="left") - 1
    width = edges[1:] - edges[:-1]
    one = first == last
    first_share = (np.where(one, stop, edges[first + 1]) - begin) / width[first]
    last_share = np.where(one, 0.0, (stop - edges[last]) / width[last])
    member, row_start = rows.members(point)
    return Span(point, first, last, first_share, last_share, member, row_start)


def _counts_before(column: np.ndarray, n_columns: int) -> np.ndarray:
    """How many cells of each kind stand before each place of a row: (nx + 1, n_columns) int64."""
    counts = np.zeros((column.size + 1, n_columns), np.int64)
    counts[np.arange(column.size) + 1, column] = 1
    return np.cumsum(counts, axis=0)
