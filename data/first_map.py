"""The first map of the made-up world, before its spin-up: the best places, in patches and towns."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from landstep.data.process import Process
from landstep.data.suitability import (
    CROPLAND,
    FOREST,
    GRASS_SHRUB,
    OCEAN,
    OTHER_LAND,
    PASTURE,
    URBAN,
    WATER,
)
from landstep.data.terrain import generator, noise, ramp

FIRST_SHARE = {URBAN: 0.011, CROPLAND: 0.27, PASTURE: 0.20}  # of the land


def first_map(process: Process) -> np.ndarray:
    """Allocate a map from scratch: the whole world's best cells by suitability and patches.

    returns : (ny, nx) uint8 class numbers
    """
    terrain, score = process.terrain, process.suitability(0)
    shape, seed = terrain.shape, process.seed
    land = np.full(shape, GRASS_SHRUB, np.uint8)
    woods = score[FOREST] - score[GRASS_SHRUB] + 0.55 * noise(seed, "woods", shape, 22.0, 2.0)
    land[np.round(woods, 5) > 0.0] = FOREST
    extra = {
        PASTURE: 0.40 * noise(seed, "herds", shape, 50.0, 2.0)
        + 0.30 * noise(seed, "meadows", shape, 12.0, 2.0),
        CROPLAND: 0.45 * noise(seed, "farms", shape, 60.0, 2.0)
        + 0.30 * noise(seed, "fields", shape, 14.0, 2.0),
        URBAN: 2.0 * _towns(seed, shape) + 0.5 * noise(seed, "town edges", shape, 6.0, 2.0),
    }
    free = ~(terrain.ocean | terrain.water | process.other)
    n_land = int((~terrain.ocean).sum())
    for number, patches in extra.items():
        wanted = np.where(free, np.round(score[number] + patches, 5), -np.inf)
        count = min(int(FIRST_SHARE[number] * n_land), int(free.sum()) // 4)
        land.ravel()[np.argsort(-wanted, axis=None, kind="stable")[:count]] = number
    land[terrain.water] = WATER
    land[process.other] = OTHER_LAND
    land[terrain.ocean] = OCEAN
    return land


def _towns(seed: int, shape: tuple[int, int]) -> np.ndarray:
    """Height of the settlement field: cones of 1.5 to 10 cells about scattered centres, 0 to 1."""
    stream = generator(seed, "towns")
    n_towns = max(4, shape[0] * shape[1] // 1800)
    y, x = stream.integers(0, shape[0], n_towns), stream.integers(0, shape[1], n_towns)
    radius = np.rint(1.5 + 9.0 * stream.random(n_towns) ** 6)
    field = np.zeros(shape)
    for r in np.unique(radius):
        elsewhere = np.ones(shape, bool)
        elsewhere[y[radius == r], x[radius == r]] = False
        away = ndimage.distance_transform_edt(elsewhere)
        field = np.maximum(field, 1.0 - ramp(away, 0.0, 1.6 * r))
    return field
