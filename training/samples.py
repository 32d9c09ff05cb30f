"""What the network learns from: patches of map pairs, partly masked, each a function of its number.

Sample i depends on the seed and i alone, so a training that goes on from a checkpoint sees what it
would have seen without a stop.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from landstep.emulator.classes import MASKED, OUTSIDE
from landstep.emulator.errors import ConfigError
from landstep.emulator.tiling import Window
from landstep.training.config import SamplesTable
from landstep.training.region import Pair, Region

FINE = ("prior", "history", "continuous", "categories", "target")
COARSE = ("forcing", "forcing_change", "prior_shares")


class Samples(Dataset[dict[str, np.ndarray]]):
    """Training samples number `start` to `stop`, of an endless list that the seed fixes.

    A sample holds `features.Fields` of a patch (with the leading axis of 1) and "target",
    (1, y, x) uint8. Pairs of each lag and direction are drawn equally often; within a lag, patches
    in proportion to the square root of the cells that change in them. The maps before a prior are
    those from the first to the last year of the pairs; what is masked in the prior is so in them.
    Raises ConfigError where a map is smaller than a patch, or no patch has land enough.
    """

    def __init__(
        self,
        regions: Sequence[Region],
        pairs: Sequence[Pair],
        table: SamplesTable,
        seed: int,
        history: int,
    ) -> None:
        self.regions, self.table, self.seed, self.history = regions, table, seed, history
        years = [year for pair in pairs for year in pair]
        self.years = min(years), max(years)
        self.start, self.stop = 0, 0
        places = [_places(region, pairs, table) for region in regions]
        self.places = np.concatenate(
            [np.column_stack([np.full(len(p), n), p[:, :4]]) for n, p in enumerate(places)]
        ).astype(np.int64)
        changed = np.concatenate([p[:, 4] for p in places])
        if not len(self.places):
            raise ConfigError(
                f"no patch of {table.patch} cells has {table.smallest_land:.0%} of land; make "
                "samples.patch or samples.smallest_land smaller"
            )
        lags = self.places[:, 2] - self.places[:, 1]
        weight = np.sqrt(1 + changed)
        for lag in np.unique(lags):
            weight[lags == lag] /= weight[lags == lag].sum()
        self.cumulative = np.cumsum(weight / weight.sum())

    def span(self, start: int, stop: int) -> Samples:
        """Give the samples from number `start` up to `stop`, of the same list."""
        part = object.__new__(Samples)
        part.__dict__.update(self.__dict__, start=start, stop=stop)
        return part

    def __len__(self) -> int:
        return self.stop - self.start

    def __getitem__(self, index: int) -> dict[str, np.ndarray]:
        if not 0 <= index < len(self):
            raise IndexError(index)
        return self.draw(self.start + index)

    def draw(self, number: int) -> dict[str, np.ndarray]:
        """Make sample `number`."""
        rng = np.random.default_rng([self.seed, number])
        place = min(int(np.searchsorted(self.cumulative, rng.random())), len(self.places) - 1)
        of, before, after, top, left = (int(value) for value in self.places[place])
        region = self.regions[of]
        top, left = (
            int(
                np.clip(
                    start + rng.integers(-self.table.patch // 4, self.table.patch // 4 + 1),
                    0,
                    size - self.table.patch,
                )
            )
            for start, size in zip((top, left), region.shape, strict=True)
        )
        direction = 1 if after > before else -1
        prior = region.maps[before]
        history = region.history(before, direction, self.history, self.years)
        if rng.random() >= self.table.unmasked:
            prior, history = hide(mask_blocks(prior, self.table.blocks, rng), prior, history)
        since = after - direction if rng.random() < self.table.stale else before
        sample = self.cut(region, (since, after), prior, history, top, left)
        return turn(sample, int(rng.integers(8)))

    def cut(
        self,
        region: Region,
        pair: Pair,
        prior: np.ndarray,
        history: np.ndarray,
        top: int,
        left: int,
    ) -> dict[str, np.ndarray]:
        """Cut one patch with its target out of a region.

        pair : the years between which the forcing changes, and the target's
        prior : (y, x) uint8, the map that the step starts from; history : (H, y, x) uint8
        """
        window = patch_window(top, left, self.table.patch)
        sample = region.cut(window, pair, prior, history)
        sample["target"] = window.read(region.maps[pair[1]], OUTSIDE)[None]
        return sample


def patch_window(top: int, left: int, patch: int) -> Window:
    """Give the window of a square patch, without a halo."""
    rows, cols = np.arange(top, top + patch), np.arange(left, left + patch)
    return Window((top, top + patch, left, left + patch), rows, cols, 0, 0)


def mask_blocks(prior: np.ndarray, blocks: Sequence[int], rng: np.random.Generator) -> np.ndarray:
    """Mask a random share of a map, 0 to 100 %, in square blocks of one random size.

    prior : (y, x) uint8; blocks : sizes to choose from, cells
    returns : a copy with MASKED in the chosen blocks; what is OUTSIDE land stays known, as it is
        where a run starts from nothing but the coast
    """
    size, share = int(rng.choice(blocks)), rng.random()
    y, x = prior.shape
    shift_y, shift_x = rng.integers(0, size, 2)
    chosen = rng.random((y // size + 2, x // size + 2)) < share
    rows, cols = (np.arange(y) + shift_y) // size, (np.arange(x) + shift_x) // size
    return np.where(chosen[rows][:, cols] & (prior != OUTSIDE), np.uint8(MASKED), prior)


def hide(
    masked: np.ndarray, prior: np.ndarray, history: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Mask in the maps before what is masked in the prior: a class kept there would tell it.

    masked, prior : (y, x) uint8, the prior with cells masked and as it was; history : (H, y, x)
    returns : `masked`, and the history with the same cells MASKED
    """
    return masked, np.where(masked != prior, np.uint8(MASKED), history)


