"""The network's input planes, fewer of them and cheaper to make, and what brings them back.

Some planes of `LandUseNetwork.features` are sums of others: whether the prior is masked, a
category's last code, and the class mix, which is a sum of forcing states. A 1x1 convolution over
all planes is as well one over the planes that are left, with other weights and another bias.
onnxruntime's pointwise convolution takes 128 planes in one pass: with hilda8, LUH2 and three years
of history, 126 are left of 135.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from landstep.training.network import (
    LARGEST_RELATIVE,
    SMALLEST_OWN_SHARE,
    LandUseNetwork,
    NetworkShape,
    add_in_order,
    paint,
)
from landstep.training.past import distance, past_fields, past_planes

ALIGNMENT = 4
"""Planes come in multiples of this: others stay out of onnxruntime's blocked layout."""

FAR = 1e6
"""What a class that cannot be is moved down by before the floor of FORBIDDEN: more than a logit."""


@dataclass(frozen=True)
class CoarsePlanes:
    """What is derived on the coarse grid, (n, *, cy, cx) float32 each.

    painted : what each fine cell is given as it is
    own : three times K, of which a fine cell is given those of its prior class
    guess : first guess of the K logits of a masked cell, -FAR for a class that it cannot have
    """

    painted: Tensor
    own: tuple[Tensor, Tensor, Tensor]
    guess: Tensor


class Planes(nn.Module):
    """Derive the planes kept of those of `LandUseNetwork.features`.

    They are, in this order: prior one-hot, `past_fields`, continuous, one-hot categories without
    the last code, and of the prior class itself the change, the change relative to its share, and
    what is owed; then, painted, sign and size of `years`, forcing, its change, what the forcing
    leaves over, where it is missing, change of the mix, prior shares, what is owed, and zeros up to
    a multiple of ALIGNMENT.
    """

    floor: Tensor

    def __init__(self, network: LandUseNetwork) -> None:
        super().__init__()
        self.network = network
        floor = torch.where(network.allowed[-1:] > 0.5, 0.0, -FAR)
        self.register_buffer("floor", floor[:, :, None, None])

    def coarse(
        self, years: Tensor, forcing: Tensor, forcing_change: Tensor, prior_shares: Tensor
    ) -> CoarsePlanes:
        """Derive what belongs to coarse cells; inputs as of `LandUseGraph.forward`."""
        shape = self.network.shape
        channels = self.network.coarse_channels(forcing, forcing_change, prior_shares)
        widths = [2 * len(shape.states), *[shape.scheme.n_classes] * 5]
        forced, mix, changes, shares, owed, guess = channels.split(widths, 1)
        total = add_in_order(forcing, [1.0] * len(shape.states))
        left = torch.where(total > 0, (1 - total).clamp(min=0), 0.0)
        missing = torch.where(total > 0, 0.0, 1.0)
        zero = torch.zeros_like(total)
        lag = [zero + plane for plane in distance(years)]
        spare = [zero] * (-kept_planes(shape) % ALIGNMENT)
        painted = torch.cat([*lag, forced, left, missing, changes, shares, owed, *spare], 1)
        relative = changes / mix.clamp(min=SMALLEST_OWN_SHARE)
        relative = relative.clamp(-LARGEST_RELATIVE, LARGEST_RELATIVE)
        unknown = guess * self.network.sharpness + self.floor
        return CoarsePlanes(painted, (changes, relative, owed), unknown)

    def forward(
        self,
        prior: Tensor,
        history: Tensor,
        continuous: Tensor,
        categories: Tensor,
        coarse: CoarsePlanes,
        row: Tensor,
        col: Tensor,
    ) -> Tensor:
        """Derive the planes of fine cells: (n, P, y, x); inputs as of `LandUseGraph.forward`."""
        net = self.network
        codes = prior.int().clamp(max=net.shape.scheme.n_classes).unsqueeze(1)
        now = (codes == net.class_numbers).float()
        fields = [now, *past_fields(now, codes, history, net.class_numbers)]
        if net.shape.n_continuous:
            fields.append((continuous - net.mean) * net.scale)
        for index, size in enumerate(net.shape.category_sizes):
            numbers = torch.arange(size - 1, dtype=torch.int32).view(1, -1, 1, 1)
            fields.append((categories[:, index : index + 1].int() == numbers).float())
        fields += own(coarse.own, codes, row, col)
        return torch.cat([*fields, paint(coarse.painted, row, col)], 1)


