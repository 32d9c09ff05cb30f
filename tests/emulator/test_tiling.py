"""Windows: every wanted cell once, on the stride's phase, with all the halo that there is."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landstep.emulator.errors import ConfigError
from landstep.emulator.tiling import Cut, blocks


@dataclass
class Plan:
    """A cut of a map: blocks of coarse cells of `coarse` fine ones, and what is wanted."""

    cut: Cut
    core: int
    coarse: int
    wanted: np.ndarray

    def index(self):
        """Give coarse row and column of each fine one."""
        return tuple(np.arange(size) // self.coarse for size in self.cut.shape)

    def windows(self):
        """Cover all that is wanted."""
        return list(self.cut.over(*self.index(), self.core, self.wanted))


@st.composite
def plans(draw):
    """Draw a map's shape, a cut, and the cells that are wanted."""
    stride = draw(st.sampled_from([2, 4, 8]))
    shape = draw(st.integers(1, 47)), draw(st.integers(2, 53))
    core, coarse = draw(st.integers(1, 48)), draw(st.integers(1, 12))
    halo = stride * draw(st.integers(1, 4))
    seed, share = draw(st.integers(0, 99)), draw(st.sampled_from([0.0, 0.02, 0.5, 1.0]))
    wanted = np.random.default_rng(seed).random(shape) < share
    return Plan(Cut(shape, stride, halo, draw(st.booleans())), core, coarse, wanted)


@given(plans())
def test_blocks_cover_the_map_once_in_whole_coarse_cells(plan):
    """None is larger than asked, but where a single coarse cell is."""
    count = np.zeros(plan.cut.shape, int)
    row, col = plan.index()
    for y0, y1, x0, x1 in blocks(row, col, plan.core):
        count[y0:y1, x0:x1] += 1
        for first, last, index in ((y0, y1, row), (x0, x1, col)):
            assert first == 0 or index[first - 1] < index[first]
            assert last == index.size or index[last - 1] < index[last]
            assert last - first <= plan.core or index[first] == index[last - 1]
    assert (count == 1).all()


@given(plans())
def test_every_wanted_cell_is_answered_for_exactly_once(plan):
    """Cores do not overlap, miss no wanted cell, and end with wanted cells on each side."""
    count = np.zeros(plan.cut.shape, int)
    for window in plan.windows():
        y0, y1, x0, x1 = window.core
        inside = plan.wanted[y0:y1, x0:x1]
        assert inside[0].any() and inside[-1].any()
        assert inside[:, 0].any() and inside[:, -1].any()
        count[y0:y1, x0:x1] += 1
    assert count.max() <= 1
    assert (count[plan.wanted] == 1).all()


def test_two_islands_have_a_window_each():
    """By hand: one box of 40 x 40 would be a window of 48 x 48; two of 4 x 4 are 12 x 12."""
    wanted = np.zeros((40, 40), bool)
    wanted[:4, :4] = wanted[-4:, -4:] = True
    found = Cut((40, 40), 4, 4, False).windows((0, 40, 0, 40), wanted)
    assert [window.core for window in found] == [(0, 4, 0, 4), (36, 40, 36, 40)]
    full = Cut((40, 40), 4, 4, False).windows((0, 40, 0, 40), np.ones((40, 40), bool))
    assert [window.core for window in full] == [(0, 40, 0, 40)]


def test_a_core_is_written_into_a_map_or_a_part_of_it():
    rng = np.random.default_rng(2)
    whole = rng.random((3, 20, 17))
    copy, part = np.zeros_like(whole), np.zeros((3, 8, 9))
    plan = Plan(Cut((20, 17), 4, 4, False), 8, 8, np.ones((20, 17), bool))
    for window in plan.windows():
        cut = window.read(whole, 9.0)
        window.write(copy, cut)
        if window.core[::2] == (8, 8):
            window.write(part, cut, (8, 8))
    assert np.array_equal(copy, whole) and np.array_equal(part[:, :, :8], whole[:, 8:16, 8:16])


