"""The command line, as typed."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from landstep import Emulator, State
from landstep.arguments import parse_pair
from landstep.emulator.errors import ConfigError
from landstep.emulator.netcdf import NetcdfFile


def landstep(*words: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command as a user would."""
    return subprocess.run(
        [sys.executable, "-m", "landstep", *map(str, words)],
        capture_output=True,
        text=True,
        cwd=cwd,
    )


def test_run_writes_the_maps_that_python_steps_to(experiment: Path, tmp_path: Path) -> None:
    done = landstep("run", experiment, "--years", "2015:2018", "--output", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    emulator = Emulator.open(experiment)
    state = emulator.start(2015)
    for year in range(2016, 2019):
        state = emulator.step(year, state)
        with NetcdfFile(tmp_path / "run" / f"land_use_{year}.nc") as file:
            codes = file.read("land_use")[0].astype(np.int8).view(np.uint8)
            assert np.array_equal(codes, emulator.scheme.codes_from_numbers(state.land_use))
    assert np.array_equal(State.load(tmp_path / "run" / "restart.nc").land_use, state.land_use)


def test_run_from_a_restart_equals_going_on(experiment: Path, tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert landstep("run", experiment, "--years", "2015:2018", "--output", whole).returncode == 0
    assert landstep("run", experiment, "--years", "2015:2016", "--output", parts).returncode == 0
    restart = ("--restart", parts / "restart.nc")
    done = landstep("run", experiment, "--years", "2016:2018", "--output", parts, *restart)
    assert done.returncode == 0, done.stderr
    states = [State.load(folder / "restart.nc") for folder in (whole, parts)]
    assert states[0].checksum == states[1].checksum


def test_run_steps_backward_where_the_last_year_is_earlier(
    experiment: Path, tmp_path: Path
) -> None:
    done = landstep("run", experiment, "--years", "1985:1982", "--output", tmp_path / "back")
    assert done.returncode == 0, done.stderr
    emulator = Emulator.open(experiment)
    state = emulator.start(1985, direction="backward")
    for year in (1984, 1983, 1982):
        state = emulator.step(year, state)
    assert State.load(tmp_path / "back" / "restart.nc").checksum == state.checksum
    assert sorted(p.name for p in (tmp_path / "back").glob("land_use_*")) == [
        f"land_use_{year}.nc" for year in range(1982, 1986)
    ]
    restart = ("--restart", tmp_path / "back" / "restart.nc")
    turned = landstep("run", experiment, "--years", "1982:1984", "--output", tmp_path, *restart)
    assert turned.returncode == 6 and "turning round needs a new start" in turned.stderr


def test_run_says_where_quotas_could_not_be_met(experiment: Path, tmp_path: Path) -> None:
    """A cold start must give every coarse cell what the forcing has; some have not the land."""
    done = landstep("run", experiment, "--years", "2015:2017", "--output", tmp_path, "--cold")
    unmet = [
        NetcdfFile(tmp_path / f"land_use_{year}.nc").attrs()["quota_unmet_coarse_cells"]
        for year in (2016, 2017)
    ]
    said = "quotas that could not be met: in" in done.stdout
    assert said == any(unmet)


def test_a_cold_start_knows_only_the_coast(experiment: Path, tmp_path: Path) -> None:
    done = landstep("run", experiment, "--years", "2015:2016", "--output", tmp_path, "--cold")
    assert done.returncode == 0, done.stderr
    emulator = Emulator.open(experiment)
    land_use = State.load(tmp_path / "restart.nc").land_use
    assert np.array_equal(land_use == 0, emulator.inputs.sea)


@pytest.mark.parametrize(
    ("words", "says", "status"),
    [
        (("run", "missing.toml", "--years", "2015:2016"), "missing.toml", 4),
        (("run", "{experiment}", "--years", "2015-2016"), "expected FIRST:LAST", 4),
        (("run", "{experiment}", "--years", "1984:1982"), "no map of 1984", 2),
        (("run", "{experiment}", "--years", "1980:1978", "--cold"), "year 1979 outside", 2),
        (("run", "{experiment}", "--years", "1700:1701"), "1700", 2),
        (("inspect", "missing.nc"), "missing.nc: not found", 2),
        (("inspect", "builtin:moon"), "model 'builtin:moon' does not come with landstep", 4),
        (("world", "{file}", "--size", "60x60"), "{file}", 2),
        (("config",), "say what to print", 4),
    ],
)
def test_an_error_is_one_line_and_a_status(
    words: tuple[str, ...], says: str, status: int, experiment: Path, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.write_text("in the way")
    filled = [w.format(experiment=experiment, file=file) for w in words]
    done = landstep(*filled, cwd=tmp_path)
    assert done.returncode == status, done.stderr
    assert says.format(file=file) in done.stderr
    assert done.stderr.count("\n") == 1 and "Traceback" not in done.stderr


def test_a_year_beyond_the_forcing_leaves_the_restart_as_it_was(
    experiment: Path, tmp_path: Path
) -> None:
    with_restart = tmp_path / "restart.nc"
    emulator = Emulator.open(experiment)
    last = emulator.inputs.forcing.years[-1]
    replace(emulator.start(2015), year=last - 1).save(with_restart)
    before = with_restart.read_bytes()
    years = f"{last - 1}:{last + 1}"
    done = landstep(
        "run", experiment, "--years", years, "--output", tmp_path, "--restart", with_restart
    )
    assert done.returncode == 2 and f"year {last + 1} outside" in done.stderr
    assert with_restart.read_bytes() == before


def test_inspect_tells_each_kind_of_file(
    experiment: Path, tiny_model: Path, tmp_path: Path
) -> None:
    landstep("run", experiment, "--years", "2015:2016", "--output", tmp_path)
    for file, says in (
        (experiment, "hilda8"),
        (tiny_model, "U-Net, base 4, depth 2"),
        (tiny_model, "forward and backward in time, maps valid on 01-01"),
        (tiny_model, "1, 2, 10 years at once, 3 maps before"),
        (tiny_model, "from 1 year: stay_weight 1, new_weight 1, miss_price 0.1"),
        ("builtin:world", "accuracy"),
        (tmp_path / "restart.nc", "forward in time"),
        (tmp_path / "restart.nc", "km2"),
        (tmp_path / "restart.nc", "2016"),
        (tmp_path / "land_use_2016.nc", "class_area"),
        (experiment.parent / "states_history.nc", "primf"),
    ):
        done = landstep("inspect", file)
        assert done.returncode == 0, done.stderr
        assert says in done.stdout


def test_doctor_tells_what_is_here() -> None:
    done = landstep("doctor")
    assert done.returncode == 0, done.stdout
    assert "onnxruntime" in done.stdout and "builtin:world" in done.stdout


def test_doctor_tells_which_precisions_work(monkeypatch: pytest.MonkeyPatch) -> None:
    from landstep import doctor

    monkeypatch.setattr(
        doctor, "precisions_here", lambda: {"provider a": "", "provider b": "no driver"}
    )
    report, _ = doctor.examine()
    assert "  ok       [run] provider a\n  no       [run] provider b: no driver\n" in report


def test_doctor_tells_what_is_missing_and_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from landstep import doctor

    monkeypatch.setattr(doctor, "find_spec", lambda name: None)
    monkeypatch.setattr(doctor.shutil, "which", lambda name: None)
    report, _ = doctor.examine()
    assert "pip install 'landstep[plot]'" in report
    assert "apt-get install gfortran" in report


def test_every_command_has_a_worked_example() -> None:
    listed = landstep("--help").stdout
    for command in "demo world train export run verify inspect plot doctor config".split():
        assert command in listed
        assert "Example" in landstep(command, "--help").stdout
    for command in ("record", "check"):
        assert "Example" in landstep("regress", command, "--help").stdout


def test_a_pair_of_numbers_is_read_or_refused() -> None:
    assert parse_pair("480x720", "x", "--size") == (480, 720)
    with pytest.raises(ConfigError, match="--size '480'"):
        parse_pair("480", "x", "--size")


def test_plot_draws_what_a_run_left(experiment: Path, tmp_path: Path) -> None:
    run, out = tmp_path / "run", tmp_path / "pictures"
    landstep("run", experiment, "--years", "2015:2017", "--output", run)
    done = landstep("plot", run, "--years", "2015,2017", "--out", out, "--format", "pdf")
    assert done.returncode == 0, done.stderr
    names = [out / f"{name}.pdf" for name in ("maps", "change", "class_areas")]
    assert done.stdout.splitlines() == [f"wrote {path}" for path in names]
    assert all(path.stat().st_size > 10_000 for path in names)
    for words, says, status in (
        ((tmp_path / "pictures",), "0 maps", 2),
        ((run, "--years", "2016,2019"), "no map of 2019; it has 2015 to 2017", 2),
        ((run, "--region", "-9:-8,0:1"), "--region -9:-8,0:1: holds no cell", 4),
    ):
        refused = landstep("plot", *words)
        assert refused.returncode == status and says in refused.stderr
        assert refused.stderr.count("\n") == 1


def test_check_says_each_item_and_ends_with_the_first_status(
    experiment: Path, tmp_path: Path
) -> None:
    words = ("check", experiment, "--output", tmp_path / "run", "--years")
    sound, beyond = (landstep(*words, years) for years in ("2015:2017", "2015:2101"))
    assert (sound.returncode, beyond.returncode) == (0, 2), sound.stderr + beyond.stderr
    assert "wrong" not in sound.stdout and "forcing values" in sound.stdout
    (line,) = (line for line in beyond.stdout.splitlines() if line.startswith("wrong"))
    assert "year 2101 outside 1980-2100" in line
    assert not (tmp_path / "run").exists()
