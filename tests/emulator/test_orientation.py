"""Rows and columns come out north first and from -180 to 180, or the file is refused."""

from __future__ import annotations

import netCDF4
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from landstep.emulator.errors import InputError
from landstep.emulator.netcdf import NetcdfFile
from landstep.emulator.orientation import find_orientation
from landstep.emulator.part import Part

LAT, LON = 50.125 - 0.25 * np.arange(5), -5.625 + 0.25 * np.arange(9)
GLOBE_LAT, GLOBE_LON = np.arange(75, -80, -30.0), np.arange(-168.75, 180, 22.5)
UNITS = {"lat": "degrees_north", "lon": "degrees_east"}


def write_field(path, field, lat, lon, dims=("lat", "lon")):
    """Write a field and its axes, without our own code."""
    with netCDF4.Dataset(path, "w") as file:
        for name, centres in (("lat", lat), ("lon", lon)):
            file.createDimension(name, len(centres))
            axis = file.createVariable(name, "f8", (name,))
            axis.units, axis[:] = UNITS[name], centres
        file.createVariable("field", "f4", dims)[:] = field
    return path


def read_whole(orientation, file):
    """Read the field as it is used: turned and rolled onto the orientation's grid."""
    whole = Part.whole(orientation.grid.shape)
    kind = file.dtype("field")
    return orientation.read(file, "field", (), whole, lambda values, _: values, kind)


def oriented(path, field, lat=LAT, lon=LON):
    """Write a field as stored, and give its grid and itself as they come out."""
    with NetcdfFile(write_field(path, field, lat, lon)) as file:
        orientation = find_orientation(file, "field")
        return orientation.grid, read_whole(orientation, file)


def numbers(ny, nx):
    return np.arange(ny * nx, dtype=np.float32).reshape(ny, nx)


def test_a_field_that_lies_as_it_must_is_left_alone(tmp_path):
    grid, field = oriented(tmp_path / "a.nc", numbers(5, 9))
    assert np.array_equal(field, numbers(5, 9)) and field.flags.c_contiguous
    assert np.array_equal(grid.lat_deg, LAT) and np.array_equal(grid.lon_deg, LON)


def test_south_first_rows_are_turned(tmp_path):
    grid, field = oriented(tmp_path / "a.nc", numbers(5, 9)[::-1], lat=LAT[::-1])
    assert np.array_equal(field, numbers(5, 9)) and field.flags.c_contiguous
    assert np.array_equal(grid.lat_deg, LAT)


@settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(flip=st.booleans(), shift=st.integers(0, 15), modulo=st.booleans())
def test_a_globe_may_begin_at_any_longitude(tmp_path, flip, shift, modulo):
    stored_lon = np.roll(GLOBE_LON, -shift)
    if modulo:
        stored_lon = stored_lon % 360
    else:
        stored_lon = np.where(stored_lon < stored_lon[0], stored_lon + 360, stored_lon)
    rows = slice(None, None, -1 if flip else 1)
    stored = np.roll(numbers(6, 16), -shift, -1)[rows]
    grid, field = oriented(tmp_path / "a.nc", stored, GLOBE_LAT[rows], stored_lon)
    assert grid.wraps and np.array_equal(grid.lon_deg, GLOBE_LON)
    assert np.array_equal(grid.lat_deg, GLOBE_LAT)
    assert np.array_equal(field, numbers(6, 16))


@pytest.mark.parametrize("west", [-5.625, -1.0, 0.0, 100.0, -180.0 + 0.125, 179.875 - 2.0])
def test_a_region_in_0_to_360_comes_into_place(tmp_path, west):
    lon = west + 0.25 * np.arange(9)
    grid, field = oriented(tmp_path / "a.nc", numbers(5, 9), lon=lon % 360)
    assert np.array_equal(grid.lon_deg, lon) and np.array_equal(field, numbers(5, 9))


def test_a_region_stored_in_two_pieces_around_greenwich_is_joined(tmp_path):
    lon = -1.0 + 0.25 * np.arange(9)
    stored = np.roll(numbers(5, 9), -4, -1)  # 0 .. 1, then 359 .. 359.75
    grid, field = oriented(tmp_path / "a.nc", stored, lon=np.roll(lon, -4) % 360)
    assert np.array_equal(grid.lon_deg, lon) and np.array_equal(field, numbers(5, 9))


@pytest.mark.parametrize("lon", [179.0 + 0.25 * np.arange(9), (179 + 0.25 * np.arange(9)) - 360])
def test_a_region_across_180_degrees_is_refused(tmp_path, lon):
    with pytest.raises(InputError, match=r"a\.nc, field: the region .* lies across 180 degrees"):
        oriented(tmp_path / "a.nc", numbers(5, 9), lon=lon)


