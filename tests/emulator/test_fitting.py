"""Proportional fitting: its totals, and what it leaves as it was."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landstep.emulator.fitting import fit, in_order, probabilities

FREE = np.zeros((3, 1, 2), bool)


def softmax(odds):
    """Probabilities of log odds over the first axis."""
    p = np.exp(odds - odds.max(axis=0))
    return p / p.sum(axis=0)


def test_without_quotas_they_are_the_softmax():
    odds = np.random.default_rng(0).normal(0, 3, (4, 3, 5)).astype(np.float32)
    p = probabilities(odds, np.zeros(odds.shape, bool))
    np.testing.assert_allclose(p / p.sum(axis=0), softmax(odds), rtol=1e-5)


def test_a_forbidden_class_has_none_whatever_its_odds():
    odds = np.array([[9, 1], [2, 2], [np.nan, np.inf]], np.float32)[:, None]
    p = probabilities(odds, FREE | np.array([False, False, True])[:, None, None])
    np.testing.assert_array_equal(p[2], 0)
    np.testing.assert_allclose(p[:2, 0] / p[:, 0].sum(0), softmax(odds[:2, 0]), rtol=1e-6)


def test_least_likely_still_may_be():
    p = probabilities(np.array([0, -np.inf, -50], np.float32)[:, None, None], FREE[:, :, :1])
    np.testing.assert_allclose(p[:, 0, 0], [1, np.exp(-20), np.exp(-20)], rtol=1e-5)


@pytest.mark.parametrize("wrong", [[np.nan, 0, 0], [np.inf, 0, 0], [-np.inf] * 3])
def test_what_are_no_odds_give_no_number(wrong):
    odds = np.array([wrong, [1, 2, 3]], np.float32).T[:, None]
    p = probabilities(odds, FREE)
    assert np.isnan(p[:, 0, 0]).any() and not np.isnan(p[:, 0, 1]).any()


@given(st.integers(0, 10**6))
def test_slots_come_to_their_totals(seed):
    rng = np.random.default_rng(seed)
    p = probabilities(rng.normal(0, 1.5, (5, 2, 40)).astype(np.float32), np.zeros((5, 2, 40), bool))
    slot_of = np.array([2, 0, 0, 1, 2])
    weight = rng.uniform(0.99, 1.01, (2, 40)).astype(np.float32)
    weight[1, 33:] = 0
    share = rng.dirichlet(np.full(3, 3), 2).T
    p = fit(p, slot_of, share * weight.sum(axis=1), weight)
    np.testing.assert_allclose(p[:, weight > 0].sum(axis=0), 1, rtol=1e-5)
    for s in range(3):
        found = (p[slot_of == s].sum(axis=0) * weight).sum(axis=1)
        np.testing.assert_allclose(found, share[s] * weight.sum(axis=1), atol=0.01)


def test_fitting_keeps_the_cross_products():
    odds = np.random.default_rng(3).normal(0, 2, (3, 1, 12)).astype(np.float32)
    before = probabilities(odds, np.zeros(odds.shape, bool))
    after = fit(
        before, np.array([0, 1, 2]), np.array([[2.0], [7.0], [3.0]]), np.ones((1, 12), np.float32)
    )

    def crossed(p):
        return p[0, 0, :-1] * p[1, 0, 1:] / (p[1, 0, :-1] * p[0, 0, 1:])

    np.testing.assert_allclose(crossed(after), crossed(before), rtol=1e-4)


@pytest.mark.parametrize("columns", [1, 2, 7])
def test_terms_are_added_one_after_the_other(columns):
    terms = np.random.default_rng(9).normal(size=(40, columns)).astype(np.float32)
    for column in range(columns):
        total = np.float32(0)
        for term in terms[:, column]:
            total += term
        assert in_order(terms)[column] == total


@settings(max_examples=30)
@given(st.integers(0, 10**6), st.integers(1, 13), st.integers(1, 20))
def test_a_block_is_fitted_alike_in_any_company(seed, n_slots, n_cells):
    rng = np.random.default_rng(seed)
    shape = n_slots, 5, n_cells
    p = probabilities(rng.normal(0, 3, shape).astype(np.float32), rng.random(shape) < 0.1)
    p[0] = 1
    target = rng.dirichlet(np.full(n_slots, 0.3), 5).T * n_cells * rng.uniform(0.5, 1.5, 5)
    inputs = np.arange(n_slots), target, np.ones(shape[1:], np.float32)
    together = fit(p, *inputs)
    for b in range(5):
        alone = fit(p[:, b : b + 1], inputs[0], target[:, b : b + 1], inputs[2][b : b + 1])
        np.testing.assert_array_equal(alone[:, 0], together[:, b])


def test_two_cells_of_two_classes_by_hand():
    shares = np.array([[[1, 1]], [[1, 0.25]]], np.float32)
    p = fit(shares, np.array([0, 1]), np.array([[1.0], [1.0]]), np.ones((1, 2), np.float32))
    # p, 1 - p and 1 - p, p; the cross-product stays: p^2 / (1 - p)^2 = 1/4, so p = 1/3
    np.testing.assert_allclose(p[:, 0], [[1 / 3, 2 / 3], [2 / 3, 1 / 3]], rtol=1e-5)


def test_totals_that_cannot_be_are_taken_to_the_nearest():
    forbidden = np.zeros((2, 1, 4), bool)
    forbidden[0, 0, 1:] = True
    p = probabilities(np.zeros((2, 1, 4), np.float32), forbidden)
    p = fit(p, np.array([0, 1]), np.array([[3.0], [1.0]]), np.ones((1, 4), np.float32))
    np.testing.assert_allclose(p[:, 0, 1:], [[0, 0, 0], [1, 1, 1]])
    assert p[0, 0, 0] > 0.95


def test_a_total_that_cannot_be_does_not_spoil_the_others():
    forbidden = np.zeros((3, 1, 4), bool)
    forbidden[0, 0, 1:] = True
    p = probabilities(np.zeros((3, 1, 4), np.float32), forbidden)
    p = fit(p, np.array([0, 1, 2]), np.array([[3.0], [0.75], [0.25]]), np.ones((1, 4), np.float32))
    np.testing.assert_allclose(p[:, 0, 1:], np.repeat([[0], [0.25], [0.75]], 3, 1), atol=0.01)


def test_what_no_total_asks_for_is_the_last_slots():
    p = probabilities(np.zeros((2, 1, 4), np.float32), np.zeros((2, 1, 4), bool))
    p = fit(p, np.array([0, 1]), np.zeros((2, 1)), np.ones((1, 4), np.float32))
    np.testing.assert_allclose(p[:, 0], [[0] * 4, [1] * 4], atol=1e-6)


def test_totals_too_large_for_the_last_slot_are_cut_by_the_room_that_they_have():
    forbidden = np.zeros((3, 1, 6), bool)
    forbidden[2, 0, 1:] = True
    p = probabilities(np.zeros((3, 1, 6), np.float32), forbidden)
    # 3 and 6 asked of 6 cells: 3 too many, cut by 1 and 2
    p = fit(p, np.array([0, 1, 2]), np.array([[3.0], [6.0], [0.0]]), np.ones((1, 6), np.float32))
    np.testing.assert_allclose(p[:, 0].sum(axis=1), [2, 4, 0], atol=0.01)
