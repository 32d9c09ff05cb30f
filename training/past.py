"""What the maps before the prior say of each cell: planes of the network's input."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def past(prior: Tensor, history: Tensor, years: Tensor, class_numbers: Tensor) -> Tensor:
    """Derive planes from the maps before the prior, and from how far the target lies.

    prior : (n, y, x) uint8; history : (n, H, y, x) uint8, [:, 0] next to the prior; MASKED where
        unknown
    years : (n,) float32, target less prior
    class_numbers : (1, K, 1, 1) int32, 0 to K - 1
    returns : (n, H K + 4, y, x) of the dtype of `years`: each map one-hot, the share of the H years
        since the last change, the share of them with a change (both as far as the maps are known),
        the sign of `years`, and log2 of its size
    """
    n_classes = class_numbers.shape[1]
    maps = history.int().split(1, 1)
    fields = [(one == class_numbers).to(years.dtype) for one in maps]
    later, held = prior.int().unsqueeze(1), torch.ones_like(fields[0][:, :1])
    age, changes = torch.zeros_like(held), torch.zeros_like(held)
    for one in maps:
        known = ((one < n_classes) & (later < n_classes)).to(years.dtype)
        same = (one == later).to(years.dtype) * known
        held = held * same
        age = age + held
        changes = changes + known - same
        later = one
    lag = years.view(-1, 1, 1, 1)
    size = lag.abs().clamp(min=1)
    plane = torch.ones_like(age)
    steps = [plane * (lag / size), plane * (size.log() / math.log(2))]
    return torch.cat([*fields, age / len(maps), changes / len(maps), *steps], 1)
