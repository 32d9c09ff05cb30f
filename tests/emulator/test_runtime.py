"""A provider or a precision that does not take effect is an error, never a silent fallback."""

import json

import numpy as np
import onnxruntime
import pytest

from landstep.emulator import providers, runtime
from landstep.emulator.builtin import builtin_models
from landstep.emulator.errors import DependencyError, ModelError
from landstep.emulator.features import Fields
from landstep.emulator.runtime import open_runtime, openvino_version, precisions_here
from landstep.emulator.session import Session

HAS_OPENVINO = "OpenVINOExecutionProvider" in onnxruntime.get_available_providers()
SHIPPED = builtin_models()["world"]
needs_openvino = pytest.mark.skipif(
    not HAS_OPENVINO, reason="onnxruntime-openvino is not installed (an environment of its own)"
)


class Accelerator:
    """Stand in for onnxruntime with more providers than are here; the CPU does the work.

    found : options that it reports; rounds : what its results go through
    """

    def __init__(self, monkeypatch, rounds=lambda a: a, found=None, providers_=None):
        self.opened, real = [], onnxruntime.InferenceSession
        names = ["CUDAExecutionProvider", "TensorrtExecutionProvider", "OpenVINOExecutionProvider"]
        owner = self

        class InferenceSession:
            def __init__(self, content, options, *, providers, enable_fallback):
                assert enable_fallback is False
                owner.opened.append(providers)
                self.names = [name for name, _ in providers]
                self.asked = dict(providers)
                self.real = real(content, providers=["CPUExecutionProvider"])

            def get_providers(self):
                return providers_ or [*self.names, "CPUExecutionProvider"]

            def get_provider_options(self):
                return {name: of | (found or {}) for name, of in self.asked.items()}

            def run(self, outputs, inputs):
                return [rounds(array) for array in self.real.run(outputs, inputs)]

        monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: names)
        monkeypatch.setattr(onnxruntime, "InferenceSession", InferenceSession)
        monkeypatch.setattr(providers, "_gpus", lambda: 2)


def to_bf16(array):
    """Round float32 to bfloat16, to nearest even; other types stay. Source: IEEE 754, 4.3.1."""
    if array.dtype != np.float32:
        return array
    bits = array.view(np.uint32)
    bits = (bits + 0x7FFF + (bits >> 16 & 1)) & np.uint32(0xFFFF0000)
    return bits.view(np.float32)


def test_cuda_opens_the_gpu_of_its_rank_with_full_fp32(tiny_model, monkeypatch):
    accelerator = Accelerator(monkeypatch)
    session = Session.open(tiny_model, "cuda", device=3)
    assert len(accelerator.opened) == 2  # the probe, then the model
    for ((name, options),) in accelerator.opened:
        assert name == "CUDAExecutionProvider"
        assert (options["device_id"], options["use_tf32"]) == ("1", "0")
    assert session.provenance["provider"] == "CUDAExecutionProvider"


def test_a_provider_that_rounds_fp32_is_refused(tiny_model, monkeypatch):
    """TF32 has 10 bits after the point; bf16, 7: 1 + 2^-12 tells both."""
    Accelerator(monkeypatch, rounds=to_bf16)
    with pytest.raises(ModelError, match=r"CUDA.*asked for fp32, and it computes otherwise"):
        Session.open(tiny_model, "cuda")


def test_a_precision_that_is_ignored_is_refused(tiny_model, monkeypatch):
    """OpenVINO computes in fp32 where it does not know the hint, or the processor no bf16."""
    Accelerator(monkeypatch)
    words = r"asked for bf16, .*1 \+ 0.000244141\); bf16 needs .*avx512_bf16 or amx_bf16"
    with pytest.raises(ModelError, match=words):
        Session.open(tiny_model, "openvino", precision="bf16", gated=False)


def test_a_precision_that_takes_effect_is_told_in_the_provenance(tiny_model, monkeypatch):
    Accelerator(monkeypatch, rounds=to_bf16)
    session = Session.open(tiny_model, "openvino", 2, precision="bf16", gated=False)
    assert session.provenance["precision"] == "bf16"
    assert session.provenance["openvino"] == openvino_version()


def test_an_option_that_did_not_stick_is_refused(tiny_model, monkeypatch):
    Accelerator(monkeypatch, found={"use_tf32": "1"})
    with pytest.raises(ModelError, match="option use_tf32 is '1' after it was set to '0'"):
        Session.open(tiny_model, "cuda")


def test_a_fallback_is_refused(tiny_model, monkeypatch):
    Accelerator(monkeypatch, providers_=["CPUExecutionProvider"])
    with pytest.raises(ModelError, match=r"fell back to \['CPUExecutionProvider'\]"):
        Session.open(tiny_model, "cuda")


