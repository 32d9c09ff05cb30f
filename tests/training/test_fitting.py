"""Logits fitted to coarse totals: what they come to, what stays, and that gradients go through."""

import numpy as np
import pytest
import torch

from landstep.emulator import fitting as emulator_fitting
from landstep.emulator.classes import scheme
from landstep.training.config import SamplesTable
from landstep.training.fitting import LEAST_CELLS, batch_logits, fit_to_totals, fitted
from landstep.training.graph import LandUseGraph
from landstep.training.network import FORBIDDEN, LandUseNetwork, NetworkShape
from landstep.training.patches import collate
from landstep.training.samples import Samples

MANY = 60
SLOT_OF = torch.tensor([2, 0, 0, 1, 2])


def places(seed=0, shape=(9, 11), coarse=(2, 3)):
    """Give two patches' rows and columns of coarse cells, the second patch's turned about."""
    row, col = np.arange(shape[0]) * coarse[0] // shape[0], np.arange(shape[1]) * coarse[1] // 11
    return torch.from_numpy(np.stack([row, row[::-1]])), torch.from_numpy(np.stack([col, col]))


def cells(row, col, coarse=(2, 3)):
    """Count the fine cells of each coarse cell: (2, cy, cx)."""
    return np.stack(
        [np.outer(np.bincount(r), np.bincount(c)) for r, c in zip(row, col, strict=True)]
    )


def totals(logits, row, col, slot_of, coarse=(2, 3)):
    """Add up probabilities by slot and coarse cell, one fine cell after the other."""
    chance = torch.softmax(logits.double(), 1).detach().numpy()
    found = np.zeros((len(logits), int(slot_of.max()) + 1, *coarse))
    for n, k, y, x in np.ndindex(chance.shape):
        found[n, slot_of[k], row[n, y], col[n, x]] += chance[n, k, y, x]
    return found


@pytest.fixture
def example():
    """Logits of five classes in three slots, totals for two patches, all coarse cells whole."""
    rng = np.random.default_rng(2)
    row, col = places()
    logits = torch.from_numpy(rng.normal(0, 2, (2, 5, 9, 11)).astype(np.float32))
    shares = rng.dirichlet(np.full(3, 3.0), (2, 2, 3)).transpose(0, 3, 1, 2)
    wanted = torch.from_numpy((shares * cells(row, col)[:, None]).astype(np.float32))
    return logits, wanted, torch.ones(2, 1, 2, 3), row, col


def test_two_cells_of_two_classes_by_hand():
    """Odds 1 : 1 and 1 : 1/4, each class is to have one cell: p, 1 - p and 1 - p, p, where the
    cross-product stays: p^2 / (1 - p)^2 = 1/4, so p = 1/3.
    """
    logits = torch.tensor([[1, 1], [1, 0.25]]).log().view(1, 2, 1, 2)
    one = torch.ones(1, 2, 1, 1), torch.ones(1, 1, 1, 1)
    row, col = torch.zeros(1, 1, dtype=torch.int64), torch.zeros(1, 2, dtype=torch.int64)
    found = fit_to_totals(logits, *one, row, col, torch.tensor([0, 1]), rounds=MANY).softmax(1)
    np.testing.assert_allclose(found[0, :, 0], [[1 / 3, 2 / 3], [2 / 3, 1 / 3]], rtol=1e-5)


def test_one_round_moves_a_slot_by_the_log_of_wanted_over_expected():
    """Two cells with equal odds have one of each expected; wanted are 1.5 and 0.5."""
    logits, row = torch.zeros(1, 2, 1, 2), torch.zeros(1, 1, dtype=torch.int64)
    wanted, col = torch.tensor([1.5, 0.5]).view(1, 2, 1, 1), torch.zeros(1, 2, dtype=torch.int64)
    found = fit_to_totals(
        logits, wanted, torch.ones(1, 1, 1, 1), row, col, torch.tensor([0, 1]), rounds=1
    )
    np.testing.assert_allclose(found[0, :, 0], np.log([[1.5, 1.5], [0.5, 0.5]]), rtol=1e-6)


def test_after_many_rounds_each_slot_has_the_cells_that_are_wanted(example):
    logits, wanted, whole, row, col = example
    assert np.abs(totals(logits, row, col, SLOT_OF) - wanted.numpy()).max() > 1
    found = fit_to_totals(*example, SLOT_OF, rounds=MANY)
    np.testing.assert_allclose(totals(found, row, col, SLOT_OF), wanted, rtol=1e-3)
    few = fit_to_totals(*example, SLOT_OF)
    assert np.abs(totals(few, row, col, SLOT_OF) / wanted.numpy() - 1).max() < 0.25


def test_classes_of_one_slot_keep_their_odds(example):
    found = fit_to_totals(*example, SLOT_OF) - example[0]
    np.testing.assert_allclose(found[:, 1], found[:, 2], atol=1e-5)
    np.testing.assert_allclose(found[:, 0], found[:, 4], atol=1e-5)


def test_coarse_cells_that_are_cut_are_left_as_they_were(example):
    logits, wanted, whole, row, col = example
    whole[0, 0, 1, 2] = whole[1, 0, 0, 0] = 0
    found = fit_to_totals(logits, wanted, whole, row, col, SLOT_OF)
    same = (found == logits).all(1).numpy()
    for n, y, x in np.ndindex(same.shape):
        assert same[n, y, x] == (whole[n, 0, row[n, y], col[n, x]] == 0)


