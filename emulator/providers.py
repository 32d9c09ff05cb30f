"""Where a model may run: the providers of onnxruntime that an experiment file can name."""

from __future__ import annotations

import ctypes
import json
from dataclasses import dataclass

from landstep.emulator.errors import ModelError


@dataclass(frozen=True)
class Provider:
    """A provider of onnxruntime.

    runtime : its name there; extra : of landstep, which brings it
    precisions : what it can be asked to compute in
    """

    runtime: str
    extra: str
    precisions: tuple[str, ...] = ("fp32",)


PROVIDERS = {
    "cpu": Provider("CPUExecutionProvider", "cpu"),
    "cuda": Provider("CUDAExecutionProvider", "gpu"),
    "tensorrt": Provider("TensorrtExecutionProvider", "gpu"),
    "openvino": Provider("OpenVINOExecutionProvider", "openvino", ("fp32", "bf16")),
}

OPENVINO_PRECISIONS = {"fp32": "f32", "bf16": "bf16"}
"""Our words for a precision, and those of OpenVINO's property INFERENCE_PRECISION_HINT."""


def pair_problem(provider: str, precision: str) -> str:
    """Say why a provider cannot be asked for a precision; empty where it can."""
    if provider in PROVIDERS and precision in PROVIDERS[provider].precisions:
        return ""
    pairs = [f"{name} {word}" for name, of in PROVIDERS.items() for word in of.precisions]
    return (
        f"provider {provider!r} with precision {precision!r}, expected one of: {', '.join(pairs)}"
    )


def needs_gate(provider: str, precision: str) -> bool:
    """Tell whether a model must have been verified before it runs so: see `precision_gate`."""
    return provider == "openvino" or precision != "fp32"


def launch_options(
    provider: str, precision: str, threads: int, device: int
) -> list[tuple[str, dict[str, str]]]:
    """Give onnxruntime's providers and their options, the one asked for first.

    device : number of the GPU; the others take none
    returns : (name, options); TensorRT leaves to CUDA what it cannot do itself

    fp32 is computed with all its bits: TF32 has 10 for 23. Convolutions on CUDA are chosen by
    cuDNN's heuristics, not by timing them, which chooses differently from run to run.
    Source: onnxruntime, docs/execution-providers (CUDA, TensorRT, OpenVINO), 1.24.
    """
    name = PROVIDERS[provider].runtime
    cuda = {
        "device_id": str(device),
        "use_tf32": "0",
        "cudnn_conv_algo_search": "HEURISTIC",
    }
    if provider == "cuda":
        return [(name, cuda)]
    if provider == "tensorrt":
        own = {
            "device_id": str(device),
            "trt_fp16_enable": "0",
            "trt_int8_enable": "0",
            "trt_engine_cache_enable": "0",
        }
        return [(name, own), (PROVIDERS["cuda"].runtime, cuda)]
    if provider == "openvino":
        properties = {
            "INFERENCE_PRECISION_HINT": OPENVINO_PRECISIONS[precision],
            "INFERENCE_NUM_THREADS": str(threads),
            "NUM_STREAMS": "1",
        }
        return [(name, {"device_type": "CPU", "load_config": json.dumps({"CPU": properties})})]
    return [(name, {})]


def gpu_for(rank: int) -> int:
    """Number of the GPU that a process takes: its rank on this machine, in turn over all GPUs.

    rank : 0, 1, ... of the processes on this machine
    Raises ModelError where the CUDA driver is missing or shows no GPU.
    """
    count = _gpus()
    if not count:
        raise ModelError(
            "no GPU for provider 'cuda' or 'tensorrt': NVIDIA's driver (libcuda.so.1) is not here, "
            'or shows none; see nvidia-smi and CUDA_VISIBLE_DEVICES, or set provider = "cpu"'
        )
    return rank % count


def _gpus() -> int:
    """Count the GPUs that CUDA's driver shows this process."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return 0
    count = ctypes.c_int()
    if driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count)):
        return 0
    return count.value
