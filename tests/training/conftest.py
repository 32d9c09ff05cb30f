"""A small made-up region in memory, and a training file to go with it."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from landstep.emulator.classes import scheme
from landstep.training.region import Region

STATES = ("secdf", "secdn", "urban", "c3ann", "pastr")


def made_up_region(shape=(44, 60), years=range(2000, 2009), block=7, seed=0, name="made up"):
    """Grow cropland out of forest, in one climate zone, faster where the forcing says so."""
    rng = np.random.default_rng(seed)
    ny, nx = shape
    row, col = np.arange(ny) // block, np.arange(nx) // block
    coarse = (row[-1] + 1, col[-1] + 1)
    pace = rng.random(coarse) * 0.03
    land = rng.choice([1, 3, 4, 4, 4, 5, 6, 7], shape)
    land[:, :5] = 0
    zones = np.stack([np.full(shape, 3), rng.integers(0, 4, shape)]).astype(np.uint8)
    maps, now = {}, land.astype(np.uint8)
    for year in years:
        maps[year] = now
        falls = (rng.random(shape) < 4 * pace[row][:, col]) & (now == 4) & (zones[1] == 2)
        now = np.where(falls, 2, now).astype(np.uint8)
    pairs = [(a, b) for a in years for b in years if a != b]
    shares = {}
    for year in years:
        share = np.full((len(STATES), *coarse), 0.1, np.float32)
        share[0] = 0.5 - pace * (year - years[0])
        share[3] = 0.1 + pace * (year - years[0])
        shares[year] = share
    return Region(
        name=name,
        scheme=scheme("hilda8"),
        states=STATES,
        phase="01-01",
        maps=maps,
        forcing={(a, b): (shares[b], shares[b] - shares[a]) for a, b in pairs},
        continuous=rng.normal(300, 100, (1, *shape)).astype(np.float32),
        categories={year: zones for year in years},
        category_sizes=(8, 4),
        row=row,
        col=col,
        wraps=False,
        files={"maps.nc": "0" * 64},
    )


TRAINING_FILE = (Path(__file__).parent / "made_up_training.toml").read_text("utf-8")


@pytest.fixture(scope="session")
def make_region():
    """Give the function that makes up regions."""
    return made_up_region


@pytest.fixture(scope="session")
def region():
    """Give the made-up region."""
    return made_up_region()


@pytest.fixture(scope="session")
def numbered(region):
    """Give the region with an elevation that numbers the cells, row by row."""
    numbers = np.arange(region.row.size * region.col.size, dtype=np.float32)
    return dataclasses.replace(region, continuous=numbers.reshape(1, *region.shape))


@pytest.fixture(scope="session")
def straight(region, tmp_path_factory):
    """Train once by the training file as it is, without a stop: the checkpoint, to be read only."""
    from landstep.training import fit

    path = tmp_path_factory.mktemp("straight") / "made_up.toml"
    path.write_text(TRAINING_FILE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fit, "load_region", lambda *_: region)
        return fit.train(path, progress=False)


@pytest.fixture
def training_file(tmp_path, region, monkeypatch):
    """Write the training file; its experiment is the made-up region, whatever its path."""
    from landstep.training import fit

    monkeypatch.setattr(fit, "load_region", lambda *_: region)
    path = tmp_path / "made_up.toml"
    path.write_text(TRAINING_FILE)
    return path
