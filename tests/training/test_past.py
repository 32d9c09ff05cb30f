"""What the maps before say of a cell, against a count by hand."""

import numpy as np
import pytest
import torch

from landstep.emulator.classes import MASKED
from landstep.training.past import SHOWN, past, past_planes

K = 4
NUMBERS = torch.arange(K, dtype=torch.int32).view(1, -1, 1, 1)


def by_hand(cell, lag):
    """Planes of one cell: its classes from the prior back."""
    before, known = cell[1:], [c for c in cell[1:] if c != MASKED]
    planes = [float(c == k) for c in before[:SHOWN] for k in range(K)]
    planes += [known.count(k) / max(1, len(known)) for k in range(K)]
    for k in range(K):
        back = [n + 1 for n, c in enumerate(before) if c == k]
        planes.append(1 / back[0] if back and cell[0] != k else 0.0)
    steps = [
        (n + 1, a != b)
        for n, (a, b) in enumerate(zip(cell, before, strict=False))
        if MASKED not in (a, b)
    ]
    changed = [n for n, change in steps if change]
    planes.append(1 / changed[0] if changed else 0.0)
    planes.append(len(changed) / max(1, len(steps)))
    return [*planes, len(known) / len(before), np.sign(lag), np.log2(abs(lag))]


@pytest.mark.parametrize(("lag", "depth"), [(1, 3), (-1, 5), (10, 2), (-5, 1)])
def test_planes_are_those_counted_cell_by_cell(lag, depth):
    rng = np.random.default_rng(3)
    maps = rng.choice([0, 1, 1, 1, 2, 3, MASKED], (1 + depth, 5, 7)).astype(np.uint8)
    prior, history = torch.from_numpy(maps[None, 0]), torch.from_numpy(maps[None, 1:])
    found = past(prior, history, torch.tensor([float(lag)]), NUMBERS)[0].numpy()
    assert found.shape == (past_planes(K, depth), 5, 7) and found.dtype == np.float32
    for y in range(5):
        for x in range(7):
            np.testing.assert_allclose(found[:, y, x], by_hand(maps[:, y, x], lag), atol=1e-6)


def test_a_cell_by_hand():
    """Prior 1, then 1, 2, 2: class 2 was two steps back, when it changed; one step of three did."""
    column = torch.tensor([1, 1, 2, 2], dtype=torch.uint8).view(1, 4, 1, 1)
    planes = past(column[:, 0], column[:, 1:], torch.tensor([-10.0]), NUMBERS)[0, :, 0, 0]
    assert planes[12:16].tolist() == pytest.approx([0, 1 / 3, 2 / 3, 0])
    assert planes[16:20].tolist() == pytest.approx([0, 0, 1 / 2, 0])
    assert planes[-5:].tolist() == pytest.approx([1 / 2, 1 / 3, 1.0, -1.0, 3.321928])
