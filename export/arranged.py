"""The graph that is written: the function of `LandUseGraph`, arranged for onnxruntime.

onnxruntime runs convolutions at the processor's speed in a blocked layout; what else a network does
costs memory traffic. So a convolution adds up what would be joined, and all that is linear is put
into its weights. Stem and head, whose planes are many, work on strips of rows: they look at single
cells, so the strips do not show, and the planes of one strip take the memory of the last.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from landstep.emulator.features import FORBIDDEN
from landstep.export.planes import FAR, Planes, kept_convolution
from landstep.training.graph import fold_batch_norm
from landstep.training.network import CORRECTION_LIMIT, LandUseNetwork, paint

STRIPS = 4
"""Strips of rows that stem and head work in, where a window has as many."""

WIDEST = 64
"""Outputs of a pointwise convolution that onnxruntime computes in one pass over its input."""

BLOCK = 16
"""Channels of a block of onnxruntime's layout, with the widest vectors."""


class ArrangedGraph(nn.Module):
    """A network in evaluation mode, as it is exported: answers as `LandUseGraph`, up to rounding.

    Its inputs and outputs are those of `features.INPUT_NAMES` and `features.OUTPUT_NAMES`.
    """

    numbers: Tensor

    def __init__(self, network: LandUseNetwork) -> None:
        super().__init__()
        folded = fold_batch_norm(network)
        self.strips = min(STRIPS, 2**folded.shape.depth)
        self.limit = CORRECTION_LIMIT * float(folded.sharpness)
        self.planes = Planes(folded)
        self.stem = convolution(*kept_convolution(*weights_of(folded.stem[0]), folded))
        self.down = folded.down
        self.narrow = folded.narrow
        self.up = nn.ModuleList(map(Ascent, folded.up))
        self.head = Head(folded)
        self.guess = guess_of(folded)
        self.register_buffer("numbers", folded.class_numbers)

    def forward(
        self,
        prior: Tensor,
        history: Tensor,
        years: Tensor,
        continuous: Tensor,
        categories: Tensor,
        forcing: Tensor,
        forcing_change: Tensor,
        prior_shares: Tensor,
        row: Tensor,
        col: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Give the map and its logits: inputs and outputs as of `LandUseGraph.forward`."""
        rows = prior.shape[1]
        ends = [rows * number // self.strips for number in range(self.strips + 1)]
        spans = [slice(first, last) for first, last in pairwise(ends)]
        coarse = self.planes.coarse(years, forcing, forcing_change, prior_shares)
        planes = [
            self.planes(
                prior[:, span],
                history[:, :, span],
                continuous[:, :, span],
                categories[:, :, span],
                coarse,
                row[span],
                col,
            )
            for span in spans
        ]
        field = self.decode(torch.cat([functional.relu(self.stem(strip)) for strip in planes], 2))
        corrections = [
            self.head(field[:, :, span], strip) for span, strip in zip(spans, planes, strict=True)
        ]
        correction = torch.cat(corrections, 2).clamp(-self.limit, self.limit)
        logits = correction + self.first_guess(prior, paint(coarse.guess, row, col))
        logits = logits.clamp(min=FORBIDDEN)
        return logits.argmax(1).to(torch.uint8), logits

    def first_guess(self, prior: Tensor, unknown: Tensor) -> Tensor:
        """Give the first guess, -FAR for a class that cannot be: (n, K, y, x).

        prior : (n, y, x) uint8; unknown : (n, K, y, x), the guess for masked cells
        """
        codes = prior.int().unsqueeze(1)
        masked = (codes >= self.numbers.shape[1]).float()
        return self.guess((codes == self.numbers).float()) + masked * unknown

    def decode(self, field: Tensor) -> Tensor:
        """Run the U-Net behind its stem: (n, base, y, x) to the same."""
        kept: list[Tensor] = []
        for level, block in enumerate(self.down):
            field = block(functional.max_pool2d(field, 2) if level else field)
            kept.append(field)
        for level in reversed(range(len(self.up))):
            field = functional.interpolate(self.narrow[level](field), scale_factor=2.0)
            field = self.up[level](field, kept[level])
        return field


class Ascent(nn.Module):
    """A level on the way up, which adds up what it makes of its two inputs instead of joining them.

    level : the folded `training.network.Level`
    """

    def __init__(self, level: nn.Module) -> None:
        super().__init__()
        first, *rest = level.children()
        weight, bias = weights_of(first)
        below, beside = weight.chunk(2, 1)
        self.below = convolution(below)
        self.beside = convolution(beside, bias)
        self.rest = nn.Sequential(*rest)

    def forward(self, below: Tensor, beside: Tensor) -> Tensor:
        """Join the level below with the one beside: (n, w, y, x) each, and the same out."""
        joined: Tensor = self.rest(self.below(below) + self.beside(beside))
        return joined


class Head(nn.Module):
    """The head's hidden layer in parts, so that each needs little memory and one pass.

    The direct way from the inputs to the logits goes through it too, as relu(h) - relu(-h) = h:
    onnxruntime then need not read all planes once more for a few outputs.

    network : folded
    """

    def __init__(self, network: LandUseNetwork) -> None:
        super().__init__()
        (join, bias), (last, last_bias) = map(weights_of, (network.join[0], network.head_features))
        direct = network.head_inputs.weight
        base, n_classes = network.shape.base, network.shape.scheme.n_classes
        nothing, one = (
            torch.zeros(2 * n_classes, base, 1, 1),
            torch.eye(n_classes)[:, :, None, None],
        )
        of_field = torch.cat([join[:, :base], nothing])
        of_planes = torch.cat([join[:, base:], direct, -direct])
        bias = torch.cat([bias, nothing[:, 0, 0, 0]])
        of_planes, bias = kept_convolution(of_planes, bias, network)
        out = torch.cat([last, one, -one], 1) * network.sharpness
        widths = parts(len(bias))
        weights = (of_field.split(widths), of_planes.split(widths), out.split(widths, 1))
        self.of_field = nn.ModuleList(convolution(part) for part in weights[0])
        self.of_planes = nn.ModuleList(map(convolution, weights[1], bias.split(widths)))
        self.out = nn.ModuleList(convolution(part) for part in weights[2][1:])
        self.out.insert(0, convolution(weights[2][0], last_bias * network.sharpness))

    def forward(self, field: Tensor, planes: Tensor) -> Tensor:
        """Give the correction of the logits: (n, base, y, x) and (n, P, y, x) to (n, K, y, x).

        onnxruntime adds to what comes second, and computes that first: the order of the sums keeps
        few fields alive.
        """
        total: Tensor | None = None
        for of_field, of_planes, out in zip(self.of_field, self.of_planes, self.out, strict=True):
            found = out(functional.relu(of_planes(planes) + of_field(field)))
            total = found if total is None else found + total
        assert total is not None
        return total


def weights_of(layer: nn.Module) -> tuple[Tensor, Tensor]:
    """Give weights and bias of a convolution that has both."""
    assert isinstance(layer, nn.Conv2d) and layer.bias is not None, f"{layer}: not as folded"
    return layer.weight, layer.bias


def parts(width: int) -> list[int]:
    """Split so many channels evenly, into multiples of BLOCK of at most WIDEST (the last: less)."""
    count = -(-width // WIDEST)
    size = -(-width // (count * BLOCK)) * BLOCK
    return [min(size, width - start) for start in range(0, width, size)]


def convolution(weight: Tensor, bias: Tensor | None = None) -> nn.Conv2d:
    """Make a convolution of weights (o, i, k, k), k odd, and a bias (o,)."""
    n_out, n_in, size, _ = weight.shape
    layer = nn.Conv2d(n_in, n_out, size, padding=size // 2, bias=bias is not None)
    layer.weight = nn.Parameter(weight.detach().clone())
    layer.bias = None if bias is None else nn.Parameter(bias.detach().clone())
    return layer


def guess_of(network: LandUseNetwork) -> nn.Conv2d:
    """Make the convolution from the one-hot prior to the first guess, -FAR where a class cannot be.

    A cell has a single 1, so the table's numbers come out as they are, or none where it is masked.
    """
    table = torch.where(network.allowed[:-1] > 0.5, network.transition * network.sharpness, -FAR)
    return convolution(table.T[:, :, None, None])
