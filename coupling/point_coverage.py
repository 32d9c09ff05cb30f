"""How much of the map a host's points see: what `init` measures, and a host can ask for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from landstep.coupling.host_points import HostPoints
from landstep.emulator.errors import CouplingError
from landstep.emulator.grid import Grid

NO_CHANGE = (
    "so that no field would ever change; are longitudes and latitudes in degrees and in this "
    "order, and does the mask say where there is land? [coupling] geometry = 'left' lets them pass"
)
"""What follows, and what to look at."""


@dataclass(frozen=True)
class PointCoverage:
    """What was measured of the points of all ranks.

    served : points that the mask does not leave out
    without_land : of them, those where landstep knows no land in the year that the run starts
        from, or, with a baseline, of whose cell too little lies in the map
    cells_least, cells_mean, cells_most : cells of the map that a served point has a share of, of
        those that have any; 0 where none has
    """

    served: int
    without_land: int
    cells_least: int
    cells_mean: float
    cells_most: int

    @classmethod
    def measure(cls, points: HostPoints, land: np.ndarray) -> PointCoverage:
        """Count over the points of all ranks, which all call it.

        land : (n,) bool, this rank's points where there is land to tell of
        """
        served = points.mine.mask
        cells = points.cells[served & (points.cells > 0)]
        most = int(cells.max(initial=0))
        least = int(cells.min(initial=most))
        mine = int(served.sum()), int((served & ~land).sum()), cells.size, int(cells.sum())
        told = points.ranks.of_all((*mine, least, most))
        n_served, without, n_cells, total = (sum(of[k] for of in told) for k in range(4))
        return cls(
            n_served,
            without,
            min((of[4] for of in told if of[2]), default=0),
            total / max(n_cells, 1),
            max(of[5] for of in told),
        )

    def check(self, points: HostPoints, geometry: Literal["required", "left"]) -> None:
        """Refuse points of which none would ever change; "left" lets them pass.

        Raises CouplingError.
        """
        n_points = points.index.size
        if geometry == "left" or n_points == 0 or self.served > self.without_land:
            return
        if self.served == 0:
            found = f"none of the {n_points} points is served: the mask leaves all of them out"
            raise CouplingError(f"{found}, {NO_CHANGE}")
        raise CouplingError(no_land(self.served, points.grid))

    def attributes(self) -> dict[str, Any]:
        """Attributes of a file of observed fields."""
        return {
            "points_served": np.int32(self.served),
            "points_without_land": np.int32(self.without_land),
            "map_cells_per_point_least": np.int32(self.cells_least),
            "map_cells_per_point_mean": self.cells_mean,
            "map_cells_per_point_most": np.int32(self.cells_most),
        }


def no_land(n_points: int, grid: Grid) -> str:
    """Say that none of so many points lies on known land of a map."""
    found = f"0 of {n_points} points lie on known land of the map ({_region(grid)})"
    return f"{found}, {NO_CHANGE}"


def _region(grid: Grid) -> str:
    """Say where the centres of a map's cells lie."""
    lat, lon = (f"{of.min():g} to {of.max():g}" for of in (grid.lat_deg, grid.lon_deg))
    return f"lon {lon}, lat {lat}"
