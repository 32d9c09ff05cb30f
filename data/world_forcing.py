"""The coarse forcing of the made-up world: twelve LUH2-like states, 1970 to 2100.

Fractions are of the WHOLE coarse cell, as in LUH2; the states of a cell sum to its share of land
without inland water (1 - icwtr). Urban, cropland and pasture start at the first map's counts and
follow rates that differ by region, with heavy tails: most yearly changes are smaller than one
fine cell. docs/made-up-world.md has the equations.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from landstep.data.process import BOUND
from landstep.data.suitability import FOREST, GRASS_SHRUB
from landstep.data.terrain import BLOCK, DRY, WARM, Terrain, block_mean, noise

FIRST_YEAR, LAST_YEAR = 1970, 2100  # the files begin in 1980
CROPS = ("c3ann", "c4ann", "c3per", "c4per", "c3nfx")
STATES = ("primf", "primn", "secdf", "secdn", "urban", *CROPS, "pastr", "range")
EXTRA = ("secma", "secmb")  # age and biomass of secondary land: not areas
MEMBERS = {0: ("urban",), 1: CROPS, 2: ("pastr", "range")}  # of each bound group, as in BOUND
CELLS = BLOCK * BLOCK
MARGIN = 3.0  # fine cells never asked for, so that three roundings always fit
HARVEST = 0.002  # share of primary land that becomes secondary each year


@dataclass(frozen=True)
class WorldForcing:
    """Yearly coarse states.

    years : (131,) int64, 1970..2100
    land : (cy, cx) bool              coarse cells that hold land; the others are missing in files
    states : name -> (131, cy, cx) float32, 0..1, of the whole cell; secma in years, secmb in
        kg C m-2
    """

    years: np.ndarray
    land: np.ndarray
    states: dict[str, np.ndarray]

    def counts(self, year: int) -> np.ndarray:
        """Fine cells of urban, cropland and pasture that a year asks for: (3, cy, cx) int64."""
        at = year - FIRST_YEAR
        return np.stack(
            [
                np.rint(CELLS * sum(self.states[s][at].astype(np.float64) for s in MEMBERS[group]))
                for group in range(3)
            ]
        ).astype(np.int64)


def make_forcing(seed: int, terrain: Terrain, first: np.ndarray, score: np.ndarray) -> WorldForcing:
    """Make the coarse states.

    seed : of the world
    first : (ny, nx) uint8          the first map, class numbers
    score : (8, ny, nx) float32     suitability of the first period
    """
    usable = block_mean((first >= BOUND[0]) & (first <= GRASS_SHRUB))
    cap = np.maximum(usable - MARGIN / CELLS, 0.0)
    start = np.stack([block_mean(first == number) for number in BOUND])
    start = np.where(cap > 30 / CELLS, np.minimum(start, start * cap / (start.sum(0) + 1e-9)), 0.0)
    groups = _trajectories(seed, terrain, start, cap)
    years = np.arange(FIRST_YEAR, LAST_YEAR + 1)
    land_share = block_mean(~(terrain.ocean | terrain.water))
    states = _natural(terrain, first, score, groups, land_share)
    states["urban"] = groups[:, 0]
    for name, share in zip(CROPS, _crop_shares(terrain), strict=True):
        states[name] = groups[:, 1] * share
    dry = block_mean(terrain.zones[0] == DRY)
    states["pastr"] = groups[:, 2] * (0.85 - 0.7 * dry)
    states["range"] = groups[:, 2] * (0.15 + 0.7 * dry)
    single = {name: states[name].astype(np.float32) for name in (*STATES, *EXTRA)}
    return WorldForcing(years, block_mean(~terrain.ocean) > 0, single)


def _smooth(seed: int, purpose: str, shape: tuple[int, int], length: float = 8.0) -> np.ndarray:
    return np.round(noise(seed, purpose, shape, length, 1.6), 6)


def _trajectories(seed: int, terrain: Terrain, start: np.ndarray, cap: np.ndarray) -> np.ndarray:
    """Fractions of urban, cropland and pasture by year: (131, 3, cy, cx) float64.

    Each year x grows by rate * brake, where the brake falls to 0 as the cell fills up (growth) or
    as the class runs out (decline): no trend ever hits 0 or the whole cell.
    """
    shape = terrain.coarse_shape
    pace = {k: _heavy(_smooth(seed, f"pace of {k}", shape, 3.0)) for k in ("u", "c", "p")}
    frontier = _smooth(seed, "crop frontier", shape)  # > 0 expands, < 0 is given up
    herding = _smooth(seed, "pasture frontier", shape)
    hot = 1.0 + 3.0 * (_smooth(seed, "hot spots", shape, 4.0) > 1.2)
    rate_c = 0.0011 * cap * np.clip(frontier + 0.15, -1.2, 1.5) * pace["c"] * hot
    rate_p = 0.0010 * cap * np.clip(herding - 0.3 * frontier, -1.2, 1.2) * pace["p"] * hot
    rate_u = 0.008 * np.minimum(pace["u"], 4.0)
    tempo = np.stack([_tempo(seed, name, shape) for name in ("urban", "cropland", "pasture")])
    x = start.copy()
    years = [x]
    for n in range(LAST_YEAR - FIRST_YEAR):
        room = np.clip((cap - x.sum(axis=0)) / (0.15 * cap + 1e-9), 0.0, 1.0)
        u, c, p = x
        du = rate_u * u * room * (1.0 - u / (0.7 * cap + 1e-9))
        dc = np.where(rate_c > 0, rate_c * room * _stock(c), rate_c * _stock(c))
        dp = np.where(rate_p > 0, rate_p * room * _stock(p), rate_p * _stock(p))
        dp = dp - 0.5 * np.maximum(dc, 0.0) * _stock(p)
        x = x + np.stack([du, dc, dp]) * tempo[:, n]
        years.append(x)
    return np.stack(years)


def _heavy(z: np.ndarray) -> np.ndarray:
    """Pace from a normal field: median 1, heavy upper tail: (1 + 0.45 z) ** 4 within 0.04 .. 6."""
    return np.clip((np.maximum(1.0 + 0.45 * z, 0.45)) ** 4, 0.04, 6.0)


def _stock(x: np.ndarray) -> np.ndarray:
    """Brake of a class that is scarce: 0 where there is none, a half at 8 % of the cell."""
    return x / (x + 0.08)


def _tempo(seed: int, name: str, shape: tuple[int, int]) -> np.ndarray:
    """Ups and downs: factor 0.4..1.6 by decade and region, straight between decades.

    returns : (130, cy, cx) float64
    """
    decades = np.stack(
        [1.0 + 0.6 * np.clip(_smooth(seed, f"{name} {d}", shape), -1, 1) for d in range(14)]
    )
    at = np.arange(LAST_YEAR - FIRST_YEAR) / 10.0
    low = at.astype(int)
    part = (at - low)[:, None, None]
    return decades[low] * (1.0 - part) + decades[low + 1] * part


def _crop_shares(terrain: Terrain) -> list[np.ndarray]:
    """Split of cropland into CROPS by how warm or dry the coarse cell is; constant in time."""
    warm = block_mean((terrain.zones[0] == WARM) | (terrain.zones[0] == DRY))
    c4ann, c3per, c4per = 0.12 + 0.18 * warm, 0.05 + 0.07 * warm, 0.08 * warm
    c3nfx = np.full_like(warm, 0.14)
    return [1.0 - c4ann - c3per - c4per - c3nfx, c4ann, c3per, c4per, c3nfx]


def _natural(
    terrain: Terrain,
    first: np.ndarray,
    score: np.ndarray,
    groups: np.ndarray,
    land_share: np.ndarray,
) -> dict[str, np.ndarray]:
    """Primary and secondary land, forested by POTENTIAL (as in LUH2, not by the map's forest).

    Loss takes from primary and secondary alike; what is abandoned is secondary; a little primary
    is harvested each year. Primary never grows.
    """
    potential = (score[FOREST] > score[GRASS_SHRUB]) & (first >= BOUND[0]) & (first <= GRASS_SHRUB)
    woody = block_mean(potential) / np.maximum(land_share, 1e-9)
    natural = np.maximum(land_share - groups.sum(axis=1), 0.0)
    used = groups[0].sum(axis=0) / np.maximum(land_share, 1e-9)
    primary = [natural[0] * np.clip(0.9 - 1.2 * used, 0.02, 0.9)]
    age = [np.full(land_share.shape, 30.0)]
    for n in range(1, len(natural)):
        before, now = natural[n - 1], natural[n]
        kept = np.minimum(now / np.maximum(before, 1e-9), 1.0) * (1.0 - HARVEST)
        primary.append(np.minimum(primary[-1] * kept, now))
        old_secondary, secondary = before - primary[-2], now - primary[-1]
        fresh = np.maximum(secondary - old_secondary, 0.0) / np.maximum(secondary, 1e-9)
        age.append((age[-1] + 1.0) * (1.0 - fresh))
    first_growth, ages = np.stack(primary), np.stack(age)
    second_growth = natural - first_growth
    return {
        "primf": first_growth * woody,
        "primn": first_growth * (1.0 - woody),
        "secdf": second_growth * woody,
        "secdn": second_growth * (1.0 - woody),
        "secma": ages,
        "secmb": 12.0 * woody * ages / (ages + 30.0),
    }
