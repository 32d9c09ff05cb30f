"""Train a network as a training file says; lightning drives it."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.utilities.types import OptimizerLRSchedulerConfig
from torch import Tensor
from torch.utils.data import DataLoader

from landstep.emulator.card import Card
from landstep.emulator.classes import MASKED
from landstep.emulator.errors import ConfigError
from landstep.training.checkpoint import KEY, pack, read_card, read_checkpoint
from landstep.training.config import FitTable, TrainingConfig, load_config, training_pairs
from landstep.training.evaluate import score, score_pairs
from landstep.training.loss import loss_of
from landstep.training.network import LandUseNetwork, NetworkShape, paint
from landstep.training.progress import PlainLines, quiet
from landstep.training.region import Pair, Region, load_region, same_channels
from landstep.training.samples import Samples, collate, hide, mask_blocks

SMOOTHING = 0.99
"""The loss in the card is a running mean that keeps this share at each step."""


def train(
    config_path: str | Path,
    *,
    output: str | Path | None = None,
    experiments: Sequence[str | Path] | None = None,
    resume: bool = False,
    progress: bool = True,
) -> Path:
    """Train a network and leave a checkpoint that `landstep.export.write.export_model` reads.

    config_path : the training file; output, experiments : instead of those that it names
    resume : go on from the checkpoint at `output`; the result has the same bits as without a stop
    progress : show how far it is
    returns : path of the checkpoint
    Raises ConfigError for a training file that cannot be followed, or a checkpoint that was made
    by another one; InputError for data that cannot be read; ModelError where there is nothing to
    resume from.
    """
    config = load_config(config_path)
    if experiments is not None:
        paths = [Path(entry).resolve() for entry in experiments]
        config = config.model_copy(
            update={"data": config.data.model_copy(update={"experiments": paths})}
        )
    out = Path(output) if output is not None else config.folder / config.output
    if not out.parent.is_dir():
        raise ConfigError(f"output {out}: there is no folder {out.parent}")
    pairs = training_pairs(config.data.years, config.data.lags, config.data.direction)
    scored = score_pairs(config.validation)
    yearly = [(after - 1 if after > before else after + 1, after) for before, after in pairs]
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
        _check_resumable(card, out)
    with _settings(config.fit), quiet():
        fitting = Fitting(config, card, regions, pairs)
        trainer = _trainer(config.fit, out, progress)
        trainer.fit(fitting, ckpt_path=out if resume else None, weights_only=True)
        fitting.finish(score(fitting.network.cpu(), regions, config.validation))
        trainer.save_checkpoint(out)
    return out


class Fitting(LightningModule):
    """The network with its loss, its samples and its optimiser, as lightning wants them."""

    def __init__(
        self, config: TrainingConfig, card: Card, regions: Sequence[Region], pairs: Sequence[Pair]
    ) -> None:
        super().__init__()
        self.config = config
        self.samples = Samples(regions, pairs, config.samples, config.fit.seed, config.data.history)
        network = LandUseNetwork(NetworkShape.of_card(card))
        network.set_scaling(*_scaling(regions))
        counts = np.sum([region.transitions(pairs) for region in regions], axis=0)
        raised = network.set_transitions(counts)
        self.network = network
        self.tiles = _tiles(self.samples)
        self.record: dict[str, Any] = {
            "raised_diagonal": raised,
            "steps_done": 0,
            "loss": None,
            "cpu_seconds": 0.0,
        }
        self.card = card
        self.clock = time.process_time()

    def training_step(self, batch: Mapping[str, Tensor], batch_idx: int) -> Tensor:
        """Give the loss of one batch."""
        coarse = self.network.coarse_channels(
            batch["forcing"], batch["forcing_change"], batch["prior_shares"]
        )
        painted = torch.cat(
            [paint(coarse[n : n + 1], batch["row"][n], batch["col"][n]) for n in range(len(coarse))]
        )
        logits = self.network(
            *(batch[n] for n in ("prior", "history", "years", "continuous", "categories")), painted
        )
        return loss_of(
            logits, batch["prior"], batch["target"], self.network.allowed, self.config.fit
        )

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Keep the running mean of the loss."""
        loss, before = float(outputs["loss"]), self.record["loss"]
        smooth = loss if before is None else SMOOTHING * before + (1 - SMOOTHING) * loss
        self.record["loss"] = smooth
        self.record["steps_done"] = self.trainer.global_step

    def train_dataloader(self) -> DataLoader[dict[str, np.ndarray]]:
        """Give the samples from the step reached to the next checkpoint."""
        fit, batch = self.config.fit, self.config.samples.batch
        begin = self.trainer.global_step
        end = min(begin + fit.checkpoint_every, fit.steps)
        part = self.samples.span(begin * batch, end * batch)
        return DataLoader(part, batch_size=batch, collate_fn=collate)

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
        checkpoint[KEY] = pack(self.card.model_copy(update={"training": training}), self.tiles)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take up the record where it was left."""
        training = Card.model_validate_json(checkpoint[KEY]["card"]).training
        self.record.update({name: training[name] for name in self.record})

    def finish(self, scores: list[dict[str, Any]]) -> None:
        """Put the scores into the card."""
        self.card = self.card.model_copy(update={"scores": scores})


def draft_card(config: TrainingConfig, regions: Sequence[Region]) -> Card:
    """Write the model card as far as it is known before the first step.

    Raises ConfigError where the experiments do not belong together.
    """
    data = config.data
    categories = same_channels(regions, data.categories, data.category_sizes)
    of = regions[0].scheme
    return Card(
        name=config.name,
        landstep_version=_version(),
        scheme=of.name,
        class_codes=list(of.codes),
        class_names=list(of.names),
        states=list(regions[0].states),
        continuous=data.continuous,
        categories=categories,
        base=config.network.base,
        depth=config.network.depth,
        history=data.history,
        direction=data.direction,
        lags=sorted(set(data.lags)),
        stay_weight=config.allocation.stay_weight,
        miss_price=config.allocation.miss_price,
        phase=regions[0].phase,
        licence=config.licence,
        sources=config.sources,
        training={
            "config": _plain(config),
            "data": [{"experiment": region.name, "sha256": region.files} for region in regions],
            "torch": torch.__version__,
        },
    )


def _plain(config: TrainingConfig) -> dict[str, Any]:
    """Give the training file's values that decide the result, without this machine's paths."""
    text = config.model_dump_json(exclude={"folder": True, "output": True, "data": {"experiments"}})
    return dict(json.loads(text))


def _check_resumable(card: Card, out: Path) -> None:
    """Refuse to go on from a checkpoint that another training file or other data made."""
    before = read_card(read_checkpoint(out), out).training
    for what in ("config", "data", "torch"):
        if before.get(what) != card.training[what]:
            raise ConfigError(
                f"{out}: cannot be resumed, its {what} is {before.get(what)}, now it is "
                f"{card.training[what]}; train anew, or take what it was made with"
            )


def _scaling(regions: Sequence[Region]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation (S,) of the continuous statics over all land."""
    values = np.concatenate([r.continuous[:, r.land()].astype(np.float64) for r in regions], axis=1)
    return values.mean(axis=1), values.std(axis=1)


