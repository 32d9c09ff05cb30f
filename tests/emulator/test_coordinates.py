"""Latitude and longitude are known by every mark that CF has, and by no other (fault 98)."""

from __future__ import annotations

import netCDF4
import numpy as np
import pytest

from landstep.emulator.errors import InputError
from landstep.emulator.netcdf import NetcdfFile
from landstep.emulator.orientation import find_orientation

LAT, LON = 50.125 - 0.25 * np.arange(5), -5.625 + 0.25 * np.arange(7)


def write(path, y=None, x=None, *, names=("y", "x"), of=None, mapping=None, **more):
    """Write `field` on two dimensions, without our own code.

    y, x : attributes of the coordinates of rows and columns; None: there is none
    names : of the dimensions; of : names of their coordinates, where they are others
    mapping : grid_mapping_name; more : attributes of the field
    """
    with netCDF4.Dataset(path, "w") as file:
        for dim, name, centres, attrs in zip(names, of or names, (LAT, LON), (y, x), strict=True):
            file.createDimension(dim, centres.size)
            if attrs is not None:
                axis = file.createVariable(name, "f8", (dim,))
                axis[:] = centres
                axis.setncatts(attrs)
        field = file.createVariable("field", "f4", names)
        field[:] = 1
        field.setncatts(more)
        if mapping:
            file.createVariable("crs", "i4", ()).grid_mapping_name = mapping
    return path


def orientation(path, *args, **more):
    """Orientation of `field` as `write` makes it."""
    with NetcdfFile(write(path, *args, **more)) as file:
        return find_orientation(file, "field")


def is_known(path, *args, **more):
    """Whether rows are known as latitude, and columns as longitude."""
    grid = orientation(path, *args, **more).grid
    return (
        grid.kind == "regular" and np.allclose(grid.lat_deg, LAT) and np.allclose(grid.lon_deg, LON)
    )


def refusal(path, *args, **more):
    """Words in which a field is refused."""
    with pytest.raises(InputError, match=r"a\.nc, ") as refused:
        orientation(path / "a.nc", *args, **more)
    return str(refused.value)


@pytest.mark.parametrize("form", ["degrees_{}", "degree_{}", "degrees{}", "degree{}"])
@pytest.mark.parametrize("letters", [("north", "east"), ("N", "E"), ("n", "e")])
@pytest.mark.parametrize("change", [str, str.upper, lambda unit: f" {unit} \0"])
def test_every_unit_of_cf_marks_latitude_and_longitude(tmp_path, form, letters, change):
    """CF 4.1 and 4.2, in any case, padded or not."""
    y, x = ({"units": change(form.format(letter))} for letter in letters)
    assert is_known(tmp_path / "a.nc", y, x)


@pytest.mark.parametrize(
    ("y", "x"),
    [
        ({"standard_name": "latitude"}, {"standard_name": "longitude"}),
        ({"standard_name": "Latitude ", "units": "degrees"}, {"standard_name": "longitude"}),
        ({"axis": "Y", "long_name": "Latitude"}, {"axis": "X", "long_name": "Longitude"}),
        (
            {"axis": "Y", "long_name": "latitude of cell centre", "units": "degrees"},
            {"axis": "x", "long_name": "longitude of cell centre", "units": "degrees"},
        ),
        ({"units": ["degrees_north"]}, {"units": "degrees east"}),
    ],
)
def test_other_marks_of_an_axis_are_known(tmp_path, y, x):
    assert is_known(tmp_path / "a.nc", y, x)


@pytest.mark.parametrize("names", [("y", "x"), ("Y", "X"), ("row", "col"), ("j", "i")])
@pytest.mark.parametrize("unit", [{}, {"units": "degrees"}, {"units": "degree"}])
def test_a_grid_mapping_of_latitude_and_longitude_is_enough(tmp_path, names, unit):
    """rioxarray writes nothing else."""
    more = {"mapping": "latitude_longitude", "grid_mapping": "crs"}
    assert is_known(tmp_path / "a.nc", unit, unit, names=names, **more)


