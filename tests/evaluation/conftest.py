"""A small made-up region in memory: maps that flicker and grow, and their own block fractions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from landstep.emulator.classes import scheme
from landstep.evaluation.case import Case

BLOCK = 7
YEARS = range(2000, 2010)


def fractions(land_use: np.ndarray, n_classes: int, row: np.ndarray, col: np.ndarray) -> np.ndarray:
    """Share of each class but the first in each block, counted cell by cell."""
    shape = (int(row.max()) + 1, int(col.max()) + 1)
    counts, cells = np.zeros((n_classes - 1, *shape)), np.zeros(shape)
    for y in range(land_use.shape[0]):
        for x in range(land_use.shape[1]):
            cells[row[y], col[x]] += 1
            if land_use[y, x] > 0:
                counts[land_use[y, x] - 1, row[y], col[x]] += 1
    return (counts / cells).astype(np.float32)


def make_case(
    shape: tuple[int, int] = (29, 37),
    name: str = "brazil9",
    seed: int = 1,
    geographic: bool = False,
    flicker: float = 0.03,
) -> Case:
    """Make a case: patches of land classes, sea in a corner, some change and flicker every year."""
    rng, of = np.random.default_rng(seed), scheme(name)
    ny, nx = shape
    coarse = rng.integers(1, of.n_classes, (-(-ny // 5), -(-nx // 5)))
    land_use = np.kron(coarse, np.ones((5, 5), int))[:ny, :nx].astype(np.uint8)
    sea = np.add.outer(np.arange(ny), np.arange(nx)) < 9
    land_use[sea] = 0
    maps = {}
    for year in YEARS:
        if year > YEARS[0]:
            new = rng.random(shape) < 0.03
            land_use = np.where(new, rng.integers(1, of.n_classes, shape), land_use)
        seen = np.where(rng.random(shape) < flicker, np.roll(land_use, 1, 1), land_use)
        seen[seen == 0] = 1
        maps[year] = np.where(sea, 0, seen).astype(np.uint8)
        land_use = np.where(sea, 0, land_use)
    row, col = np.arange(ny) // BLOCK, np.arange(nx) // BLOCK
    area = np.full((ny, 1), 1_000_000, np.int64)
    if geographic:
        area = (1_000_000 * (1 + np.arange(ny)[:, None] / 10)).astype(np.int64)
    return Case(
        name="made up",
        scheme=of,
        maps=maps,
        forcing={y: fractions(m, of.n_classes, row, col) for y, m in maps.items()},
        states=of.names[1:],
        row=row,
        col=col,
        area=area,
        continuous={"elevation": rng.gamma(2.0, 100.0, shape).astype(np.float32)},
        categories={"soil_texture": np.where(sea, 0, 3).astype(np.uint8)},
        geographic=geographic,
        known_quantities=True,
    )


@pytest.fixture
def case() -> Case:
    """Give a case of 29 x 37 cells in 5 x 6 blocks of 7, years 2000 to 2009, scheme brazil9."""
    return make_case()


@pytest.fixture(scope="session")
def new_case() -> Callable[..., Case]:
    """Give the function that makes cases: (shape, name, seed, geographic, flicker)."""
    return make_case
