"""Gross change: counted cell by cell, by hand on a small map and by brute force on any."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from landstep.coupling.gross import GrossChange
from landstep.coupling.host_points import HostPoints
from landstep.coupling.points import Points
from landstep.emulator.classes import MASKED
from landstep.emulator.grid import Grid
from landstep.emulator.part import Part
from landstep.emulator.ranks import Ranks
from landstep.emulator.shares import Share

N_CLASSES = 4


@pytest.fixture(scope="module")
def points() -> HostPoints:
    """One host cell over the western half of a map of 2 x 4 cells, one over all of it."""
    grid = Grid.regular(np.array([0.5, -0.5]), np.array([0.5, 1.5, 2.5, 3.5]), "test")
    lat_bounds = np.array([[-1.0, 1.0], [-1.0, 1.0]])
    lon_bounds = np.array([[0.0, 2.0], [0.0, 4.0]])
    given = Points.make(np.array([1.0, 2.0]), np.zeros(2), lon_bounds, lat_bounds)
    whole = Part.whole(grid.shape)
    return HostPoints.make(given, grid, Share(whole, whole, whole, whole, whole), Ranks())


def change(before: np.ndarray, after: np.ndarray, points: HostPoints) -> GrossChange:
    known = points.class_areas(after, N_CLASSES)[:, :-1]
    return GrossChange.between(before, after, points, known)


def test_what_comes_and_goes_within_a_cell_is_seen(points: HostPoints) -> None:
    before = np.array([[0, 1, 2, 2], [3, 3, 2, 2]], np.uint8)
    after = np.array([[1, 0, 2, 2], [3, 2, 2, 2]], np.uint8)
    found = change(before, after, points)
    quarter, eighth = np.array([0.25, 0.25, 0.25, 0.0]), np.array([0.125, 0.125, 0.125, 0.0])
    assert np.allclose(found.gain, [quarter, eighth], atol=1e-9)
    lost = np.array([0.25, 0.25, 0.0, 0.25])
    assert np.allclose(found.loss, [lost, lost / 2], atol=1e-9)


maps = arrays(np.uint8, (2, 4), elements=st.sampled_from([0, 1, 2, 3, MASKED]))


@given(before=maps, after=maps)
def test_gain_less_loss_is_the_change_of_the_fraction(
    points: HostPoints, before: np.ndarray, after: np.ndarray
) -> None:
    """Where no cell becomes known or unknown."""
    after = np.where(before == MASKED, MASKED, np.where(after == MASKED, before, after))
    after = after.astype(np.uint8)
    found = change(before, after, points)
    areas = [points.class_areas(m, N_CLASSES)[:, :-1] for m in (before, after)]
    total = np.maximum(areas[1].sum(axis=1), 1)[:, None]
    assert np.allclose(found.gain - found.loss, areas[1] / total - areas[0] / total, atol=1e-15)
    assert (found.gain >= 0).all() and (found.loss >= 0).all()
    assert np.allclose(found.gain.sum(axis=1), found.loss.sum(axis=1), atol=1e-15)
    same = np.array([[(before == after)[:, :2].all()], [(before == after).all()]])[:, 0]
    assert not found.gain[same].any() and not found.loss[same].any()


@given(before=maps, after=maps)
def test_transitions_sum_to_loss_and_gain_in_any_order(
    points: HostPoints, before: np.ndarray, after: np.ndarray
) -> None:
    """Exactly; and each is the area of the cells that went that way, counted one by one."""
    found = change(before, after, points)
    table = np.array([[found.transition(i, j) for j in range(N_CLASSES)] for i in range(N_CLASSES)])
    for order in ([0, 1, 2, 3], [3, 1, 0, 2]):
        loss = sum(table[:, j] for j in order)
        gain = sum(table[i] for i in order)
        assert np.array_equal(loss.T, found.loss) and np.array_equal(gain.T, found.gain)
    assert not table[range(N_CLASSES), range(N_CLASSES)].any()
    assert (table.sum(axis=(0, 1)) <= 1.0).all()
    for point, columns in enumerate((2, 4)):
        old, new = before[:, :columns], after[:, :columns]
        known = max(int((new != MASKED).sum()), 1)
        for i in range(N_CLASSES):
            for j in range(N_CLASSES):
                cells = int(((old == i) & (new == j) & (old != new)).sum())
                assert table[i, j, point] == pytest.approx(cells / known, abs=1e-9)


def test_sums_of_many_shares_are_exact_too() -> None:
    """Cells of many areas, in rectangles that cut them: quotients would differ in a last bit."""
    rng, shape, n_classes = np.random.default_rng(11), (31, 29), 9
    lat, lon = 60.0 - 0.7 * np.arange(shape[0]), 0.9 * np.arange(shape[1])
    grid = Grid.regular(lat, lon, "test")
    west, south = np.linspace(0.3, 14.1, 7), np.linspace(41.2, 48.3, 7)
    lon_bounds, lat_bounds = (np.stack([a, a + 9.37], 1) for a in (west, south))
    given = Points.make(west + 3.0, south + 3.0, lon_bounds, lat_bounds)
    whole = Part.whole(grid.shape)
    points = HostPoints.make(given, grid, Share(whole, whole, whole, whole, whole), Ranks())
    before, after = (rng.integers(0, n_classes, shape).astype(np.uint8) for _ in range(2))
    known = points.class_areas(after, n_classes)[:, :-1]
    found = GrossChange.between(before, after, points, known)
    every = range(n_classes)
    table = np.array([[found.transition(i, j) for j in every] for i in every])
    for order in (list(every), list(every)[::-1], rng.permutation(n_classes).tolist()):
        assert np.array_equal(sum(table[:, j] for j in order).T, found.loss)
        assert np.array_equal(sum(table[i] for i in order).T, found.gain)
    assert (found.loss.sum(axis=1) <= 1.0).all() and (table > 0).sum() > 400


def test_more_pairs_than_one_pass_counts_are_counted_in_several(
    points: HostPoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = np.array([[0, 1, 2, 3], [3, 2, 1, 0]], np.uint8)
    after = np.array([[1, 2, 3, 0], [2, 1, 0, 3]], np.uint8)
    whole = change(before, after, points)
    monkeypatch.setattr("landstep.coupling.gross.PAIRS_AT_ONCE", 3)
    found = change(before, after, points)
    assert len(found.pairs) == 8
    assert np.array_equal(found.gain, whole.gain) and np.array_equal(found.loss, whole.loss)
    for pair in whole.pairs:
        assert np.array_equal(found.transition(*pair), whole.transition(*pair))


def test_a_cell_that_becomes_known_is_no_change(points: HostPoints) -> None:
    before = np.full((2, 4), MASKED, np.uint8)
    found = change(before, np.ones((2, 4), np.uint8), points)
    assert not found.gain.any() and not found.loss.any() and not found.pairs
