"""CTSM's surface data and land-use series, generated to the format of mksurfdata_esmf."""

import shutil

import netCDF4
import numpy as np
import pytest

from landstep.coupling.host_files.update import Task, update_host_file
from landstep.emulator.errors import ConfigError, InputError

YEARS = (2014, 2015, 2016, 2017, 2018, 2019)


def update(source, world_run, output, years, **more):
    run, experiment = world_run
    return update_host_file(Task("ctsm", source, run, experiment, years, output, **more))


def numbers(path):
    with netCDF4.Dataset(path) as file:
        return {name: np.asarray(variable[...]) for name, variable in file.variables.items()}


@pytest.fixture
def series(make_ctsm, quarters, tmp_path):
    """landuse.timeseries on the quarter degrees of the made-up world."""
    lat, lon = quarters
    return make_ctsm(tmp_path / "landuse.timeseries.nc", YEARS, lat=lat, lon=lon)


@pytest.fixture
def surfdata(make_ctsm, quarters, tmp_path):
    """surfdata on the same."""
    return make_ctsm(tmp_path / "surfdata.nc", lat=quarters[0], lon=quarters[1])


def test_a_series_of_years(series, world_run, tmp_path):
    """Each year is the reference year's record and landstep's change; sums are 100 to 1e-13."""
    done = update(series, world_run, tmp_path / "new.nc", (2016, 2018))
    assert done.served == 24 and done.changed["PCT_CROP"] > 0 and not done.left
    old, new = numbers(series), numbers(tmp_path / "new.nc")
    for name in ("PCT_NAT_PFT", "PCT_CFT"):
        assert np.abs(new[name].sum(axis=1) - 100).max() < 1e-13 * 100
    for name in ("PCT_CROP", "PCT_LAKE", "PCT_URBAN", "PCT_NAT_PFT", "PCT_CFT"):
        for year in (2014, 2015, 2019):
            record = YEARS.index(year)
            assert np.array_equal(new[name][record], old[name][record]), (name, year)
        assert np.array_equal(new[f"{name}_MAX"], new[name].max(axis=0)), name
    crop = new["PCT_CROP"][2:5] - old["PCT_CROP"][1]
    assert 0 < np.abs(crop).max() < 20
    assert not np.array_equal(new["PCT_CROP"][2], old["PCT_CROP"][2])
    assert np.array_equal(new["HARVEST_VH1"], old["HARVEST_VH1"])
    all_landunits = new["PCT_CROP"] + new["PCT_LAKE"] + new["PCT_URBAN"].sum(axis=1)
    assert all_landunits.max() <= 100


def test_every_other_byte_of_a_series_stays(series, world_run, tmp_path):
    """NETCDF3: the reference year alone gives the file itself."""
    update(series, world_run, tmp_path / "new.nc", (2015, 2015))
    assert numbers(series).keys() == numbers(tmp_path / "new.nc").keys()
    assert (tmp_path / "new.nc").read_bytes() == series.read_bytes()


def test_a_series_needs_its_years_and_its_reference(
    series, world_run, tmp_path, make_ctsm, quarters
):
    """The file must have a record of each year asked for, and of the reference year."""
    short = make_ctsm(tmp_path / "short.nc", (2016, 2017), lat=quarters[0], lon=quarters[1])
    with pytest.raises(InputError, match=r"short.nc: has no record of 2018; it has 2016 to 2017"):
        update(short, world_run, tmp_path / "new.nc", (2016, 2018))
    with pytest.raises(InputError, match=r"has no record of the reference year 2015, which is"):
        update(short, world_run, tmp_path / "new.nc", (2016, 2017))
    with pytest.raises(InputError, match=r"no map of 2019"):
        update(series, world_run, tmp_path / "new.nc", (2016, 2019))


def test_a_variable_without_years_in_a_series_is_refused(series, world_run, tmp_path):
    """It could be no record of a year."""
    with netCDF4.Dataset(series, "r+") as file:
        file.createVariable("PCT_NATVEG", "f8", ("lsmlat", "lsmlon"))[:] = 50.0
    with pytest.raises(InputError, match=r"timeseries.nc, PCT_NATVEG: dims .*'time'.*ncks -x"):
        update(series, world_run, tmp_path / "new.nc", (2016, 2018))


def landunits(of):
    names = ("PCT_NATVEG", "PCT_CROP", "PCT_LAKE", "PCT_GLACIER", "PCT_WETLAND")
    return sum(of[name] for name in names) + of["PCT_URBAN"].sum(axis=0)


def test_surface_data(surfdata, world_run, tmp_path):
    """The landunits sum to 100, natural vegetation giving way."""
    done = update(surfdata, world_run, tmp_path / "new.nc", (2018, 2018))
    old, new = numbers(surfdata), numbers(tmp_path / "new.nc")
    assert done.changed["PCT_NATVEG"] > 0 and done.changed["PCT_CROP"] > 0
    assert not done.left
    assert np.abs(landunits(new) - 100).max() < 1e-13 * 100
    for name in ("PCT_GLACIER", "PCT_WETLAND"):
        np.testing.assert_allclose(new[name], old[name], rtol=1e-14)


