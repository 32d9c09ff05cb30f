"""Open a graph in onnxruntime on the provider asked for, and see that it computes as asked."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from landstep.emulator.errors import ModelError
from landstep.emulator.native import thread_sanitizer
from landstep.emulator.onnxruntime_library import load_onnxruntime
from landstep.emulator.providers import PROVIDERS, gpu_for, launch_options

CHANNELS = 32
"""Of the convolution that shows in which precision a provider computes."""


def open_runtime(
    content: bytes, where: str, provider: str, precision: str, threads: int, device: int
) -> Any:
    """Open a graph on a provider, and see that provider and precision took effect.

    onnxruntime falls back to the CPU where a provider fails, and OpenVINO ignores a precision that
    it does not know or the processor does not have; both without a word.
    Raises ModelError for either.
    """
    if thread_sanitizer():
        threads = 1  # it takes each hand-over between onnxruntime's threads for a race
    launch = _launch(provider, precision, threads, device)
    if provider != "cpu":
        _probe(launch, precision, threads)
    return _session(content, where, launch, threads)


def _launch(
    provider: str, precision: str, threads: int, device: int
) -> list[tuple[str, dict[str, str]]]:
    """Give the providers to ask for, or say why this one cannot be had here."""
    ort, wanted = load_onnxruntime(), PROVIDERS[provider]
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
    ort, (name, asked) = load_onnxruntime(), launch[0]
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.enable_mem_pattern = False
    options.enable_mem_reuse = False  # it holds a field's memory until the next of its size
    options.log_severity_level = 4
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.load_model_format", "ONNX")  # nothing else is checked
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
    for key in sorted(asked.keys() & found.keys()):
        if found[key] != asked[key]:
            raise ModelError(
                f"{name}: option {key} is {found[key]!r} after it was set to {asked[key]!r}; this "
                "version of onnxruntime does not fit: see docs/precision.md"
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


def openvino_version() -> str:
    """Version of the OpenVINO that onnxruntime brings with it, by the name of its library.

    returns : such as "2025.4.1"; "unknown" where the library lies elsewhere
    """
    names = sorted(Path(load_onnxruntime().__file__).parent.glob("capi/libopenvino.so.*.*"))
    return names[0].name.removeprefix("libopenvino.so.") if names else "unknown"


def runtime_version() -> str:
    """Version of onnxruntime here and the providers that it has; DependencyError without it."""
    ort = load_onnxruntime()
    return f"{ort.__version__} ({', '.join(ort.get_available_providers())})"


def precisions_here() -> dict[str, str]:
    """Try each provider that this onnxruntime has, but the cpu, in each of its precisions.

    returns : the words of [run] -> why it does not work here; empty where it does
    """
    found = {}
    for name, of in PROVIDERS.items():
        if name == "cpu" or of.runtime not in load_onnxruntime().get_available_providers():
            continue
        for precision in of.precisions:
            try:
                _probe(_launch(name, precision, threads=1, device=0), precision, threads=1)
                problem = ""
            except ModelError as error:
                problem = str(error)
            found[f'provider = "{name}", precision = "{precision}"'] = problem
    return found
