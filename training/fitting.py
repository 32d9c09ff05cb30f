"""Logits fitted to what each coarse cell is to have, so that the loss sees what a step will use."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from landstep.training.network import LandUseNetwork, paint

ROUNDS = 3
"""Rounds of fitting in the loss; a step takes more (emulator/fitting.py), to the same end."""

LEAST_CELLS = 0.01
"""A total below this counts as this, so that the logarithm stays finite."""

LARGEST_SHIFT = 8.0
"""A round moves a logit by at most this."""


def fit_to_totals(
    logits: Tensor,
    wanted: Tensor,
    whole: Tensor,
    row: Tensor,
    col: Tensor,
    slot_of: Tensor,
    rounds: int = ROUNDS,
) -> Tensor:
    """Shift the logits of each group in each coarse cell until the expected cells are those wanted.

    logits : (n, K, y, x); wanted : (n, S, cy, cx), cells of each group and of the unbound rest
    whole : (n, 1, cy, cx), 1 where all fine cells of a coarse cell are seen; elsewhere nothing
        moves
    row : (n, y), col : (n, x) int64, into cy and cx; slot_of : (K,) int64, group of each class, the
        last for the rest
    returns : (n, K, y, x); gradients go through every round
    Source: Deming & Stephan 1940, Ann. Math. Stat. 11, 427 (iterative proportional fitting).
    """
    n_slots, coarse = wanted.shape[1], wanted.shape[-2:]
    down = functional.one_hot(row, coarse[0]).to(logits.dtype).transpose(1, 2).unsqueeze(1)
    across = functional.one_hot(col, coarse[1]).to(logits.dtype).unsqueeze(1)
    in_slot = functional.one_hot(slot_of, n_slots).to(logits.dtype).T
    goal = wanted.clamp(min=LEAST_CELLS).log()
    for _ in range(rounds):
        by_slot = torch.einsum("sk,nkyx->nsyx", in_slot, logits.softmax(1))
        expected = (down @ by_slot @ across).clamp(min=LEAST_CELLS).log()
        shift = (goal - expected).clamp(-LARGEST_SHIFT, LARGEST_SHIFT) * whole
        painted = down.transpose(2, 3) @ shift @ across.transpose(2, 3)
        logits = logits + painted[:, slot_of]
    return logits


def batch_logits(network: LandUseNetwork, batch: Mapping[str, Tensor]) -> Tensor:
    """Run a network on a batch of `training.patches`: (n, K, y, x) logits."""
    coarse = network.coarse_channels(
        *(batch[name] for name in ("forcing", "forcing_change", "prior_shares"))
    )
    painted = torch.cat(
        [paint(coarse[n : n + 1], batch["row"][n], batch["col"][n]) for n in range(len(coarse))]
    )
    names = ("prior", "history", "years", "continuous", "categories")
    return network(*(batch[name] for name in names), painted)


def fitted(network: LandUseNetwork, logits: Tensor, batch: Mapping[str, Tensor]) -> Tensor:
    """Fit a batch's logits to what its coarse cells are to have, by the groups of the scheme."""
    of = network.shape.scheme
    slots = torch.from_numpy(np.where(of.group_of < 0, len(of.groups), of.group_of))
    places = batch["row"], batch["col"], slots.to(logits.device)
    return fit_to_totals(logits, batch["wanted"], batch["whole"], *places)
