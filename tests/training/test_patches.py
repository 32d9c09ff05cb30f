"""Patches: masked in blocks, turned as one, joined in batches that keep each of them."""

import numpy as np
import pytest

from landstep.emulator.classes import MASKED
from landstep.training.config import SamplesTable
from landstep.training.patches import COARSE, collate, hide, mask_blocks, turn
from landstep.training.samples import Samples

PAIR = (2000, 2004)
TABLE = SamplesTable(patch=24, batch=2, blocks=[4, 8], rollout=0.0)


@pytest.fixture
def samples(numbered):
    """Give samples of the region whose elevation numbers the cells."""
    return Samples([numbered], [PAIR], TABLE, seed=3, history=2)


def by_cell(patch):
    """Everything that a patch says of each cell, the coarse fields painted: number -> values."""
    painted = [patch[name][0][:, patch["row"]][:, :, patch["col"]] for name in COARSE]
    fine = [patch["prior"], patch["target"], patch["history"][0], patch["categories"][0]]
    planes = np.concatenate([*painted, *fine]).reshape(-1, patch["continuous"].size)
    numbers = patch["continuous"].ravel().astype(int).tolist()
    return dict(zip(numbers, planes.T.tolist(), strict=True))


def test_masking_leaves_the_outside_known_and_the_given_map_alone():
    rng = np.random.default_rng(0)
    prior = rng.integers(0, 8, (40, 40)).astype(np.uint8)
    before = prior.copy()
    for _ in range(20):
        masked = mask_blocks(prior, [8], rng)
        hidden = masked == MASKED
        assert np.array_equal(masked[~hidden], prior[~hidden])
        assert not (hidden & (prior == 0)).any()
    assert np.array_equal(prior, before)


def test_masked_blocks_are_squares_of_the_size():
    rng = np.random.default_rng(2)
    hidden = mask_blocks(np.full((64, 64), 4, np.uint8), [8], rng) == MASKED
    assert 0 < hidden.mean() < 1
    edges = np.flatnonzero((hidden[1:] != hidden[:-1]).any(1)) + 1
    assert len(set(edges % 8)) == 1


def test_what_is_masked_is_hidden_in_every_map_before():
    prior = np.array([[1, 2, MASKED]], np.uint8)
    masked = np.array([[1, MASKED, MASKED]], np.uint8)
    history = np.array([[[3, 4, 5]], [[6, MASKED, 1]]], np.uint8)
    found, before = hide(masked, prior, history)
    assert found.tolist() == [[1, MASKED, MASKED]]
    assert before.tolist() == [[[3, MASKED, 5]], [[6, MASKED, 1]]]


@pytest.mark.parametrize("way", range(8))
def test_a_turned_patch_moves_everything_alike(samples, way):
    patch = samples.known(0, PAIR, 9, 11)
    turned = turn(patch, way)
    field = patch["prior"].astype(float)
    field = field.swapaxes(1, 2) if way & 4 else field
    field = field[:, ::-1] if way & 1 else field
    field = field[:, :, ::-1] if way & 2 else field
    assert np.array_equal(turned["prior"], field)
    assert by_cell(turned) == by_cell(patch)
    assert {name: (a.dtype, a.flags.c_contiguous) for name, a in turned.items()} == {
        name: (a.dtype, True) for name, a in patch.items()
    }


def test_a_batch_keeps_each_patch_whatever_the_coarse_cells_it_touches(samples):
    """At 6 a patch touches five rows of coarse cells of 7, at 7 four."""
    places = ((0, 0), (6, 6), (6, 7), (20, 34))
    drawn = [[samples.known(0, PAIR, top, left)] for top, left in places]
    (batch,) = collate(drawn)
    assert len({patch["forcing"].shape for (patch,) in drawn}) > 2
    assert batch["years"].tolist() == [4, 4, 4, 4]
    for n, (patch,) in enumerate(drawn):
        kept = {name: values[n].numpy()[None] for name, values in batch.items()}
        kept |= {name: kept[name][0] for name in ("row", "col")}
        assert by_cell(kept) == by_cell(patch)
        beyond = patch["whole"].shape[2:]
        assert not batch["whole"][n, 0, beyond[0] :].any()
        assert not batch["whole"][n, 0, :, beyond[1] :].any()


def test_each_step_of_samples_becomes_a_batch_of_its_own(samples):
    first, second = samples.known(0, PAIR, 0, 0), samples.known(0, PAIR, 20, 34)
    batches = collate([[first, second], [second, first]])
    assert len(batches) == 2
    for batch, patches in zip(batches, [(first, second), (second, first)], strict=True):
        assert np.array_equal(batch["prior"], np.concatenate([p["prior"] for p in patches]))