def own(tables: Sequence[Tensor], codes: Tensor, row: Tensor, col: Tensor) -> list[Tensor]:
    """Look up, for each fine cell, what its coarse cell has for the cell's own class.

    tables : (n, K, cy, cx) each; codes : (n, 1, y, x) int32, 0 to K; row : (y,), col : (x,) int64
    returns : (n, 1, y, x) each, 0 for a code of K
    """
    n, n_classes, cy, cx = tables[0].shape
    first = torch.arange(n, dtype=torch.int32).view(-1, 1, 1, 1) * ((n_classes + 1) * cy * cx)
    place = first + row.int().view(-1, 1) * cx + col.int()
    index = (codes * (cy * cx) + place).flatten()
    found = []
    for table in tables:
        values = torch.cat([table, torch.zeros_like(table[:, :1])], 1).flatten()
        found.append(values.index_select(0, index).view(codes.shape))
    return found


def kept_planes(shape: NetworkShape) -> int:
    """Count the planes that `Planes` keeps, without the zeros at the end."""
    left_out = 1 + len(shape.category_sizes) + shape.scheme.n_classes
    return shape.n_inputs - left_out + 2


def kept_convolution(
    weight: Tensor, bias: Tensor, network: LandUseNetwork
) -> tuple[Tensor, Tensor]:
    """Turn a 1x1 convolution over all input planes into the one over those kept.

    weight : (o, n_inputs, 1, 1); bias : (o,); returns : weight (o, P, 1, 1) and bias (o,)
    """
    of_kept, constant = expansion(network)
    flat = weight[:, :, 0, 0].double()
    return (flat @ of_kept).float()[:, :, None, None], (flat @ constant + bias).float()


def expansion(network: LandUseNetwork) -> tuple[Tensor, Tensor]:
    """Write all input planes as sums of those kept.

    returns : (n_inputs, P) and (n_inputs,) float64; all planes are the first times those kept,
        plus the second
    """
    shape = network.shape
    n_classes, n_states = shape.scheme.n_classes, len(shape.states)
    mix = torch.from_numpy(shape.scheme.mix_matrix(shape.states).T).double()
    uniform = network.uniform.double().view(-1, 1)

    kept = kept_planes(shape)
    identity = torch.eye(kept + -kept % ALIGNMENT, dtype=torch.float64)[:kept]
    sizes = [n_classes, past_planes(n_classes, shape.history) - 2, shape.n_continuous]
    sizes += [*(size - 1 for size in shape.category_sizes), 3]
    sizes += [2, 2 * n_states, 1, 1, 3 * n_classes]
    prior, past, continuous, *codes, own_class, lag, forced, left, missing, changes = (
        identity.split(sizes)
    )
    mixed = mix[:, :-1] @ forced[:n_states] + mix[:, -1:] @ left + uniform @ missing
    rows = [(prior, 0.0), last_of(prior), (past, 0.0), (lag, 0.0), (continuous, 0.0)]
    for category in codes:
        rows += [(category, 0.0), last_of(category)]
    rows += [(forced, 0.0), (mixed, 0.0), (changes, 0.0), (own_class, 0.0)]
    constants = [torch.full((len(sums),), constant).double() for sums, constant in rows]
    return torch.cat([sums for sums, _ in rows]), torch.cat(constants)


def last_of(codes: Tensor) -> tuple[Tensor, float]:
    """Write the plane that makes the sum of a one-hot 1: -1 for each other one, plus 1."""
    return -codes.sum(0, keepdim=True), 1.0
