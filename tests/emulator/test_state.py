"""The restart file: whole or not there, checked when read, the one before it kept."""

import errno
import os
import shutil
import subprocess
import sys
from dataclasses import replace

import netCDF4
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from landstep.emulator import state as state_module
from landstep.emulator.errors import InputError, LandstepError, StateError
from landstep.emulator.netcdf import Variable, write_netcdf
from landstep.emulator.state import ARRAYS, State, previous_path

ON_A_SMALL_DISK = """
import resource, signal, sys
import netCDF4
import numpy as np
from landstep import LandstepError, State

limit = int(sys.argv[2])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
land_use = np.random.default_rng(1).integers(0, 8, (2000, 2000)).astype(np.uint8)
try:
    none = np.zeros((1, 1, 1), np.int64)
    ages = none.astype(np.uint8)
    maps = land_use, land_use[None]
    State(2002, *maps, 1, 2001, none, ages, "hilda8", "g", "m", {}).save(sys.argv[1])
except LandstepError as error:
    print(error.status, error)
"""

KILLED_WHILE_SAVING = """
import os, random, signal, sys, time
from dataclasses import replace
from landstep import State
from landstep.emulator.state import previous_path
from pathlib import Path

path = Path(sys.argv[1])
random.seed(55)
for number in range(int(sys.argv[2])):
    state, before = State.load(path), path.stat().st_ino
    child = os.fork()
    if child == 0:
        year = state.year
        while True:
            year += 1
            replace(state, year=year).save(path)
    while number % 2 and path.stat().st_ino == before:
        time.sleep(0.001)
    time.sleep(random.uniform(0.0, 0.25))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    before = State.load(previous_path(path)).year if previous_path(path).exists() else 0
    print(before, State.load(path).year)
"""


def made_up(year=2001, shape=(37, 53), seed=0, **changes):
    """Make a state up."""
    rng = np.random.default_rng(seed)
    maps = changes.get("land_use", rng.integers(0, 8, shape).astype(np.uint8))
    values = {
        "year": year, "land_use": maps, "history": (maps[::-1], maps * 0 + 255),
        "direction": -1, "anchor": 2010, "debt": rng.integers(-(2**60), 2**60, (3, 2, 4)),
        "debt_years": rng.integers(0, 11, (3, 2, 4)).astype(np.uint8), "scheme": "hilda8",
        "grid": "g" * 64, "model": "m" * 64,
        "provenance": {"landstep": "0.1.0", "provider": "å"},
    }  # fmt: skip
    return State(**(values | changes))


def same(one, other):
    """Say whether two states hold the same."""
    return (
        all(np.array_equal(getattr(one, name), getattr(other, name)) for name in ARRAYS)
        and (one.direction, one.anchor) == (other.direction, other.anchor)
        and one.checksum == other.checksum
        and one.provenance == other.provenance
        and one.year == other.year
    )


def files(folder):
    """Names of all files, hidden ones too."""
    return sorted(p.name for p in folder.iterdir())


@given(
    land_use=arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9))),
    year=st.integers(-500, 3000),
)
def test_a_state_goes_through_its_file_and_back(tmp_path_factory, land_use, year):
    """Year, map and all the rest; 255 stays 255."""
    path = tmp_path_factory.mktemp("restart") / "restart.nc"
    state = made_up(year=year, land_use=land_use)
    state.save(path)
    back = State.load(path)
    assert same(back, state)
    assert (back.scheme, back.grid, back.model) == ("hilda8", "g" * 64, "m" * 64)


def test_the_map_of_a_state_is_read_only():
    """Also of one that was read."""
    for name in ARRAYS:
        array = getattr(made_up(), name)
        with pytest.raises(ValueError, match="read-only"):
            (array[1] if name == "history" else array)[0] = 1


def zeros(shape, kind=np.uint8):
    """Give an array of nothing."""
    return np.zeros(shape, kind)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"land_use": zeros((2, 2), "S1")}, r"land_use is \|S1 \(2, 2\), expected class numbers"),
        ({"land_use": zeros((0, 4))}, r"land_use is uint8 \(0, 4\), .* none of size 0"),
        ({"history": zeros((37, 53))}, r"history is uint8 \(37, 53\), expected uint8 \(history, y"),
        ({"history": ()}, r"history is uint8 \(0,\), expected uint8 \(history, y, x\)"),
        (
            {"history": (zeros((37, 53)), zeros((37, 52)))},
            r"history holds maps of \[\(37, 52\), \(37, 53\)\], expected one size",
        ),
        ({"history": zeros((2, 37, 52))}, r"history is .*52\), .* with {'y': 37, 'x': 53"),
        (
            {"debt": zeros((3, 2), np.int32)},
            r"debt is int64 \(3, 2\), expected int64 \(group, coarse_y",
        ),
        ({"debt": zeros((0, 2, 4), np.int64)}, r"debt is int64 \(0, 2, 4\)"),
        ({"debt_years": zeros((3, 2, 5))}, r"debt_years is uint8 \(3, 2, 5\), .*'coarse_x': 4"),
        ({"direction": 2}, r"direction is 2, expected 1 \(forward\) or -1"),
    ],
)
def test_a_state_holds_arrays_that_fit_each_other(wrong, words):
    """Whatever else is refused, with what was found and what was expected."""
    with pytest.raises(StateError, match=words):
        State(**(vars(made_up()) | wrong))


