"""Whole files only: old or new at every moment, nothing left beside them."""

import os
import socket
import stat

import pytest

from landstep.emulator.atomic import destination, refuse_links_out, remove_temporaries, replacing
from landstep.emulator.errors import InputError


def test_the_new_file_takes_the_place_of_the_old_one_at_the_end(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    with replacing(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new" and list(tmp_path.iterdir()) == [path]


def test_an_error_leaves_the_old_file_alone(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(ValueError, match="half"), replacing(path) as temporary:
        temporary.write_text("ne")
        raise ValueError("half")
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_a_link_is_written_through(tmp_path):
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with replacing(tmp_path / "link") as temporary:
        temporary.write_text("new")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "real").read_text() == "new"


def test_what_cannot_be_written_is_named(tmp_path):
    (tmp_path / "folder").mkdir()
    words = "folder: cannot write: Is a directory"
    with pytest.raises(InputError, match=words), replacing(tmp_path / "folder") as temporary:
        temporary.touch()
    with pytest.raises(InputError, match="No such file"), replacing(tmp_path / "no" / "f") as path:
        path.touch()
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_only_names_of_temporaries_are_removed(tmp_path):
    with replacing(tmp_path / "a.nc") as temporary:
        temporary.touch()
    kept = {"a.nc", ".a.nc.tmp", f".a.nc.{'g' * 32}.tmp", "b.tmp"}
    for name in (*kept, temporary.name):
        (tmp_path / name).touch()
    remove_temporaries(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == kept


def refused(path):
    """What refuses to write to a path; what is there stays as it is."""
    before = os.lstat(path).st_mode
    with pytest.raises(InputError) as error, replacing(path) as temporary:
        temporary.write_text("new")
    assert os.lstat(path).st_mode == before and str(path) in str(error.value)
    return str(error.value)


def test_a_fifo_is_not_replaced(tmp_path):
    """Fault 93."""
    os.mkfifo(tmp_path / "f")
    assert "fifo" in refused(tmp_path / "f")
    (tmp_path / "link").symlink_to(tmp_path / "f")
    assert "fifo" in refused(tmp_path / "link")


def test_a_socket_is_not_replaced(tmp_path, monkeypatch):
    """Fault 93."""
    monkeypatch.chdir(tmp_path)  # its name has a limit of about 100 bytes
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s")
        assert "socket" in refused(tmp_path / "s")


def test_a_device_is_not_replaced(tmp_path):
    """Fault 93: what happened to /dev/full of a host that ran as root."""
    assert "device" in refused(tmp_path / ".." / ".." / ".." / ".." / ".." / "dev" / "full")
    try:
        os.mknod(tmp_path / "full", stat.S_IFCHR | 0o666, os.makedev(1, 7))
    except OSError:
        pytest.skip("only root makes devices, and not everywhere")
    assert "device" in refused(tmp_path / "full")


def test_links_to_nothing_and_loops_are_not_followed(tmp_path):
    """Fault 93."""
    (tmp_path / "dangling").symlink_to(tmp_path / "other" / "file")
    assert str(tmp_path / "other" / "file") in refused(tmp_path / "dangling")
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    refused(tmp_path / "a")
    assert {p.name for p in tmp_path.iterdir()} == {"dangling", "a", "b"}


def test_a_name_that_is_no_path_is_refused(tmp_path):
    for name in ("a\0b", "x" * 300):
        with pytest.raises(InputError):
            destination(tmp_path / name)


def test_links_that_lead_out_of_a_folder_are_named(tmp_path):
    """Fault 93."""
    folder, other = tmp_path / "run", tmp_path / "other"
    folder.mkdir()
    other.write_text("kept")
    (folder / "in.nc").write_text("")
    (folder / "link_in.nc").symlink_to("in.nc")
    refuse_links_out(folder)
    (folder / "restart.nc").symlink_to(other)
    with pytest.raises(InputError, match=r"restart\.nc"):
        refuse_links_out(folder)
