"""Hold an exported graph against the network it came from, before anyone may use it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from landstep.emulator.classes import MASKED
from landstep.emulator.errors import ModelError
from landstep.emulator.features import Fields
from landstep.emulator.session import Session
from landstep.training.graph import LandUseGraph
from landstep.training.network import LandUseNetwork

LOGIT_TOLERANCE = 1e-4
"""Largest difference of a logit between torch and onnxruntime."""

MARGIN = 1e-3
"""A class may differ only where the two largest logits are closer than this."""

RANDOM_SIZES = ((1, 1), (5, 3), (12, 9))
"""Sizes of the random tiles, in strides."""

RANDOM_LAGS = (1, -1, 10)
"""Years from prior to target of the random tiles."""


@dataclass(frozen=True)
class Agreement:
    """How far a graph and its network agree: tiles compared, largest difference of a logit, cells
    whose class differs although the margin is above MARGIN.
    """

    tiles: int
    largest_difference: float
    flips: int


def verify(
    session: Session,
    network: LandUseNetwork,
    tiles: Sequence[dict[str, np.ndarray]],
    seed: int = 0,
) -> Agreement:
    """Compare a session with the network, on real tiles and on random ones.

    tiles : real inputs, as `features.Fields` gives them
    returns : how far they agree
    Raises ModelError where a logit differs by more than LOGIT_TOLERANCE or is not a number, or a
    class differs where the margin exceeds MARGIN.
    """
    graph = LandUseGraph(network).eval()
    largest, flips, count = 0.0, 0, 0
    for inputs in (*tiles, *random_tiles(network, np.random.default_rng(seed))):
        with torch.no_grad():
            expected = graph(*(torch.from_numpy(array) for array in inputs.values()))
        found = session.run(inputs)
        logits = expected[1].numpy()
        difference = np.abs(found["logits"] - logits).max()
        if not difference <= LOGIT_TOLERANCE:
            raise ModelError(
                f"exported graph differs from torch: tile {count} of {inputs['prior'].shape}, "
                f"logits by up to {difference:.3g}, expected at most {LOGIT_TOLERANCE}"
            )
        second, first = np.partition(logits, -2, axis=1)[:, -2:].swapaxes(0, 1)
        differs = (found["land_use"] != expected[0].numpy()) & (first - second > MARGIN)
        largest = max(largest, float(difference))
        flips += int(differs.sum())
        count += 1
    if flips:
        raise ModelError(
            f"exported graph differs from torch: {flips} cells have another class although the "
            f"margin exceeds {MARGIN}"
        )
    return Agreement(count, largest, flips)


def random_tiles(
    network: LandUseNetwork, rng: np.random.Generator
) -> Iterator[dict[str, np.ndarray]]:
    """Make up inputs of several sizes and lags: every class, masked cells, missing forcing.

    Continuous statics vary as they did in training; forcing states are shares that sum to 1 at
    most; each tile stands for one window.
    """
    shape = network.shape
    mean = network.mean.numpy().reshape(-1, 1, 1)
    spread = 1 / network.scale.numpy().reshape(-1, 1, 1)
    for in_strides, lag in zip(RANDOM_SIZES, RANDOM_LAGS, strict=False):
        y, x = (2**shape.depth * size for size in in_strides)
        cy, cx = y // 8 + 1, x // 8 + 1
        prior = rng.integers(0, shape.scheme.n_classes, (y, x)).astype(np.uint8)
        prior[rng.random((y, x)) < 0.3] = MASKED
        history = np.where(rng.random((shape.history, y, x)) < 0.6, prior, MASKED).astype(np.uint8)
        history[:, ::3] = rng.integers(0, shape.scheme.n_classes, history[:, ::3].shape)
        normal = rng.standard_normal((shape.n_continuous, y, x))
        categories = np.zeros((len(shape.category_sizes), y, x), np.uint8)
        for index, size in enumerate(shape.category_sizes):
            categories[index] = rng.integers(0, size, (y, x))
        years = rng.dirichlet(np.ones(len(shape.states) + 1), (2, cy, cx))[..., :-1]
        before, now = np.moveaxis(years, -1, 1) * (rng.random((cy, cx)) > 0.1)
        shares = rng.dirichlet(np.ones(shape.scheme.n_classes), (cy, cx)).transpose(2, 0, 1)
        yield Fields(
            prior=prior,
            history=history,
            years=lag,
            continuous=(normal * spread + mean).astype(np.float32),
            categories=categories,
            forcing=now.astype(np.float32),
            forcing_change=((now - before) / 10).astype(np.float32),
            prior_shares=shares.astype(np.float32),
            row=np.sort(rng.integers(0, cy, y)),
            col=np.sort(rng.integers(0, cx, x)),
        ).inputs()
