"""Baselines of a plan: fitted once a lag and span of years, each pair with its own rule."""

import numpy as np
import pytest

from landstep.emulator.card import Weights
from landstep.emulator.errors import ConfigError
from landstep.evaluation.baselines import training_pairs
from landstep.evaluation.history_table import fit_history_table
from landstep.evaluation.place import rule_of
from landstep.evaluation.plan import Plan
from landstep.evaluation.rivals import Rivals

PLAN = Plan(pairs=((2007, 2008), (2007, 2009)), train_until=2007, iterations=1)


def rule(case, new_weight):
    return rule_of(case.scheme, 1, "soft", Weights(years=1, new_weight=new_weight))


def test_what_is_fitted_serves_again_under_another_rule(case):
    said = []
    rivals = Rivals(case, PLAN, progress=said.append)
    first = rivals.methods(2007, 2008, rule(case, 0.2))
    again = rivals.methods(2007, 2008, rule(case, 0.7))
    assert said == ["fitting the history table, +1 years", "fitting gradient boosting, +1 years"]
    for one, other in zip(first[3:], again[3:], strict=True):
        assert one.odds.__self__ is other.odds.__self__
        assert (one.rule.new_weight, other.rule.new_weight) == (0.2, 0.7)
    rivals.methods(2007, 2009, rule(case, 0.2))
    assert len(said) == 4


def test_cells_that_are_left_out_are_not_learned_from(case):
    half = case.block % 2 == 0
    table = Rivals(case, PLAN, half).methods(2007, 2009, rule(case, 0.2))[3].odds.__self__
    pairs = training_pairs(range(2000, 2008), 2007, 2009)
    assert np.array_equal(table.probability, fit_history_table(case, pairs, half).probability)
    assert not np.array_equal(table.probability, fit_history_table(case, pairs).probability)


def test_a_target_that_was_learned_from_is_refused(case):
    with pytest.raises(ConfigError, match="2006 is a training year"):
        Rivals(case, PLAN).methods(2005, 2006, rule(case, 0.2))
