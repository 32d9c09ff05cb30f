"""Static maps: on the grid or refused; units and codes checked; zones follow their periods."""

from __future__ import annotations

import netCDF4
import numpy as np
import pytest

from landstep.emulator.errors import ConfigError, InputError
from landstep.emulator.grid import Grid
from landstep.emulator.statics import Statics, nearest_period

LAT, LON = 55.125 - 0.25 * np.arange(5), 10.125 + 0.25 * np.arange(7)
GRID = Grid.regular(LAT, LON, "the map")
HEIGHT = np.random.default_rng(4).uniform(-20, 2500, (5, 7)).astype(np.float32)
SOIL = np.random.default_rng(4).integers(0, 8, (5, 7)).astype(np.uint8)
PERIODS = [(1901, 1930), (1931, 1960), (1991, 2020), (2041, 2070)]
ZONES = np.random.default_rng(4).integers(0, 6, (4, 5, 7)).astype(np.uint8)


def write_map(path, name, values, lat=LAT, lon=LON, **more):
    """Write one map (leading dims allowed), without our own code.

    more : attributes (of the variable), whole (of the file), fill, bounds, leading
    """
    leading = more.get("leading", ("period",))[: values.ndim - 2]
    with netCDF4.Dataset(path, "w") as file:
        for dim, size in zip((*leading, "lat", "lon"), values.shape, strict=True):
            file.createDimension(dim, size)
        for dim, centres, units in (("lat", lat, "degrees_north"), ("lon", lon, "degrees_east")):
            axis = file.createVariable(dim, "f8", (dim,))
            axis.units, axis[:] = units, centres
        if "bounds" in more:
            bounds = np.array(more["bounds"])
            file.createDimension("bound", bounds.shape[1])
            kind = "i4" if bounds.dtype.kind == "i" else "f8"
            file.createVariable("period_bounds", kind, ("period", "bound"))[:] = bounds
        variable = file.createVariable(
            name, values.dtype, (*leading, "lat", "lon"), fill_value=more.get("fill")
        )
        variable.set_auto_maskandscale(False)
        variable[:] = values
        variable.setncatts(more.get("attributes", {}))
        file.setncatts(more.get("whole", {}))
    return path


def elevation(path, values=HEIGHT, **more):
    """Open elevation alone."""
    write_map(path, "elevation", values, **more)
    return Statics.open({"elevation": (path, None)}, GRID).continuous["elevation"]


def codes(path, values, name="soil_texture", year=2000, **more):
    """Open one categorical static alone."""
    write_map(path, name, values, **more)
    return Statics.open({name: (path, None)}, GRID).categories(year)[name]


def zones(path, **more):
    """Open climate zones with periods."""
    write_map(path, "climate_zone", ZONES, **({"bounds": PERIODS} | more))
    return Statics.open({"climate_zone": (path, None)}, GRID)


def test_statics_come_in_one_form_and_a_fixed_order(tmp_path):
    height, soil = tmp_path / "h.nc", tmp_path / "s.nc"
    write_map(height, "elevation", HEIGHT.astype("f8"), attributes={"units": "m"})
    write_map(soil, "soil_texture", SOIL)
    write_map(tmp_path / "z.nc", "climate_zone", ZONES, bounds=PERIODS)
    sources = {
        "climate_zone": (tmp_path / "z.nc", "climate_zone"),
        "soil_texture": (soil, None),
        "elevation": (height, None),
    }
    statics = Statics.open(sources, GRID)
    assert list(statics.continuous) == ["elevation"]
    field = statics.continuous["elevation"]
    assert field.dtype == np.float32 and not field.flags.writeable
    assert np.array_equal(field, HEIGHT)
    of_year = statics.categories(2000)
    assert list(of_year) == ["soil_texture", "climate_zone"]
    assert all(f.dtype == np.uint8 and not f.flags.writeable for f in of_year.values())
    assert np.array_equal(of_year["soil_texture"], SOIL)


def test_the_sea_is_zero_in_elevation_whatever_the_stored_type(tmp_path):
    for n, (kind, fill) in enumerate([("f4", 1e20), ("f8", np.nan), ("i2", -32768)]):
        values = np.rint(HEIGHT).astype(kind)
        values[1, 2] = fill
        found = elevation(tmp_path / f"{n}.nc", values, fill=fill)
        assert found[1, 2] == 0 and (found == 0).sum() == 1
        assert np.array_equal(np.delete(found, 9), np.delete(np.rint(HEIGHT), 9))


@pytest.mark.parametrize(
    "units", ["m", "meter", "metres", "Meters", "m a.s.l.", "gpm", " m \0", ""]
)
def test_units_that_are_metres_by_any_spelling_pass(tmp_path, units):
    assert np.array_equal(elevation(tmp_path / "a.nc", attributes={"units": units}), HEIGHT)


@pytest.mark.parametrize("units", ["km", "feet", "ft", "Kilometers", "cm"])
def test_other_units_of_length_are_refused(tmp_path, units):
    with pytest.raises(InputError, match=rf"a\.nc, elevation: units '{units}', expected 'm'"):
        elevation(tmp_path / "a.nc", attributes={"units": units})


