"""Real and made files of hosts: their points, fields, and copies with others."""

import netCDF4
import numpy as np
import pytest

from landstep.coupling.host_files.layout import layout_named
from landstep.coupling.host_files.netcdf_file import NetcdfHostFile
from landstep.emulator.errors import InputError


def opened(path, host):
    return NetcdfHostFile.open(path, layout_named(host))


def variables_but(path, *names):
    """Stored numbers of all variables but some, and all that describes the file."""
    with netCDF4.Dataset(path) as file:
        file.set_auto_maskandscale(False)
        numbers = {n: v[...].tobytes() for n, v in file.variables.items() if n not in names}
        told = {
            n: (v.dtype, v.dimensions, {a: str(v.getncattr(a)) for a in v.ncattrs()})
            for n, v in file.variables.items()
        }
        return numbers, told, {a: str(file.getncattr(a)) for a in file.ncattrs()}


@pytest.fixture
def modis_wrf(real_wrf):
    """The real WRF file as if its classes were MODIS's: only what names them is changed."""
    modis = {"ISWATER": 17, "ISLAKE": 21, "ISICE": 15, "ISURBAN": 13}
    return real_wrf(MMINLU="MODIFIED_IGBP_MODIS_NOAH", **modis)


def test_ecland_site(real_data):
    """One point without edges, three monthly maps, types as float64."""
    file = opened(real_data / "hosts/ecland_surfclim_CA-001.nc", "ecland")
    assert file.points.n == 1 and file.points.lat[0] == 51.971 and file.years == ()
    fields = file.fields()
    assert fields["cvl"].tolist() == [1.0] and fields["tvh"].tolist() == [19.0]
    assert fields["lai_lv"].shape == (1, 12) and fields["lai_lv"][0, 5] == 2.52344
    assert fields["albedo"][0, [0, 11]].tolist() == [0.137187, 0.140119]
    assert fields["cl"].tolist() == [0.0] and fields["cu"].tolist() == [0.0382614]
    assert file.served.all()


def test_ecland_copy_keeps_every_other_byte(real_data, tmp_path):
    """NETCDF3: eight bytes for each number that changed, and no other."""
    source = real_data / "hosts/ecland_surfclim_CA-001.nc"
    file, target = opened(source, "ecland"), tmp_path / "new.nc"
    fields = file.fields()
    fields |= {"cvl": np.array([0.75]), "tvl": np.array([2.0])}
    fields["lai_hv"] = fields["lai_hv"] + np.eye(12)[:1] * 0.5
    moved = file.write_copy(target, {0: fields})
    assert {name for name, count in moved.items() if count} == {"cvl", "tvl", "Mlaih"}
    before, after = source.read_bytes(), target.read_bytes()
    off = np.flatnonzero(np.frombuffer(before, "u1") != np.frombuffer(after, "u1"))
    assert len(before) == len(after) and 3 <= off.size <= 24
    again = opened(target, "ecland").fields()
    for name, values in fields.items():
        assert np.array_equal(again[name], values), name


@pytest.mark.parametrize("name", ["ecland_surfclim_CA-001.nc", "ecland_surfclim_VG-000.nc"])
def test_own_fields_give_the_file_byte_for_byte(real_data, tmp_path, name):
    """The reference year of anomaly coupling."""
    source = real_data / "hosts" / name
    file = opened(source, "ecland")
    file.write_copy(tmp_path / "new.nc", {0: file.fields()})
    assert (tmp_path / "new.nc").read_bytes() == source.read_bytes()


def test_speedy(real_data, tmp_path, rectangle_area):
    """T30, which lies north first in the file; a globe; float32."""
    source = real_data / "hosts/speedy_surface_t30.nc"
    file, target = opened(source, "speedy"), tmp_path / "new.nc"
    assert file.points.n == 96 * 48 and file.points.lat[0] > 87 > file.points.lat[96]
    assert rectangle_area(file.points) == pytest.approx(4 * np.pi, rel=1e-9)
    fields = file.fields()
    fields["vegh"][1000] = 0.3
    moved = file.write_copy(target, {0: fields})
    assert moved == {"vegh": 1, "vegl": 0, "alb": 0}
    assert variables_but(target, "vegh") == variables_but(source, "vegh")
    with netCDF4.Dataset(target) as new, netCDF4.Dataset(source) as old:
        off = np.argwhere(new["vegh"][:] != old["vegh"][:])
        assert off.tolist() == [[10, 40]] and new["vegh"][10, 40] == np.float32(0.3)


