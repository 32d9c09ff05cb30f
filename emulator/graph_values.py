"""Whole numbers that a graph computes from the sizes of its inputs, such as half a window's rows.

ONNX's own inference follows them through some operators, and not through division and Reshape,
which exported networks use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import onnx

Values = dict[str, np.ndarray]

MOST = 64
"""A tensor of more numbers is no shape."""

KINDS = {onnx.TensorProto.INT64: np.int64, onnx.TensorProto.INT32: np.int32}


def shape_values(
    nodes: Iterable[onnx.NodeProto], shapes: Mapping[str, tuple[int, ...]], known: Values
) -> Values:
    """Compute what follows from sizes, node by node.

    shapes : of tensors whose shape is known; known : whole numbers that are, of weights
    returns : name -> int64 or int32 of no or one dimension; nothing for what does not follow, or
        is no such tensor
    """
    found = dict(known)
    for node in nodes:
        if node.op_type == "Shape" and node.input[0] in shapes:
            sizes = np.array(shapes[node.input[0]], np.int64)
            value: np.ndarray | None = sizes[_of(node, "start", 0) : _of(node, "end", len(sizes))]
        elif node.op_type in _COMPUTED and all(name in found for name in node.input):
            value = _COMPUTED[node.op_type](node, [found[name] for name in node.input])
        else:
            continue
        if value is not None and value.ndim < 2 and value.size <= MOST:
            found[node.output[0]] = value
    return found


def whole_constants(graph: onnx.GraphProto) -> Values:
    """Return the whole numbers among a graph's weights and constants that may be shapes."""
    found = {}
    tensors = [(weights.name, weights) for weights in graph.initializer]
    for node in graph.node:
        if node.op_type == "Constant" and len(node.attribute) == 1:
            (attribute,) = node.attribute
            if attribute.name == "value" and attribute.HasField("t"):
                tensors.append((node.output[0], attribute.t))
    for name, tensor in tensors:
        small = len(tensor.dims) < 2 and max(tensor.dims, default=1) <= MOST
        if small and tensor.data_type in KINDS:
            found[name] = onnx.numpy_helper.to_array(tensor)
    return found


def _of(node: onnx.NodeProto, name: str, default: Any) -> Any:
    found = [a for a in node.attribute if a.name == name]
    return onnx.helper.get_attribute_value(found[0]) if found else default


def _reshaped(node: onnx.NodeProto, given: list[np.ndarray]) -> np.ndarray | None:
    """Reshape to no or one dimension, with all numbers."""
    to = given[1].tolist()
    if to in ([-1], [given[0].size]):
        return given[0].reshape(-1)
    return given[0].reshape(()) if not to and given[0].size == 1 else None


def _squeezed(node: onnx.NodeProto, given: list[np.ndarray]) -> np.ndarray | None:
    """Squeeze one number of one dimension."""
    axes = [0] if len(given) < 2 else np.atleast_1d(given[1]).tolist()
    fits = given[0].shape == (1,) and axes in ([0], [-1])
    return given[0].reshape(()) if fits else None


def _unsqueezed(node: onnx.NodeProto, given: list[np.ndarray]) -> np.ndarray | None:
    """Unsqueeze one number of no dimension."""
    fits = given[0].ndim == 0 and np.atleast_1d(given[1]).tolist() in ([0], [-1])
    return given[0].reshape(1) if fits else None


def _divided(node: onnx.NodeProto, given: list[np.ndarray]) -> np.ndarray | None:
    """Divide without a sign: there all ways of rounding agree."""
    over, under = given
    fits = (over >= 0).all() and (under > 0).all()
    return over // under if fits and _alike(given) else None


def _joined(node: onnx.NodeProto, given: list[np.ndarray]) -> np.ndarray | None:
    return np.concatenate(given) if all(values.ndim == 1 for values in given) else None


def _gathered(node: onnx.NodeProto, given: list[np.ndarray]) -> np.ndarray | None:
    values, index = given
    fits = values.ndim == 1 and _of(node, "axis", 0) == 0
    return values[index] if fits and (abs(index) < values.size).all() else None


def _cast(node: onnx.NodeProto, given: list[np.ndarray]) -> np.ndarray | None:
    """Cast to an integer that holds the numbers."""
    to = KINDS.get(_of(node, "to", None))
    cast = None if to is None else given[0].astype(to)
    return cast if cast is not None and (cast == given[0]).all() else None


def _alike(given: list[np.ndarray]) -> bool:
    """Tell whether arrays broadcast to one another."""
    return len({values.shape for values in given if values.size != 1}) < 2


def _elementwise(
    of: Callable[..., np.ndarray],
) -> Callable[[onnx.NodeProto, list[np.ndarray]], np.ndarray | None]:
    def compute(node: onnx.NodeProto, given: list[np.ndarray]) -> np.ndarray | None:
        return np.asarray(of(*given)) if len(given) == 2 and _alike(given) else None

    return compute


_COMPUTED: dict[str, Callable[[onnx.NodeProto, list[np.ndarray]], np.ndarray | None]] = {
    "Cast": _cast,
    "Reshape": _reshaped,
    "Squeeze": _squeezed,
    "Unsqueeze": _unsqueezed,
    "Div": _divided,
    "Concat": _joined,
    "Gather": _gathered,
    "Add": _elementwise(np.add),
    "Sub": _elementwise(np.subtract),
    "Mul": _elementwise(np.multiply),
    "Min": _elementwise(np.minimum),
    "Max": _elementwise(np.maximum),
}
