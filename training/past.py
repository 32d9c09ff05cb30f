"""What the maps before the prior say of each cell: planes of the network's input."""

from __future__ import annotations

import math

import torch
from torch import Tensor

SHOWN = 3
"""So many of the maps before the prior are shown class by class; the older ones only summed up."""


def past(prior: Tensor, history: Tensor, years: Tensor, class_numbers: Tensor) -> Tensor:
    """Derive planes from the maps before the prior, and from how far the target lies.

    prior : (n, y, x) uint8, MASKED where unknown; history, class_numbers : as in `past_fields`
    years : (n,) float32, target less prior
    returns : (n, past_planes(K, H), y, x) of the dtype of `years`: those of `past_fields`, then the
        two of `distance`
    """
    codes = prior.int().unsqueeze(1)
    now = (codes == class_numbers).to(years.dtype)
    fields = past_fields(now, codes, history, class_numbers)
    one = torch.ones_like(fields[-1])
    return torch.cat([*fields, *(one * plane for plane in distance(years))], 1)


def distance(years: Tensor) -> tuple[Tensor, Tensor]:
    """Give the sign of `years` (n,), and log2 of its size: (n, 1, 1, 1) each."""
    lag = years.view(-1, 1, 1, 1)
    size = lag.abs().clamp(min=1)
    return lag / size, size.log() / math.log(2)


def past_fields(now: Tensor, codes: Tensor, history: Tensor, class_numbers: Tensor) -> list[Tensor]:
    """Derive planes from the maps before the prior.

    now : (n, K, y, x), the prior one-hot; codes : (n, 1, y, x) int32, the prior, K or more where
        unknown
    history : (n, H, y, x) uint8, [:, 0] next to the prior; MASKED where unknown
    class_numbers : (1, K, 1, 1) int32, 0 to K - 1
    returns : (n, *, y, x) of the dtype of `now` each: the first SHOWN maps one-hot; for each class
        the share of the known years that the cell was in it, and 1 / the number of steps back to
        its last year in it (0: never, or it is in it now); 1 / the steps back to the map before its
        last change (0: none known); the share of the known steps with a change; the share of the H
        maps that are known
    """
    n_classes = class_numbers.shape[1]
    fields: list[Tensor] = []
    spent = recent = known = steps = changes = latest = torch.zeros_like(now[:, :1])
    later = codes
    for number, earlier in enumerate(history.int().split(1, 1), start=1):
        field = (earlier == class_numbers).to(now.dtype)
        there = (earlier < n_classes).to(now.dtype)
        both = there * (later < n_classes).to(now.dtype)
        changed = both - (earlier == later).to(now.dtype) * both
        spent = field if number == 1 else spent + field
        recent = field if number == 1 else torch.maximum(recent, field / number)
        known, steps, changes = known + there, steps + both, changes + changed
        latest = torch.maximum(latest, changed / number)
        fields, later = [*fields, field], earlier
    return [
        *fields[:SHOWN],
        spent / known.clamp(min=1),
        recent * (1 - now),
        latest,
        changes / steps.clamp(min=1),
        known / history.shape[1],
    ]


def past_planes(n_classes: int, history: int) -> int:
    """Count the planes that `past` gives."""
    return (min(SHOWN, history) + 2) * n_classes + 5
