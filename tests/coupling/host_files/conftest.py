"""Files of hosts, made to their documented formats."""

from __future__ import annotations

import netCDF4
import numpy as np
import pytest


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
                rest = 100 - crop - lake - urban.sum(axis=-3)
                _put(file, "PCT_NATVEG", dtype, on, rest, units="unitless")
                _put(file, "PCT_GLACIER", dtype, on, np.zeros(shape), units="unitless")
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
