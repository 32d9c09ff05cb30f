"""WRF's and HRLDAS's files: numbers that the table lacks, water, and what names the classes."""

import netCDF4
import numpy as np
import pytest

from landstep.coupling.host_files.layout import layout_named
from landstep.coupling.host_files.netcdf_file import NetcdfHostFile
from landstep.coupling.host_files.update import Task, update_host_file
from landstep.emulator.errors import InputError

TOWNS = {(3, 3): 56, (3, 4): 31, (4, 3): 41, (4, 4): 22}
SHAPE = (4, 6)
ON = ("Time", "south_north", "west_east")
ATTRIBUTES = {
    "MMINLU": "MODIFIED_IGBP_MODIS_NOAH", "NUM_LAND_CAT": 61,
    "ISWATER": 17, "ISLAKE": 21, "ISURBAN": 13, "ISICE": 15,
}  # fmt: skip


@pytest.fixture
def make_wrf(quarters):
    """Write a wrfinput on the quarter degrees of the made-up world: cropland, but where told."""

    def make(path, *, types=None, without=(), attributes=None, **more):
        lat, lon = np.meshgrid(*quarters, indexing="ij")
        own = np.full(SHAPE, 12) if types is None else np.asarray(types)
        fields = {
            "XLAT": ("f4", lat), "XLONG": ("f4", lon), "LANDMASK": ("f4", np.ones(SHAPE)),
            "IVGTYP": ("i4", own), "LU_INDEX": ("f4", own), "VEGFRA": ("f4", np.full(SHAPE, 40)),
        }  # fmt: skip
        fields |= {name: ("f4", np.asarray(values)) for name, values in more.items()}
        with netCDF4.Dataset(path, "w", format="NETCDF3_64BIT_OFFSET") as file:
            for name, size in zip(ON, (None, *SHAPE), strict=True):
                file.createDimension(name, size)
            file.setncatts({**ATTRIBUTES, **(attributes or {})})
            for name, (kind, values) in fields.items():
                if name not in without:
                    file.createVariable(name, kind, ON)[0] = values
        return path

    return make


def with_towns(base=12):
    own = np.full(SHAPE, base)
    for number, place in enumerate([(0, 0), (0, 1), (1, 0), (1, 1)]):
        own[place] = list(TOWNS.values())[number]
    return own


def update(world_run, source, output, **more):
    run, experiment = world_run
    task = Task("noahmp", source, run, experiment, (2018, 2018), output, **more)
    return update_host_file(task)


def stored(path):
    with netCDF4.Dataset(path) as file:
        file.set_auto_maskandscale(False)
        return {name: variable[...] for name, variable in file.variables.items()}


def test_local_climate_zones_keep_their_numbers_and_the_rest_is_updated(
    world_run, make_wrf, tmp_path
):
    """31 to 41, 51 to 61, and whatever else the table lacks: said, with how many there are."""
    source = make_wrf(tmp_path / "wrfinput_d01", types=with_towns())
    done = update(world_run, source, tmp_path / "new")
    assert done.points == 24 and done.served == 20
    old, new = stored(source), stored(tmp_path / "new")
    towns = with_towns() != 12
    for name in ("IVGTYP", "LU_INDEX", "VEGFRA"):
        assert np.array_equal(new[name][0][towns], old[name][0][towns]), name
    assert (new["VEGFRA"][0][~towns] != old["VEGFRA"][0][~towns]).any()
    assert np.array_equal(new["LU_INDEX"], new["IVGTYP"])
    assert "4 of 24 points keep their own fields" in done.text and "22, 31, 41, 56" in done.text


def test_zones_in_lu_index_alone_keep_the_point(world_run, make_wrf, tmp_path):
    """WRF may have 13 (urban) in IVGTYP where LU_INDEX says which kind of town."""
    types = np.where(with_towns() == 12, 12, 13)
    source = make_wrf(tmp_path / "wrfinput_d01", types=types, LU_INDEX=with_towns())
    done = update(world_run, source, tmp_path / "new")
    assert done.served == 20 and "LU_INDEX (22, 31, 41, 56)" in done.text
    old, new = stored(source), stored(tmp_path / "new")
    for name in ("IVGTYP", "LU_INDEX", "VEGFRA"):
        assert np.array_equal(new[name][0][types == 13], old[name][0][types == 13]), name


