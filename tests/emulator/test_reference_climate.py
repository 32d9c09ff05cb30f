"""The climate of the observed zones: read from any regular grid, or refused by name."""

import numpy as np
import pytest

from landstep.emulator.errors import InputError
from landstep.emulator.grid import Grid
from landstep.emulator.netcdf import Variable, write_netcdf
from landstep.emulator.part import Part
from landstep.emulator.reference_climate import coarse_centres, read_reference

AIR, RAIN = "air_temperature", "precipitation_flux"
LAT, LON = np.arange(4.5, -4.0, -1.0), np.arange(-179.5, 180.0, 1.0)  # nine rows round the Earth


def fields(lat=LAT, lon=LON):
    """Temperature and rain that tell the place and the month."""
    air = 250.0 + lat[:, None] + lon / 10 + np.arange(12)[:, None, None] / 4
    rain = (lat[:, None] + 5) * 1e-5 + lon * 1e-8 + np.arange(12)[:, None, None] * 1e-7
    return air.astype(np.float32), rain.astype(np.float32)


def written(path, air, rain, lat=LAT, lon=LON, **changes):
    """Write a climate file."""
    names = changes.get("names", (AIR, RAIN))
    about = [{"units": "K"}, {"units": "kg m-2 s-1"}]
    about = [{**a, **c} for a, c in zip(about, changes.get("attrs", ({}, {})), strict=True)]
    axes = [
        Variable("lat", ("lat",), lat, {"units": "degrees_north"}),
        Variable("lon", ("lon",), lon, {"units": "degrees_east"}),
    ]
    dims = changes.get("dims", ("month", "lat", "lon"))
    data = [
        Variable(name, dims, field, attrs)
        for name, field, attrs in zip(names, (air, rain), about, strict=True)
    ]
    sizes = dict(zip(dims, air.shape, strict=True))
    write_netcdf(path, sizes, [*axes, *data], {})
    return path


def read(path, lat, lon):
    """Read at a row of places."""
    lat, lon = np.array([lat], float), np.array([lon], float)
    return read_reference(path, lat, lon, np.ones(lat.shape, bool))


def test_a_coarse_cell_takes_the_nearest_centre_in_any_orientation(tmp_path):
    """South first and 0 to 360 give the same; places on either side of the date line too."""
    air, rain = fields()
    lat, lon = [4.4, 0.1, -3.9, 2.6], [-179.9, 0.3, 179.9, 100.7]
    expected = [(0, 0), (4, 180), (8, 359), (2, 280)]
    there = written(tmp_path / "north.nc", air, rain)
    east = np.where(LON < 0, LON + 360, LON)
    order = np.argsort(east)
    turned = written(
        tmp_path / "south.nc", air[:, ::-1][:, :, order], rain[:, ::-1][:, :, order],
        LAT[::-1], east[order],
    )  # fmt: skip
    for path in (there, turned):
        found = read(path, lat, lon)
        assert found[AIR].dtype == np.float64 and found[AIR].shape == (12, 1, 4)
        for n, (y, x) in enumerate(expected):
            assert np.array_equal(found[AIR][:, 0, n], air[:, y, x])
            assert np.array_equal(found[RAIN][:, 0, n], rain[:, y, x])


def test_units_are_read_and_values_kept_as_a_hosts_are(tmp_path):
    """Celsius and mm a day, found by standard_name; rounded to float32."""
    air, rain = fields()
    path = written(
        tmp_path / "climate.nc", air - 273.15, rain * 86400, names=("t2m", "pr"),
        attrs=(
            {"units": "degC", "standard_name": AIR}, {"units": "mm day-1", "standard_name": RAIN},
        ),
    )  # fmt: skip
    found = read(path, [0.5], [0.5])
    assert found[AIR][:, 0, 0] == pytest.approx(air[:, 4, 180], rel=1e-6)
    assert found[RAIN][:, 0, 0] == pytest.approx(rain[:, 4, 180], rel=1e-6)
    for field in found.values():
        assert np.array_equal(field, field.astype(np.float32))


def test_a_coast_takes_the_nearest_cell_that_has_a_climate(tmp_path):
    """Two cells east in a row, rather than three south; across the date line as well."""
    air, rain = fields()
    air[5, 2:6, 178:182] = np.nan  # one month is enough
    air[:, 0, 358:] = np.nan
    path = written(tmp_path / "climate.nc", air, rain)
    found = read(path, [0.5, 4.5], [0.5, 179.5])
    assert np.array_equal(found[AIR][:, 0, 0], air[:, 4, 182])
    assert np.array_equal(found[RAIN][:, 0, 0], rain[:, 4, 182])
    assert np.array_equal(found[AIR][:, 0, 1], air[:, 0, 0])


def test_what_is_not_wanted_is_missing_and_not_looked_at(tmp_path):
    path = written(tmp_path / "climate.nc", *fields())
    lat, lon = np.array([[0.5, 80.0]]), np.array([[0.5, 0.5]])
    found = read_reference(path, lat, lon, np.array([[True, False]]))
    assert np.isnan(found[AIR][:, 0, 1]).all() and np.isfinite(found[AIR][:, 0, 0]).all()


