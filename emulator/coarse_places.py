"""Where coarse cells lie and how large they are, and what the nearest of some places gives them."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from landstep.emulator.coarse_cells import CoarseCells
from landstep.emulator.grid import AREA_UNIT_M2, EARTH_RADIUS_M, unit_vectors
from landstep.emulator.inputs import Inputs
from landstep.emulator.reference_climate import coarse_centres

REACH = 1.5
"""How far a coarse cell may lie from the place that speaks for it, in distances of that place to
its own nearest neighbour or in sides of the coarse cell, whichever is longer (ours)."""


def places_of(inputs: Inputs) -> tuple[np.ndarray, np.ndarray]:
    """Return latitude and longitude of the coarse cells of a rank: two (cy, cx), degrees."""
    row, col = inputs.row - inputs.row.min(), inputs.col - inputs.col.min()
    return coarse_centres(inputs.grid, inputs.share.held, row, col)


def from_nearest(
    values: np.ndarray, lat_deg: np.ndarray, lon_deg: np.ndarray, inputs: Inputs
) -> np.ndarray:
    """Return what the coarse cells that a rank holds take from the place nearest to each.

    values : (n, m) of each place; lat_deg, lon_deg : (n,)
    returns : (m, cy, cx), of the same type; NaN where no place is near. Of equally near places the
        first speaks
    """
    middle, side = middles_and_sides(inputs)
    found = np.full((side.size, values.shape[1]), np.nan, values.dtype)
    if len(values):
        at = unit_vectors(lat_deg, lon_deg)
        tree = cKDTree(at)
        distance, nearest = _nearest(tree, middle.reshape(-1, 3))
        apart = tree.query(at, k=2)[0][:, 1] if len(values) > 1 else np.zeros(1)
        near = distance <= REACH * np.maximum(apart[nearest], side.ravel())
        found[near] = values[nearest[near]]
    return np.moveaxis(found.reshape(*side.shape, values.shape[1]), 2, 0)


def _nearest(tree: cKDTree, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distance to the nearest point and its number; of equally near ones the lowest."""
    k = min(4, tree.n)
    distance, number = (np.asarray(a).reshape(-1, k) for a in tree.query(places, k=k))
    equal = distance == distance[:, :1]
    return distance[:, 0], np.where(equal, number, tree.n).min(axis=1)


def middles_and_sides(inputs: Inputs) -> tuple[np.ndarray, np.ndarray]:
    """Return where the coarse cells are that a rank holds, and how large.

    returns : (cy, cx, 3) unit vectors of their middle; (cy, cx) side of a square of about their
        area, in radii of the Earth
    """
    grid, held = inputs.grid, inputs.share.held
    of = CoarseCells.of(inputs.row - inputs.row.min(), inputs.col - inputs.col.min())
    rows, cols = held.top + of.top + of.height // 2, held.columns[of.left + of.width // 2]
    area = np.broadcast_to(grid.cell_area(), grid.shape)[np.ix_(rows, cols)] * AREA_UNIT_M2
    size = area * np.outer(of.height, of.width)
    return unit_vectors(*places_of(inputs)), np.sqrt(size) / EARTH_RADIUS_M
