"""`landstep verify`: an experiment in lower precision beside its fp32 run, and what it leaves.

OpenVINO is stood in for by the CPU with its logits rounded.
"""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import onnx
import pytest
import typer

from landstep import Emulator
from landstep.__main__ import verify as command
from landstep.emulator import precision_gate
from landstep.emulator import session as session_module
from landstep.emulator.card import Gate, StepFigures
from landstep.emulator.driver import run_years
from landstep.emulator.errors import ConfigError, InputError, ModelError
from landstep.emulator.experiment import load_experiment
from landstep.emulator.inspection import describe
from landstep.emulator.session import Session
from landstep.verify import copy_path, evenly, verify_experiment, write_copy

pytestmark = pytest.mark.slow

FIRST, LAST = 2027, 2031


def to_bf16(array):
    """Round float32 to bfloat16, to nearest even. Source: IEEE 754, 4.3.1."""
    bits = array.view(np.uint32)
    bits = (bits + 0x7FFF + (bits >> 16 & 1)) & np.uint32(0xFFFF0000)
    return bits.view(np.float32)


class Rounded:
    """An onnxruntime session whose logits are rounded."""

    def __init__(self, inner, rounding):
        self.inner, self.rounding = inner, rounding

    def run(self, names, inputs):
        land_use, logits = self.inner.run(names, inputs)
        return [land_use, self.rounding(logits)]


@pytest.fixture
def openvino(monkeypatch):
    """Give a function that sets what the stand-in for OpenVINO does to logits."""
    real = session_module.open_runtime

    def stand_in(rounding):
        def opened(content, where, provider, precision, threads, device):
            inner = real(content, where, "cpu", "fp32", threads, device)
            return inner if provider == "cpu" else Rounded(inner, rounding)

        monkeypatch.setattr(session_module, "open_runtime", opened)

    stand_in(to_bf16)
    return stand_in


@pytest.fixture(scope="module")
def reference(experiment, tmp_path_factory):
    """Folder of the fp32 run."""
    folder = tmp_path_factory.mktemp("fp32")
    run_years(experiment, FIRST, LAST, folder)
    return folder


@pytest.fixture
def bf16(experiment):
    """Write the experiment again, in bf16."""
    path = experiment.parent / "bf16.toml"
    text = experiment.read_text("utf-8")
    assert 'provider = "cpu"' in text
    new = 'provider = "openvino"\nprecision = "bf16"'
    path.write_text(text.replace('provider = "cpu"', new), "utf-8")
    return path


def by_hand(experiment, rounding=to_bf16):
    """Step through it with rounded logits: agreement of each single step, and at the end."""
    plain = Emulator.open(experiment)
    rounded = Emulator.open(experiment)
    object.__setattr__(rounded.session, "_session", Rounded(plain.session._session, rounding))
    state = free = plain.start(FIRST)
    land = ~np.isin(state.land_use, plain.scheme.fixed_numbers)
    singles = []
    for year in range(FIRST + 1, LAST + 1):
        single = rounded.step(year, state).land_use
        state, free = plain.step(year, state), rounded.step(year, free)
        singles.append((single == state.land_use)[land].mean())
    return singles, (free.land_use == state.land_use)[land].mean()


def test_a_run_is_held_against_the_saved_maps(bf16, experiment, reference, openvino, tmp_path):
    """Figures as by hand; four years are too few for a pass, and the copy says so."""
    verdict = verify_experiment(bf16, reference, FIRST, LAST, out=tmp_path / "m.onnx")
    gate = verdict.gate
    singles, last = by_hand(experiment)
    assert [step.agreement for step in gate.steps] == singles and gate.drift[-1].agreement == last
    assert 0.9 < gate.one_step_agreement < 1 and last < 1 and gate.reproduced == 1
    assert 0.1 < gate.steps[0].changed < gate.drift[-1].changed < 1
    assert [step.year for step in gate.steps] == list(range(FIRST + 1, LAST + 1))
    assert (gate.provider, gate.precision, gate.years) == ("openvino", "bf16", (FIRST, LAST))
    assert gate.runs_on["precision"] == "bf16"
    assert not gate.passed and "a run of 4 years, a pass needs 100" in gate.failed[0]
    assert "not passed: a run of 4 years" in verdict.text
    assert "openvino in bf16" in describe(verdict.model)
    with pytest.raises(ModelError, match="did not pass on openvino in bf16"):
        Session.open(verdict.model, "openvino", precision="bf16")
    with pytest.raises(ModelError, match="was not verified on openvino in fp32"):
        Session.open(verdict.model, "openvino")


