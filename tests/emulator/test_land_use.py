"""Land-use maps: codes become class numbers, ocean stays ocean, no data stays unknown."""

from __future__ import annotations

import logging

import netCDF4
import numpy as np
import pytest

from landstep.emulator.classes import MASKED, scheme
from landstep.emulator.errors import ConfigError, InputError
from landstep.emulator.land_use import LandUse

LAT, LON = 55.125 - 0.25 * np.arange(5), 10.125 + 0.25 * np.arange(7)
HILDA8 = scheme("hilda8")


def write_maps(path, codes, years=(1999, 2000, 2003), lat=LAT, lon=LON, name="LULC_states", **more):
    """Write maps as HILDA+ v2 are, without our own code."""
    dtype, fill = more.get("dtype", codes.dtype), more.get("fill")
    with netCDF4.Dataset(path, "w") as file:
        for dim, size in (("time", len(years)), ("latitude", len(lat)), ("longitude", len(lon))):
            file.createDimension(dim, size)
        time = file.createVariable("time", "i4", ("time",))
        time.units, time.calendar = "years since 1900-01-01", "standard"
        time[:] = np.array(years) - 1900
        for dim, values, units in (
            ("latitude", lat, "degrees_north"), ("longitude", lon, "degrees_east"),
        ):  # fmt: skip
            axis = file.createVariable(dim, "f8", (dim,))
            axis.units, axis[:] = units, values
        dims = ("time", "latitude", "longitude")
        endian = "big" if str(dtype).startswith(">") else "native"
        variable = file.createVariable(name, dtype, dims, fill_value=fill, endian=endian)
        variable.set_auto_maskandscale(False)
        variable[:] = codes
        file.setncatts(more.get("attributes", {}))
    return path


def codes_of(*table, shape=(3, 5, 7)):
    """Codes drawn from a table, every one of them present."""
    draw = np.random.default_rng(2).permutation(np.resize(np.array(table), np.prod(shape)))
    return draw.reshape(shape).astype(np.uint8)


def test_codes_become_class_numbers_year_by_year(tmp_path):
    order = [0, 11, 22, 33, 44, 55, 66, 77]  # class numbers 0..7 in this order, by the scheme
    codes = codes_of(*order)
    path = write_maps(tmp_path / "a.nc", codes)
    land_use = LandUse.open(path, scheme=HILDA8, variant="states")
    assert land_use.years == (1999, 2000, 2003) and land_use.phase == "01-01"
    assert land_use.grid.shape == (5, 7) and land_use.grid.lat_deg[0] == 55.125
    for n, year in enumerate(land_use.years):
        found = land_use.map(year)
        assert found.dtype == np.uint8 and found.flags.c_contiguous
        assert [[order[k] for k in row] for row in found] == codes[n].tolist()


def test_code_44_means_what_the_declared_variant_says(tmp_path):
    path = write_maps(tmp_path / "a.nc", codes_of(0, 40, 41, 44))
    with pytest.raises(InputError, match=r"a\.nc, LULC_states, year 1999: code 4[01] at cell"):
        LandUse.open(path, scheme=HILDA8, variant="states").map(1999)
    forest = LandUse.open(path, scheme=HILDA8, variant="forest").map(1999)
    assert set(np.unique(forest)) == {0, HILDA8.names.index("forest")}
    types = LandUse.open(path, scheme=scheme("hilda13"), variant="forest").map(1999)
    assert len(np.unique(types)) == 4


def test_a_variant_must_be_one_of_the_scheme(tmp_path):
    path = write_maps(tmp_path / "a.nc", codes_of(0, 44))
    with pytest.raises(ConfigError, match="variant 'v1' is not one of"):
        LandUse.open(path, scheme=HILDA8, variant="v1")


@pytest.mark.parametrize("code", [1, 23, 46, 254])
def test_an_unknown_code_is_refused(tmp_path, code):
    path = write_maps(tmp_path / "a.nc", codes_of(0, 44, code))
    with pytest.raises(InputError, match=f"year 2000: code {code} at cell"):
        LandUse.open(path, scheme=HILDA8, variant="forest").map(2000)


@pytest.mark.parametrize("dtype", ["u1", "i1", "i2", "f4", ">i2"])
@pytest.mark.parametrize("fill", [None, 0, 99, "largest"])
def test_no_data_and_ocean_are_never_confused(tmp_path, dtype, fill):
    codes = codes_of(0, 44, 99).astype(dtype)
    if fill == "largest":
        fill = {"u1": 255, "i1": -1, "i2": -32768, ">i2": -32768, "f4": 1e20}[dtype]
        codes = np.where(codes == 99, np.array(fill, dtype), codes)
    path = write_maps(tmp_path / "a.nc", codes, fill=fill)
    found = LandUse.open(path, scheme=HILDA8, variant="states").map(1999)
    original = codes_of(0, 44, 99)[0]
    assert np.array_equal(found == 0, original == 0)
    assert np.array_equal(found == MASKED, original == 99)


