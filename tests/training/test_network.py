"""The network: what it gives untrained, how far it sees, what it can never say."""

import dataclasses

import numpy as np
import pytest
import torch

from landstep.emulator.card import Card
from landstep.emulator.classes import MASKED, scheme
from landstep.emulator.errors import ConfigError
from landstep.training.graph import LandUseGraph, fold_batch_norm
from landstep.training.network import (
    FORBIDDEN,
    LandUseNetwork,
    NetworkShape,
    allowed_classes,
    paint,
    transition_logits,
)
from landstep.training.past import past_planes

HISTORY = 2
STATES = ("primf", "secdn", "urban", "c3ann", "pastr")


def made_up(depth=2, base=4, n_continuous=1, sizes=(8, 5), states=STATES):
    """Build an untrained hilda8 network."""
    shape = NetworkShape(scheme("hilda8"), states, n_continuous, sizes, HISTORY, base, depth)
    return LandUseNetwork(shape)


def randomise(network, seed=0):
    """Give every weight, statistic and the head a random value."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, value in network.state_dict().items():
            if name.endswith("running_var"):
                value.copy_(0.5 + torch.rand(value.shape, generator=generator))
            elif value.is_floating_point() and name.split(".")[0] not in (
                "mean",
                "scale",
                "mix",
                "uniform",
                "transition",
                "allowed",
                "sharpness",
            ):
                value.copy_(0.3 * torch.randn(value.shape, generator=generator))
    return network.eval()


def inputs(network, y=24, x=32, seed=0, masked=0.3, coarse=(3, 4)):
    """Make up one window's inputs, in the graph's order."""
    rng = np.random.default_rng(seed)
    shape = network.shape
    prior = rng.integers(0, 8, (1, y, x)).astype(np.uint8)
    prior[rng.random((1, y, x)) < masked] = MASKED
    forcing = rng.dirichlet(np.ones(len(shape.states) + 1), (1, *coarse))[..., :-1]
    change = 0.01 * rng.standard_normal(forcing.shape)
    held = rng.dirichlet(np.ones(8), (1, *coarse))
    history = rng.choice([1, 2, 4, 7, MASKED], (1, HISTORY, y, x)).astype(np.uint8)
    arrays = (
        prior,
        history,
        np.array([1], np.float32),
        rng.standard_normal((1, shape.n_continuous, y, x)).astype(np.float32),
        rng.integers(0, 5, (1, len(shape.category_sizes), y, x)).astype(np.uint8),
        np.moveaxis(forcing, -1, 1).astype(np.float32),
        np.moveaxis(change, -1, 1).astype(np.float32),
        np.moveaxis(held, -1, 1).astype(np.float32),
        np.arange(y) * coarse[0] // y,
        np.arange(x) * coarse[1] // x,
    )
    return [torch.from_numpy(np.ascontiguousarray(array)) for array in arrays]


def mix_by_hand(forcing, matrix):
    """Class mix of one coarse cell, remainder included: (K,)."""
    return (
        sum(forcing[f] * matrix[f] for f in range(len(forcing))) + (1 - forcing.sum()) * matrix[-1]
    )


@pytest.mark.parametrize(("depth", "base"), [(1, 3), (2, 4), (3, 16)])
def test_untrained_network_gives_back_the_prior_map(depth, base):
    network = made_up(depth, base).eval()
    arrays = inputs(network, masked=0)
    assert set(np.unique(arrays[0])) == set(range(8))
    land_use, _ = LandUseGraph(network)(*arrays)
    assert np.array_equal(land_use, arrays[0])


def test_untrained_network_with_a_measured_table_gives_back_the_prior_map():
    network = made_up().eval()
    counts = np.random.default_rng(1).integers(0, 50, (8, 8)) + 60 * np.eye(8)
    network.set_transitions(counts)
    arrays = inputs(network, masked=0)
    assert np.array_equal(LandUseGraph(network)(*arrays)[0], arrays[0])


def test_untrained_network_gives_the_commonest_class_of_the_mix_where_masked():
    network = made_up().eval()
    arrays = inputs(network, masked=0.5, seed=3)
    matrix = scheme("hilda8").mix_matrix(STATES)
    land_use = LandUseGraph(network)(*arrays)[0].numpy()[0]
    expected = arrays[0].numpy()[0].copy()
    for y, x in np.argwhere(expected == MASKED):
        cell = arrays[5].numpy()[0, :, arrays[8][y], arrays[9][x]].astype(np.float64)
        expected[y, x] = 1 + mix_by_hand(cell, matrix)[1:].argmax()
    assert np.array_equal(land_use, expected)
    assert len(np.unique(expected[arrays[0][0] == MASKED])) > 2


def test_the_head_learns_what_only_two_of_a_cells_own_inputs_say_together():
    """Crop where exactly one of prior and the map before is pasture: no sum of the two says it.

    The stem is shut, so that nothing comes from the U-Net.
    """
    network = made_up()
    torch.nn.init.zeros_(network.stem[0].weight)
    given = inputs(network, y=32, x=32, masked=0.0, coarse=(1, 1))
    rng = np.random.default_rng(1)
    pasture, before = rng.integers(0, 2, (2, 1, 32, 32))
    given[0] = torch.from_numpy(np.where(pasture, 3, 4).astype(np.uint8))
    given[1][:, 0] = torch.from_numpy(np.where(before, 3, 4).astype(np.uint8))
    target = torch.from_numpy(np.where(pasture != before, 2, 5))
    graph = LandUseGraph(network)
    head = [*network.join.parameters(), *network.head_features.parameters()]
    steps = torch.optim.Adam(head, 0.05)
    for _ in range(60):
        logits = graph(*given)[1]
        steps.zero_grad()
        torch.nn.functional.cross_entropy(logits, target).backward()
        steps.step()
    assert np.array_equal(graph(*given)[0].numpy(), target.numpy())


def test_missing_forcing_leaves_a_masked_cell_with_equal_odds():
    network = made_up().eval()
    arrays = inputs(network, masked=1)
    arrays[5].zero_()
    logits = LandUseGraph(network)(*arrays)[1]
    assert torch.isfinite(logits).all()
    free = logits[:, 1:7]
    assert torch.equal(free, torch.full_like(free, float(np.float32(np.log(np.float32(1 / 6))))))
    assert (logits[:, 0] == FORBIDDEN).all()


def test_first_guess_hardly_feels_how_a_share_was_rounded():
    network = made_up().eval()
    rng = np.random.default_rng(0)
    shares = rng.dirichlet(np.ones(len(STATES)), (1, 40, 40))
    shares *= 1 - 10.0 ** rng.uniform(-7, -1, (1, 40, 40, 1))  # next to nothing is left over
    forcing = torch.from_numpy(np.moveaxis(shares, -1, 1))
    change = torch.zeros_like(forcing)
    held = torch.from_numpy(rng.dirichlet(np.ones(8), (40, 40)).transpose(2, 0, 1))[None]
    exact = network.double().coarse_channels(forcing, change, held)
    rounded = network.float().coarse_channels(forcing.float(), change.float(), held.float())
    assert (exact - rounded).abs()[:, -8:].max() < 5e-5


def test_what_a_map_owes_is_the_forcings_mix_less_what_it_holds():
    network = made_up().eval()
    forcing, change, held = inputs(network)[5:8]
    forcing[:, :, 0, 0] = 0  # missing: nothing is known to be owed
    owed = network.coarse_channels(forcing, change, held)[0, -16:-8]
    matrix = network.shape.scheme.mix_matrix(STATES).astype(np.float64)
    asked = mix_by_hand(forcing.numpy()[0, :, 2, 1].astype(np.float64), matrix)
    difference = asked - held.numpy()[0, :, 2, 1]
    expected = np.sign(difference) * np.log(1 + 1000 * np.abs(difference))
    np.testing.assert_allclose(owed[:, 2, 1], expected, atol=1e-3)
    assert (owed[:, 0, 0] == 0).all()


@pytest.mark.parametrize("factor", [0.5, 3.0])
def test_sharpness_multiplies_the_logits_of_what_can_be(factor):
    network = randomise(made_up())
    network.set_sharpness(1.0)
    arrays = inputs(network)
    with torch.no_grad():
        plain = LandUseGraph(network)(*arrays)
        network.set_sharpness(factor)
        found = LandUseGraph(network)(*arrays)
    can_be = plain[1] != FORBIDDEN
    np.testing.assert_allclose(found[1][can_be], factor * plain[1][can_be], rtol=1e-5)
    assert torch.equal(found[1] != FORBIDDEN, can_be) and torch.equal(found[0], plain[0])


def test_base_of_a_known_cell_is_the_log_frequency_of_its_transitions():
    network = made_up().eval()
    counts = np.zeros((8, 8))
    counts[4, 4], counts[4, 2] = 97, 9
    network.set_transitions(counts)
    arrays = inputs(network, masked=0)
    arrays[0].fill_(4)
    logits = LandUseGraph(network)(*arrays)[1][0, :, 0, 0]
    total = 97 + 9 + 8
    expected = {4: 98 / total, 2: 10 / total, 1: 1 / total, 6: 1 / total}
    for number, share in expected.items():
        assert logits[number].item() == pytest.approx(np.log(share), abs=1e-6)


def test_a_class_that_changes_more_than_it_stays_is_raised_and_named():
    network = made_up()
    counts = 100 * np.eye(8)
    counts[3, 5] = 500
    assert network.set_transitions(counts) == ["pasture"]
    table = network.transition.numpy()
    assert np.array_equal(table.argmax(1), np.arange(8))
    assert table[3, 3] - table[3, 5] == pytest.approx(np.log(2), abs=1e-6)


def test_classes_never_seen_stay_and_are_not_named():
    table, raised = transition_logits(np.zeros((5, 5)))
    assert raised == []
    assert np.array_equal(table.numpy().argmax(1), np.arange(5))
    assert np.exp(table.numpy()).sum(1) == pytest.approx(1)


@pytest.mark.parametrize("wrong", [-1.0, np.nan, np.inf])
def test_counts_that_are_no_counts_are_refused(wrong):
    counts = np.eye(3)
    counts[0, 1] = wrong
    with pytest.raises(ConfigError, match="negative or non-finite"):
        transition_logits(counts)


@pytest.mark.parametrize("seed", range(3))
def test_fixed_classes_stay_and_are_never_made_whatever_the_weights(seed):
    network = randomise(made_up(), seed)
    with torch.no_grad():
        network.head_features.weight.mul_(1e6)
        network.head_inputs.weight.mul_(1e6)
    arrays = inputs(network, seed=seed)
    land_use, logits = (a.detach().numpy()[0] for a in LandUseGraph(network)(*arrays))
    prior = arrays[0].numpy()[0]
    assert np.isfinite(logits).all()
    assert (land_use[prior == 0] == 0).all()
    assert (land_use[prior == 7] == 7).all()
    moving = ~np.isin(prior, (0, 7))
    assert not (land_use[moving] == 0).any()
    assert not np.isin(land_use[moving & (prior != MASKED)], (0, 7)).any()


def test_allowed_classes_by_hand():
    table = allowed_classes((True, False, False, True)).numpy()
    assert np.array_equal(
        table,
        [[1, 0, 0, 0], [0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 1], [0, 1, 1, 1]],
    )


def test_a_masked_cell_may_become_water():
    network = made_up().eval()
    with torch.no_grad():
        network.head_features.bias[7] = 20.0
    arrays = inputs(network, masked=1)
    assert (LandUseGraph(network)(*arrays)[0] == 7).all()


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_the_network_sees_no_farther_than_its_card_says(depth):
    card = Card(
        name="n",
        landstep_version="0",
        scheme="hilda8",
        class_codes=[0, 1],
        class_names=["ocean", "land"],
        states=["urban"],
        continuous=[],
        categories=[],
        base=2,
        depth=depth,
        history=HISTORY,
        direction="forward",
        lags=[1],
    )
    reach = 7 * 2**depth - 5
    assert card.halo >= reach
    network = made_up(depth, base=2).double().eval()
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():  # weights above 0, so that no ReLU hides what lies behind it
        for weights in network.parameters():
            fan_in = max(1, weights[0].numel())
            weights.copy_((0.5 + torch.rand(weights.shape, generator=generator)) / fan_in)
    size = -(-(2 * reach + 20) // card.stride) * card.stride
    prior = torch.full((1, size, size), 4, dtype=torch.uint8)
    history, years = prior[:, None].expand(-1, HISTORY, -1, -1), torch.ones(1)
    categories = torch.zeros(1, 2, size, size, dtype=torch.uint8)
    coarse = torch.rand(
        1, 2 * len(STATES) + 40, size, size, dtype=torch.float64, generator=generator
    )
    elevation = torch.rand(1, 1, size, size, dtype=torch.float64, generator=generator)
    farthest = 0
    for place in range(size // 2, size // 2 + card.stride):
        elevation.requires_grad_(True).grad = None
        logits = network(prior, history, years, elevation, categories, coarse)
        logits[0, 1:7, place, place].sum().backward()
        seen = elevation.grad[0, 0].nonzero()
        farthest = max(farthest, int((seen - place).abs().max()))
    assert reach - card.stride < farthest <= reach


def test_a_window_with_its_halo_answers_as_the_whole():
    network = randomise(made_up(2))
    whole = inputs(network, 96, 112, coarse=(5, 6))
    graph = LandUseGraph(network)
    with torch.no_grad():
        expected = graph(*whole)[1]
        top, left, halo = 40, 44, 24
        rows, cols = slice(top - halo, top + 8 + halo), slice(left - halo, left + 4 + halo)
        prior, history, years, *statics = whole[:5]
        cut = [prior[:, rows, cols], history[:, :, rows, cols], years]
        cut += [array[:, :, rows, cols] for array in statics]
        found = graph(*cut, *whole[5:8], whole[8][rows], whole[9][cols])[1]
    core = found[:, :, halo : halo + 8, halo : halo + 4]
    np.testing.assert_allclose(core, expected[:, :, top : top + 8, left : left + 4], atol=2e-5)


def test_painting_gives_each_fine_cell_its_coarse_value():
    coarse = torch.arange(12.0).view(1, 1, 3, 4)
    painted = paint(coarse, torch.tensor([2, 0, 0]), torch.tensor([3, 1]))
    assert np.array_equal(painted[0, 0], [[11, 9], [3, 1], [3, 1]])


def test_folding_batch_norm_keeps_the_answers_and_the_original():
    network = randomise(made_up())
    before = {name: value.clone() for name, value in network.state_dict().items()}
    folded = fold_batch_norm(network)
    arrays = inputs(network)
    with torch.no_grad():
        expected, found = LandUseGraph(network)(*arrays)[1], LandUseGraph(folded)(*arrays)[1]
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert not any("running_var" in name for name in folded.state_dict())
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


def test_a_network_without_statics_works():
    network = made_up(n_continuous=0, sizes=()).eval()
    arrays = inputs(network, masked=0)
    assert np.array_equal(LandUseGraph(network)(*arrays)[0], arrays[0])


def test_scaling_makes_statics_of_mean_0_and_deviation_1():
    network = made_up(n_continuous=2).eval()
    network.set_scaling(np.array([300.0, 7.0]), np.array([50.0, 0.0]))
    arrays = inputs(network)
    arrays[3] = torch.tensor([400.0, 9.0]).view(1, 2, 1, 1).expand(1, 2, 24, 32)
    coarse = paint(network.coarse_channels(*arrays[5:8]), *arrays[8:])
    features, _ = network.features(*arrays[:5], coarse)
    assert features.shape[1] == network.shape.n_inputs
    first = 9 + past_planes(8, HISTORY)
    assert features[0, first, 0, 0].item() == pytest.approx(2.0)
    assert features[0, first + 1, 0, 0].item() == pytest.approx(2.0)


def test_shape_comes_from_the_card():
    card = Card(
        name="n",
        landstep_version="0",
        scheme="sweden5",
        class_codes=[0],
        class_names=["a"],
        states=["urban"],
        continuous=["elevation"],
        categories=[{"name": "soil_texture", "size": 8}],
        base=6,
        depth=2,
        history=5,
        direction="forward",
        lags=[1],
    )
    assert dataclasses.asdict(NetworkShape.of_card(card))["category_sizes"] == (8,)
    assert NetworkShape.of_card(card).history == 5
    assert NetworkShape.of_card(card).scheme is scheme("sweden5")
