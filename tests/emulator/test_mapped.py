"""Large maps lie in files without a name, the sea as holes; small ones are ordinary arrays."""

import mmap
import os
import subprocess
import sys

import numpy as np
import pytest

from landstep import Emulator
from landstep.emulator import mapped
from landstep.emulator.errors import InputError


@pytest.fixture
def always(monkeypatch, tmp_path):
    """Have every map in a file, in a folder of the test."""
    monkeypatch.setattr(mapped, "IN_MEMORY_BYTES", 0)
    monkeypatch.setenv("TMPDIR", str(tmp_path))


def in_file(field):
    """Tell whether an array lies over a mapped file."""
    while isinstance(field, np.ndarray):
        field = field.base
    return isinstance(field, memoryview | mmap.mmap)


def test_what_is_put_in_is_there_and_the_rest_is_zero(always, tmp_path):
    """Odd shapes, pieces that begin anywhere; the folder shows no file."""
    rng = np.random.default_rng(1)
    expected = np.zeros((37, 9001), np.uint8)
    field = mapped.zeros(expected.shape, np.uint8)
    for top, left, shape in ((0, 0, (5, 9001)), (7, 4000, (20, 300)), (30, 8990, (7, 11))):
        piece = rng.integers(0, 2, shape).astype(np.uint8) * (rng.random(shape) < 0.1)
        expected[top : top + shape[0], left : left + shape[1]] = piece
        mapped.put(field, top, left, piece.astype(np.uint8))
    assert np.array_equal(field, expected) and expected.any()
    assert not list(tmp_path.iterdir())


def test_the_sea_takes_no_room(tmp_path):
    """400 MiB of which 4 MiB are land: neither memory nor disk holds more than that."""
    code = """
import os, numpy as np
from landstep import Emulator
from landstep.emulator import mapped
field = mapped.zeros((4096, 102400), np.uint8)
before = [line for line in open("/proc/self/status") if "RssAnon" in line][0].split()[1]
strip = np.zeros((1024, 102400), np.uint8)
strip[:, 50000:54096] = 1
for top in range(0, 4096, 1024):
    mapped.put(field, top, 0, strip if top == 1024 else strip * 0)
after = [line for line in open("/proc/self/status") if "RssAnon" in line][0].split()[1]
print(int(after) - int(before), int(field[:, ::64].sum()))
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=os.environ | {"TMPDIR": str(tmp_path)},
    )
    grown, total = map(int, done.stdout.split())
    assert total == 1024 * 4096 // 64
    assert grown < 220 * 1024  # the strip and its zeros, 100 MiB each; not the map


def test_a_small_map_is_an_ordinary_array(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path / "nowhere"))
    field = mapped.zeros((3, 4), np.float32)
    mapped.put(field, 1, 1, np.ones((2, 2), np.float32))
    assert field.sum() == 4 and field[0].sum() == 0


def test_a_folder_without_room_is_named(always, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path / "nowhere"))
    with pytest.raises(InputError, match="nowhere: no room for a map of .* set TMPDIR"):
        mapped.zeros((3, 4), np.uint8)


def test_pieces_of_rows_cover_them_once(monkeypatch):
    monkeypatch.setattr(mapped, "ROWS_AT_ONCE", 4)
    assert [(p.start, p.stop) for p in mapped.row_pieces(10)] == [(0, 4), (4, 8), (8, 10)]
    assert list(mapped.row_pieces(0)) == []


def test_a_run_on_mapped_maps_has_the_bits_of_one_in_memory(experiment, tmp_path, request):
    """Reading, stepping, history, restart: nothing but where the maps lie differs."""

    def three_years(folder):
        emulator = Emulator.open(experiment)
        state = emulator.step(2016, emulator.start(2015))
        state.save(folder / "restart.nc")
        state = emulator.step(2017, emulator.start(restart=folder / "restart.nc"))
        return emulator.step(2018, state)

    plain = three_years(tmp_path)
    request.getfixturevalue("always")
    mapped_ = three_years(tmp_path)
    assert mapped_.checksum == plain.checksum
    assert in_file(mapped_.land_use) and not in_file(plain.land_use)