def test_wrf_of_other_classes_is_refused(real_wrf):
    """A number of NLCD taken for a MODIS one would be another type; the message says what to do."""
    with pytest.raises(InputError, match=r"MMINLU is 'NLCD40', .*USGS.*geogrid"):
        opened(real_wrf(MMINLU="NLCD40"), "noahmp")


def test_a_file_without_places_is_refused_and_another_may_hold_them(real_data, tmp_path):
    """The land and the sea of either file count."""
    source = real_data / "hosts/speedy_surface_t30.nc"
    with netCDF4.Dataset(source) as old, netCDF4.Dataset(tmp_path / "own.nc", "w") as new:
        for name, of in old.dimensions.items():
            new.createDimension(name, len(of))
        for name in ("vegh", "vegl", "alb"):
            new.createVariable(name, "f4", old[name].dimensions)[...] = old[name][...]
    with pytest.raises(InputError, match=r"own.nc: lacks lat, lon.*--points FILE"):
        opened(tmp_path / "own.nc", "speedy")
    file = NetcdfHostFile.open(tmp_path / "own.nc", layout_named("speedy"), source)
    whole = opened(source, "speedy")
    assert np.array_equal(file.points.lon_bounds, whole.points.lon_bounds)
    assert np.array_equal(file.served, whole.served) and not file.served.all()


def test_wrf_points_have_corners(modis_wrf):
    """A Lambert grid of 30 km: cells of about that, and centres inside."""
    points = opened(modis_wrf, "noahmp").points
    assert points.n == 80 and points.vertex_lat.shape == (80, 4)
    height = (points.vertex_lat.max(axis=1) - points.vertex_lat.min(axis=1)) * 111.2
    assert (np.abs(height - 30) < 2).all()
    assert (points.vertex_lat.min(axis=1) < points.lat).all()


def test_wrf_packed_numbers(modis_wrf, tmp_path):
    """Types in an integer and in a packed variable, a fraction in 16 bits, all else as it was."""
    file, target = opened(modis_wrf, "noahmp"), tmp_path / "new.nc"
    fields = file.fields()
    assert fields["IVGTYP"][:3].tolist() == [9, 7, 7]
    assert set(fields) == {"IVGTYP", "VEGFRA", "LAI", "ALBBCK"}
    fields["IVGTYP"][2], fields["VEGFRA"][2] = 12.0, 20.0
    moved = file.write_copy(target, {0: fields})
    assert moved == {"IVGTYP": 1, "LU_INDEX": 1, "ALBBCK": 0, "VEGFRA": 1, "LAI": 0}
    names = ("IVGTYP", "LU_INDEX", "VEGFRA")
    assert variables_but(target, *names) == variables_but(modis_wrf, *names)
    again = opened(target, "noahmp").fields()
    assert again["IVGTYP"][2] == 12 and abs(again["VEGFRA"][2] - 20) < 0.0003
    fields["VEGFRA"][3] = 55.0
    with pytest.raises(InputError, match=r"VEGFRA: 55 cannot be stored: int16"):
        file.write_copy(tmp_path / "another.nc", {0: fields})
    assert not (tmp_path / "another.nc").exists()


def test_several_records_are_refused(real_data):
    """A history file with fields at four times is no boundary file."""
    with pytest.raises(InputError, match=r"ALBBCK: 4 records along 'Time', expected 1"):
        opened(real_data / "hosts/wrfout_cropped.nc", "noahmp")


