"""The U-Net: prior map, statics and forcing in, one logit a class out.

Every layer looks at a bounded neighbourhood and treats all places alike: no normalisation over
space, no global pooling, no attention. That is what makes tiled maps equal untiled ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from landstep.emulator.card import Card
from landstep.emulator.classes import OUTSIDE, Scheme, scheme
from landstep.emulator.errors import ConfigError
from landstep.emulator.features import FORBIDDEN
from landstep.training.batch_norm import BatchNorm
from landstep.training.past import past, past_planes

CHANGE_SCALE = 20.0
"""Yearly changes of a coarse cell are some hundredths; times this they are of the order of 1."""

SMALL_SHARE = 1e-3
"""About one fine cell of a coarse one: a share counts as it is below this, by its log above it."""

HEAD_WIDTH = 4
"""Channels of the head's hidden layer, for each channel of the first level."""

CORRECTION_LIMIT = 100.0
"""The network moves a logit by at most this, far less than FORBIDDEN, whatever its weights."""

SMALLEST_OWN_SHARE, LARGEST_RELATIVE = 0.05, 4.0
"""A class's change relative to its share: the share counts as this at least, and the ratio is cut
to this, so that a class that is hardly there gives no huge number."""

SMALLEST_SHARE = 1e-2
"""A class share below this counts as this: the first guess of a masked cell rules no class out,
and the logarithm does not blow up the rounding of a share that is a small difference."""


@dataclass(frozen=True)
class NetworkShape:
    """What a network is built from; its weights and tables come on top.

    scheme : the land-use classes
    states : F forcing states in channel order
    n_continuous : S; category_sizes : one a categorical static, its codes run from 0 to size - 1
    history : H maps before the prior
    base : channels of the first level, doubled at each of `depth` further ones
    """

    scheme: Scheme
    states: tuple[str, ...]
    n_continuous: int
    category_sizes: tuple[int, ...]
    history: int
    base: int
    depth: int

    @classmethod
    def of_card(cls, card: Card) -> NetworkShape:
        """Take the shape from a model card."""
        return cls(
            scheme=scheme(card.scheme),
            states=tuple(card.states),
            n_continuous=len(card.continuous),
            category_sizes=tuple(category.size for category in card.categories),
            history=card.history,
            base=card.base,
            depth=card.depth,
        )

    @property
    def n_inputs(self) -> int:
        """Channels of the assembled input: see `LandUseNetwork.features`."""
        n_classes = self.scheme.n_classes
        statics = self.n_continuous + sum(self.category_sizes)
        before = n_classes + 1 + past_planes(n_classes, self.history)
        return before + statics + 2 * len(self.states) + 4 * n_classes + 3


