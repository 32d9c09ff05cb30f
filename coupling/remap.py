"""From the emulator's cells to a host's points: how a host's cells lie on the grid.

Areas are whole numbers of AREA_UNIT_M2, so a sum does not depend on the order of the cells, the
points, or who adds them: what ranks find in their own parts of the grid adds up to what one finds
in all of it, bit for bit. No area is counted that is not there, and none twice where host cells do
not overlap: see each module for where their sum is the grid's to the last unit.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from landstep.coupling.points import Points
from landstep.coupling.remapping.cells import cell_at
from landstep.coupling.remapping.centres import centres_inside
from landstep.coupling.remapping.nearest import nearest_cells
from landstep.coupling.remapping.overlap import RectangleOverlap
from landstep.coupling.remapping.runs import SingleCells
from landstep.coupling.remapping.scan import polygon_cells
from landstep.coupling.remapping.weights import Weights
from landstep.emulator.grid import Grid
from landstep.emulator.part import Part


class Remap(Protocol):
    """Where a host's points lie on a part of the emulator's grid."""

    def class_areas(self, numbers: np.ndarray, n_classes: int) -> np.ndarray:
        """Area of each class in each host cell, of what lies in the part.

        numbers : (y, x) uint8 class numbers of the part; those of n_classes or more are not known
        returns : (n_points, n_classes + 1) int64 in AREA_UNIT_M2; the last column is what is not
            known; all 0 for a point outside the part, or one that is not served
        Raises CouplingError for a map of another shape.
        """
        ...

    def cell_counts(self) -> np.ndarray:
        """How many cells of the part each host cell has a share of: (n_points,) int64."""
        ...

    def only(self, places: np.ndarray) -> Remap:
        """Keep some of the points; the others have nothing in the part.

        places : (k,) int64, those that are kept, in their new order. Their areas stay as they are,
            bit for bit: what the others' geometry decided stays decided
        """
        ...


def remap_to(
    points: Points, grid: Grid, part: Part | None = None, weights: Weights | None = None
) -> Remap:
    """Choose the remapping by what a host gave, the first of these that there is.

    A weight file: by it. Bounds: the area in each rectangle on a regular grid; on a projected one
    whole cells whose centre lies in it. Vertices: whole cells whose centre lies in the polygon.
    Areas: whole cells, each to the nearest point. Nothing: the cell that holds the point.

    Where cells are counted whole, a host cell that holds no centre takes the cell that holds its
    own point, all of it. So a host that is finer than the map gets the right class everywhere, and
    its areas no longer add up to the map's: several host cells may take the same cell.

    part : the part of the grid whose cells are counted; None: all of it
    weights : of a file, from the whole grid to all of the host's points
    Raises CouplingError for weights of fewer points than the host has.
    """
    part = Part.whole(grid.shape) if part is None else part
    if weights is not None:
        return weights.remap(points, part)
    if points.lon_bounds is not None:
        if grid.kind == "regular":
            return RectangleOverlap.make(points, grid, part)
        return centres_inside(points, grid, part)
    if points.vertex_lon is not None:
        return polygon_cells(points, grid, part)
    if points.area_m2 is not None:
        return nearest_cells(points, grid, part)
    served = np.flatnonzero(points.mask)
    cell = cell_at(points.take(served), grid)
    return SingleCells.whole_cells(points.n, part, grid, served, cell)
