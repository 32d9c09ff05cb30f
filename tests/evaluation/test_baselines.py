"""Baselines: what they may see, what they find, and how they are fitted."""

import numpy as np
import pytest

from landstep.emulator.card import Weights
from landstep.emulator.errors import ConfigError
from landstep.evaluation import baselines as module
from landstep.evaluation.baselines import (
    Baselines,
    Neighbourhood,
    Persistence,
    RandomPlaces,
    training_pairs,
)
from landstep.evaluation.place import rule_of


def fitted(case, **options):
    rule = rule_of(case.scheme, 1, "soft", Weights(years=1, stay_weight=0.6, new_weight=0.5))
    return Baselines(case, tuple(range(2000, 2008)), rule, iterations=2, **options)


def test_training_pairs_have_the_lag_the_direction_and_the_longest_history():
    years = range(2000, 2009)
    assert training_pairs(years, 2008, 2012) == [(2003, 2007), (2004, 2008)]
    assert training_pairs(years, 2008, 2009) == [(y, y + 1) for y in range(2003, 2008)]
    assert training_pairs(years, 1999, 1998) == [(y, y - 1) for y in range(2001, 2006)]
    assert training_pairs(years, 2008, 2015) == [(2001, 2008)]  # one year before it is all there is
    assert training_pairs(years, 2008, 2012, history=2) == [
        (2002, 2006),
        (2003, 2007),
        (2004, 2008),
    ]


def test_training_years_without_a_pair_of_the_lag_are_refused():
    with pytest.raises(ConfigError, match="hold no two years 10 apart"):
        training_pairs(range(2000, 2009), 2008, 2018)


def test_persistence_gives_the_prior_map(case):
    assert np.array_equal(Persistence().predict(case, 2007, 2009).land_use, case.maps[2007])


def test_random_places_are_the_same_for_the_same_seed(case):
    one, same, other = (RandomPlaces(s).predict(case, 2007, 2009).land_use for s in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_the_neighbourhood_grows_a_class_at_its_edge(new_case):
    case = new_case(flicker=0.0)
    prior, later = case.maps[2003], case.maps[2003].copy()
    prior[...], later[...] = 2, 2
    prior[:, :12] = later[:, :12] = 3
    later[:, 12] = 3  # one more column of class 3
    case.maps[2004] = later
    case.forcing[2003], case.forcing[2004] = (
        np.stack([np.add.reduceat(np.add.reduceat(m == k, range(0, 29, 7), 0), range(0, 37, 7), 1)
                  / np.bincount(case.block.ravel()).reshape(case.coarse) for k in range(1, 9)])
        for m in (prior, later)
    )  # fmt: skip
    assert np.array_equal(Neighbourhood().predict(case, 2003, 2004).land_use, later)


def test_every_baseline_predicts_and_none_reads_the_target_map(case):
    scores = fitted(case)
    methods = scores.methods(2007, 2009)
    assert [m.name for m in methods] == ["persistence", *module.RIVALS]
    before = [m.predict(case, 2007, 2009).land_use for m in methods]
    case.maps[2009][...] = 1
    after = [m.predict(case, 2007, 2009).land_use for m in methods]
    for one, other in zip(before, after, strict=True):
        assert np.array_equal(one, other)


def test_one_fit_serves_every_pair_of_a_lag(case):
    said = []
    scores = fitted(case, progress=said.append)
    scores.methods(2007, 2008)
    n = len(said)
    scores.methods(2008, 2009)
    assert n == len(said) == 2
    scores.methods(2007, 2009)
    assert len(said) == 4


def test_only_the_cells_given_are_learned_from(case, new_case):
    left = np.zeros(case.shape, bool)
    left[:, :18] = True
    other = new_case(seed=1)
    for year in range(2000, 2008):
        other.maps[year][:, 18:] = np.where(other.maps[year][:, 18:] == 0, 0, 4)
    one, same = (fitted(c, cells=left)._fit(2007, 2008)[0].probability for c in (case, other))
    assert np.array_equal(one, same)
