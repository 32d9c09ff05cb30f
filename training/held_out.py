"""Blocks of land that are not learned from: change skill while training, calibration at its end."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from torch import Tensor

from landstep.emulator.classes import MASKED
from landstep.emulator.errors import ConfigError
from landstep.emulator.folds import TILE, folds
from landstep.training.config import TrainingConfig
from landstep.training.fitting import batch_logits, fitted
from landstep.training.loss import entropies
from landstep.training.network import LandUseNetwork
from landstep.training.patches import collate
from landstep.training.region import Pair, Region
from landstep.training.samples import Samples

CHECKED_PAIRS = 4
"""Pairs of years of each lag and direction on which change skill is measured."""

CHECKED_PATCHES = 96
"""Patches at most, taken evenly of all."""

SHARPEST = 4.0
"""Logits are multiplied by this at most, and by its inverse at least."""

_BATCH = 8


def left_out_cells(region: Region, config: TrainingConfig) -> tuple[np.ndarray, np.ndarray]:
    """Cells of a region that are not learned from.

    returns : (y, x) bool, those of the fold that is left out; (y, x) bool, those that are held out,
        of the rest
    Raises ConfigError where the region has too few blocks of land for it.
    """
    land, data, share = region.land(), config.data, config.fit.held_out
    fold = held = np.zeros(region.shape, bool)
    if data.fold is not None:
        number, count = data.fold
        fold = _dealt(region, f"data.fold {list(data.fold)}", land, count) == number - 1
    if share:
        side = region.row.size / region.coarse[0]
        tile = max(1, round(0.75 * config.samples.patch / side))
        count = max(2, round(1 / share))
        held = _dealt(region, f"fit.held_out {share}", land & ~fold, count, tile, seed=1) == 0
    return fold, held


def _dealt(
    region: Region, what: str, land: np.ndarray, count: int, tile: int = TILE, seed: int = 0
) -> np.ndarray:
    """Deal a region's land out; the error names the region and what asked for it."""
    try:
        return folds(region.row, region.col, land, count, tile, seed)
    except ConfigError as error:
        raise ConfigError(f"experiment {region.name!r}, {what}: {error}") from error


class HeldOut:
    """Patches of the held-out blocks, and what is measured on them.

    pairs : those that are learned from
    held : for each region (y, x) bool, the held-out cells, as of `left_out_cells`
    """

    def __init__(
        self,
        regions: Sequence[Region],
        pairs: Sequence[Pair],
        config: TrainingConfig,
        held: Sequence[np.ndarray],
    ) -> None:
        table = config.samples.model_copy(update={"rollout": 0.0, "smallest_land": 0.0})
        hidden = [~mask for mask in held]
        samples = Samples(regions, pairs, table, 0, config.data.history, hidden, config.data.years)
        places = [
            (of, pair, top, left)
            for of, mask in enumerate(held)
            for pair in _checked(pairs)
            for top, left in _centres(mask, config.samples.patch, regions[of])
        ]
        chosen = np.unique(
            np.linspace(0, len(places) - 1, min(len(places), CHECKED_PATCHES)).round()
        )
        patches = [[samples.known(*places[int(number)])] for number in chosen]
        self.batches = [
            collate(patches[start : start + _BATCH])[0] for start in range(0, len(patches), _BATCH)
        ]

    @torch.no_grad()
    def brier(self, network: LandUseNetwork) -> float:
        """Brier score of the probability of change, fitted to the quotas, where the prior is known.

        Source: Brier 1950, Mon. Weather Rev. 78, 1-3 (for one event, half of Brier's own sum).
        """
        total, cells = 0.0, 0
        for batch, logits in self._logits(network):
            _, counts = entropies(logits, batch["prior"], batch["target"], network.allowed)
            counts = counts & (batch["prior"] != MASKED)
            chance = fitted(network, logits, batch).softmax(1)
            prior = torch.where(counts, batch["prior"], 0).long()
            change = 1 - chance.gather(1, prior[:, None])[:, 0]
            happened = (batch["target"] != batch["prior"]).to(change)
            total += float((((change - happened) ** 2).double() * counts).sum())
            cells += int(counts.sum())
        return total / max(1, cells)

    @torch.no_grad()
    def sharpness(self, network: LandUseNetwork) -> float:
        """Find the factor of the logits with which the fitted probabilities say most.

        Source: Guo et al. 2017, ICML, temperature scaling (the factor is 1 / temperature).
        """
        kept = list(self._logits(network))

        def loss(log_factor: float) -> float:
            total, cells = 0.0, 0
            for batch, logits in kept:
                scaled = fitted(network, logits * float(np.exp(log_factor)), batch)
                entropy, counts = entropies(
                    scaled, batch["prior"], batch["target"], network.allowed
                )
                total += float((entropy.double() * counts).sum())
                cells += int(counts.sum())
            return total / max(1, cells)

        limit = float(np.log(SHARPEST))
        best = minimize_scalar(
            loss, bounds=(-limit, limit), method="bounded", options={"xatol": 1e-2}
        )
        return float(np.exp(best.x))

    def _logits(self, network: LandUseNetwork) -> list[tuple[dict[str, Tensor], Tensor]]:
        training, device = network.training, network.transition.device
        network.eval()
        found = []
        for kept in self.batches:
            batch = {name: value.to(device) for name, value in kept.items()}
            found.append((batch, batch_logits(network, batch)))
        network.train(training)
        return found


def _checked(pairs: Sequence[Pair]) -> list[Pair]:
    """Take a few pairs of each lag and direction, spread over the years."""
    chosen: list[Pair] = []
    for lag in sorted({after - before for before, after in pairs}):
        of_lag = [pair for pair in pairs if pair[1] - pair[0] == lag]
        places = np.unique(np.linspace(0, len(of_lag) - 1, CHECKED_PAIRS).round().astype(int))
        chosen += [of_lag[place] for place in places]
    return chosen


def _centres(mask: np.ndarray, patch: int, region: Region) -> list[tuple[int, int]]:
    """List first row and column of the patches around the blocks that are held out."""
    found = []
    side = max(1, round(0.75 * patch))
    for top in range(0, mask.shape[0], side):
        for left in range(0, mask.shape[1], side):
            y, x = np.nonzero(mask[top : top + side, left : left + side])
            if not y.size:
                continue
            corner = []
            for middle, first, index in (
                (y.mean(), top, region.row),
                (x.mean(), left, region.col),
            ):
                start = int(np.clip(first + middle - patch / 2, 0, index.size - patch))
                start = min(int(np.searchsorted(index, index[start])), index.size - patch)
                corner.append(start)
            found.append((corner[0], corner[1]))
    return found
