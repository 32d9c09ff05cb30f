"""Free runs in training: what is drawn, and what one step hands on to the next."""

import dataclasses

import numpy as np
import pytest
import torch

from landstep.emulator.classes import MASKED, scheme
from landstep.training import rollout
from landstep.training.config import SamplesTable
from landstep.training.network import FORBIDDEN, LandUseNetwork, NetworkShape
from landstep.training.patches import collate
from landstep.training.rollout import draw, own_prior, shares_of
from landstep.training.samples import Samples

HISTORY = 2


def generators(*seeds):
    """Give a source of noise for each sample."""
    return [torch.Generator().manual_seed(seed) for seed in seeds]


def staying(region):
    """Build an untrained network that gives all but certainty to the prior class."""
    torch.manual_seed(0)
    shape = NetworkShape(scheme("hilda8"), region.states, 1, (8, 4), HISTORY, 4, 2)
    network = LandUseNetwork(shape)
    network.set_scaling(np.array([300.0]), np.array([100.0]))
    network.set_transitions(1e6 * np.eye(8))
    return network


def still(region, urban=0.0):
    """Give the region with one map for all years, without urban land, and a forcing that asks for
    so much of it a step, as a share of the coarse cell, and for nothing else.
    """
    change = np.zeros((len(region.states), *region.coarse), np.float32)
    change[region.states.index("urban")] = urban
    land_use = np.where(region.maps[2001] == 1, 4, region.maps[2001]).astype(np.uint8)
    forcing = {pair: (now, change) for pair, (now, _) in region.forcing.items()}
    return dataclasses.replace(region, forcing=forcing, maps=dict.fromkeys(region.maps, land_use))


def steps_of(region, tops=(7, 13), years=(2003, 2004)):
    """Give three steps, 2001 to 2002, 2003, 2004, of two places; the second cuts coarse cells."""
    table = SamplesTable(patch=24, batch=2, rollout=0.0)
    samples = Samples([region], [(2000, 2004)], table, 3, HISTORY)
    pairs = [(2001, 2002), (2002, 2003), years]
    return collate([[samples.known(0, pair, top, 2 * top) for pair in pairs] for top in tops])


def test_classes_are_drawn_as_often_as_their_logits_say():
    logits = torch.tensor([1.0, 0.0, -2.0, FORBIDDEN])
    chance = np.exp([1.0, 0.0, -2.0, -np.inf])
    chance /= chance.sum()
    found = draw(logits.view(1, 4, 1, 1).expand(1, 4, 300, 400), generators(5))
    assert found.dtype == torch.uint8 and found.shape == (1, 300, 400)
    share = np.bincount(found.numpy().ravel(), minlength=4) / found.numel()
    np.testing.assert_allclose(share, chance, atol=4 * np.sqrt(0.25 / found.numel()))
    assert share[3] == 0


def test_a_samples_draw_does_not_depend_on_its_company():
    logits = torch.randn(3, 4, 5, 7, generator=torch.Generator().manual_seed(0))
    together = draw(logits, generators(4, 5, 6))
    alone = torch.cat([draw(logits[n : n + 1], generators(4 + n)) for n in range(3)])
    assert torch.equal(together, alone)
    assert not torch.equal(draw(logits[:1], generators(5)), alone[:1])


def test_shares_are_counted_cell_by_cell():
    rng = np.random.default_rng(1)
    land_use = rng.choice([0, 1, 2, MASKED], (2, 9, 8)).astype(np.uint8)
    row = np.stack([np.sort(rng.integers(0, 3, 9)), np.sort(rng.integers(0, 3, 9))[::-1]])
    col = np.stack([np.sort(rng.integers(0, 2, 8)), np.sort(rng.integers(0, 2, 8))])
    batch = {
        "row": torch.from_numpy(row.copy()),
        "col": torch.from_numpy(col),
        "whole": torch.zeros(2, 1, 4, 2),
    }
    found = shares_of(torch.from_numpy(land_use), 3, batch)
    assert found.shape == (2, 3, 4, 2)
    for n, k, cy, cx in np.ndindex(2, 3, 4, 2):
        cells = land_use[n][row[n] == cy][:, col[n] == cx]
        expected = (cells == k).mean() if cells.size else 0
        assert found[n, k, cy, cx].item() == pytest.approx(expected)


def test_a_network_that_stays_gives_back_the_prior_where_no_change_is_wanted(region):
    steps = steps_of(still(region))
    last = own_prior(staying(region), steps, generators(1, 2))
    assert last["prior"].shape == steps[0]["prior"].shape
    assert (last["prior"] != steps[0]["prior"]).float().mean() < 1e-3


