"""The graph that is exported: class numbers and coarse forcing in, class numbers and logits out."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from landstep.training.network import LandUseNetwork, paint


class LandUseGraph(nn.Module):
    """A network with painting before it and the choice of a class after it.

    Its inputs and outputs are those of `features.INPUT_NAMES` and `features.OUTPUT_NAMES`.
    """

    def __init__(self, network: LandUseNetwork) -> None:
        super().__init__()
        self.network = network

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
        """Give the map and its logits.

        prior : (n, y, x) uint8 class numbers, MASKED where unknown; y and x multiples of 2^depth
        history : (n, H, y, x) uint8, MASKED where unknown; years : (n,) float32
        continuous : (n, S, y, x) float32; categories : (n, C, y, x) uint8
        forcing, forcing_change : (n, F, cy, cx) float32; prior_shares : (n, K, cy, cx) float32
        row : (y,) int64, col : (x,) int64, indices into cy and cx
        returns : (n, y, x) uint8 class numbers, the first of the largest logits; (n, K, y, x)
            float32 logits
        """
        coarse = self.network.coarse_channels(forcing, forcing_change, prior_shares)
        coarse = paint(coarse, row, col)
        logits = self.network(prior, history, years, continuous, categories, coarse)
        return logits.argmax(1).to(torch.uint8), logits


def fold_batch_norm(network: LandUseNetwork) -> LandUseNetwork:
    """Copy a network with each batch normalisation folded into the convolution before it.

    returns : a network in evaluation mode that computes the same, up to rounding; the one given is
        left as it was
    """
    folded = copy.deepcopy(network).eval()
    for module in folded.modules():
        if not isinstance(module, nn.Sequential):
            continue
        for index, layer in enumerate(module):
            before = module[index - 1]
            if isinstance(layer, nn.BatchNorm2d) and isinstance(before, nn.Conv2d):
                module[index - 1] = fuse_conv_bn_eval(before, layer)
                module[index] = nn.Identity()
    return folded