class Level(nn.Sequential):
    """Two 3x3 convolutions, each with batch normalisation and ReLU: (n, *, y, x) to the same."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__(
            nn.Conv2d(n_in, n_out, 3, padding=1, bias=False),
            BatchNorm(n_out),
            nn.ReLU(),
            nn.Conv2d(n_out, n_out, 3, padding=1, bias=False),
            BatchNorm(n_out),
            nn.ReLU(),
        )


class LandUseNetwork(nn.Module):
    """A U-Net whose head is a residual on a first guess.

    The head sees the cell's own inputs beside what the U-Net makes of its neighbourhood, and joins
    them in a hidden layer: much of what is known of a cell's change is in its own past, and does
    not fit through the first level's few channels (docs/decisions/0011-the-heads-hidden-layer.md).
    The first guess of a known cell is log p(class | prior class) from a transition table; of a
    masked cell, the log of the class mix that the forcing implies. The head starts at zero, so an
    untrained network gives back the prior map, and the mix's commonest class where it is masked.
    """

    mean: Tensor
    scale: Tensor
    uniform: Tensor
    transition: Tensor
    allowed: Tensor
    class_numbers: Tensor
    sharpness: Tensor

    def __init__(self, shape: NetworkShape) -> None:
        super().__init__()
        self.shape = shape
        n_classes, base, depth = shape.scheme.n_classes, shape.base, shape.depth
        self.register_buffer("mean", torch.zeros(1, shape.n_continuous, 1, 1))
        self.register_buffer("scale", torch.ones(1, shape.n_continuous, 1, 1))
        fixed = torch.tensor(shape.scheme.fixed)
        self.register_buffer("uniform", (~fixed).float().div((~fixed).sum()).view(1, -1, 1, 1))
        self.register_buffer("transition", transition_logits(np.zeros((n_classes, n_classes)))[0])
        self.register_buffer("allowed", allowed_classes(shape.scheme.fixed))
        self.register_buffer("sharpness", torch.ones(()))
        self.register_buffer("class_numbers", torch.arange(n_classes).int().view(1, -1, 1, 1))

        widths = [base * 2**level for level in range(depth + 1)]
        self.stem = nn.Sequential(
            nn.Conv2d(shape.n_inputs, base, 1, bias=False), BatchNorm(base), nn.ReLU()
        )
        self.down = nn.ModuleList(
            Level(widths[max(level - 1, 0)], widths[level]) for level in range(depth + 1)
        )
        self.narrow = nn.ModuleList(
            nn.Conv2d(widths[level + 1], widths[level], 1) for level in range(depth)
        )
        self.up = nn.ModuleList(Level(2 * widths[level], widths[level]) for level in range(depth))
        self.join = nn.Sequential(
            nn.Conv2d(base + shape.n_inputs, HEAD_WIDTH * base, 1, bias=False),
            BatchNorm(HEAD_WIDTH * base),
            nn.ReLU(),
        )
        self.head_features = nn.Conv2d(HEAD_WIDTH * base, n_classes, 1)
        self.head_inputs = nn.Conv2d(shape.n_inputs, n_classes, 1, bias=False)
        for weights in (*self.head_features.parameters(), *self.head_inputs.parameters()):
            nn.init.zeros_(weights)

    def set_scaling(self, mean: np.ndarray, deviation: np.ndarray) -> None:
        """Set mean and standard deviation (S,) of the continuous statics; a 0 counts as 1."""
        spread = np.where(deviation > 0, deviation, 1.0)
        self.mean.copy_(torch.from_numpy(np.asarray(mean, np.float32)).view(1, -1, 1, 1))
        self.scale.copy_(torch.from_numpy((1 / spread).astype(np.float32)).view(1, -1, 1, 1))

    def set_sharpness(self, factor: float) -> None:
        """Set what all logits are multiplied by, so that probabilities are as often right as said.

        Source: Guo et al. 2017, ICML, temperature scaling; the factor is 1 / temperature.
        """
        self.sharpness.fill_(factor)

    def set_transitions(self, counts: np.ndarray) -> list[str]:
        """Set the transition table from counts (K, K), [from, to].

        returns : names of the classes that changed more often than they stayed, whose place on the
            diagonal was raised
        """
        table, raised = transition_logits(counts)
        self.transition.copy_(table)
        return [self.shape.scheme.names[number] for number in raised]

    def coarse_channels(
        self, forcing: Tensor, forcing_change: Tensor, prior_shares: Tensor
    ) -> Tensor:
        """Derive, on the coarse grid, every channel that comes from there.

        forcing, forcing_change : (n, F, cy, cx) float32
        prior_shares : (n, K, cy, cx) float32, the prior map's share of each class
        returns : (n, 2 F + 5 K, cy, cx): forcing, its change, class mix, its change, prior shares,
            mix less shares (what the map still owes, with the part that it always differs by), log
            of the mix
        """
        total = add_in_order(forcing, [1.0] * forcing.shape[1])
        states = torch.cat([forcing, (1 - total).clamp(min=0)], 1)
        change = add_in_order(forcing_change, [1.0] * forcing.shape[1])
        table = self.shape.scheme.mix_matrix(self.shape.states).T.tolist()
        mix = torch.cat([add_in_order(states, shares) for shares in table], 1)
        changes = torch.cat([forcing_change, -change], 1)
        mix_change = torch.cat([add_in_order(changes, shares) for shares in table], 1)
        owed = torch.where(total > 0, mix - prior_shares, 0.0)
        mix = torch.where(total > 0, mix, self.uniform)
        guess = mix.clamp(min=SMALLEST_SHARE).log()
        changes, owed = signed_log(mix_change), signed_log(owed)
        return torch.cat(
            [forcing, forcing_change * CHANGE_SCALE, mix, changes, prior_shares, owed, guess], 1
        )

    def features(
        self,
        prior: Tensor,
        history: Tensor,
        years: Tensor,
        continuous: Tensor,
        categories: Tensor,
        coarse: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Assemble the network's input.

        prior : (n, y, x) uint8; history : (n, H, y, x) uint8; years : (n,) float32
        continuous : (n, S, y, x); categories : (n, C, y, x) uint8
        coarse : (n, 2 F + 5 K, y, x), `coarse_channels` painted onto the fine cells
        returns : (n, n_inputs, y, x) float32 in the order one-hot prior, masked, `past`,
            continuous, one-hot categories, forcing, its change, mix, its change, prior shares, what
            is owed, and of the prior class itself the change, the change relative to its share,
            and what is owed; and (n, K + 1, y, x), the first two alone
        """
        n_classes = self.shape.scheme.n_classes
        n_states = len(self.shape.states)
        classes = (prior.int().unsqueeze(1) == self.class_numbers).to(coarse.dtype)
        masked = 1 - classes.sum(1, keepdim=True)
        before = torch.cat([classes, masked], 1)
        fields = [before, past(prior, history, years, self.class_numbers)]
        if self.shape.n_continuous:
            fields.append((continuous - self.mean) * self.scale)
        for index, size in enumerate(self.shape.category_sizes):
            codes = torch.arange(size, dtype=torch.int32, device=prior.device).view(1, -1, 1, 1)
            fields.append((categories[:, index : index + 1].int() == codes).to(coarse.dtype))
        painted = coarse[:, : 2 * n_states + 4 * n_classes]
        mix, mix_change, _, owed = painted[:, 2 * n_states :].split(n_classes, 1)
        own_share = (classes * mix).sum(1, keepdim=True)
        own_change = (classes * mix_change).sum(1, keepdim=True)
        relative = own_change / own_share.clamp(min=SMALLEST_OWN_SHARE)
        relative = relative.clamp(-LARGEST_RELATIVE, LARGEST_RELATIVE)
        own_owed = (classes * owed).sum(1, keepdim=True)
        return torch.cat([*fields, painted, own_change, relative, own_owed], 1), before

    def forward(
        self,
        prior: Tensor,
        history: Tensor,
        years: Tensor,
        continuous: Tensor,
        categories: Tensor,
        coarse: Tensor,
    ) -> Tensor:
        """Give the logits: (n, K, y, x) float32, FORBIDDEN where a class cannot be.

        prior : (n, y, x) uint8 class numbers, MASKED where unknown; y and x multiples of 2^depth
        history, years, continuous, categories, coarse : as in `features`
        """
        n_classes = self.shape.scheme.n_classes
        inputs, before = self.features(prior, history, years, continuous, categories, coarse)
        guess = functional.conv2d(before[:, :-1], self.transition.T[:, :, None, None])
        guess = guess + before[:, -1:] * coarse[:, -n_classes:]
        joined = self.join(torch.cat([self.decode(inputs), inputs], 1))
        correction = self.head_features(joined) + self.head_inputs(inputs)
        logits = guess + correction.clamp(-CORRECTION_LIMIT, CORRECTION_LIMIT)
        logits = logits * self.sharpness
        allowed = functional.conv2d(before, self.allowed.T[:, :, None, None])
        return torch.where(allowed > 0.5, logits, FORBIDDEN)

    def decode(self, inputs: Tensor) -> Tensor:
        """Run the U-Net proper: (n, n_inputs, y, x) -> (n, base, y, x)."""
        field = self.stem(inputs)
        kept: list[Tensor] = []
        for level, block in enumerate(self.down):
            field = block(functional.max_pool2d(field, 2) if level else field)
            kept.append(field)
        for level in reversed(range(self.shape.depth)):
            field = functional.interpolate(self.narrow[level](field), scale_factor=2.0)
            field = self.up[level](torch.cat([field, kept[level]], 1))
        return field