def test_an_interpolated_class_is_refused_in_either_variable(world_run, make_wrf, tmp_path):
    """Row 86."""
    types = np.full(SHAPE, 12.0)
    types[2, 1] = 10.5
    source = make_wrf(tmp_path / "wrfinput_d01", LU_INDEX=types)
    with pytest.raises(InputError, match="wrfinput_d01, LU_INDEX: 10.5 at point 13, expected a wh"):
        update(world_run, source, tmp_path / "new")


@pytest.mark.parametrize("given", ["LANDMASK", "XLAND", "both", "neither"])
def test_water_never_changes(world_run, make_wrf, tmp_path, given):
    """LANDMASK, XLAND or both say where land is; the class of water does as well."""
    water = np.zeros(SHAPE, bool)
    water[1:3, 2:4] = True
    of = {"LANDMASK": 1.0 - water, "XLAND": 1.0 + water}
    if given == "both":
        of["XLAND"] = np.ones(SHAPE) + (np.arange(24).reshape(SHAPE) == 0)
    of = {name: values for name, values in of.items() if given in (name, "both")}
    types = np.where(water & (given == "neither"), 17, 12)
    without = () if "LANDMASK" in of else ("LANDMASK",)
    source = make_wrf(tmp_path / "wrf", types=types, without=without, **of)
    done = update(world_run, source, tmp_path / "new")
    assert done.served == (19 if given == "both" else 20)
    old, new = stored(source), stored(tmp_path / "new")
    for name in ("IVGTYP", "LU_INDEX", "VEGFRA"):
        assert np.array_equal(new[name][0][water], old[name][0][water]), name
        assert name != "VEGFRA" or (new[name] != old[name]).any()


def test_water_of_the_real_setup_file_never_changes(world_run, real_data, tmp_path):
    """A file of HRLDAS with XLAND and no LANDMASK: 16 of its water points had been changed."""
    source = real_data / "hosts/hrldas_setup_point.nc"
    old = stored(source)
    file = NetcdfHostFile.open(source, layout_named("noahmp"))
    assert np.array_equal(file.served, old["XLAND"].ravel() == 1) and not file.served.all()
    try:
        update(world_run, source, tmp_path / "new")
    except InputError as error:
        pytest.skip(f"it lies elsewhere: {error}")
    new = stored(tmp_path / "new")
    water = old["XLAND"] == 2
    for name in old:
        if old[name].shape == water.shape:
            assert np.array_equal(new[name][water], old[name][water]), name


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ({"ISWATER": 16}, "ISWATER is 16, expected 17"),
        ({"ISURBAN": 1}, "ISURBAN is 1, expected 13"),
        ({"ISICE": 24}, "ISICE is 24, expected 15"),
        ({"ISICE": "none"}, "ISICE is none, expected 15"),
        ({"MMINLU": "USGS"}, "ISWATER is 17, expected 16"),
        ({"MMINLU": "NLCD40"}, "MMINLU is 'NLCD40', expected one of"),
    ],
)
def test_attributes_of_other_classes_are_refused(make_wrf, tmp_path, attributes, words):
    source = make_wrf(tmp_path / "wrf", attributes=attributes)
    with pytest.raises(InputError, match=f"^wrf: attribute {words}"):
        NetcdfHostFile.open(source, layout_named("noahmp"))


def test_a_number_of_land_that_is_none_is_refused(make_wrf, tmp_path):
    numbers = np.ones(SHAPE)
    numbers[0, 5] = 3
    source = make_wrf(tmp_path / "wrf", XLAND=numbers)
    with pytest.raises(InputError, match=r"wrf, XLAND: 3 at point 5, expected 1 .land. or 2"):
        NetcdfHostFile.open(source, layout_named("noahmp"))


def test_a_map_of_snow_albedo_is_said_to_stay(world_run, make_wrf, tmp_path):
    source = make_wrf(tmp_path / "wrf", SNOALB=np.ones(SHAPE))
    done = update(world_run, source, tmp_path / "new")
    assert "largest albedo" in done.left["SNOALB"] and "SNOALB: left as it was" in done.text


# ---- files that no program should have written ----


