"""A training file and a region to go with it."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from regions import made_up_region

TRAINING_FILE = """
name = "made up"
output = "made_up.ckpt"
validation = [[2006, 2007], [2006, 2008]]
[data]
experiments = ["experiment.toml"]
years = [2000, 2006]
lags = [1, 2]
[network]
base = 4
depth = 2
[samples]
patch = 24
batch = 2
blocks = [4, 8]
[fit]
steps = 10
checkpoint_every = 4
"""


@pytest.fixture(scope="session")
def region():
    """Give the made-up region."""
    return made_up_region()


@pytest.fixture
def training_file(tmp_path, region, monkeypatch):
    """Write the training file; its experiment is the made-up region, whatever its path."""
    from landstep.training import fit

    monkeypatch.setattr(fit, "load_region", lambda *_: region)
    path = tmp_path / "made_up.toml"
    path.write_text(TRAINING_FILE)
    return path
