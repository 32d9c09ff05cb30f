"""Runs from the command line's side: years either way, observed years, what is said of quotas."""

import shutil
from pathlib import Path

import netCDF4
import numpy as np
import pytest

from landstep import Emulator, State
from landstep.emulator import driver as driver_module
from landstep.emulator.driver import run_years
from landstep.emulator.errors import ConfigError, InputError, StepError
from landstep.emulator.experiment import load_experiment
from landstep.emulator.output import Output


@pytest.fixture
def copying(experiment, tmp_path):
    """Write the experiment again, as one that copies observed years."""
    text = experiment.read_text("utf-8")
    path = experiment.parent / "copying.toml"
    path.write_text('observed = "copy"\n' + text, "utf-8")
    assert load_experiment(path).observed == "copy"
    return path


@pytest.mark.parametrize(("first", "last"), [(2028, 2032), (1987, 1983)])
def test_observed_years_are_copied_and_the_rest_is_stepped(copying, tmp_path, first, last):
    """Maps are there for 1985 to 2030: the last of them is where stepping starts."""
    ran = run_years(copying, first, last, tmp_path)
    emulator = Emulator.open(copying)
    step, edge = (1, 2030) if last > first else (-1, 1985)
    direction = "forward" if step > 0 else "backward"
    state = emulator.start(edge, direction=direction)
    for year in (edge + step, edge + 2 * step)[: abs(last - edge)]:
        state = emulator.step(year, state)
    assert ran.state.checksum == state.checksum and ran.state.anchor == edge
    assert len(ran.reports) == abs(last - edge)
    for year in range(first, edge, step):
        expected = emulator.scheme.codes_from_numbers(emulator.inputs.land_use.map(year))
        found = emulator_codes(tmp_path / f"land_use_{year}.nc")
        assert np.array_equal(found, expected)


def emulator_codes(path):
    """Class codes of a written map."""
    from landstep.emulator.netcdf import NetcdfFile

    with NetcdfFile(path) as file:
        return file.read("land_use")[0].astype(np.int8).view(np.uint8)


@pytest.mark.slow
@pytest.mark.parametrize("middle", [2029, 2031])
def test_a_copied_run_goes_on_from_its_restart(copying, tmp_path, middle):
    """By the restart in its folder, a copy of it, or the same command with a later last year."""
    whole = run_years(copying, 2028, 2032, tmp_path / "whole").state
    run_years(copying, 2028, middle, tmp_path / "part")
    restart = Path(shutil.copy(tmp_path / "part" / "restart.nc", tmp_path))
    other = run_years(copying, middle, 2032, tmp_path / "other", restart=restart)
    same = run_years(copying, 2028, 2032, tmp_path / "part")
    assert same.years == 2032 - middle
    run_years(copying, 2028, middle, tmp_path / "hand")
    restart = tmp_path / "hand" / "restart.nc"
    hand = run_years(copying, middle, 2032, tmp_path / "hand", restart=restart)
    for ran in (other, same, hand):
        assert ran.state.checksum == whole.checksum


@pytest.mark.slow
def test_the_same_run_goes_on_after_each_stop(copying, tmp_path):
    """Here after every single year, at the edge of what is observed too; once done, it is done."""
    whole = run_years(copying, 2028, 2033, tmp_path / "whole").state
    for year in range(2029, 2033):
        ran = run_years(copying, 2028, 2033, tmp_path / "part", stop=lambda: "now")
        assert (ran.state.year, ran.years, ran.stopped) == (year, 1, "now")
    for years in (1, 0):
        ran = run_years(copying, 2028, 2033, tmp_path / "part", stop=lambda: "now")
        assert (ran.state.year, ran.years, ran.stopped) == (2033, years, "")
        assert ran.state.checksum == whole.checksum
    for year in range(2028, 2034):
        codes = [emulator_codes(tmp_path / f / f"land_use_{year}.nc") for f in ("whole", "part")]
        assert np.array_equal(*codes)


def test_a_run_from_a_restart_elsewhere_goes_on_too(experiment, tmp_path):
    """The command names the restart that it began from, and is gone on with from a later one."""
    run_years(experiment, 2015, 2017, tmp_path / "first")
    given = {"restart": tmp_path / "first" / "restart.nc"}
    whole = run_years(experiment, 2017, 2020, tmp_path / "whole", **given).state
    stopped = run_years(experiment, 2017, 2020, tmp_path / "part", stop=lambda: "now", **given)
    assert stopped.state.year == 2018
    again = run_years(experiment, 2017, 2020, tmp_path / "part", **given)
    assert again.years == 2 and again.state.checksum == whole.checksum


def test_years_before_all_maps_are_reached_back_from_the_first(copying, tmp_path):
    """Maps are there from 1985 on: one run, the restarts of both ways, every year once."""
    stops = iter(["", "now"])
    ran = run_years(copying, 1982, 1988, tmp_path, stop=lambda: next(stops))
    assert (ran.state.year, ran.stopped) == (1983, "now")
    ran = run_years(copying, 1982, 1988, tmp_path)
    assert ran.state.year == 1988 and ran.years == 1 + 3
    emulator = Emulator.open(copying)
    state = emulator.start(1985, direction="backward")
    for year in (1984, 1983, 1982):
        state = emulator.step(year, state)
    assert State.load(tmp_path / "restart_backward.nc").checksum == state.checksum
    assert State.load(tmp_path / "restart.nc").checksum == emulator.start(1988).checksum
    assert sorted(path.name for path in tmp_path.glob("land_use_*")) == [
        f"land_use_{year}.nc" for year in range(1982, 1989)
    ]


