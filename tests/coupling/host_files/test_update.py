"""The land use of a run, put into copies of hosts' files."""

import json
import shutil

import netCDF4
import numpy as np
import pytest

from landstep.coupling.areas import ZONE_GROUPS, Areas
from landstep.coupling.coupler import Coupler
from landstep.coupling.crosswalk import fields_of_host
from landstep.coupling.host_files.layout import layout_named
from landstep.coupling.host_files.netcdf_file import NetcdfHostFile
from landstep.coupling.host_files.update import Task, update_host_file
from landstep.emulator.classes import scheme
from landstep.emulator.errors import ConfigError, InputError
from landstep.emulator.grid import AREA_UNIT_M2
from landstep.emulator.legends import legend
from landstep.emulator.netcdf import NetcdfFile


def update(host, source, world_run, output, years, **more):
    run, experiment = world_run
    years = years if isinstance(years, tuple) else (years, years)
    return update_host_file(Task(host, source, run, experiment, years, output, **more))


def numbers(path):
    """All stored numbers of a file: name -> array."""
    with netCDF4.Dataset(path) as file:
        file.set_auto_maskandscale(False)
        return {name: variable[...] for name, variable in file.variables.items()}


def quarter_areas(run, year, zones):
    """Areas in quarter degrees, added cell by cell: the expected ones."""
    of = scheme("hilda8")
    with NetcdfFile(run / f"land_use_{year}.nc") as file:
        codes = file.read("land_use", 0).view(np.uint8)
        area = np.rint(file.read("cell_area") / AREA_UNIT_M2).astype(np.int64)
    of_zone = zones(year)
    values = np.zeros((24, len(ZONE_GROUPS), of.n_classes), np.int64)
    for point in range(24):
        top, left = point // 6 * 30, point % 6 * 30
        for y in range(top, top + 30):
            for x in range(left, left + 30):
                values[point, of_zone[y, x], of.codes.index(codes[y, x])] += area[y]
    return Areas.make(values, np.zeros(24, np.int64), np.ones(24))


@pytest.fixture(scope="module")
def zones(world_run):
    """Zone group of each cell of the made-up world in a year."""

    def of_year(year):
        with netCDF4.Dataset(world_run[1].with_name("zones.nc")) as file:
            first, last = file["period_bounds"][:].T
            period = int(np.flatnonzero((first <= year) & (year <= last))[0])
            return legend("made_up").groups(file["climate_zone"][period].filled(0))

    return of_year


def test_fields_are_the_files_own_and_the_change(
    world_run, make_surfclim, quarters, zones, tmp_path
):
    """cvl, cvh: 0.3 and 0.4 plus what the table makes of the classes' change, cell by cell."""
    source = make_surfclim(tmp_path / "surfclim.nc", *quarters)
    done = update("ecland", source, world_run, tmp_path / "new.nc", 2018)
    assert done.served == done.points == 24 and done.changed["cvl"] > 0 and not done.left
    table = fields_of_host("ecland", ".", scheme("hilda8"), True)
    before, after = (
        table.values(quarter_areas(world_run[0], year, zones)) for year in (2015, 2018)
    )
    new = numbers(tmp_path / "new.nc")
    for name, own in (("cvl", 0.3), ("cvh", 0.4)):
        change = after[name] - before[name]
        assert np.abs(change).max() > 0.001
        np.testing.assert_allclose(new[name].ravel(), own + change, atol=1e-12)
    assert set(np.unique(new["tvl"])) <= {1, 2, 7, 9, 11, 13, 16, 17}
    assert (new["cvl"] + new["cvh"]).max() <= 1


def test_the_reference_year_gives_the_file_byte_for_byte(
    world_run, make_surfclim, quarters, tmp_path
):
    """Whatever year is the reference."""
    source = make_surfclim(tmp_path / "surfclim.nc", *quarters)
    for reference in (2015, 2017):
        target = tmp_path / f"{reference}.nc"
        update("ecland", source, world_run, target, reference, reference=reference)
        assert target.read_bytes() == source.read_bytes()
    update("ecland", source, world_run, tmp_path / "other.nc", 2018, reference=2017)
    assert (tmp_path / "other.nc").read_bytes() != source.read_bytes()


