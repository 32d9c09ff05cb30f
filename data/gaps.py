"""Land without a value in a static map takes the nearest value there is.

Source: our own choice. Statics are coarser than the maps of land use and draw the coast otherwise.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from scipy.spatial import KDTree

from landstep.data.product_grid import COLS, PER_DEGREE, ROWS, lat_centres, lon_centres
from landstep.emulator.errors import InputError
from landstep.emulator.grid import EARTH_RADIUS_M, unit_vectors

_LOG = logging.getLogger(__name__)

REACH = PER_DEGREE // 2
"""Rows beyond a strip in which its nearest values are looked for: half a degree, 56 km."""

_TIES = 2  # at equal distance, mirrored columns: as many may be nearest

Block = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
"""Product rows, product columns -> values and where they are known, both (rows, cols)."""

Samples = Callable[[], tuple[np.ndarray, np.ndarray, np.ndarray]]
"""Latitude, longitude and value of known cells of the whole source, thinned out."""


@dataclass(eq=False)
class Gaps:
    """Fills the gaps of one static, strip by strip, with the nearest value.

    Within REACH, as arcs of the sphere, the nearest of the cells of the product grid that have a
    value, also beyond the region; farther away, the nearest of `samples`.

    filled : cells that were filled from within REACH
    far : cells that were filled from beyond
    farthest_m : distance of the farthest
    """

    where: str
    block: Block
    samples: Samples
    filled: int = 0
    far: int = 0
    farthest_m: float = 0.0
    _far_tree: tuple[KDTree, np.ndarray] | None = field(default=None, repr=False)

    def fill(self, rows: np.ndarray, cols: np.ndarray, land: np.ndarray) -> np.ndarray:
        """Values of a strip with none missing on land.

        rows, cols : rows and columns of the product grid, each without a break
        land : (rows, cols) bool
        returns : (rows, cols), the static's dtype; what is not land has any value
        Raises InputError where the source has no value at all.
        """
        values, known = self.block(rows, cols)
        row, col = np.nonzero(land & ~known)
        if not row.size:
            return values
        values = values.copy()
        place = unit_vectors(lat_centres(rows[row]), lon_centres(cols[col]))
        found, distance = self._near(rows, cols, place, values.dtype)
        within = distance <= np.deg2rad(REACH / PER_DEGREE)
        if not within.all():
            found[~within], distance[~within] = self._beyond(place[~within])
        values[row, col] = found
        self.filled += int(within.sum())
        self.far += int((~within).sum())
        self.farthest_m = max(self.farthest_m, float(distance.max()) * EARTH_RADIUS_M)
        return values

    def report(self, name: str) -> str:
        """Say how much was filled."""
        if not self.filled + self.far:
            return f"{name}: known on all land"
        return (
            f"{name}: {self.filled + self.far} cells of land without a value took the nearest "
            f"one, {self.far} of them from farther than {REACH / PER_DEGREE:g} degrees, the "
            f"farthest {self.farthest_m / 1000:.0f} km away"
        )

    def _near(
        self, rows: np.ndarray, cols: np.ndarray, place: np.ndarray, dtype: np.dtype
    ) -> tuple[np.ndarray, np.ndarray]:
        """Nearest value, and its distance in radians, among the strip and what is around it."""
        more_rows = np.arange(max(0, rows[0] - REACH), min(ROWS, rows[-1] + 1 + REACH))
        more_cols = _widened(more_rows, cols)
        values, known = self.block(more_rows, more_cols)
        row, col = np.nonzero(_rim(known))
        if not row.size:
            return np.zeros(len(place), dtype), np.full(len(place), np.inf)
        there = unit_vectors(lat_centres(more_rows[row]), lon_centres(more_cols[col] % COLS))
        return _nearest(KDTree(there), values[row, col], place)

    def _beyond(self, place: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if self._far_tree is None:
            lat, lon, values = self.samples()
            if not values.size:
                raise InputError(f"{self.where}: has no value anywhere")
            self._far_tree = KDTree(unit_vectors(lat, lon)), values
            _LOG.info("%s: values are looked for far away", self.where)
        return _nearest(*self._far_tree, place)


def _widened(rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
    """Columns, and those within REACH on either side, on round the globe: int64."""
    north, south = np.abs(lat_centres(rows[[0, -1]]))
    narrowest = np.cos(np.deg2rad(min(89.0, max(north, south))))
    side = min(int(np.ceil(REACH / narrowest)), (COLS - cols.size) // 2)
    return np.arange(cols[0] - side, cols[-1] + 1 + side) % COLS


def _rim(known: np.ndarray) -> np.ndarray:
    """Known cells beside an unknown one or the edge: the nearest to any unknown cell is one."""
    inner = known.copy()
    inner[1:] &= known[:-1]
    inner[:-1] &= known[1:]
    inner[:, 1:] &= known[:, :-1]
    inner[:, :-1] &= known[:, 1:]
    inner[[0, -1]] = False
    inner[:, [0, -1]] = False
    return known & ~inner


def _nearest(tree: KDTree, values: np.ndarray, place: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Value of the nearest point and the arc to it; of equally near ones, that of the first."""
    distance, found = tree.query(place, k=min(_TIES, values.size))
    distance, found = distance.reshape(len(place), -1), found.reshape(len(place), -1)
    equal = distance <= distance[:, :1] * (1 + 1e-9)
    first = np.where(equal, found, values.size).min(axis=1)
    return values[first], 2 * np.arcsin(np.minimum(distance[:, 0] / 2, 1))
