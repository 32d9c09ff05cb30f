"""Files of hosts, made to their documented formats."""

from __future__ import annotations

import json
import shutil
import subprocess

import netCDF4
import numpy as np
import pytest

from landstep.data.world import make_world
from landstep.emulator.driver import run_years


@pytest.fixture
def rectangle_area():
    """Give the area of all rectangles on the unit sphere."""

    def area(points):
        _, width, south, north = points.rectangles()
        sines = np.sin(np.deg2rad(north)) - np.sin(np.deg2rad(south))
        return (np.deg2rad(width) * sines).sum()

    return area


@pytest.fixture(scope="session")
def make_ctsm():
    """Write a file as CTSM's mksurfdata_esmf does: `years` for landuse.timeseries, else surfdata.

    Source: CTSM ctsm5.2, tools/mksurfdata_esmf/src/mkfileMod.F90 (names, dimensions, types).
    """

    def make(path, years=(), *, lat, lon, seed=5, dtype="f8"):
        generator = np.random.default_rng(seed)
        shape = (len(lat), len(lon))
        with netCDF4.Dataset(path, "w", format="NETCDF3_64BIT_DATA") as file:
            file.createDimension("lsmlon", shape[1])
            file.createDimension("lsmlat", shape[0])
            file.createDimension("time", None)
            file.createDimension("nchar", 256)
            file.createDimension("natpft", 15)
            file.createDimension("cft", 2)
            file.createDimension("numurbl", 3)
            file.Conventions = "NCAR-CESM"
            file.Source = "Community Land Model: CLM5"
            lons, lats = np.meshgrid(lon, lat)
            _put(file, "LONGXY", "f8", ("lsmlat", "lsmlon"), lons, long_name="longitude")
            _put(file, "LATIXY", "f8", ("lsmlat", "lsmlon"), lats, long_name="latitude")
            _put(file, "natpft", "i4", ("natpft",), np.arange(15), units="index")
            _put(file, "cft", "i4", ("cft",), np.arange(15, 17), units="index")
            if years:
                _put(file, "YEAR", "i4", ("time",), years, long_name="Year of PFT data")
                _put(file, "time", "i4", ("time",), years, long_name="year")
            record = ("time",) if years else ()
            n = (len(years),) if years else ()
            on = ("lsmlat", "lsmlon")
            crop, lake = (20 * generator.random(n + shape) for _ in range(2))
            urban = 5 * generator.random((*n, 3, *shape))
            natural = _percent(generator, (*n, 15, *shape))
            crops = _percent(generator, (*n, 2, *shape))
            _put(file, "PCT_CROP", dtype, (*record, *on), crop, units="unitless")
            _put(file, "PCT_LAKE", dtype, (*record, *on), lake, units="unitless")
            _put(file, "PCT_URBAN", dtype, (*record, "numurbl", *on), urban, units="unitless")
            _put(file, "PCT_NAT_PFT", dtype, (*record, "natpft", *on), natural, units="unitless")
            _put(file, "PCT_CFT", dtype, (*record, "cft", *on), crops, units="unitless")
            if years:
                for name, values, levels in (
                    ("PCT_CROP", crop, ()),
                    ("PCT_LAKE", lake, ()),
                    ("PCT_URBAN", urban, ("numurbl",)),
                    ("PCT_NAT_PFT", natural, ("natpft",)),
                    ("PCT_CFT", crops, ("cft",)),
                ):
                    _put(file, f"{name}_MAX", dtype, (*levels, *on), values.max(axis=0))
                _put(file, "HARVEST_VH1", "f8", (*record, *on), generator.random(n + shape))
            else:
                rest = 96 - crop - lake - urban.sum(axis=-3)
                _put(file, "PCT_NATVEG", dtype, on, rest, units="unitless")
                for name in ("PCT_GLACIER", "PCT_WETLAND"):
                    _put(file, name, dtype, on, np.full(shape, 2.0), units="unitless")
        return path

    return make


def _put(file, name, kind, dims, values, **attrs):
    variable = file.createVariable(name, kind, dims)
    variable.setncatts(attrs)
    variable[:] = values


def _percent(generator, shape):
    """Random shares along the third-last axis that sum to 100."""
    values = generator.random(shape)
    return 100 * values / values.sum(axis=-3, keepdims=True)


@pytest.fixture(scope="session")
def world_run(world, tmp_path_factory):
    """A run of the made-up world, 2015 to 2018, and its experiment."""
    folder = tmp_path_factory.mktemp("run")
    run_years(world / "experiment.toml", 2015, 2018, folder)
    return folder, world / "experiment.toml"


@pytest.fixture(scope="session")
def globe_run(tmp_path_factory):
    """A run of a made-up Earth of one degree, 2015 to 2017, and its experiment."""
    folder = tmp_path_factory.mktemp("globe")
    make_world(folder, seed=3, shape=(180, 360), globe=True)
    run_years(folder / "experiment.toml", 2015, 2017, folder / "run")
    return folder / "run", folder / "experiment.toml"