def test_as_many_cells_change_as_are_wanted(region):
    """A tenth of each coarse cell is to become urban; the second step asks for as much in all, as
    the true map has none.
    """
    steps = steps_of(still(region, urban=0.1), tops=(7, 14))
    last = own_prior(staying(region), steps, generators(1, 2))
    whole = steps[0]["whole"]
    assert whole.sum() > 15 and not steps[0]["prior_shares"][:, 1].any()
    urban = last["prior_shares"][:, 1:2] * whole
    assert (urban.sum() / whole.sum()).item() == pytest.approx(0.1, abs=0.025)
    others = (last["prior"] != steps[0]["prior"]) & (last["prior"] != 1)
    assert others.float().mean() < 1e-3


def shifted(prior):
    """What the stub network makes of a map: each land class becomes the next, the sea stays."""
    return torch.where((prior == 0) | (prior == MASKED), prior, prior % 6 + 1)


@pytest.fixture
def stub(region, monkeypatch):
    """Put a network that knows one rule in the place of ours; give it and what it was given."""
    seen = []

    def logits(network, batch):
        seen.append(batch)
        assert not network.training and not torch.is_grad_enabled()
        goal = shifted(batch["prior"]).clamp(max=7).long()
        return 1e4 * torch.nn.functional.one_hot(goal, 8).movedim(-1, 1).float()

    monkeypatch.setattr(rollout, "batch_logits", logits)
    monkeypatch.setattr(rollout, "fitted", lambda network, logits, batch: logits)
    return staying(region), seen


def test_each_step_starts_from_the_map_of_the_one_before(region, stub):
    network, seen = stub
    steps = steps_of(region)
    last = own_prior(network, steps, generators(1, 2))
    assert len(seen) == 2 and seen[0] is steps[0]
    first = steps[0]["prior"]
    once = shifted(first)
    twice = shifted(once)
    assert torch.equal(seen[1]["prior"], once) and torch.equal(last["prior"], twice)
    assert torch.equal(seen[1]["history"][:, 0], first)
    assert torch.equal(seen[1]["history"][:, 1], steps[0]["history"][:, 0])
    assert torch.equal(last["history"], torch.stack([once, first], 1))


def test_the_shares_are_those_of_its_own_maps_where_it_sees_whole_coarse_cells(region, stub):
    network, seen = stub
    steps = steps_of(region)
    assert 0 < steps[2]["whole"].mean() < 1
    last = own_prior(network, steps, generators(1, 2))
    maps = {1: seen[1]["prior"], 2: last["prior"]}
    for number, batch in ((1, seen[1]), (2, last)):
        for n, cy, cx in np.ndindex(2, *steps[0]["whole"].shape[2:]):
            cells = maps[number][n][steps[0]["row"][n] == cy][:, steps[0]["col"][n] == cx]
            for k in range(8):
                expected = steps[number]["prior_shares"][n, k, cy, cx].item()
                if steps[number]["whole"][n, 0, cy, cx]:
                    expected = (cells == k).float().mean().item()
                assert batch["prior_shares"][n, k, cy, cx].item() == pytest.approx(expected)


def test_everything_else_is_the_last_steps_own(region, stub):
    network, _ = stub
    steps = steps_of(region, years=(2003, 2005))
    last = own_prior(network, steps, generators(1, 2))
    assert last.keys() == steps[2].keys()
    for name in last.keys() - {"prior", "history", "prior_shares"}:
        assert last[name] is steps[2][name]
    assert last["years"].tolist() == [2, 2]
    assert not torch.equal(steps[2]["prior"], last["prior"]), "the batch itself was changed"


def test_cells_that_are_unknown_in_the_true_map_stay_unknown(region, stub):
    network, _ = stub
    steps = steps_of(region)
    steps[1]["prior"][:, 3:9, 4] = steps[2]["prior"][:, 3:9, 4] = MASKED
    last = own_prior(network, steps, generators(1, 2))
    assert torch.equal(last["prior"] == MASKED, steps[2]["prior"] == MASKED)
    assert (last["history"][:, 0, 3:9, 4] == MASKED).all()


def test_one_step_is_left_as_it_is(region):
    (batch,) = steps_of(region)[:1]
    assert own_prior(staying(region), [batch], generators(1, 2)) is batch


@pytest.mark.parametrize("training", [True, False])
def test_the_networks_mode_and_statistics_are_kept(region, training):
    network = staying(region).train(training)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    last = own_prior(network, steps_of(region), generators(1, 2))
    assert all(module.training == training for module in network.modules())
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    assert not any(value.requires_grad for value in last.values())
