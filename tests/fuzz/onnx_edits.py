"""Odd ONNX graphs: other operators, sizes, attributes, weights and model cards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import onnx
from hypothesis import strategies as st

from .text_edits import JSON_VALUES, JsonEdit, edited_json

NUMBERS = (0, 1, -1, 2, 3, 7, 255, 2**31 - 1, 2**31, -(2**31), 2**40, 2**62, -(2**63))
OPERATORS = (
    "Sin", "If", "Loop", "Range", "ConstantOfShape", "Expand", "Reshape", "Identity", "Cast",
    "Tile", "MatMul", "Conv", "Gather", "OneHot", "Pad", "Resize", "Split", "Transpose", "Flatten",
    "",
)  # fmt: skip


@dataclass(frozen=True)
class OnnxEdit:
    """One change of a graph: what, of which (by number), and a number to choose with."""

    what: str
    which: int
    other: int

    def apply(self, proto: Any) -> None:
        """Change the model."""
        if proto.graph.node:
            getattr(self, f"_{self.what}")(proto, proto.graph)

    def _node(self, graph: Any) -> Any:
        return graph.node[self.which % len(graph.node)]

    def _number(self) -> int:
        return NUMBERS[self.other % len(NUMBERS)]

    def _operator(self, proto: Any, graph: Any) -> None:
        self._node(graph).op_type = OPERATORS[self.other % len(OPERATORS)]

    def _domain(self, proto: Any, graph: Any) -> None:
        self._node(graph).domain = ("ai.onnx", "ai.onnx.ml", "com.microsoft", "x")[self.other % 4]

    def _remove(self, proto: Any, graph: Any) -> None:
        del graph.node[self.which % len(graph.node)]

    def _twice(self, proto: Any, graph: Any) -> None:
        graph.node.append(self._node(graph))

    def _wire(self, proto: Any, graph: Any) -> None:
        """Let a node take another node's result, its own perhaps."""
        node = self._node(graph)
        other = graph.node[self.other % len(graph.node)]
        if node.input and other.output:
            node.input[self.other % len(node.input)] = other.output[0]

    def _unwire(self, proto: Any, graph: Any) -> None:
        node = self._node(graph)
        if node.input:
            node.input[self.other % len(node.input)] = ("", "prior", "nothing")[self.other % 3]

    def _attribute(self, proto: Any, graph: Any) -> None:
        nodes = [node for node in graph.node if node.attribute]
        if nodes:
            node = nodes[self.which % len(nodes)]
            attribute = node.attribute[self.other % len(node.attribute)]
            attribute.i = self._number()
            for n in range(len(attribute.ints)):
                attribute.ints[n] = self._number()

    def _weight_dims(self, proto: Any, graph: Any) -> None:
        if graph.initializer:
            weights = graph.initializer[self.which % len(graph.initializer)]
            if weights.dims:
                weights.dims[self.other % len(weights.dims)] = self._number()

    def _weight_type(self, proto: Any, graph: Any) -> None:
        if graph.initializer:
            graph.initializer[self.which % len(graph.initializer)].data_type = self.other % 25

    def _weight_values(self, proto: Any, graph: Any) -> None:
        if graph.initializer:
            weights = graph.initializer[self.which % len(graph.initializer)]
            size = len(weights.raw_data)
            weights.raw_data = (b"\xff", b"\0", b"\x7f")[self.other % 3] * size

    def _weight_short(self, proto: Any, graph: Any) -> None:
        if graph.initializer:
            weights = graph.initializer[self.which % len(graph.initializer)]
            weights.raw_data = weights.raw_data[: self.other % (len(weights.raw_data) + 1)]

    def _face(self, proto: Any, graph: Any) -> None:
        """Change the type or a size of an input or output."""
        faces = [*graph.input, *graph.output]
        if faces:
            of = faces[self.which % len(faces)].type.tensor_type
            if self.other % 3 or not of.shape.dim:
                of.elem_type = self.other % 20
            else:
                of.shape.dim[self.other % len(of.shape.dim)].dim_value = self._number()

    def _face_name(self, proto: Any, graph: Any) -> None:
        faces = [*graph.input, *graph.output]
        if faces:
            faces[self.which % len(faces)].name = ("", "prior", "logits", "x")[self.other % 4]

    def _version(self, proto: Any, graph: Any) -> None:
        if self.which % 2 or not proto.opset_import:
            proto.ir_version = abs(self._number()) % 2**31
        else:
            proto.opset_import[0].version = self._number()

    def _card(self, proto: Any, graph: Any) -> None:
        for entry in proto.metadata_props:
            if entry.value[:1] == "{":
                entry.value = edited_json(entry.value, [JsonEdit(self.which, self.other)])

    def _card_text(self, proto: Any, graph: Any) -> None:
        if proto.metadata_props:
            entry = proto.metadata_props[self.which % len(proto.metadata_props)]
            entry.value = str(JSON_VALUES[self.other % len(JSON_VALUES)])


WHATS = tuple(
    name[1:]
    for name in vars(OnnxEdit)
    if name.startswith("_") and not name.startswith("__") and name not in ("_node", "_number")
)

edits = st.builds(
    OnnxEdit, st.sampled_from((*WHATS, "card", "card")), st.integers(0, 9999), st.integers(0, 9999)
)


def edited(content: bytes, steps: list[OnnxEdit]) -> bytes:
    """Return a model's bytes after some changes."""
    proto = onnx.load_from_string(content)
    for step in steps:
        step.apply(proto)
    return bytes(proto.SerializeToString())
