"""Files of TOML as people and damage leave them: read, or refused at once and in words."""

import os
import time

import pytest

from landstep.emulator.errors import ConfigError
from landstep.emulator.toml_file import LARGEST_BYTES, read_toml

PLAIN = 'name = "Elbe"\n[run]\nthreads = 2\n'
READ = {"name": "Elbe", "run": {"threads": 2}}


@pytest.fixture
def read(tmp_path):
    """Return a function that writes bytes or a text and reads them as TOML."""

    def of(content):
        path = tmp_path / "file.toml"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_toml(path)

    return of


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_what_windows_editors_write_is_read(read, mark, ends):
    assert read(mark + PLAIN.replace("\n", ends)) == READ


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_other_encodings_are_named(read, codec):
    with pytest.raises(ConfigError, match=f"file.toml: .*{codec[:6].upper()}"):
        read(PLAIN.encode(codec))


def test_a_byte_that_is_not_utf8_is_found_by_its_line(read):
    with pytest.raises(ConfigError, match="file.toml: .*line 4.*0xe9"):
        read((PLAIN + "a = 'é'").encode("latin-1"))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("a = " + "[" * 500 + "]" * 500, "line 1: more than 32 brackets"),
        ("\n\na = " + "{x=" * 50_000 + "1" + "}" * 50_000, "line 3: more than 32 brackets"),
        ("[" * 200_000, "line 1: more than 32 brackets"),
        ("b = 1\n" + "a." * 20_000 + "a = 1", "line 2: more than 32 parts"),
        ("[" + '"a" . ' * 40_000 + "a]", "line 1: more than 32 parts"),
        ("a = " + "9" * 5_000, "line 1: 9999.* of 5000 characters"),
        ("a = 0x" + "f" * 5_000, "line 1: 0xff.* of 5002 characters"),
        ("k" * 100_000 + " = 1", "line 1: kkkk.* of 100000 characters"),
        ("a = 2015-02-31", "not TOML"),
        ("a = 1\na = 2\n", "not TOML: .*given twice"),
        ("[a]\n[a]", "not TOML: .*given twice"),
        ('a = "\\ud800"', "not TOML"),
        ('a = "\0"', "not TOML"),
        ('a = """' + '"x' * 60_000, "not TOML"),
        ('a = "' + "\\" * 100_001, "not TOML"),
        ("#" * LARGEST_BYTES + "\n", f"{LARGEST_BYTES + 1} bytes, expected at most"),
        (b"\x89HDF\r\n\x1a\n" + bytes(100), "is a NetCDF-4 file, expected a text file of TOML"),
        (b"CDF\x01" + bytes(100), "is a NetCDF file, expected"),
        ("<!DOCTYPE html>", "is a web page, expected"),
        (bytes(1000), ".*UTF-16"),
    ],
)
def test_what_no_table_is_ends_at_once_in_words(read, content, says):
    """Sizes that kept the parser busy for minutes, or ended in an error of its own."""
    with pytest.raises(ConfigError, match=rf"file.toml[:,] {says}") as error:
        read(content)
    assert len(str(error.value)) < 500


def test_what_is_legal_is_not_refused(read):
    """Many numbers, long texts, brackets and dots within texts and comments, dotted keys."""
    digits = "1" * 300
    text = f"""a = [{"1.5, " * 5000}]
    b = "{digits}" # {"[" * 100} {"." * 100}
    c = '''{"[" * 100}
    {"." * 100}'''
    d.e."f.g".h = {{x = [[1], [2]], y.z = 3}}
    """
    values = read(text)
    assert len(values["a"]) == 5000 and values["b"] == digits and "." * 100 in values["c"]
    assert values["d"]["e"]["f.g"]["h"] == {"x": [[1], [2]], "y": {"z": 3}}


def test_only_regular_files_are_read_and_nothing_is_waited_for(tmp_path):
    os.mkfifo(tmp_path / "fifo.toml")
    began = time.thread_time()
    for path in (tmp_path / "fifo.toml", "/dev/zero", "/dev/null"):
        with pytest.raises(ConfigError, match=f"{path}: .*expected a regular file"):
            read_toml(path)
    assert time.thread_time() - began < 5
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        read_toml(tmp_path)
    (tmp_path / "link.toml").symlink_to("link.toml")
    with pytest.raises(ConfigError, match="link.toml: cannot be read"):
        read_toml(tmp_path / "link.toml")
