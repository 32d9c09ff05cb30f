"""Whole files only: old or new at every moment, nothing left beside them."""

import pytest

from landstep.emulator.atomic import remove_temporaries, replacing
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
