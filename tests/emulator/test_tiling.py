"""Windows: every wanted cell once, on the stride's phase, with all the halo that there is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landstep.emulator.errors import ConfigError
from landstep.emulator.tiling import strips, windows


@st.composite
def cuts(draw):
    """Draw a map's shape, a cut, and the cells that are wanted."""
    stride = draw(st.sampled_from([2, 4, 8]))
    shape = draw(st.integers(1, 47)), draw(st.integers(2, 53))
    core = stride * draw(st.integers(1, 6))
    halo = stride * draw(st.integers(1, 4))
    seed, share = draw(st.integers(0, 99)), draw(st.sampled_from([0.0, 0.02, 0.5, 1.0]))
    wanted = np.random.default_rng(seed).random(shape) < share
    return shape, core, stride, halo, draw(st.booleans()), wanted


@given(cuts())
@settings(deadline=None)
def test_every_wanted_cell_is_answered_for_exactly_once(cut):
    """Cores do not overlap, miss no wanted cell, and none wants nothing."""
    shape, _, _, _, _, wanted = cut
    count = np.zeros(shape, int)
    for window in windows(*cut):
        y0, y1, x0, x1 = window.core
        assert wanted[y0:y1, x0:x1].any()
        count[y0:y1, x0:x1] += 1
    assert count.max() <= 1
    assert (count[wanted] == 1).all()


@given(cuts())
@settings(deadline=None)
def test_a_core_is_the_box_around_what_its_square_wants(cut):
    """It ends with a wanted cell on each side, but for what begins it on the stride."""
    wanted, core, stride = cut[5], cut[1], cut[2]
    for window in windows(*cut):
        y0, y1, x0, x1 = window.core
        square = tuple(slice(n // core * core, (n // core + 1) * core) for n in (y0, x0))
        assert wanted[y0:y1, x0:x1].sum() == wanted[square].sum()
        assert wanted[y0 : y0 + stride, x0:x1].any() and wanted[y1 - 1, x0:x1].any()
        assert wanted[y0:y1, x0 : x0 + stride].any() and wanted[y0:y1, x1 - 1].any()


@given(cuts())
@settings(deadline=None)
def test_strips_cover_the_map_and_hold_the_windows(cut):
    """Row after row, also where no window is wanted."""
    reached, found = 0, []
    for top, bottom, inside in strips(*cut):
        assert top == reached and top < bottom <= cut[0][0]
        for window in inside:
            assert top <= window.core[0] < window.core[1] <= bottom
        reached = bottom
        found += [window.core for window in inside]
    assert reached == cut[0][0]
    assert found == [window.core for window in windows(*cut)]


def test_a_core_is_written_into_a_map_or_a_strip_of_it():
    rng = np.random.default_rng(2)
    whole = rng.random((3, 20, 17))
    copy, strip = np.zeros_like(whole), np.zeros((3, 8, 17))
    for window in windows((20, 17), 8, 4, 4, False, np.ones((20, 17), bool)):
        cut = window.read(whole, 9.0)
        window.write(copy, cut)
        if window.core[0] == 8:
            window.write(strip, cut, 8)
    assert np.array_equal(copy, whole) and np.array_equal(strip, whole[:, 8:16])


@given(cuts())
@settings(deadline=None)
def test_windows_lie_on_the_strides_phase(cut):
    """A pooled block never holds cells of two blocks of the uncut map."""
    stride = cut[2]
    for window in windows(*cut):
        for start, before, cells in (
            (window.core[0], window.top, window.rows),
            (window.core[2], window.left, window.cols),
        ):
            assert (start - before) % stride == 0
            assert len(cells) % stride == 0


@given(cuts())
@settings(deadline=None)
def test_a_window_sees_its_halo_but_beyond_true_edges(cut):
    """Cell by cell: place p of a window is the map's cell start - before + p, or beyond the map."""
    (ny, nx), _, stride, halo, wraps, _ = cut
    for window in windows(*cut):
        y0, y1, x0, x1 = window.core
        for low, high, before, cells, size, closed in (
            (y0, y1, window.top, window.rows, ny, False),
            (x0, x1, window.left, window.cols, nx, wraps),
        ):
            place = np.arange(len(cells)) + low - before
            if closed:
                assert np.array_equal(cells, place % size)
                assert place[0] <= low - halo and place[-1] >= high + halo - 1
            else:
                assert np.array_equal(cells, np.where(place < size, place, -1))
                assert place[0] == max(0, low - halo)
                assert place[-1] >= min(size, high + halo) - 1
                assert (cells < 0).sum() < stride


@given(cuts())
@settings(deadline=None)
def test_reading_and_writing_gives_the_map_back(cut):
    """The cores of what was read, put together, are the map wherever it was wanted."""
    shape, _, _, _, _, wanted = cut
    source = np.random.default_rng(0).integers(0, 250, shape).astype(np.uint8)
    back = np.full(shape, 251, np.uint8)
    for window in windows(*cut):
        piece = window.read(source, 252)
        assert piece.flags.c_contiguous and piece.dtype == np.uint8
        assert ((piece == 252) == ((window.rows < 0)[:, None] | (window.cols < 0))).all()
        window.write(back, piece)
    assert np.array_equal(back[wanted], source[wanted])


def test_reading_keeps_leading_axes():
    """Three fields are cut at once."""
    (window,) = windows((5, 6), 8, 4, 4, False, np.ones((5, 6), bool))
    fields = np.arange(90, dtype=np.float32).reshape(3, 5, 6)
    cut = window.read(fields, -1.0)
    assert cut.shape == (3, 8, 8) and cut.dtype == np.float32
    assert np.array_equal(cut[:, :5, :6], fields) and (cut[:, 5:] == -1).all()


def test_windows_round_the_globe_see_the_other_side():
    """By hand: 12 columns, cores of 8, halo 4: the first window starts at column 8."""
    first, second = windows((4, 12), 8, 4, 4, True, np.ones((4, 12), bool))
    assert first.cols.tolist() == [8, 9, 10, 11, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]
    assert second.cols.tolist() == [4, 5, 6, 7, 8, 9, 10, 11, 0, 1, 2, 3]
    assert (first.left, second.left) == (4, 4)


@pytest.mark.parametrize(
    ("core", "halo", "words"),
    [
        (12, 8, "window core of 12 cells, expected a multiple of 8"),
        (0, 8, "window core of 0 cells"),
        (16, 4, "window halo of 4 cells, expected a multiple of 8"),
    ],
)
def test_a_cut_off_the_stride_is_refused(core, halo, words):
    """Then tiled would not equal untiled."""
    with pytest.raises(ConfigError, match=words):
        list(windows((20, 20), core, 8, halo, False, np.ones((20, 20), bool)))
