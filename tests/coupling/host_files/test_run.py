"""The folder of a run, and the experiment that it is of."""

import shutil

import netCDF4
import numpy as np
import pytest

from landstep.coupling.host_files.run import Run, sha256_of
from landstep.emulator.emulator import Emulator
from landstep.emulator.errors import ConfigError, InputError


@pytest.fixture
def copied(world_run, tmp_path):
    """A copy of the run's maps, to be changed."""
    folder = tmp_path / "copied"
    folder.mkdir()
    for year in (2015, 2018):
        shutil.copyfile(world_run[0] / f"land_use_{year}.nc", folder / f"land_use_{year}.nc")
    return folder


def test_maps_are_those_that_were_written(world_run):
    """As class numbers, for the emulator's first state."""
    run = Run.open(*world_run)
    assert run.years == (2015, 2016, 2017, 2018)
    start = Emulator.open(world_run[1]).start(2015)
    assert np.array_equal(run.land_use(2015), start.land_use) and run.model == start.model


def test_gaps_are_told(copied, world_run):
    """A run of which years were removed."""
    with pytest.raises(InputError, match=r"no map of 2016, .*; it has 2015 to 2018 with gaps"):
        Run.open(copied, world_run[1]).land_use(2016)


def test_a_folder_without_maps_is_refused(tmp_path, world_run):
    """With the command that makes them."""
    with pytest.raises(InputError, match=r"0 maps named land_use_YEAR.nc, .*`landstep run`"):
        Run.open(tmp_path, world_run[1])


@pytest.mark.parametrize(
    ("attribute", "value", "error", "words"),
    [
        ("grid_sha256", "of another map", ConfigError, r"grid_sha256 is of another map, .* has"),
        ("class_scheme", "hilda13", ConfigError, r"class_scheme is hilda13, .* has hilda8"),
        ("model_sha256", None, InputError, r"has no attribute model_sha256"),
    ],
)
def test_maps_of_another_experiment_are_refused(copied, world_run, attribute, value, error, words):
    """Another grid, other classes, another program."""
    with netCDF4.Dataset(copied / "land_use_2015.nc", "r+") as file:
        if value is None:
            file.delncattr(attribute)
        else:
            file.setncattr(attribute, value)
    with pytest.raises(error, match=words):
        Run.open(copied, world_run[1])


def test_a_map_of_another_run_is_refused(copied, world_run):
    """Of another model, in the same folder."""
    with netCDF4.Dataset(copied / "land_use_2018.nc", "r+") as file:
        file.model_sha256 = "another"
    with pytest.raises(InputError, match=r"land_use_2018.nc: is of another run than land_use_2015"):
        Run.open(copied, world_run[1]).land_use(2018)


def test_a_code_that_is_no_class_is_refused(copied, world_run):
    """With its cell."""
    with netCDF4.Dataset(copied / "land_use_2018.nc", "r+") as file:
        file["land_use"][0, 2, 3] = 99
    with pytest.raises(InputError, match=r"code 99 at cell \(2, 3\) is none of scheme hilda8's"):
        Run.open(copied, world_run[1]).land_use(2018)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    """For the record beside a copy."""
    with pytest.raises(InputError, match=r"none.nc: cannot be read: No such file"):
        sha256_of(tmp_path / "none.nc")


@pytest.mark.parametrize(
    ("kind", "keep", "found"),
    [("i4", np.s_[:], "int32"), (str, np.s_[:], "object"), ("i1", np.s_[:, :-3], "expected")],
)
def test_what_is_no_map_of_codes_on_the_grid_is_refused(copied, world_run, kind, keep, found):
    """Numbers of another size were read as more columns of codes."""
    run = Run.open(copied, world_run[1])
    path = copied / "land_use_2018.nc"
    with netCDF4.Dataset(path) as file:
        attributes = {name: file.getncattr(name) for name in file.ncattrs()}
        codes = file["land_use"][0].filled(0)[keep]
    with netCDF4.Dataset(path, "w") as file:
        file.setncatts(attributes)
        for name, size in zip(("time", "lat", "lon"), (1, *codes.shape), strict=True):
            file.createDimension(name, size)
        land_use = file.createVariable("land_use", kind, ("time", "lat", "lon"))
        land_use[0] = codes.astype(str).astype(object) if kind is str else codes
    with pytest.raises(InputError, match=f"land_use_2018.nc, land_use: .*{found}"):
        run.land_use(2018)
