"""Which cell of a map each cell of another program's list is."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from landstep.emulator.errors import InputError
from landstep.emulator.grid import AREA_UNIT_M2, EARTH_RADIUS_M, Grid, unit_vectors

CELL_SHARE = 0.1
"""How far a cell's centre may lie from the map's, in sides of a square of its area. Ours."""


def map_cells(lat_deg: np.ndarray, lon_deg: np.ndarray, grid: Grid, where: str) -> np.ndarray:
    """Find the cells of a map by their centres: south first, from 0 to 360, in any order.

    lat_deg, lon_deg : (n,) float64, as many as the map has cells
    returns : (n,) int64 flat indices into the map, each once
    Raises InputError, with `where` in front, naming the first that is no cell of the map, or the
    second one of a cell.
    """
    if grid.kind == "regular":
        lat, lon = np.meshgrid(grid.lat_deg, grid.lon_deg, indexing="ij")
    else:
        lat, lon = grid.lat_deg, grid.lon_deg
    centres = unit_vectors(lat.ravel(), lon.ravel())
    area = np.broadcast_to(grid.cell_area(), grid.shape).ravel() * AREA_UNIT_M2
    most = CELL_SHARE * np.sqrt(area) / EARTH_RADIUS_M
    place = unit_vectors(lat_deg, lon_deg)
    if (np.linalg.norm(place - centres, axis=1) <= most).all():
        return np.arange(lat_deg.size)
    known = np.isfinite(place).all(axis=1)
    apart, cell = cKDTree(centres).query(np.where(known[:, None], place, 0.0))
    wrong = np.flatnonzero(~known | (apart > most[cell]))
    if wrong.size:
        n = int(wrong[0])
        raise InputError(
            f"{where}: source cell {n + 1} at lon {lon_deg[n]:g}, lat {lat_deg[n]:g} is no cell of "
            "the map; make the file from the map's grid"
        )
    again = np.flatnonzero(np.bincount(cell, minlength=lat_deg.size) > 1)
    if again.size:
        first, second = np.flatnonzero(cell == again[0])[:2] + 1
        raise InputError(f"{where}: source cells {first} and {second} lie at the same place")
    return cell.astype(np.int64)
