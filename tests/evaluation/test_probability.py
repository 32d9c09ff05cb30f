"""Brier score and reliability: by hand and against brute force."""

import numpy as np
import pytest

from landstep.emulator.errors import InputError
from landstep.evaluation.probability import brier, reliability, skill


def test_brier_by_hand():
    # (0.9 - 1)^2, (0.4 - 0)^2, (0 - 0)^2
    found = brier(np.array([0.9, 0.4, 0.0]), np.array([True, False, False]))
    assert found == pytest.approx((0.01 + 0.16) / 3)


def test_skill_by_hand():
    assert skill(0.09, 0.10) == pytest.approx(0.1)
    assert skill(0.2, 0.1) == pytest.approx(-1)
    assert skill(0.0, 0.0) == 0
    assert skill(0.1, 0.0) == -np.inf


def test_certain_maps_have_their_error_as_brier_score():
    rng = np.random.default_rng(1)
    guess, happened = rng.random(100) < 0.4, rng.random(100) < 0.3
    assert brier(guess.astype(float), happened) == pytest.approx((guess != happened).mean())


def test_reliability_equals_sorting_cell_by_cell():
    rng = np.random.default_rng(6)
    chance = np.append(rng.random(300), [0.0, 1.0, 0.5])
    happened = rng.random(303) < chance
    found = reliability(chance, happened, np.array([0, 0.2, 0.5, 1.0]))
    bins = [(0, 0.2), (0.2, 0.5), (0.5, 1.01)]
    for n, (low, high) in enumerate(bins):
        here = (chance >= low) & (chance < high)
        assert found.cells[n] == here.sum()
        assert found.mean_probability[n] == pytest.approx(chance[here].mean())
        assert found.frequency[n] == pytest.approx(happened[here].mean())
    off = np.abs(found.mean_probability - found.frequency) * found.cells
    assert found.error == pytest.approx(off.sum() / 303)


def test_a_perfect_forecast_is_reliable_and_empty_bins_hold_nothing():
    happened = np.array([True, False, True])
    found = reliability(happened.astype(float), happened)
    assert found.error == 0
    assert found.cells.sum() == 3
    assert np.isnan(found.frequency[5])


@pytest.mark.parametrize(
    ("chance", "happened", "says"),
    [
        (np.array([0.5, 1.2]), np.array([True, False]), "from 0.5 to 1.2"),
        (np.array([0.5, np.nan]), np.array([True, False]), "expected 0 to 1"),
        (np.array([0.5]), np.array([True, False]), "one shape"),
        (np.zeros(0), np.zeros(0, bool), "some cells"),
    ],
)
def test_what_is_no_probability_is_refused(chance, happened, says):
    with pytest.raises(InputError, match=says):
        brier(chance, happened)
    with pytest.raises(InputError, match=says):
        reliability(chance, happened)