def test_wrfinput_has_one_record(tmp_path):
    """XLAT(Time, south_north, west_east): the first record is the only one."""
    path = tmp_path / "wrfinput_d01"
    with netCDF4.Dataset(path, "w", format="NETCDF3_64BIT_OFFSET") as file:
        for name, size in (("Time", None), ("south_north", 3), ("west_east", 4)):
            file.createDimension(name, size)
        file.MMINLU = "MODIFIED_IGBP_MODIS_NOAH"
        dims = ("Time", "south_north", "west_east")
        y, x = np.indices((3, 4))
        for name, kind, values in (
            ("XLAT", "f4", 40 + 0.1 * y + 0.02 * x),
            ("XLONG", "f4", 5 + 0.1 * x),
            ("IVGTYP", "i4", np.full((3, 4), 10)),
            ("VEGFRA", "f4", np.full((3, 4), 33.0)),
        ):
            file.createVariable(name, kind, dims)[:] = values[None]
    source = opened(path, "noahmp")
    fields = source.fields()
    fields["VEGFRA"][5] = 12.5
    assert source.write_copy(tmp_path / "new", {0: fields}) == {"IVGTYP": 0, "VEGFRA": 1}
    before, after = (np.fromfile(p, "u1") for p in (path, tmp_path / "new"))
    assert before.size == after.size and 1 <= (before != after).sum() <= 4


def test_clm_file_with_one_variable_is_refused_by_name(real_data):
    """It holds PCT_NATVEG alone: the message lists what is missing."""
    with pytest.raises(InputError, match=r"lacks PCT_NAT_PFT, PCT_CROP, .* it has PCT_NATVEG"):
        opened(real_data / "hosts/clm_surfdata_4x5.nc", "ctsm")


def test_another_hosts_file_is_refused(real_data):
    """SPEEDY's file given for ecLand's."""
    with pytest.raises(InputError, match=r"speedy_surface_t30.nc: lacks cvl, .* another host's"):
        opened(real_data / "hosts/speedy_surface_t30.nc", "ecland")


LAT, LON = [-10.0, 0.0, 10.0], [20.0, 30.0, 40.0, 50.0]


def test_ctsm_series(make_ctsm, tmp_path):
    """A record a year; the largest of all years follows; other years stay, byte for byte."""
    source = make_ctsm(tmp_path / "series.nc", (2015, 2016, 2017), lat=LAT, lon=LON)
    file, target = opened(source, "ctsm"), tmp_path / "new.nc"
    assert file.years == (2015, 2016, 2017) and file.points.n == 12
    fields = file.fields(1)
    assert {f"PCT_NAT_PFT_{n}" for n in range(15)} | {"PCT_CFT_15", "PCT_CFT_16"} < set(fields)
    crop = np.zeros(12)
    crop[7] = 90.0
    moved = file.write_copy(target, {1: {"PCT_CROP": crop}})
    assert moved["PCT_CROP"] == 12 and moved["PCT_LAKE"] == 0 == moved["PCT_LAKE_MAX"]
    names = ("PCT_CROP", "PCT_CROP_MAX")
    assert variables_but(target, *names) == variables_but(source, *names)
    with netCDF4.Dataset(target) as new, netCDF4.Dataset(source) as old:
        assert np.array_equal(new["PCT_CROP"][1].ravel(), crop)
        assert np.array_equal(new["PCT_CROP"][[0, 2]], old["PCT_CROP"][[0, 2]])
        assert np.array_equal(new["PCT_CROP_MAX"][:], new["PCT_CROP"][:].max(axis=0))
        assert new["PCT_CROP_MAX"][1, 3] == 90.0


def test_ctsm_surface_data(make_ctsm, tmp_path):
    """One record, plant types by the numbers that the file gives them."""
    source = make_ctsm(tmp_path / "surfdata.nc", lat=LAT, lon=LON)
    file = opened(source, "ctsm")
    fields = file.fields()
    assert file.years == () and fields["PCT_NATVEG"].shape == (12,)
    total = sum(fields[f"PCT_NAT_PFT_{n}"] for n in range(15))
    np.testing.assert_allclose(total, 100, rtol=1e-14)
    new = dict(fields)
    new["PCT_CFT_15"], new["PCT_CFT_16"] = np.full(12, 100.0), np.zeros(12)
    file.write_copy(tmp_path / "new.nc", {0: new})
    with netCDF4.Dataset(tmp_path / "new.nc") as written:
        assert (written["PCT_CFT"][0] == 100).all() and (written["PCT_CFT"][1] == 0).all()


