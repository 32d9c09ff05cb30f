"""Opening a model: every fault of a file is named, and what runs gives the same bits."""

import os
import shutil
import warnings
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from landstep.emulator import providers
from landstep.emulator import session as session_module
from landstep.emulator.card import Card, manifest_path
from landstep.emulator.classes import scheme
from landstep.emulator.errors import DependencyError, LandstepError, ModelError
from landstep.emulator.features import INPUT_NAMES, Fields
from landstep.emulator.session import Session, instruction_set, refuse_two_runtimes


@pytest.fixture
def model(tiny_model, tmp_path):
    """Copy the tiny model and its manifest to where they may be broken."""
    shutil.copy(manifest_path(tiny_model), tmp_path)
    return Path(shutil.copy(tiny_model, tmp_path))


@pytest.fixture(scope="module")
def session(tiny_model):
    """Open the tiny model."""
    return Session.open(tiny_model)


def inputs(session, shape=(20, 28), seed=0):
    """Make up inputs of a window."""
    rng = np.random.default_rng(seed)
    y, x = shape
    states = len(session.card.states)
    fractions = rng.dirichlet(np.ones(states + 1), (2, 3, 4))[..., :-1].astype(np.float32)
    now, before = np.moveaxis(fractions, -1, 1)
    prior = rng.integers(0, 8, shape).astype(np.uint8)
    prior[rng.random(shape) < 0.2] = 255
    return Fields(
        prior=prior,
        history=rng.choice([1, 2, 4, 255], (3, y, x)).astype(np.uint8),
        years=1,
        continuous=rng.gamma(2.0, 200.0, (1, y, x)).astype(np.float32),
        categories=rng.integers(0, 6, (2, y, x)).astype(np.uint8),
        forcing=now,
        forcing_change=now - before,
        prior_shares=rng.dirichlet(np.ones(8), (3, 4)).transpose(2, 0, 1),
        row=np.arange(y) * 3 // y,
        col=np.arange(x) * 4 // x,
    ).inputs()


# --- the file ---------------------------------------------------------------------------------


def test_a_missing_model_is_named(tmp_path):
    """Row 1."""
    with pytest.raises(ModelError, match=f"model file not found: {tmp_path}/no.onnx"):
        Session.open(tmp_path / "no.onnx")


def test_an_empty_model_is_named(model):
    """Row 2."""
    model.write_bytes(b"")
    with pytest.raises(ModelError, match=r"tiny.onnx: model is empty \(0 bytes\)"):
        Session.open(model)