def changed(path, name, kind, dims, values, **sizes):
    """Put another variable of a name into a NetCDF-3 file, by writing it anew as NetCDF-4."""
    target = path.with_name("changed.nc")
    with netCDF4.Dataset(path) as old, netCDF4.Dataset(target, "w") as new:
        new.setncatts({key: old.getncattr(key) for key in old.ncattrs()})
        for dim, of in old.dimensions.items():
            new.createDimension(dim, len(of))
        for dim, size in sizes.items():
            new.createDimension(dim, size)
        for each, of in old.variables.items():
            if each != name:
                new.createVariable(each, of.dtype, of.dimensions)[...] = of[...]
        new.createVariable(name, kind, dims)[...] = values
    return target


@pytest.mark.parametrize(
    ("name", "kind", "dims", "values", "sizes", "words"),
    [
        ("XLAT", str, (), np.array("x", object), {}, "XLAT: (holds text|shape)"),
        ("XLAT", "f4", ("none", *ON[1:]), np.ones((0, *SHAPE)), {"none": 0}, r"XLAT: shape \(0, 4"),
        ("XLAT", "f4", (), 50.0, {}, r"XLAT: shape \(\)"),
        ("XLAT", "f4", ON, np.full((1, *SHAPE), 95.0), {}, "XLAT, XLONG: .*95.*expected -90 to 90"),
        ("XLAT", "f4", ON, np.full((1, *SHAPE), np.nan), {}, "XLAT: holds a missing value"),
        ("LANDMASK", "f4", (), 1.0, {}, r"LANDMASK: shape \(\), expected 24 points"),
        ("LANDMASK", "f4", ("five",), np.ones(5), {"five": 5}, r"LANDMASK: shape \(5,\), expected"),
        ("LANDMASK", str, (), np.array("x", object), {}, "LANDMASK: (holds text|shape)"),
        ("IVGTYP", str, ON, np.full((1, *SHAPE), "x", object), {}, "IVGTYP: holds text"),
        ("VEGFRA", "f4", ("none", *ON[1:]), np.ones((0, *SHAPE)), {"none": 0}, "VEGFRA: "),
    ],
)
def test_what_is_no_field_of_points_is_refused_with_file_and_variable(
    make_wrf, tmp_path, name, kind, dims, values, sizes, words
):
    path = changed(make_wrf(tmp_path / "wrf"), name, kind, dims, values, **sizes)
    with pytest.raises(InputError, match=words) as error:
        NetcdfHostFile.open(path, layout_named("noahmp"))
    assert "changed.nc" in str(error.value)


@pytest.mark.parametrize(
    ("years", "words"),
    [
        (np.array([2015.0, np.nan, 2017.0]), "YEAR: nan at record 1"),
        (np.array([2015.0, 2015.0, 2017.0]), "YEAR: 2015 at record 1"),
        (np.array([2015.0, 2016.5, 2017.0]), "YEAR: 2016.5 at record 1"),
        (np.array(["a", "b", "c"], object), "YEAR: holds text, expected years"),
    ],
)
def test_years_of_a_series_that_are_none_are_refused(make_ctsm, quarters, tmp_path, years, words):
    lat, lon = quarters
    path = make_ctsm(tmp_path / "series.nc", (2015, 2016, 2017), lat=lat, lon=lon)
    kind = str if years.dtype == object else "f8"
    with pytest.raises(InputError, match=f"changed.nc, {words}"):
        NetcdfHostFile.open(changed(path, "YEAR", kind, ("time",), years), layout_named("ctsm"))


def test_a_copy_that_comes_back_as_the_hosts_own_is_refused(world_run, make_wrf, tmp_path):
    """Row 103: its change would count twice. Counted from its own year it would not."""
    source = make_wrf(tmp_path / "wrf")
    update(world_run, source, tmp_path / "moved")
    with pytest.raises(InputError, match=r"moved: holds the land use of 2018 .*wrf.*--reference"):
        update(world_run, tmp_path / "moved", tmp_path / "again")
    done = update(world_run, tmp_path / "moved", tmp_path / "same", reference=2018)
    assert not any(done.changed.values())
    (tmp_path / "moved.landstep.json").write_text("{", "utf-8")
    update(world_run, tmp_path / "moved", tmp_path / "unknown")
