"""Shares of land-cover classes and monthly maps of WRF's files: MODIS with lakes, and USGS."""

import json
import shutil

import netCDF4
import numpy as np
import pytest

from landstep.coupling.host_files.layout import layout_named
from landstep.coupling.host_files.netcdf_file import NetcdfHostFile
from landstep.coupling.host_files.update import Task, update_host_file
from landstep.emulator.errors import InputError

ON = ("Time", "land_cat_stag", "south_north", "west_east")


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


def test_the_cells_of_the_real_static_file_have_its_own_corners(geo_em, tmp_path):
    """XLAT_C and XLONG_C: one row and one column more; neither is made up where they are there."""
    old, points = stored(geo_em), NetcdfHostFile.open(geo_em, layout_named("wrf")).points
    south_west = old["XLAT_C"][0, :-1, :-1].ravel(), old["XLONG_C"][0, :-1, :-1].ravel()
    assert np.array_equal(points.vertex_lat[:, 0], south_west[0])
    assert np.array_equal(points.vertex_lon[:, 0], south_west[1])
    with netCDF4.Dataset(geo_em) as whole, netCDF4.Dataset(tmp_path / "g.nc", "w") as file:
        file.setncatts({key: whole.getncattr(key) for key in ("MMINLU", "ISWATER")})
        for dim, size in zip(("y", "x"), (81, 81), strict=True):
            file.createDimension(dim, size)
        for name in ("XLAT_M", "XLONG_M", "LU_INDEX", "XLAT_C", "XLONG_C"):
            file.createVariable(name, "f4", ("y", "x"))[:] = whole[name][0, :81, :81]
    with pytest.raises(InputError, match=r"g.nc, XLAT_C: shape \(81, 81\), expected \(82, 82\)"):
        NetcdfHostFile.open(tmp_path / "g.nc", layout_named("wrf"))


def laid_over_the_world(source, target):
    """Copy a file of WRF or HRLDAS and put its points on the made-up world."""
    shutil.copyfile(source, target)
    with netCDF4.Dataset(target, "r+") as file:
        for end in ("", "_M", "_C"):
            if f"XLAT{end}" in file.variables:
                shape = file[f"XLAT{end}"].shape
                y, x = np.indices(shape[-2:])
                file[f"XLAT{end}"][...] = np.broadcast_to(49.02 + 0.96 * y / y.max(), shape)
                file[f"XLONG{end}"][...] = np.broadcast_to(-29.98 + 1.46 * x / x.max(), shape)
    return target


def test_the_real_static_file_moves_with_the_made_up_world(
    geo_em, world_run, tmp_path, check_readers_open
):
    """Shares, the largest of them and the monthly maps; water and all else keep their bits."""
    source = laid_over_the_world(geo_em, tmp_path / "geo_em.d02.nc")
    done = update(world_run, source, tmp_path / "new.nc")
    old, new = stored(source), stored(tmp_path / "new.nc")
    names = {"LANDUSEF", "LU_INDEX", "GREENFRAC", "LAI12M", "ALBEDO12M"}
    assert {name for name in old if old[name].tobytes() != new[name].tobytes()} == names
    assert all(done.changed[name] > 0 for name in names)
    assert any("their LU_INDEX (" in note for note in done.notes)
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
    check_readers_open(tmp_path / "new.nc", "LANDUSEF")
    update(world_run, source, tmp_path / "same.nc", year=2015)
    assert (tmp_path / "same.nc").read_bytes() == source.read_bytes()


def test_a_real_file_of_usgs_classes_moves_by_their_table(real_wrf, world_run, tmp_path):
    """Town 1, dry cropland 2, bare 19; types that the table lacks keep the point."""
    source = laid_over_the_world(real_wrf(), tmp_path / "wrfinput")
    file = NetcdfHostFile.open(source, layout_named("noahmp"))
    assert file.layout.table == "noahmp_usgs"
    done = update(world_run, source, tmp_path / "new", "noahmp", 2018)
    assert done.changed["VEGFRA"] > 0 and done.changed["ALBBCK"] > 0
    record = json.loads((tmp_path / "new.landstep.json").read_text("utf-8"))
    assert (record["host"], record["table"]) == ("noahmp", "noahmp_usgs")
    old, new = stored(source), stored(tmp_path / "new")
    types = {*np.unique(old["IVGTYP"]), 1, 2, 7, 8, 9, 10, 11, 12, 13, 14, 15, 19, 21, 22, 23}
    assert set(np.unique(new["IVGTYP"])) <= types
    update(world_run, source, tmp_path / "same", "noahmp", 2015)
    assert (tmp_path / "same").read_bytes() == source.read_bytes()


def test_the_real_setup_file_of_hrldas_moves(real_data, world_run, tmp_path, check_readers_open):
    """XLAND alone says what is water; MODIS classes, no shares of them."""
    source = laid_over_the_world(real_data / "hosts/hrldas_setup_point.nc", tmp_path / "setup.nc")
    done = update(world_run, source, tmp_path / "new.nc", "noahmp", 2018)
    assert done.changed["SHDMAX"] > 0 and done.changed["SHDMIN"] > 0
    check_readers_open(tmp_path / "new.nc", "IVGTYP")
    old, new = stored(source), stored(tmp_path / "new.nc")
    assert not (old["SHDMAX"] != new["SHDMAX"])[old["XLAND"] == 2].any()


@pytest.mark.parametrize(
    ("classes", "count", "crop", "grass", "water", "table"),
    [
        ("MODIFIED_IGBP_MODIS_NOAH", 20, 12, 10, 17, "noahmp"),
        ("USGS", 24, 2, 7, 16, "noahmp_usgs"),
    ],
)
def test_an_initial_file_without_a_class_of_lakes(
    quarters, world_run, tmp_path, classes, count, crop, grass, water, table
):
    """Wrfinput names the dimension land_cat_stag; a tenth of each cell is water and stays."""
    lon, lat = np.meshgrid(quarters[1], quarters[0])
    shares = np.zeros((count, *lat.shape))
    shares[crop - 1], shares[grass - 1], shares[water - 1] = 0.5, 0.4, 0.1
    with netCDF4.Dataset(tmp_path / "wrfinput", "w", format="NETCDF3_64BIT_OFFSET") as file:
        file.MMINLU = classes
        for dim, size in zip(ON, (None, count, *lat.shape), strict=True):
            file.createDimension(dim, size)
        for name, values in (("XLAT", lat), ("XLONG", lon), ("LU_INDEX", np.full_like(lat, crop))):
            file.createVariable(name, "f4", (ON[0], *ON[2:]))[0] = values
        file.createVariable("LANDUSEF", "f4", ON)[0] = shares
    done = update(world_run, tmp_path / "wrfinput", tmp_path / "new", year=2018)
    file = NetcdfHostFile.open(tmp_path / "new", layout_named("wrf"))
    assert file.layout.table == table and done.served == 24
    new = stored(tmp_path / "new")["LANDUSEF"][0].astype(np.float64)
    assert np.array_equal(new[water - 1], np.full(lat.shape, np.float32(0.1)))
    np.testing.assert_allclose(new.sum(axis=0), 1.0, atol=1e-6)
    assert (new[crop - 1] != np.float32(0.5)).sum() > 5
    types = stored(tmp_path / "new")["LU_INDEX"][0]
    new[water - 1] = 0.0
    assert np.array_equal(types, 1 + new.argmax(axis=0))