def test_a_real_site_moves_with_its_cell(world_run, real_data, tmp_path):
    """The real ecLand file, moved to a cell of the made-up world that a forest left."""
    source = tmp_path / "surfclim.nc"
    shutil.copyfile(real_data / "hosts/ecland_surfclim_CA-001.nc", source)
    of = [numbers(world_run[0] / f"land_use_{year}.nc") for year in (2015, 2018)]
    before, after = (maps["land_use"][0] for maps in of)
    y, x = np.argwhere((before == 44) & (after == 22))[0]
    with netCDF4.Dataset(source, "r+") as file:
        file["lat"][:], file["lon"][:] = of[0]["lat"][y], of[0]["lon"][x]
        file["cvl"][:], file["cvh"][:] = 0.25, 0.5
    done = update("ecland", source, world_run, tmp_path / "new.nc", 2018)
    assert done.served == 1
    new, old = numbers(tmp_path / "new.nc"), numbers(source)
    assert new["cvh"] < old["cvh"] and new["cvl"] > old["cvl"]
    assert (new["Malbedo"] > old["Malbedo"]).any()
    moved = {name for name in old if not np.array_equal(old[name], new[name])}
    assert moved <= {"cvl", "cvh", "tvl", "tvh", "Mlail", "Mlaih", "Malbedo", "cu", "CLAKE"}


def test_cells_mostly_outside_the_region_keep_their_own(
    world_run, real_data, tmp_path, changed_experiment
):
    """SPEEDY's cells of 400 km over a region of 100 km: the copy is the file, and no success."""
    source = real_data / "hosts/speedy_surface_t30.nc"
    with pytest.raises(InputError, match="speedy_surface_t30.nc: 0 of 4608 points lie on known l"):
        update("speedy", source, world_run, tmp_path / "new.nc", 2018)
    assert not list(tmp_path.iterdir())
    left = world_run[0], changed_experiment("left", geometry="left")
    done = update("speedy", source, left, tmp_path / "new.nc", 2018)
    assert done.served == 0 and not any(done.changed.values())
    new, old = numbers(tmp_path / "new.nc"), numbers(source)
    assert all(np.array_equal(new[name], old[name]) for name in old)


def test_the_real_file_of_speedy_on_a_globe(globe_run, real_data, tmp_path):
    """Land moves, within its bounds; the sea of the host keeps its numbers, whatever lies there."""
    source = real_data / "hosts/speedy_surface_t30.nc"
    done = update("speedy", source, globe_run, tmp_path / "new.nc", 2017)
    new, old = numbers(tmp_path / "new.nc"), numbers(source)
    assert 500 < done.served < 1600
    for name in ("vegh", "vegl", "alb"):
        moved = new[name] != old[name]
        assert 0 < moved.sum() == done.changed[name]
        assert not moved[old["lsm"] == 0].any()
        assert new[name].min() >= 0 and new[name].max() <= 1
    covered = new["vegh"].astype(float) + new["vegl"]
    assert covered.max() <= 1 + 2e-7  # to float32
    for name in ("orog", "lsm", "lat", "lon"):
        assert np.array_equal(new[name], old[name])


def test_the_record_says_what_was_done(world_run, make_surfclim, quarters, tmp_path):
    """Beside the file, which cannot say it without another byte of its own."""
    source = make_surfclim(tmp_path / "surfclim.nc", *quarters)
    done = update("ecland", source, world_run, tmp_path / "new.nc", 2016)
    record = json.loads((tmp_path / "new.nc.landstep.json").read_text("utf-8"))
    with NetcdfFile(world_run[0] / "land_use_2016.nc") as file:
        assert record["model_sha256"] == file.attrs()["model_sha256"]
    assert record["years"] == [2016, 2016] and record["reference"] == 2015
    assert record["mode"] == "anomaly" and record["changed"] == dict(done.changed)
    assert set(record["forcing_sha256"]) == {"states_history.nc", "states_scenario.nc"}
    assert set(record["maps_sha256"]) == {"2015", "2016"}
    assert "new.nc.landstep.json" in done.text and "24 of 24 points" in done.text


@pytest.mark.parametrize("kept", ["new.nc", "new.nc.landstep.json"])
def test_an_output_that_exists_is_kept(world_run, make_surfclim, quarters, tmp_path, kept):
    """Neither the copy nor its record is written over."""
    source = make_surfclim(tmp_path / "surfclim.nc", *quarters)
    (tmp_path / kept).write_text("mine")
    with pytest.raises(ConfigError, match=rf"{kept}: exists; name another --output"):
        update("ecland", source, world_run, tmp_path / "new.nc", 2018)
    assert (tmp_path / kept).read_text() == "mine"


