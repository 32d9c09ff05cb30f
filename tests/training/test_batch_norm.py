"""Batch normalisation in one process: torch's own, to the bit (two: test_processes.py)."""

import torch

from landstep.training.batch_norm import BatchNorm


def test_in_one_process_it_is_torchs_own():
    field = 3 + torch.randn(3, 4, 5, 7, generator=torch.Generator().manual_seed(0))
    own, torchs = BatchNorm(4), torch.nn.BatchNorm2d(4)
    for mode in (True, False):
        own.train(mode), torchs.train(mode)
        assert torch.equal(own(field), torchs(field))
    state = torchs.state_dict()
    assert own.state_dict().keys() == state.keys()
    assert all(torch.equal(value, state[name]) for name, value in own.state_dict().items())
