"""A training on two processes is that of one: same samples, loss and weights, up to rounding."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from landstep.emulator.classes import MASKED, scheme
from landstep.training import fit
from landstep.training.checkpoint import load_checkpoint
from landstep.training.config import FitTable
from landstep.training.loss import loss_of
from landstep.training.network import allowed_classes

SCRIPT = Path(__file__).with_name("one_of_two.py")
TRAINING = """
name = "made up"
output = "made_up.ckpt"
[data]
experiments = ["experiment.toml"]
years = [2000, 2006]
lags = [1, 2]
history = 2
[network]
base = 4
depth = 2
[samples]
patch = 24
batch = 4
blocks = [4, 8]
rollout = 0.5
[fit]
steps = 6
rate = 1e-3
checkpoint_every = 3
held_out = 0.2
"""


def made_up_parts():
    """Make up a field to normalise and cells to take the loss of, four samples of each."""
    generator = torch.Generator().manual_seed(3)
    rng = np.random.default_rng(3)
    prior = rng.choice([1, 2, 4, 5, MASKED], (4, 6, 5)).astype(np.uint8)
    prior[3] = 4  # the second process alone has no masked cell
    target = rng.choice([1, 2, 4, 5, MASKED], (4, 6, 5)).astype(np.uint8)
    return {
        "field": 3 + 2 * torch.randn(4, 3, 5, 7, generator=generator),
        "pull": torch.randn(4, 3, 5, 7, generator=generator),
        "logits": torch.randn(4, 8, 6, 5, generator=generator),
        "prior": torch.from_numpy(prior),
        "target": torch.from_numpy(target),
        "allowed": allowed_classes(scheme("hilda8").fixed),
    }


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Start two processes once; what both found, what was printed, and where the checkpoint is."""
    folder = tmp_path_factory.mktemp("processes")
    (folder / "made_up.toml").write_text(TRAINING)
    (folder / "uneven.toml").write_text(TRAINING.replace("batch = 4", "batch = 3"))
    torch.save(made_up_parts(), folder / "parts.pt")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node"]
    launcher = subprocess.Popen(
        [*command, "2", str(SCRIPT), str(folder)],
        env={**os.environ, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        printed, errors = launcher.communicate(timeout=1800)
    except subprocess.TimeoutExpired:
        launcher.terminate()  # it ends its two processes then
        raise
    assert launcher.returncode == 0, errors
    found = [torch.load(folder / f"found_{rank}.pt") for rank in (0, 1)]
    return found, printed, folder / "made_up.ckpt"


@pytest.fixture(scope="module")
def alone(tmp_path_factory, make_region):
    """Train in this process alone: the loss of each step and the checkpoint."""
    folder = tmp_path_factory.mktemp("alone")
    (folder / "made_up.toml").write_text(TRAINING)
    losses, whole = [], fit.Fitting.on_train_batch_end

    def on_train_batch_end(self, outputs, batch, batch_idx):
        losses.append(outputs["loss"].item())
        whole(self, outputs, batch, batch_idx)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fit.Fitting, "on_train_batch_end", on_train_batch_end)
        patch.setattr(fit, "load_region", lambda *_: make_region())
        out = fit.train(folder / "made_up.toml", progress=False)
    return losses, out


def test_each_step_has_the_loss_of_one_process(run, alone):
    found, _, _ = run
    assert found[0]["losses"] == found[1]["losses"] and len(found[0]["losses"]) == 6
    np.testing.assert_allclose(found[0]["losses"], alone[0], rtol=1e-4)
    assert np.ptp(alone[0]) > 0.1


def test_the_weights_are_those_of_one_process(run, alone):
    """All but a few are; AdamW steps by 0.003 where a gradient is next to nothing, too."""
    two, one = (load_checkpoint(path) for path in (run[2], alone[1]))
    weights = one.network.state_dict()
    for name, value in two.network.state_dict().items():
        np.testing.assert_allclose(value, weights[name], rtol=1e-4, atol=2e-3, err_msg=name)
        assert (value.double() - weights[name].double()).abs().mean() <= 1e-4, name
    skills = [end.card.training["change_skill"] for end in (two, one)]
    np.testing.assert_allclose(skills[0], skills[1], atol=1e-4)
    assert one.card.training["loss"] == pytest.approx(two.card.training["loss"], rel=1e-4)


def test_one_process_alone_prints(run):
    lines = [line for line in run[1].splitlines() if line.startswith("step ")]
    assert len(lines) == 1 and lines[0].startswith("step 6 of 6, loss ")


def test_a_batch_that_cannot_be_shared_evenly_is_refused_by_each(run):
    for found in run[0]:
        assert "samples.batch 3 on 2 processes: expected a multiple" in found["refused"]


def test_normalisation_is_that_of_the_joined_batch(run):
    """Three samples in one process and one in the other: torch's own over all four."""
    parts, found = made_up_parts(), [one["norm"] for one in run[0]]
    norm = torch.nn.BatchNorm2d(3)
    with torch.no_grad():
        norm.weight.copy_(torch.linspace(0.5, 2, 3))
        norm.bias.copy_(torch.linspace(-1, 1, 3))
    field = parts["field"].clone().requires_grad_(True)
    expected = norm(field)
    expected.backward(parts["pull"])
    for name, value in (("output", expected.detach()), ("gradient", field.grad)):
        joined = torch.cat([one[name] for one in found])
        np.testing.assert_allclose(joined, value, rtol=1e-4, atol=1e-5)
    for name, value in (("weight", norm.weight.grad), ("bias", norm.bias.grad)):
        np.testing.assert_allclose(found[0][name] + found[1][name], value, rtol=1e-4, atol=1e-5)
    for one in found:
        for name, value in norm.named_buffers():
            np.testing.assert_allclose(one["statistics"][name], value, rtol=1e-5)
        np.testing.assert_allclose(one["alone"], norm.eval()(field).detach(), rtol=1e-4, atol=1e-5)


def test_the_mean_of_the_losses_is_that_of_the_joined_batch(run):
    """Known and masked cells are averaged over both, though one has no masked cell."""
    parts = made_up_parts()
    cells = parts["logits"], parts["prior"], parts["target"], parts["allowed"]
    found = [one["loss"] for one in run[0]]
    assert np.mean(found) == pytest.approx(loss_of(*cells, FitTable()).item(), rel=1e-5)
    assert found[0] != pytest.approx(found[1], rel=0.1)