@pytest.mark.parametrize("fill", [-999.0, -9999.0, -32768.0, 1e20, -9e33, np.inf])
def test_an_undeclared_fill_value_in_elevation_is_refused(tmp_path, fill):
    values = HEIGHT.copy()
    values[1, 2] = fill
    with pytest.raises(InputError, match=r"fill value in valid cell: .* at cell \(1, 2\)"):
        elevation(tmp_path / "a.nc", values)


@pytest.mark.parametrize("height", [-4000, 28000])
def test_depths_and_impossible_heights_are_refused(tmp_path, height):
    values = HEIGHT.copy()
    values[1, 2] = height
    with pytest.raises(InputError, match=rf"elevation {height} m at cell \(1, 2\).*-500 to 9000"):
        elevation(tmp_path / "a.nc", values)


def test_text_is_no_elevation(tmp_path):
    with pytest.raises(InputError, match=r"a\.nc, elevation: text.* expected numbers"):
        elevation(tmp_path / "a.nc", np.full((5, 7), b"a"))


def test_a_static_of_another_size_is_refused_with_both_sizes(tmp_path):
    with pytest.raises(InputError, match=r"a\.nc, elevation: grid 4x7, expected 5x7"):
        elevation(tmp_path / "a.nc", HEIGHT[:4], lat=LAT[:4])


@pytest.mark.parametrize(("shift", "words"), [(0.125, "half a cell"), (5.0, "up to 5 degrees")])
def test_a_static_on_shifted_cells_is_refused_with_the_distance(tmp_path, shift, words):
    with pytest.raises(InputError, match=f"not on the land-use map's grid: longitude.*{words}"):
        elevation(tmp_path / "a.nc", lon=LON + shift)


def test_rows_and_columns_may_run_the_other_way(tmp_path):
    found = elevation(tmp_path / "a.nc", HEIGHT[::-1], lat=LAT[::-1], lon=LON + 360)
    assert np.array_equal(found, HEIGHT)


def test_transposed_statics_are_refused(tmp_path):
    path = tmp_path / "a.nc"
    write_map(path, "elevation", HEIGHT)
    with netCDF4.Dataset(path, "a") as file:
        file.createVariable("turned", "f4", ("lon", "lat"))
    with pytest.raises(InputError, match=r"expected last, found \(lon=7, lat=5\)"):
        Statics.open({"elevation": (path, "turned")}, GRID)


def test_a_leading_dimension_of_one_is_no_obstacle_and_of_two_is(tmp_path):
    found = elevation(tmp_path / "a.nc", HEIGHT[None], leading=("time",))
    assert np.array_equal(found, HEIGHT)
    with pytest.raises(InputError, match=r"expected one map \(y, x\)"):
        elevation(tmp_path / "b.nc", np.stack([HEIGHT, HEIGHT]), leading=("time",))
    with pytest.raises(InputError, match=r"expected one map \(y, x\)"):
        codes(tmp_path / "c.nc", np.stack([SOIL, SOIL]), leading=("time",))


def test_the_only_map_of_a_file_needs_no_name(tmp_path):
    write_map(tmp_path / "a.nc", "orog", HEIGHT)
    found = Statics.open({"elevation": (tmp_path / "a.nc", None)}, GRID)
    assert np.array_equal(found.continuous["elevation"], HEIGHT)


def test_one_of_several_maps_must_be_named(tmp_path):
    path = write_map(tmp_path / "a.nc", "orog", HEIGHT)
    with netCDF4.Dataset(path, "a") as file:
        file.createVariable("slope", "f4", ("lat", "lon"))
    with pytest.raises(InputError, match=r"which variable is elevation\? .*'slope'\].*a\.nc:V"):
        Statics.open({"elevation": (path, None)}, GRID)


def test_an_unknown_static_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="static 'slope' is not known"):
        Statics.open({"slope": (tmp_path / "a.nc", None)}, GRID)


@pytest.mark.parametrize(
    ("values", "more"),
    [
        (np.where(SOIL == 0, np.nan, SOIL).astype("f4"), {}),
        (np.where(SOIL == 0, 255, SOIL).astype("u1"), {"fill": 255}),
        (np.where(SOIL == 0, -1, SOIL.astype("i2")), {"fill": -1}),
        (SOIL.astype("f8"), {}),
    ],
)
def test_missing_codes_are_sea(tmp_path, values, more):
    assert np.array_equal(codes(tmp_path / "a.nc", values, **more), SOIL)


@pytest.mark.parametrize("wrong", [3.5, -1.0, 8.0, 1e20, -9999.0])
def test_codes_that_are_no_class_are_refused(tmp_path, wrong):
    values = SOIL.astype("f4")
    values[1, 2] = wrong
    with pytest.raises(InputError, match=r"at cell \(1, 2\).*expected whole numbers 0 to 7"):
        codes(tmp_path / "a.nc", values)


