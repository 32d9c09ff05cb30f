"""Dividing a map among ranks: whole coarse cells, each once, about the same land, halos enough."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landstep.emulator.errors import ConfigError
from landstep.emulator.grid import Grid
from landstep.emulator.part import Part, runs
from landstep.emulator.shares import Division


def division(globe, coarse, reach, rows=18, columns=36):
    """Divide a globe, or a region, of coarse cells of `coarse` fine ones."""
    ny, nx = rows * coarse, columns * coarse
    step = 360 / nx if globe else 0.01
    lat = (90 if globe else 40) - (np.arange(ny) + 0.5) * (180 / ny if globe else 0.01)
    grid = Grid.regular(lat, -180 + (np.arange(nx) + 0.5) * step, "here")
    index = np.arange(ny) // coarse + 2, np.arange(nx) // coarse
    return Division(grid, *index, (rows + 5, columns), reach)


@st.composite
def divisions(draw):
    """Draw a division, land and a number of ranks."""
    globe, coarse = draw(st.booleans()), draw(st.integers(1, 3))
    found = division(globe, coarse, draw(st.integers(1, 9)))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    land = rng.integers(0, 9, found.coarse_shape) * (rng.random(found.coarse_shape) < 0.4)
    return found, land, draw(st.integers(1, 9))


@given(divisions())
def test_every_cell_is_owned_once_in_whole_coarse_cells(drawn):
    whole, land, ranks = drawn
    shares = whole.shares(land, ranks)
    assert len(shares) == ranks
    count, coarse = np.zeros(whole.grid.shape, int), np.zeros(land.shape, int)
    for share in shares:
        count[share.own.rows, share.own.left : share.own.right] += 1
        part = share.coarse_own
        coarse[part.rows, part.left : part.right] += 1
        rows, cols = whole.row[share.own.rows] - 2, whole.col[share.own.columns]
        assert (rows.min(), rows.max() + 1) == (part.top, part.bottom)
        assert (cols.min(), cols.max() + 1) == (part.left, part.right)
    assert (count == 1).all() and (coarse == 1).all()


@given(divisions())
def test_a_rank_holds_what_its_windows_see_in_whole_coarse_cells(drawn):
    """Round the Earth on a globe, to the edges in a region; and it knows where all of that lies."""
    whole, land, ranks = drawn
    (ny, nx), reach = whole.grid.shape, whole.reach
    for share in whole.shares(land, ranks):
        own, held = share.own, share.held
        assert held.top <= max(0, own.top - reach)
        assert held.bottom >= min(ny, own.bottom + reach)
        seen = np.arange(own.left - reach, own.right + reach)
        seen = seen % nx if whole.grid.wraps else seen[(seen >= 0) & (seen < nx)]
        assert set(seen) <= set(held.columns)
        assert len(set(held.columns)) == held.columns.size
        fine = np.arange(nx)
        y0, y1, x0, x1 = share.own_box
        assert np.array_equal(held.columns[x0:x1], fine[own.left : own.right])
        assert (held.top + y0, held.top + y1) == (own.top, own.bottom)
        coarse = share.coarse_held
        ids = whole.col[held.columns]
        assert np.array_equal(ids[np.insert(np.diff(ids) != 0, 0, True)], coarse.columns)
        assert np.array_equal(share.forcing.columns, coarse.columns)
        assert (share.forcing.top, share.forcing.bottom) == (coarse.top + 2, coarse.bottom + 2)
        c0, c1, d0, d1 = share.coarse_box
        assert np.array_equal(coarse.columns[d0:d1], share.coarse_own.columns)
        assert (coarse.top + c0, coarse.top + c1) == (share.coarse_own.top, share.coarse_own.bottom)


def test_land_is_shared_about_equally():
    """By hand: all land in one corner of 8 x 8; two and four ranks cut there, not in the middle."""
    whole = division(False, 2, 3)
    land = np.zeros(whole.coarse_shape, int)
    land[:8, :8] = 4
    for ranks in (2, 4):
        held = [
            land[s.coarse_own.rows, s.coarse_own.left : s.coarse_own.right].sum()
            for s in whole.shares(land, ranks)
        ]
        assert sorted(held) == [256 // ranks] * ranks


def test_more_ranks_than_coarse_cells_are_refused():
    small = division(False, 2, 3, rows=2, columns=3)
    assert len(small.shares(np.zeros((2, 3), int), 6)) == 6
    with pytest.raises(ConfigError, match="7 ranks for 6 coarse cells"):
        small.shares(np.zeros((2, 3), int), 7)


def test_a_part_meets_another_from_both_sides_of_the_earth():
    """Held columns -2 to 5 of 12 meet those owned from 3 to 12 twice."""
    held, own = Part(0, 4, -2, 5, (8, 12)), Part(2, 8, 3, 12, (8, 12))
    assert sorted(held.meet(own)) == [(2, 4, -2, 0), (2, 4, 3, 5)]
    assert not list(held.meet(Part(4, 8, 3, 12, (8, 12))))


def test_a_part_is_cut_out_round_the_earth():
    field = np.arange(24).reshape(2, 12)
    assert Part(1, 2, -2, 1, (2, 12)).cut(field).tolist() == [[22, 23, 12]]
    assert Part.whole((2, 12)).cut(field) is field


def test_runs_leave_out_what_is_no_cell():
    found = list(runs(np.array([-1, -1, 4, 5, 6, 0, 1, -1])))
    assert found == [(slice(2, 5), slice(4, 7)), (slice(5, 7), slice(0, 2))]
