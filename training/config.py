"""The training file (TOML): which experiments and years, which network, how long and how."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from landstep.emulator.card import Weights, WeightsByLag
from landstep.emulator.tables import StrictTable, folder_of, read_table

Year = Annotated[int, Field(ge=-99_999, le=99_999)]
Positive = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, le=1)]
Direction = Literal["forward", "backward", "both"]

STEPS: dict[Direction, tuple[int, ...]] = {"forward": (1,), "backward": (-1,), "both": (1, -1)}
"""Sign of target less prior, for each direction in time."""


class DataTable(StrictTable):
    """What is learned from.

    experiments : experiment files, relative to the training file
    years : first and last year of the maps used, prior and target alike
    lags : years from a prior map to its target; each lag is drawn equally often
    history : how many maps before the prior the network takes, a year apart
    least_history : so many maps, at least, lie before each prior that is learned from
    direction : the way in time to learn; "both" draws each way equally often
    fold : [k, n] leaves fold k of n out (from 1), blocks of coarse cells that are scored on but not
        learned from (emulator/folds.py); None learns from all
    continuous, categories : statics in channel order
    category_sizes : codes that a categorical static can have, 0 included, where the data may not
        show them all
    """

    experiments: list[Path] = Field(min_length=1)
    years: tuple[Year, Year]
    lags: list[Positive] = Field(default=[1, 2, 5, 10], min_length=1)
    history: int = Field(default=3, ge=1, le=20)
    least_history: int = Field(default=0, ge=0)
    direction: Direction = "forward"
    fold: tuple[Positive, Annotated[int, Field(ge=2)]] | None = None
    continuous: list[str] = ["elevation"]
    categories: list[str] = ["soil_texture", "climate_zone"]
    category_sizes: dict[str, Annotated[int, Field(ge=1, le=255)]] = {"soil_texture": 8}

    @model_validator(mode="after")
    def _years_hold_the_lags(self) -> DataTable:
        if self.years[0] + max(self.lags) + self.least_history > self.years[1]:
            before = f" with {self.least_history} maps before it" if self.least_history else ""
            raise ValueError(
                f"years {list(self.years)} hold no pair that lies {max(self.lags)} years apart"
                f"{before}"
            )
        if self.fold is not None and self.fold[0] > self.fold[1]:
            raise ValueError(f"fold {list(self.fold)}: expected [k, n], k from 1 to n")
        return self


class NetworkTable(StrictTable):
    """Size of the U-Net: channels of its first level, and how often it halves the map."""

    base: int = Field(default=16, ge=1, le=128)
    depth: int = Field(default=3, ge=1, le=5)


class SamplesTable(StrictTable):
    """What one training sample is.

    patch : cells a side, a multiple of the network's stride
    batch : samples a step
    unmasked : share of samples whose whole prior map is known; in the others a share of 0 to 100 %
        is masked, in square blocks of one of `blocks` cells a side
    stale : share of samples that see only the last year's change of the forcing, as a run does
        whose map has not moved for some years
    rollout : share of batches whose prior map the network itself makes, by rollout_years yearly
        steps from a true one
    smallest_land : patches with less land than this share are left out
    """

    patch: int = Field(default=96, ge=8)
    batch: int = Field(default=8, ge=1)
    unmasked: Share = 0.5
    blocks: list[Positive] = Field(default=[4, 8, 16, 32, 96], min_length=1)
    stale: Share = 0.5
    rollout: Share = 0.1
    rollout_years: Positive = 2
    smallest_land: Share = 0.05


class FitTable(StrictTable):
    """How the weights are found.

    steps : optimiser steps; rate : largest learning rate of the one-cycle schedule
    change_weight : weight in the loss of a cell that changed class, against 1 of one that did not
    masked_share : share of the loss that masked cells have
    unfitted : weight of the same loss on the odds before they are fitted to the quotas, so that
        these mean something by themselves
    checkpoint_every : steps from one checkpoint to the next
    held_out : share of the land that is not learned from, in blocks: on it the probabilities are
        calibrated, and at each checkpoint the change skill is measured; the weights of the best
        are kept. 0 learns from all and keeps the last
    patience : checkpoints without a better change skill after which the training ends
    """

    steps: Positive = 2000
    rate: float = Field(default=3e-3, gt=0)
    weight_decay: float = Field(default=1e-3, ge=0)
    clip: float = Field(default=1.0, gt=0)
    change_weight: float = Field(default=2.0, gt=0)
    masked_share: float = Field(default=0.3, gt=0, lt=1)
    unfitted: float = Field(default=0.3, ge=0)
    checkpoint_every: Positive = 200
    held_out: Annotated[float, Field(ge=0, le=0.5)] = 0.1
    patience: Positive = 5
    seed: int = Field(default=0, ge=0)
    threads: Positive = 1
    accelerator: Literal["cpu", "cuda"] = "cpu"


class TrainingConfig(StrictTable):
    """A training file; paths in it are relative to its own folder.

    validation : pairs of years [prior, target] that the trained network is scored on; their
        targets lie outside `data.years`
    allocation : what the allocation weighs, `[[allocation]]` by the years between prior and target,
        which rise; it does not change the training, the card carries it
    output : the checkpoint to write
    """

    name: str
    output: Path
    licence: str = "Apache-2.0"
    sources: list[str] = []
    data: DataTable
    validation: list[tuple[Year, Year]] = []
    network: NetworkTable = NetworkTable()
    samples: SamplesTable = SamplesTable()
    fit: FitTable = FitTable()
    allocation: WeightsByLag = [Weights(years=1)]
    folder: Path

    @model_validator(mode="after")
    def _parts_fit(self) -> TrainingConfig:
        stride = 2**self.network.depth
        if self.samples.patch % stride:
            raise ValueError(
                f"samples.patch {self.samples.patch} is not a multiple of the stride {stride} of a "
                f"network of depth {self.network.depth}"
            )
        first, last = self.data.years
        for prior, target in self.validation:
            if np.sign(target - prior) not in STEPS[self.data.direction]:
                expected = {"forward": "later ", "backward": "earlier ", "both": "other "}
                raise ValueError(
                    f"validation pair {[prior, target]}: expected [prior, "
                    f"{expected[self.data.direction]}target], data.direction is "
                    f"{self.data.direction}"
                )
            if first <= target <= last:
                raise ValueError(
                    f"validation target {target} lies in data.years {[first, last]}, which are "
                    "learned from"
                )
        return self


def load_config(path: str | Path) -> TrainingConfig:
    """Read a training file.

    Raises ConfigError where it is missing, not TOML, or has a key or value that cannot be.
    """
    return read_table(Path(path), TrainingConfig, {"folder": folder_of(path)})


def training_pairs(
    years: tuple[int, int], lags: list[int], direction: Direction, least_history: int = 0
) -> list[tuple[int, int]]:
    """List the pairs of years to learn from: (prior, target), by direction, by lag, then by year.

    years : first and last, both used
    direction : backward pairs have their target before their prior
    least_history : years that lie before each prior, the way the pair steps
    """
    first, last = years
    pairs = []
    for step in STEPS[direction]:
        for lag in sorted(set(lags)):
            before, after = (least_history, lag) if step > 0 else (lag, least_history)
            priors = range(first + before, last - after + 1)
            pairs += [(year, year + step * lag) for year in priors]
    return pairs
