"""What a graph needs over one window, from its shapes alone: memory, and multiplications.

A few bytes of a graph can ask for terabytes: ConstantOfShape, Range, Expand, Pad, Resize, or a
chain of MatMul and Concat. So the shape of every tensor is inferred before onnxruntime sees the
graph, and a graph whose shapes do not follow from its inputs' shapes is refused.
Source: ONNX, onnx/defs (shape inference).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx

from landstep.emulator.errors import ModelError
from landstep.emulator.graph_values import Values, shape_values, whole_constants

Shape = tuple[int, ...]

SHAPE_VALUES = 64
"""A tensor of weights of more numbers is no shape: shapes are inferred without its numbers."""


ROUNDS = 32
"""Shapes of tensors whose shape follows from those of others are found in rounds: exported networks
take four."""


@dataclass(frozen=True)
class Cost:
    """What a graph needs over one window.

    memory : bytes that live at a time, at most; work : multiplications, and elements moved
    fixed_memory, fixed_work : of what depends on no input, which onnxruntime computes at opening
    outputs : name -> numpy type and shape
    """

    memory: int
    work: int
    fixed_memory: int
    fixed_work: int
    outputs: dict[str, tuple[np.dtype, Shape]]


class GraphCost:
    """A graph without its weights' numbers, to infer shapes from."""

    def __init__(self, proto: onnx.ModelProto, where: str) -> None:
        """Take a graph that `check_graph` took.

        where : the file, before a message
        Raises ModelError where an operator has inputs or attributes that it cannot have.
        """
        self._where = where
        self._proto = _skeleton(proto)
        self._weights = {
            w.name: _Tensor(_dtype(w.data_type, where), tuple(w.dims))
            for w in proto.graph.initializer
        }
        try:
            onnx.checker.check_model(self._proto)
        except Exception as error:
            raise ModelError(f"{where}: not an ONNX model that runs: {_short(error)}") from error
        for value in self._proto.graph.output:
            value.type.tensor_type.ClearField("shape")  # what it claims must follow
        self._constants = whole_constants(self._proto.graph)

    def of(self, inputs: Mapping[str, Shape]) -> Cost:
        """Infer all shapes from those of the inputs, and count.

        Raises ModelError where a shape does not follow, or inputs of these shapes do not fit.
        """
        nodes = self._proto.graph.node
        shapes = {n: of.shape for n, of in self._weights.items() if of.shape is not None}
        shapes |= inputs
        values: Values | None = None
        for _ in range(ROUNDS):
            found = shape_values(nodes, shapes, self._constants)
            if values is not None and len(found) == len(values):
                break
            values = found
            given = _with_values(self._proto, inputs, values, self._constants)
            try:
                inferred = onnx.shape_inference.infer_shapes(
                    given, check_type=True, strict_mode=True
                )
            except Exception as error:
                raise ModelError(
                    f"{self._where}: its shapes do not fit inputs of {dict(inputs)}: "
                    f"{_short(error)}"
                ) from error
            for value in (*inferred.graph.value_info, *inferred.graph.output):
                shape = self._tensor(value).shape
                if shape is not None:
                    shapes[value.name] = shape
        return self._counted(inferred.graph, inputs)

    def _counted(self, graph: onnx.GraphProto, inputs: Mapping[str, Shape]) -> Cost:
        known = dict(self._weights)
        for value in (*graph.input, *graph.value_info, *graph.output):
            if value.name not in known:
                known[value.name] = self._tensor(value)
        for weights in graph.initializer:
            kind = _dtype(weights.data_type, self._where)
            known[weights.name] = _Tensor(kind, tuple(weights.dims))
        for node in graph.node:
            for name in filter(None, node.output):
                if name not in known or known[name].shape is None:
                    raise ModelError(
                        f"{self._where}: the shape of {name!r}, which {node.op_type} makes, does "
                        "not follow from those of the inputs; export the model again"
                    )
        moving = set(inputs)
        for node in self._proto.graph.node:
            if moving.intersection(node.input):
                moving.update(node.output)
        work = fixed_work = 0
        for node in graph.node:
            of_node = _work(node, known)
            work += of_node
            fixed_work += 0 if moving.intersection(node.output) else of_node
        made = {name for node in graph.node for name in node.output if name}
        fixed = sum(known[name].bytes for name in made - moving)
        outputs = {v.name: (known[v.name].dtype, known[v.name].shape or ()) for v in graph.output}
        return Cost(_peak(graph, known), work, fixed, fixed_work, outputs)

    def _tensor(self, value: onnx.ValueInfoProto) -> _Tensor:
        of = value.type.tensor_type
        if not value.type.HasField("tensor_type"):
            raise ModelError(f"{self._where}: {value.name!r} is no tensor")
        dims = [d.dim_value if d.HasField("dim_value") else -1 for d in of.shape.dim]
        found = of.HasField("shape") and min(dims, default=0) >= 0
        return _Tensor(_dtype(of.elem_type, self._where), tuple(dims) if found else None)


