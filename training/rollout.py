"""Short free runs in training: prior maps that the network made, as it will see them in a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from landstep.emulator.classes import MASKED
from landstep.training.fitting import batch_logits, fitted
from landstep.training.network import LandUseNetwork

Batch = Mapping[str, Tensor]


@torch.no_grad()
def own_prior(
    network: LandUseNetwork, steps: Sequence[Batch], noise: Sequence[torch.Generator]
) -> Batch:
    """Give the last of some batches with the prior map that the network itself arrives at.

    Each step's map is drawn from the probabilities fitted to the quotas: as many changes as are
    asked for, where they are likely.

    steps : batches of one place, a year apart, then the one that is learned from
    noise : of the draws, one a sample; the network is left in the mode that it was in
    """
    training = network.training
    network.eval()
    batch = steps[0]
    for following in steps[1:]:
        logits = fitted(network, batch_logits(network, batch), batch)
        batch = {**following, **_handed_on(network, batch, following, draw(logits, noise))}
    network.train(training)
    return batch


def draw(logits: Tensor, noise: Sequence[torch.Generator]) -> Tensor:
    """Draw a class for each cell with the probabilities of its logits: (n, y, x) uint8.

    logits : (n, K, y, x); noise : n, so that a sample's map does not depend on its company
    Source: Gumbel 1954; the largest of logit + standard Gumbel noise has the softmax's odds.
    """
    chance = torch.stack(
        [torch.rand(logits.shape[1:], generator=one, dtype=torch.float64) for one in noise]
    )
    gumbel = -(-chance.clamp(min=1e-12).log()).log()
    return (logits + gumbel.to(logits)).argmax(1).to(torch.uint8)


def _handed_on(
    network: LandUseNetwork, batch: Batch, following: Batch, drawn: Tensor
) -> dict[str, Tensor]:
    """Make a drawn map the next step's prior, and this step's prior the next one's history.

    Shares of coarse cells that the patch cuts stay those of the true map.
    """
    n_classes = network.shape.scheme.n_classes
    unknown = following["prior"] == MASKED
    prior = torch.where(unknown, following["prior"], drawn)
    return {
        "prior": prior,
        "history": torch.cat([batch["prior"].unsqueeze(1), batch["history"][:, :-1]], 1),
        "prior_shares": torch.where(
            following["whole"] > 0, shares_of(prior, n_classes, batch), following["prior_shares"]
        ),
    }


def shares_of(land_use: Tensor, n_classes: int, batch: Batch) -> Tensor:
    """Count each class's share of the coarse cells as far as a patch sees them: (n, K, cy, cx).

    land_use : (n, y, x) uint8; MASKED counts as no class
    """
    coarse = batch["whole"].shape[-2:]
    down = functional.one_hot(batch["row"], coarse[0]).float().transpose(1, 2).unsqueeze(1)
    across = functional.one_hot(batch["col"], coarse[1]).float().unsqueeze(1)
    fields = functional.one_hot(land_use.clamp(max=n_classes).long(), n_classes + 1).movedim(-1, 1)
    counts = down @ fields.float() @ across
    return counts[:, :-1] / counts.sum(1, keepdim=True).clamp(min=1)
