"""How much of each host cell lies in the emulator's grid."""

from __future__ import annotations

import numpy as np

from landstep.coupling.points import Points
from landstep.coupling.remapping.angles import radians, sine_between
from landstep.coupling.remapping.overlap import rectangle_coverage
from landstep.coupling.remapping.scan import polygons_of
from landstep.coupling.remapping.weights import Weights
from landstep.emulator.grid import AREA_UNIT_M2, EARTH_RADIUS_M, Grid


def coverage(
    points: Points, grid: Grid, totals: np.ndarray, weights: Weights | None = None
) -> np.ndarray:
    """Share of each host cell that lies in the grid.

    totals : (n,) int64 in AREA_UNIT_M2, the area that each point got of the whole grid: the sum of
        `class_areas` over all classes and all parts
    weights : those that the areas were found by, if any
    returns : (n,) float64, 0..1; 0 for a point that is not served. Rectangles on a regular grid:
        as they lie; else the area found over the cell's own, at most 1: of the polygon on the
        sphere, of the weight file, or as the host gave it. Cells are counted whole, so it is right
        to about one cell in the width of the host's. A point without any of these: 1 where it lies
        in the grid, else 0.
    """
    share = np.zeros(points.n)
    some, found = points.take(points.mask), totals[points.mask]
    if weights is None and some.lon_bounds is not None and grid.kind == "regular":
        share[points.mask] = rectangle_coverage(some, grid)
        return share
    area = _cell_areas(some, weights)
    known = area > 0
    of_cell = found / np.where(known, area, 1.0)
    share[points.mask] = np.where(known, np.minimum(of_cell, 1.0), found > 0)
    return share


def _cell_areas(points: Points, weights: Weights | None) -> np.ndarray:
    """Area of each host cell in AREA_UNIT_M2, 0 where nobody says: (n,) float64."""
    sphere = EARTH_RADIUS_M**2 / AREA_UNIT_M2
    if weights is not None:
        return weights.target_area[points.index]
    if points.lon_bounds is not None:
        _, width, south, north = points.whole_rectangles()
        return sphere * radians(width) * sine_between(south, north)
    if points.vertex_lon is not None:
        return sphere * polygons_of(points).area_sr
    if points.area_m2 is not None:
        return points.area_m2 / AREA_UNIT_M2
    return np.zeros(points.n)
