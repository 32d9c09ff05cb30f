import re

import cftime
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landstep.coupling.seasons import CALENDARS, RULES, changes_on, check_date, value_on
from landstep.emulator.errors import CouplingError, StepError

LINEAR = ("ecland", "ctsm", "noahmp")
YEARS = st.sampled_from([850, 1900, 1999, 2000, 2015, 2016, 2100])
NORTH = np.full(12, 45.0)


def days_of(year: int, month: int, calendar: str) -> int:
    return cftime.datetime(year, month, 1, calendar=calendar).daysinmonth


def dates_of(year: int, calendar: str) -> list[tuple[int, int, int]]:
    """All days of a year, and the first of the next."""
    months = [(m, days_of(year, m, calendar)) for m in range(1, 13)]
    return [(year, m, d + 1) for m, days in months for d in range(days)] + [(year + 1, 1, 1)]


def one(months: dict[int, float], rule: str, date: tuple[int, int, int], calendar: str,
        lat: float = 45.0) -> float:  # fmt: skip
    """Value at one point whose other months are 0."""
    monthly = np.zeros((1, 12))
    for month, value in months.items():
        monthly[0, month - 1] = value
    return float(value_on(monthly, rule, *date, calendar, np.array([lat]))[0])


@pytest.mark.parametrize(
    ("rule", "months", "date", "calendar", "expected"),
    [
        ("step", {2: 4.0}, (2015, 2, 28), "standard", 4.0),
        ("step", {2: 4.0}, (2015, 3, 1), "standard", 0.0),
        # ecland: 31 days from 15 January to 15 February, 28 or 29 from there to 15 March
        ("ecland", {2: 31.0}, (2015, 1, 15), "standard", 0.0),
        ("ecland", {2: 31.0}, (2015, 1, 25), "standard", 10.0),
        ("ecland", {2: 31.0}, (2015, 2, 1), "standard", 17.0),
        ("ecland", {2: 31.0}, (2015, 2, 15), "standard", 31.0),
        ("ecland", {3: 28.0}, (2015, 2, 25), "standard", 10.0),
        ("ecland", {3: 29.0}, (2016, 3, 1), "proleptic_gregorian", 15.0),
        ("ecland", {3: 28.0}, (2016, 3, 1), "noleap", 14.0),
        ("ecland", {3: 30.0}, (2016, 2, 30), "360_day", 15.0),
        ("ecland", {12: 31.0}, (2015, 1, 1), "standard", 14.0),  # 17 of 31 days after 15 December
        ("ecland", {1: 31.0}, (2015, 12, 31), "standard", 16.0),
        # ctsm: 1 January is 0.5 / 31 of its month, and 0.5 + 0.5 / 31 after December's middle
        ("ctsm", {1: 1.0}, (2015, 1, 1), "noleap", 0.5 + 0.5 / 31),
        ("ctsm", {12: 1.0}, (2015, 1, 1), "noleap", 0.5 - 0.5 / 31),
        ("ctsm", {1: 1.0}, (2015, 1, 16), "noleap", 1.0),
        ("ctsm", {5: 1.0}, (2015, 4, 16), "noleap", 0.5 / 30),
        ("ctsm", {3: 1.0}, (2016, 2, 29), "standard", 28.5 / 28 - 0.5),  # February is always 28
        ("ctsm", {3: 1.0}, (2016, 2, 30), "360_day", 29.5 / 30 - 0.5),
        # noahmp: t = 12 (days passed) / 365; the north at t = 0, the south at t = 6
        ("noahmp", {12: 1.0}, (2015, 1, 1), "noleap", 0.5),
        ("noahmp", {1: 1.0}, (2015, 1, 1), "noleap", 0.5),
        ("noahmp", {2: 1.0}, (2015, 1, 31), "noleap", 12 * 30 / 365 - 0.5),
        ("noahmp", {4: 1.0}, (2015, 4, 16), "360_day", 1.0),  # 105 of 360 days: t = 3.5
    ],
)  # fmt: skip
def test_values_between_months_are_those_of_a_hand(rule, months, date, calendar, expected) -> None:
    assert one(months, rule, date, calendar) == pytest.approx(expected, rel=1e-14, abs=1e-14)


def test_the_south_has_the_seasons_of_half_a_year_later() -> None:
    # 360 days: 16 January is day 15, t = 0.5 in the north and 6.5, the middle of July, in the south
    date = (2015, 1, 16)
    assert one({1: 1.0, 7: 5.0}, "noahmp", date, "360_day", lat=0.0) == 1.0
    assert one({1: 1.0, 7: 5.0}, "noahmp", date, "360_day", lat=-0.1) == 5.0
    for rule in ("step", "ecland", "ctsm", "mean_preserving"):
        north, south = (one({1: 1.0, 7: 5.0}, rule, date, "360_day", lat) for lat in (9.0, -9.0))
        assert north == south


