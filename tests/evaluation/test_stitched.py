"""Maps stitched from several methods, each where it did not learn."""

import numpy as np

from landstep.emulator.folds import folds
from landstep.evaluation.methods import ByMap, Prediction
from landstep.evaluation.stitched import Stitched


def test_each_cell_is_taken_from_the_method_of_its_fold(case):
    land = case.maps[2003] > 0
    fold = folds(case.row, case.col, land, 3, tile=1)
    methods = [
        ByMap("m", lambda case, before, after, k=k: np.full(case.shape, k, np.uint8))
        for k in (3, 4, 5)
    ]
    found = Stitched("model", methods, fold).predict(case, 2003, 2004)
    assert np.array_equal(found.land_use[land], fold[land] + 3)
    assert (found.land_use[~land] == 0).all()
    assert found.probability is None


def test_probabilities_are_stitched_too(case):
    fold = folds(case.row, case.col, case.maps[2003] > 0, 2, tile=1)

    class Says:
        name = "m"

        def __init__(self, chance):
            self.chance = chance

        def predict(self, case, before, after):
            return Prediction(case.map(before), np.full((9, *case.shape), self.chance, np.float32))

    found = Stitched("model", [Says(0.25), Says(0.75)], fold).predict(case, 2003, 2004)
    assert (found.probability[:, fold == 0] == 0.25).all()
    assert (found.probability[:, fold == 1] == 0.75).all()
