"""The yearly 1 km process of the made-up world: quantity from the forcing, place from the land.

Each year, in each coarse cell, cells are released and gained until urban, cropland and pasture
have exactly the number of fine cells that the forcing's fractions round to. Which cells: those
with the best score (suitability + neighbourhood + what the cell is now + noise). The rest is
forest, and grass and shrub, which turns to forest beside forest. docs/made-up-world.md has it
in full.
"""

from __future__ import annotations

from functools import lru_cache, partial
from typing import NamedTuple

import numpy as np

from landstep.data.suitability import (
    CROPLAND,
    FOREST,
    GRASS_SHRUB,
    N_CLASSES,
    PASTURE,
    URBAN,
    forest_codes,
    sparse_land,
    suitability,
)
from landstep.data.terrain import (
    BLOCK,
    Terrain,
    blocks,
    generator,
    noise,
    period_index,
)

BOUND = (URBAN, CROPLAND, PASTURE)
VARIANT = "forest"  # code list of the maps that are written: HILDA+ with forest types
WINDOW = 5  # cells along one side of the neighbourhood
NEIGHBOURS = {URBAN: 2.5, CROPLAND: 1.2, PASTURE: 1.2, FOREST: 1.0}  # weight of the window's share
NOISE = {URBAN: 0.05, CROPLAND: 0.05, PASTURE: 0.05, FOREST: 0.05}  # standard deviation
FOREST_LINE = 1.0  # grass and shrub turns to forest above this score
# What a cell is now, added to the score of a gain; a class that is not named is never taken.
TAKEN_FROM = {
    URBAN: {CROPLAND: 0.1, PASTURE: 0.1, GRASS_SHRUB: 0.05, FOREST: -0.1},
    CROPLAND: {PASTURE: 0.0, GRASS_SHRUB: 0.1, FOREST: -0.2},
    PASTURE: {GRASS_SHRUB: 0.1, FOREST: -0.1},
}
_LEVELS = 1 << 16  # scores are compared in steps of 2**-16, so that no last bit decides
_CELLS = 1024  # keys are level * 1024 + cell: the later cell wins a tie
_NEVER = np.int32(-1)