@pytest.mark.parametrize("rule", LINEAR)
@pytest.mark.parametrize("calendar", CALENDARS)
@given(year=YEARS)
def test_weights_of_linear_rules_are_shares_that_move_little_from_day_to_day(
    rule: str, calendar: str, year: int
) -> None:
    months = np.eye(12)  # point m has 1 in month m: its value is that month's weight
    for hemisphere in (NORTH, -NORTH):
        days = [value_on(months, rule, *date, calendar, hemisphere)
                for date in dates_of(year, calendar)]  # fmt: skip
        weights = np.array(days)
        assert (weights >= 0).all() and (weights <= 1).all()
        assert np.abs(weights.sum(1) - 1).max() < 1e-14
        assert ((weights > 0).sum(1) <= 2).all()
        assert np.abs(np.diff(weights, axis=0)).max() < 1 / 27


@pytest.mark.parametrize("calendar", CALENDARS)
@given(year=YEARS, month=st.integers(1, 12))
def test_ecland_has_the_months_values_on_the_15th(calendar: str, year: int, month: int) -> None:
    weights = value_on(np.eye(12), "ecland", year, month, 15, calendar, NORTH)
    assert np.array_equal(weights, np.eye(12)[month - 1])


@pytest.mark.parametrize("rule", RULES)
@given(year=YEARS, month=st.integers(1, 12), day=st.integers(1, 28), value=st.floats(0, 1e3))
def test_a_year_without_seasons_stays_as_it_is(rule, year, month, day, value) -> None:
    monthly = np.full((2, 12), value)
    lat = np.array([50.0, -50.0])
    found = value_on(monthly, rule, year, month, day, "standard", lat)
    if rule in LINEAR:  # two products and a sum, as their hosts compute them
        assert np.allclose(found, monthly[:, 0], rtol=3e-16, atol=1e-320)
    else:
        assert np.array_equal(found, monthly[:, 0])


def test_a_day_of_the_mean_preserving_rule_is_the_mean_of_its_parabola() -> None:
    # months of 30 days at 6, July at 12: July's edges are 9, its parabola 9 + 18 x (1 - x),
    # whose mean over day 15 (x from 14/30 to 15/30) is by Simpson's rule, exact for parabolas:
    def parabola(x: float) -> float:
        return 9 + 18 * x * (1 - x)

    a, b = 14 / 30, 15 / 30
    expected = (parabola(a) + 4 * parabola((a + b) / 2) + parabola(b)) / 6
    monthly = np.full((1, 12), 6.0)
    monthly[0, 6] = 12.0
    got = value_on(monthly, "mean_preserving", 2015, 7, 15, "360_day", np.zeros(1))
    assert got[0] == pytest.approx(expected, rel=1e-14)


def test_a_month_between_bare_ones_stays_alone_in_the_mean_preserving_rule() -> None:
    year = {date: one({7: 2.0}, "mean_preserving", date, "noleap")
            for date in dates_of(2015, "noleap")}  # fmt: skip
    assert all((value > 0) == (date[1] == 7) for date, value in year.items())
    assert max(year.values()) < 3.0  # 6 * 2 x (1 - x) has its top, 3, at x = 1/2


@pytest.mark.parametrize("calendar", CALENDARS)
@given(
    monthly=st.lists(st.one_of(st.just(0.0), st.floats(0, 8), st.floats(0, 1e-6)),
                     min_size=12, max_size=12),
    year=YEARS,
)  # fmt: skip
def test_the_mean_preserving_rule_keeps_months_and_never_goes_below_zero(
    calendar: str, monthly: list[float], year: int
) -> None:
    maps = np.array([monthly])
    dates = dates_of(year, calendar)
    values = np.array([value_on(maps, "mean_preserving", *d, calendar, NORTH[:1])[0]
                       for d in dates])  # fmt: skip
    assert (values >= 0).all()
    for month in range(1, 13):
        mean = values[[d[:2] == (year, month) for d in dates]].mean()
        assert abs(mean - monthly[month - 1]) <= 1e-12 * max(1.0, max(monthly))
    # a parabola with edges of 0 to 3 times its mean climbs at most 15 times that mean in a month
    assert np.abs(np.diff(values)).max() <= 15 / 28 * max(monthly) + 1e-15


@pytest.mark.parametrize("calendar", CALENDARS)
def test_the_mean_preserving_rule_has_no_jump_where_steps_have_one(calendar: str) -> None:
    monthly = np.array([[1.0, 3.0, 2.0, 5.0, 4.0, 6.0, 2.5, 4.0, 3.0, 3.5, 2.0, 1.5]])
    dates = dates_of(2016, calendar)

    def largest_jump(rule: str) -> float:
        year = [value_on(monthly, rule, *d, calendar, NORTH[:1])[0] for d in dates]
        return float(np.abs(np.diff(year)).max())

    assert largest_jump("step") == 3.5  # June to July
    assert largest_jump("mean_preserving") < 0.35


