"""Wrong quantities: how they are made wrong, and where skill falls below persistence."""

from dataclasses import replace

import numpy as np
import pytest

from landstep.emulator.errors import ConfigError
from landstep.emulator.scores import accuracy, mean_iou
from landstep.evaluation.baselines import Neighbourhood
from landstep.evaluation.methods import ByMap
from landstep.evaluation.quantity_error import crossing, quantity_curves, with_error


def change(case, wrong):
    return (wrong.forcing[2007] - case.forcing[2004]).astype(np.float64)


@pytest.fixture
def inland(case):
    """Make every share far from 0 and 1, so that nothing is cut off."""
    for year, extra in ((2004, 0.0), (2007, 1.0)):
        drift = np.linspace(-0.02, 0.02, 8)[:, None, None] * extra
        fractions = np.full((8, *case.coarse), 0.12) + drift * np.ones(case.coarse)
        fractions[:, 2] += drift[:, 0] * 0.5  # one row changes more
        case.forcing[year] = fractions.astype(np.float32)
    return case


def test_a_bias_scales_every_change(inland):
    true = change(inland, inland)
    found = change(inland, with_error(inland, 2004, 2007, "bias", 0.5))
    assert found == pytest.approx(1.5 * true, abs=1e-6)


def test_a_displaced_change_happens_one_coarse_cell_to_the_east(inland):
    inland.forcing[2007] = inland.forcing[2004].copy()
    inland.forcing[2007][0, 1, 2] += 0.02
    inland.forcing[2007][1, 1, 2] -= 0.02
    found = change(inland, with_error(inland, 2004, 2007, "displaced", 0.25))
    expected = np.zeros_like(found)
    expected[0, 1, 2], expected[0, 1, 3] = 0.015, 0.005
    expected[1, 1, 2], expected[1, 1, 3] = -0.015, -0.005
    assert found == pytest.approx(expected, abs=1e-6)


def test_noise_is_as_large_as_the_change_and_sums_to_nothing(new_case):
    case = new_case((210, 210), flicker=0.1)
    for year in (2004, 2007):
        case.forcing[year] = 0.1 + 0.2 * case.forcing[year]
    true = change(case, case)
    noise = change(case, with_error(case, 2004, 2007, "noise", 1.0)) - true
    spread, added = true.std(axis=(1, 2)), noise.std(axis=(1, 2))
    assert added == pytest.approx(spread, rel=0.2)
    inside = np.abs(noise.sum(axis=0)) < 1e-5
    assert inside.mean() > 0.9
    again = with_error(case, 2004, 2007, "noise", 1.0)
    assert np.array_equal(
        again.forcing[2007] - case.forcing[2004], (noise + true).astype(np.float32)
    )


@pytest.mark.parametrize("kind", ["bias", "noise", "displaced"])
def test_no_error_leaves_the_forcing_and_any_leaves_fractions(case, kind):
    assert np.array_equal(with_error(case, 2004, 2007, kind, 0).forcing[2007], case.forcing[2007])
    wrong = with_error(case, 2004, 2007, kind, 1)
    fractions = wrong.forcing[2007]
    assert fractions.min() >= 0 and fractions.max() <= 1
    assert fractions.sum(axis=0).max() <= 1 + 1e-5
    assert not wrong.known_quantities and case.known_quantities


def test_a_missing_coarse_cell_stays_missing(case):
    case.forcing[2007] = case.forcing[2007].copy()
    case.forcing[2007][:, 1, 1] = np.nan
    wrong = with_error(case, 2004, 2007, "displaced", 1).forcing[2007]
    assert np.isnan(wrong[:, 1, 1]).all() and np.isnan(wrong).sum() == 8


def test_what_is_no_error_is_refused(case):
    for kind, level in (("drift", 0.5), ("bias", 1.5)):
        with pytest.raises(ConfigError, match="expected one of"):
            with_error(case, 2004, 2007, kind, level)


def test_the_crossing_lies_on_a_straight_line():
    assert crossing([0, 0.5, 1], [0.9, 0.8, 0.6], 0.7) == pytest.approx(0.75)
    assert crossing([0, 0.5, 1], [0.6, 0.8, 0.9], 0.7) == 0
    assert crossing([0, 0.5, 1], [0.9, 0.8, 0.7], 0.7) is None


def test_skill_falls_with_the_error_of_the_quantity(new_case):
    case = new_case((60, 80), flicker=0.0)
    curves = quantity_curves(
        case, 2004, 2008, [Neighbourhood()], kinds=("bias", "displaced"), levels=(0.0, 1.0)
    )
    assert [c.kind for c in curves] == ["bias", "displaced"]
    assert {c.method for c in curves} == {"neighbourhood"}
    assert curves[0].fom[0] == curves[1].fom[0] > curves[1].fom[1]
    prior, truth, land = case.maps[2004], case.maps[2008], case.maps[2004] > 0
    for curve in curves:
        assert curve.below_persistence == {
            "accuracy": crossing(curve.levels, curve.accuracy, (prior == truth)[land].mean()),
            "mean_iou": crossing(curve.levels, curve.mean_iou, mean_iou(prior, truth, land, 9)),
        }


def test_accuracy_and_mean_iou_may_fall_below_persistence_at_different_errors(case):
    def worse(case, before, after):  # one cell of a rare class is found, or many of a common one
        land_use, error = case.map(before).copy(), not case.known_quantities
        rare, common = case.map(after) == 8, case.map(after) == 1
        land_use[rare] = 8
        if error:
            land_use[np.flatnonzero(common.any(axis=1))[:3]] = 2
        return np.where(case.map(before) == 0, 0, land_use).astype(np.uint8)

    (curve,) = quantity_curves(
        case, 2004, 2005, [ByMap("worse", worse)], kinds=("noise",), levels=(0.0, 1.0)
    )
    prior, truth, land = case.maps[2004], case.maps[2005], case.maps[2004] > 0
    found = [worse(case, 2004, 2005), worse(replace(case, known_quantities=False), 2004, 2005)]
    assert curve.accuracy == tuple(accuracy(f, truth, land) for f in found)
    assert curve.mean_iou == tuple(mean_iou(f, truth, land, 9) for f in found)
    bars = accuracy(prior, truth, land), mean_iou(prior, truth, land, 9)
    by_hand = [
        (values[0] - bar) / (values[0] - values[1])
        for values, bar in zip((curve.accuracy, curve.mean_iou), bars, strict=True)
    ]
    assert [*curve.below_persistence.values()] == pytest.approx(by_hand)
    assert abs(by_hand[0] - by_hand[1]) > 0.01


def test_what_is_right_is_scored_once_for_all_kinds(case):
    asked = []

    def still(case, before, after):
        asked.append(case.known_quantities)
        return case.map(before)

    quantity_curves(case, 2004, 2005, [ByMap("still", still)], levels=(0.0, 0.5, 1.0))
    assert asked == [True] + 6 * [False]