class Places(NamedTuple):
    """What decides where a class goes in a year: three maps (ny, nx).

    suitability : float32
    neighbours : uint8, cells of the class in the window, last year
    noise : float32
    """

    suitability: np.ndarray
    neighbours: np.ndarray
    noise: np.ndarray

    def score(self, number: int, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
        """Score of each cell of some coarse cells for a class: (n, 900) float32."""
        weight = np.float32(NEIGHBOURS[number] / WINDOW**2)
        score = _gather(self.suitability, rows, cols) + weight * _gather(
            self.neighbours, rows, cols
        )
        return score + _gather(self.noise, rows, cols)


class Process:
    """The process on one terrain; `seed` is the world's, a run's noise has a seed of its own.

    terrain : the ground
    other : (ny, nx) bool    other land, fixed
    """

    taken_from = TAKEN_FROM

    def __init__(self, terrain: Terrain, seed: int) -> None:
        """Lay out the other land; the last climate period's suitability is kept (for decades)."""
        self.terrain = terrain
        self.seed = seed
        self.other = sparse_land(terrain, noise(seed, "bare", terrain.shape, 15.0, 2.0))
        self._of_period = lru_cache(maxsize=1)(partial(suitability, terrain))

    def suitability(self, year: int) -> np.ndarray:
        """Suitability of that year's climate period, (8, ny, nx) float32."""
        return self._of_period(period_index(year))

    def step(
        self, land: np.ndarray, year: int, counts: np.ndarray, noise_seed: int | None
    ) -> np.ndarray:
        """Next year's map.

        land : (ny, nx) uint8           class numbers of year - 1
        counts : (3, cy, cx) int64      cells of urban, cropland, pasture wanted in `year`
        noise_seed : of the run's noise; None for none
        returns : (ny, nx) uint8, a new array
        """
        score = self.suitability(year)
        places = {
            k: Places(score[k], self.neighbourhood(land, k), self._noise(noise_seed, k, year))
            for k in NEIGHBOURS
        }
        new = land.copy()
        for number, wanted in zip(BOUND, counts, strict=True):
            surplus = (blocks(new) == number).sum(axis=(2, 3)) - wanted
            self._release(new, np.maximum(surplus, 0), number, places[number])
            self._gain(new, np.maximum(-surplus, 0), number, places[number])
        return self._succession(new, land, score[GRASS_SHRUB], places[FOREST])

    def codes(self, land: np.ndarray, year: int) -> np.ndarray:
        """HILDA+ codes (forest variant) of a map, uint8; forest types follow the year's zone."""
        code = np.array([0, 11, 22, 33, 0, 55, 66, 77], np.uint8)[land]
        woods = land == FOREST
        zone = self.terrain.zones[period_index(year)]
        code[woods] = forest_codes(zone[woods], self.terrain.elevation[woods])
        return code

    def neighbourhood(self, land: np.ndarray, number: int) -> np.ndarray:
        """Cells of a class in the window around each cell, itself included: (ny, nx) uint8 0..25.

        Beyond the map's edge there is none; a globe goes on round the date line.
        """
        r = WINDOW // 2
        is_class = np.pad((land == number).view(np.uint8), ((r, r), (0, 0)))
        is_class = np.pad(
            is_class, ((0, 0), (r, r)), mode="wrap" if self.terrain.globe else "constant"
        )
        rows = is_class[: land.shape[0]].copy()
        for i in range(1, WINDOW):
            rows += is_class[i : i + land.shape[0]]
        count = rows[:, : land.shape[1]].copy()
        for i in range(1, WINDOW):
            count += rows[:, i : i + land.shape[1]]
        return count

    def _noise(self, noise_seed: int | None, number: int, year: int) -> np.ndarray:
        """Triangular noise of a class and year; zeros without a seed: (ny, nx) float32."""
        if noise_seed is None:
            return np.zeros(self.terrain.shape, np.float32)
        stream = generator(noise_seed, f"noise of class {number}", year)
        draw = stream.random(self.terrain.shape, np.float32)
        draw += stream.random(self.terrain.shape, np.float32)
        draw -= np.float32(1.0)
        return draw * np.float32(NOISE[number] * 6.0**0.5)

    def _gain(self, land: np.ndarray, n_cells: np.ndarray, number: int, places: Places) -> None:
        """Turn the best cells that may be taken into a class.

        land : (ny, nx) uint8, edited in place
        n_cells : (cy, cx) int64 >= 0, of each coarse cell
        """
        rows, cols = np.nonzero(n_cells)
        bonus = np.full(N_CLASSES, -np.inf, np.float32)
        for source, value in self.taken_from[number].items():
            bonus[source] = value
        score = places.score(number, rows, cols) + bonus[_gather(land, rows, cols)]
        _paint(land, rows, cols, _best(score, n_cells[rows, cols]), number)

    def _release(self, land: np.ndarray, n_cells: np.ndarray, number: int, places: Places) -> None:
        """Turn the least fit cells of a class into grass and shrub; arguments as in _gain."""
        rows, cols = np.nonzero(n_cells)
        score = -places.score(number, rows, cols)
        score[_gather(land, rows, cols) != number] = -np.inf
        _paint(land, rows, cols, _best(score, n_cells[rows, cols]), GRASS_SHRUB)

    def _succession(
        self, new: np.ndarray, old: np.ndarray, grass: np.ndarray, places: Places
    ) -> np.ndarray:
        """Turn last year's grass and shrub to forest where its score crosses the forest line.

        new, old : (ny, nx) uint8, this year's map so far (edited) and last year's
        grass : (ny, nx) float32, suitability for grass and shrub; places : of forest
        """
        y, x = np.nonzero((old == GRASS_SHRUB) & (new == GRASS_SHRUB))
        gain = places.suitability[y, x] - grass[y, x] + places.noise[y, x]
        gain += np.float32(NEIGHBOURS[FOREST] / WINDOW**2) * places.neighbours[y, x]
        grown = np.rint(gain * _LEVELS) > FOREST_LINE * _LEVELS
        new[y[grown], x[grown]] = FOREST
        return new


class RandomPlaces(Process):
    """The same quantities with places drawn by chance: a reference to score against.

    Nothing turns to forest unasked.
    """

    taken_from = {number: dict.fromkeys(sources, 0.0) for number, sources in TAKEN_FROM.items()}

    def suitability(self, year: int) -> np.ndarray:
        """No place suits better than another: zeros (8, ny, nx) float32."""
        return np.zeros((N_CLASSES, *self.terrain.shape), np.float32)

    def neighbourhood(self, land: np.ndarray, number: int) -> np.ndarray:
        """No place is nearer than another: zeros (ny, nx) uint8."""
        return np.zeros_like(land)

    def _succession(self, new: np.ndarray, *_: object) -> np.ndarray:
        return new


def _gather(a: np.ndarray, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
    """Cells of some coarse cells, row by row: (n, 900)."""
    return blocks(a)[rows, cols].reshape(-1, BLOCK * BLOCK)


def _paint(
    land: np.ndarray,
    rows: np.ndarray,
    cols: np.ndarray,
    chosen: tuple[np.ndarray, np.ndarray],
    number: int,
) -> None:
    """Write a class into cells; `chosen`: which coarse cell of rows and cols, which cell in it."""
    block, cell = chosen
    land[rows[block] * BLOCK + cell // BLOCK, cols[block] * BLOCK + cell % BLOCK] = number


def _best(score: np.ndarray, n_cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Choose the n highest of each row, fewer where fewer are allowed.

    score : (blocks, cells) float32, -inf where not allowed
    n_cells : (blocks,) int64 1..cells
    returns : row and column of each chosen cell, int64
    """
    if score.shape[0] == 0:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    finite = np.isfinite(score)
    level = np.rint(np.clip(np.where(finite, score, 0.0), -7.9, 7.9) * np.float32(_LEVELS))
    key = (level.astype(np.int32) + 8 * _LEVELS) * _CELLS
    key += np.arange(score.shape[1], dtype=np.int32)
    key[~finite] = _NEVER
    most = int(n_cells.max())
    if most < score.shape[1]:
        key = np.partition(key, score.shape[1] - most, axis=1)[:, -most:]
    key = np.sort(key, axis=1)[:, ::-1]
    chosen = (np.arange(key.shape[1]) < n_cells[:, None]) & (key >= 0)
    return np.nonzero(chosen)[0], key[chosen].astype(np.int64) % _CELLS
