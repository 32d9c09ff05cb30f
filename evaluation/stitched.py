"""One map from several methods, each where it did not learn: cross-validation in space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from landstep.evaluation.case import Case
from landstep.evaluation.methods import Method, Prediction


@dataclass(frozen=True, eq=False)
class Stitched:
    """One method from several, each answering for its own fold, where it did not learn.

    methods : one a fold; fold : (y, x) int64, of each cell; -1 where there is no land
    """

    name: str
    methods: Sequence[Method]
    fold: np.ndarray

    def predict(self, case: Case, before: int, after: int) -> Prediction:
        """Predict with every method, and take each cell from the one of its fold."""
        found = [method.predict(case, before, after) for method in self.methods]
        land_use = case.map(before).copy()
        whole = all(one.probability is not None for one in found)
        probability = None if not whole else np.zeros_like(found[0].probability)
        for number, one in enumerate(found):
            here = self.fold == number
            land_use[here] = one.land_use[here]
            if probability is not None and one.probability is not None:
                probability[:, here] = one.probability[:, here]
        return Prediction(land_use, probability)
