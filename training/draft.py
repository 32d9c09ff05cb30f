"""The model card as far as it is known before the first step, and whether a checkpoint fits it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from landstep.emulator.card import Card
from landstep.emulator.errors import ConfigError
from landstep.training.checkpoint import read_card, read_checkpoint
from landstep.training.config import TrainingConfig
from landstep.training.region import Region, same_channels


def draft_card(config: TrainingConfig, regions: Sequence[Region]) -> Card:
    """Write the model card as far as it is known before the first step.

    Raises ConfigError where the experiments do not belong together.
    """
    data = config.data
    categories = same_channels(regions, data.categories, data.category_sizes)
    of = regions[0].scheme
    return Card(
        name=config.name,
        landstep_version=_version(),
        scheme=of.name,
        class_codes=list(of.codes),
        class_names=list(of.names),
        states=list(regions[0].states),
        continuous=data.continuous,
        categories=categories,
        base=config.network.base,
        depth=config.network.depth,
        history=data.history,
        direction=data.direction,
        lags=sorted(set(data.lags)),
        weights=config.allocation,
        phase=regions[0].phase,
        licence=config.licence,
        sources=config.sources,
        training={
            "config": _plain(config),
            "data": [{"experiment": region.name, "sha256": region.files} for region in regions],
            "torch": torch.__version__,
        },
    )


def _plain(config: TrainingConfig) -> dict[str, Any]:
    """Give the training file's values that decide the result, without this machine's paths."""
    text = config.model_dump_json(exclude={"folder": True, "output": True, "data": {"experiments"}})
    return dict(json.loads(text))


def check_resumable(card: Card, out: Path) -> None:
    """Refuse to go on from a checkpoint that another training file or other data made."""
    before = read_card(read_checkpoint(out), out).training
    for what in ("config", "data", "torch"):
        if before.get(what) != card.training[what]:
            raise ConfigError(
                f"{out}: cannot be resumed, its {what} is {before.get(what)}, now it is "
                f"{card.training[what]}; train anew, or take what it was made with"
            )


def _version() -> str:
    try:
        return version("landstep")
    except PackageNotFoundError:
        return "not installed"
