"""Fixtures that all rooms share."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from landstep.data.world import make_world
from landstep.emulator.card import Card
from landstep.emulator.classes import scheme

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of the real data; the test skips where there is none.

    It is the one that LANDSTEP_REAL_DATA names, else ../shared/data beside the repository.
    """
    named = os.environ.get("LANDSTEP_REAL_DATA")
    folder = Path(named) if named else REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no real data in {folder}; LANDSTEP_REAL_DATA names another folder")
    return folder


def network_card(name: str) -> Card:
    """Card of a network of depth 2 for the made-up world."""
    of = scheme("hilda8")
    return Card(
        name=name,
        landstep_version="0.1.0",
        scheme="hilda8",
        class_codes=list(of.codes),
        class_names=list(of.names),
        states=[
            "primf", "primn", "secdf", "secdn", "urban", "c3ann", "c4ann", "c3per", "c4per",
            "c3nfx", "pastr", "range",
        ],
        continuous=["elevation"],
        categories=[{"name": "soil_texture", "size": 8}, {"name": "climate_zone", "size": 6}],
        base=4,
        depth=2,
        sources=["random weights"],
    )  # fmt: skip


def write_network(path: Path, *, seed: int | None) -> Path:
    """Write a network for the made-up world and its manifest.

    seed : of random weights; None leaves the network untrained, it gives back the prior map
    """
    import torch

    from landstep.export.write import write_verified
    from landstep.training.network import LandUseNetwork, NetworkShape

    card = network_card("untrained" if seed is None else f"random {seed}")
    with torch.random.fork_rng():
        torch.manual_seed(0 if seed is None else seed)
        network = LandUseNetwork(NetworkShape.of_card(card)).eval()
        network.set_scaling(np.array([400.0]), np.array([300.0]))
        if seed is not None:
            with torch.no_grad():
                network.head_features.weight.normal_(0, 1.5)
                network.head_inputs.weight.normal_(0, 0.25)
    return write_verified(network, card, (), path)


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a made-up world of 120 x 180 cells; "experiment.toml" in it names its files."""
    folder = tmp_path_factory.mktemp("world")
    make_world(folder, seed=3, shape=(120, 180))
    return folder


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ONNX file, with manifest, of a small random network that changes some cells each year."""
    return write_network(tmp_path_factory.mktemp("model") / "tiny.onnx", seed=5)


@pytest.fixture(scope="session")
def untrained_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ONNX file of an untrained network: it gives back the prior map."""
    return write_network(tmp_path_factory.mktemp("model") / "untrained.onnx", seed=None)


@pytest.fixture(scope="session")
def experiment(world: Path, tiny_model: Path) -> Path:
    """Experiment file of the made-up world whose model is the tiny one."""
    text = (world / "experiment.toml").read_text("utf-8")
    line = 'model = "builtin:world"'
    assert line in text
    path = world / "tiny.toml"
    path.write_text(text.replace(line, f'model = "{tiny_model}"'), "utf-8")
    return path
