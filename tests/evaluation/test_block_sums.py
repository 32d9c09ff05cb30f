"""Sums over blocks equal counting cell by cell."""

import numpy as np
import pytest

from landstep.emulator.classes import MASKED
from landstep.emulator.folds import number_blocks
from landstep.evaluation.block_sums import block_sums
from landstep.evaluation.change import change_counts
from landstep.evaluation.methods import Prediction


@pytest.mark.parametrize("geographic", [False, True])
def test_sums_equal_counting_cell_by_cell(new_case, geographic):
    case = new_case(geographic=geographic)
    rng = np.random.default_rng(3)
    land_use = np.where(rng.random(case.shape) < 0.2, 3, case.maps[2009]).astype(np.uint8)
    land_use[20, 20] = MASKED  # a cell that was not predicted is of no class
    probability = rng.dirichlet(np.ones(9), case.shape).transpose(2, 0, 1).astype(np.float32)
    found = Prediction(land_use, probability)
    prior, truth, mask = case.maps[2007], case.maps[2009], case.counted(2007, 2009)
    block, n = number_blocks(case.row, case.col, mask)
    change = change_counts(prior, land_use, truth, case.past(2007, 1), mask, block, n)
    sums = block_sums(case, found, 2007, 2009, mask, block, change)
    both, true, guess = np.zeros((3, 9, n))
    cells, squared = np.zeros((2, n))
    for y, x in np.argwhere(mask):
        b, area = block[y, x], float(case.area[y, 0]) if geographic else 1.0
        true[truth[y, x], b] += area
        if land_use[y, x] != MASKED:
            guess[land_use[y, x], b] += area
        if land_use[y, x] == truth[y, x]:
            both[truth[y, x], b] += area
        cells[b] += 1
        left = 1 - float(probability[prior[y, x], y, x])
        squared[b] += (left - (truth[y, x] != prior[y, x])) ** 2
    for name, expected in (("both", both), ("true", true), ("found", guess), ("cells", cells)):
        assert np.array_equal(getattr(sums, name), expected), name
    assert sums.squared == pytest.approx(squared)
    assert sums.change is change
