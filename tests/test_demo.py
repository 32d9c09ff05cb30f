"""The demo, on a smaller world."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from landstep import State, demo
from landstep.emulator.errors import DependencyError, InputError, LandstepError

pytestmark = pytest.mark.slow


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shrink the demo: 3 steps over 120 x 180 cells."""
    monkeypatch.setattr(demo, "SHAPE", (120, 180))
    monkeypatch.setattr(demo, "LAST", 2018)


def test_the_demo_goes_the_whole_way(
    small: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "demo"
    demo.run_demo(out)
    said = capsys.readouterr().out
    assert "Python, command line, Fortran host: the 2018 maps are identical" in said
    assert "persistence" in said and "try next" in said
    for name in ("land_use_2015.nc", "land_use_2018.nc", "maps.png", "class_areas.png"):
        assert (out / "run" / name).stat().st_size > 5_000
    fortran = State.load(out / "host" / "landstep_restart.nc")
    assert np.array_equal(fortran.land_use, State.load(out / "run" / "restart.nc").land_use)
    demo.run_demo(out)  # an earlier demo's folder is taken again


def test_without_a_compiler_the_demo_says_what_to_install(
    small: None, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(folder: Path) -> Path:
        raise DependencyError("gfortran not found: apt-get install gfortran")

    monkeypatch.setattr(demo, "build_example_host", absent)
    demo.run_demo(tmp_path / "demo")
    said = capsys.readouterr().out
    assert "Fortran host was left out: gfortran not found" in said
    assert "Python, command line: the 2018 maps are identical" in said


def test_a_folder_of_somebody_else_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match="no earlier demo's"):
        demo.run_demo(tmp_path)
    assert (tmp_path / "thesis.txt").exists()


def test_maps_that_differ_are_an_error(experiment: Path, tmp_path: Path) -> None:
    from landstep import Emulator

    state = Emulator.open(experiment).start(2015)
    other = state.land_use.copy()
    other[60, 60] ^= 1
    moved = replace(state, land_use=other)
    with pytest.raises(LandstepError, match="1 cells of the"):
        demo._compare({"Python": state, "Fortran host": moved})
    with pytest.raises(LandstepError, match="landstep run failed"):
        demo._command_line(tmp_path / "missing.toml", tmp_path)