@given(plans())
def test_windows_lie_on_the_strides_phase(plan):
    """A pooled block never holds cells of two blocks of the uncut map."""
    stride = plan.cut.stride
    for window in plan.windows():
        for start, before, cells in (
            (window.core[0], window.top, window.rows),
            (window.core[2], window.left, window.cols),
        ):
            assert (start - before) % stride == 0
            assert len(cells) % stride == 0


@given(plans())
def test_a_window_sees_its_halo_but_beyond_true_edges(plan):
    """Cell by cell: place p of a window is the map's cell start - before + p, or beyond the map."""
    (ny, nx), halo, stride = plan.cut.shape, plan.cut.halo, plan.cut.stride
    for window in plan.windows():
        y0, y1, x0, x1 = window.core
        for low, high, before, cells, size, closed in (
            (y0, y1, window.top, window.rows, ny, False),
            (x0, x1, window.left, window.cols, nx, plan.cut.wraps),
        ):
            place = np.arange(len(cells)) + low - before
            if closed:
                assert np.array_equal(cells, place % size)
                assert place[0] <= low - halo and place[-1] >= high + halo - 1
            else:
                assert np.array_equal(cells, np.where(place < size, place, -1))
                assert place[0] == max(0, (low - halo) // stride * stride)
                assert place[-1] >= min(size, high + halo) - 1
                assert (cells < 0).sum() < stride


@given(plans(), st.integers(0, 9), st.integers(0, 9))
def test_a_part_of_a_grid_has_the_windows_of_the_whole(plan, down, right):
    """Moved by the part's first row and column; what it misses lies beyond its own edges."""
    cut = plan.cut
    part = Cut(cut.shape, cut.stride, cut.halo, False, (down, right))
    grid = Cut((cut.shape[0] + down, cut.shape[1] + right), cut.stride, cut.halo, False)
    block = 0, cut.shape[0], 0, cut.shape[1]
    moved = down, down + cut.shape[0], right, right + cut.shape[1]
    for mine, whole in zip(
        part.windows(block, plan.wanted), grid.windows(moved, plan.wanted), strict=True
    ):
        for cells, others, shift, size in (
            (mine.rows, whole.rows, down, cut.shape[0]),
            (mine.cols, whole.cols, right, cut.shape[1]),
        ):
            inside = others[(others >= shift)] - shift
            assert np.array_equal(cells[cells >= 0], inside)
            assert np.array_equal(inside, inside[inside < size])


@given(plans())
def test_reading_and_writing_gives_the_map_back(plan):
    """The cores of what was read, put together, are the map wherever it was wanted."""
    source = np.random.default_rng(0).integers(0, 250, plan.cut.shape).astype(np.uint8)
    back = np.full(plan.cut.shape, 251, np.uint8)
    for window in plan.windows():
        piece = window.read(source, 252)
        assert piece.flags.c_contiguous and piece.dtype == np.uint8
        assert ((piece == 252) == ((window.rows < 0)[:, None] | (window.cols < 0))).all()
        window.write(back, piece)
    assert np.array_equal(back[plan.wanted], source[plan.wanted])


def test_reading_keeps_leading_axes():
    """Three fields are cut at once."""
    window = Cut((5, 6), 4, 4, False).window((0, 5, 0, 6))
    fields = np.arange(90, dtype=np.float32).reshape(3, 5, 6)
    cut = window.read(fields, -1.0)
    assert cut.shape == (3, 8, 8) and cut.dtype == np.float32
    assert np.array_equal(cut[:, :5, :6], fields) and (cut[:, 5:] == -1).all()


def test_windows_round_the_globe_see_the_other_side():
    """By hand: 12 columns, blocks of 8, halo 4: the first window starts at column 8."""
    first, second = Plan(Cut((4, 12), 4, 4, True), 8, 4, np.ones((4, 12), bool)).windows()
    assert first.cols.tolist() == [8, 9, 10, 11, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]
    assert second.cols.tolist() == [4, 5, 6, 7, 8, 9, 10, 11, 0, 1, 2, 3]
    assert (first.left, second.left) == (4, 4)


def test_a_halo_off_the_stride_is_refused():
    """Then tiled would not equal untiled."""
    with pytest.raises(ConfigError, match="window halo of 4 cells, expected a multiple of 8"):
        Cut((20, 20), 8, 4, False)
