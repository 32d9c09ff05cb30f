"""Train a network as a training file says; lightning drives it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning.pytorch import LightningModule
from lightning.pytorch.utilities.types import OptimizerLRSchedulerConfig
from torch import Tensor
from torch.utils.data import DataLoader

from landstep.emulator.card import Card
from landstep.emulator.classes import MASKED
from landstep.emulator.errors import ConfigError
from landstep.training.checkpoint import KEY, pack
from landstep.training.config import TrainingConfig, load_config, training_pairs
from landstep.training.draft import check_resumable, draft_card
from landstep.training.evaluate import score, score_pairs
from landstep.training.fitting import batch_logits, fitted
from landstep.training.held_out import HeldOut, left_out_cells
from landstep.training.launch import check_processes, new_trainer, over_processes, settings
from landstep.training.loss import loss_of
from landstep.training.network import LandUseNetwork, NetworkShape
from landstep.training.patches import Patch, collate, hide, mask_blocks
from landstep.training.progress import quiet
from landstep.training.region import Pair, Region, load_region
from landstep.training.rollout import Batch, own_prior
from landstep.training.samples import Samples

SMOOTHING = 0.99
"""The loss in the card is a running mean that keeps this share at each step."""


def train(
    config: str | Path | TrainingConfig,
    *,
    output: str | Path | None = None,
    experiments: Sequence[str | Path] | None = None,
    resume: bool = False,
    progress: bool = True,
) -> Path:
    """Train a network and leave a checkpoint that `landstep.export.write.export_model` reads.

    config : the training file, or what was read of one; output, experiments : instead of those
        that it names
    resume : go on from the checkpoint at `output`; the result has the same bits as without a stop
    progress : show how far it is
    returns : path of the checkpoint
    Raises ConfigError for a training file that cannot be followed, or a checkpoint that was made
    by another one; InputError for data that cannot be read; ModelError where there is nothing to
    resume from.
    """
    if not isinstance(config, TrainingConfig):
        config = load_config(config)
    if experiments is not None:
        paths = [Path(entry).resolve() for entry in experiments]
        config = config.model_copy(
            update={"data": config.data.model_copy(update={"experiments": paths})}
        )
    out = Path(output) if output is not None else config.folder / config.output
    if not out.parent.is_dir():
        raise ConfigError(f"output {out}: there is no folder {out.parent}")
    check_processes(config)
    of = config.data
    pairs = training_pairs(of.years, of.lags, of.direction, of.least_history)
    scored = score_pairs(config.validation)
    yearly = training_pairs(of.years, [1], of.direction)
    regions = [
        load_region(
            config.folder / entry,
            sorted({*pairs, *yearly, *scored}),
            config.data.continuous,
            config.data.categories,
            config.data.history,
        )
        for entry in config.data.experiments
    ]
    card = draft_card(config, regions)
    if resume:
        check_resumable(card, out)
    with settings(config.fit), quiet():
        trainer = new_trainer(config.fit, out, progress)
        fitting = Fitting(config, card, regions, pairs)
        trainer.fit(fitting, ckpt_path=out if resume else None, weights_only=True)
        fitting.take_best()
        fitting.finish(score(fitting.network, regions, config.validation))
        trainer.save_checkpoint(out)
    return out


class Fitting(LightningModule):
    """The network with its loss, its samples and its optimiser, as lightning wants them."""

    def __init__(
        self, config: TrainingConfig, card: Card, regions: Sequence[Region], pairs: Sequence[Pair]
    ) -> None:
        super().__init__()
        self.config = config
        apart = [left_out_cells(region, config) for region in regions]
        left_out = [fold | held for fold, held in apart]
        self.samples = Samples(
            regions,
            pairs,
            config.samples,
            config.fit.seed,
            config.data.history,
            left_out,
            config.data.years,
        )
        network = LandUseNetwork(NetworkShape.of_card(card))
        network.set_scaling(*_scaling(regions))
        counts = np.sum(
            [
                region.transitions(pairs, f | h)
                for region, (f, h) in zip(regions, apart, strict=True)
            ],
            axis=0,
        )
        raised = network.set_transitions(counts)
        self.network = network
        self.tiles = _tiles(self.samples)
        self.record: dict[str, Any] = {
            "raised_diagonal": raised,
            "steps_done": 0,
            "loss": None,
            "cpu_seconds": 0.0,
            "change_skill": [],
        }
        held = [mask for _, mask in apart]
        self.held_out = HeldOut(regions, pairs, config, held) if config.fit.held_out else None
        self.untrained = self.held_out.brier(network) if self.held_out else 1.0
        self.best: dict[str, Tensor] = {}
        self.card = card
        self.clock = time.process_time()

    def training_step(self, batch: list[Batch], batch_idx: int) -> Tensor:
        """Give the loss of one batch."""
        last = batch[-1]
        if len(batch) > 1:
            seed = self.config.fit.seed
            numbers = self._own_samples(self.trainer.global_step)
            noise = [torch.Generator().manual_seed(seed + number) for number in numbers]
            last = own_prior(self.network, batch, noise)
        raw = batch_logits(self.network, last)
        fit, allowed = self.config.fit, self.network.allowed
        loss, plain = (
            loss_of(logits, last["prior"], last["target"], allowed, fit)
            for logits in (fitted(self.network, raw, last), raw)
        )
        return loss + fit.unfitted * plain

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Keep the running mean of the loss."""
        loss, before = over_processes(outputs["loss"]), self.record["loss"]
        smooth = loss if before is None else SMOOTHING * before + (1 - SMOOTHING) * loss
        self.record["loss"] = smooth
        self.record["steps_done"] = self.trainer.global_step

    def on_train_epoch_end(self) -> None:
        """Measure the change skill; keep the best weights, and end where it has stopped to grow."""
        if self.held_out is None:
            return
        skill = 1 - self.held_out.brier(self.network) / max(self.untrained, 1e-12)
        found: list[list[float]] = self.record["change_skill"]
        if all(skill > before for _, before in found):
            self.best = {name: v.detach().clone() for name, v in self.network.state_dict().items()}
        found.append([self.trainer.global_step, round(skill, 6)])
        if self._has_stopped_to_grow():
            self.trainer.should_stop = True

    def _has_stopped_to_grow(self) -> bool:
        """Tell whether `fit.patience` checkpoints have gone by since the best change skill."""
        skills = [skill for _, skill in self.record["change_skill"]]
        return bool(skills) and len(skills) - 1 - int(np.argmax(skills)) >= self.config.fit.patience

    def take_best(self) -> None:
        """Go back to the weights of the best change skill, and calibrate their probabilities."""
        self.network.cpu()
        if self.held_out is None:
            return
        self.network.load_state_dict(self.best)
        self.network.set_sharpness(1.0)
        self.network.set_sharpness(self.held_out.sharpness(self.network))

    def train_dataloader(self) -> DataLoader[list[Patch]]:
        """Give this process's samples from the step reached to the next checkpoint."""
        fit, batch = self.config.fit, self.config.samples.batch
        begin = self.trainer.global_step
        end = min(begin + fit.checkpoint_every, fit.steps)
        part = self.samples.span(begin * batch, end * batch)
        first = begin * batch
        steps = [
            [number - first for number in self._own_samples(step)] for step in range(begin, end)
        ]
        return DataLoader(part, batch_sampler=steps, collate_fn=collate)

    def _own_samples(self, step: int) -> range:
        """Numbers of the samples that this process has in a step, of those of all processes."""
        batch = self.config.samples.batch
        mine = batch // self.trainer.world_size
        first = step * batch + self.trainer.global_rank * mine
        return range(first, first + mine)

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        """Give AdamW with a one-cycle schedule over all steps."""
        fit = self.config.fit
        optimiser = torch.optim.AdamW(
            self.network.parameters(), lr=fit.rate, weight_decay=fit.weight_decay
        )
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, fit.rate, total_steps=fit.steps, pct_start=0.15
        )
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add card and tiles to lightning's checkpoint."""
        now = time.process_time()
        self.record["cpu_seconds"] += now - self.clock
        self.clock = now
        training = {**self.card.training, **self.record}
        card = self.card.model_copy(update={"training": training})
        checkpoint[KEY] = pack(card, self.tiles) | {"best": self.best}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take up the record where it was left."""
        training = Card.model_validate_json(checkpoint[KEY]["card"]).training
        self.record.update({name: training[name] for name in self.record})
        self.best = checkpoint[KEY]["best"]
        self.trainer.should_stop = self._has_stopped_to_grow()
        # lightning takes the epoch to come for the one just ended, and would give it one step
        batches = checkpoint["loops"]["fit_loop"]["epoch_loop.batch_progress"]["current"]
        batches.update(dict.fromkeys(batches, 0))

    def finish(self, scores: list[dict[str, Any]]) -> None:
        """Put the scores into the card."""
        self.card = self.card.model_copy(update={"scores": scores})


def _scaling(regions: Sequence[Region]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation (S,) of the continuous statics over all land."""
    values = np.concatenate([r.continuous[:, r.land()].astype(np.float64) for r in regions], axis=1)
    return values.mean(axis=1), values.std(axis=1)


def _tiles(samples: Samples) -> tuple[dict[str, np.ndarray], ...]:
    """Give three real inputs to verify an export on: prior known, partly masked, masked."""
    place = samples.places[int(np.searchsorted(samples.cumulative, 0.5))]
    of, before, after, top, left = (int(value) for value in place)
    known = samples.known(of, (before, after), top, left)
    for name in ("target", "wanted", "whole"):
        del known[name]
    rng = np.random.default_rng(samples.seed)
    prior, history = known["prior"][0], known["history"][0]
    maps = hide(mask_blocks(prior, [8], rng), prior, history)
    partly = {**known, **{n: m[None] for n, m in zip(("prior", "history"), maps, strict=True)}}
    nothing = {n: np.full_like(known[n], MASKED) for n in ("prior", "history")}
    return known, partly, {**known, **nothing}