def test_without_copying_a_run_does_not_start_before_all_maps(experiment, tmp_path):
    with pytest.raises(InputError, match="no map of 1982"):
        run_years(experiment, 1982, 1988, tmp_path)


def test_a_run_past_its_last_year_is_not_cut_back(experiment, tmp_path):
    run_years(experiment, 2015, 2017, tmp_path)
    with pytest.raises(ConfigError, match="holds this run to 2017, past 2016: nothing is left"):
        run_years(experiment, 2015, 2016, tmp_path)
    assert State.load(tmp_path / "restart.nc").year == 2017
    assert run_years(experiment, 2015, 2016, tmp_path, fresh=True).years == 1
    assert State.load(tmp_path / "restart.nc").year == 2016


def test_an_error_of_writing_ends_the_run(experiment, tmp_path, monkeypatch):
    """It is raised a year later at most, and the restart is that of the last whole year."""
    real = Output.write

    def write(self, path, year):
        if year.state.year == 2017:
            raise InputError("disk full")
        real(self, path, year)

    monkeypatch.setattr(Output, "write", write)
    for last in (2017, 2018, 2020):
        with pytest.raises(InputError, match="disk full"):
            run_years(experiment, 2015, last, tmp_path / str(last))
        assert State.load(tmp_path / str(last) / "restart.nc").year == 2016


def test_a_hindcast_steps_through_observed_years(experiment, tmp_path):
    """Unless the experiment says to copy them."""
    ran = run_years(experiment, 2015, 2017, tmp_path)
    emulator = Emulator.open(experiment)
    state = emulator.step(2017, emulator.step(2016, emulator.start(2015)))
    assert ran.state.checksum == state.checksum and len(ran.reports) == 2
    assert not np.array_equal(ran.state.land_use, emulator.inputs.land_use.map(2017))


def test_one_year_is_its_start(experiment, tmp_path):
    assert run_years(experiment, 2015, 2015, tmp_path).state.year == 2015
    assert {path.name for path in tmp_path.iterdir()} == {"land_use_2015.nc", "run.json"}


def test_progress_tells_the_years_and_the_quotas_missed(copying, tmp_path, monkeypatch):
    said = []
    ran = run_years(copying, 2029, 2032, tmp_path, progress=said.append)
    assert [line.split(",")[0] for line in said] == [f"{y} of 2032" for y in (2030, 2031, 2032)]
    assert said[0].endswith("0 s left; the observed map") or "the observed map" in said[0]
    for line, report in zip(said[1:], ran.reports, strict=True):
        assert line.endswith(report.text()) and ("; " in line) == bool(report.unmet)
    missed = ran.reports[0].__class__(*[np.zeros(3, np.int64)] * 2, 3, 2_000_000_000)
    told = driver_module.Ran(ran.state, ran.years, (missed, *ran.reports[1:]))
    assert told.unmet.startswith("quotas that could not be met: in ")


def test_a_model_of_one_direction_does_not_run_the_other(experiment, tmp_path, monkeypatch):
    from landstep.emulator.card import Card

    monkeypatch.setattr(Card, "steps", lambda self, direction: direction > 0)
    with pytest.raises(StepError, match="direction backward: model 'tiny' was trained to step"):
        run_years(experiment, 2015, 2014, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_folder_that_cannot_be_made_is_named(experiment, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match="file/run: cannot make the folder"):
        run_years(experiment, 2015, 2016, tmp_path / "file" / "run")


@pytest.mark.parametrize(("first", "last", "lacking"), [(1985, 1978, 1979), (2030, 10**9, 2101)])
def test_forcing_that_ends_too_early_is_refused_before_the_first_year(
    experiment, tmp_path, first, last, lacking
):
    """Forcing ends in 2100, and begins in 1980. Nothing is made that would be in the way."""
    with pytest.raises(InputError, match=rf"year {lacking} outside 1980-2100.*{first} to {last}"):
        run_years(experiment, first, last, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_years_that_are_copied_need_no_forcing_but_the_first_step_does(copying, tmp_path):
    """Without forcing of 2029 on, the maps to 2030 can be copied; a step from 2030 cannot be."""
    world = tmp_path / "short"
    shutil.copytree(copying.parent, world, ignore=shutil.ignore_patterns("run*"))
    with netCDF4.Dataset(world / "states_scenario.nc") as file:
        assert file["time"].size > 14 and file["time"].units.startswith("years since 2015")
    text = (world / "copying.toml").read_text("utf-8")
    one = text.replace(', "states_scenario.nc"', "")
    assert one != text
    (world / "copying.toml").write_text(one, "utf-8")
    forcing = load_experiment(world / "copying.toml").forcing
    assert [file.name for file in forcing.files] == ["states_history.nc"]
    assert run_years(world / "copying.toml", 2013, 2017, tmp_path / "run").state.year == 2017
    with pytest.raises(InputError, match="states_history.nc: year 2030 outside 1980-2015"):
        run_years(world / "copying.toml", 2013, 2031, tmp_path / "other")


def test_a_start_that_cannot_be_leaves_nothing(experiment, tmp_path):
    """No folder, and no record that would stand in the way of the right command."""
    with pytest.raises(InputError, match="no map of 1700"):
        run_years(experiment, 1700, 1701, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_cold_start_killed_before_its_first_restart_starts_cold_again(experiment, tmp_path):
    whole = run_years(experiment, 2015, 2016, tmp_path / "whole", cold=True).state
    part = tmp_path / "part"
    run_years(experiment, 2015, 2016, part, cold=True)
    for path in part.glob("*.nc*"):
        path.unlink()
    assert run_years(experiment, 2015, 2016, part, cold=True).state.checksum == whole.checksum
