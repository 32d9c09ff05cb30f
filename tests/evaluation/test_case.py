"""A case in memory: history in both directions, quotas, counted cells, and what it refuses."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from landstep.emulator.classes import MASKED
from landstep.emulator.errors import ConfigError, InputError
from landstep.emulator.experiment import load_experiment
from landstep.emulator.inputs import open_inputs
from landstep.evaluation.case import case_of, direction_of, open_case


def test_history_follows_the_step(case):
    forward, backward = case.history(2003, 1), case.history(2003, -1)
    for step in (1, 2, 3):
        assert np.array_equal(forward[step - 1], case.maps[2003 - step])
        assert np.array_equal(backward[step - 1], case.maps[2003 + step])
    assert (case.history(2001, 1)[1:] == MASKED).all()


def test_a_withheld_map_is_unknown_to_methods_and_known_to_scores(case):
    hidden = case.withhold(1)
    assert (hidden.history(2005, 1)[0] == MASKED).all()
    assert np.array_equal(hidden.history(2005, 1)[1], case.maps[2003])
    assert np.array_equal(hidden.past(2005, 1), case.history(2005, 1))


def test_quotas_are_the_true_change_of_each_block(case):
    quota = case.quota(2003, 2007)
    for row in range(case.coarse[0]):
        for col in range(case.coarse[1]):
            here = np.ix_(case.row == row, case.col == col)
            for k in range(1, 9):
                change = int((case.maps[2007][here] == k).sum())
                change -= int((case.maps[2003][here] == k).sum())
                assert abs(quota[k - 1, row, col] / 1_000_000 - change) < 1e-3


def test_sea_and_unknown_cells_do_not_count(case):
    case.maps[2003][20, 20] = MASKED
    mask = case.counted(2002, 2003)
    assert np.array_equal(mask, (case.maps[2002] != 0) & (case.maps[2003] != MASKED))
    only = np.zeros(case.shape, bool)
    only[10:12] = True
    assert np.array_equal(case.counted(2002, 2003, only), mask & only)


def test_areas_weigh_only_where_cells_lie_on_latitudes(case, new_case):
    assert case.weights is None
    place = new_case(geographic=True)
    assert place.weights is place.area


def test_a_year_direction_or_step_that_cannot_be_is_refused(case):
    with pytest.raises(ConfigError, match="no map of 1990; it has 2000 to 2009"):
        case.map(1990)
    with pytest.raises(ConfigError, match="no forcing of 2015"):
        case.group_shares(2015)
    with pytest.raises(ConfigError, match="no forcing of 2015"):
        case.quota(2008, 2015)
    with pytest.raises(ConfigError, match="it has none"):
        replace(case, forcing={}).group_shares(2005)
    with pytest.raises(ConfigError, match="two different years"):
        direction_of(2003, 2003)
    with pytest.raises(ConfigError, match="expected 1"):
        case.withhold(0)


def test_cells_that_cannot_be_counted_are_refused(case):
    with pytest.raises(InputError, match="expected bool"):
        case.counted(2002, 2003, np.ones((2, 2), bool))
    with pytest.raises(InputError, match="no cell of land"):
        case.counted(2002, 2003, np.zeros(case.shape, bool))


def test_an_experiment_opens_as_a_case(world: Path):
    case = open_case(world / "experiment.toml", range(2014, 2017))
    assert sorted(case.maps) == sorted(case.forcing) == [2014, 2015, 2016]
    assert case.shape == case.maps[2014].shape == (120, 180)
    assert case.geographic and not case.known_quantities
    assert case.forcing[2015].shape == (len(case.states), *case.coarse)
    assert case.coarse == (4, 6)  # 30 cells of 1/120 degree in each of 0.25
    assert case.quota(2014, 2016).shape == (3, 4, 6)
    assert set(case.continuous) == {"elevation"}
    assert set(case.categories) == {"soil_texture", "climate_zone"}
    assert case.coarse_area.sum() == np.broadcast_to(case.area, case.shape).sum()


def test_the_forcing_of_years_without_a_map_comes_along_where_it_is_asked_for(world):
    inputs = open_inputs(load_experiment(world / "experiment.toml"))
    case = case_of(inputs, "world", [2015], forced=(2015, 2030))
    assert set(case.maps) == {2015} and set(case.forcing) == {2015, 2030}
    assert not np.array_equal(case.forcing[2015], case.forcing[2030], equal_nan=True)
    with pytest.raises(InputError, match="year 2300 outside"):
        case_of(inputs, "world", [2015], forced=(2015, 2300))


def test_land_is_what_is_not_outside_whatever_is_hidden(case):
    hidden = case.maps[2000].copy()
    hidden[20:] = MASKED  # all land
    assert np.array_equal(replace(case, maps={**case.maps, 2000: hidden}).land, case.map(2003) > 0)