def test_ocean_declared_as_fill_stays_ocean_and_is_logged(tmp_path, caplog):
    path = write_maps(tmp_path / "a.nc", codes_of(0, 44), fill=0)
    with caplog.at_level(logging.INFO):
        LandUse.open(path, scheme=HILDA8, variant="states").map(1999)
    assert "is a class code and read as that class" in caplog.text


def test_interpolated_codes_are_refused(tmp_path):
    codes = codes_of(0, 44).astype("f4")
    codes[0, 2, 3] = 38.5
    path = write_maps(tmp_path / "a.nc", codes)
    with pytest.raises(InputError, match=r"38\.5 at cell \(2, 3\).*expected class codes"):
        LandUse.open(path, scheme=HILDA8, variant="states").map(1999)


def test_text_is_no_class_code(tmp_path):
    path = write_maps(tmp_path / "a.nc", np.full((3, 5, 7), b"a"), dtype="S1")
    with pytest.raises(InputError, match=r"a\.nc, LULC_states: text.* expected numbers"):
        LandUse.open(path, scheme=HILDA8, variant="states").map(1999)


@pytest.mark.parametrize("year", [1998, 2001, 2004])
def test_a_year_without_a_map_is_refused(tmp_path, year):
    path = write_maps(tmp_path / "a.nc", codes_of(0, 44))
    with pytest.raises(InputError, match=f"no map of {year}; it has 1999-2003 with gaps"):
        LandUse.open(path, scheme=HILDA8, variant="states").map(year)


def test_rows_and_columns_come_out_north_first_and_from_180_west(tmp_path):
    codes = codes_of(0, 11, 22, 33, 44, 55, 66, 77)
    here = LandUse.open(write_maps(tmp_path / "a.nc", codes), scheme=HILDA8, variant="states")
    there = LandUse.open(
        write_maps(tmp_path / "b.nc", codes[:, ::-1], lat=LAT[::-1], lon=LON + 360),
        scheme=HILDA8,
        variant="states",
    )
    assert here.grid.same_place(there.grid) is None
    assert np.array_equal(here.map(2003), there.map(2003))


def test_only_three_dimensions_make_yearly_maps(tmp_path):
    path = write_maps(tmp_path / "a.nc", codes_of(0, 44))
    with netCDF4.Dataset(path, "a") as file:
        file.createVariable("one", "u1", ("latitude", "longitude"))
    with pytest.raises(InputError, match=r"one: dims .*expected \(time, latitude, longitude\)"):
        LandUse.open(path, scheme=HILDA8, variant="states", variable="one")


def test_a_misspelt_variable_gets_a_suggestion(tmp_path):
    path = write_maps(tmp_path / "a.nc", codes_of(0, 44), name="LULC_state")
    with pytest.raises(InputError, match="did you mean LULC_state"):
        LandUse.open(path, scheme=HILDA8, variant="states")


def test_a_file_may_declare_another_day(tmp_path):
    path = write_maps(tmp_path / "a.nc", codes_of(0, 44), attributes={"phase": "07-01"})
    assert LandUse.open(path, scheme=HILDA8, variant="states").phase == "07-01"


@pytest.mark.parametrize("south_first", [False, True])
def test_a_projected_map_lies_by_its_2d_latitude_and_longitude(tmp_path, south_first):
    rows, columns = np.mgrid[0:4, 0:6]
    lat, lon = 58 - 0.01 * rows + 0.001 * columns, 14 + 0.02 * columns + 0.002 * rows
    codes = codes_of(0, 44, 22, shape=(1, 4, 6))
    turn = slice(None, None, -1 if south_first else 1)
    with netCDF4.Dataset(tmp_path / "a.nc", "w") as file:
        for dim, size in (("time", 1), ("y", 4), ("x", 6)):
            file.createDimension(dim, size)
        time = file.createVariable("time", "f8", ("time",))
        time.units, time[:] = "years since 2000-01-01", 0
        for name, values, units in (
            ("lat", lat, "degrees_north"), ("lon", lon, "degrees_east"),
        ):  # fmt: skip
            place = file.createVariable(name, "f8", ("y", "x"))
            place.units, place[:] = units, values[turn]
        maps = file.createVariable("LULC_states", "u1", ("time", "y", "x"))
        maps.coordinates, maps[:] = "lat lon", codes[:, turn]
    land_use = LandUse.open(tmp_path / "a.nc", scheme=HILDA8, variant="states")
    assert land_use.grid.kind == "projected"
    assert np.array_equal(land_use.grid.lat_deg, lat)
    assert np.array_equal(HILDA8.codes_from_numbers(land_use.map(2000)), codes[0])
