"""Drift: change without cause, A-B-A, patches; by hand and against brute force."""

import numpy as np
import pytest

from landstep.emulator.errors import InputError
from landstep.evaluation.drift import flips, patches, yearly_change


def test_yearly_change_by_hand():
    maps = [np.array([row], np.uint8) for row in ([1, 1, 1, 2], [1, 1, 2, 2], [1, 1, 2, 1])]
    mask = np.array([[True, True, True, False]])
    assert yearly_change(maps, mask) == pytest.approx([1 / 3, 0])


def test_flips_by_hand():
    # cell 0 goes 1-2-1-1, cell 1 goes 1-2-3-3, cell 2 goes 1-1-2-1: two of five changes undone
    maps = [np.array([row], np.uint8) for row in ([1, 1, 1], [2, 2, 1], [1, 3, 2], [1, 3, 1])]
    found = flips(maps, np.ones((1, 3), bool))
    assert (found.flips, found.changes) == (2, 5)
    assert found.share == 0.4
    still = flips([maps[0]] * 3, np.ones((1, 3), bool))
    assert (still.flips, still.share) == (0, 0.0)


def flood(land, y, x):
    """Take a patch out of a map, cell by cell; how many there were."""
    todo, n = [(y, x)], 0
    while todo:
        y, x = todo.pop()
        if 0 <= y < land.shape[0] and 0 <= x < land.shape[1] and land[y, x]:
            land[y, x], n = False, n + 1
            todo += [(y + 1, x), (y - 1, x), (y, x + 1), (y, x - 1)]
    return n


def test_patches_equal_flooding_them():
    rng = np.random.default_rng(7)
    classes = rng.integers(0, 3, (17, 23)).astype(np.uint8)
    mask = rng.random((17, 23)) < 0.9
    found = patches(classes, mask, 4)
    assert set(found) == {0, 1, 2}
    for k in range(3):
        left, sizes = (classes == k) & mask, []
        while left.any():
            sizes.append(flood(left, *np.argwhere(left)[0]))
        of = found[k]
        assert (of.patches, of.largest) == (len(sizes), max(sizes))
        assert of.mean == pytest.approx(np.mean(sizes))
        assert of.single == pytest.approx(sizes.count(1) / len(sizes))


def test_too_few_maps_or_no_cells_are_refused():
    one = np.zeros((3, 4), np.uint8)
    mask = np.ones((3, 4), bool)
    with pytest.raises(InputError, match="1 maps, expected at least 2"):
        yearly_change([one], mask)
    with pytest.raises(InputError, match="2 maps, expected at least 3"):
        flips([one, one], mask)
    with pytest.raises(InputError, match="with some"):
        patches(one, ~mask, 2)
    with pytest.raises(InputError, match="one shape"):
        yearly_change([one, one[:2]], mask)
