"""How lightning and torch are set up: one process, or as many as torch's own launcher started."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from lightning.pytorch import Callback, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.plugins.environments import LightningEnvironment, TorchElasticEnvironment
from torch import Tensor, distributed

from landstep.emulator.errors import ConfigError
from landstep.training.config import FitTable, TrainingConfig
from landstep.training.progress import PlainLines


def new_trainer(fit: FitTable, out: Path, progress: bool) -> Trainer:
    """Set lightning up: nothing logged, a checkpoint at the end of each epoch of some steps."""
    terminal = progress and sys.stdout.isatty()
    callbacks: list[Callback] = [
        ModelCheckpoint(
            dirpath=out.resolve().parent,
            filename=out.name.removesuffix(".ckpt"),
            every_n_epochs=1,
            save_on_train_epoch_end=True,
            enable_version_counter=False,
        )
    ]
    if progress and not terminal:
        callbacks.append(PlainLines(fit.steps))
    processes, here = _processes()
    launched = TorchElasticEnvironment.detect()
    return Trainer(
        accelerator=fit.accelerator,
        devices=here,
        num_nodes=processes // here,
        strategy="ddp" if processes > 1 else "auto",
        use_distributed_sampler=False,
        max_steps=fit.steps,
        max_epochs=-1,
        deterministic=True,
        gradient_clip_val=fit.clip,
        reload_dataloaders_every_n_epochs=1,
        callbacks=callbacks,
        # named, because looking for other launchers imports mpi4py, which starts MPI
        plugins=TorchElasticEnvironment() if launched else LightningEnvironment(),
        logger=False,
        enable_progress_bar=terminal,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        default_root_dir=out.resolve().parent,
    )


@contextmanager
def settings(fit: FitTable) -> Iterator[None]:
    """Seed torch and set its threads; give the caller's settings back afterwards."""
    threads, deterministic = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    with torch.random.fork_rng():
        torch.manual_seed(fit.seed)
        torch.set_num_threads(fit.threads)
        try:
            yield
        finally:
            torch.set_num_threads(threads)
            torch.use_deterministic_algorithms(deterministic)


def _processes() -> tuple[int, int]:
    """Give the processes of the training, and those on this machine, as torchrun says."""
    total, here = (int(os.environ.get(name, 1)) for name in ("WORLD_SIZE", "LOCAL_WORLD_SIZE"))
    return total, here


def check_processes(config: TrainingConfig) -> None:
    """Refuse a batch that the processes cannot share evenly."""
    total, batch = _processes()[0], config.samples.batch
    if batch % total:
        raise ConfigError(
            f"samples.batch {batch} on {total} processes: expected a multiple of their number, so "
            "that each has as many samples of a batch"
        )


def over_processes(loss: Tensor) -> float:
    """Average the loss over the processes of the training."""
    loss = loss.detach().clone()
    if distributed.is_initialized():
        distributed.all_reduce(loss)
        loss /= distributed.get_world_size()
    return float(loss)
