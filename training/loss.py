"""What a training makes small: cross-entropy over the cells that can be answered."""

from __future__ import annotations

import torch
from torch import Tensor, distributed
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
        fixed class do not count, nor targets that no answer could give. On several processes the
        averages are over the batch of all of them: the mean of what the processes return is what
        one alone would.
    """
    masked = prior == MASKED
    entropy, counts = entropies(logits, prior, target, allowed)
    weight = torch.where(masked | (prior == target), 1.0, fit.change_weight) * counts
    sums = [(weight * here).sum() for here in (masked, ~masked)]
    totals = torch.stack(sums).detach()
    processes = 1
    if distributed.is_initialized():
        distributed.all_reduce(totals)
        processes = distributed.get_world_size()
    shares = totals.new_tensor([fit.masked_share, 1 - fit.masked_share]) * (totals > 0)
    shares = shares / shares.sum().clamp(min=1e-6) / totals.clamp(min=1.0) * processes
    parts = [(entropy * weight * here).sum() for here in (masked, ~masked)]
    return parts[0] * shares[0] + parts[1] * shares[1]


def entropies(
    logits: Tensor, prior: Tensor, target: Tensor, allowed: Tensor
) -> tuple[Tensor, Tensor]:
    """Cross-entropy of each cell, and which cells can be answered.

    The parameters are those of `loss_of`.
    returns : (n, y, x) float32, and (n, y, x) bool
    """
    n_classes = logits.shape[1]
    before = torch.where(prior == MASKED, n_classes, prior.int()).long()
    known = target < n_classes
    goal = torch.where(known, target, 0).long()
    choices = allowed[before]
    counts = known & (choices.gather(-1, goal[..., None])[..., 0] > 0) & (choices.sum(-1) > 1)
    one_hot = functional.one_hot(goal, n_classes).movedim(-1, 1)
    return -(functional.log_softmax(logits, 1) * one_hot).sum(1), counts
