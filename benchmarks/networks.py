"""Networks for benchmarks: of any size, with random weights, exported as a trained one is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from landstep.emulator.card import Card, Category
from landstep.emulator.classes import scheme
from landstep.emulator.forcing import LUH2_STATES
from landstep.export.write import write_verified
from landstep.training.network import LandUseNetwork, NetworkShape

ZONES = 6
"""Codes of the climate zones that the networks know, sea included."""


def random_network(base: int, depth: int, history: int) -> tuple[LandUseNetwork, Card]:
    """Make a network whose head answers, with the card that belongs to it."""
    of = scheme("hilda8")
    card = Card(
        name=f"random weights, base {base}, depth {depth}, history {history}",
        landstep_version="0",
        scheme=of.name,
        class_codes=list(of.codes),
        class_names=list(of.names),
        states=list(LUH2_STATES),
        continuous=["elevation"],
        categories=[
            Category(name="soil_texture", size=8),
            Category(name="climate_zone", size=ZONES),
        ],
        base=base,
        depth=depth,
        history=history,
        direction="both",
        lags=[1],
    )
    torch.manual_seed(base * 100 + depth)
    network = LandUseNetwork(NetworkShape.of_card(card))
    for weights in network.head_features.parameters():
        torch.nn.init.normal_(weights, std=0.1)
    return network.eval(), card


def write_random_model(path: Path, base: int, depth: int, history: int = 3) -> Path:
    """Write such a network as a verified ONNX file with its manifest."""
    network, card = random_network(base, depth, history)
    return write_verified(network, card, [], path)


def window_inputs(rows: int, columns: int, history: int = 3) -> dict[str, np.ndarray]:
    """Make up the inputs of one window with the texture of a map, on coarse cells of 30 x 30."""
    rng = np.random.default_rng(rows * columns)
    coarse = rows // 30 + 1, columns // 30 + 1

    def patches(below: int) -> np.ndarray:
        small = rng.integers(1, below, (rows // 8 + 1, columns // 8 + 1)).astype(np.uint8)
        return np.repeat(np.repeat(small, 8, 0), 8, 1)[:rows, :columns]

    def shares(parts: int) -> np.ndarray:
        drawn = rng.dirichlet(np.ones(parts), coarse).astype(np.float32)
        return np.ascontiguousarray(np.moveaxis(drawn, -1, 0))[None]

    prior = patches(7)
    forcing = shares(len(LUH2_STATES) + 1)[:, :-1].copy()
    return {
        "prior": prior[None],
        "history": np.stack([np.where(patches(9) == 8, patches(7), prior)] * history)[None],
        "years": np.ones(1, np.float32),
        "continuous": (patches(250).astype(np.float32) * 8)[None, None],
        "categories": np.stack([patches(8), patches(ZONES)])[None],
        "forcing": forcing,
        "forcing_change": forcing[:, :, ::-1] * np.float32(0.01),
        "prior_shares": shares(8),
        "row": np.arange(rows, dtype=np.int64) // 30,
        "col": np.arange(columns, dtype=np.int64) // 30,
    }


def extended_session(path: Path) -> Any:
    """Open a model at the optimisation level EXTENDED: the contiguous layout, one thread."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.log_severity_level = 4
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(
        path.read_bytes(), options, providers=["CPUExecutionProvider"]
    )
