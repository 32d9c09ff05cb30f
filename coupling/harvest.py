"""LUH2's wood harvest on a host's points: passed through, for hosts that move carbon."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from landstep.coupling.fields import Field
from landstep.coupling.harvest_files import AREA, CARBON, FORESTS, HarvestFiles
from landstep.coupling.points import Points
from landstep.emulator.grid import AREA_UNIT_M2, EARTH_RADIUS_M, Grid

SMALLEST_M2 = 1.0
"""Area of a point of which nothing but the place is known: the cell that holds it. Ours."""

_KEPT_YEARS = 2
_SOURCE = "LUH2 transitions, Hurtt et al. 2020, doi:10.5194/gmd-13-5425-2020: passed through"


@dataclass(frozen=True, eq=False)
class Harvest:
    """What is harvested under a host's cells, by LUH2's own names.

    files : of LUH2
    overlap : how its cells lie under the points
    """

    files: HarvestFiles
    overlap: Overlap
    _kept: dict[int, dict[str, np.ndarray]] = field(default_factory=dict)

    @classmethod
    def of(cls, paths: Sequence[Path], points: Points) -> Harvest:
        """Open the files on a host's points; InputError as `HarvestFiles.open` raises it."""
        files = HarvestFiles.open(paths)
        return cls(files, Overlap.make(points, files.grid))

    @property
    def fields(self) -> tuple[Field, ...]:
        """What can be asked for."""
        return tuple(
            Field(
                name,
                ("wood harvest from " if name.endswith(AREA) else "carbon harvested from ")
                + FORESTS[name[: -len(AREA)]],
                "1" if name.endswith(AREA) else "g m-2 yr-1",
                "the host's cell",
                rule="passed",
                bounds=(0.0, 1.0 if name.endswith(AREA) else np.inf),
                source=_SOURCE,
            )
            for name in self.files.names
        )

    def values(self, year: int) -> dict[str, np.ndarray]:
        """Return what is harvested in the course of a year: name -> (n,) float64, read-only.

        Names with `_harv` are shares of the host's cell, with `_bioh` grams of carbon per square
        metre of it. Raises InputError as `HarvestFiles.year` does.
        """
        if year not in self._kept:
            found = {}
            area_m2 = self.files.grid.cell_area() * AREA_UNIT_M2
            for name, values in self.files.year(year).items():
                found[name] = self.overlap.mean(
                    values * 1e3 / area_m2 if name.endswith(CARBON) else values
                )
                found[name].setflags(write=False)
            while len(self._kept) >= _KEPT_YEARS:
                del self._kept[next(iter(self._kept))]
            self._kept[year] = found
        return self._kept[year]


@dataclass(frozen=True, eq=False)
class Overlap:
    """What each host cell, taken as a rectangle, has of the cells of a regular coarse grid.

    n : points
    point, cell : (m,) int64, a point and the flat place of a cell; a point's are one after another
    share : (m,) float64, of the host's cell; they sum to 1 where all of it lies in the grid
    """

    n: int
    point: np.ndarray
    cell: np.ndarray
    share: np.ndarray

    @classmethod
    def make(cls, points: Points, grid: Grid) -> Overlap:
        """Lay the points' rectangles over a grid; those that the mask leaves out have nothing."""
        served = np.flatnonzero(points.mask)
        west, width, south, north = _rectangles(points.take(points.mask))
        ny, nx = grid.shape
        lat, step = grid.lat_edges(), grid.spacing_deg[1]
        start = np.mod(west - grid.lon_edges()[0], 360.0)
        top = np.clip(np.searchsorted(-lat, -north, side="right") - 1, 0, ny - 1)
        bottom = np.clip(np.searchsorted(-lat, -south, side="left"), top + 1, ny)
        left = np.floor(start / step).astype(np.int64)
        right = np.maximum(np.ceil((start + width) / step).astype(np.int64), left + 1)
        count = (bottom - top) * (right - left)
        of = np.repeat(np.arange(served.size), count)
        place = np.arange(of.size) - np.repeat(np.cumsum(count) - count, count)
        down, across = np.divmod(place, (right - left)[of])
        row, column = top[of] + down, left[of] + across
        high = np.sin(np.deg2rad(np.minimum(north[of], lat[row])))
        low = np.sin(np.deg2rad(np.maximum(south[of], lat[row + 1])))
        whole = np.sin(np.deg2rad(north)) - np.sin(np.deg2rad(south))
        east = np.minimum((start + width)[of], (column + 1) * step)
        share = np.maximum(high - low, 0.0) * (east - np.maximum(start[of], column * step))
        share = share / (whole * width)[of]
        around = np.rint(360.0 / step).astype(np.int64)
        column = column % around
        held = (column < nx) & (share > 0)
        return cls(points.n, served[of[held]], (row * nx + column)[held], share[held])

    def mean(self, values: np.ndarray) -> np.ndarray:
        """Return the mean over each host cell: (n,) float64; what lies outside counts as 0."""
        part = self.share * values.ravel()[self.cell]
        return np.bincount(self.point, part, self.n)


def _rectangles(points: Points) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """West edge, width, south and north edge in degrees: four (n,) float64.

    Bounds as they are; of vertices the box around them; of an area a square of it around the
    centre; else a spot at the centre.
    """
    if points.lon_bounds is not None:
        return points.rectangles()
    if points.vertex_lon is not None and points.vertex_lat is not None:
        away = np.mod(points.vertex_lon - points.lon[:, None] + 180.0, 360.0) - 180.0
        low, high = away.min(axis=1), away.max(axis=1)
        width = np.where(high - low > 180.0, 360.0, high - low)  # a pole lies in it
        return points.lon + low, width, points.vertex_lat.min(axis=1), points.vertex_lat.max(axis=1)
    area = np.full(points.n, SMALLEST_M2) if points.area_m2 is None else points.area_m2
    half = np.rad2deg(np.sqrt(area) / EARTH_RADIUS_M) / 2
    south, north = np.maximum(points.lat - half, -90.0), np.minimum(points.lat + half, 90.0)
    band = np.sin(np.deg2rad(north)) - np.sin(np.deg2rad(south))
    width = np.minimum(np.rad2deg(area / EARTH_RADIUS_M**2 / band), 360.0)
    return points.lon - width / 2, width, south, north