@pytest.mark.parametrize(
    ("host", "years", "more", "words"),
    [
        ("eclnd", 2018, {}, r"no host file of 'eclnd': did you mean 'ecland'"),
        ("ecland", 2040, {}, r"no map of 2040, a year that was asked for; it has 2015 to 2018"),
        ("ecland", 2018, {"reference": 1066}, r"no map of 1066, the reference year; it has"),
        ("ecland", (2016, 2018), {}, r"holds one state of the land, no series of years"),
        ("ecland", (2018, 2016), {}, r"--years 2018:2016: expected the earlier year first"),
        ("ecland", 2018, {"grid": "O32"}, r"--grid makes a new GRIB file: for ifs alone"),
        ("speedy", 2018, {}, r"surfclim.nc: lacks vegh, vegl, which"),
    ],
)
def test_what_cannot_be_is_refused(
    world_run, make_surfclim, quarters, tmp_path, host, years, more, words
):
    """And nothing is written."""
    source = make_surfclim(tmp_path / "surfclim.nc", *quarters)
    with pytest.raises((ConfigError, InputError), match=words):
        update(host, source, world_run, tmp_path / "new.nc", years, **more)
    assert [path.name for path in tmp_path.iterdir()] == ["surfclim.nc"]


def test_no_file_is_refused(world_run, tmp_path):
    """The message names the kind of file, and for ifs the other way."""
    with pytest.raises(ConfigError, match=r"name the surface climate file of ecLand"):
        update("ecland", None, world_run, tmp_path / "new.nc", 2018)
    with pytest.raises(ConfigError, match=r"name the file .* or --grid such as O320"):
        update("ifs", None, world_run, tmp_path / "new.grib", 2018)


def test_an_albedo_that_would_stay_is_refused(
    world_run, make_surfclim, quarters, tmp_path, changed_experiment
):
    """Unless it is asked for; then the rest moves."""
    source = make_surfclim(tmp_path / "surfclim.nc", *quarters, without=("Malbedo",))
    with pytest.raises(ConfigError, match=r"surfclim.nc: lacks albedo or aluvp, .* 'left'"):
        update("ecland", source, world_run, tmp_path / "new.nc", 2018)
    left = (world_run[0], changed_experiment("left", albedo="left"))
    assert update("ecland", source, left, tmp_path / "new.nc", 2018).changed["cvl"] > 0


def test_absolute_fields_are_landsteps_own(
    world_run, make_surfclim, quarters, zones, tmp_path, changed_experiment
):
    """The covers are the table's; the monthly maps still start from the file's."""
    source = make_surfclim(tmp_path / "surfclim.nc", *quarters)
    absolute = (world_run[0], changed_experiment("absolute", mode="absolute"))
    update("ecland", source, absolute, tmp_path / "new.nc", 2018)
    table = fields_of_host("ecland", ".", scheme("hilda8"), True)
    expected = table.values(quarter_areas(world_run[0], 2018, zones))
    new = numbers(tmp_path / "new.nc")
    for name in ("cvl", "cvh", "tvl", "tvh"):
        assert np.array_equal(new[name].ravel(), expected[name]), name


def test_a_table_of_ones_own(world_run, make_surfclim, quarters, tmp_path, changed_experiment):
    """[coupling] host names a TOML file: its rows are taken."""
    from importlib import resources

    text = (resources.files("landstep.coupling") / "hosts/ecland.toml").read_text("utf-8")
    own = world_run[1].with_name("mine.toml")
    own.write_text(text.replace('name = "cvl"\nlong_name', 'name = "cvx"\nlong_name'), "utf-8")
    source = make_surfclim(tmp_path / "surfclim.nc", *quarters)
    mine = (world_run[0], changed_experiment("own_table", host="mine.toml"))
    with pytest.raises(ConfigError):
        update("ecland", source, mine, tmp_path / "new.nc", 2018)
    own.write_text(text, "utf-8")
    assert update("ecland", source, mine, tmp_path / "new.nc", 2018).changed["cvl"] > 0


