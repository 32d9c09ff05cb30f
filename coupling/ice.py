"""Where land is under ice: no class says so, and a host that keeps ice apart must not lose it."""

from __future__ import annotations

import numpy as np

from landstep.coupling.crosswalk import Crosswalk
from landstep.coupling.fields import FieldSource
from landstep.coupling.land_surface import LandSurface
from landstep.emulator.errors import ConfigError
from landstep.emulator.experiment import Experiment
from landstep.emulator.source_name import split_source
from landstep.emulator.statics import Statics

NAME = "ice"


def icy_points(
    experiment: Experiment, source: FieldSource, land: LandSurface, land_use: np.ndarray, year: int
) -> np.ndarray:
    """Find the points whose land is mostly ice: (n,) bool. All ranks call it.

    None is, where that does not matter: a change that is added to a baseline leaves ice as it is
    (no class moves there), and so do tables of hosts that keep none apart.
    land_use, year : of the map that the run starts from, (y, x) uint8 of what this rank holds
    Raises ConfigError on all ranks where nothing tells ice from bare ground, and whatever reading
    the map of [coupling] ice does.
    """
    settings = experiment.coupling
    apart = isinstance(source, Crosswalk) and source.table.ice_apart
    if not apart or settings.mode != "absolute" or settings.ice == "left":
        return np.zeros(land.points.mine.n, bool)
    with land.points.ranks.together():
        cells = _icy_cells(experiment, land, year)
    return land.mostly(cells, land_use)


def _icy_cells(experiment: Experiment, land: LandSurface, year: int) -> np.ndarray:
    """Cells of what this rank holds that are ice: (y, x) bool."""
    inputs, entry = land.inputs, experiment.coupling.ice
    if entry != "required":
        source = {NAME: split_source(experiment.folder, entry)}
        ice = Statics.open(source, inputs.grid, inputs.share.held).categories(year)[NAME]
        return ice == 1
    codes = [] if land.legend is None else land.legend.ice_codes
    if not codes:
        raise ConfigError(
            f"[coupling] mode = 'absolute' with host {experiment.coupling.host!r}: nothing tells "
            "ice from bare ground, and an ice sheet would become bare ground; set [coupling] ice = "
            "'FILE:variable' (1 under ice, on the grid of the land-use map), or [climate] legend = "
            "'koppen_geiger', or ice = 'left' where there is none"
        )
    (zones,) = inputs.categories(["climate_zone"], year)
    return np.isin(zones, codes)
