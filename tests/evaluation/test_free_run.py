"""Scores of a free run: areas against the forcing, drift, patches."""

import numpy as np
import pytest

from landstep.evaluation.free_run import forcing_errors, run_scores


def test_the_true_maps_have_the_area_of_their_own_forcing(case):
    errors = forcing_errors(case, 2002, 2008, case.maps[2002], case.maps[2008])
    assert set(errors) == {group.name for group in case.scheme.groups}
    for error in errors.values():
        assert error.largest == pytest.approx(0, abs=1e-9)  # km2


def test_a_map_that_stands_still_misses_all_that_was_asked(case):
    errors = forcing_errors(case, 2002, 2008, case.maps[2002], case.maps[2002])
    land = np.unique(case.block[case.maps[2002] > 0])
    forest = []
    for block in land:
        here = case.block == block
        forest.append((case.maps[2002][here] == 1).sum() - (case.maps[2008][here] == 1).sum())
    km2 = 1e-3 / 1e6 * 1_000_000 * np.array(forest)
    found = errors["forest"]
    assert found.bias == pytest.approx(km2.mean())
    assert found.largest == pytest.approx(np.abs(km2).max())
    assert found.coarse_cells == len(land)


def test_a_run_is_summed_up(case):
    maps = [case.maps[year] for year in range(2002, 2007)]
    found = run_scores(case, 2002, maps)
    land = case.maps[2002] > 0
    assert (found["start"], found["years"]) == (2002, 4)
    assert found["yearly_change"][1] == pytest.approx((maps[1] != maps[2])[land].mean())
    assert found["changed_at_end"] == pytest.approx((maps[0] != maps[4])[land].mean())
    assert found["flips"]["flips"] > 0
    assert set(found["patches"]) == {"start", "end"}
    assert found["area_error_km2"]["urban"]["largest"] == pytest.approx(0, abs=1e-9)


def test_a_year_without_forcing_has_no_area_error(case):
    case.forcing.pop(2004)
    found = run_scores(case, 2002, [case.maps[year] for year in range(2002, 2005)])
    assert "area_error_km2" not in found
    assert "flips" not in run_scores(case, 2002, [case.maps[2002], case.maps[2003]])