def test_a_slot_that_is_to_have_nothing_has_next_to_nothing(example):
    logits, wanted, whole, row, col = example
    wanted[:, 2] += wanted[:, 0]
    wanted[:, 0] = 0
    found = totals(fit_to_totals(*example, SLOT_OF, rounds=MANY), row, col, SLOT_OF)
    np.testing.assert_allclose(found[:, 0], LEAST_CELLS, rtol=0.15)


def test_a_class_that_cannot_be_stays_so_and_all_numbers_are_finite(example):
    logits, wanted, whole, row, col = example
    logits[:, 3, 2:5] = FORBIDDEN
    logits[:, :, 7] = torch.tensor([FORBIDDEN] * 4 + [0.0]).view(5, 1)
    logits.requires_grad_(True)
    found = fit_to_totals(*example, SLOT_OF)
    chance = found.softmax(1)
    assert torch.isfinite(found).all() and not chance[:, 3, 2:5].any()
    assert (chance[:, 4, 7] == 1).all()
    chance[:, 4].log().sum().backward()
    assert torch.isfinite(logits.grad).all() and logits.grad.abs().max() > 0


def test_gradients_go_through_every_round(example):
    """Against differences, in double precision; and a cell feels the others of its coarse cell."""
    logits, wanted, whole, row, col = example
    inputs = logits[:, :, :3, :5].double().requires_grad_(True)
    places = row[:, :3], col[:, :5], SLOT_OF

    def cross_entropy(logits):
        found = fit_to_totals(logits, wanted.double() / 5, whole.double(), *places)
        return found.log_softmax(1)[:, 1].sum((1, 2))

    assert torch.autograd.gradcheck(cross_entropy, (inputs,))
    fit_to_totals(inputs, wanted.double() / 5, whole.double(), *places)[0, 0, 0, 0].backward()
    assert (inputs.grad[0, :, 0, 1] != 0).all() and not inputs.grad[1].any()


def test_enough_rounds_give_what_a_step_is_allocated_by(example):
    """The emulator's own fitting, of each coarse cell by itself."""
    logits, wanted, whole, row, col = example
    found = fit_to_totals(*example, SLOT_OF, rounds=MANY).softmax(1).numpy()
    for n, cy, cx in np.ndindex(2, 2, 3):
        rows, cols = np.flatnonzero(row[n] == cy), np.flatnonzero(col[n] == cx)
        odds = logits[n].numpy()[:, rows][:, :, cols].reshape(5, 1, -1)
        shares = emulator_fitting.probabilities(odds, np.zeros(odds.shape, bool))
        expected = emulator_fitting.fit(
            shares,
            SLOT_OF.numpy(),
            wanted[n, :, cy, cx].numpy().astype(np.float64)[:, None],
            np.ones(odds.shape[1:], np.float32),
        )
        here = found[n][:, rows][:, :, cols].reshape(5, -1)
        np.testing.assert_allclose(here, expected[:, 0], atol=2e-4)


@pytest.fixture
def network(region):
    """Build a network of the region whose head is not zero."""
    torch.manual_seed(0)
    of = scheme("hilda8")
    network = LandUseNetwork(NetworkShape(of, region.states, 1, (8, 4), 2, 4, 2)).eval()
    network.set_scaling(np.array([300.0]), np.array([100.0]))
    torch.nn.init.normal_(network.head_features.weight, 0, 1)
    torch.nn.init.normal_(network.head_inputs.weight, 0, 0.3)
    return network


@pytest.fixture
def samples(region):
    """Give samples of the region."""
    table = SamplesTable(patch=24, batch=2, rollout=0.0)
    return Samples([region], [(2002, 2004)], table, seed=3, history=2)


def test_a_batch_has_the_logits_of_its_patches_one_by_one(network, samples):
    patches = [samples.known(0, (2002, 2004), top, left) for top, left in ((0, 0), (6, 8))]
    (batch,) = collate([[patch] for patch in patches])
    with torch.no_grad():
        found = batch_logits(network, batch)
        for n, patch in enumerate(patches):
            names = list(patch)[:10]
            alone = LandUseGraph(network)(*(torch.from_numpy(patch[name]) for name in names))[1]
            np.testing.assert_allclose(found[n], alone[0], atol=2e-5)


def test_a_batch_is_fitted_by_the_groups_of_its_scheme(network, samples):
    """Urban, cropland and pasture each have a slot; sea, forest, grass and the others the last."""
    patches = [samples.known(0, (2002, 2004), top, left) for top, left in ((0, 0), (6, 8))]
    (batch,) = collate([[patch] for patch in patches])
    with torch.no_grad():
        logits = batch_logits(network, batch) / 4  # so mild that a few rounds go most of the way
        found = fitted(network, logits, batch)
    places = batch["row"].numpy(), batch["col"].numpy()
    slots = torch.tensor([3, 0, 1, 2, 3, 3, 3, 3])
    expected = fit_to_totals(
        logits, batch["wanted"], batch["whole"], batch["row"], batch["col"], slots
    )
    assert torch.equal(found, expected)
    coarse = batch["whole"].shape[2:]
    before, after = (totals(x, *places, slots, coarse) for x in (logits, found))
    whole = np.broadcast_to(batch["whole"].numpy() > 0, before.shape)
    off = [np.abs(x - batch["wanted"].numpy())[whole].mean() for x in (before, after)]
    assert off[1] < 0.1 * off[0]