def test_longitudes_that_run_west_are_refused(tmp_path):
    with pytest.raises(InputError, match="longitude runs neither west to east"):
        oriented(tmp_path / "a.nc", numbers(5, 9), lon=LON[::-1])


def test_a_missing_longitude_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"a\.nc, lon.*missing.*7"):
        oriented(tmp_path / "a.nc", numbers(5, 9), lon=np.where(LON > -4, np.nan, LON))


def test_transposed_dimensions_are_named_with_their_sizes(tmp_path):
    path = write_field(tmp_path / "a.nc", numbers(9, 5), LAT, LON, dims=("lon", "lat"))
    with NetcdfFile(path) as file, pytest.raises(InputError) as refused:
        find_orientation(file, "field")
    assert "dims (lat, lon) expected last, found (lon=9, lat=5)" in str(refused.value)


def test_axes_are_known_by_unit_standard_name_or_name(tmp_path):
    for n, (lat, lon, attribute) in enumerate(
        [("yy", "xx", "units"), ("yy", "xx", "standard_name"), ("Latitude", "Longitude", None)]
    ):
        with netCDF4.Dataset(tmp_path / f"{n}.nc", "w") as made:
            for name, centres, unit, long in (
                (lat, LAT, "degrees_north", "latitude"), (lon, LON, "degrees_east", "longitude"),
            ):  # fmt: skip
                made.createDimension(name, len(centres))
                axis = made.createVariable(name, "f8", (name,))
                axis[:] = centres
                if attribute:
                    axis.setncattr(attribute, unit if attribute == "units" else long)
            made.createVariable("field", "f4", (lat, lon))
        with NetcdfFile(tmp_path / f"{n}.nc") as file:
            assert find_orientation(file, "field").grid.shape == (5, 9)


def write_cells(path, dims, sizes, places=(), **attributes):
    """Write `field` without axes; places: (name, dims, values, unit) of coordinate variables."""
    with netCDF4.Dataset(path, "w") as file:
        for name, size in zip(dims, sizes, strict=True):
            file.createDimension(name, size)
        file.createVariable("field", "f4", dims)[:] = numbers(*sizes[-2:]) if len(sizes) > 1 else 0
        file["field"].setncatts(attributes)
        for name, of, values, unit in places:
            variable = file.createVariable(name, "f8", of)
            variable.units, variable[:] = unit, values
    return path


def test_a_projected_map_lies_by_its_2d_coordinates(tmp_path):
    rows, columns = np.mgrid[0:5, 0:7]
    lat, lon = 60 - 0.01 * rows + 0.001 * columns, 179.96 + 0.01 * columns
    for n, turn in enumerate([slice(None), slice(None, None, -1)]):
        places = [
            ("a", ("y", "x"), lat[turn], "degrees_north"),
            ("b", ("y", "x"), lon[turn], "degrees_east"),
        ]
        path = write_cells(tmp_path / f"{n}.nc", ("y", "x"), (5, 7), places, coordinates="a b")
        with NetcdfFile(path) as file:
            orientation = find_orientation(file, "field")
            field = read_whole(orientation, file)
        assert orientation.grid.kind == "projected"
        assert np.array_equal(orientation.grid.lat_deg, lat)
        assert np.allclose(orientation.grid.lon_deg, np.where(lon < 180, lon, lon - 360))
        assert np.array_equal(field, numbers(5, 7)[turn])


def test_a_projected_map_without_latitude_and_longitude_is_refused(tmp_path):
    places = [(name, (name,), np.arange(size) * 1e3, "m") for name, size in (("y", 5), ("x", 7))]
    path = write_cells(tmp_path / "a.nc", ("y", "x"), (5, 7), places)
    with NetcdfFile(path) as file, pytest.raises(InputError) as refused:
        find_orientation(file, "field")
    assert "(y=5, x=7): projected x/y without lat, lon: refused" in str(refused.value)


@pytest.mark.parametrize("dims", [("cell",), ("level", "cell"), ("time", "cell")])
def test_a_list_of_points_is_clearly_refused(tmp_path, dims):
    sizes = (1, 7)[-len(dims) :]
    places = [(name, ("cell",), np.arange(7), UNITS[name]) for name in ("lat", "lon")]
    path = write_cells(tmp_path / "a.nc", dims, sizes, places)
    with NetcdfFile(path) as file, pytest.raises(InputError, match="are no map: a list of points"):
        find_orientation(file, "field")
