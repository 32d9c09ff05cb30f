"""Open an ONNX file whose every byte was checked, on the device that was asked for, and run it."""

from __future__ import annotations

import hashlib
import os
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from landstep.emulator.card import Card
from landstep.emulator.errors import DependencyError, LandstepError, ModelError
from landstep.emulator.features import INPUT_NAMES, OUTPUT_NAMES
from landstep.emulator.graph_checks import check_graph
from landstep.emulator.model_file import read_verified
from landstep.emulator.precision_gate import refuse_ungated
from landstep.emulator.providers import (
    PROVIDERS,
    gpu_for,
    launch_options,
    needs_gate,
    pair_problem,
)

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

CHANNELS = 32
"""Of the convolution that shows in which precision a provider computes."""


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
        """Read a model once, verify those bytes, and open the session from them.

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
        card = Card.from_metadata({p.key: p.value for p in proto.metadata_props}, str(path))
        _check_names(proto, str(path))
        if problem := pair_problem(provider, precision):
            raise ModelError(problem)
        if gated and needs_gate(provider, precision):
            refuse_ungated(card, provider, precision, str(path))
        session = open_runtime(content, str(path), provider, precision, threads, device)
        provenance = _provenance(provider, precision)
        return cls(card, hashlib.sha256(content).hexdigest(), provenance, session)

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
            "onnxruntime is not installed: pip install 'landstep[cpu]' (or 'landstep[gpu]', "
            "'landstep[openvino]')"
        ) from error
    return onnxruntime


def open_runtime(
    content: bytes, where: str, provider: str, precision: str, threads: int, device: int
) -> Any:
    """Open a graph on a provider, and see that provider and precision took effect.

    onnxruntime falls back to the CPU where a provider fails, and OpenVINO ignores a precision that
    it does not know or the processor does not have; both without a word.
    Raises ModelError for either.
    """
    launch = _launch(provider, precision, threads, device)
    if provider != "cpu":
        _probe(launch, precision, threads)
    return _session(content, where, launch, threads)


def _launch(
    provider: str, precision: str, threads: int, device: int
) -> list[tuple[str, dict[str, str]]]:
    """Give the providers to ask for, or say why this one cannot be had here."""
    ort, wanted = _onnxruntime(), PROVIDERS[provider]
    if wanted.runtime not in ort.get_available_providers():
        raise ModelError(
            f"provider {provider!r} was asked for, and this onnxruntime has only "
            f"{ort.get_available_providers()}; install 'landstep[{wanted.extra}]' in an "
            'environment of its own, or set provider = "cpu"'
        )
    if provider == "tensorrt" and os.environ.get("NVIDIA_TF32_OVERRIDE") != "0":
        raise ModelError(
            "provider 'tensorrt': rounds fp32 to TF32 (10 bits for 23) and has no option against "
            "it; set NVIDIA_TF32_OVERRIDE=0 in the environment before the program starts"
        )
    gpu = gpu_for(device) if provider in ("cuda", "tensorrt") else 0
    return launch_options(provider, precision, threads, gpu)


def _session(
    content: bytes, where: str, launch: list[tuple[str, dict[str, str]]], threads: int
) -> Any:
    ort, (name, asked) = _onnxruntime(), launch[0]
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.enable_mem_pattern = False
    options.log_severity_level = 4
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if name == PROVIDERS["openvino"].runtime:  # the others leave shapes to the CPU, by design
        options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
    try:
        session = ort.InferenceSession(content, options, providers=launch, enable_fallback=False)
    except Exception as error:
        raise ModelError(
            f"{where}: onnxruntime {ort.__version__} cannot open it on {name}: {error}"
        ) from error
    if session.get_providers()[0] != name:
        raise ModelError(
            f"{name} was asked for, and onnxruntime fell back to {session.get_providers()}; is the "
            "driver there?"
        )
    _check_options(name, asked, session.get_provider_options().get(name, {}))
    return session


def _check_options(name: str, asked: dict[str, str], found: dict[str, str]) -> None:
    """Refuse a provider that reports another value for an option than it was given.

    OpenVINO reports none; see `_probe`.
    """
    wrong = {key: found[key] for key in asked.keys() & found.keys() if found[key] != asked[key]}
    if wrong:
        raise ModelError(
            f"{name}: asked for { ({key: asked[key] for key in wrong}) }, onnxruntime set {wrong}; "
            "this version does not fit: see docs/precision.md"
        )


def _probe(launch: list[tuple[str, dict[str, str]]], precision: str, threads: int) -> None:
    """Run a convolution by 1 with a provider's options, and see which bits survive.

    1 + 2^-12 needs 12 bits after the point: fp32 has 23 and keeps it; bf16 has 7, TF32 and fp16
    have 10, and round it to 1.
    """
    session = _session(_convolution(), "a probe of the precision", launch, threads)
    given = np.full((1, CHANNELS, 16, 16), 1 + 2**-12, np.float32)
    (found,) = session.run(None, {"given": given})
    expected = given if precision == "fp32" else np.ones_like(given)
    if not np.array_equal(found, expected):
        raise ModelError(
            f"{launch[0][0]}: asked for {precision}, and it computes otherwise (1 + 2^-12 became "
            f"1 + {float(found.flat[0]) - 1:g}); bf16 needs a processor with avx512_bf16 or "
            "amx_bf16. Set another precision or provider"
        )


def _convolution() -> bytes:
    """Give a graph of one 1x1 convolution, whose weights are the identity."""
    shape = [1, CHANNELS, 16, 16]
    weights = np.eye(CHANNELS, dtype=np.float32)[:, :, None, None]
    graph = helper.make_graph(
        [helper.make_node("Conv", ["given", "weights"], ["found"])],
        "probe",
        [helper.make_tensor_value_info("given", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("found", TensorProto.FLOAT, shape)],
        [numpy_helper.from_array(weights, "weights")],
    )
    opset = [helper.make_opsetid("", 18)]
    return bytes(helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString())


def _provenance(provider: str, precision: str) -> dict[str, str]:
    more = {"precision": precision, "openvino": openvino_version()}
    return {
        "onnxruntime": _onnxruntime().__version__,
        "provider": PROVIDERS[provider].runtime,
        "optimisation_level": "all",
        "instruction_set": instruction_set(),
        **(more if provider == "openvino" else {}),
    }


def openvino_version() -> str:
    """Version of the OpenVINO that onnxruntime brings with it, by the name of its library.

    returns : such as "2025.4.1"; "unknown" where the library lies elsewhere
    """
    names = sorted(Path(_onnxruntime().__file__).parent.glob("capi/libopenvino.so.*.*"))
    return names[0].name.removeprefix("libopenvino.so.") if names else "unknown"


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
