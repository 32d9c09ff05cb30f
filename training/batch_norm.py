"""Batch normalisation over the samples of all processes of a training."""

from __future__ import annotations

import torch
from torch import Tensor, distributed, nn
from torch.distributed.nn.functional import all_reduce


class BatchNorm(nn.BatchNorm2d):
    """Batch normalisation whose mean and variance are those of the batch over all processes.

    Torch's own SyncBatchNorm does the same on accelerators only. In one process, and when it is not
    training, this is torch's BatchNorm2d.
    """

    def forward(self, field: Tensor) -> Tensor:
        """Normalise a field: (n, c, y, x) to the same."""
        if not (self.training and distributed.is_initialized()):
            return super().forward(field)
        places = (0, 2, 3)
        count = field.new_full((1,), field.numel() / field.shape[1])
        sums = all_reduce(torch.cat([field.sum(places), field.square().sum(places), count]))
        count, channels = sums[-1], field.shape[1]
        mean = sums[:channels] / count
        variance = (sums[channels:-1] / count - mean.square()).clamp(min=0)
        with torch.no_grad():
            self._keep(mean, variance * (count / (count - 1)))
        scale = (variance + self.eps).rsqrt() * self.weight
        shift = self.bias - mean * scale
        return field * scale.view(1, -1, 1, 1) + shift.view(1, -1, 1, 1)

    def _keep(self, mean: Tensor, variance: Tensor) -> None:
        """Move the running statistics towards those of this batch."""
        momentum = 0.1 if self.momentum is None else self.momentum
        for running, now in ((self.running_mean, mean), (self.running_var, variance)):
            if running is not None:
                running.lerp_(now, momentum)
        if self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
