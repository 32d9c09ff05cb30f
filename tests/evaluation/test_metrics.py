"""Confusion tables, class scores, disagreement, transitions, area errors: by hand, brute force."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from landstep.emulator.errors import InputError
from landstep.evaluation.metrics import (
    area_errors,
    class_scores,
    confusion,
    count_error,
    disagreement,
    transitions,
)

SHAPE = (5, 7)
MAPS = st.tuples(*[arrays(np.uint8, SHAPE, elements=st.integers(0, 3)) for _ in range(3)])
MASK = arrays(bool, SHAPE)
BLOCK = (np.arange(5) // 2)[:, None] * 3 + (np.arange(7) // 3)[None, :]
AREA = 1000 * np.arange(1, 6)[:, None]


@given(MAPS, MASK)
def test_a_confusion_table_equals_counting_cell_by_cell(maps, mask):
    mask[0, 0] = True
    _, found, true = maps
    cells, areas = np.zeros((4, 4)), np.zeros((4, 4))
    for y, x in zip(*np.nonzero(mask), strict=True):
        cells[true[y, x], found[y, x]] += 1
        areas[true[y, x], found[y, x]] += AREA[y, 0]
    assert np.array_equal(confusion(found, true, mask, 4), cells)
    assert np.array_equal(confusion(found, true, mask, 4, AREA), areas)


def test_class_scores_by_hand():
    # true class 0: 8 found, 2 taken for 1; true class 1: 1 taken for 0, 9 found; class 2: not there
    scores = class_scores(np.array([[8.0, 2, 0], [1, 9, 0], [0, 0, 0]]))
    assert scores.recall[:2] == pytest.approx([0.8, 0.9])
    assert scores.precision[:2] == pytest.approx([8 / 9, 9 / 11])
    assert scores.f1[:2] == pytest.approx([16 / 19, 18 / 21])
    assert scores.iou[:2] == pytest.approx([8 / 11, 9 / 12])
    for values in vars(scores).values():
        assert np.isnan(values[2])


def test_disagreement_by_hand():
    # of 100 cells 30 disagree; the amounts differ by 10, so 20 are in the wrong place
    found = disagreement(np.array([[40.0, 10], [20, 30]]))
    assert found.quantity == pytest.approx(0.10)
    assert found.allocation == pytest.approx(0.20)


@given(MAPS)
def test_disagreements_sum_to_the_error(maps):
    _, found, true = maps
    parts = disagreement(confusion(found, true, np.ones(SHAPE, bool), 4))
    assert parts.quantity + parts.allocation == pytest.approx((found != true).mean())
    assert parts.quantity >= 0 and parts.allocation >= -1e-12


@given(MAPS, MASK)
def test_transitions_equal_counting_cell_by_cell(maps, mask):
    prior, found, true = maps
    expected = {}
    for y, x in zip(*np.nonzero(mask), strict=True):
        start, end, guess = int(prior[y, x]), int(true[y, x]), int(found[y, x])
        for after, place in ((end, 0), (guess, 1)):
            if after != start:
                expected.setdefault((start, after), [0, 0, 0])[place] += 1
        if start != end == guess:
            expected[start, end][2] += 1
    rows = transitions(prior, found, true, mask, 4)
    assert {(r.before, r.after): [r.true, r.predicted, r.hits] for r in rows} == expected
    assert [r.true for r in rows] == sorted((r.true for r in rows), reverse=True)
    for row in rows:
        assert row.merit == row.hits / (row.true + row.predicted - row.hits)


@given(MAPS, MASK)
def test_count_error_equals_counting_block_by_block(maps, mask):
    mask[0, 0] = True
    _, found, true = maps
    off = 0
    for number in range(BLOCK.max() + 1):
        for k in range(4):
            here = mask & (BLOCK == number)
            off += abs(int((found[here] == k).sum()) - int((true[here] == k).sum()))
    assert count_error(found, true, mask, BLOCK, 4) == pytest.approx(off / 2 / mask.sum())


def test_area_errors_by_hand():
    true = np.array([[1, 1, 2, 2]], np.uint8)
    found = np.array([[1, 2, 2, 2]], np.uint8)
    block = np.array([[0, 0, 1, 1]])
    area = np.array([[3_000_000_000]])  # 3 km2
    errors = area_errors(found, true, np.ones((1, 4), bool), block, area, 4)
    assert set(errors) == {1, 2}
    one, two = errors[1], errors[2]
    assert (one.median, one.largest, one.bias, one.coarse_cells) == (3, 3, -3, 1)
    assert (two.median, two.largest, two.bias, two.coarse_cells) == (1.5, 3, 1.5, 2)
    assert two.p95 == pytest.approx(0.95 * 3)


def test_unknown_predictions_are_counted_nowhere():
    true, found = np.array([[1, 1]], np.uint8), np.array([[1, 255]], np.uint8)
    mask, block = np.ones((1, 2), bool), np.zeros((1, 2), np.int64)
    assert confusion(found, true, mask, 3).sum() == 1
    assert count_error(found, true, mask, block, 3) == 0.25


@pytest.mark.parametrize(
    ("true", "mask", "says"),
    [
        (np.zeros((1, 2), np.uint8), np.zeros((1, 2), bool), "with some"),
        (np.zeros((1, 3), np.uint8), np.ones((1, 2), bool), "one shape"),
        (np.full((1, 2), 9, np.uint8), np.ones((1, 2), bool), "true class 9"),
    ],
)
def test_maps_that_cannot_be_compared_are_refused(true, mask, says):
    with pytest.raises(InputError, match=says):
        confusion(np.zeros((1, 2), np.uint8), true, mask, 3)