def test_the_checksum_covers_all_that_a_step_depends_on():
    """A change of any part is another checksum; provenance is told, not compared."""
    plain = made_up()
    flipped = {name: np.array(getattr(plain, name)) for name in ARRAYS}
    for array in flipped.values():
        array.flat[5] ^= 1
    others = [
        *(replace(plain, **{name: array}) for name, array in flipped.items()),
        made_up(year=2002), made_up(scheme="sweden5"), made_up(grid="h"), made_up(model="n"),
        made_up(direction=1), made_up(anchor=2009),
        made_up(land_use=plain.land_use.reshape(53, 37)),
        replace(plain, **{n: getattr(plain, n).reshape(3, 4, 2) for n in ("debt", "debt_years")}),
    ]  # fmt: skip
    assert len({plain.checksum, *(other.checksum for other in others)}) == 13
    assert replace(plain, provenance={}).checksum == plain.checksum


def test_a_missing_restart_is_named(tmp_path):
    """Row 59: and never a cold start instead."""
    with pytest.raises(StateError, match="restart.nc: restart file not found.*cold start is never"):
        State.load(tmp_path / "restart.nc")


def test_a_missing_restart_names_the_previous_one(tmp_path):
    """Row 59: what there is to go on with."""
    path = tmp_path / "restart.nc"
    made_up(2001).save(path)
    made_up(2002).save(path)
    path.unlink()
    with pytest.raises(
        StateError,
        match=r"previous good: .*nc.previous \(year 2001\); .*cp .*nc.previous .*restart.nc, then",
    ):
        State.load(path)


def test_a_restart_that_cannot_be_reached_is_named(tmp_path):
    """Row 53: the system's words, here for a name that is too long."""
    with pytest.raises(StateError, match="restart cannot be read: .*File name too long"):
        State.load(tmp_path / ("x" * 300))


@pytest.mark.usefixtures("not_root")
def test_a_restart_without_permission_is_named(tmp_path):
    """Row 53."""
    made_up().save(tmp_path / "restart.nc")
    (tmp_path / "restart.nc").chmod(0)
    with pytest.raises(StateError, match="Permission denied"):
        State.load(tmp_path / "restart.nc")


@pytest.mark.usefixtures("not_root")
def test_a_folder_without_permission_is_named(tmp_path):
    """Row 53: nothing is written, nothing is lost."""
    made_up(2001).save(tmp_path / "restart.nc")
    tmp_path.chmod(0o500)
    with pytest.raises(InputError, match="Permission denied"):
        made_up(2002).save(tmp_path / "restart.nc")
    tmp_path.chmod(0o700)
    assert State.load(tmp_path / "restart.nc").year == 2001


def test_a_folder_that_is_not_there_is_named(tmp_path):
    """Writing where nothing is."""
    with pytest.raises(InputError, match="nowhere/restart.nc"):
        made_up().save(tmp_path / "nowhere" / "restart.nc")


