"""Strips joined until coarse rows are complete: every row once, whatever the strips."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from landstep.emulator.strips import whole_coarse_rows


@st.composite
def cut_maps(draw):
    """Draw coarse rows of several heights, strips that cut them, and a bound on the pieces."""
    heights = draw(st.lists(st.integers(1, 9), min_size=1, max_size=8))
    row = np.repeat(
        np.cumsum(draw(st.lists(st.integers(1, 3), min_size=8)))[: len(heights)], heights
    )
    core = draw(st.integers(1, 12))
    whole = np.random.default_rng(1).random((3, row.size, 4)).astype(np.float32)
    strips = [whole[:, top : top + core] for top in range(0, row.size, core)]
    return whole, row, strips, draw(st.sampled_from([1, 4 * 5, 4 * 100]))


@given(cut_maps())
def test_pieces_are_whole_coarse_rows_in_order(cut):
    whole, row, strips, most = cut
    reached = 0
    for top, bottom, piece in whole_coarse_rows(iter(strips), row, most):
        assert top == reached < bottom
        assert np.array_equal(piece, whole[:, top:bottom])
        assert bottom == row.size or row[bottom] != row[bottom - 1]
        assert top == 0 or row[top] != row[top - 1]
        assert piece[0].size <= most or len(set(row[top:bottom])) == 1
        reached = bottom
    assert reached == row.size


def test_a_piece_is_given_as_soon_as_its_coarse_row_is_complete():
    """Memory holds the strips that are not complete yet, not the map."""
    taken = []

    def strips():
        for number in range(6):
            taken.append(number)
            yield np.zeros((1, 4, 2), np.float32)

    row = np.arange(24) // 6
    given = []
    for top, bottom, _ in whole_coarse_rows(strips(), row, 12):
        given.append((top, bottom, len(taken)))
    assert given == [(0, 6, 2), (6, 12, 3), (12, 18, 5), (18, 24, 6)]
