"""Patches of maps as arrays: where they lie, how they are masked, turned and put into batches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from landstep.emulator.classes import MASKED, OUTSIDE
from landstep.emulator.tiling import Window

FINE = ("prior", "history", "continuous", "categories", "target")
COARSE = ("forcing", "forcing_change", "prior_shares", "wanted", "whole")

Patch = dict[str, np.ndarray]
"""`features.Fields` of a patch with a leading axis of 1, and what the loss reads.

"target" is (1, y, x) uint8, MASKED where it does not count; "wanted" (1, G + 1, cy, cx) float32,
cells of each group and of the rest; "whole" (1, 1, cy, cx) float32, 1 where all of a coarse cell's
fine cells are seen."""


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


def turn(sample: Patch, way: int) -> Patch:
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


def collate(samples: Sequence[Sequence[Patch]]) -> list[dict[str, Any]]:
    """Put samples, each of as many steps as the others, into one batch a step.

    returns : for each step the fine fields and coarse ones with the samples along the first axis;
        coarse fields are filled up with zeros to one size, "years" is (n,), "row" (n, y) and "col"
        (n, x)
    """
    return [_batch(steps) for steps in zip(*samples, strict=True)]


def _batch(patches: Sequence[Patch]) -> dict[str, Any]:
    batch = {name: np.concatenate([patch[name] for patch in patches]) for name in FINE}
    for name in COARSE:
        fields = [patch[name][0] for patch in patches]
        size = np.max([field.shape for field in fields], axis=0)
        batch[name] = np.zeros((len(fields), *size), np.float32)
        for index, field in enumerate(fields):
            batch[name][index, :, : field.shape[1], : field.shape[2]] = field
    batch["years"] = np.concatenate([patch["years"] for patch in patches])
    for name in ("row", "col"):
        batch[name] = np.stack([patch[name] for patch in patches])
    return {name: torch.from_numpy(array) for name, array in batch.items()}
