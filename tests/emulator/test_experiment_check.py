"""A check before a run: each thing wrong once, all that is wrong told, nothing computed.

Budget of this file: 40 s.
"""

import shutil

import netCDF4
import numpy as np
import pytest

from landstep.emulator import estimates
from landstep.emulator import experiment_check as module
from landstep.emulator.driver import run_years
from landstep.emulator.emulator import Emulator
from landstep.emulator.errors import ConfigError, InputError, ModelError
from landstep.emulator.experiment_check import check_experiment, first_error


@pytest.fixture
def copy(experiment, tmp_path):
    """Copy the made-up world: its folder, with tiny.toml in it."""
    folder = tmp_path / "world"
    folder.mkdir()
    for path in experiment.parent.iterdir():
        if path.suffix in (".nc", ".toml"):
            shutil.copy(path, folder)
    return folder


def looked_at(folder, first=2015, last=2017, output=None):
    return check_experiment(folder / "tiny.toml", first, last, output or folder / "run")


def wrong(items):
    """Name and words of each problem."""
    return [(item.name, str(item.error)) for item in items if item.error is not None]


def changed(path, variable, change):
    """Change the stored numbers of a variable."""
    with netCDF4.Dataset(path, "a") as file:
        file.set_auto_maskandscale(False)
        file[variable][:] = change(file[variable][:])


def edited(folder, old, new):
    path = folder / "tiny.toml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def test_a_sound_experiment_passes_and_nothing_is_left(copy, monkeypatch):
    monkeypatch.setattr(Emulator, "step", None)
    before = sorted(path.name for path in copy.iterdir())
    items = looked_at(copy)
    assert wrong(items) == [] and first_error(items) is None
    assert sorted(path.name for path in copy.iterdir()) == before
    said = {item.name: item.line for item in items}
    assert {f"map of {year}" for year in range(2012, 2016)} <= set(said)
    assert said["checksums"].endswith("all files are verified")
    assert "GiB free" in said["disk, estimated"]
    assert said["memory, estimated"].startswith("ok     memory, estimated: about ")


def test_files_that_nothing_confirms_are_named(copy):
    """Rewritten by another program, a file has lost landstep's checksum."""
    changed(copy / "soil.nc", "soil_texture", lambda v: v)
    items = looked_at(copy)
    said = {item.name: item.line for item in items}
    assert wrong(items) == [] and said["checksums"].endswith("no checksum: soil.nc")


def beyond(folder):
    pass


def percent(folder):
    changed(folder / "states_scenario.nc", "urban", lambda v: np.where(v < 1e19, v * 100, v))


def negative(folder):
    def change(values):
        values[2][values[2] < 1e19] = -0.01
        return values

    changed(folder / "states_scenario.nc", "primf", change)


def no_class(folder):
    def change(values):
        values[2015 - 1985, 3, 4] = 7
        return values

    changed(folder / "hildaplus.nc", "LULC_states", change)


def soil(folder):
    changed(folder / "soil.nc", "soil_texture", lambda v: np.where(v > 0, 9, v))


def zones(folder):
    def change(values):
        values[1:] = np.where(values[1:] > 0, 17, values[1:])
        return values

    edited(folder, 'legend = "made_up"', "")
    edited(folder, 'reference = "climate.nc"', "")
    changed(folder / "zones.nc", "climate_zone", change)


def cut_short(folder):
    content = (folder / "topography.nc").read_bytes()
    (folder / "topography.nc").write_bytes(content[: len(content) // 2])


def no_model(folder):
    edited(folder, 'model = "', 'model = "/nowhere')


def checksum(folder):
    with (folder / "tiny.toml").open("a") as file:
        file.write(f'\n[checksums]\n"soil.nc" = "{"0" * 64}"\n')


def scenario(folder):
    edited(folder, 'scenario = "made-up-ssp"', 'scenario = "other"')


@pytest.mark.parametrize(
    ("spoil", "name", "says", "kind"),
    [
        (beyond, "years", "year 2101 outside 1980-2100", InputError),
        (percent, "forcing values", "year 2016, urban: max", InputError),
        (negative, "forcing values", "year 2017, primf: negative fraction -0.01", InputError),
        (no_class, "map of 2015", "code 7", InputError),
        (soil, "soil_texture", "soil.nc, soil_texture: 9", InputError),
        (zones, "climate_zone", "zones.nc: code 17", ConfigError),
        (cut_short, "elevation", "topography.nc", InputError),
        (no_model, "model", "/nowhere", ModelError),
        (checksum, "checksum of soil.nc", f"expected {'0' * 64}", InputError),
        (scenario, "forcing", "scenario", InputError),
    ],
)
def test_each_thing_that_is_wrong_is_told(copy, spoil, name, says, kind):
    spoil(copy)
    items = looked_at(copy, last=2101 if spoil is beyond else 2017)
    found = [text for of, text in wrong(items) if of == name]
    assert found and says in found[0], wrong(items)
    assert any(isinstance(item.error, kind) for item in items if item.name == name)
    assert all(item.line.startswith("wrong  ") == (item.error is not None) for item in items)


def test_all_problems_are_told_and_the_first_gives_the_status(copy):
    for spoil in (no_model, soil, cut_short, negative):
        spoil(copy)
    items = looked_at(copy)
    assert [name for name, _ in wrong(items)] == [
        "model",
        "forcing values",
        "elevation",
        "soil_texture",
    ]
    assert isinstance(first_error(items), ModelError)


def test_many_years_that_are_wrong_are_counted(copy):
    percent(copy)
    told = [text for name, text in wrong(looked_at(copy, last=2024)) if name == "forcing values"]
    assert len(told) == module.MOST_YEARS + 1 and told[-1].startswith("4 more years")


def test_an_experiment_that_cannot_be_read_is_all_there_is_to_say(tmp_path):
    items = check_experiment(tmp_path / "no.toml", 2015, 2016, tmp_path)
    assert [name for name, _ in wrong(items)] == ["experiment"] and len(items) == 1


def test_room_that_is_too_small_is_told_with_both_figures(copy, monkeypatch):
    monkeypatch.setattr(estimates, "free_memory", lambda: 1e6)
    monkeypatch.setattr(
        estimates.shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(2, 1, 1)
    )
    told = dict(wrong(looked_at(copy)))
    assert "977 KiB free" in told["memory, estimated"] and "core" in told["memory, estimated"]
    assert "0 KiB free" in told["disk, estimated"]


def test_the_output_folder_is_looked_at(copy, tmp_path):
    file = tmp_path / "file"
    file.touch()
    assert dict(wrong(looked_at(copy, output=file)))["output folder"].startswith(f"{file}: is a fi")
    run_years(copy / "tiny.toml", 2015, 2015, tmp_path / "run")
    assert wrong(looked_at(copy, output=tmp_path / "run")) == []
    found = dict(wrong(looked_at(copy, first=2016, output=tmp_path / "run")))
    assert "start is 'map of 2015'" in found["output folder"]


def test_years_backward_are_checked_too(copy):
    assert wrong(looked_at(copy, 1985, 1983)) == []
    assert "year 1979" in dict(wrong(looked_at(copy, 1985, 1970)))["years"]
    assert "no map of 1984" in dict(wrong(looked_at(copy, 1984, 1982)))["map of 1984"]