def test_the_copy_is_the_same_graph_and_opens_on_the_cpu(
    bf16, reference, openvino, tiny_model, tmp_path
):
    verdict = verify_experiment(bf16, reference, FIRST, LAST, out=tmp_path / "m.onnx")
    protos = [onnx.load(path) for path in (tiny_model, verdict.model)]
    graphs = [proto.graph.SerializeToString(deterministic=True) for proto in protos]
    assert graphs[0] == graphs[1]
    before, after = Session.open(tiny_model), Session.open(verdict.model)
    assert after.card.model_copy(update={"gates": []}) == before.card
    assert after.card.gates == [verdict.gate] and after.sha256 != before.sha256
    assert verdict.gate.reference_model == before.sha256


def test_what_passes_runs_and_what_rounds_too_far_does_not(
    bf16, reference, openvino, tmp_path, monkeypatch
):
    """Where four years are enough: logits as they are pass, whole numbers do not."""
    monkeypatch.setattr(precision_gate, "LEAST_YEARS", 4)
    openvino(np.array)
    verdict = verify_experiment(bf16, reference, FIRST, LAST, out=tmp_path / "exact.onnx")
    assert verdict.gate.passed and verdict.text.endswith("passed")
    text = bf16.read_text("utf-8")
    model = load_experiment(bf16).model
    runs = bf16.parent / "passed.toml"
    runs.write_text(text.replace(f'"{model}"', f'"{verdict.model}"'), "utf-8")
    assert Emulator.open(runs).session.provenance["precision"] == "bf16"
    openvino(np.round)
    verdict = verify_experiment(bf16, reference, FIRST, LAST, out=tmp_path / "coarse.onnx")
    words = " ".join(verdict.gate.failed)
    assert "one step agrees on" in words and "of the cells that a step changes differ" in words


def test_the_command_writes_the_copy_and_fails_without_a_pass(
    bf16, reference, openvino, tmp_path, monkeypatch, capsys
):
    with pytest.raises(typer.Exit) as ended:
        command(bf16, reference, f"{FIRST}:{LAST}", tmp_path / "m.onnx")
    assert ended.value.exit_code == 1
    said = capsys.readouterr().out
    assert "not passed" in said and f"wrote {tmp_path / 'm.onnx'} and its manifest" in said
    monkeypatch.setattr(precision_gate, "LEAST_YEARS", 4)
    openvino(np.array)
    command(bf16, reference, f"{FIRST}:{LAST}", tmp_path / "m.onnx")
    assert Session.open(tmp_path / "m.onnx").card.gates[0].passed


def test_backward_runs_are_verified_too(bf16, experiment, openvino, tmp_path):
    run_years(experiment, 1986, 1984, tmp_path / "back")
    verdict = verify_experiment(bf16, tmp_path / "back", 1986, 1984, out=tmp_path / "m.onnx")
    assert [step.year for step in verdict.gate.steps] == [1985, 1984]
    assert verdict.gate.reproduced == 1


