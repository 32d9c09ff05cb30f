"""Gradient boosting: it learns what can be learned, the same way every time."""

import builtins

import numpy as np
import pytest

from landstep.emulator.errors import DependencyError, InputError
from landstep.evaluation import boosting
from landstep.evaluation.boosting import fit_boosting

PAIRS = [(2003, 2004), (2004, 2005)]


def test_it_learns_a_rule_of_the_history(new_case):
    case = new_case((60, 60), flicker=0.0)
    rng = np.random.default_rng(3)
    for year in range(2000, 2008):  # whatever became mosaic (5) becomes pasture (3) a year later
        before = case.maps.get(year - 1, case.maps[2000])
        new = (rng.random(case.shape) < 0.2) & (before != 0)
        now = np.where(before == 5, 3, np.where(new, 5, before))
        case.maps[year] = now.astype(np.uint8)
    odds = fit_boosting(case, PAIRS, iterations=20).odds(case, 2006, 2007)
    mosaic = case.maps[2006] == 5
    assert (odds[:, mosaic].argmax(axis=0) == 3).all()
    assert odds.dtype == np.float32 and np.isfinite(odds).all()


def test_the_same_seed_gives_the_same_odds(case):
    one, same = (fit_boosting(case, PAIRS, seed=2, iterations=3) for _ in range(2))
    assert np.array_equal(one.odds(case, 2006, 2007), same.odds(case, 2006, 2007))


def test_drawn_cells_stand_for_all(new_case, monkeypatch):
    case = new_case((90, 90))
    monkeypatch.setattr(boosting, "LARGEST_SAMPLE", 900)
    rng = np.random.default_rng(0)
    values, target, weight = boosting._sample(case, 2003, 2004, None, 3, 1, rng)
    land = case.maps[2003] > 0
    changed = land & (case.maps[2003] != case.maps[2004])
    assert 700 < len(values) < 1100
    assert weight.sum() == pytest.approx(land.sum(), rel=0.05)
    moved = values[:, 0] != target
    assert weight[moved].sum() == pytest.approx(changed.sum(), rel=0.15)


def test_a_region_of_one_class_is_refused(case):
    for year in (2003, 2004):
        case.maps[year][...] = 2
    with pytest.raises(InputError, match="nothing to learn"):
        fit_boosting(case, [(2003, 2004)])


def test_without_scikit_learn_it_says_how_to_get_it(case, monkeypatch):
    real = builtins.__import__

    def without(name, *rest, **named):
        if name.startswith("sklearn"):
            raise ImportError(name)
        return real(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(DependencyError, match=r"landstep\[evaluate\]"):
        fit_boosting(case, PAIRS)