def test_a_damaged_restart_is_refused_and_the_previous_one_named(tmp_path):
    """Row 60: 150 single bits, anywhere: an error that names the previous file, or the same state.

    HDF5 keeps bytes that nothing reads, and provenance is not compared; neither changes an answer.
    """
    path = tmp_path / "restart.nc"
    made_up(2001).save(path)
    state = made_up(2002)
    state.save(path)
    content = bytearray(path.read_bytes())
    rng = np.random.default_rng(60)
    refused = 0
    for place in rng.choice(len(content) * 8, 150, replace=False):
        content[place // 8] ^= 1 << place % 8
        path.write_bytes(content)
        try:
            assert State.load(path).checksum == state.checksum
        except StateError as error:
            assert "restart.nc" in str(error) and "(year 2001)" in str(error)
            refused += 1
        content[place // 8] ^= 1 << place % 8
    assert refused > 20
    path.write_bytes(content)
    assert same(State.load(path), state)


@pytest.mark.parametrize("keep", [0, 100, 0.5, 0.99])
def test_a_restart_that_is_cut_short_is_refused(tmp_path, keep):
    """Row 60: and where the previous one is damaged as well, that is said."""
    path = tmp_path / "restart.nc"
    made_up(2001).save(path)
    content = path.read_bytes()
    cut = content[: int(keep if keep > 1 else keep * len(content))]
    path.write_bytes(cut)
    previous_path(path).write_bytes(cut)
    with pytest.raises(StateError, match="restart.nc.*restart.nc.previous is damaged too"):
        State.load(path)


def rewritten(path, **changes):
    """Write a restart file with other attributes; None leaves one out."""
    state = made_up()
    attributes = {
        "landstep_restart_schema": np.int32(2), "year": np.int32(2001), "scheme": "hilda8",
        "direction": np.int32(-1), "anchor": np.int32(2010),
        "grid_sha256": "g" * 64, "model_sha256": "m" * 64, "provenance": "{}",
        "checksum": state.checksum,
    } | changes  # fmt: skip
    dims = {"y": 37, "x": 53, "history": 2, "group": 3, "coarse_y": 2, "coarse_x": 4}
    write_netcdf(
        path,
        dims,
        [Variable(name, of, np.array(getattr(state, name))) for name, (_, of) in ARRAYS.items()],
        {name: value for name, value in attributes.items() if value is not None},
    )
    return path


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"checksum": "0" * 64}, "restart checksum mismatch; no previous restart is there"),
        ({"year": np.int32(2002)}, "restart checksum mismatch"),
        ({"direction": np.int32(1)}, "restart checksum mismatch"),
        ({"direction": np.int32(0)}, "direction is 0, expected 1"),
        ({"anchor": np.int32(2011)}, "restart checksum mismatch"),
        ({"landstep_restart_schema": np.int32(1)}, "restart schema 1, need 2 or 3; start again"),
        ({"landstep_restart_schema": np.int32(4)}, "restart schema 4, need 2 or 3"),
        ({"direction": None}, "restart is damaged: attribute direction is missing"),
        ({"anchor": None}, "restart is damaged: attribute anchor is missing"),
        ({"landstep_restart_schema": None}, "not a landstep restart file"),
        ({"landstep_restart_schema": "x"}, "restart schema x, need 2 or 3"),
        ({"year": None}, "restart is damaged: attribute year is missing"),
        ({"checksum": None}, "restart is damaged"),
        ({"provenance": "{"}, "restart is damaged"),
    ],
)
def test_a_restart_that_contradicts_itself_is_refused(tmp_path, changes, words):
    """Rows 60 and 62: an altered or old file, one of another kind, one with parts missing."""
    assert same(State.load(rewritten(tmp_path / "whole.nc")), made_up(provenance={}))
    with pytest.raises(StateError, match=f"restart.nc.*{words}"):
        State.load(rewritten(tmp_path / "restart.nc", **changes))


def test_the_replaced_restart_is_kept(tmp_path):
    """Beside the new one, whole; nothing else is left."""
    path = tmp_path / "restart.nc"
    for year in (2001, 2002, 2003):
        made_up(year, seed=year).save(path)
    assert files(tmp_path) == ["restart.nc", "restart.nc.previous"]
    assert same(State.load(path), made_up(2003, seed=2003))
    assert same(State.load(previous_path(path)), made_up(2002, seed=2002))


def test_the_replaced_restart_is_kept_where_links_cannot_be_made(tmp_path, monkeypatch):
    """On such a file system it is copied."""

    def no_links(*names):
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(state_module.os, "link", no_links)
    path = tmp_path / "restart.nc"
    made_up(2001).save(path)
    made_up(2002).save(path)
    assert (State.load(path).year, State.load(previous_path(path)).year) == (2002, 2001)

    def full(*names):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(state_module.shutil, "copyfile", full)
    with pytest.raises(InputError, match="restart.nc: cannot keep .*: No space left on device"):
        made_up(2003).save(path)
    assert State.load(path).year == 2002