def test_coastal_cells_keep_their_sea(surfdata, world_run, tmp_path):
    """PCT_OCEAN counts from the cell, landstep from its land: landunits and sea sum to 100."""
    sea = np.linspace(0, 100, 24).reshape(4, 6)
    with netCDF4.Dataset(surfdata, "r+") as file:
        for name in (
            "PCT_NATVEG",
            "PCT_CROP",
            "PCT_LAKE",
            "PCT_URBAN",
            "PCT_GLACIER",
            "PCT_WETLAND",
        ):
            file[name][:] = file[name][:] * (1 - sea / 100)
        file.createVariable("PCT_OCEAN", "f8", ("lsmlat", "lsmlon"))[:] = sea
    done = update(surfdata, world_run, tmp_path / "new.nc", (2018, 2018))
    old, new = numbers(surfdata), numbers(tmp_path / "new.nc")
    assert done.served == 23 and done.changed["PCT_CROP"] > 0
    assert np.array_equal(new["PCT_OCEAN"], sea)
    assert np.abs(landunits(new) + sea - 100).max() < 1e-13 * 100
    for name in ("PCT_NAT_PFT", "PCT_CROP", "PCT_URBAN"):
        assert np.array_equal(new[name][..., 3, 5], old[name][..., 3, 5])


def test_sixty_four_crops_are_left(world_run, make_ctsm, quarters, tmp_path):
    """landstep's table has two: the mixture of crops stays, their area moves."""
    path = make_ctsm(tmp_path / "surf.nc", lat=quarters[0], lon=quarters[1])
    with netCDF4.Dataset(path, "r+") as file:
        file["cft"][:] = [15, 61]
    done = update(path, world_run, tmp_path / "new.nc", (2018, 2018))
    assert done.left["PCT_CFT"] == "landstep's table has no field 'PCT_CFT_61'"
    assert np.array_equal(numbers(tmp_path / "new.nc")["PCT_CFT"], numbers(path)["PCT_CFT"])
    assert done.changed["PCT_CROP"] > 0


def test_plant_types_that_the_table_lacks_are_refused(surfdata, world_run, tmp_path):
    """Without them there is nothing to write."""
    with netCDF4.Dataset(surfdata, "r+") as file:
        file["natpft"][14] = 99
    with pytest.raises(ConfigError, match=r"PCT_NAT_PFT: cannot be updated: .* 'PCT_NAT_PFT_99'"):
        update(surfdata, world_run, tmp_path / "new.nc", (2018, 2018))


def moved_site(source, target, world_run):
    """Copy a file of one site and put it on a cell of the made-up world that a forest left."""
    shutil.copyfile(source, target)
    before, after = (numbers(world_run[0] / f"land_use_{year}.nc") for year in (2015, 2018))
    forest_lost = (before["land_use"][0] == 44) & (after["land_use"][0] == 22)
    y, x = np.argwhere(forest_lost)[0]
    with netCDF4.Dataset(target, "r+") as file:
        file["LATIXY"][:], file["LONGXY"][:] = before["lat"][y], before["lon"][x]
    return target


def test_a_real_file_of_one_site_moves(real_data, world_run, tmp_path):
    """CTSM's 1 x 1 of Brazil, with a crop landunit: crops come, sums stay within CTSM's 1e-13."""
    source = moved_site(
        real_data / "hosts/clm5_surfdata_1x1_brazil.nc", tmp_path / "surf.nc", world_run
    )
    done = update(source, world_run, tmp_path / "new.nc", (2018, 2018))
    old, new = numbers(source), numbers(tmp_path / "new.nc")
    assert done.served == 1 and new["PCT_CROP"] > old["PCT_CROP"]
    assert new["PCT_NATVEG"] < old["PCT_NATVEG"]
    for name in ("PCT_NAT_PFT", "PCT_CFT"):
        assert abs(new[name].sum() - 100) <= 1e-13 * 100, name
    assert abs(landunits(new) - 100).max() <= 1e-13 * 100
    update(source, world_run, tmp_path / "same.nc", (2015, 2015))
    assert (tmp_path / "same.nc").read_bytes() == source.read_bytes()


def test_a_real_file_with_crops_among_the_natural_types_is_refused(real_data, world_run, tmp_path):
    """Seventeen types on one landunit: no crop landunit that could grow."""
    source = moved_site(real_data / "hosts/clm_surfdata_17pft.nc", tmp_path / "surf.nc", world_run)
    with pytest.raises(
        ConfigError, match=r"surf.nc, PCT_NAT_PFT: .*'PCT_NAT_PFT_15'.*\[coupling\] host"
    ):
        update(source, world_run, tmp_path / "new.nc", (2018, 2018))
