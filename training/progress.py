"""What a training says while it runs: lightning's bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

EVERY_S = 10.0
"""Seconds from one plain line to the next."""


class PlainLines(Callback):
    """Prints step, loss, learning rate and time left, at most every EVERY_S seconds.

    Of several processes the first one prints.
    """

    def __init__(self, steps: int, every_s: float = EVERY_S) -> None:
        self.steps, self.every_s = steps, every_s
        self.began, self.first_step, self.said = 0.0, 0, 0.0

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Note when and where the training begins."""
        self.began = self.said = time.monotonic()
        self.first_step = trainer.global_step

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Print a line, if it is time or this is the last step."""
        now, step = time.monotonic(), trainer.global_step
        if not trainer.is_global_zero or (now - self.said < self.every_s and step < self.steps):
            return
        self.said = now
        left = (now - self.began) / max(1, step - self.first_step) * (self.steps - step)
        loss = float(outputs["loss"])
        rate = trainer.optimizers[0].param_groups[0]["lr"]
        done = f"step {step} of {self.steps}, loss {loss:.4f}, rate {rate:.2g}"
        print(f"{done}, {_duration(left)} left", flush=True)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


@contextmanager
def quiet() -> Iterator[None]:
    """Keep lightning's notes on devices, tips and loaders off the terminal."""
    loggers = [logging.getLogger(n) for n in ("lightning", "lightning.pytorch", "lightning.fabric")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
