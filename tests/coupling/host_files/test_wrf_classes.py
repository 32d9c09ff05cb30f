"""Shares of land-cover classes and monthly maps of WRF's files: MODIS with lakes, and USGS."""

import shutil

import netCDF4
import numpy as np
import pytest

from landstep.coupling.host_files.layout import layout_named
from landstep.coupling.host_files.netcdf_file import NetcdfHostFile
from landstep.coupling.host_files.update import Task, update_host_file

ON = ("south_north", "west_east")


def update(run, source, output, host="wrf", year=2017, **more):
    return update_host_file(Task(host, source, *run, (year, year), output, **more))


def stored(path):
    with netCDF4.Dataset(path) as file:
        file.set_auto_maskandscale(False)
        return {name: variable[...] for name, variable in file.variables.items()}


@pytest.fixture(scope="module")
def geo_em(real_data):
    """The real static file of a domain around Uppsala: 21 classes, 3 km."""
    return real_data / "hosts/wrf_geo_em_uppsala.nc"


def test_the_real_static_file_is_read(geo_em):
    """Two of its classes are water, which stay; its points are those of XLAT_M."""
    file = NetcdfHostFile.open(geo_em, layout_named("wrf"))
    old = stored(geo_em)
    assert file.layout.table == "noahmp" and file.points.n == 81 * 81
    assert np.array_equal(file.served, old["LANDMASK"].ravel() == 1)
    fields = file.fields()
    assert len([name for name in fields if name.startswith("LANDUSEF_")]) == 21
    assert fields["GREENFRAC"].shape == fields["ALBEDO12M"].shape == (6561, 12)
    assert {"GREENFRAC", "LAI12M", "ALBEDO12M", "LU_INDEX", "LANDUSEF"} <= file.variables.keys()
    assert file.left.keys() == {"SNOALB"}


def laid_over_the_world(source, target, lat="XLAT", lon="XLONG"):
    """Copy a file of WRF and put its points on the made-up world."""
    shutil.copyfile(source, target)
    with netCDF4.Dataset(target, "r+") as file:
        y, x = np.indices(file[lat].shape[-2:])
        shape = file[lat].shape
        file[lat][...] = np.broadcast_to(49.02 + 0.96 * y / y.max(), shape)
        file[lon][...] = np.broadcast_to(-29.98 + 1.46 * x / x.max(), shape)
    return target


def test_the_real_static_file_moves_with_the_made_up_world(geo_em, world_run, tmp_path):
    """Shares, the largest of them and the monthly maps; water and all else keep their bits."""
    source = laid_over_the_world(geo_em, tmp_path / "geo_em.d02.nc", "XLAT_M", "XLONG_M")
    done = update(world_run, source, tmp_path / "new.nc")
    old, new = stored(source), stored(tmp_path / "new.nc")
    names = {"LANDUSEF", "LU_INDEX", "GREENFRAC", "LAI12M", "ALBEDO12M"}
    assert {name for name in old if old[name].tobytes() != new[name].tobytes()} == names
    assert all(done.changed[name] > 0 for name in names)
    before, after = old["LANDUSEF"][0], new["LANDUSEF"][0]
    for water in (17, 21):
        assert np.array_equal(before[water - 1], after[water - 1])
    moved = (before != after).any(axis=0)
    np.testing.assert_allclose(after.sum(axis=0)[moved], 1.0, atol=1e-6)
    assert after[:, moved].min() >= 0 and after[:, moved].max() <= 1
    assert not moved[old["LANDMASK"][0] == 0].any()
    type_moved = old["LU_INDEX"][0] != new["LU_INDEX"][0]
    largest = 1 + np.delete(after, [16, 20], axis=0).argmax(axis=0)
    largest += largest >= 17  # without the two of water
    assert np.array_equal(new["LU_INDEX"][0][type_moved], largest[type_moved])
    update(world_run, source, tmp_path / "same.nc", year=2015)
    assert (tmp_path / "same.nc").read_bytes() == source.read_bytes()


def test_a_real_file_of_usgs_classes_moves_by_their_table(real_wrf, world_run, tmp_path):
    """Town 1, dry cropland 2, bare 19; types that the table lacks keep the point."""
    source = laid_over_the_world(real_wrf(), tmp_path / "wrfinput")
    file = NetcdfHostFile.open(source, layout_named("noahmp"))
    assert file.layout.table == "noahmp_usgs"
    done = update(world_run, source, tmp_path / "new", "noahmp", 2018)
    assert done.changed["VEGFRA"] > 0 and done.changed["ALBBCK"] > 0
    old, new = stored(source), stored(tmp_path / "new")
    types = {*np.unique(old["IVGTYP"]), 1, 2, 7, 8, 9, 10, 11, 12, 13, 14, 15, 19, 21, 22, 23}
    assert set(np.unique(new["IVGTYP"])) <= types
    update(world_run, source, tmp_path / "same", "noahmp", 2015)
    assert (tmp_path / "same").read_bytes() == source.read_bytes()
