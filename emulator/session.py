"""Open an ONNX file whose every byte was checked, on the device that was asked for, and run it."""

from __future__ import annotations

import hashlib
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from landstep.emulator.card import Card
from landstep.emulator.errors import LandstepError, ModelError
from landstep.emulator.features import INPUT_NAMES, OUTPUT_NAMES
from landstep.emulator.graph_checks import check_graph, graph_bytes, metadata_of
from landstep.emulator.graph_fit import DTYPES, GraphFit, Window
from landstep.emulator.model_file import read_verified
from landstep.emulator.onnxruntime_library import load_onnxruntime
from landstep.emulator.precision_gate import refuse_ungated
from landstep.emulator.providers import PROVIDERS, needs_gate, pair_problem
from landstep.emulator.runtime import open_runtime, openvino_version

FILES_REMEMBERED = 8
"""Of so many files is remembered which windows were looked at: a host opens one, a study a few."""

_FITS: dict[tuple[str, str], GraphFit] = {}


@dataclass(frozen=True)
class Session:
    """A verified model, ready to run.

    card : what it says of itself; sha256 : of the file
    provenance : what its bits depend on: onnxruntime's version, provider, optimisation level and
        the processor's instruction set; on OpenVINO its precision and version, too
    """

    card: Card
    sha256: str
    provenance: dict[str, str]
    _session: Any
    _fit: GraphFit

    @classmethod
    def open(
        cls,
        path: Path,
        provider: str = "cpu",
        threads: int = 1,
        *,
        precision: str = "fp32",
        device: int = 0,
        gated: bool = True,
    ) -> Session:
        """Read a model once, verify those bytes, and run the graph that was read from them.

        onnxruntime gets that graph written anew, and not the file's bytes, in which it might find
        another one.

        provider, precision : a pair of `providers.PROVIDERS`; one that is not there, or does not
            take effect, is an error, never a silent fallback
        threads : onnxruntime's own, at least 1; on the cpu the results do not depend on it
        device : number of this process on its machine; on "cuda" and "tensorrt" it takes the GPU of
            that number, modulo how many there are
        gated : False only to verify a model that has no gate yet
        Raises ModelError for a file that is missing, empty, cut short, altered, without its
        manifest, or not a graph that landstep runs, and for a model that was not verified for a
        pair that needs it; DependencyError without onnxruntime.
        """
        content = read_verified(path)
        proto = check_graph(content, str(path))
        card = Card.from_metadata(metadata_of(proto, str(path)), str(path))
        sha256 = hashlib.sha256(content).hexdigest()
        fit = _fit_of(sha256, proto, card, str(path))
        if problem := pair_problem(provider, precision):
            raise ModelError(problem)
        if gated and needs_gate(provider, precision):
            refuse_ungated(card, provider, precision, str(path))
        graph = graph_bytes(proto)
        session = open_runtime(graph, str(path), provider, precision, threads, device)
        provenance = _provenance(provider, precision)
        return cls(card, sha256, provenance, session, fit)

    def run(self, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Run one window.

        inputs : as `features.Fields` gives them; rows and columns are multiples of the
            card's stride
        returns : "land_use" (1, y, x) uint8 class numbers, "logits" (1, K, y, x) float32
        Raises ModelError for an array of another name, type or shape.
        """
        self._check_inputs(inputs)
        try:
            return dict(
                zip(OUTPUT_NAMES, self._session.run(list(OUTPUT_NAMES), inputs), strict=True)
            )
        except Exception as error:
            raise ModelError(
                f"model {self.card.name}: onnxruntime could not run a window of "
                f"{inputs['prior'].shape[1:]} cells: {error}. If memory ran out, make [run] core "
                "smaller"
            ) from error

    def _check_inputs(self, inputs: dict[str, np.ndarray]) -> None:
        if set(inputs) != set(INPUT_NAMES):
            raise ModelError(f"inputs {sorted(inputs)}, expected {sorted(INPUT_NAMES)}")
        for name, axes in (("prior", "(n, y, x)"), ("forcing", "(n, states, cy, cx)")):
            if inputs[name].ndim != axes.count(",") + 1:
                raise ModelError(f"input {name}: got {inputs[name].shape}, expected {axes}")
        window = Window(*inputs["prior"].shape, *inputs["forcing"].shape[-2:])
        expected = window.inputs(self.card)
        for name, array in inputs.items():
            if array.shape != expected[name] or array.dtype != DTYPES[name]:
                raise ModelError(
                    f"input {name}: got {array.dtype} {array.shape}, expected "
                    f"{np.dtype(DTYPES[name])} {expected[name]}"
                )
        if window.y % self.card.stride or window.x % self.card.stride:
            raise ModelError(
                f"input prior: {window.y} x {window.x} cells, expected multiples of the stride "
                f"{self.card.stride}"
            )
        self._fit.check(window)


def _fit_of(sha256: str, proto: Any, card: Card, where: str) -> GraphFit:
    """Hold a graph against its card; the same file is looked at once in a process."""
    key = sha256, where
    if key not in _FITS:
        while len(_FITS) >= FILES_REMEMBERED:
            _FITS.pop(next(iter(_FITS)), None)
        _FITS[key] = GraphFit.of(proto, card, where)
    return _FITS[key]


def _provenance(provider: str, precision: str) -> dict[str, str]:
    more = {"precision": precision, "openvino": openvino_version()}
    return {
        "onnxruntime": load_onnxruntime().__version__,
        "provider": PROVIDERS[provider].runtime,
        "optimisation_level": "all",
        "instruction_set": instruction_set(),
        **(more if provider == "openvino" else {}),
    }


def instruction_set() -> str:
    """Widest vector instructions of this processor, e.g. "x86_64 avx2": bits hold within one.

    Raises nothing; where the system does not tell, the machine's name alone.
    """
    machine = platform.machine()
    try:
        flags = Path("/proc/cpuinfo").read_text("ascii", "replace")
    except OSError:
        return machine
    words = set(flags.split())
    for wide in ("amx_tile", "avx512_vnni", "avx512f", "avx_vnni", "avx2", "avx", "sve", "asimd"):
        if wide in words:
            return f"{machine} {wide}"
    return machine


def runtime_packages() -> list[str]:
    """Packages that provide the module onnxruntime here; two break the installation."""
    from importlib.metadata import distributions

    names = {(d.metadata["Name"] or "").lower().replace("_", "-") for d in distributions()}
    return sorted(
        n for n in names if n in ("onnxruntime", "onnxruntime-gpu", "onnxruntime-openvino")
    )


def refuse_two_runtimes() -> None:
    """Raise LandstepError where two onnxruntime packages overwrite each other."""
    found = runtime_packages()
    if len(found) > 1:
        raise LandstepError(
            f"{' and '.join(found)} are both installed and overwrite each other's module: "
            f"pip uninstall {' '.join(found)}, then install one"
        )
