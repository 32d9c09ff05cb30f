"""Maps that say "missing" in any way of CF are the maps that the plain file gives (fault 98)."""

from __future__ import annotations

import netCDF4
import numpy as np
import pytest

from landstep.emulator.classes import MASKED, scheme
from landstep.emulator.errors import InputError
from landstep.emulator.forcing import Forcing
from landstep.emulator.grid import Grid
from landstep.emulator.land_use import LandUse
from landstep.emulator.netcdf import NetcdfFile
from landstep.emulator.statics import Statics

LAT, LON = 50.125 - 0.25 * np.arange(5), 10.125 + 0.25 * np.arange(7)
GRID = Grid.regular(LAT, LON, "the map")
HILDA8 = scheme("hilda8")
DRAW = np.random.default_rng(12)
SEA = DRAW.random((5, 7)) < 0.4
ODD = SEA & (DRAW.random((5, 7)) < 0.5)  # a part of the sea, marked by another number
SOIL = np.where(SEA, 0, DRAW.integers(1, 8, (5, 7)))
HEIGHT = np.where(SEA, 0.0, DRAW.integers(0, 900, (5, 7)) / 2)
COVER = np.where(SEA, 0, DRAW.choice([11, 22, 44, 66], (5, 7)))
GONE = DRAW.random((5, 7)) < 0.2


def write(path, name, stored, *, time=None, unit_of_time="years since 2000-01-01", **attrs):
    """Write one map, or one a year, as it is, without our own code."""
    form = attrs.pop("form", "NETCDF4")
    with netCDF4.Dataset(path, "w", format=form) as file:
        file.set_fill_off()
        dims: tuple[str, ...] = ("lat", "lon")
        for dim, units, centres in (("lat", "degreesN", LAT), ("lon", "degreeE", LON)):
            file.createDimension(dim, centres.size)
            axis = file.createVariable(dim, "f8", (dim,))
            axis.units, axis[:] = units, centres
        if time is not None:
            dims = ("time", *dims)
            file.createDimension("time", len(time))
            steps = file.createVariable("time", "f8", ("time",))
            steps.units, steps[:] = unit_of_time, time
        fill = attrs.pop("_FillValue", False)
        variable = file.createVariable(name, stored.dtype, dims, fill_value=fill)
        variable.set_auto_maskandscale(False)
        variable.setncatts(attrs)
        variable[:] = stored
    return path


def marked(values, dtype, gone, mark, other=None):
    """Values with a mark where they are missing, and another one in odd places."""
    stored = np.asarray(values).astype(dtype)
    stored[gone] = mark
    if other is not None:
        stored[gone & ODD] = other
    return stored


@pytest.mark.parametrize(
    ("dtype", "marks", "attrs"),
    [
        ("i2", (-32767, -999), {"_FillValue": np.int16(-32767), "missing_value": np.int16(-999)}),
        ("i2", (-999, -32767), {"missing_value": np.array([-999, -32767], "i2")}),
        ("f4", (-999, np.nan), {"_FillValue": np.float32(-999)}),
        ("u1", (100, 255), {"valid_range": np.array([1, 7], "u1")}),
        ("i1", (-1, -1), {"_Unsigned": "true", "_FillValue": np.int8(-1)}),
        ("i2", (-1, -1), {"_Unsigned": "true", "missing_value": np.int32(65535)}),
        ("i4", (-(2**31) + 1, -(2**31) + 1), {}),
    ],
)
def test_soil_has_sea_where_the_file_has_nothing(tmp_path, dtype, marks, attrs):
    stored = marked(SOIL, dtype, SEA, *marks)
    path = write(tmp_path / "a.nc", "soil_texture", stored, **attrs)
    found = Statics.open({"soil_texture": (path, None)}, GRID).categories(2000)["soil_texture"]
    assert np.array_equal(found, SOIL)


