"""Folds in space: whole blocks, even shares of land, maps stitched from where no method learned."""

import numpy as np
import pytest

from landstep.emulator.errors import ConfigError
from landstep.evaluation.folds import Stitched, folds
from landstep.evaluation.methods import ByMap, Prediction


def test_folds_are_whole_blocks_with_about_the_same_land(new_case):
    case = new_case((140, 175))
    land = case.maps[2003] > 0
    fold = folds(case, land, 5, tile=2, seed=1)
    assert (fold[~land] == -1).all()
    shares = np.bincount(fold[land]) / land.sum()
    assert len(shares) == 5 and shares.max() - shares.min() < 0.06
    for top in range(0, 140, 14):
        for left in range(0, 175, 14):
            here = fold[top : top + 14, left : left + 14]
            assert len(np.unique(here[here >= 0])) <= 1


def test_more_folds_than_blocks_are_refused(case):
    with pytest.raises(ConfigError, match="make the blocks smaller"):
        folds(case, case.maps[2003] > 0, 5, tile=6)
    with pytest.raises(ConfigError, match="2 folds or more"):
        folds(case, case.maps[2003] > 0, 1)


def test_each_cell_is_taken_from_the_method_of_its_fold(case):
    land = case.maps[2003] > 0
    fold = folds(case, land, 3, tile=1)
    methods = [
        ByMap("m", lambda case, before, after, k=k: np.full(case.shape, k, np.uint8))
        for k in (3, 4, 5)
    ]
    found = Stitched("model", methods, fold).predict(case, 2003, 2004)
    assert np.array_equal(found.land_use[land], fold[land] + 3)
    assert (found.land_use[~land] == 0).all()
    assert found.probability is None


def test_probabilities_are_stitched_too(case):
    fold = folds(case, case.maps[2003] > 0, 2, tile=1)

    class Says:
        name = "m"

        def __init__(self, chance):
            self.chance = chance

        def predict(self, case, before, after):
            return Prediction(case.map(before), np.full((9, *case.shape), self.chance, np.float32))

    found = Stitched("model", [Says(0.25), Says(0.75)], fold).predict(case, 2003, 2004)
    assert (found.probability[:, fold == 0] == 0.25).all()
    assert (found.probability[:, fold == 1] == 0.75).all()