def add_in_order(states: Tensor, shares: Sequence[float]) -> Tensor:
    """Add states, each times its share, one after the other.

    Written out, and not as a product with a matrix, because the order of adding then is the same
    wherever the graph runs: what is left of nearly equal numbers has to be exact.

    states : (n, F, cy, cx); shares : F numbers; returns : (n, 1, cy, cx)
    """
    total = torch.zeros_like(states[:, :1])
    for number, share in enumerate(shares):
        if share:
            total = total + states[:, number : number + 1] * share
    return total


def signed_log(share: Tensor) -> Tensor:
    """Spread small shares out: a thousandth of a coarse cell and a tenth of it both count.

    share : any shape, -1..1; returns : the same shape, odd, log(1 + 1000 share) above 0
    """
    up, down = functional.relu(share), functional.relu(-share)
    return (1 + up / SMALL_SHARE).log() - (1 + down / SMALL_SHARE).log()


def paint(coarse: Tensor, row: Tensor, col: Tensor) -> Tensor:
    """Give each fine cell the values of its coarse cell.

    coarse : (n, c, cy, cx); row : (y,) int64; col : (x,) int64
    returns : (n, c, y, x). Columns come first: that order is the faster one in onnxruntime.
    """
    return coarse.index_select(3, col).index_select(2, row)


def allowed_classes(fixed: Sequence[bool]) -> Tensor:
    """Say which class a cell may have, by its prior class.

    fixed : one flag a class
    returns : (K + 1, K) float32 of 0 and 1. A fixed class stays; any other class becomes no fixed
        one; where the prior is masked (last row) all are possible but OUTSIDE.
    """
    n_classes = len(fixed)
    free = torch.tensor([not flag for flag in fixed])
    table = torch.where(free[:, None], free[None, :], torch.eye(n_classes) > 0)
    unknown = torch.ones(1, n_classes, dtype=torch.bool)
    unknown[0, OUTSIDE] = False
    return torch.cat([table, unknown]).float()


def transition_logits(counts: np.ndarray) -> tuple[Tensor, list[int]]:
    """Turn transition counts into log frequencies, a class's own always the largest.

    counts : (K, K), [from, to], not negative
    returns : (K, K) float32 log p(to | from), and the classes whose count of staying was raised to
        twice that of the commonest change (those that were not seen at all are not named)
    Source: Laplace's rule of succession, one count added to each.
    Raises ConfigError for a negative or non-finite count.
    """
    if not np.isfinite(counts).all() or (counts < 0).any():
        raise ConfigError("transition counts hold a negative or non-finite number")
    table = counts.astype(np.float64) + 1
    raised = []
    for number in range(len(table)):
        change = np.delete(table[number], number).max()
        if table[number, number] <= change:
            if counts[number].any():
                raised.append(number)
            table[number, number] = 2 * change
    table /= table.sum(axis=1, keepdims=True)
    return torch.from_numpy(np.log(table).astype(np.float32)), raised