def test_the_reference_itself_is_not_verified(experiment, reference):
    done = subprocess.run(
        [sys.executable, "-m", "landstep", "verify", str(experiment), "--reference",
         str(reference), "--years", f"{FIRST}:{LAST}"], capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == ConfigError.status
    assert "runs on the cpu in fp32, which is the reference" in done.stderr


def test_a_folder_of_another_run_is_refused(bf16, reference, openvino, tmp_path):
    """Another start, other settings; no run at all."""
    with pytest.raises(ConfigError, match=r"holds another run: \{'start': 'map of 2027'\}, expe"):
        verify_experiment(bf16, reference, FIRST + 1, LAST, out=tmp_path / "m.onnx")
    record = json.loads((reference / "run.json").read_text("utf-8"))
    (tmp_path / "run.json").write_text(json.dumps(record | {"model_sha256": "0"}), "utf-8")
    with pytest.raises(ConfigError, match="holds another run: {'model_sha256': '0'}, expected"):
        verify_experiment(bf16, tmp_path, FIRST, LAST, out=tmp_path / "m.onnx")
    with pytest.raises(InputError, match=r"run.json: cannot be read .*folder of `landstep run`"):
        verify_experiment(bf16, tmp_path / "no", FIRST, LAST, out=tmp_path / "m.onnx")
    assert not (tmp_path / "m.onnx").exists()


def test_a_reference_that_ends_too_early_is_named(bf16, reference, openvino, tmp_path):
    with pytest.raises(InputError, match=f"land_use_{LAST + 1}.nc"):
        verify_experiment(bf16, reference, FIRST, LAST + 1, out=tmp_path / "m.onnx")
    assert not (tmp_path / "m.onnx").exists()


def test_years_that_are_copied_or_none_are_refused(bf16, reference, openvino, tmp_path):
    """Observed maps reach to 2030."""
    copying = bf16.parent / "copying_bf16.toml"
    copying.write_text('observed = "copy"\n' + bf16.read_text("utf-8"), "utf-8")
    with pytest.raises(ConfigError, match="with observed = .copy. the map of 2028 is not stepped"):
        verify_experiment(copying, reference, FIRST, LAST)
    with pytest.raises(ConfigError, match="expected a year or more to step"):
        verify_experiment(bf16, reference, FIRST, FIRST)


def record(precision, passed):
    return Gate(
        provider="openvino", precision=precision, runs_on={}, reference_model="a" * 64,
        experiment="x", years=(1, 101), reproduced=1, passed=passed, date="2026-11-26",
        steps=[StepFigures(year=2, agreement=1, changed=0)],
        drift=[{"year": 2, "agreement": 1, "changed": 0, "area_difference": 0}],
    )  # fmt: skip


def test_a_newer_record_takes_the_place_of_the_same_pair(tiny_model, tmp_path):
    first, second = tmp_path / "1.onnx", tmp_path / "2.onnx"
    write_copy(tiny_model, record("bf16", False), first)
    write_copy(first, record("fp32", True), second)
    write_copy(second, record("bf16", True), first)
    gates = Session.open(first).card.gates
    assert [(g.precision, g.passed) for g in gates] == [("fp32", True), ("bf16", True)]


def test_the_model_itself_is_not_written_over(tiny_model):
    before = tiny_model.read_bytes()
    with pytest.raises(ConfigError, match="is the model itself; name another file"):
        write_copy(tiny_model, record("bf16", True), tiny_model)
    assert tiny_model.read_bytes() == before


def test_the_copy_lies_beside_the_model_or_the_experiment(bf16, tiny_model):
    """A model of the package is not written beside."""
    experiment = load_experiment(bf16)
    assert copy_path(experiment) == tiny_model.parent / "tiny.bf16.onnx"
    fp32 = experiment.run.model_copy(update={"precision": "fp32"})
    assert copy_path(experiment.model_copy(update={"run": fp32})).name == "tiny.openvino.onnx"
    shipped = experiment.model_copy(update={"model": "builtin:world"})
    assert copy_path(shipped) == bf16.parent / "world.bf16.onnx"


def test_single_steps_are_spread_over_the_run():
    assert evenly(range(1991, 2091), 10) == [
        1991, 2002, 2013, 2024, 2035, 2046, 2057, 2068, 2079, 2090
    ]  # fmt: skip
    assert evenly(range(1985, 1982, -1), 10) == [1985, 1984, 1983]