def test_packed_soil_is_whole_again(tmp_path):
    stored = marked(SOIL * 10, "i2", SEA, -1)
    attrs = {"scale_factor": 0.1, "_FillValue": np.int16(-1)}
    path = write(tmp_path / "a.nc", "soil_texture", stored, **attrs)
    found = Statics.open({"soil_texture": (path, None)}, GRID).categories(2000)["soil_texture"]
    assert np.array_equal(found, SOIL)


@pytest.mark.parametrize("form", ["NETCDF4", "NETCDF3_CLASSIC"])
@pytest.mark.parametrize(
    ("factor", "dtype", "marks", "attrs"),
    [
        (1, "f4", (-4000, -8000), {"valid_min": np.float32(-500)}),
        (2, "i2", (-1, -2), {"scale_factor": 0.5, "missing_value": np.array([-1, -2], "i2")}),
        (2, "i2", (-1, -1), {"scale_factor": 0.5, "_Unsigned": "true", "_FillValue": np.int16(-1)}),
        (2, "i2", (-900, -1), {"scale_factor": 0.5, "valid_min": np.int16(0)}),
        (2, "i2", (-900, -1), {"scale_factor": 0.5, "valid_min": 0.0}),
        (1, "f8", (1.00000002004088e20, 1e20), {"missing_value": 1e20}),
    ],
)
def test_elevation_is_0_where_the_file_has_nothing(tmp_path, factor, dtype, marks, attrs, form):
    stored = marked(HEIGHT * factor, dtype, SEA, *marks)
    path = write(tmp_path / "a.nc", "elevation", stored, form=form, units="m", **attrs)
    found = Statics.open({"elevation": (path, None)}, GRID).continuous["elevation"]
    assert np.array_equal(found, HEIGHT.astype("f4"))


@pytest.mark.parametrize("unit", ["m2 s-2", "dam", "dm", "hft", "km", "ft", "1", "degrees"])
def test_elevation_in_another_unit_is_refused_also_where_it_is_low(tmp_path, unit):
    """Fault 100: a low region in m2 s-2 or dm lies within what metres can be."""
    path = write(tmp_path / "a.nc", "elevation", HEIGHT, units=f"{unit} ")
    with pytest.raises(InputError, match=rf"a\.nc, elevation: units '{unit}', expected 'm'"):
        Statics.open({"elevation": (path, None)}, GRID)


@pytest.mark.parametrize(
    ("dtype", "marks", "attrs"),
    [
        ("i2", (-9999, -999), {"_FillValue": np.int16(-9999), "missing_value": np.int16(-999)}),
        ("u1", (200, 255), {"valid_max": np.uint8(99)}),
        ("f4", (np.nan, -1), {"missing_value": np.array([0, -1], "f4")}),
        ("i1", (-1, -2), {"_Unsigned": "true", "missing_value": np.array([-1, -2], "i1")}),
        ("u2", (65535, 65535), {}),
    ],
)
def test_a_map_is_unknown_where_the_file_has_nothing_and_ocean_stays(tmp_path, dtype, marks, attrs):
    """Fault 33: also where 0, which is ocean, is declared as a mark."""
    stored = marked(COVER, dtype, GONE, *marks)[None]
    path = write(tmp_path / "a.nc", "LULC_states", stored, time=[0], **attrs)
    found = LandUse.open(path, scheme=HILDA8, variant="states").map(2000)
    assert np.array_equal(found == MASKED, GONE)
    assert np.array_equal(HILDA8.codes_from_numbers(found)[~GONE], COVER[~GONE])