def test_sums_that_float32_cannot_hold_are_refused(make_ctsm, tmp_path):
    """CTSM wants 100 to 1e-13."""
    path = make_ctsm(tmp_path / "single.nc", lat=LAT, lon=LON, dtype="f4")
    with pytest.raises(InputError, match=r"PCT_NAT_PFT: stored as float32, .*ncap2"):
        opened(path, "ctsm")


def surfclim(path, lat_dims, lon_dims, sizes, *, months=12, units="degrees", bad=None):
    """Write what an ecLand file must hold, on any dimensions."""
    points = tuple(dict.fromkeys((*lat_dims, *lon_dims)))
    with netCDF4.Dataset(path, "w", format="NETCDF3_CLASSIC") as file:
        for name, size in {**sizes, "month": months}.items():
            file.createDimension(name, size)
        for name, dims, low in (("lat", lat_dims, 40.0), ("lon", lon_dims, 10.0)):
            shape = [sizes[dim] for dim in dims]
            values = low + np.arange(np.prod(shape), dtype=float).reshape(shape)
            values = np.deg2rad(values) if units == "radians" else values
            if bad == name:
                values.ravel()[-1] = np.nan
            file.createVariable(name, "f8", dims)[:] = values
            file[name].units = units
        for name in ("cvl", "cvh", "tvl", "tvh"):
            file.createVariable(name, "f8", points)[:] = 0.5
        for name in ("Mlail", "Mlaih", "Malbedo"):
            file.createVariable(name, "f8", ("month", *points))[:] = 0.2
    return path


def test_a_list_of_sites_in_radians(tmp_path):
    """ecLand on one dimension; radians are turned into degrees."""
    path = surfclim(tmp_path / "f.nc", ("x",), ("x",), {"x": 3}, units="radians")
    file = opened(path, "ecland")
    np.testing.assert_allclose(file.points.lat, [40, 41, 42])
    assert file.points.lon_bounds is None


@pytest.mark.parametrize(
    ("lat", "lon", "sizes", "more", "words"),
    [
        (("y", "x"), ("x",), {"y": 2, "x": 3}, {}, r"lat lies along \('y', 'x'\), lon along"),
        (("x",), ("x",), {"x": 3}, {"months": 4}, r"Mlail: 4 months, expected 12"),
        (("x",), ("x",), {"x": 3}, {"bad": "lon"}, r"f.nc, lon: holds a missing value"),
    ],
)
def test_files_that_lie_otherwise_are_refused(tmp_path, lat, lon, sizes, more, words):
    """Each says which variable, what was found and what was expected."""
    with pytest.raises(InputError, match=words):
        opened(surfclim(tmp_path / "f.nc", lat, lon, sizes, **more), "ecland")


@pytest.mark.parametrize(
    ("name", "dims", "words"),
    [
        ("cvl", ("other",), r"cvl: dims \('other',\), expected them to end in \('x',\)"),
        ("Mlail", ("x",), r"Mlail: dims \('x',\), expected one of them to be 'month'"),
    ],
)
def test_variables_that_lie_otherwise_are_refused(tmp_path, name, dims, words):
    """Not on the points, or without months."""
    path = surfclim(tmp_path / "f.nc", ("x",), ("x",), {"x": 3})
    with netCDF4.Dataset(path, "r+") as file:
        file.createDimension("other", 3)
        file.renameVariable(name, "old")
        file.createVariable(name, "f8", dims)[:] = 0.5
    with pytest.raises(InputError, match=words):
        opened(path, "ecland")


def test_points_without_a_value_are_not_served(tmp_path):
    """1e20 at sea: such a point is left alone."""
    path = surfclim(tmp_path / "f.nc", ("x",), ("x",), {"x": 3})
    with netCDF4.Dataset(path, "r+") as file:
        file["Mlaih"].missing_value = 1e20
        file["Mlaih"][3, 1] = 1e20
    assert opened(path, "ecland").served.tolist() == [True, False, True]
