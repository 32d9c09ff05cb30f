"""The loss, by hand: which cells count, and how much."""

import numpy as np
import pytest
import torch

from landstep.emulator.classes import MASKED, scheme
from landstep.training.config import FitTable
from landstep.training.loss import loss_of
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
