"""Plans: years that may be learned from, and plans that cannot be."""

import pytest

from landstep.emulator.errors import ConfigError
from landstep.evaluation.plan import Plan, check_plan, training_years


def test_training_years_end_where_the_target_begins():
    assert training_years(range(2000, 2013), 2008, 2012, 2008) == tuple(range(2000, 2009))
    assert training_years(range(1960, 1980), 1970, 1965, 1970) == tuple(range(1970, 1980))
    for pair in ((2005, 2008), (2005, 2006)):
        with pytest.raises(ConfigError, match="is a training year"):
            training_years(range(2000, 2013), *pair, 2008)
    with pytest.raises(ConfigError, match="is a training year"):
        training_years(range(1960, 1980), 1975, 1970, 1970)


@pytest.mark.parametrize(
    ("plan", "says"),
    [
        (Plan(), "nothing to evaluate"),
        (Plan(pairs=((2005, 2006),)), "need the last training year"),
        (Plan(pairs=((2005, 2030),), train_until=2005), "no map of 2030"),
        (Plan(pairs=((2005, 2005),), train_until=2005), "two different years"),
        (Plan(pairs=((2005, 2006),), train_until=2007), "is a training year"),
        (Plan(pairs=((2002, 2009),), train_until=2003), "hold no two years 7 apart"),
        (Plan(run=(2005, 2006)), "two years or more"),
        (Plan(run=(2030, 2040)), "no map of 2030"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(case, plan, says):
    with pytest.raises(ConfigError, match=says):
        check_plan(case, plan)
