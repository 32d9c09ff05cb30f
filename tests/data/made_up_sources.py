"""Made-up sources of `landstep prepare` of any size, written row by row."""

from __future__ import annotations

import numpy as np

from landstep.emulator.netcdf import Rows, Variable, write_netcdf
from landstep.emulator.output import time_axis

CODES = np.array([11, 22, 33, 44, 55, 66, 77], np.uint8)


def centres(first_edge, last_edge, n):
    """Centres of n cells between two edges: float64."""
    step = (last_edge - first_edge) / n
    return first_edge + step * (np.arange(n) + 0.5)


def axis(name, values):
    """A coordinate variable as CF has it."""
    latitude = name == "lat"
    attrs = {
        "standard_name": "latitude" if latitude else "longitude",
        "units": "degrees_north" if latitude else "degrees_east",
    }
    return Variable(name, (name,), values, attrs)


def continents(lat, lon):
    """Where made-up land is: (lat, lon) bool, in patches of tens of degrees and of one."""
    y, x = np.deg2rad(lat)[:, None], np.deg2rad(lon)[None]
    return (
        np.sin(3 * x + np.cos(4 * y)) + np.cos(5 * y) + 0.5 * np.sin(180 * x) * np.sin(180 * y) > 0
    )


def band_codes(lat, lon, land, seed):
    """Codes in belts of latitude, one cell in ten by chance: (lat, lon) uint8, 0 at sea."""
    belt = (np.abs(lat[:, None]) / 13).astype(int) % CODES.size
    draw = np.random.default_rng(seed).integers(0, 70, (lat.size, lon.size), np.uint8)
    return np.where(land, CODES[np.where(draw < 7, draw, belt)], 0).astype(np.uint8)


def write_hilda(path, lat, lon, years, *, land=continents, rows=400):
    """Write LULC_states(time, lat, lon) as HILDA+ has it: uint8 codes, 0 at sea.

    land : (lat, lon) -> (lat, lon) bool
    """

    def pieces():
        for year in years:
            for top in range(0, lat.size, rows):
                part = lat[top : top + rows]
                yield band_codes(part, lon, land(part, lon), [int(year), top])

    dims = {"time": len(years), "lat": lat.size, "lon": lon.size}
    maps = Variable("LULC_states", tuple(dims), Rows(pieces()), dtype=np.uint8)
    write_netcdf(path, dims, [time_axis(years), axis("lat", lat), axis("lon", lon), maps], {})
    return path


def write_field(path, name, lat, lon, values, **attrs):
    """Write one static map."""
    dims = {"lat": lat.size, "lon": lon.size}
    field = Variable(name, tuple(dims), values, attrs)
    write_netcdf(path, dims, [axis("lat", lat), axis("lon", lon), field], {})
    return path


def write_luh2(path, years, *, lat=None, lon=None, scenario=None):
    """Write the 12 states of LUH2, each a twentieth of every cell: `years since`, 1e20 nowhere."""
    lat = centres(90, -90, 12) if lat is None else lat
    lon = centres(-180, 180, 24) if lon is None else lon
    states = (
        "primf", "primn", "secdf", "secdn", "urban", "c3ann", "c4ann", "c3per", "c4per", "c3nfx",
        "pastr", "range",
    )  # fmt: skip
    dims = {"time": len(years), "lat": lat.size, "lon": lon.size}
    about = {"units": "years since 850-01-01 0:0:0", "calendar": "noleap"}
    share = np.full((len(years), lat.size, lon.size), 0.05, np.float32)
    variables = [
        Variable("time", ("time",), np.array(years, np.float64) - 850, about),
        axis("lat", lat),
        axis("lon", lon),
        *(Variable(state, tuple(dims), share, {"units": "1"}) for state in states),
    ]
    write_netcdf(path, dims, variables, {} if scenario is None else {"scenario": scenario})
    return path
