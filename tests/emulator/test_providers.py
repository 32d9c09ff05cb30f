"""Which providers there are, what they are asked for, and which GPU a process takes."""

import ctypes
import json
from types import SimpleNamespace

import pytest

from landstep.emulator import providers
from landstep.emulator.errors import ModelError
from landstep.emulator.experiment import RunTable
from landstep.emulator.providers import gpu_for, launch_options, needs_gate, pair_problem


@pytest.mark.parametrize("provider", ["cpu", "cuda", "tensorrt"])
def test_only_openvino_has_a_lower_precision(provider):
    assert pair_problem(provider, "fp32") == pair_problem("openvino", "bf16") == ""
    assert f"provider '{provider}' with precision 'bf16', expected" in pair_problem(
        provider, "bf16"
    )


def test_an_experiment_names_a_pair_in_any_order_of_its_keys():
    table = RunTable.model_validate({"precision": "bf16", "provider": "openvino"})
    assert (table.provider, table.precision) == ("openvino", "bf16")
    assert RunTable().precision == "fp32"


def test_what_rounds_or_is_another_library_needs_a_gate():
    pairs = [("cpu", "fp32"), ("cuda", "fp32"), ("openvino", "fp32"), ("openvino", "bf16")]
    assert [needs_gate(*pair) for pair in pairs] == [False, False, True, True]


def test_the_cpu_takes_no_options():
    assert launch_options("cpu", "fp32", 3, 1) == [("CPUExecutionProvider", {})]


CUDA = ("CUDAExecutionProvider",
        {"device_id": "2", "use_tf32": "0", "cudnn_conv_algo_search": "HEURISTIC"})  # fmt: skip


def test_cuda_computes_fp32_without_tf32_on_its_gpu():
    assert launch_options("cuda", "fp32", 1, 2) == [CUDA]


def test_tensorrt_computes_fp32_and_leaves_the_rest_to_cuda():
    first, second = launch_options("tensorrt", "fp32", 1, 2)
    assert first == ("TensorrtExecutionProvider",
                     {"device_id": "2", "trt_fp16_enable": "0", "trt_int8_enable": "0",
                      "trt_engine_cache_enable": "0"})  # fmt: skip
    assert second == CUDA


@pytest.mark.parametrize(("precision", "hint"), [("fp32", "f32"), ("bf16", "bf16")])
def test_openvino_is_told_precision_and_threads(precision, hint):
    ((name, options),) = launch_options("openvino", precision, 3, 0)
    assert name == "OpenVINOExecutionProvider" and options["device_type"] == "CPU"
    assert json.loads(options["load_config"]) == {
        "CPU": {
            "INFERENCE_PRECISION_HINT": hint,
            "INFERENCE_NUM_THREADS": "3",
            "NUM_STREAMS": "1",
        }
    }


def driver(count, fails=0):
    """Stand in for NVIDIA's driver."""

    def get(pointer):
        ctypes.cast(pointer, ctypes.POINTER(ctypes.c_int))[0] = count
        return 0

    return SimpleNamespace(cuInit=lambda flags: fails, cuDeviceGetCount=get)


def test_processes_of_a_machine_take_its_gpus_in_turn(monkeypatch):
    monkeypatch.setattr(providers.ctypes, "CDLL", lambda name: driver(3))
    assert [gpu_for(rank) for rank in range(7)] == [0, 1, 2, 0, 1, 2, 0]


@pytest.mark.parametrize("found", [driver(0), driver(3, fails=100), None])
def test_without_a_gpu_nothing_is_chosen(monkeypatch, found):
    """No GPU shown, a driver that does not start, no driver."""

    def load(name):
        if found is None:
            raise OSError(name)
        return found

    monkeypatch.setattr(providers.ctypes, "CDLL", load)
    with pytest.raises(ModelError, match="no GPU for provider 'cuda' or 'tensorrt'"):
        gpu_for(0)
