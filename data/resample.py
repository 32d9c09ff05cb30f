"""From a source's cells to others: the nearest centre for codes, weights for elevations.

Rows and columns are treated apart, so that a strip of the target needs a strip of the source, and
gets the same values as in any other strip.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix

from landstep.data.lattice import Lattice


def nearest_rows(source: Lattice, lat_deg: np.ndarray) -> np.ndarray:
    """Row of the source whose centre is nearest to each latitude: int64; halfway, the northern."""
    return _nearest(-source.lat_deg, -lat_deg)


def nearest_cols(source: Lattice, lon_deg: np.ndarray) -> np.ndarray:
    """Column whose centre is nearest to each longitude, round the globe where the source goes
    round it: int64; halfway, the western one.
    """
    centres, cols = _around(source)
    return cols[_nearest(centres, lon_deg)]


def row_weights(source: Lattice, lat_deg: np.ndarray, height_deg: float) -> csr_matrix:
    """Share of each source row in the value at each latitude: (latitudes, ny) float32, rows sum
    to 1.

    height_deg : of the target's cells. A source of smaller cells is averaged over the target's by
        area on the sphere; one of equal or larger cells is interpolated linearly between centres,
        beyond the last of which its value holds.
    Source: first-order conservative remapping, Jones 1999, doi:10.1175/1520-0493(1999)127<2204:
    FASOCR>2.0.CO;2, eq. 3 with mean values only; the area between two latitudes goes with the
    difference of their sines.
    """
    own = np.arange(source.lat_deg.size)
    if source.spacing_deg[0] >= height_deg:
        return _linear(-source.lat_deg, own, -lat_deg, own.size)
    half = height_deg / 2
    edges = np.clip(_edges(-source.lat_deg), -90, 90)
    return _overlaps(
        np.sin(np.deg2rad(edges)),
        own,
        np.sin(np.deg2rad(np.clip(-lat_deg - half, -90, 90))),
        np.sin(np.deg2rad(np.clip(-lat_deg + half, -90, 90))),
        own.size,
    )


def col_weights(source: Lattice, lon_deg: np.ndarray, width_deg: float) -> csr_matrix:
    """Share of each source column in the value at each longitude: as `row_weights`, and round the
    globe where the source goes round it.
    """
    centres, cols = _around(source)
    if source.spacing_deg[1] >= width_deg:
        return _linear(centres, cols, lon_deg, source.lon_deg.size)
    half = width_deg / 2
    edges = _edges(centres)
    return _overlaps(edges, cols, lon_deg - half, lon_deg + half, source.lon_deg.size)


def _around(source: Lattice) -> tuple[np.ndarray, np.ndarray]:
    """Centres of the columns, of a globe three times round, and whose column each is."""
    lon, cols = source.lon_deg, np.arange(source.lon_deg.size)
    if not source.wraps:
        return lon, cols
    return np.concatenate([lon - 360, lon, lon + 360]), np.tile(cols, 3)


def _nearest(ascending: np.ndarray, targets: np.ndarray) -> np.ndarray:
    return np.searchsorted((ascending[1:] + ascending[:-1]) / 2, targets, side="left")


def _edges(ascending: np.ndarray) -> np.ndarray:
    """Edges of cells: halfway between centres, and as far beyond the first and the last."""
    between = (ascending[1:] + ascending[:-1]) / 2
    first, last = 2 * ascending[0] - between[0], 2 * ascending[-1] - between[-1]
    return np.concatenate([[first], between, [last]])


def _linear(ascending: np.ndarray, own: np.ndarray, targets: np.ndarray, size: int) -> csr_matrix:
    before = np.clip(np.searchsorted(ascending, targets, side="right") - 1, 0, ascending.size - 2)
    step = ascending[before + 1] - ascending[before]
    share = np.clip((targets - ascending[before]) / step, 0, 1)
    line = np.arange(targets.size)
    return _weights(
        np.concatenate([line, line]),
        np.concatenate([own[before], own[before + 1]]),
        np.concatenate([1 - share, share]),
        (targets.size, size),
    )


def _overlaps(
    edges: np.ndarray, own: np.ndarray, low: np.ndarray, high: np.ndarray, size: int
) -> csr_matrix:
    """Weights by how much of low..high each cell between two edges takes up.

    Where low..high sticks out of all cells, the cells inside count alone; where it is wholly
    outside, the nearest one does.
    """
    first = np.clip(np.searchsorted(edges, low, side="right") - 1, 0, own.size - 1)
    last = np.clip(np.searchsorted(edges, high, side="left") - 1, first, own.size - 1)
    many = last - first + 1
    line = np.repeat(np.arange(low.size), many)
    cell = np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many) + first[line]
    share = np.minimum(high[line], edges[cell + 1]) - np.maximum(low[line], edges[cell])
    share = np.where(many[line] == 1, 1.0, np.maximum(share, 0))
    share /= np.bincount(line, share)[line]
    return _weights(line, own[cell], share, (low.size, size))


def _weights(
    line: np.ndarray, cell: np.ndarray, share: np.ndarray, shape: tuple[int, int]
) -> csr_matrix:
    kept = share > 0
    triple = (share[kept].astype(np.float32), (line[kept], cell[kept]))
    return csr_matrix(triple, shape=shape)
