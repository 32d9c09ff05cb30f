"""First-time changes and returns: against counting cell by cell, by hand, and their sums."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from landstep.emulator.errors import InputError
from landstep.emulator.scores import figure_of_merit
from landstep.evaluation.change import change_counts, returns

SHAPE = (5, 7)
CLASSES = arrays(np.uint8, SHAPE, elements=st.integers(0, 3))
MAPS = st.tuples(CLASSES, CLASSES, CLASSES)
PAST = arrays(np.uint8, (3, *SHAPE), elements=st.sampled_from([0, 1, 2, 3, 255]))
MASK = arrays(bool, SHAPE)
BLOCK = (np.arange(5) // 2)[:, None] * 3 + (np.arange(7) // 3)[None, :]


def brute_force(prior, found, true, past, mask, kind):
    """Count one kind cell by cell: hits, misses, wrong hits, false alarms."""
    hits = misses = wrong = false = 0
    for y, x in zip(*np.nonzero(mask), strict=True):
        before = {int(c) for c in past[:, y, x]} - {255}
        start, guess, end = int(prior[y, x]), int(found[y, x]), int(true[y, x])
        true_kind = "return" if end in before else "first"
        guess_kind = "return" if guess in before else "first"
        if start != end:
            if guess == end:
                hits += true_kind == kind
            elif guess == start:
                misses += true_kind == kind
            else:
                wrong += guess_kind == kind
                misses += true_kind == kind and guess_kind != kind
        elif guess != start:
            false += guess_kind == kind
    return [hits, misses, wrong, false]


@given(MAPS, PAST, MASK)
def test_each_kind_equals_counting_cell_by_cell(maps, past, mask):
    counts = change_counts(*maps, past, mask)
    for kind in ("first", "return"):
        merit = counts.merit(kind)
        assert list(vars(merit).values()) == brute_force(*maps, past, mask, kind)


@given(MAPS, PAST, MASK)
def test_unsplit_counts_are_the_figure_of_merit(maps, past, mask):
    mask[0, 0] = True
    assert change_counts(*maps, past, mask).merit() == figure_of_merit(*maps, mask)


@given(MAPS, PAST, MASK)
def test_the_kinds_sum_to_the_whole(maps, past, mask):
    whole, first, back = change_counts(*maps, past, mask).counts[:, :, 0]
    hits, _, wrong, false = whole - first - back
    assert hits == wrong == false == 0
    twice = (first + back - whole)[1]
    prior, found, true = maps
    crossed = (prior != true) & (found != prior) & (found != true) & mask
    crossed &= returns(true, past) != returns(found, past)
    assert twice == crossed.sum()


@given(MAPS, PAST, MASK)
def test_blocks_sum_to_the_whole(maps, past, mask):
    by_block = change_counts(*maps, past, mask, BLOCK, 9).counts
    assert np.array_equal(by_block.sum(axis=2), change_counts(*maps, past, mask).counts[:, :, 0])
    one = mask & (BLOCK == 4)
    assert np.array_equal(by_block[:, :, 4], change_counts(*maps, past, one).counts[:, :, 0])


def test_one_row_by_hand():
    #                 hit    hit   miss   wrong  wrong  false  false  still
    prior = np.array([[1, 1, 1, 1, 1, 1, 1, 1]], np.uint8)
    true = np.array([[2, 3, 2, 2, 3, 1, 1, 1]], np.uint8)
    found = np.array([[2, 3, 1, 3, 2, 2, 3, 1]], np.uint8)
    past = np.full((3, 1, 8), 255, np.uint8)
    past[1] = 2  # every cell was 2 two years before the prior; class 3 is new everywhere
    counts = change_counts(prior, found, true, past, np.ones((1, 8), bool))
    # first: the hit of 3; true 3 found as 2 is a miss of it; found 3 in truth 2 a wrong hit of it
    assert vars(counts.merit("first")) == dict(hits=1, misses=1, wrong_hits=1, false_alarms=1)
    assert vars(counts.merit("return")) == dict(hits=1, misses=2, wrong_hits=1, false_alarms=1)
    assert vars(counts.merit()) == dict(hits=2, misses=1, wrong_hits=2, false_alarms=2)
    assert counts.merit("first").value == 1 / 4


def test_without_known_maps_every_change_is_a_first():
    past = np.full((3, *SHAPE), 255, np.uint8)
    prior, true = np.zeros(SHAPE, np.uint8), np.full(SHAPE, 255, np.uint8)
    assert not returns(true, past).any()
    assert change_counts(prior, true, true, past, np.ones(SHAPE, bool)).merit("first").hits == 35


def test_maps_of_unequal_shape_are_refused():
    zeros = np.zeros(SHAPE, np.uint8)
    with pytest.raises(InputError, match="expected one shape"):
        change_counts(zeros, zeros, zeros[:4], zeros[None], np.ones(SHAPE, bool))
