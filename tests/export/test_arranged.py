"""The arranged graph: the network's own answers, from fewer planes, in few and even parts."""

import numpy as np
import pytest
import torch

from landstep.emulator.classes import scheme
from landstep.export.arranged import ArrangedGraph, parts
from landstep.export.planes import ALIGNMENT, Planes, expansion, kept_planes
from landstep.export.verify import random_tiles
from landstep.training.graph import LandUseGraph
from landstep.training.network import LandUseNetwork, NetworkShape, paint

STATES = ("primf", "secdn", "urban", "c3ann", "pastr")
SHAPES = [  # continuous statics, sizes of categories, history, base, depth
    (1, (8, 5), 2, 4, 2),
    (0, (), 1, 3, 1),
    (2, (3, 1, 6), 5, 16, 1),
]


def random_network(n_continuous, sizes, history, base, depth, scheme_name="hilda8"):
    """Build a network all of whose weights and tables are random."""
    of = scheme(scheme_name)
    shape = NetworkShape(of, STATES, n_continuous, sizes, history, base, depth)
    network = LandUseNetwork(shape).eval()
    generator = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for name, value in network.state_dict().items():
            if name.endswith("running_var"):
                value.copy_(0.5 + torch.rand(value.shape, generator=generator))
            elif name.endswith(("weight", "bias", "running_mean")):
                value.copy_(0.3 * torch.randn(value.shape, generator=generator))
    network.set_scaling(np.full(n_continuous, 400.0), np.full(n_continuous, 250.0))
    rng = np.random.default_rng(1)
    network.set_transitions(rng.integers(0, 50, (of.n_classes, of.n_classes)))
    network.set_sharpness(1.7)
    return network


def tiles_of(network):
    """Make up the inputs of some windows, in the graph's order."""
    for tile in random_tiles(network, np.random.default_rng(3)):
        yield [torch.from_numpy(array) for array in tile.values()]


@pytest.mark.parametrize("sizes", SHAPES)
def test_the_arranged_graph_answers_as_the_network(sizes):
    network = random_network(*sizes)
    plain, arranged = LandUseGraph(network), ArrangedGraph(network)
    for tile in tiles_of(network):
        with torch.no_grad():
            expected, found = plain(*tile)[1], arranged(*tile)[1]
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=2e-5)
        assert np.ptp(expected.numpy()[expected > -1e3]) > 1


@pytest.mark.parametrize("scheme_name", ["hilda8", "hilda13"])
@pytest.mark.parametrize("sizes", SHAPES)
def test_all_input_planes_are_the_sums_of_those_kept_that_the_table_says(sizes, scheme_name):
    network = random_network(*sizes, scheme_name)
    matrix, constant = expansion(network)
    planes = Planes(network)
    assert matrix.shape[1] % ALIGNMENT == 0 <= matrix.shape[1] - kept_planes(network.shape) < 4
    for prior, history, years, continuous, categories, *rest, row, col in tiles_of(network):
        coarse = planes.coarse(years, *rest)
        found = planes(prior, history, continuous, categories, coarse, row, col)[0].double()
        painted = paint(network.coarse_channels(*rest), row, col)
        features = network.features(prior, history, years, continuous, categories, painted)
        sums = torch.einsum("pk,kyx->pyx", matrix, found) + constant[:, None, None]
        np.testing.assert_allclose(sums, features[0][0], atol=2e-6)


def test_hilda8_with_luh2_and_three_years_fits_one_pass_of_the_pointwise_convolution():
    states = tuple(f"s{number}" for number in range(12))
    shape = NetworkShape(scheme("hilda8"), states, 1, (8, 13), 3, 32, 4)
    assert shape.n_inputs == 135
    assert kept_planes(shape) == 126


@pytest.mark.parametrize(
    ("width", "expected"),
    [(144, [48, 48, 48]), (128, [64, 64]), (32, [32]), (28, [28]), (80, [48, 32]), (1, [1])],
)
def test_channels_are_split_evenly_into_blocks(width, expected):
    assert parts(width) == expected
