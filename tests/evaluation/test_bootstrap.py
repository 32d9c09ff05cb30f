"""Resampled blocks: against resampling by hand, coverage, and pairing."""

import numpy as np
import pytest

from landstep.emulator.errors import InputError
from landstep.evaluation.bootstrap import draws, interval, mean_ious, means, merits, ratio


def test_resampled_merit_equals_resampling_the_blocks_themselves():
    rng = np.random.default_rng(2)
    counts = rng.integers(0, 9, (4, 5))
    drawn = draws(5, seed=3, resamples=20)
    assert np.array_equal(drawn.sum(axis=1), np.full(20, 5))
    for times, found in zip(drawn.astype(int), merits(counts, drawn), strict=True):
        blocks = np.repeat(np.arange(5), times)
        hits, *others = counts[:, blocks].sum(axis=1)
        assert found == pytest.approx(hits / (hits + sum(others)))


def test_means_weigh_blocks_by_their_cells():
    drawn = np.array([[1.0, 1.0], [2.0, 0.0]])
    assert means(np.array([3, 1]), np.array([4, 1]), drawn) == pytest.approx([4 / 5, 3 / 4])


def test_mean_iou_is_over_the_classes_that_the_drawn_blocks_hold():
    # class 0 is in both blocks, class 1 in the second alone, class 2 is predicted and never true
    both = np.array([[2.0, 1.0], [0.0, 3.0], [0.0, 0.0]])
    true = np.array([[3.0, 1.0], [0.0, 4.0], [0.0, 0.0]])
    found = np.array([[2.0, 1.0], [0.0, 3.0], [1.0, 1.0]])
    drawn = np.array([[1.0, 1.0], [2.0, 0.0], [0.0, 2.0]])
    by_hand = [(3 / 4 + 3 / 4) / 2, 4 / 6, (1 + 6 / 8) / 2]
    assert mean_ious(both, true, found, drawn) == pytest.approx(by_hand)


def test_nothing_predicted_and_nothing_changed_has_no_merit():
    assert np.array_equal(merits(np.zeros((4, 3), int), draws(3, resamples=4)), np.zeros(4))


def test_the_interval_of_a_mean_covers_it_as_often_as_it_says():
    rng = np.random.default_rng(4)
    cells, covered = np.ones(200), 0
    for trial in range(200):
        right = rng.random(200) < 0.3
        low, high = interval(means(right, cells, draws(200, trial, 400)))
        covered += low <= 0.3 <= high
    assert 180 <= covered <= 198  # 190 expected; standard deviation 3.1


def test_a_ratio_is_paired():
    rng = np.random.default_rng(5)
    counts = rng.integers(1, 50, (4, 30))
    double = counts.copy()
    double[0] *= 2
    drawn = draws(30, resamples=100)
    assert np.array_equal(ratio(counts, counts, drawn), np.ones(100))
    spread = np.ptp(ratio(double, counts, drawn))
    assert spread < np.ptp(merits(double, drawn) / merits(counts, drawn[::-1]))


def test_a_ratio_over_nothing_is_infinite_and_of_two_nothings_one():
    nothing, some = np.zeros((4, 3), int), np.ones((4, 3), int)
    drawn = draws(3, resamples=2)
    assert np.array_equal(ratio(some, nothing, drawn), [np.inf, np.inf])
    assert np.array_equal(ratio(nothing, nothing, drawn), [1, 1])
    assert np.array_equal(ratio(nothing, some, drawn), [0, 0])


def test_the_same_seed_draws_the_same_blocks():
    assert np.array_equal(draws(7, 1, 5), draws(7, 1, 5))
    assert not np.array_equal(draws(7, 1, 5), draws(7, 2, 5))


def test_impossible_requests_are_refused():
    with pytest.raises(InputError, match="at least one"):
        interval(np.zeros(0))
