"""What a training makes small: cross-entropy over the cells that can be answered."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from landstep.emulator.classes import MASKED
from landstep.training.config import FitTable


def loss_of(
    logits: Tensor, prior: Tensor, target: Tensor, allowed: Tensor, fit: FitTable
) -> Tensor:
    """Cross-entropy over the cells whose target is known and can be reached.

    logits : (n, K, y, x); prior, target : (n, y, x) uint8; allowed : (K + 1, K) of 0 and 1
    returns : a number. Known and masked cells are averaged apart and joined with
        `fit.masked_share`; a known cell counts `fit.change_weight` where it changed. Cells of a
        fixed class do not count, nor targets that no answer could give.
    """
    n_classes = logits.shape[1]
    masked = prior == MASKED
    before = torch.where(masked, n_classes, prior.int()).long()
    known = target < n_classes
    goal = torch.where(known, target, 0).long()
    choices = allowed[before]
    counts = known & (choices.gather(-1, goal[..., None])[..., 0] > 0) & (choices.sum(-1) > 1)
    one_hot = functional.one_hot(goal, n_classes).movedim(-1, 1)
    entropy = -(functional.log_softmax(logits, 1) * one_hot).sum(1)
    weight = torch.where(masked | (prior == target), 1.0, fit.change_weight) * counts
    parts, shares = [], []
    for here, share in ((masked, fit.masked_share), (~masked, 1 - fit.masked_share)):
        total = (weight * here).sum()
        parts.append((entropy * weight * here).sum() / total.clamp(min=1.0))
        shares.append(share * (total > 0))
    return (parts[0] * shares[0] + parts[1] * shares[1]) / (shares[0] + shares[1]).clamp(min=1e-6)
