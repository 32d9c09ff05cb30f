"""The emulator as a method: it sees what the case holds, jumps and steps, and drifts nowhere."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from landstep.emulator.card import Weights
from landstep.emulator.classes import MASKED
from landstep.emulator.emulator import Emulator
from landstep.emulator.errors import ConfigError
from landstep.evaluation.case import Case, case_of
from landstep.evaluation.infill import hidden_cells, hide
from landstep.evaluation.map_table import map_table
from landstep.evaluation.model import (
    free_run,
    held,
    model_methods,
    odds_of,
    rolled,
    with_forcing,
    with_mode,
)


@pytest.fixture(scope="module")
def emulator(experiment: Path) -> Emulator:
    return Emulator.open(experiment)


@pytest.fixture(scope="module")
def region(emulator: Emulator) -> Case:
    return case_of(emulator.inputs, "world", range(2011, 2021))


class Card:
    """A card of which only lags and direction matter."""

    def __init__(self, lags, direction=0):
        self.lags, self.direction, self.name = lags, direction, "tiny"

    def weights_for(self, lag):
        return Weights(years=lag, new_weight=lag / 10)

    def steps(self, direction):
        return self.direction in (0, direction)


class Stub:
    """An emulator of which only the card matters."""

    def __init__(self, card):
        self.card = card


def test_a_direct_jump_gives_the_emulators_own_odds(emulator, region):
    odds = odds_of(emulator)(region, 2015, 2017)
    state = emulator.start(2015)
    assert np.array_equal(odds, emulator.odds(2017, state))


def test_yearly_steps_are_the_emulators_own(emulator, region):
    exact = with_mode(emulator, "exact")
    state = exact.start(2015)
    for year in (2016, 2017, 2018):
        state = exact.step(year, state)
    assert np.array_equal(rolled(emulator)(region, 2015, 2018), state.land_use)


def test_it_sees_the_forcing_of_the_case(emulator, region):
    wrong = replace(region, forcing={**region.forcing, 2017: region.forcing[2015]})
    given = with_forcing(emulator, wrong)
    assert not given.demand.asked(2015, 2017).any()
    assert emulator.demand.asked(2015, 2017).any()
    inside = np.ix_(np.unique(emulator.inputs.row), np.unique(emulator.inputs.col))
    assert np.array_equal(
        given.inputs.forcing.year(2017)[:, *inside], region.forcing[2015], equal_nan=True
    )
    unheld = given.inputs.forcing.year(2030)
    assert np.array_equal(unheld, emulator.inputs.forcing.year(2030), equal_nan=True)


def test_it_sees_the_hidden_maps_of_the_case(emulator, region):
    land = region.counted(2015, 2016)
    masked = hide(region, 2015, 2016, hidden_cells(land, 0.5, 8))
    seen, odds = odds_of(emulator)(region, 2015, 2016), odds_of(emulator)(masked, 2015, 2016)
    assert not np.array_equal(seen, odds)
    found = rolled(emulator)(masked, 2015, 2016)
    assert (found != MASKED).all()
    withheld = odds_of(emulator)(region.withhold(1), 2015, 2016)
    assert not np.array_equal(seen, withheld)


def test_constant_forcing_changes_nothing_and_the_real_one_does(emulator, region):
    still = free_run(emulator, region, 2015, 3, constant=True)
    assert len(still) == 4
    for land_use in still:
        assert np.array_equal(land_use, region.maps[2015])
    moving = free_run(emulator, region, 2015, 3)
    assert not np.array_equal(moving[3], region.maps[2015])


def test_without_quotas_the_network_changes_what_exact_quotas_do_not_let_it(emulator, region):
    alone = free_run(emulator, region, 2015, 1, constant=True, mode="none")
    none = with_mode(emulator, "none")
    given = held(none, 2015)
    history = region.history(2015, 1, emulator.card.history)
    by_hand = given.step(2016, given.start_from(2015, region.maps[2015], history)).land_use
    assert np.array_equal(alone[1], by_hand)
    assert not np.array_equal(alone[0], alone[1])


def test_a_run_goes_by_the_experiments_own_quotas(emulator, region):
    soft, exact = (free_run(emulator, region, 2015, 2, mode=mode) for mode in ("soft", "exact"))
    assert not np.array_equal(soft[2], exact[2])
    for mode, expected in (("soft", soft), ("exact", exact)):
        own = free_run(with_mode(emulator, mode), region, 2015, 2)
        assert np.array_equal(own[2], expected[2])


def test_the_table_of_maps_has_its_rows(emulator, region):
    rows = map_table(emulator, region, 2015)
    assert [row.row for row in rows] == [
        "year 0",
        "year 1",
        "cold start",
        "persistence",
        "nearest infill",
    ]
    assert [row.year for row in rows] == [2016, 2017, 2016, 2016, 2016]
    known = region.maps[2016] != MASKED
    still = (region.maps[2015] == region.maps[2016])[known]
    weight = np.broadcast_to(region.area, region.shape)[known]
    assert rows[3].accuracy == pytest.approx((weight * still).sum() / weight.sum())
    with pytest.raises(ConfigError, match=r"no map of \[2021, 2022\]"):
        map_table(emulator, region, 2020)


def test_methods_follow_the_lags_that_the_model_learned(region):
    names = [
        [method.name for method in model_methods(Stub(Card(lags)), region, 2015, 2017)]
        for lags in ([1], [2], [1, 2])
    ]
    assert names == [
        ["model_rolled"],
        ["model", "model_exact"],
        ["model", "model_exact", "model_rolled"],
    ]


@pytest.mark.parametrize(("before", "after"), [(2015, 2017), (2017, 2015)])
def test_a_jump_is_weighed_by_the_years_that_it_spans(region, before, after):
    methods = model_methods(Stub(Card([2])), region, before, after)
    assert [(m.rule.mode, m.rule.new_weight) for m in methods] == [("soft", 0.2), ("exact", 0.2)]


def test_a_lag_or_direction_that_it_did_not_learn_is_refused(region):
    with pytest.raises(ConfigError, match="neither 3 nor 1"):
        model_methods(Stub(Card([2, 5])), region, 2015, 2018)
    with pytest.raises(ConfigError, match="does not step backward"):
        model_methods(Stub(Card([1], direction=1)), region, 2017, 2015)