def test_a_field_that_cannot_be_names_the_file(world_run, make_surfclim, quarters, tmp_path):
    """A cover in percent."""
    source = make_surfclim(tmp_path / "surfclim.nc", *quarters)
    with netCDF4.Dataset(source, "r+") as file:
        file["cvl"][1, 2] = 30.0
    with pytest.raises(InputError, match=r"surfclim.nc: baseline 'cvl': 30 at point 8"):
        update("ecland", source, world_run, tmp_path / "new.nc", 2018)


def test_offline_is_online(world_run, make_surfclim, quarters, tmp_path, changed_experiment):
    """The file of each year holds the bits that a coupled run hands out in that year."""
    source = make_surfclim(tmp_path / "surfclim.nc", *quarters)
    own = NetcdfHostFile.open(source, layout_named("ecland"))
    online = changed_experiment("online", host="ecland")
    coupler = Coupler.open(
        online,
        own.points.lon,
        own.points.lat,
        lon_bounds=own.points.lon_bounds,
        lat_bounds=own.points.lat_bounds,
        year=2015,
    )
    for name, values in own.fields().items():
        coupler.baseline(name, values)
    for year in (2015, 2016, 2017, 2018):
        update("ecland", source, world_run, tmp_path / f"{year}.nc", year)
        coupler.update(year, 1, 1)
        fields = NetcdfHostFile.open(tmp_path / f"{year}.nc", layout_named("ecland")).fields()
        for name in ("cvl", "cvh", "tvl", "tvh"):
            assert np.array_equal(coupler.get(name), fields[name]), (year, name)
        for month in range(1, 13):  # ecLand's rule: the month's own value on its 15th
            coupler.update(year, month, 15)
            for name in ("lai_lv", "lai_hv", "albedo"):
                assert np.array_equal(coupler.get(name), fields[name][:, month - 1]), (year, name)
    coupler.close()


def test_a_bent_grid_of_wrf(world_run, tmp_path):
    """Cells of 0.2 degrees, turned by 20: types are chosen, VEGFRA moves, the day's LAI follows."""
    source = tmp_path / "wrfinput_d01"
    y, x = np.indices((3, 4)) * 0.2
    turned = np.deg2rad(20)
    lat = 49.25 + np.cos(turned) * y + np.sin(turned) * x * 0.65
    lon = -29.5 + np.cos(turned) * x - np.sin(turned) * y
    with netCDF4.Dataset(source, "w", format="NETCDF3_64BIT_OFFSET") as file:
        file.MMINLU = "MODIFIED_IGBP_MODIS_NOAH"
        for name, size in (("Time", None), ("south_north", 3), ("west_east", 4)):
            file.createDimension(name, size)
        for name, kind, values in (
            ("XLAT", "f4", lat),
            ("XLONG", "f4", lon),
            ("IVGTYP", "i4", np.full((3, 4), 10)),
            ("LU_INDEX", "f4", np.full((3, 4), 10)),
            ("VEGFRA", "f4", np.full((3, 4), 50.0)),
            ("LAI", "f4", np.full((3, 4), 1.5)),
        ):
            dims = ("Time", "south_north", "west_east")
            file.createVariable(name, kind, dims)[:] = values[None]
    done = update("noahmp", source, world_run, tmp_path / "new", 2018)
    new, old = numbers(tmp_path / "new"), numbers(source)
    assert done.served == 12 and done.changed["VEGFRA"] > 0 and not done.left
    assert np.array_equal(new["IVGTYP"], new["LU_INDEX"])
    same_type = new["IVGTYP"] == old["IVGTYP"]
    assert np.array_equal(new["LAI"][same_type], old["LAI"][same_type])
    update("noahmp", source, world_run, tmp_path / "same", 2015)
    assert (tmp_path / "same").read_bytes() == source.read_bytes()


def test_sites_far_apart_are_refused_by_the_name_of_the_file(world_run, tmp_path):
    """A list without order has no cells; nothing of it would move."""
    path = tmp_path / "sites.nc"
    with netCDF4.Dataset(path, "w") as file:
        file.createDimension("x", 3)
        for name, values in (("lat", [49.1, 49.52, 49.9]), ("lon", [-29.9, -29.3, -28.7])):
            file.createVariable(name, "f8", ("x",))[:] = values
        for name, value in (("vegh", 0.3), ("vegl", 0.3), ("alb", 0.2)):
            file.createVariable(name, "f8", ("x",))[:] = value
    with pytest.raises(InputError, match=r"^sites.nc: .*geometry"):
        update("speedy", path, world_run, tmp_path / "new.nc", 2018)
