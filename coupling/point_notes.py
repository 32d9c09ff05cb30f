"""Whether a host's points say how large they are, and what a user should know where they do not."""

from __future__ import annotations

import logging
from typing import Literal

import numpy as np
from scipy.spatial import cKDTree

from landstep.coupling.points import Points
from landstep.coupling.remapping.weights import Weights
from landstep.emulator.errors import CouplingError
from landstep.emulator.grid import AREA_UNIT_M2, EARTH_RADIUS_M, Grid, unit_vectors

_LOG = logging.getLogger(__name__)

COARSE = 2.0
"""Points farther apart than this, in sides of a cell of the map, see less of the land than they
stand for when each takes one cell. Ours."""

FAR = 4.0
"""Points farther apart than this see less than a sixteenth of it; the same in sides of a square of
their own area. Ours (decision 30)."""

LOOKED_AT = 2000
"""Points whose neighbours are looked for: enough to tell how far apart they are. Ours."""


def point_notes(
    points: Points,
    grid: Grid,
    weights: Weights | None,
    geometry: Literal["required", "left"] = "left",
) -> tuple[str, ...]:
    """Say where points of a coarse host have no cells: each then takes one cell of the map.

    points : of all ranks
    geometry : "required": points farther apart than FAR sides of the map's cells without a word on
        how large they are are refused, and so are areas that fill next to nothing of the space
        between points, as those in km2 do; "left": they are spoken of
    returns : sentences; none where the host gave cells, or is as fine as the map. They are logged
    Raises CouplingError.
    """
    shaped = points.lon_bounds is not None or points.vertex_lon is not None
    served = np.flatnonzero(points.mask)
    if shaped or weights is not None or served.size < 2:
        return ()
    place = unit_vectors(points.lat[served], points.lon[served])
    some = place[:: -(-served.size // LOOKED_AT)]
    apart = cKDTree(place).query(some, k=2)[0][:, 1]
    apart_m = float(np.median(2 * np.arcsin(np.minimum(apart / 2, 1)))) * EARTH_RADIUS_M
    side_m = float(np.sqrt(np.mean(grid.cell_area()) * AREA_UNIT_M2))
    if apart_m <= COARSE * side_m:
        return ()
    about = f"{served.size} points about {apart_m / 1000:.3g} km apart"
    if points.area_m2 is not None:
        area_m2 = float(np.median(points.area_m2[served]))
        if apart_m <= FAR * np.sqrt(area_m2):
            return ()
        note = (
            f"{about} have areas of {area_m2:.3g} m2 (the median): each takes the cells of the map "
            "in so much alone, and sees no other land; is area in m2?"
        )
    else:
        note = (
            f"{about} have no cells (lon_bounds and lat_bounds, vertices, area or [coupling] "
            f"weights): each takes the one cell of the map, {side_m / 1000:.3g} km wide, that "
            "holds it, and sees no other land; give their cells"
        )
    if geometry == "required" and apart_m > FAR * side_m:
        raise CouplingError(f"{note}, or set [coupling] geometry = 'left' where they are sites")
    _LOG.warning("%s", note)
    return (note,)
