"""Fine cells of coarse cells against brute force."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from landstep.emulator.coarse_cells import CoarseCells, bundles

INDEX = st.lists(st.integers(0, 6), min_size=1, max_size=17).map(lambda i: np.array(sorted(i)))


@given(INDEX, INDEX, st.data())
def test_the_cells_of_a_coarse_cell_are_those_with_its_row_and_column(row, col, data):
    coarse = CoarseCells.of(row, col)
    all_of_them = [(i, j) for i in range(coarse.rows.size) for j in range(coarse.cols.size)]
    chosen = data.draw(st.lists(st.sampled_from(all_of_them), min_size=1, unique=True))
    places, size = coarse.cells(np.array(chosen))
    for (i, j), found in zip(chosen, np.split(places, np.cumsum(size)[:-1]), strict=True):
        inside = (row == coarse.rows[i])[:, None] & (col == coarse.cols[j])
        np.testing.assert_array_equal(found, np.flatnonzero(inside))


@given(INDEX, INDEX)
def test_a_field_sums_over_each_coarse_cell(row, col):
    field = np.arange(row.size * col.size).reshape(row.size, col.size)
    coarse = CoarseCells.of(row, col)
    expected = [[field[np.ix_(row == r, col == c)].sum() for c in coarse.cols] for r in coarse.rows]
    np.testing.assert_array_equal(coarse.sum(field), expected)


@given(st.lists(st.integers(0, 200), min_size=1, max_size=30))
def test_every_cell_of_every_block_stands_once_in_a_bundle(sizes):
    size = np.array(sizes)
    places = np.random.default_rng(1).permutation(size.sum())
    blocks = np.split(places, np.cumsum(size)[:-1])
    seen = []
    for bundle in bundles(places, size):
        for number, where, real in zip(bundle.number, bundle.where, bundle.real, strict=True):
            np.testing.assert_array_equal(where[real], blocks[number])
            assert (where[~real] == blocks[number][0]).all()
            seen.append(int(number))
    assert sorted(seen) == np.flatnonzero(size).tolist()


@given(st.integers(1, 10**6))
def test_the_width_of_a_row_depends_on_its_own_block(size):
    alone = next(bundles(np.arange(size), np.array([size]))).where.shape[1]
    assert size <= alone <= max(size, 9 * size / 8)
    if size < 5000:
        beside = bundles(np.arange(2 * size + 1), np.array([size, size + 1]))
        assert next(beside).where.shape[1] == alone