@pytest.fixture
def changed_experiment(world_run):
    """Write the experiment with a [coupling] table; gives its path."""

    def change(name, **settings):
        lines = "\n".join(f"{key} = {json.dumps(value)}" for key, value in settings.items())
        path = world_run[1].with_name(f"{name}.toml")
        path.write_text(world_run[1].read_text("utf-8") + f"\n[coupling]\n{lines}\n", "utf-8")
        return path

    return change


@pytest.fixture(scope="session")
def make_surfclim():
    """Write what an ecLand file must hold, on rows and columns: cvl 0.3, cvh 0.4, types 1 and 3."""

    def make(path, lat, lon, *, without=()):
        with netCDF4.Dataset(path, "w", format="NETCDF3_CLASSIC") as file:
            for name, values in (("lat", lat), ("lon", lon)):
                file.createDimension(name, len(values))
                file.createVariable(name, "f8", (name,))[:] = values
            file.createDimension("month", 12)
            on = ("lat", "lon")
            for name, value in (("cvl", 0.3), ("cvh", 0.4), ("tvl", 1.0), ("tvh", 3.0)):
                _put(file, name, "f8", on, np.full((len(lat), len(lon)), value))
            for name, value in (("Mlail", 2.0), ("Mlaih", 4.0), ("Malbedo", 0.15)):
                if name not in without:
                    months = value * (1 + 0.1 * np.arange(12))[:, None, None]
                    _put(
                        file, name, "f8", ("month", *on), np.ones((12, len(lat), len(lon))) * months
                    )
        return path

    return make


QUARTERS_LAT = np.array([49.875, 49.625, 49.375, 49.125])
QUARTERS_LON = np.array([-29.875, -29.625, -29.375, -29.125, -28.875, -28.625])
"""Quarter degrees that tile the made-up world: each is 30 x 30 of its cells."""


@pytest.fixture(scope="session")
def quarters():
    """Latitudes and longitudes of the quarter degrees of the made-up world."""
    return QUARTERS_LAT, QUARTERS_LON


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    """A file of climate fields on O32 as the IFS reads them: one message each, monthly ones twelve.

    Skips where ecCodes is not there.
    """
    pytest.importorskip("eccodes")
    from landstep.coupling.host_files.grib_library import grid_places, new_message

    grid, day = "O32", 20000101
    path = tmp_path_factory.mktemp("grib") / "climate.grib"
    n = grid_places(grid)[0].size
    messages = [new_message(grid, 129, day, np.linspace(0, 5e4, n), 10.0)]  # geopotential
    for parameter, value in {27: 0.3, 28: 0.4, 29: 1.0, 30: 3.0, 26: 0.05}.items():
        messages.append(new_message(grid, parameter, day, np.full(n, value), 1e-6))
    for parameter, value in {66: 2.0, 67: 4.0, 174: 0.15}.items():
        for month in range(12, 0, -1):  # not in their order
            values = np.full(n, value * (1 + 0.01 * month))
            messages.append(new_message(grid, parameter, 20000015 + 100 * month, values, 1e-5))
    path.write_bytes(b"".join(messages))
    return path


@pytest.fixture
def real_wrf(real_data, tmp_path):
    """Write the first record of the real WRF history file (USGS classes), with other attributes."""

    def make(name="wrfinput_d01", **attributes):
        path = tmp_path / name
        with (
            netCDF4.Dataset(real_data / "hosts/wrfout_cropped.nc") as old,
            netCDF4.Dataset(path, "w", format="NETCDF3_64BIT_OFFSET") as new,
        ):
            old.set_auto_maskandscale(False)
            new.set_auto_maskandscale(False)
            new.setncatts({key: old.getncattr(key) for key in old.ncattrs()} | attributes)
            for dim, of in old.dimensions.items():
                new.createDimension(dim, None if dim == "Time" else len(of))
            for each, of in old.variables.items():
                variable = new.createVariable(each, of.dtype, of.dimensions)
                variable.set_auto_maskandscale(False)
                variable.setncatts({key: of.getncattr(key) for key in of.ncattrs()})
                variable[...] = of[:1] if of.dimensions[:1] == ("Time",) else of[...]
        return path

    return make


@pytest.fixture(scope="session")
def check_readers_open():
    """Check that xarray reads a whole file, and that ncks, where there is one, knows a variable."""
    xarray = pytest.importorskip("xarray")

    def check(path, name):
        with xarray.open_dataset(path, engine="netcdf4", decode_times=False) as file:
            assert np.isfinite(file.load()[name].values).any()
        if shutil.which("ncks"):
            done = subprocess.run(["ncks", "-m", "-v", name, path], capture_output=True, text=True)
            assert done.returncode == 0 and name in done.stdout

    return check
