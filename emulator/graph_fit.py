"""Whether a graph takes and gives what its card says, and costs what such a network costs.

Seen from shapes alone, before onnxruntime opens the graph; and again for each new size of window,
because what a graph makes need not grow with the window as it does between two sizes that were
looked at. See docs/decisions/0028-what-runs-is-what-was-checked.md.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, field

import numpy as np
import onnx

from landstep.emulator.card import Card
from landstep.emulator.errors import ModelError
from landstep.emulator.features import INPUT_NAMES, OUTPUT_NAMES
from landstep.emulator.graph_cost import Cost, GraphCost, Shape
from landstep.emulator.window_size import WINDOW_BYTES, bytes_per_cell, core_for, work_per_cell

DTYPES = {
    "prior": np.uint8,
    "history": np.uint8,
    "years": np.float32,
    "continuous": np.float32,
    "categories": np.uint8,
    "forcing": np.float32,
    "forcing_change": np.float32,
    "prior_shares": np.float32,
    "row": np.int64,
    "col": np.int64,
}

OUTPUT_DTYPES = {"land_use": np.uint8, "logits": np.float32}

MEMORY_ROOM = 4
"""A window may take so many times the memory that its card's network takes: twice for files that an
earlier version exported, and twice as much again (ours)."""

WORK_ROOM = 10
"""And so many times its multiplications (ours)."""

FIXED_BYTES, FIXED_WORK = 2**28, 10**9
"""What onnxruntime may compute at opening, from weights alone: 256 MiB, a second or so (ours).
Exported networks have nothing of this kind."""

COARSE = 25
"""Fine cells a side of a coarse one in the window that is looked at first: 0.25 beside 0.01 deg."""


@dataclass(frozen=True)
class Window:
    """Sizes of a window: windows at a time, fine rows and columns, coarse rows and columns."""

    n: int
    y: int
    x: int
    cy: int
    cx: int

    @classmethod
    def usual(cls, card: Card) -> Window:
        """Return the largest window that is taken where [run] core is not set."""
        side = core_for(card) + 2 * card.halo
        return cls(1, side, side, side // COARSE + 2, side // COARSE + 2)

    @property
    def cells(self) -> int:
        """How many fine cells it has."""
        return self.n * self.y * self.x

    def inputs(self, card: Card) -> dict[str, Shape]:
        """Shape of each input of a network with this card."""
        n, fine, coarse = self.n, (self.y, self.x), (self.cy, self.cx)
        return {
            "prior": (n, *fine),
            "history": (n, card.history, *fine),
            "years": (n,),
            "continuous": (n, len(card.continuous), *fine),
            "categories": (n, len(card.categories), *fine),
            "forcing": (n, len(card.states), *coarse),
            "forcing_change": (n, len(card.states), *coarse),
            "prior_shares": (n, len(card.class_codes), *coarse),
            "row": (self.y,),
            "col": (self.x,),
        }

    def outputs(self, card: Card) -> dict[str, tuple[np.dtype, Shape]]:
        """Type and shape of each output."""
        logits = (self.n, len(card.class_codes), self.y, self.x)
        return {
            "land_use": (np.dtype(OUTPUT_DTYPES["land_use"]), (self.n, self.y, self.x)),
            "logits": (np.dtype(OUTPUT_DTYPES["logits"]), logits),
        }


@dataclass(frozen=True, eq=False)
class GraphFit:
    """A graph beside its card; windows that were looked at are remembered."""

    cost: GraphCost
    card: Card
    where: str
    _seen: set[Window] = field(default_factory=set)

    @classmethod
    def of(cls, proto: onnx.ModelProto, card: Card, where: str) -> GraphFit:
        """Hold a graph against its card, on the largest window that is usual.

        where : the file, before a message
        Raises ModelError for other inputs or outputs than the card's, for shapes that do not
        follow from those of the inputs, and for a graph that needs more than such a network.
        """
        _check_names(proto, where)
        for value in proto.graph.input:
            _check_input(value, card, where)
        for value in proto.graph.output:
            _check_output(value, where)
        fit = cls(GraphCost(proto, where), card, where)
        usual = Window.usual(card)
        fit._checked(usual)
        fit._seen.add(usual)
        return fit

    def check(self, window: Window) -> None:
        """Refuse to run a window that needs more than such a network, or than this machine has.

        Raises ModelError.
        """
        if window in self._seen:
            return
        cost, here = self._checked(window), _memory_here()
        if cost.memory > here:
            raise ModelError(
                f"{self.where}: a window of {window.y} x {window.x} cells would need "
                f"{_gib(cost.memory)} GiB, this machine has {_gib(here)}; make [run] core smaller"
            )
        self._seen.add(window)

    def _checked(self, window: Window) -> Cost:
        cost = self.cost.of(window.inputs(self.card))
        for what, found, limit in (
            ("GiB", cost.fixed_memory / 2**30, FIXED_BYTES / 2**30),
            ("multiplications", cost.fixed_work, FIXED_WORK),
        ):
            if found > limit:
                raise ModelError(
                    f"{self.where}: would need {found:.3g} {what} for what depends on no input, "
                    f"limit {limit:.3g}; export the model again"
                )
        expected = window.outputs(self.card)
        if cost.outputs != expected:
            raise ModelError(
                f"{self.where}: gives {_words(cost.outputs)} for a window of {window.y} x "
                f"{window.x} cells, expected {_words(expected)} by its card "
                f"({len(self.card.class_codes)} classes of {self.card.scheme}); export it again"
            )
        of_card = window.cells * bytes_per_cell(self.card)
        memory = MEMORY_ROOM * max(WINDOW_BYTES, of_card)
        work = FIXED_WORK + WORK_ROOM * window.cells * work_per_cell(self.card)
        for found, limit, text in (
            (cost.memory, memory, f"need {_gib(cost.memory)} GiB, limit {_gib(memory)}"),
            (cost.work, work, f"take {cost.work:.3g} multiplications, limit {work:.3g}"),
        ):
            if found > limit:
                raise ModelError(
                    f"{self.where}: a window of {window.y} x {window.x} cells would {text} for a "
                    f"network of base {self.card.base} and depth {self.card.depth}; the graph is "
                    "not the one that its card describes"
                )
        return cost


def _check_names(proto: onnx.ModelProto, where: str) -> None:
    inputs = tuple(value.name for value in proto.graph.input)
    outputs = tuple(value.name for value in proto.graph.output)
    if sorted(inputs) != sorted(INPUT_NAMES) or sorted(outputs) != sorted(OUTPUT_NAMES):
        raise ModelError(
            f"{where}: takes {inputs} and gives {outputs}, expected {INPUT_NAMES} and "
            f"{OUTPUT_NAMES}"
        )
    defaults = {weights.name for weights in proto.graph.initializer}.intersection(inputs)
    if defaults:
        raise ModelError(f"{where}: has a default for {sorted(defaults)}, expected inputs only")


def _check_input(value: onnx.ValueInfoProto, card: Card, where: str) -> None:
    """Refuse an input of another type or number of channels, or of windows of one size only."""
    of = value.type.tensor_type
    expected = onnx.helper.np_dtype_to_tensor_dtype(np.dtype(DTYPES[value.name]))
    sizes = Window(-1, -2, -3, -4, -5).inputs(card)[value.name]  # below 0: any size
    found = [d.dim_value if d.HasField("dim_value") else None for d in of.shape.dim]
    fits = of.HasField("shape") and len(found) == len(sizes)
    for size, given in zip(sizes, found, strict=False):
        fits = fits and (given is None or given == size or (size, given) == (-1, 1))
    if not fits or of.elem_type != expected:
        kind = _kind(of.elem_type)
        shape = tuple("any" if size is None else size for size in found)
        wanted = tuple(size if size >= 0 else "any" for size in sizes)
        raise ModelError(
            f"{where}: input {value.name} is {kind} {shape}, expected "
            f"{np.dtype(DTYPES[value.name])} {wanted}; export the model again"
        )


def _check_output(value: onnx.ValueInfoProto, where: str) -> None:
    found, expected = value.type.tensor_type.elem_type, OUTPUT_DTYPES[value.name]
    if found != onnx.helper.np_dtype_to_tensor_dtype(np.dtype(expected)):
        raise ModelError(
            f"{where}: output {value.name} is {_kind(found)}, expected {np.dtype(expected)}; "
            "export the model again"
        )


def _kind(number: int) -> str:
    """Name of an ONNX type, as a file may say it: also one that there is not."""
    names = onnx.TensorProto.DataType.items()
    return next((name.lower() for name, of in names if of == number), f"of type {number}")


def _words(outputs: dict[str, tuple[np.dtype, Shape]]) -> str:
    return ", ".join(f"{name} {dtype} {shape}" for name, (dtype, shape) in sorted(outputs.items()))


def _gib(size: float) -> str:
    return f"{size / 2**30:.3g}"


def _memory_here() -> float:
    """Bytes of memory that this machine has; without a limit where the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return math.inf