def test_a_kill_at_any_moment_leaves_a_whole_restart(tmp_path):
    """Row 55: 25 times kill -9 at a random moment, while a program does nothing but save.

    Every second time it has saved at least once, however slow the machine is.

    The file is the last or the one before; so is the one that is kept beside it.
    """
    path = tmp_path / "restart.nc"
    made_up(0, shape=(300, 400), grid="g", model="m", provenance={}).save(path)
    done = subprocess.run(
        [sys.executable, "-c", KILLED_WHILE_SAVING, str(path), "25"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    reached = [tuple(map(int, line.split())) for line in done.stdout.splitlines()]
    assert len(reached) == 25
    assert all(before <= year for before, year in reached)
    assert sorted(year for _, year in reached) == [year for _, year in reached]
    assert reached[-1][1] >= 12


@pytest.fixture
def small_disk(tmp_path):
    """Mount 1 MiB of memory as a disk, where that is allowed."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    done = mount and subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True
    )
    if not done or done.returncode:
        pytest.skip("no small file system can be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True, capture_output=True)


def save_beyond(folder, limit):
    """Save 2 MB of restart over a small one in another process; give what it said."""
    path = folder / "restart.nc"
    made_up(2001).save(path)
    done = subprocess.run(
        [sys.executable, "-c", ON_A_SMALL_DISK, str(path), str(limit)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert same(State.load(path), made_up(2001))
    assert [name for name in files(folder) if "previous" not in name] == ["restart.nc"]
    assert done.stderr == ""
    return done.stdout


def test_a_full_disk_is_named_and_costs_nothing(small_disk):
    """Row 57: status, path and reason; no half file; the old one as it was."""
    said = save_beyond(small_disk, 0)
    assert said.startswith("2 ") and "restart.nc" in said and "No space left on device" in said


def test_a_file_size_limit_is_named_and_costs_nothing(tmp_path):
    """Row 57, as a quota would have it: the same where no small disk can be mounted."""
    said = save_beyond(tmp_path, 200_000)
    assert said.startswith("2 ") and "restart.nc" in said and "File too large" in said


def test_whatever_bytes_are_no_restart(tmp_path):
    """Any file that is not ours: a StateError that names it."""
    path = tmp_path / "restart.nc"
    rng = np.random.default_rng(17)
    for head in (b"", b"\x89HDF\r\n\x1a\n", b"CDF\x01", b"CDF\x05", b"<html>", b"PK"):
        for size in (0, 7, 600):
            path.write_bytes(head + rng.bytes(size))
            with pytest.raises(StateError, match="restart.nc"):
                State.load(path)


def test_errors_carry_the_status_that_a_host_sees(tmp_path):
    """6 for a restart, 2 for a file that cannot be written."""
    with pytest.raises(LandstepError) as caught:
        State.load(tmp_path / "no.nc")
    assert caught.value.status == 6


def test_a_restart_is_stored_so_that_every_program_reads_it(tmp_path):
    """Fault 104: zstd by choice, with the same contents."""
    maps = np.arange(30, dtype=np.uint8).reshape(5, 6) % 7, np.zeros((1, 5, 6), np.uint8)
    none = np.zeros((1, 1, 1), np.int64)
    state = State(2002, *maps, 1, 2001, none, none.astype(np.uint8), "hilda8", "g", "m", {})
    filters = {}
    for way in ("zlib", "zstd"):
        options = {"compression": way} if way == "zstd" else {}
        state.save(tmp_path / f"{way}.nc", **options)
        with netCDF4.Dataset(tmp_path / f"{way}.nc") as file:
            filters[way] = file["land_use"].filters()
    assert [(filters[way]["zlib"], filters[way]["zstd"]) for way in ("zlib", "zstd")] == [
        (True, False),
        (False, True),
    ]
    sums = {State.load(tmp_path / f"{way}.nc").checksum for way in ("zlib", "zstd")}
    assert sums == {state.checksum}


def test_a_restart_behind_a_link_keeps_the_one_before_it(tmp_path):
    """Fault 93: a link that a user set is followed, and what it pointed to is kept."""
    maps = np.zeros((5, 6), np.uint8), np.zeros((1, 5, 6), np.uint8)
    none = np.zeros((1, 1, 1), np.int64)
    state = State(2002, *maps, 1, 2001, none, none.astype(np.uint8), "hilda8", "g", "m", {})
    (tmp_path / "elsewhere").mkdir()
    state.save(tmp_path / "elsewhere" / "r.nc")
    link = tmp_path / "restart.nc"
    link.symlink_to(tmp_path / "elsewhere" / "r.nc")
    replace(state, year=2003).save(link)
    assert link.is_symlink() and State.load(tmp_path / "elsewhere" / "r.nc").year == 2003
    assert State.load(previous_path(link)).year == 2002
    os.mkfifo(tmp_path / "f.nc")
    with pytest.raises(InputError, match="fifo"):
        state.save(tmp_path / "f.nc")
    assert not previous_path(tmp_path / "f.nc").exists()


def test_a_map_for_which_there_is_no_room_is_named_with_its_file(tmp_path, monkeypatch):
    """Invariant 18, where the reason lies elsewhere than in the file."""
    made_up().save(tmp_path / "r.nc")

    def full(*_):
        raise InputError("/tmp: no room for a map of 92160.0 GiB")

    monkeypatch.setattr(state_module, "zeros", full)
    with pytest.raises(StateError, match=r"r\.nc: .*92160"):
        State.load(tmp_path / "r.nc")
