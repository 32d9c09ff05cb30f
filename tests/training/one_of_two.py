"""What each of two processes does for test_processes.py: `one_of_two.py FOLDER`, by torchrun.

FOLDER holds made_up.toml, uneven.toml and parts.pt; what is found comes to lie there.
"""

import os
import sys
from pathlib import Path

import torch
from conftest import made_up_region
from torch import distributed

from landstep.emulator.errors import ConfigError
from landstep.training import fit, launch
from landstep.training.batch_norm import BatchNorm
from landstep.training.config import FitTable
from landstep.training.loss import loss_of

SPLIT = ((0, 3), (3, 4))
"""Samples of each process where they need not be as many."""


def normalise(field, pull, first, last):
    """Normalise part of a batch; `pull` is the gradient of its output."""
    norm = BatchNorm(field.shape[1])
    with torch.no_grad():
        norm.weight.copy_(torch.linspace(0.5, 2, field.shape[1]))
        norm.bias.copy_(torch.linspace(-1, 1, field.shape[1]))
    own = field[first:last].clone().requires_grad_(True)
    found = norm(own)
    found.backward(pull[first:last])
    return {
        "output": found.detach(),
        "gradient": own.grad,
        "weight": norm.weight.grad,
        "bias": norm.bias.grad,
        "statistics": dict(norm.named_buffers()),
        "alone": norm.eval()(field).detach(),
    }


def train(folder):
    """Train on the made-up region; keep the loss of each step."""
    losses, whole = [], fit.Fitting.on_train_batch_end

    def on_train_batch_end(self, outputs, batch, batch_idx):
        losses.append(launch.over_processes(outputs["loss"]))
        whole(self, outputs, batch, batch_idx)

    fit.Fitting.on_train_batch_end = on_train_batch_end
    fit.load_region = lambda *_: made_up_region()
    fit.train(folder / "made_up.toml")
    return losses


def main(folder):
    """Do it all; leave what this process found."""
    rank, parts = int(os.environ["RANK"]), torch.load(folder / "parts.pt")
    found = {}
    try:
        fit.train(folder / "uneven.toml")
    except ConfigError as error:
        found["refused"] = str(error)
    distributed.init_process_group("gloo")
    found["norm"] = normalise(parts["field"], parts["pull"], *SPLIT[rank])
    own = slice(*SPLIT[rank])
    cells = (parts["logits"][own], parts["prior"][own], parts["target"][own])
    found["loss"] = loss_of(*cells, parts["allowed"], FitTable()).item()
    found["losses"] = train(folder)
    torch.save(found, folder / f"found_{rank}.pt")
    distributed.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
