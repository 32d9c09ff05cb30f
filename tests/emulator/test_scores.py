"""Scores against brute force, by hand, and at their limits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from landstep.emulator.errors import InputError
from landstep.emulator.scores import accuracy, class_iou, figure_of_merit, mean_iou

MAPS = st.tuples(*[arrays(np.uint8, (5, 7), elements=st.integers(0, 3)) for _ in range(3)])
ALL = np.ones((5, 7), bool)


def brute_force(prior, predicted, truth, mask):
    """Count cell by cell: hits, misses, wrong hits, false alarms."""
    counts = {"hits": 0, "misses": 0, "wrong_hits": 0, "false_alarms": 0}
    for before, found, true, counted in zip(
        prior.flat, predicted.flat, truth.flat, mask.flat, strict=True
    ):
        if not counted:
            continue
        if before != true and found == before:
            counts["misses"] += 1
        elif before != true and found == true:
            counts["hits"] += 1
        elif before != true:
            counts["wrong_hits"] += 1
        elif found != before:
            counts["false_alarms"] += 1
    return counts


@given(MAPS, arrays(bool, (5, 7)))
def test_figure_of_merit_equals_brute_force(maps, mask):
    mask[0, 0] = True
    found = figure_of_merit(*maps, mask)
    expected = brute_force(*maps, mask)
    assert vars(found) == expected
    total = sum(expected.values())
    assert found.value == (expected["hits"] / total if total else 0.0)


@given(MAPS)
def test_components_and_correct_rejections_are_all_cells(maps):
    prior, predicted, truth = maps
    found = figure_of_merit(prior, predicted, truth, ALL)
    rejections = int(((prior == truth) & (prior == predicted)).sum())
    assert sum(vars(found).values()) + rejections == truth.size
    wrong = found.misses + found.wrong_hits + found.false_alarms
    assert accuracy(predicted, truth, ALL) == pytest.approx(1 - wrong / truth.size)


@given(MAPS)
def test_persistence_has_no_merit_and_a_perfect_map_has_all(maps):
    prior, _, truth = maps
    assert figure_of_merit(prior, prior, truth, ALL).value == 0
    assert figure_of_merit(prior, truth, truth, ALL).value == float((prior != truth).any())
    assert accuracy(truth, truth, ALL) == mean_iou(truth, truth, ALL, 4) == 1


def test_mean_iou_by_hand():
    truth = np.array([[0, 0, 1, 1, 1, 2]])
    found = np.array([[0, 1, 1, 1, 3, 2]])
    mask = np.array([[True, True, True, True, True, False]])
    # class 0: 1 of 2; class 1: 2 of 4; classes 2 and 3 are not in the masked truth
    assert mean_iou(found, truth, mask, 4) == pytest.approx((1 / 2 + 2 / 4) / 2)
    assert accuracy(found, truth, mask) == pytest.approx(3 / 5)


@given(MAPS, arrays(bool, (5, 7)), arrays(np.int64, (5, 1), elements=st.integers(1, 9)))
def test_scores_weighted_by_area_equal_brute_force(maps, mask, area):
    mask[0, 0] = True
    _, found, truth = maps
    right, both, either, true = 0, [0] * 4, [0] * 4, [0] * 4
    for y, x in zip(*np.nonzero(mask), strict=True):
        size, f, t = int(area[y, 0]), int(found[y, x]), int(truth[y, x])
        right += size * (f == t)
        for k in range(4):
            both[k] += size * (f == t == k)
            either[k] += size * (k in (f, t))
            true[k] += size * (t == k)
    total = sum(true)
    assert accuracy(found, truth, mask, area) == pytest.approx(right / total)
    expected = [b / e if t else np.nan for b, e, t in zip(both, either, true, strict=True)]
    iou = class_iou(found, truth, mask, 4, area)
    assert iou == pytest.approx(np.array(expected), nan_ok=True)
    assert mean_iou(found, truth, mask, 4, area) == pytest.approx(np.nanmean(expected))


@given(MAPS)
def test_equal_areas_weigh_nothing(maps):
    _, found, truth = maps
    area = np.full((5, 1), 7)
    assert accuracy(found, truth, ALL, area) == pytest.approx(accuracy(found, truth, ALL))
    assert mean_iou(found, truth, ALL, 4, area) == pytest.approx(mean_iou(found, truth, ALL, 4))


@pytest.mark.parametrize("mask", [np.zeros((5, 7), bool), np.ones((5, 7)), np.ones((4, 7), bool)])
def test_a_mask_that_cannot_be_is_refused(mask):
    zeros = np.zeros((5, 7), np.uint8)
    with pytest.raises(InputError, match=r"expected (bool with some|one shape)"):
        accuracy(zeros, zeros, mask)
