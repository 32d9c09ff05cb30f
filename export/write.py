"""Write a trained network as one verified ONNX file with its card and manifest."""

from __future__ import annotations

import logging
import os
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch

from landstep.emulator.card import Card, manifest_path, write_manifest
from landstep.emulator.errors import ModelError
from landstep.emulator.features import INPUT_NAMES, OUTPUT_NAMES
from landstep.emulator.session import Session
from landstep.export.arranged import ArrangedGraph
from landstep.export.verify import random_tiles, verify
from landstep.training.checkpoint import load_checkpoint
from landstep.training.network import LandUseNetwork

OPSET = 18
"""Operator set of the file: the oldest that torch's exporter writes directly."""


def export_model(
    checkpoint: Path, out: Path, *, scores: Sequence[dict[str, Any]] | None = None
) -> Path:
    """Write the network of a checkpoint as an ONNX file, verified against torch.

    checkpoint : as `landstep.training.fit.train` leaves it
    out : the file to write, MODEL.onnx; its manifest comes to lie beside it, MODEL.onnx.json
    scores : what the card says about skill, instead of what the training measured
    returns : `out`
    Raises ModelError for a checkpoint that cannot be read or a graph that differs from torch; then
    nothing is written, and what was at `out` before is still there.
    """
    trained = load_checkpoint(Path(checkpoint))
    card = trained.card
    if scores is not None:
        card = card.model_copy(update={"scores": [dict(score) for score in scores]})
    return write_verified(trained.network, card, trained.tiles, Path(out))


def write_verified(
    network: LandUseNetwork, card: Card, tiles: Sequence[dict[str, np.ndarray]], out: Path
) -> Path:
    """Write network and card to `out`, if the file answers as the network does.

    tiles : real inputs to verify on, beside random ones
    Raises ModelError as `export_model` does; also where a weight is not a number, or `out` cannot
    be written.
    """
    wrong = [n for n, w in network.state_dict().items() if not torch.isfinite(w.double()).all()]
    if wrong:
        raise ModelError(f"weight {wrong[0]} is not a finite number; did the training diverge?")
    proto = to_onnx(network, card)
    try:
        with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as folder:
            draft = Path(folder) / out.name
            draft.write_bytes(proto.SerializeToString(deterministic=True))
            draft_manifest = write_manifest(draft)
            verify(Session.open(draft), network, tiles)
            os.replace(draft, out)
            os.replace(draft_manifest, manifest_path(out))
    except OSError as error:
        raise ModelError(f"{out}: cannot be written: {error.strerror}") from error
    return out


def to_onnx(network: LandUseNetwork, card: Card) -> onnx.ModelProto:
    """Turn a network into an ONNX graph, batch normalisation folded, the card in its metadata.

    returns : a graph that takes any number of windows of any size in strides, all with the same
        rows and columns of the coarse grid; nothing in it tells where it was made
    """
    graph = ArrangedGraph(network).eval()
    example = list(random_tiles(network, np.random.default_rng(0)))[-1]
    arguments = tuple(
        torch.from_numpy(array if name in ("row", "col") else np.repeat(array, 2, axis=0))
        for name, array in example.items()
    )
    with _quiet():
        program = torch.onnx.export(
            graph,
            arguments,
            dynamo=True,
            input_names=list(INPUT_NAMES),
            output_names=list(OUTPUT_NAMES),
            opset_version=OPSET,
            dynamic_shapes=_dynamic_shapes(2**network.shape.depth),
            verbose=False,
        )
    assert program is not None, "torch.onnx.export gives a program when it is not given a path"
    proto = program.model_proto
    _strip(proto)
    onnx.helper.set_model_props(proto, card.to_metadata())
    return proto


def _dynamic_shapes(stride: int) -> tuple[dict[int, Any], ...]:
    dim = torch.export.Dim
    n, cy, cx = dim("n"), dim("cy"), dim("cx")
    y, x = stride * dim("y"), stride * dim("x")
    fine, coarse = {0: n, 2: y, 3: x}, {0: n, 2: cy, 3: cx}
    before = ({0: n, 1: y, 2: x}, fine, {0: n})
    return (*before, fine, fine, coarse, coarse, coarse, {0: y}, {0: x})


def _strip(proto: onnx.ModelProto) -> None:
    """Take out what the exporter notes about source files and its own passes."""
    proto.producer_name, proto.producer_version, proto.doc_string = "landstep", "", ""
    del proto.metadata_props[:]
    graph = proto.graph
    graph.name, graph.doc_string = "landstep", ""
    del graph.metadata_props[:]
    for part in (*graph.node, *graph.initializer, *graph.value_info, *graph.input, *graph.output):
        part.doc_string = ""
        del part.metadata_props[:]


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep torch's exporter from writing to the terminal."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
