"""Open an ONNX file whose every byte was checked, on the device that was asked for, and run it."""

from __future__ import annotations

import hashlib
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from landstep.emulator.card import Card, read_manifest
from landstep.emulator.errors import DependencyError, LandstepError, ModelError
from landstep.emulator.features import INPUT_NAMES, OUTPUT_NAMES
from landstep.emulator.graph_checks import check_graph

PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}

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


@dataclass(frozen=True)
class Session:
    """A verified model, ready to run.

    card : what it says of itself; sha256 : of the file
    provenance : what its bits depend on: onnxruntime's version, provider, optimisation level and
        the processor's instruction set
    """

    card: Card
    sha256: str
    provenance: dict[str, str]
    _session: Any

    @classmethod
    def open(cls, path: Path, provider: str = "cpu", threads: int = 1) -> Session:
        """Read a model once, verify those bytes, and open the session from them.

        provider : "cpu" or "cuda"; one that is not there is an error, never a silent fallback
        threads : onnxruntime's own, at least 1; the results do not depend on it
        Raises ModelError for a file that is missing, empty, cut short, altered, without its
        manifest, or not a graph that landstep runs; DependencyError without onnxruntime.
        """
        content = _read_verified(path)
        proto = check_graph(content, str(path))
        card = Card.from_metadata({p.key: p.value for p in proto.metadata_props}, str(path))
        _check_names(proto, str(path))
        session = _open_session(content, path, provider, threads)
        return cls(card, hashlib.sha256(content).hexdigest(), _provenance(provider), session)

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
        n, y, x = inputs["prior"].shape
        cy, cx = inputs["forcing"].shape[-2:]
        expected = {
            "prior": (n, y, x),
            "history": (n, self.card.history, y, x),
            "years": (n,),
            "continuous": (n, len(self.card.continuous), y, x),
            "categories": (n, len(self.card.categories), y, x),
            "forcing": (n, len(self.card.states), cy, cx),
            "forcing_change": (n, len(self.card.states), cy, cx),
            "prior_shares": (n, len(self.card.class_codes), cy, cx),
            "row": (y,),
            "col": (x,),
        }
        for name, array in inputs.items():
            if array.shape != expected[name] or array.dtype != DTYPES[name]:
                raise ModelError(
                    f"input {name}: got {array.dtype} {array.shape}, expected "
                    f"{np.dtype(DTYPES[name])} {expected[name]}"
                )
        if y % self.card.stride or x % self.card.stride:
            raise ModelError(
                f"input prior: {y} x {x} cells, expected multiples of the stride {self.card.stride}"
            )


def _read_verified(path: Path) -> bytes:
    """Read a model file and hold it against its manifest."""
    try:
        if not path.exists():
            raise ModelError(f"model file not found: {path}")
        if not path.is_file():
            raise ModelError(f"{path}: not an ONNX model, it is a folder or a device")
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror}") from error
    if not content:
        raise ModelError(f"{path}: model is empty (0 bytes); copy or export it again")
    manifest = read_manifest(path)
    if len(content) != manifest["bytes"]:
        raise ModelError(
            f"{path}: size {len(content)}, manifest says {manifest['bytes']}; the file was cut "
            "short or replaced: copy or export it again"
        )
    found = hashlib.sha256(content).hexdigest()
    if found != manifest["sha256"]:
        raise ModelError(
            f"{path}: sha256 mismatch: expected {manifest['sha256']}, got {found}; the file was "
            "altered: copy or export it again"
        )
    return content


def _check_names(proto: Any, where: str) -> None:
    inputs = tuple(value.name for value in proto.graph.input)
    outputs = tuple(value.name for value in proto.graph.output)
    if set(inputs) != set(INPUT_NAMES) or set(outputs) != set(OUTPUT_NAMES):
        raise ModelError(
            f"{where}: takes {inputs} and gives {outputs}, expected {INPUT_NAMES} and "
            f"{OUTPUT_NAMES}"
        )


def _onnxruntime() -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise DependencyError(
            "onnxruntime is not installed: pip install 'landstep[cpu]' (or 'landstep[gpu]')"
        ) from error
    return onnxruntime


def _open_session(content: bytes, path: Path, provider: str, threads: int) -> Any:
    if provider not in PROVIDERS:
        raise ModelError(f"provider {provider!r} is not one of {sorted(PROVIDERS)}")
    ort = _onnxruntime()
    if PROVIDERS[provider] not in ort.get_available_providers():
        raise ModelError(
            f"provider {provider!r} was asked for, and this onnxruntime has only "
            f"{ort.get_available_providers()}; install 'landstep[gpu]' or set provider = \"cpu\""
        )
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.enable_mem_pattern = False
    options.enable_mem_reuse = False  # it keeps a field's memory until the next of its size
    options.log_severity_level = 4
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        session = ort.InferenceSession(content, options, providers=[PROVIDERS[provider]])
    except Exception as error:
        raise ModelError(
            f"{path}: onnxruntime {ort.__version__} cannot open it: {error}"
        ) from error
    if session.get_providers()[0] != PROVIDERS[provider]:
        raise ModelError(
            f"provider {provider!r} was asked for, and onnxruntime fell back to "
            f"{session.get_providers()}; is the driver there?"
        )
    return session


def _provenance(provider: str) -> dict[str, str]:
    return {
        "onnxruntime": _onnxruntime().__version__,
        "provider": PROVIDERS[provider],
        "optimisation_level": "all",
        "instruction_set": instruction_set(),
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


def runtime_version() -> str:
    """Version of onnxruntime here and the providers that it has; DependencyError without it."""
    ort = _onnxruntime()
    return f"{ort.__version__} ({', '.join(ort.get_available_providers())})"


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