def broken(path, kind):
    """Write a file that is wrong in one way."""
    air, rain = fields()
    if kind == "hole":
        air[:] = np.nan
        air[:, :, :10] = 280.0
    options = {
        "celsius": {"attrs": ({}, {})},
        "unknown unit": {"attrs": ({"units": "F"}, {})},
        "no unit": {"attrs": ({}, {"units": " "})},
        "other name": {"names": ("tas", RAIN)},
    }.get(kind, {})
    if kind == "celsius":
        air = air - np.float32(273.15)
    if kind == "months":
        air, rain = air[:11], rain[:11]
    if kind == "whole numbers":
        air = air.astype(np.int32)
    return written(path, air, rain, **options)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("celsius", "c.nc, air_temperature, month 1: air_temperature range .*looks like degC"),
        ("unknown unit", r"c.nc, air_temperature, month 1: air_temperature in 'F', expected one"),
        ("no unit", "c.nc, precipitation_flux: names no units"),
        ("other name", r"c.nc: air_temperature not in it, by name or standard_name; has \['lat'"),
        ("months", r"sizes \(11, 9, 360\), expected 12 months first"),
        ("whole numbers", "c.nc, air_temperature: int32 values, expected real numbers"),
        ("hole", r"c.nc: no climate at lat 0\.5, lon 0\.5, nor within 5 cells"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_used_is_named(tmp_path, kind, words):
    with pytest.raises(InputError, match=words):
        read(broken(tmp_path / "c.nc", kind), [0.5], [0.5])


def test_a_file_of_another_region_or_two_grids_is_refused(tmp_path):
    path = written(tmp_path / "climate.nc", *fields())
    with pytest.raises(InputError, match=r"does not reach to lat 50, lon 0\.5 \(1 such coarse"):
        read(path, [50.0, 0.0], [0.5, 0.5])
    region = slice(100, 120)
    air, rain = (field[:, :, region] for field in fields())
    path = written(tmp_path / "region.nc", air, rain, lon=LON[region])
    with pytest.raises(InputError, match=r"region.nc: does not reach to lat 0\.5, lon 0\.5"):
        read(path, [0.5], [0.5])
    axes = [
        Variable(name, (name,), values, {"units": unit})
        for name, values, unit in (
            ("lat", LAT, "degrees_north"), ("lon", LON, "degrees_east"),
            ("lat2", LAT - 1, "degrees_north"),
        )
    ]  # fmt: skip
    air, rain = fields()
    both = [
        Variable(AIR, ("month", "lat", "lon"), air, {"units": "K"}),
        Variable(RAIN, ("month", "lat2", "lon"), rain, {"units": "kg m-2 s-1"}),
    ]
    sizes = {"month": 12, "lat": 9, "lat2": 9, "lon": 360}
    write_netcdf(tmp_path / "two.nc", sizes, [*axes, *both], {})
    with pytest.raises(InputError, match="not on the grid of air_temperature: latitude differs by"):
        read(tmp_path / "two.nc", [0.5], [0.5])


def test_a_projected_climate_is_refused(tmp_path):
    lat, lon = np.mgrid[10:0:-1.0, 0:8.0]
    lat, lon = lat + 0.01 * lon, lon
    place = ("y", "x")
    data = [
        Variable("lat", place, lat, {"units": "degrees_north"}),
        Variable("lon", place, lon, {"units": "degrees_east"}),
        *(
            Variable(n, ("month", *place), np.full((12, 10, 8), v), {"units": u})
            for n, v, u in ((AIR, 280.0, "K"), (RAIN, 1e-5, "kg m-2 s-1"))
        ),
    ]
    write_netcdf(tmp_path / "p.nc", {"month": 12, "y": 10, "x": 8}, data, {})
    with pytest.raises(InputError, match="a projected grid, expected a regular one"):
        read(tmp_path / "p.nc", [5.0], [5.0])


def test_the_centre_of_a_coarse_cell_is_its_middle_fine_cell():
    """By hand: rows of 3 and 2 cells, columns of 2 and 4; the same for a part of the grid."""
    grid = Grid.regular(np.arange(10.0, 5, -1), np.arange(0.0, 6), "made up")
    row, col = np.array([0, 0, 0, 1, 1]), np.array([0, 0, 1, 1, 1, 1])
    lat, lon = coarse_centres(grid, Part.whole((5, 6)), row, col)
    assert lat.tolist() == [[9, 9], [6, 6]] and lon.tolist() == [[1, 4], [1, 4]]
    part = Part(3, 5, 2, 6, (5, 6))
    lat, lon = coarse_centres(grid, part, np.zeros(2, int), np.zeros(4, int))
    assert (lat.tolist(), lon.tolist()) == ([[6]], [[4]])
    turned = Grid.projected(*(np.add.outer(np.arange(5.0), np.arange(6.0) * k) for k in (2, 3)), "")
    lat, lon = coarse_centres(turned, Part.whole((5, 6)), row, col)
    assert lat.tolist() == [[3, 9], [6, 12]] and lon.tolist() == [[4, 13], [7, 16]]
