"""The small models of the tests, stored so that nobody waits for an export, held to their networks.

One that is to be replaced, because cards or graphs have changed, is written anew by

    LANDSTEP_RECORD=1 pytest tests/export/test_stored_models.py
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from landstep.emulator.card import Card
from landstep.emulator.classes import scheme
from landstep.emulator.session import Session
from landstep.export.verify import verify
from landstep.export.write import write_verified
from landstep.training.network import LandUseNetwork, NetworkShape

MODELS = Path(__file__).parents[1] / "models"
LUH2_STATES = (
    "primf", "primn", "secdf", "secdn", "urban", "c3ann", "c4ann", "c3per", "c4per", "c3nfx",
    "pastr", "range",
)  # fmt: skip


def tiny() -> tuple[LandUseNetwork, Card]:
    """A network for the made-up world that moves every sixth cell or so a year.

    Each land class leans to the next, as much as it leans to itself, and the random rest decides.
    """
    of = scheme("hilda8")
    card = Card(
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
    network = _network(card, seed=5)
    network.set_scaling(np.array([400.0]), np.array([300.0]))
    network.head_features.weight.normal_(0, 1.5)
    network.head_inputs.weight.normal_(0, 0.1)
    for number in range(1, 7):
        network.head_inputs.weight[number % 6 + 1, number] += 0.75
    return network, card


def sweden() -> tuple[LandUseNetwork, Card]:
    """A network for the classes of Sweden, whose head says nothing."""
    of = scheme("sweden5")
    card = Card(
        name="tiny Sweden",
        landstep_version="0.1.0",
        scheme=of.name,
        class_codes=list(of.codes),
        class_names=list(of.names),
        states=list(of.names[1:]),
        continuous=["elevation"],
        categories=[{"name": "soil_texture", "size": 8}, {"name": "climate_zone", "size": 13}],
        base=2,
        depth=2,
        history=3,
        direction="forward",
        lags=[1],
    )
    network = _network(card, seed=3)
    network.set_scaling(np.array([100.0]), np.array([60.0]))
    return network, card


def _network(card: Card, seed: int) -> LandUseNetwork:
    torch.manual_seed(seed)
    return LandUseNetwork(NetworkShape.of_card(card)).eval()


@pytest.mark.parametrize("make", [tiny, sweden])
def test_a_stored_model_answers_as_its_network(make):
    with torch.random.fork_rng(), torch.no_grad():
        network, card = make()
    path = MODELS / f"{make.__name__}.onnx"
    if os.environ.get("LANDSTEP_RECORD"):
        write_verified(network, card, (), path)
    session = Session.open(path)
    assert session.card == card
    assert verify(session, network, ()).flips == 0