def _tiles(samples: Samples) -> tuple[dict[str, np.ndarray], ...]:
    """Give three real inputs to verify an export on: prior known, partly masked, masked."""
    known = samples.draw(0)
    del known["target"]
    rng = np.random.default_rng(samples.seed)
    prior, history = known["prior"][0], known["history"][0]
    maps = hide(mask_blocks(prior, [8], rng), prior, history)
    partly = {**known, **{n: m[None] for n, m in zip(("prior", "history"), maps, strict=True)}}
    nothing = {n: np.full_like(known[n], MASKED) for n in ("prior", "history")}
    return known, partly, {**known, **nothing}


def _trainer(fit: FitTable, out: Path, progress: bool) -> Trainer:
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
    return Trainer(
        accelerator=fit.accelerator,
        devices=1,
        max_steps=fit.steps,
        max_epochs=-1,
        deterministic=True,
        gradient_clip_val=fit.clip,
        reload_dataloaders_every_n_epochs=1,
        callbacks=callbacks,
        logger=False,
        enable_progress_bar=terminal,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        default_root_dir=out.resolve().parent,
    )


@contextmanager
def _settings(fit: FitTable) -> Iterator[None]:
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


def _version() -> str:
    try:
        return version("landstep")
    except PackageNotFoundError:
        return "not installed"
