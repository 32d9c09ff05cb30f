"""The loss, by hand: which cells count, and how much."""

import numpy as np
import pytest
import torch

from landstep.emulator.classes import MASKED, scheme
from landstep.training.config import FitTable
from landstep.training.loss import entropies, loss_of
from landstep.training.network import FORBIDDEN, allowed_classes


def loss(prior, target, logits, **fit_table):
    """Give the loss of a few hilda8 cells in a row."""
    return loss_of(
        torch.tensor(logits, dtype=torch.float32).T[None, :, None],
        torch.tensor([[prior]], dtype=torch.uint8),
        torch.tensor([[target]], dtype=torch.uint8),
        allowed_classes(scheme("hilda8").fixed),
        FitTable(**fit_table),
    ).item()


def entropy(logits, number):
    """Cross-entropy of one cell, by hand."""
    values = np.asarray(logits, np.float64)
    return np.log(np.exp(values - values.max()).sum()) + values.max() - values[number]


def test_loss_by_hand():
    free = [FORBIDDEN, 0.3, 1.0, -0.4, 2.0, 0.0, 0.1, FORBIDDEN]
    masked = [FORBIDDEN, 0.3, 1.0, -0.4, 2.0, 0.0, 0.1, 0.7]
    prior, target = [4, 4, MASKED, MASKED], [4, 2, 5, 7]
    found = loss(prior, target, [free, free, masked, masked], change_weight=3.0, masked_share=0.25)
    known = (entropy(free, 4) + 3 * entropy(free, 2)) / 4
    hidden = (entropy(masked, 5) + entropy(masked, 7)) / 2
    assert found == pytest.approx(0.75 * known + 0.25 * hidden, rel=1e-5)


def test_cells_that_cannot_be_answered_do_not_count():
    free = [FORBIDDEN, 0.3, 1.0, -0.4, 2.0, 0.0, 0.1, FORBIDDEN]
    sea = [0.0] + 7 * [FORBIDDEN]
    # sea, land that became water, an unknown target, a masked cell that is sea: none counts
    prior, target = [4, 0, 4, 4, MASKED], [1, 0, 7, MASKED, 0]
    assert loss(prior, target, [free, sea, free, free, free]) == pytest.approx(
        entropy(free, 1), rel=1e-5
    )
    assert loss([0], [0], [sea]) == 0


def test_each_cell_has_its_own_entropy_and_counts_or_does_not():
    free = [FORBIDDEN, 0.3, 1.0, -0.4, 2.0, 0.0, 0.1, FORBIDDEN]
    prior, target = [4, 4, MASKED, 0, 4, 4], [4, 2, 7, 0, MASKED, 7]
    found, counts = entropies(
        torch.tensor([free] * 6).T[None, :, None],
        torch.tensor([[prior]], dtype=torch.uint8),
        torch.tensor([[target]], dtype=torch.uint8),
        allowed_classes(scheme("hilda8").fixed),
    )
    assert found.shape == counts.shape == (1, 1, 6)
    assert counts[0, 0].tolist() == [True, True, True, False, False, False]
    for number in range(2):
        expected = entropy(free, target[number])
        assert found[0, 0, number].item() == pytest.approx(expected, rel=1e-5)


def test_one_kind_of_cells_alone_has_the_whole_loss():
    """The share of masked cells matters only where there are both kinds."""
    free = [FORBIDDEN, 0.3, 1.0, -0.4, 2.0, 0.0, 0.1, FORBIDDEN]
    expected = (entropy(free, 4) + 2 * entropy(free, 2)) / 3
    for share in (0.1, 0.7):
        found = loss([4, 4], [4, 2], [free, free], change_weight=2.0, masked_share=share)
        assert found == pytest.approx(expected, rel=1e-5)
        hidden = loss([MASKED, MASKED], [4, 2], [free, free], masked_share=share)
        assert hidden == pytest.approx((entropy(free, 4) + entropy(free, 2)) / 2, rel=1e-5)