def test_only_the_step_rule_stays_within_a_month() -> None:
    assert not changes_on("step", (2015, 1, 1), (2015, 1, 31))
    assert changes_on("step", (2015, 1, 31), (2015, 2, 1))
    assert changes_on("step", (2015, 12, 31), (2016, 1, 1))
    assert not changes_on("step", (2015, 1, 1), (2016, 1, 1))
    for rule in set(RULES) - {"step"}:
        assert changes_on(rule, (2015, 1, 1), (2015, 1, 2))
        assert not changes_on(rule, (2015, 1, 2), (2015, 1, 2))
    with pytest.raises(CouplingError, match="rule between months 'spline', expected one of step"):
        changes_on("spline", (2015, 1, 1), (2015, 1, 2))


@pytest.mark.parametrize(
    ("date", "calendar", "text"),
    [
        ((2016, 2, 30), "standard",
         "day 30 in 2016-2-30: calendar standard has 29 days; set [coupling] calendar"),
        ((2016, 2, 29), "noleap", "day 29 in 2016-2-29: calendar noleap has 28 days"),
        ((2016, 1, 31), "360_day", "day 31 in 2016-1-31: calendar 360_day has 30 days"),
        ((2016, 1, 0), "standard", "day 0 in 2016-1-0: calendar standard has 31 days"),
        ((2016, 0, 1), "standard", "month 0 in 2016-0-1, expected 1 to 12"),
        ((2016, 13, 1), "noleap", "month 13 in 2016-13-1, expected 1 to 12"),
        ((0, 1, 1), "standard", "year 0 in 0-1-1, expected 1 or later"),
        ((1582, 10, 10), "standard", "day 10 in 1582-10-10: calendar standard leaves it out"),
    ],
)  # fmt: skip
def test_a_date_that_a_calendar_lacks_is_refused_by_name(date, calendar: str, text: str) -> None:
    with pytest.raises(StepError, match=re.escape(text)):
        check_date(*date, calendar)
    with pytest.raises(StepError, match=re.escape(text)):
        value_on(np.zeros((1, 12)), "step", *date, calendar, np.zeros(1))


def test_days_that_calendars_have_are_dates() -> None:
    check_date(2016, 2, 29, "standard")
    check_date(1582, 10, 10, "proleptic_gregorian")
    check_date(2015, 2, 30, "360_day")
    check_date(2015, 12, 31, "noleap")
    check_date(850, 1, 1, "standard")


@pytest.mark.parametrize("rule", RULES)
def test_the_hosts_own_calendar_has_any_day(rule: str) -> None:
    """SPEEDY has 1900-02-29, a year of 360 days 30 February; landstep needs the month."""
    monthly = np.arange(12.0)[None] + 1
    for month in range(1, 13):
        last = cftime.datetime(1900, month, 1, calendar="proleptic_gregorian").daysinmonth
        days = {day: value_on(monthly, rule, 1900, month, day, "host", NORTH[:1])
                for day in (-3, 0, 1, last, last + 1, 99)}  # fmt: skip
        for day in (1, last):
            expected = value_on(monthly, rule, 1900, month, day, "proleptic_gregorian", NORTH[:1])
            assert np.array_equal(days[day], expected)
        assert days[-3] == days[0] == days[1] and days[last] == days[last + 1] == days[99]
    for wrong in ((1900, 0, 1), (1900, 13, 1), (0, 1, 1)):
        with pytest.raises(StepError, match="expected 1"):
            check_date(*wrong, "host")


def test_a_calendar_that_is_none_is_refused() -> None:
    with pytest.raises(CouplingError, match="calendar 'julian', expected one of standard, "):
        check_date(2016, 1, 1, "julian")


def test_a_rule_that_is_none_is_refused() -> None:
    with pytest.raises(CouplingError, match="rule between months 'cubic', expected one of step, "):
        value_on(np.zeros((1, 12)), "cubic", 2016, 1, 1, "standard", np.zeros(1))


def test_maps_of_another_shape_are_refused() -> None:
    with pytest.raises(CouplingError, match=r"have shape \(12, 1\), expected \(n, 12\)"):
        value_on(np.zeros((12, 1)), "step", 2016, 1, 1, "standard", np.zeros(12))


@pytest.mark.parametrize("wrong", [-0.1, np.nan])
def test_what_may_be_negative_has_no_mean_preserving_rule(wrong: float) -> None:
    monthly = np.ones((3, 12))
    monthly[1, 4] = wrong
    with pytest.raises(CouplingError, match=f"{wrong} at point 1, month 5, expected at least 0"):
        value_on(monthly, "mean_preserving", 2016, 1, 1, "standard", np.zeros(3))
