"""What the maps before the prior say of each cell: planes of the network's input."""

from __future__ import annotations

import math

import torch
from torch import Tensor

SHOWN = 3
"""So many of the maps before the prior are shown class by class; the older ones only summed up."""


def past(prior: Tensor, history: Tensor, years: Tensor, class_numbers: Tensor) -> Tensor:
    """Derive planes from the maps before the prior, and from how far the target lies.

    prior : (n, y, x) uint8; history : (n, H, y, x) uint8, [:, 0] next to the prior; MASKED where
        unknown
    years : (n,) float32, target less prior
    class_numbers : (1, K, 1, 1) int32, 0 to K - 1
    returns : (n, past_planes(K, H), y, x) of the dtype of `years`: the first SHOWN maps one-hot;
        for each class the share of the known years that the cell was in it, and 1 / the number of
        steps back to its last year in it (0: never, or it is in it now); 1 / the steps back to the
        map before its last change (0: none known); the share of the known steps with a change; the
        share of the H maps that are known; the sign of `years`, and log2 of its size
    """
    n_classes = class_numbers.shape[1]
    maps = history.int().split(1, 1)
    fields = [(codes == class_numbers).to(years.dtype) for codes in maps]
    later = prior.int().unsqueeze(1)
    now = (later == class_numbers).to(years.dtype)
    spent, recent = torch.zeros_like(now), torch.zeros_like(now)
    zero = torch.zeros_like(now[:, :1])
    known, steps, changes, latest = zero, zero, zero, zero
    for number, (codes, field) in enumerate(zip(maps, fields, strict=True)):
        there = (codes < n_classes).to(years.dtype)
        both = there * (later < n_classes).to(years.dtype)
        changed = both - (codes == later).to(years.dtype) * both
        spent, known = spent + field, known + there
        recent = torch.maximum(recent, field / (number + 1))
        steps, changes = steps + both, changes + changed
        latest = torch.maximum(latest, changed / (number + 1))
        later = codes
    lag = years.view(-1, 1, 1, 1)
    size = lag.abs().clamp(min=1)
    return torch.cat(
        [
            *fields[:SHOWN],
            spent / known.clamp(min=1),
            recent * (1 - now),
            latest,
            changes / steps.clamp(min=1),
            known / len(maps),
            (zero + 1) * (lag / size),
            (zero + 1) * (size.log() / math.log(2)),
        ],
        1,
    )


def past_planes(n_classes: int, history: int) -> int:
    """Count the planes that `past` gives."""
    return (min(SHOWN, history) + 2) * n_classes + 5
