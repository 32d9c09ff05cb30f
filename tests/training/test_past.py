"""What the maps before say of a cell, against a count by hand."""

import numpy as np
import pytest
import torch

from landstep.emulator.classes import MASKED
from landstep.training.past import past

NUMBERS = torch.arange(4, dtype=torch.int32).view(1, -1, 1, 1)


def by_hand(cell, lag):
    """Planes of one cell: its classes from the prior back."""
    years = len(cell) - 1
    planes = [float(c == k) for c in cell[1:] for k in range(4)]
    age, changes, held = 0, 0, True
    for later, before in zip(cell, cell[1:], strict=False):
        known = MASKED not in (later, before)
        changes += known and later != before
        held = held and known and later == before
        age += held
    return [*planes, age / years, changes / years, np.sign(lag), np.log2(abs(lag))]


@pytest.mark.parametrize("lag", [1, -1, 10, -5])
def test_planes_are_those_counted_cell_by_cell(lag):
    rng = np.random.default_rng(3)
    maps = rng.choice([0, 1, 1, 1, 2, 3, MASKED], (4, 5, 7)).astype(np.uint8)
    prior, history = torch.from_numpy(maps[None, 0]), torch.from_numpy(maps[None, 1:])
    found = past(prior, history, torch.tensor([float(lag)]), NUMBERS)[0].numpy()
    assert found.shape == (3 * 4 + 4, 5, 7) and found.dtype == np.float32
    for y in range(5):
        for x in range(7):
            np.testing.assert_allclose(found[:, y, x], by_hand(maps[:, y, x], lag), atol=1e-6)


def test_a_cell_by_hand():
    """Prior 1, then 1, 2, 2: it holds for one year of three, and changed once."""
    column = torch.tensor([1, 1, 2, 2], dtype=torch.uint8).view(1, 4, 1, 1)
    planes = past(column[:, 0], column[:, 1:], torch.tensor([-10.0]), NUMBERS)[0, :, 0, 0]
    assert planes[-4:].tolist() == pytest.approx([1 / 3, 1 / 3, -1.0, 3.321928])