def test_a_grid_mapping_may_name_its_coordinates(tmp_path):
    more = {"mapping": "latitude_longitude", "grid_mapping": "crs: u v"}
    assert is_known(tmp_path / "a.nc", {"axis": "Y"}, {"axis": "X"}, names=("v", "u"), **more)


@pytest.mark.parametrize("more", [{}, {"coordinates": "lat lon"}])
def test_rows_and_columns_may_have_coordinates_of_another_name(tmp_path, more):
    assert is_known(tmp_path / "a.nc", {}, {}, of=("lat", "lon"), **more)


def test_a_mapping_does_not_make_up_what_the_axes_are(tmp_path):
    said = refusal(
        tmp_path, {}, {}, names=("u", "v"), mapping="latitude_longitude", grid_mapping="crs"
    )
    assert "(u=5, v=7)" in said and "degrees_north" in said


@pytest.mark.parametrize("attrs", [None, {}, {"units": "degrees"}, {"long_name": "Latitude"}])
def test_axes_without_marks_are_not_called_projected(tmp_path, attrs):
    said = refusal(tmp_path, attrs, attrs)
    assert "(y=5, x=7)" in said and "units" in said and "degrees_north" in said
    assert "projected" not in said


@pytest.mark.parametrize(
    ("y", "x", "more"),
    [
        ({"standard_name": "projection_y_coordinate"}, {}, {}),
        ({"units": "m"}, {"units": "m"}, {}),
        ({"units": "km", "long_name": "y"}, {"units": "km"}, {}),
        ({}, {}, {"mapping": "lambert_azimuthal_equal_area", "grid_mapping": "crs"}),
    ],
)
def test_a_projected_map_without_latitude_and_longitude_is_called_so(tmp_path, y, x, more):
    assert "projected x/y without lat, lon: refused" in refusal(tmp_path, y, x, **more)


@pytest.mark.parametrize(
    ("y", "x", "more"),
    [
        ({"standard_name": "grid_latitude"}, {"standard_name": "grid_longitude"}, {}),
        (
            {"standard_name": "grid_latitude", "units": "degrees_north"},
            {"standard_name": "grid_longitude", "units": "degrees_east"},
            {},
        ),
        (
            {"axis": "Y", "long_name": "latitude in rotated pole grid", "units": "degrees"},
            {"axis": "X", "long_name": "longitude in rotated pole grid", "units": "degrees"},
            {"mapping": "rotated_latitude_longitude", "grid_mapping": "crs"},
        ),
        (
            {"units": "degrees_north"},
            {"units": "degrees_east"},
            {"mapping": "rotated_latitude_longitude", "grid_mapping": "crs"},
        ),
    ],
)
def test_the_latitude_of_a_turned_pole_is_none(tmp_path, y, x, more):
    said = refusal(tmp_path, y, x, names=("rlat", "rlon"), **more)
    assert "coordinates" in said


@pytest.mark.parametrize("units", ["radian", "radians", "m", "arc_second", "K"])
def test_a_latitude_in_another_unit_is_refused(tmp_path, units):
    said = refusal(tmp_path, {"units": units}, {"units": units}, names=("lat", "lon"))
    assert f"a.nc, lat: units {units!r}, expected 'degrees_north'" in said


def write_cells(path, lat, lon):
    """Write `field` whose cells have 2-D latitudes and longitudes."""
    with netCDF4.Dataset(path, "w") as file:
        for dim, size in zip(("y", "x"), lat.shape, strict=True):
            file.createDimension(dim, size)
        for name, unit, values in (("lat", "degrees_north", lat), ("lon", "degrees_east", lon)):
            variable = file.createVariable(name, "f8", ("y", "x"), fill_value=-999.0)
            variable.units, variable[:] = unit, values
        file.createVariable("field", "f4", ("y", "x"))[:] = 1
    return path