@pytest.mark.parametrize(
    ("dtype", "marks", "attrs"),
    [
        ("f4", (1e20, -9), {"_FillValue": np.float32(1e20), "missing_value": np.float32(-9)}),
        ("f8", (2.0, -5.0), {"valid_range": np.array([0.0, 1.0])}),
        ("i2", (-1, -2), {"scale_factor": 1e-4, "missing_value": np.array([-1, -2], "i2")}),
        ("i1", (-1, -2), {"scale_factor": 0.005, "_Unsigned": "true", "valid_max": np.int8(-56)}),
    ],
)
def test_forcing_is_missing_where_the_file_has_nothing(tmp_path, dtype, marks, attrs):
    factor = 1 / attrs.get("scale_factor", 1)
    stored = marked(np.full((5, 7), 0.25) * factor, dtype, GONE, *marks)[None]
    path = write(tmp_path / "a.nc", "primf", stored, time=[0], **attrs)
    found = Forcing.open([path], format="luh2", states=["primf"]).year(2000)[0]
    assert np.array_equal(np.isnan(found), GONE) and np.allclose(found[~GONE], 0.25)


@pytest.mark.parametrize("reader", ["soil", "cover", "forcing"])
@pytest.mark.parametrize(
    ("attrs", "words"),
    [
        ({"scale_factor": "0.25 m"}, "scale_factor is '0.25 m'"),
        ({"add_offset": np.array([1.0, 2.0])}, "add_offset is"),
        ({"valid_range": "all"}, "valid_range is 'all', expected two numbers"),
        ({"_Unsigned": "perhaps"}, "_Unsigned is 'perhaps'"),
    ],
)
def test_an_attribute_that_cannot_be_is_refused_when_the_file_is_opened(
    tmp_path, reader, attrs, words
):
    stored = SOIL.astype("i2")
    with pytest.raises(InputError, match=rf"a\.nc, .*: .*{words}"):
        if reader == "soil":
            path = write(tmp_path / "a.nc", "soil_texture", stored, **attrs)
            Statics.open({"soil_texture": (path, None)}, GRID)
        elif reader == "cover":
            path = write(tmp_path / "a.nc", "LULC_states", stored[None], time=[0], **attrs)
            LandUse.open(path, scheme=HILDA8, variant="states")
        else:
            path = write(tmp_path / "a.nc", "primf", stored[None], time=[0], **attrs)
            Forcing.open([path], format="luh2", states=["primf"])


@pytest.mark.parametrize(
    ("units", "times"),
    [
        ("days since 2000-01-01", [0, 366]),
        ("day as %Y%m%d.%f", [20000101, 20010101]),
        ("YYYYMMDD", [20000101, 20010101]),
        ("year", [2000, 2001]),
    ],
)
def test_maps_have_the_years_of_any_axis(tmp_path, units, times):
    stored = np.stack([COVER, COVER]).astype("u1")
    path = write(tmp_path / "a.nc", "LULC_states", stored, time=times, unit_of_time=units)
    assert LandUse.open(path, scheme=HILDA8, variant="states").years == (2000, 2001)


def test_a_time_axis_of_another_length_is_refused(tmp_path):
    path = write(tmp_path / "a.nc", "LULC_states", COVER[None].astype("u1"), time=[0])
    with netCDF4.Dataset(path, "a") as file:
        file.renameVariable("time", "old")
        file.createDimension("other", 3)
        file.createVariable("time", "f8", ("other",))[:] = [1, 2, 3]
    with NetcdfFile(path) as file, pytest.raises(InputError, match="3 times, expected 1"):
        file.years()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", ["elevation", "primf"])
def test_a_number_that_float32_cannot_hold_is_refused_without_a_warning(tmp_path, name):
    stored = np.full((5, 7), 0.25)
    stored[1, 2] = 1e300
    stored, time = (stored, None) if name == "elevation" else (stored[None], [0])
    path = write(tmp_path / "a.nc", name, stored, time=time)
    with pytest.raises(InputError, match=rf"a\.nc.*{name}: fill value in valid cell: inf at"):
        if name == "elevation":
            Statics.open({name: (path, None)}, GRID)
        else:
            Forcing.open([path], format="luh2", states=[name]).year(2000)
