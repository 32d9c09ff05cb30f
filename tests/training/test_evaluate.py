"""Scoring: whole maps in windows, beside persistence, on the cells that can change."""

import dataclasses

import numpy as np
import pytest
import torch

from landstep.emulator.card import Card
from landstep.training import evaluate
from landstep.training.evaluate import compare, predict, score
from landstep.training.network import LandUseNetwork, NetworkShape


@pytest.fixture
def network(region):
    """Build a network of the region that changes many cells."""
    card = Card(
        name="n",
        landstep_version="0",
        scheme="hilda8",
        class_codes=[0, 1],
        class_names=["ocean", "land"],
        states=list(region.states),
        continuous=["elevation"],
        categories=[{"name": "soil_texture", "size": 8}, {"name": "climate_zone", "size": 4}],
        base=4,
        depth=2,
        history=2,
        direction="forward",
        lags=[1],
    )
    torch.manual_seed(0)
    network = LandUseNetwork(NetworkShape.of_card(card)).eval()
    network.set_scaling(np.array([300.0]), np.array([100.0]))
    torch.nn.init.normal_(network.head_features.weight, 0, 3)
    torch.nn.init.normal_(network.head_inputs.weight, 0, 1)
    return network


def test_a_map_does_not_depend_on_the_windows_it_was_scored_in(network, region, monkeypatch):
    prior, history = region.maps[2006], region.history(2006, 1, 2)
    whole = predict(network, region, (2006, 2007), prior, history)
    assert 0.05 < (whole != prior).mean() < 0.95
    assert np.array_equal(whole[np.isin(prior, (0, 7))], prior[np.isin(prior, (0, 7))])
    monkeypatch.setattr(evaluate, "CORE", 16)
    assert np.array_equal(predict(network, region, (2006, 2007), prior, history), whole)


def test_year_by_year_steps_from_its_own_maps(network, region):
    prior, maps = region.maps[2006], region.maps
    middle = predict(network, region, (2006, 2007), prior, np.stack([maps[2005], maps[2004]]))
    end = predict(network, region, (2007, 2008), middle, np.stack([prior, maps[2005]]))
    entries = score(network, [region], [(2006, 2008)])
    assert [entry["way"] for entry in entries] == ["one step", "year by year"]
    assert entries[1]["model"] == compare(region, 2006, 2008, end)
    assert entries[0]["model"] != entries[1]["model"]
    assert (
        entries[0]["persistence"] == entries[1]["persistence"] == compare(region, 2006, 2008, prior)
    )


def test_scores_count_the_cells_that_can_change_and_are_known(region):
    prior, truth = region.maps[2006], region.maps[2008]
    found = prior.copy()
    found[prior == 0] = 5  # not counted
    moved = np.argwhere((prior == 4) & (truth == 2))[:3]
    found[tuple(moved.T)] = 2
    values = compare(region, 2006, 2008, found)
    land = prior != 0
    changed = int((prior != truth)[land].sum())
    assert values["figure_of_merit"] == pytest.approx(3 / changed, abs=1e-5)
    assert values["accuracy"] == pytest.approx(1 - (changed - 3) / land.sum(), abs=1e-5)
    assert values["changed"] == pytest.approx(3 / land.sum(), abs=1e-5)


def test_what_can_be_reached_stands_beside_the_score_where_it_is_known(network, region):
    best = {"accuracy": 0.99, "mean_iou": 0.98, "figure_of_merit": 0.8}
    said = {"start": 2006, "targets": {"2007": {"best_attainable": best, "twin": {}}}}
    knowing = dataclasses.replace(region, attainable=said)
    entries = score(network, [knowing], [(2006, 2007), (2007, 2008)])
    assert entries[0]["best_attainable"] == best
    assert "best_attainable" not in entries[1]
    assert "best_attainable" not in score(network, [region], [(2006, 2007)])[0]


def test_a_score_of_known_quantities_says_so(network, region):
    known = dataclasses.replace(region, known_quantities=True)
    pairs = [(2006, 2007)]
    assert score(network, [known], pairs)[0]["quantities"] == "known, an upper bound"
    assert "quantities" not in score(network, [region], pairs)[0]
