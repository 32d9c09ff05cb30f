"""Fixtures that all rooms share."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, settings

from landstep.data.world import make_world
from landstep.emulator.card import Card, write_manifest
from landstep.emulator.classes import scheme

REPOSITORY = Path(__file__).resolve().parents[1]

settings.register_profile(
    "landstep",
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("landstep")
"""Property tests: the same examples in every run, and no example fails for being slow.

`pytest --hypothesis-profile=default` draws others.
"""


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


@pytest.fixture
def not_root() -> None:
    """Skip where permissions do not bite."""
    if os.geteuid() == 0:
        pytest.skip("root may read and write everything: permissions cannot be tested as root")


LUH2_STATES = (
    "primf", "primn", "secdf", "secdn", "urban", "c3ann", "c4ann", "c3per", "c4per", "c3nfx",
    "pastr", "range",
)  # fmt: skip


def tiny_card() -> Card:
    """Card of a network of depth 2 for the made-up world."""
    of = scheme("hilda8")
    return Card(
        name="tiny",
        landstep_version="0.1.0",
        scheme="hilda8",
        class_codes=list(of.codes),
        class_names=list(of.names),
        states=list(LUH2_STATES),
        continuous=["elevation"],
        categories=[{"name": "soil_texture", "size": 8}, {"name": "climate_zone", "size": 6}],
        base=4,
        depth=2,
        history=3,
        direction="both",
        lags=[1, 2, 10],
        sources=["random weights"],
    )


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a made-up world of 120 x 180 cells; "experiment.toml" in it names its files."""
    folder = tmp_path_factory.mktemp("world")
    make_world(folder, seed=3, shape=(120, 180))
    return folder


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ONNX file, with manifest, of a small random network that moves every sixth cell or so a year.

    Each land class leans to the next, as much as it leans to itself, and the random rest decides.
    """
    import torch

    from landstep.export.write import write_verified
    from landstep.training.network import LandUseNetwork, NetworkShape

    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(5)
        network = LandUseNetwork(NetworkShape.of_card(tiny_card())).eval()
        network.set_scaling(np.array([400.0]), np.array([300.0]))
        network.head_features.weight.normal_(0, 1.5)
        network.head_inputs.weight.normal_(0, 0.1)
        for number in range(1, 7):
            network.head_inputs.weight[number % 6 + 1, number] += 0.75
    return write_verified(network, tiny_card(), (), tmp_path_factory.mktemp("model") / "tiny.onnx")


@pytest.fixture(scope="session")
def untrained_model(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ONNX file of the same network with the zero head of an untrained one."""
    proto = onnx.load(tiny_model)
    heads = [w for w in proto.graph.initializer if w.name.startswith("head.out.")]
    assert heads
    for weights in heads:
        zeros = np.zeros_like(onnx.numpy_helper.to_array(weights))
        weights.CopyFrom(onnx.numpy_helper.from_array(zeros, weights.name))
    path = tmp_path_factory.mktemp("model") / "untrained.onnx"
    path.write_bytes(proto.SerializeToString())
    write_manifest(path)
    return path


@pytest.fixture(scope="session")
def experiment(world: Path, tiny_model: Path) -> Path:
    """Experiment file of the made-up world whose model is the tiny one."""
    text = (world / "experiment.toml").read_text("utf-8")
    line = 'model = "builtin:world"'
    assert line in text
    path = world / "tiny.toml"
    path.write_text(text.replace(line, f'model = "{tiny_model}"'), "utf-8")
    return path
