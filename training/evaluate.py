"""How a network does on years it did not learn from, always beside "nothing changes"."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from landstep.emulator.classes import MASKED, OUTSIDE
from landstep.emulator.scores import accuracy, figure_of_merit, mean_iou
from landstep.emulator.tiling import Cut
from landstep.training.graph import LandUseGraph
from landstep.training.network import LandUseNetwork
from landstep.training.region import Pair, Region

KNOWN = {"quantities": "known, an upper bound"}
"""Said of a score whose coarse totals were counted on the map that is predicted."""

CORE = 240
"""Cells a side of the windows that scoring computes at once."""


def predict(
    network: LandUseNetwork, region: Region, pair: Pair, prior: np.ndarray, history: np.ndarray
) -> np.ndarray:
    """Give the likeliest class of each cell with torch, as the emulator does without quotas.

    prior : (y, x) uint8, valid in pair[0]; history : (H, y, x) uint8, the maps before it
    returns : (y, x) uint8, valid in pair[1]
    """
    graph = LandUseGraph(network).eval()
    stride = 2**network.shape.depth
    halo = -(-(7 * stride - 5) // stride) * stride
    cut = Cut(region.shape, stride, halo, region.wraps)
    found = prior.copy()
    moving = ~np.isin(prior, region.scheme.fixed_numbers)
    fields = region.fields(pair, prior, history)
    with torch.no_grad():
        for window in cut.over(region.row, region.col, CORE, moving):
            inputs = fields.cut(window)
            land_use, _ = graph(*(torch.from_numpy(array) for array in inputs.values()))
            window.write(found, land_use[0].numpy())
    return found


def score(
    network: LandUseNetwork, regions: Sequence[Region], pairs: Sequence[Pair]
) -> list[dict[str, Any]]:
    """Score the network on pairs of years, in one step and year by year.

    pairs : (prior, target); each region holds the forcing of (prior, target) and of every two
        successive years between
    returns : one entry a region, pair and way, with "model" and "persistence" side by side, and
        "best_attainable" where the region knows it, and "quantities" where they were counted on
        the target map. Cells of land count whose target is known.
    """
    entries = []
    for region in regions:
        for before, after in pairs:
            prior, step = region.maps[before], 1 if after > before else -1
            history = region.history(before, step, network.shape.history)
            ways = {"one step": predict(network, region, (before, after), prior, history)}
            if after != before + step:
                stepped = prior
                for year in range(before, after, step):
                    following = predict(network, region, (year, year + step), stepped, history)
                    history = np.concatenate([stepped[None], history[:-1]])
                    stepped = following
                ways["year by year"] = stepped
            for way, found in ways.items():
                entries.append(
                    {
                        "experiment": region.name,
                        "prior": before,
                        "target": after,
                        "way": way,
                        "model": compare(region, before, after, found),
                        "persistence": compare(region, before, after, prior),
                        **region.best_attainable(before, after),
                        **(KNOWN if region.known_quantities else {}),
                    }
                )
    return entries


def compare(region: Region, before: int, after: int, found: np.ndarray) -> dict[str, float]:
    """Score one predicted map (y, x): accuracy, mean IoU, figure of merit, changed share."""
    prior, truth = region.maps[before], region.maps[after]
    mask = (prior != OUTSIDE) & (truth != MASKED) & (prior != MASKED)
    values = {
        "accuracy": accuracy(found, truth, mask),
        "mean_iou": mean_iou(found, truth, mask, region.scheme.n_classes),
        "figure_of_merit": figure_of_merit(prior, found, truth, mask).value,
        "changed": 1 - accuracy(found, prior, mask),
    }
    return {name: round(value, 5) for name, value in values.items()}


def score_pairs(pairs: Sequence[Pair]) -> list[Pair]:
    """Give every pair of years that scoring reads: the pairs, and each year's step between."""
    steps = set()
    for before, after in pairs:
        step = 1 if after > before else -1
        steps |= {(year, year + step) for year in range(before, after, step)}
    return sorted({*pairs, *steps})