@pytest.mark.parametrize("said", [None, "1"])
def test_tensorrt_is_refused_while_tf32_is_on(tiny_model, monkeypatch, said):
    """It has no option for it, only the environment."""
    Accelerator(monkeypatch)
    monkeypatch.delenv("NVIDIA_TF32_OVERRIDE", raising=False)
    if said:
        monkeypatch.setenv("NVIDIA_TF32_OVERRIDE", said)
    with pytest.raises(ModelError, match="set NVIDIA_TF32_OVERRIDE=0 in the environment"):
        Session.open(tiny_model, "tensorrt")


def test_tensorrt_opens_with_tf32_off(tiny_model, monkeypatch):
    accelerator = Accelerator(monkeypatch)
    monkeypatch.setenv("NVIDIA_TF32_OVERRIDE", "0")
    Session.open(tiny_model, "tensorrt")
    names = [[name for name, _ in opened] for opened in accelerator.opened]
    assert names == [["TensorrtExecutionProvider", "CUDAExecutionProvider"]] * 2


@pytest.mark.skipif(HAS_OPENVINO, reason="OpenVINO is installed")
def test_openvino_that_is_not_there_is_an_error(tiny_model):
    with pytest.raises(ModelError, match=r"'openvino' was asked for.*'landstep\[openvino\]'"):
        Session.open(tiny_model, "openvino", gated=False)


def test_a_pair_that_does_not_exist_is_refused(tiny_model):
    with pytest.raises(ModelError, match="'cpu' with precision 'bf16', expected one of"):
        Session.open(tiny_model, precision="bf16")


def test_what_does_not_work_here_says_why(monkeypatch):
    """Of the providers that this onnxruntime has; the cpu goes without saying."""
    Accelerator(monkeypatch)
    monkeypatch.delenv("NVIDIA_TF32_OVERRIDE", raising=False)
    found = precisions_here()
    assert found['provider = "cuda", precision = "fp32"'] == ""
    assert "computes otherwise" in found['provider = "openvino", precision = "bf16"']
    assert "NVIDIA_TF32_OVERRIDE" in found['provider = "tensorrt", precision = "fp32"']
    assert len(found) == 4


def test_without_onnxruntime_every_extra_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)
    with pytest.raises(DependencyError, match=r"'landstep\[openvino\]'"):
        runtime.runtime_version()


@needs_openvino
def test_openvino_computes_as_it_is_told():
    """fp32 to the last bits, bf16 to its seven; threads and a second session change neither."""
    window = shipped_window()
    plain = Session.open(SHIPPED).run(window)["logits"]
    for precision, least, most in (("fp32", 0, 1e-4), ("bf16", 1e-3, 1)):
        sessions = [
            Session.open(SHIPPED, "openvino", threads, precision=precision, gated=False)
            for threads in (1, 1, 2)
        ]
        first, again, threaded = (session.run(window)["logits"] for session in sessions)
        free = np.abs(plain) < 1e3
        difference = np.abs(first - plain)[free].max()
        assert least <= difference <= most
        assert np.array_equal(first, again) and np.array_equal(first, threaded)
        assert sessions[0].provenance["precision"] == precision
        assert sessions[0].provenance["openvino"][0].isdigit()


@needs_openvino
def test_a_misspelt_property_is_found_out(monkeypatch):
    """OpenVINO ignores a precision that it does not know."""
    real = runtime.launch_options

    def misspelt(*args):
        ((name, options),) = real(*args)
        config = options["load_config"].replace("bf16", "bf17")
        assert json.loads(config)
        return [(name, options | {"load_config": config})]

    monkeypatch.setattr(runtime, "launch_options", misspelt)
    with pytest.raises(ModelError, match="asked for bf16, and it computes otherwise"):
        open_runtime(SHIPPED.read_bytes(), "shipped", "openvino", "bf16", 1, 0)


def shipped_window():
    """Make up inputs of a window for the model that comes with the package."""
    rng = np.random.default_rng(2)
    card = Session.open(SHIPPED).card
    y, x = 40, 56
    shares = rng.dirichlet(np.ones(len(card.states) + 1), (2, 3, 4))[..., :-1]
    now, before = np.moveaxis(shares, -1, 1).astype(np.float32)
    return Fields(
        prior=rng.integers(0, 8, (y, x)).astype(np.uint8),
        history=rng.choice([1, 2, 4, 255], (card.history, y, x)).astype(np.uint8),
        years=1,
        continuous=rng.gamma(2.0, 200.0, (len(card.continuous), y, x)).astype(np.float32),
        categories=rng.integers(0, 6, (len(card.categories), y, x)).astype(np.uint8),
        forcing=now,
        forcing_change=now - before,
        prior_shares=rng.dirichlet(np.ones(8), (3, 4)).transpose(2, 0, 1),
        row=np.arange(y) * 3 // y,
        col=np.arange(x) * 4 // x,
    ).inputs()