def turn(sample: dict[str, np.ndarray], way: int) -> dict[str, np.ndarray]:
    """Turn or mirror a sample in one of the eight ways of a square; way 0 leaves it.

    No input tells a direction, so a turned sample is as true as the one it came from.
    """
    turned = dict(sample)
    if way & 4:
        for name in (*FINE, *COARSE):
            turned[name] = turned[name].swapaxes(-1, -2)
        turned["row"], turned["col"] = turned["col"], turned["row"]
    for bit, axis, index in ((1, -2, "row"), (2, -1, "col")):
        if way & bit:
            for name in FINE:
                turned[name] = np.flip(turned[name], axis)
            turned[index] = turned[index][::-1]
    return {name: np.ascontiguousarray(array) for name, array in turned.items()}


def collate(samples: Sequence[dict[str, np.ndarray]]) -> dict[str, Tensor]:
    """Put samples into one batch.

    returns : fine fields and coarse ones with the samples along the first axis; coarse fields are
        filled up with zeros to one size, "years" is (n,), "row" (n, y) and "col" (n, x)
    """
    batch = {name: np.concatenate([sample[name] for sample in samples]) for name in FINE}
    for name in COARSE:
        fields = [sample[name][0] for sample in samples]
        size = np.max([field.shape for field in fields], axis=0)
        batch[name] = np.zeros((len(fields), *size), np.float32)
        for index, field in enumerate(fields):
            batch[name][index, :, : field.shape[1], : field.shape[2]] = field
    batch["years"] = np.concatenate([sample["years"] for sample in samples])
    for name in ("row", "col"):
        batch[name] = np.stack([sample[name] for sample in samples])
    return {name: torch.from_numpy(array) for name, array in batch.items()}


def _places(region: Region, pairs: Sequence[Pair], table: SamplesTable) -> np.ndarray:
    """List where patches may lie: (n, 5) of prior year, target year, top, left, changed cells."""
    patch = table.patch
    if min(region.shape) < patch:
        raise ConfigError(
            f"experiment {region.name!r}: maps of {region.shape} cells, samples.patch is {patch}; "
            "make it smaller"
        )
    tops, lefts = (
        np.unique([*range(0, size - patch, max(1, patch // 2)), size - patch])
        for size in region.shape
    )
    origins = np.stack(np.meshgrid(tops, lefts, indexing="ij"), -1).reshape(-1, 2)
    enough = _in_patches(region.land(), tops, lefts, patch) >= table.smallest_land * patch**2
    origins, rows = origins[enough], []
    for before, after in pairs:
        prior, target = region.maps[before], region.maps[after]
        changes = (prior != target) & (prior != MASKED) & (target != MASKED)
        changed = _in_patches(changes, tops, lefts, patch)[enough]
        years = np.tile([before, after], (len(origins), 1))
        rows.append(np.column_stack([years, origins, changed]))
    return np.concatenate(rows)


def _in_patches(flags: np.ndarray, tops: np.ndarray, lefts: np.ndarray, patch: int) -> np.ndarray:
    """Count True cells in each patch: (tops * lefts,) int64."""
    sums = np.zeros((flags.shape[0] + 1, flags.shape[1] + 1), np.int64)
    sums[1:, 1:] = flags.cumsum(0, dtype=np.int64).cumsum(1)
    top, left = tops[:, None], lefts[None, :]
    counts = (
        sums[top + patch, left + patch]
        - sums[top, left + patch]
        - sums[top + patch, left]
        + sums[top, left]
    )
    return counts.ravel()
