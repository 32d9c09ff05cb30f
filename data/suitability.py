"""Where each land use suits, in the made-up world: tables over soil and zone, ramps over height.

Every number is made up for this project, with the signs that a land-use modeller expects; none
is measured. Scores have no unit. docs/made-up-world.md prints the same tables.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from landstep.data.terrain import BOREAL, DRY, POLAR, TEMPERATE, WARM, Terrain, ramp

# The classes, numbered as in scheme hilda8; a test holds them to it.
OCEAN, URBAN, CROPLAND, PASTURE, FOREST, GRASS_SHRUB, OTHER_LAND, WATER = range(8)
N_CLASSES = 8


@dataclass(frozen=True)
class Table:
    """Suitability of one class: base + soil + zone + weight * ramp(low, high) of each height.

    soil : seven numbers, ECMWF texture 1..7
    zone : five numbers, climate zone 1..5
    elevation, slope : (weight, low, high), in m and m per cell
    """

    base: float
    soil: tuple[float, ...]
    zone: tuple[float, ...]
    elevation: tuple[float, float, float]
    slope: tuple[float, float, float]


# soil 1 coarse, 2 medium, 3 medium fine, 4 fine, 5 very fine, 6 organic, 7 tropical organic
# zone 1 polar or alpine, 2 boreal, 3 temperate, 4 dry, 5 warm
TABLES = {
    URBAN: Table(
        base=0.80,
        soil=(0.05, 0.05, 0.0, 0.0, -0.05, -0.25, -0.25),
        zone=(-1.0, -0.25, 0.15, 0.0, 0.10),
        elevation=(-0.8, 100.0, 1300.0),
        slope=(-0.9, 10.0, 90.0),
    ),
    CROPLAND: Table(
        base=0.85,
        soil=(-0.25, 0.10, 0.30, 0.15, -0.10, -0.30, -0.20),
        zone=(-1.5, -0.45, 0.25, -0.15, 0.10),
        elevation=(-0.9, 250.0, 1500.0),
        slope=(-1.1, 8.0, 80.0),
    ),
    PASTURE: Table(
        base=0.65,
        soil=(0.05, 0.05, 0.0, 0.05, 0.10, 0.05, 0.0),
        zone=(-0.8, -0.20, 0.05, 0.30, 0.15),
        elevation=(-0.5, 900.0, 2200.0),
        slope=(-0.5, 40.0, 220.0),
    ),
    FOREST: Table(
        base=0.50,
        soil=(0.0, 0.10, 0.05, 0.05, 0.0, -0.10, 0.10),
        zone=(-0.9, 0.35, 0.25, -0.55, 0.15),
        elevation=(-0.9, 1500.0, 2300.0),
        slope=(0.25, 10.0, 90.0),
    ),
    GRASS_SHRUB: Table(
        base=0.45,
        soil=(0.10, 0.0, 0.0, 0.0, 0.05, 0.15, 0.0),
        zone=(0.35, 0.05, 0.0, 0.45, 0.10),
        elevation=(0.2, 1400.0, 2100.0),
        slope=(0.0, 0.0, 1.0),
    ),
}


def suitability(terrain: Terrain, period: int) -> np.ndarray:
    """How well each class suits each cell in a climate period, before neighbours and noise.

    period : 0..3, index of terrain.PERIODS
    returns : (8, ny, nx) float32, no unit; 0 for ocean, other land and water, which no one chooses
    """
    score = np.zeros((N_CLASSES, *terrain.shape), np.float32)
    zone = terrain.zones[period]
    for number, table in TABLES.items():
        of_soil = np.array([0.0, *table.soil], np.float32)
        of_zone = np.array([0.0, *table.zone], np.float32)
        score[number] = table.base + of_soil[terrain.soil] + of_zone[zone]
        for (weight, low, high), height in (
            (table.elevation, terrain.elevation),
            (table.slope, terrain.slope),
        ):
            score[number] += np.float32(weight) * ramp(height, low, high)
    return score


def sparse_land(terrain: Terrain, patches: np.ndarray) -> np.ndarray:
    """Cells of other land (rock, ice, bare ground), fixed in time: (ny, nx) bool.

    patches : (ny, nx) float64    smooth noise, sd 1
    The first period's zone decides: high peaks, most of the polar and alpine zone, and coarse
    soil in the driest parts.
    """
    zone = terrain.zones[0]
    bare = terrain.elevation > 2300.0 + 250.0 * patches
    bare |= (zone == POLAR) & (patches + terrain.elevation / 1500.0 > 0.8)
    bare |= (zone == DRY) & (terrain.soil == 1) & (patches > 0.9)
    return bare & ~terrain.ocean & ~terrain.water


def forest_codes(zone: np.ndarray, elevation: np.ndarray) -> np.ndarray:
    """HILDA+ forest type of each cell, were it forest: (ny, nx) uint8, 40..45.

    40 unknown, 41 evergreen needleleaf, 42 evergreen broadleaf, 43 deciduous needleleaf,
    44 deciduous broadleaf, 45 mixed.
    Source of the codes: Winkler et al. (2021), doi:10.1594/PANGAEA.921846; of the table: made up.
    """
    # zone: (below 400 m, 400 to 900 m, above 900 m)
    table = np.zeros((6, 3), np.uint8)
    table[[0, POLAR, BOREAL]] = [[40, 40, 40], [43, 43, 43], [41, 41, 41]]
    table[[TEMPERATE, DRY, WARM]] = [[44, 45, 41], [40, 40, 45], [42, 42, 45]]
    return table[zone, np.digitize(elevation, [400.0, 900.0])]