def test_a_zone_that_does_not_fit_one_byte_is_refused(tmp_path):
    values = ZONES[0].astype("i4")
    values[1, 2] = 300
    with pytest.raises(InputError, match="0 to 254"):
        codes(tmp_path / "a.nc", values, "climate_zone")


@pytest.mark.parametrize(
    ("year", "period"),
    [
        (850, 0), (1901, 0), (1930, 0), (1931, 1), (1960, 1),
        (1975, 1),  # 15 years after 1960, 16 before 1991
        (1976, 2), (2020, 2), (2030, 2), (2031, 3), (2070, 3), (2300, 3),
    ],
)  # fmt: skip
def test_a_year_has_the_zones_of_its_period_or_of_the_nearest(tmp_path, year, period):
    found = zones(tmp_path / "a.nc").categories(year)["climate_zone"]
    assert np.array_equal(found, ZONES[period])


def test_of_two_equally_near_periods_the_earlier_counts():
    assert nearest_period(((1901, 1930), (1940, 1960)), 1935) == 0
    assert nearest_period((), 1935) == 0


def test_the_zones_of_a_period_are_read_once(tmp_path):
    statics = zones(tmp_path / "a.nc")
    first = statics.categories(1995)["climate_zone"]
    assert statics.categories(1996)["climate_zone"] is first
    assert statics.categories(2050)["climate_zone"] is not first


def test_the_scenario_of_the_zones_is_known(tmp_path):
    assert zones(tmp_path / "a.nc").scenario is None
    assert zones(tmp_path / "b.nc", whole={"scenario": "ssp126"}).scenario == "ssp126"
    assert zones(tmp_path / "c.nc", attributes={"scenario": "ssp585"}).scenario == "ssp585"


@pytest.mark.parametrize(
    ("bounds", "words"),
    [
        ([(1901, 1930, 1)] * 4, r"shape \(4, 3\), expected \(4, 2\)"),
        ([(1930, 1901), (1931, 1960), (1991, 2020), (2041, 2070)], "each period after the one"),
        ([(1931, 1960), (1901, 1930), (1991, 2020), (2041, 2070)], "each period after the one"),
        ([(1901, 1930.5), (1931, 1960), (1991, 2020), (2041, 2070)], "expected whole years"),
        ([(1901, np.nan), (1931, 1960), (1991, 2020), (2041, 2070)], "expected whole years"),
    ],
)
def test_periods_that_cannot_be_are_refused(tmp_path, bounds, words):
    with pytest.raises(InputError, match=words):
        zones(tmp_path / "a.nc", bounds=bounds)


def test_periods_need_their_years(tmp_path):
    write_map(tmp_path / "a.nc", "climate_zone", ZONES)
    with pytest.raises(InputError, match="period_bounds not in it"):
        Statics.open({"climate_zone": (tmp_path / "a.nc", None)}, GRID)


def test_periods_come_before_rows_and_columns_and_nothing_else(tmp_path):
    write_map(tmp_path / "a.nc", "climate_zone", ZONES[:, None], leading=("period", "model"))
    with pytest.raises(InputError, match=r"expected \(period, y, x\)"):
        Statics.open({"climate_zone": (tmp_path / "a.nc", None)}, GRID)


def test_real_south_first_elevation_lies_north_first(real_data):
    path = real_data / "global" / "gldas_elevation_0p25deg.nc4"
    grid = Grid.regular(89.875 - 0.25 * np.arange(600), -179.875 + 0.25 * np.arange(1440), "gldas")
    found = Statics.open({"elevation": (path, None)}, grid).continuous["elevation"]
    row, col = int((89.875 - 27.875) / 0.25), int((86.875 + 179.875) / 0.25)
    assert found[row - 2 : row + 3, col - 2 : col + 3].max() > 5000  # around Everest
    row, col = int((89.875 - 40.125) / 0.25), int((-40.125 + 179.875) / 0.25)
    assert found[row, col] == 0  # in the Atlantic
    assert np.nanmax(found) == pytest.approx(6169.01, abs=0.01)  # the file's own vmax


def test_real_gaussian_orography_is_refused_for_its_uneven_rows(real_data):
    path = real_data / "global" / "orography_2048x1024.nc"
    with pytest.raises(InputError, match=r"orography_2048x1024\.nc, orog: latitude is not evenly"):
        Statics.open({"elevation": (path, "orog")}, GRID)


def test_a_file_that_declares_periods_without_end_is_refused_at_once(tmp_path):
    """Sixteen million periods took minutes to list, in a file of 15 KiB."""
    write_map(tmp_path / "a.nc", "elevation", HEIGHT)
    with netCDF4.Dataset(tmp_path / "a.nc", "r+") as file:
        file.set_fill_off()
        file.createDimension("period", 2**24)
        file.createVariable("climate_zone", "u1", ("period", "lat", "lon"), zlib=True)
    with pytest.raises(InputError, match="a.nc, climate_zone: 16777216 periods"):
        Statics.open({"climate_zone": (tmp_path / "a.nc", "climate_zone")}, GRID)