@dataclass(frozen=True)
class _Tensor:
    dtype: np.dtype
    shape: Shape | None

    @property
    def size(self) -> int:
        return math.prod(self.shape or ())

    @property
    def bytes(self) -> int:
        return self.size * self.dtype.itemsize


def _skeleton(proto: onnx.ModelProto) -> onnx.ModelProto:
    """Return a graph whose large weights are inputs, and that claims no shape in between."""
    light = onnx.ModelProto()
    light.ir_version = proto.ir_version
    light.opset_import.extend(proto.opset_import)
    graph = light.graph
    graph.name = proto.graph.name or "graph"
    graph.node.extend(proto.graph.node)
    graph.input.extend(proto.graph.input)
    graph.output.extend(proto.graph.output)
    for weights in proto.graph.initializer:
        if math.prod(weights.dims) <= SHAPE_VALUES:
            graph.initializer.append(weights)
        else:
            shape = list(weights.dims)
            made = onnx.helper.make_tensor_value_info(weights.name, weights.data_type, shape)
            graph.input.append(made)
    return light


def _with_values(
    proto: onnx.ModelProto, inputs: Mapping[str, Shape], values: Values, constants: Values
) -> onnx.ModelProto:
    """Set the shapes of a graph's inputs, and what follows from them in place of how it follows."""
    made = onnx.ModelProto()
    made.CopyFrom(proto)
    graph = made.graph
    for value in graph.input:
        if value.name in inputs:
            _set_shape(value, inputs[value.name])
    graph.initializer.extend(
        onnx.numpy_helper.from_array(values[name], name) for name in values.keys() - constants
    )
    kept = [
        node for node in graph.node if node.output[0] not in values or node.output[0] in constants
    ]
    del graph.node[:]
    graph.node.extend(kept)
    return made


def _set_shape(value: onnx.ValueInfoProto, shape: Shape) -> None:
    of = value.type.tensor_type
    of.ClearField("shape")
    for size in shape:
        of.shape.dim.add().dim_value = size


def _peak(graph: onnx.GraphProto, known: Mapping[str, _Tensor]) -> int:
    """Bytes that live at a time when nodes run in the file's order and free what is done with."""
    last = {name: number for number, node in enumerate(graph.node) for name in node.input}
    outputs = {value.name for value in graph.output}
    held = sum(known[value.name].bytes for value in graph.input) + sum(
        known[weights.name].bytes for weights in graph.initializer
    )
    most = held
    dying: dict[int, list[str]] = {}
    for number, node in enumerate(graph.node):
        for name in filter(None, node.output):
            held += known[name].bytes
            if name not in outputs:
                dying.setdefault(last.get(name, number), []).append(name)
        most = max(most, held)
        held -= sum(known[name].bytes for name in dying.pop(number, []))
    return most


def _work(node: onnx.NodeProto, known: Mapping[str, _Tensor]) -> int:
    """Multiplications of a node, or the elements that it reads and writes, whichever are more."""
    inputs = [known[name] for name in node.input if name]
    made = sum(known[name].size for name in node.output if name)
    each = 1
    if node.op_type == "Conv":
        each = math.prod((inputs[1].shape or ())[1:])
    elif node.op_type == "MatMul":
        each = (inputs[0].shape or (1,))[-1]
    elif node.op_type == "MaxPool":
        each = math.prod(_attribute(node, "kernel_shape") or (1,))
    return max(made * each, made + sum(tensor.size for tensor in inputs))


def _attribute(node: onnx.NodeProto, name: str) -> Any:
    return next((onnx.helper.get_attribute_value(a) for a in node.attribute if a.name == name), ())


def _dtype(kind: int, where: str) -> np.dtype:
    try:
        return np.dtype(onnx.helper.tensor_dtype_to_np_dtype(kind))
    except KeyError as error:
        raise ModelError(f"{where}: a tensor is of ONNX type {kind}, expected numbers") from error


def _short(error: Exception) -> str:
    """The first lines of another library's message."""
    return " ".join(str(error).split())[:300]