@pytest.mark.parametrize("keep", [lambda n: n - 1, lambda n: n // 2, lambda n: n + 1])
def test_a_model_of_another_size_is_named(model, keep):
    """Row 3: a byte less, half, a byte more."""
    content = model.read_bytes()
    model.write_bytes((content + b"\0")[: keep(len(content))])
    words = f"size {keep(len(content))}, manifest says {len(content)}"
    with pytest.raises(ModelError, match=words):
        Session.open(model)


def test_every_flipped_bit_is_found(model):
    """Row 4: 200 single bits, anywhere in the file; whole again, it opens."""
    content = bytearray(model.read_bytes())
    rng = np.random.default_rng(4)
    for place in rng.choice(len(content) * 8, 200, replace=False):
        content[place // 8] ^= 1 << place % 8
        model.write_bytes(content)
        with pytest.raises(ModelError, match="sha256 mismatch: expected [0-9a-f]{64}, got"):
            Session.open(model)
        content[place // 8] ^= 1 << place % 8
    model.write_bytes(content)
    Session.open(model)


def test_a_model_without_its_manifest_is_refused(model):
    """Row 6."""
    manifest_path(model).unlink()
    with pytest.raises(ModelError, match="its manifest tiny.onnx.json is missing"):
        Session.open(model)


def test_random_bytes_are_no_model(save):
    """Row 13: whatever the bytes, a ModelError."""
    rng = np.random.default_rng(13)
    for size in (1, 2, 10, 100, 5000):
        for _ in range(40):
            with pytest.raises(ModelError, match="not an ONNX model"):
                Session.open(save(rng.bytes(size)))


def test_damaged_models_end_in_an_error_or_a_session(save, tiny_model):
    """Row 13: the parser's and onnxruntime's own complaints come out as ModelError, too."""
    content = tiny_model.read_bytes()
    rng = np.random.default_rng(31)
    refused = 0
    for _ in range(40):
        broken = bytearray(content)
        for place in rng.integers(0, min(len(content), 6000), 3):
            broken[place] = rng.integers(0, 256)
        try:
            Session.open(save(bytes(broken)))
        except ModelError as error:
            assert "crafted.onnx" in str(error)
            refused += 1
    assert refused > 5


def test_a_folder_is_no_model(tmp_path):
    """Row 13."""
    with pytest.raises(ModelError, match="not an ONNX model, it is a folder or a device"):
        Session.open(tmp_path)


def test_a_pipe_is_no_model(tmp_path):
    """It is refused, not waited for."""
    os.mkfifo(tmp_path / "pipe.onnx")
    with pytest.raises(ModelError, match="not an ONNX model, it is a folder or a device"):
        Session.open(tmp_path / "pipe.onnx")


def test_a_model_that_cannot_be_read_is_named(tmp_path):
    """Row 53: the system's own words, here for a name that is too long."""
    with pytest.raises(ModelError, match="cannot be read: File name too long"):
        Session.open(tmp_path / ("x" * 300))


@pytest.mark.usefixtures("not_root")
def test_a_model_without_permission_is_named(model):
    """Row 53."""
    model.chmod(0)
    with pytest.raises(ModelError, match="tiny.onnx: cannot be read: Permission denied"):
        Session.open(model)


# --- the device -------------------------------------------------------------------------------


def test_a_gpu_that_is_not_there_is_an_error(tiny_model):
    """Row 14: never a silent fallback."""
    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this onnxruntime has CUDA")
    with pytest.raises(ModelError, match=r"'cuda' was asked for, .* only \['.*CPUExecution.*cpu"):
        Session.open(tiny_model, provider="cuda")


def test_a_gpu_that_fails_to_start_is_an_error(tiny_model, monkeypatch):
    """Row 14: CUDA is compiled in, the driver is missing, onnxruntime takes the CPU by itself."""
    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this onnxruntime has CUDA")
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider"])
    monkeypatch.setattr(providers, "_gpus", lambda: 1)
    with (
        warnings.catch_warnings(action="ignore"),
        pytest.raises(ModelError, match=r"fell back to \['CPUExecutionProvider'\]; is the driver"),
    ):
        Session.open(tiny_model, provider="cuda")


def test_an_unknown_provider_is_refused(tiny_model):
    """With the list."""
    with pytest.raises(ModelError, match="provider 'tpu' with precision 'fp32', expected one of"):
        Session.open(tiny_model, provider="tpu")


def test_without_onnxruntime_the_cure_is_named(tiny_model, monkeypatch):
    """It is an extra of the package: say which."""
    monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)
    with pytest.raises(DependencyError, match=r"pip install 'landstep\[cpu\]'"):
        Session.open(tiny_model)


def test_two_runtimes_are_refused(monkeypatch):
    """They overwrite each other's files; one is fine."""
    refuse_two_runtimes()
    monkeypatch.setattr(
        session_module, "runtime_packages", lambda: ["onnxruntime", "onnxruntime-gpu"]
    )
    with pytest.raises(LandstepError, match="onnxruntime and onnxruntime-gpu are both installed"):
        refuse_two_runtimes()


def test_provenance_tells_what_the_bits_depend_on(session):
    """Version, provider, optimisation level, instruction set."""
    assert session.provenance == {
        "onnxruntime": onnxruntime.__version__,
        "provider": "CPUExecutionProvider",
        "optimisation_level": "all",
        "instruction_set": instruction_set(),
    }
    assert session.card.scheme == "hilda8" and isinstance(session.card, Card)


def test_the_instruction_set_is_the_widest_that_the_system_names(monkeypatch):
    """Where it names none, the machine alone."""
    monkeypatch.setattr(session_module.platform, "machine", lambda: "x86_64")
    read = session_module.Path.read_text
    for flags, expected in (
        ("fpu avx avx2 sse", "x86_64 avx2"),
        ("fpu", "x86_64"),
        (None, "x86_64"),
    ):

        def answer(self, *args, flags=flags):
            if str(self) != "/proc/cpuinfo":
                return read(self, *args)
            if flags is None:
                raise FileNotFoundError
            return f"flags : {flags}"

        monkeypatch.setattr(session_module.Path, "read_text", answer)
        assert instruction_set() == expected


# --- running ----------------------------------------------------------------------------------


def test_a_window_gives_a_class_for_every_cell(session):
    """Fixed classes stay, masked cells get a class that is not ocean."""
    window = inputs(session)
    result = session.run(window)
    prior, land_use = window["prior"], result["land_use"]
    assert land_use.dtype == np.uint8 and land_use.shape == (1, 20, 28)
    assert result["logits"].dtype == np.float32 and result["logits"].shape == (1, 8, 20, 28)
    assert np.array_equal(land_use, result["logits"].argmax(axis=1))
    for number in scheme("hilda8").fixed_numbers:
        assert ((land_use == number) == (prior == number))[prior != 255].all()
    assert (land_use[prior == 255] != 0).all()


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("continuous", lambda a: a[:, :0], r"input continuous: got float32 \(1, 0, 20, 28\), "
         r"expected float32 \(1, 1, 20, 28\)"),
        ("forcing", lambda a: a[:, 1:], r"got float32 \(1, 11, 3, 4\), expected float32 \(1, 12,"),
        ("forcing_change", lambda a: a[:, :, 1:], r"input forcing_change: got float32 \(1, 12, 2"),
        ("row", lambda a: a[1:], r"input row: got int64 \(19,\), expected int64 \(20,\)"),
        ("history", lambda a: a[:, 1:], r"input history: got uint8 \(1, 2, 20, 28\), expected "
         r"uint8 \(1, 3, 20, 28\)"),
        ("history", lambda a: a.astype(np.int64), "input history: got int64"),
        ("years", lambda a: a[0], r"input years: got float32 \(\), expected float32 \(1,\)"),
        ("years", lambda a: a.astype(np.int64), r"input years: got int64 \(1,\), expected float32"),
        ("prior", lambda a: a[0], r"input prior: got \(20, 28\), expected \(n, y, x\)"),
        ("forcing", lambda a: a[0, 0], r"input forcing: got \(3, 4\), expected \(n, states"),
        ("continuous", lambda a: a.astype(np.float64), "got float64 .*, expected float32"),
        ("continuous", lambda a: a.astype(">f4"), "input continuous: got >f4"),
        ("row", lambda a: a.astype(np.int32), "got int32 .*, expected int64"),
        ("prior", lambda a: a.astype(np.int8), "got int8 .*, expected uint8"),
    ],
)  # fmt: skip
def test_an_array_of_another_form_is_refused(session, name, change, words):
    """Rows 16, 17, 18: what was got, what was expected; float64 and big-endian included."""
    window = inputs(session)
    window[name] = change(window[name])
    with pytest.raises(ModelError, match=words):
        session.run(window)


def test_a_missing_or_foreign_input_is_named(session):
    """Row 16."""
    window = inputs(session)
    del window["row"]
    with pytest.raises(ModelError, match=r"inputs \['categories', .*\], expected"):
        session.run(window)


def test_a_window_off_the_stride_is_refused(session):
    """18 rows, stride 4."""
    with pytest.raises(ModelError, match="18 x 28 cells, expected multiples of the stride 4"):
        session.run(inputs(session, (18, 28)))


def test_what_onnxruntime_refuses_is_a_model_error(session):
    """An index beyond the coarse cells."""
    window = inputs(session)
    window["row"] = window["row"] + 100
    with pytest.raises(ModelError, match="model tiny: onnxruntime could not run a window of"):
        session.run(window)


def test_features_put_any_array_into_the_graphs_form(session):
    """Rows 17, 18: float64, big-endian, other integers: converted at the one door, same bits."""
    window = inputs(session)
    plain = session.run(window)
    fields = {name: window[name][0] for name in INPUT_NAMES[:8]}
    changed = {
        "years": np.int16(fields["years"]),
        "history": fields["history"].astype(">i8"),
        "prior": fields["prior"].astype(">i4"),
        "continuous": fields["continuous"].astype(">f4"),
        "categories": fields["categories"].astype(np.int64),
        "forcing": fields["forcing"].astype(np.float64),
        "forcing_change": fields["forcing_change"].astype(">f8"),
        "prior_shares": fields["prior_shares"].astype(np.float64),
        "row": window["row"].astype(np.int32),
        "col": window["col"].astype(">i8"),
    }
    for name, array in session.run(Fields(**changed).inputs()).items():
        assert np.array_equal(array, plain[name])


def test_memory_order_does_not_matter(session):
    """Row 19: Fortran order and strided slices give what a copy gives."""
    window = inputs(session)
    plain = session.run(window)

    def strided(array):
        wide = np.repeat(np.repeat(array, 2, axis=-1), 2, axis=0)
        return wide[::2][..., ::2] if array.ndim > 1 else wide[::4]

    for change in (np.asfortranarray, strided, lambda a: np.flip(np.flip(a, -1).copy(), -1)):
        changed = {n: change(a) if a.size > 1 else a for n, a in window.items()}
        assert not changed["continuous"].flags.c_contiguous
        fields = [changed[n] if n in ("row", "col") else changed[n][0] for n in INPUT_NAMES]
        for given in (changed, Fields(*fields).inputs()):
            for name, array in session.run(given).items():
                assert np.array_equal(array, plain[name])


@pytest.mark.parametrize("threads", [2, 3, 4])
def test_threads_do_not_change_a_bit(session, tiny_model, threads):
    """Logits, too."""
    window = inputs(session, (64, 96), seed=3)
    plain, other = session.run(window), Session.open(tiny_model, threads=threads).run(window)
    assert all(np.array_equal(plain[name], other[name]) for name in plain)


def test_no_cell_feels_farther_than_the_halo(session):
    """Change one cell, at every phase of the stride, and see how far logits move: 23 at depth 2."""
    window = inputs(session, (64, 64), seed=9)
    plain = session.run(window)["logits"]
    reach = 0
    for phase in range(4):
        changed = {**window, "prior": window["prior"].copy()}
        centre = 30 + phase
        changed["prior"][0, centre, centre] = (changed["prior"][0, centre, centre] + 3) % 6 + 1
        changed["continuous"] = window["continuous"].copy()
        changed["continuous"][..., centre, centre] += 5e3
        moved = np.argwhere((session.run(changed)["logits"] != plain).any(axis=(0, 1)))
        reach = max(reach, np.abs(moved - centre).max())
    assert 20 <= reach <= 23 <= session.card.halo
