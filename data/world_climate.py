"""The climate of the made-up world, from which its zones of the first period follow.

All of it is made up; the constants are chosen so that a zone's limit in warmth or moisture is a
limit of Köppen's classes, as legend `made_up` reads them. In the default world (seed 7, 960x1440)
the class of a coarse cell's climate is the zone of most of its land in 94 % of the coarse cells
with land, and the zone of 81 % of the fine cells; the rest lies near a limit, or on another height.
"""

from __future__ import annotations

import numpy as np

from landstep.data.terrain import BLOCK, Terrain, axes

ZERO_DEGC_K = 273.15
YEAR_S = 365.2425 * 86400.0

HOTTEST_AT_POLAR, HOTTEST_PER_WARMTH = 10.0, 12.0 / 0.57
"""Warmest month, degC: 10 at warmth 0.13 (the polar limit), 22 at 0.70 (the warm one)."""

COLDEST_PER_WARMTH = 27.0
"""Coldest month, degC per unit of warmth above 0.40, where it is 0 (the boreal limit)."""

MOST_RAIN, LEAST_RAIN_WHERE_COLD = 4.0, 1.15
"""Rain of a year, in multiples of what divides arid climates from others: at most, and at least
where it is boreal or polar: such zones have no dry ones among them."""


def make_climate(terrain: Terrain) -> tuple[np.ndarray, np.ndarray]:
    """Make monthly means of the coarse cells, January first.

    returns : air temperature, K, and rain, kg m-2 s-1, the same in every month: (12, cy, cx)
        float32 each
    """
    lat, _ = axes(terrain.shape, terrain.globe, BLOCK)
    warmth, moisture = terrain.warmth, terrain.moisture
    hottest = HOTTEST_AT_POLAR + HOTTEST_PER_WARMTH * (warmth - 0.13)
    coldest = COLDEST_PER_WARMTH * (warmth - 0.40)
    mean, swing = (hottest + coldest) / 2, (hottest - coldest) / 2
    months = np.arange(12)[:, None, None] + np.where(lat < 0, 6, 0)[None, :, None]
    season = -np.cos(np.pi * months / 6)
    limit = np.maximum(10 * (2 * mean + 14), 60.0)  # mm, of arid climates with even rain
    wetness = np.minimum(np.exp(moisture + 0.75), MOST_RAIN)
    wetness = np.where(warmth < 0.40, np.maximum(wetness, LEAST_RAIN_WHERE_COLD), wetness)
    temperature = mean + swing * season + ZERO_DEGC_K
    rain = np.broadcast_to(limit * wetness / YEAR_S, temperature.shape)
    return np.round(temperature, 3).astype(np.float32), rain.astype(np.float32)
