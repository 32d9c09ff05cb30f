"""What a training leaves behind: one file that export reads and a training resumes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import ValidationError
from torch import Tensor

from landstep.emulator.card import Card
from landstep.emulator.errors import LandstepError, ModelError
from landstep.training.network import LandUseNetwork, NetworkShape

KEY = "landstep"
"""Where, in lightning's checkpoint, ours lies: {"card": ..., "tiles": ...}."""

NETWORK_PREFIX = "network."
"""What the names of the network's weights begin with in lightning's state."""


@dataclass(frozen=True)
class TrainedNetwork:
    """A network with its card, and a few real inputs to verify an export on.

    tiles : each as `features.Fields` gives them
    """

    card: Card
    network: LandUseNetwork
    tiles: tuple[dict[str, np.ndarray], ...]


def pack(card: Card, tiles: tuple[dict[str, np.ndarray], ...]) -> dict[str, Any]:
    """Give card and tiles as what `torch.load` reads without running code."""
    plain = [{name: torch.from_numpy(array) for name, array in tile.items()} for tile in tiles]
    return {"card": card.model_dump_json(), "tiles": plain}


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint as plain values; nothing in it is run.

    Raises ModelError for a file that is missing, or not a checkpoint of a landstep training.
    """
    if not path.is_file():
        raise ModelError(f"checkpoint not found: {path}; `landstep train` writes it")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise ModelError(
            f"{path}: not a checkpoint ({type(error).__name__}); `landstep train` writes it"
        ) from error
    if not isinstance(content, dict) or KEY not in content or "state_dict" not in content:
        raise ModelError(f"{path}: a checkpoint, but not of a landstep training: no card in it")
    return content


def read_card(content: Mapping[str, Any], path: Path) -> Card:
    """Read the card out of a checkpoint's content; ModelError where it is none."""
    try:
        return Card.model_validate_json(content[KEY]["card"])
    except (ValidationError, KeyError, TypeError) as error:
        raise ModelError(f"{path}: its model card cannot be read ({error}); train again") from error


def load_checkpoint(path: Path) -> TrainedNetwork:
    """Read a trained network, in evaluation mode.

    Raises ModelError for a file that is missing, damaged, or whose weights do not fit its card.
    """
    content = read_checkpoint(path)
    card = read_card(content, path)
    weights: dict[str, Tensor] = {
        name.removeprefix(NETWORK_PREFIX): value
        for name, value in content["state_dict"].items()
        if name.startswith(NETWORK_PREFIX)
    }
    try:
        network = LandUseNetwork(NetworkShape.of_card(card))
        network.load_state_dict(weights)
    except (RuntimeError, LandstepError) as error:
        raise ModelError(f"{path}: weights do not fit the card ({error}); train again") from error
    tiles = tuple(
        {name: array.numpy() for name, array in tile.items()} for tile in content[KEY]["tiles"]
    )
    return TrainedNetwork(card, network.eval(), tiles)
