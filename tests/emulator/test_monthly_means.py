"""Monthly means of what a host puts: exact, restartable, and whole or refused by name."""

import numpy as np
import pytest

from landstep.emulator.errors import CouplingError, StepError
from landstep.emulator.monthly_means import MonthlyMeans

RAIN = "precipitation_flux"


def days(month, seed=0, points=5, number=7):
    """Values of some calls in a month."""
    rng = np.random.default_rng([seed, month])
    return rng.uniform(250, 300, (number, points))


def filled(means, months=range(1, 13), name="air_temperature"):
    """Put some values in each month."""
    for month in months:
        for values in days(month):
            means.add(name, month, values)
    return means


def test_the_means_are_those_of_what_was_put():
    """By hand: the sum in order, over the count."""
    found = filled(MonthlyMeans(5, 2030)).year_means()["air_temperature"]
    assert found.shape == (12, 5) and found.dtype == np.float64
    for month in range(1, 13):
        total = np.zeros(5)
        for values in days(month):
            total += values
        assert np.array_equal(found[month - 1], total / 7)


def test_a_restart_at_any_moment_gives_the_same_bits():
    plain = filled(filled(MonthlyMeans(5, 2030)), name=RAIN)
    kept = filled(MonthlyMeans(5, 2030), range(1, 6))
    for values in days(6)[:3]:
        kept.add("air_temperature", 6, values)
    arrays = kept.arrays()
    kept.add("air_temperature", 6, days(6)[3])  # what goes on does not touch what was kept
    back = MonthlyMeans.restored(arrays)
    for values in days(6)[3:]:
        back.add("air_temperature", 6, values)
    filled(filled(back, range(7, 13)), name=RAIN)
    for name, found in plain.year_means().items():
        assert np.array_equal(found, back.year_means()[name])
    assert (back.year, back.first_month) == (2030, 1)


def test_missing_months_are_named_with_their_variable():
    means = filled(filled(MonthlyMeans(5, 2031)), (1, 2, *range(5, 13)), RAIN)
    words = "^no precipitation_flux for March and April of 2031; call put in every month"
    with pytest.raises(StepError, match=words):
        means.year_means()
    alone = filled(MonthlyMeans(5, 2031), range(1, 12))
    with pytest.raises(StepError, match="^no air_temperature for December of 2031;"):
        alone.year_means()
    two = filled(filled(MonthlyMeans(5, 2031), [1]), range(1, 10), RAIN)
    with pytest.raises(StepError, match="March, .*November and December of 2031; no precip.*Octob"):
        two.year_means()


def test_what_was_put_once_is_expected_in_every_later_year():
    means = filled(MonthlyMeans(5, 2030))
    means.turn_year()
    assert means.year == 2031 and not means.sums.any()
    with pytest.raises(StepError, match="no air_temperature for January, February, .* of 2031"):
        means.year_means()


def test_nothing_put_is_no_climate():
    means = MonthlyMeans(5, 2030)
    assert means.year_means() is None
    means.turn_year()
    assert means.year_means() is None and means.year == 2031


def test_a_year_that_began_in_july_does_not_count_and_the_next_does():
    means = filled(MonthlyMeans(5, 2030, 7), range(7, 13))
    assert means.year_means() is None
    means.turn_year()
    assert filled(means).year_means() is not None
    late = filled(MonthlyMeans(5, 2030, 7), range(7, 11))
    with pytest.raises(StepError, match="November and December of 2030"):
        late.year_means()


def test_a_call_that_cannot_be_is_refused():
    means = MonthlyMeans(5, 2030, 3)
    with pytest.raises(CouplingError, match=r"has shape \(4,\), expected \(5,\)"):
        means.add(RAIN, 3, np.zeros(4))
    with pytest.raises(CouplingError, match="'rain' is not known"):
        means.add("rain", 3, np.zeros(5))
    for month in (2, 13):
        with pytest.raises(StepError, match=f"for month {month} of 2030, expected 3 to 12"):
            means.add(RAIN, month, np.zeros(5))


@pytest.mark.parametrize(
    "change",
    [
        {"sums": np.zeros((1, 11, 5))},
        {"counts": np.zeros((2, 12), np.int64)},
        {"variables": np.array([9])},
    ],
)
def test_arrays_that_do_not_belong_together_are_refused(change):
    arrays = filled(MonthlyMeans(5, 2030), [1]).arrays()
    with pytest.raises(CouplingError, match=r"expected \(V, 12, n\) and \(V, 12\) of known"):
        MonthlyMeans.restored(arrays | change)
