"""The baselines of a plan's pairs: fitted once for all pairs that learn from the same years."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from landstep.emulator.allocation import Rule
from landstep.evaluation.baselines import Baselines
from landstep.evaluation.case import Case
from landstep.evaluation.methods import Method
from landstep.evaluation.plan import Plan, training_years


@dataclass(frozen=True, eq=False)
class Rivals:
    """Baselines of a case, as a plan asks for them.

    cells : (y, x) bool, cells to learn from; None takes all
    """

    case: Case
    plan: Plan
    cells: np.ndarray | None = None
    progress: Callable[[str], None] = lambda text: None
    _kept: dict[tuple[int, ...], Baselines] = field(default_factory=dict)

    def methods(self, before: int, after: int, rule: Rule) -> list[Method]:
        """Give the baselines for a pair of years.

        rule : of the allocation, that of this pair's lag; what is fitted is shared
        Raises ConfigError for a pair whose target was learned from, or whose lag cannot be.
        """
        plan = self.plan
        years = training_years(self.case.maps, before, after, int(plan.train_until or 0))
        if years not in self._kept:
            self._kept[years] = Baselines(
                self.case,
                years,
                rule,
                cells=self.cells,
                depth=plan.depth,
                seed=plan.seed,
                iterations=plan.iterations,
                progress=self.progress,
            )
        return replace(self._kept[years], rule=rule).methods(before, after)