def test_rows_and_columns_written_out_in_full_are_regular_where_that_is_wanted(tmp_path):
    lon, lat = np.meshgrid(LON, LAT)
    with NetcdfFile(write_cells(tmp_path / "a.nc", lat, lon)) as file:
        grid = find_orientation(file, "field", regular=True).grid
        assert grid.kind == "regular"
        assert np.allclose(grid.lat_deg, LAT) and np.allclose(grid.lon_deg, LON)
        assert find_orientation(file, "field").grid.kind == "projected"
    with NetcdfFile(write_cells(tmp_path / "b.nc", lat + 1e-3 * lon, lon)) as file:
        assert find_orientation(file, "field", regular=True).grid.kind == "projected"


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -999.0, 1e300, -1e9])
@pytest.mark.parametrize("regular", [True, False])
def test_a_place_that_is_missing_or_infinite_is_refused(tmp_path, wrong, regular):
    lon, lat = np.meshgrid(LON, LAT)
    lat[0] = wrong
    with NetcdfFile(write_cells(tmp_path / "a.nc", lat, lon)) as file:
        with pytest.raises(InputError, match=r"a\.nc, lat: holds .* at 0 \(7 of 35\)"):
            find_orientation(file, "field", regular=regular)


@pytest.mark.parametrize("shape", [(0, 7), (1, 7), (5, 0), (5, 1), (1, 1), (0, 0)])
@pytest.mark.parametrize("cells", [True, False])
def test_a_map_of_no_or_one_row_is_refused(tmp_path, shape, cells):
    lon, lat = np.meshgrid(LON[: shape[1]], LAT[: shape[0]])
    path = tmp_path / "a.nc"
    if cells:
        write_cells(path, lat, lon)
    else:
        with netCDF4.Dataset(path, "w") as file:
            for dim, unit, centres, size in (
                ("lat", "degrees_north", LAT, shape[0]), ("lon", "degrees_east", LON, shape[1])
            ):  # fmt: skip
                file.createDimension(dim, size or None)
                axis = file.createVariable(dim, "f8", (dim,))
                axis.units, axis[:] = unit, centres[:size]
            file.createVariable("field", "f4", ("lat", "lon"))
    with (
        NetcdfFile(path) as file,
        pytest.raises(InputError, match=r"a\.nc, (field|lat|lon): .*(at least 2|missing)"),
    ):
        find_orientation(file, "field")


def test_coordinates_of_text_are_refused(tmp_path):
    with netCDF4.Dataset(tmp_path / "a.nc", "w") as file:
        for dim, size in (("lat", 5), ("lon", 7)):
            file.createDimension(dim, size)
            file.createVariable(dim, str, (dim,))[:] = np.array(["x"] * size, object)
        file.createVariable("field", "f4", ("lat", "lon"))
    with NetcdfFile(tmp_path / "a.nc") as file:
        with pytest.raises(InputError, match=r"a\.nc, lat: text.*expected numbers"):
            find_orientation(file, "field")


def test_a_valid_range_of_another_file_takes_no_coordinate_away(tmp_path):
    y = {"units": "degrees_north", "valid_range": np.array([-10.0, 10.0])}
    assert is_known(tmp_path / "a.nc", y, {"units": "degrees_east"})


@pytest.mark.parametrize(("steps", "known"), [(1, True), (2, False)])
def test_places_of_cells_may_have_one_time_as_those_of_wrf(tmp_path, steps, known):
    lon, lat = np.meshgrid(LON, LAT)
    with netCDF4.Dataset(tmp_path / "a.nc", "w") as file:
        for dim, size in (("Time", steps), ("south_north", 5), ("west_east", 7)):
            file.createDimension(dim, size)
        dims = ("Time", "south_north", "west_east")
        for name, unit, values in (
            ("XLAT", "degree_north", lat + 1e-3 * lon),
            ("XLONG", "degree_east", lon),
        ):
            variable = file.createVariable(name, "f4", dims)
            variable.units, variable[:] = unit, np.broadcast_to(values, (steps, 5, 7))
        file.createVariable("HGT", "f4", dims).coordinates = "XLONG XLAT XTIME"
    with NetcdfFile(tmp_path / "a.nc") as file:
        if known:
            grid = find_orientation(file, "HGT").grid
            assert grid.kind == "projected" and np.allclose(grid.lon_deg, lon, atol=1e-5)
        else:
            with pytest.raises(InputError, match=r"a\.nc, HGT: .*degrees_north"):
                find_orientation(file, "HGT")
