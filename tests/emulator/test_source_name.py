"""A file that is there is that file, also with colons in its name (WRF's are so)."""

from __future__ import annotations

import pytest

from landstep.emulator.source_name import split_source

WRF = "wrfout_d01_2000-01-24_12:00:00"


@pytest.mark.parametrize("name", [WRF, f"{WRF}.nc", "plain.nc", "C:\\topo.nc", ":odd:", "a:b"])
@pytest.mark.parametrize("variable", [None, "HGT", "z_0"])
def test_a_file_with_colons_is_found_with_and_without_a_variable(tmp_path, name, variable):
    (tmp_path / name).touch()
    entry = name if variable is None else f"{name}:{variable}"
    assert split_source(tmp_path, entry) == (tmp_path / name, variable)


def test_the_longest_name_that_is_a_file_wins(tmp_path):
    for name in ("a", "a:b", "a:b:c"):
        (tmp_path / name).touch()
    assert split_source(tmp_path, "a:b:c") == (tmp_path / "a:b:c", None)
    assert split_source(tmp_path, "a:b:d") == (tmp_path / "a:b", "d")
    assert split_source(tmp_path, "a:x:y") == (tmp_path / "a", "x:y")


@pytest.mark.parametrize(
    ("entry", "name", "variable"),
    [
        ("none.nc", "none.nc", None),
        ("none.nc:x", "none.nc", "x"),
        ("none.nc:", "none.nc", None),
        (f"{WRF}:HGT", WRF, "HGT"),
        ("nul\0.nc:x", "nul\0.nc", "x"),
        (f"{'long' * 100}:x", "long" * 100, "x"),
    ],
)
def test_of_a_file_that_is_not_there_the_last_colon_splits(tmp_path, entry, name, variable):
    assert split_source(tmp_path, entry) == (tmp_path / name, variable)
