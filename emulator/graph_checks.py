"""What an ONNX graph must not hold before onnxruntime sees it.

onnxruntime loads files that point outside themselves and graphs with any operator it knows; a
model from elsewhere is data, so it is read as data first.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import onnx

from landstep.emulator.errors import ModelError

OPERATORS = frozenset(
    "Abs Add And ArgMax Cast Clip Concat Constant ConstantOfShape Conv Div Equal Expand Flatten "
    "Gather Identity Less LessOrEqual Greater GreaterOrEqual Log MatMul MaxPool Mul Not Or "
    "Reciprocal ReduceMax ReduceMin ReduceSum Relu Reshape Resize Shape Slice Softmax Split Sqrt "
    "Squeeze Sub Transpose Unsqueeze Where OneHot Max Min Neg Range Pad".split()
)
"""The operators that landstep's networks are made of: each local, or over channels only."""

DOMAINS = ("", "ai.onnx")
MAX_OPSET = 23
MAX_IR = 12
LARGEST_NUMBER = 2**16
"""Of an operator's attributes: kernel sizes, strides, pads, axes, how many outputs. Ours."""

MEMORY_LIMIT_GIB = 2
"""Largest tensor of weights: what a protobuf can hold."""


def check_graph(content: bytes, where: str) -> onnx.ModelProto:
    """Read a model's bytes and refuse what landstep does not run.

    returns : the parsed model, without fields that ONNX does not know
    Raises ModelError for bytes that are no ONNX model, external data, an operator off the list, a
    newer opset or IR, or weights that claim more than they hold.
    """
    try:
        proto = onnx.load_from_string(content)
    except Exception as error:
        raise ModelError(f"{where}: not an ONNX model ({type(error).__name__}: {error})") from error
    proto.DiscardUnknownFields()
    if not proto.graph.node:
        raise ModelError(f"{where}: not an ONNX model, its graph is empty")
    _check_versions(proto, where)
    for graph in _graphs(proto):
        _check_operators(graph, where)
        _check_weights(graph, where)
    if proto.functions or proto.training_info:
        raise ModelError(f"{where}: holds functions or training steps, expected a plain graph")
    return proto


def graph_bytes(proto: onnx.ModelProto) -> bytes:
    """Write the graph of a checked model anew, and nothing else: what is run is what was checked.

    Without metadata, which onnxruntime would read settings from (ORT_LOAD_CONFIG_FROM_MODEL).
    """
    bare = onnx.ModelProto()
    bare.CopyFrom(proto)
    bare.ClearField("metadata_props")
    return bytes(bare.SerializeToString(deterministic=True))


def metadata_of(proto: onnx.ModelProto, where: str) -> dict[str, str]:
    """Return a model's metadata; ModelError where a name stands twice."""
    names = [entry.key for entry in proto.metadata_props]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ModelError(f"{where}: metadata {twice[0]!r} stands {names.count(twice[0])} times")
    return {entry.key: entry.value for entry in proto.metadata_props}


def with_metadata(content: bytes, metadata: dict[str, str]) -> bytes:
    """Give a model's bytes with other metadata; its graph stays as it is, to the bit.

    content : a model that `check_graph` takes
    """
    proto = onnx.load_from_string(content)
    onnx.helper.set_model_props(proto, metadata)
    return bytes(proto.SerializeToString(deterministic=True))


def _check_versions(proto: onnx.ModelProto, where: str) -> None:
    if proto.ir_version > MAX_IR:
        raise ModelError(
            f"{where}: IR version {proto.ir_version} needs a newer onnxruntime, have up to {MAX_IR}"
        )
    domains = [opset.domain or "ai.onnx" for opset in proto.opset_import]
    if len(set(domains)) != len(domains):
        raise ModelError(f"{where}: names an operator set twice: {sorted(domains)}")
    for opset in proto.opset_import:
        if opset.domain not in DOMAINS:
            raise ModelError(f"{where}: operator set {opset.domain!r} is not on the allow-list")
        if opset.version > MAX_OPSET:
            raise ModelError(
                f"{where}: opset {opset.version} needs a newer onnxruntime, have up to {MAX_OPSET}"
            )


def _graphs(proto: onnx.ModelProto) -> Iterator[onnx.GraphProto]:
    """Give the graph and every graph inside its nodes."""
    waiting = [proto.graph]
    while waiting:
        graph = waiting.pop()
        yield graph
        for node in graph.node:
            for attribute in node.attribute:
                if attribute.type == onnx.AttributeProto.GRAPH:
                    waiting.append(attribute.g)
                waiting.extend(attribute.graphs)


def _check_operators(graph: onnx.GraphProto, where: str) -> None:
    for node in graph.node:
        if node.domain not in DOMAINS or node.op_type not in OPERATORS:
            name = f"{node.domain}:{node.op_type}" if node.domain else node.op_type
            raise ModelError(f"{where}: operator {name} not on allow-list")
        if node.op_type != "Constant":  # the ends of a Slice stand there as the largest integer
            _check_numbers(node, where)


def _check_numbers(node: onnx.NodeProto, where: str) -> None:
    """Refuse sizes and counts that no network has: shape inference makes lists of that length."""
    for attribute in node.attribute:
        wrong = [n for n in (attribute.i, *attribute.ints) if abs(n) > LARGEST_NUMBER]
        if wrong:
            raise ModelError(
                f"{where}: {node.op_type} {node.name!r}: {attribute.name} {wrong[0]}, expected at "
                f"most {LARGEST_NUMBER}"
            )


def _check_weights(graph: onnx.GraphProto, where: str) -> None:
    tensors = list(graph.initializer)
    sparse = bool(graph.sparse_initializer)
    for node in graph.node:
        for attribute in node.attribute:
            tensors.extend([attribute.t] if attribute.HasField("t") else [])
            tensors.extend(attribute.tensors)
            sparse = sparse or attribute.HasField("sparse_tensor") or bool(attribute.sparse_tensors)
    if sparse:
        raise ModelError(f"{where}: sparse weights are not allowed")
    for tensor in tensors:
        if tensor.external_data or tensor.data_location == onnx.TensorProto.EXTERNAL:
            raise ModelError(
                f"{where}: external data not allowed (tensor {tensor.name!r}); export the model "
                "into one file"
            )
        needed = math.prod(tensor.dims) * 8 // 2**30
        if min(tensor.dims, default=1) < 0 or needed >= MEMORY_LIMIT_GIB:
            raise ModelError(
                f"{where}: tensor {tensor.name!r} of {list(tensor.dims)[:8]} would need "
                f"{needed} GiB, limit {MEMORY_LIMIT_GIB}"
            )
