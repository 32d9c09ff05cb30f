"""What the network learns from: patches of map pairs, partly masked, each a function of its number.

Sample i depends on the seed and i alone, so a training that goes on from a checkpoint sees what it
would have seen without a stop, and one on several processes what one alone would.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch.utils.data import Dataset

from landstep.emulator.classes import MASKED, OUTSIDE
from landstep.emulator.errors import ConfigError
from landstep.training.config import SamplesTable
from landstep.training.patches import Patch, hide, mask_blocks, patch_window, turn
from landstep.training.region import Pair, Region

_ROLLING = 7
"""Tells the numbers drawn for a whole batch from those drawn for a sample."""


class Samples(Dataset[list[Patch]]):
    """Training samples number `start` to `stop`, of an endless list that the seed fixes.

    A sample is a list of patches of one place, one a step: the last is learned from; those before
    it, in a share `rollout` of the batches, are the yearly steps by which the network itself makes
    the prior map of the last (training/rollout.py).
    Pairs of each lag and direction are drawn equally often; within a lag, patches in proportion to
    their land, whether or not it changes, so that probabilities stay true. Patches begin at a
    coarse cell's first cell where they can. What is masked in the prior is so in the maps before
    it.

    left_out : for each region (y, x) bool, cells whose targets are not learned from; None: none
    years : first and last year whose maps may be looked at; None: those of the pairs
    Raises ConfigError where a map is smaller than a patch, no patch has land enough, or no pair has
    the years before it that a rollout steps through.
    """

    def __init__(
        self,
        regions: Sequence[Region],
        pairs: Sequence[Pair],
        table: SamplesTable,
        seed: int,
        history: int,
        left_out: Sequence[np.ndarray | None] | None = None,
        years: tuple[int, int] | None = None,
    ) -> None:
        self.regions, self.table, self.seed, self.history = regions, table, seed, history
        self.left_out = left_out or [None] * len(regions)
        of_pairs = [year for pair in pairs for year in pair]
        self.years = years or (min(of_pairs), max(of_pairs))
        self.start, self.stop = 0, 0
        places = [_places(r, pairs, table, o) for r, o in zip(regions, self.left_out, strict=True)]
        self.places = np.concatenate(
            [np.column_stack([np.full(len(p), n), p[:, :4]]) for n, p in enumerate(places)]
        ).astype(np.int64)
        land = np.concatenate([p[:, 4] for p in places])
        if not len(self.places):
            raise ConfigError(
                f"no patch of {table.patch} cells has {table.smallest_land:.0%} of land; make "
                "samples.patch or samples.smallest_land smaller"
            )
        lags = self.places[:, 2] - self.places[:, 1]
        self.cumulative = _cumulative(land, lags)
        rolling = self._first_years() if table.rollout else np.zeros(0)
        can_roll = (rolling >= self.years[0]) & (rolling <= self.years[1])
        if table.rollout and not can_roll.any():
            raise ConfigError(
                f"samples.rollout_years {table.rollout_years}: no pair of years has so many years "
                f"before it in {list(self.years)}; make it smaller, or samples.rollout 0"
            )
        self.rolling = np.flatnonzero(can_roll)
        self.cumulative_rolling = _cumulative(land[self.rolling], lags[self.rolling])

    def _first_years(self) -> np.ndarray:
        """Year of the map from which each place's rollout starts: (n,) int64."""
        before, after = self.places[:, 1], self.places[:, 2]
        return before - np.sign(after - before) * self.table.rollout_years

    def span(self, start: int, stop: int) -> Samples:
        """Give the samples from number `start` up to `stop`, of the same list."""
        part = object.__new__(Samples)
        part.__dict__.update(self.__dict__, start=start, stop=stop)
        return part

    def __len__(self) -> int:
        return self.stop - self.start

    def __getitem__(self, index: int) -> list[Patch]:
        if not 0 <= index < len(self):
            raise IndexError(index)
        return self.draw(self.start + index)

    def rolls(self, number: int) -> bool:
        """Tell whether sample `number` is one of a batch that steps by itself."""
        batch = number // self.table.batch
        chance = np.random.default_rng([self.seed, batch, _ROLLING]).random()
        return bool(chance < self.table.rollout)

    def draw(self, number: int) -> list[Patch]:
        """Make sample `number`."""
        rng = np.random.default_rng([self.seed, number])
        rolls = self.rolls(number)
        chances = self.cumulative_rolling if rolls else self.cumulative
        place = min(int(np.searchsorted(chances, rng.random())), len(chances) - 1)
        if rolls:
            place = self.rolling[place]
        of, before, after, top, left = (int(value) for value in self.places[place])
        region = self.regions[of]
        top, left = (
            self._place(start, index, rng)
            for start, index in ((top, region.row), (left, region.col))
        )
        direction = 1 if after > before else -1
        if rolls:
            first = before - direction * self.table.rollout_years
            steps = [(year, year + direction) for year in range(first, before, direction)]
            patches = [self.known(of, pair, top, left) for pair in [*steps, (before, after)]]
        elif rng.random() < self.table.unmasked:
            since = after - direction if rng.random() < self.table.stale else before
            patches = [self.known(of, (before, after), top, left, since)]
        else:
            patches = [self._masked(of, (before, after), top, left, rng)]
        way = int(rng.integers(8))
        return [turn(patch, way) for patch in patches]

    def known(self, of: int, pair: Pair, top: int, left: int, since: int | None = None) -> Patch:
        """Cut one patch whose prior map is known out of region number `of`.

        since : year since which the forcing's change is shown, where it is not the prior's
        """
        region, (before, after) = self.regions[of], pair
        where = before, 1 if after > before else -1, self.history, self.years
        maps = region.maps[before], region.history(*where)
        return self.cut(of, pair, *maps, top, left, since, region.shares(before))

    def _masked(self, of: int, pair: Pair, top: int, left: int, rng: np.random.Generator) -> Patch:
        """Cut one patch of a prior map that is masked in part."""
        region, (before, after) = self.regions[of], pair
        direction = 1 if after > before else -1
        prior = region.maps[before]
        history = region.history(before, direction, self.history, self.years)
        masked = mask_blocks(prior, self.table.blocks, rng)
        since = after - direction if rng.random() < self.table.stale else before
        return self.cut(of, pair, *hide(masked, prior, history), top, left, since)

    def cut(
        self,
        of: int,
        pair: Pair,
        prior: np.ndarray,
        history: np.ndarray,
        top: int,
        left: int,
        since: int | None = None,
        shares: np.ndarray | None = None,
    ) -> Patch:
        """Cut one patch with its target out of region number `of`.

        pair : years of the prior map and of the target
        prior : (y, x) uint8, the map that the step starts from; history : (H, y, x) uint8
        since : year since which the forcing's change is shown, where it is not the prior's
        shares : as `Region.fields` takes them
        """
        region, (before, after) = self.regions[of], pair
        window = patch_window(top, left, self.table.patch)
        shown = (before if since is None else since, after)
        patch = region.fields(shown, prior, history, shares).cut(window)
        target, left_out = region.maps[after], self.left_out[of]
        if left_out is not None:
            target = np.where(left_out, np.uint8(MASKED), target)
        patch["target"] = window.read(target, OUTSIDE)[None]
        row, col = region.row[window.rows], region.col[window.cols]
        seen = slice(row[0], row[-1] + 1), slice(col[0], col[-1] + 1)
        counts = np.outer(np.bincount(row - row[0]), np.bincount(col - col[0]))
        unknown = region.coarse_unknown(prior)
        patch["wanted"] = region.wanted(pair, unknown)[(None, slice(None), *seen)]
        patch["whole"] = (counts == region.cells[seen]).astype(np.float32)[None, None]
        return patch

    def _place(self, start: int, index: np.ndarray, rng: np.random.Generator) -> int:
        """Move a patch's first row or column by chance, to where a coarse cell begins.

        index : coarse row of each row, or coarse column of each column
        """
        patch = self.table.patch
        start += int(rng.integers(-patch // 4, patch // 4 + 1))
        start = int(np.clip(start, 0, index.size - patch))
        return min(int(np.searchsorted(index, index[start])), index.size - patch)


def _cumulative(land: np.ndarray, lags: np.ndarray) -> np.ndarray:
    """Add up the chances of places, each lag having the same: (n,) float64, up to 1."""
    weight = land.astype(np.float64)
    for lag in np.unique(lags):
        weight[lags == lag] /= weight[lags == lag].sum()
    return np.cumsum(weight / weight.sum())


def _places(
    region: Region, pairs: Sequence[Pair], table: SamplesTable, left_out: np.ndarray | None
) -> np.ndarray:
    """List where patches may lie: (n, 5) of prior year, target year, top, left, cells of land."""
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
    counts = np.ones(region.shape, bool) if left_out is None else ~left_out
    land = _in_patches(region.land() & counts, tops, lefts, patch)
    enough = (land >= table.smallest_land * patch**2) & (land > 0)
    places = np.column_stack([origins, land])[enough]
    return np.concatenate(
        [np.column_stack([np.tile(pair, (len(places), 1)), places]) for pair in pairs]
    )


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
