"""The files of a made-up world, in the shape of the real ones, oddities included."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from landstep.data.terrain import BLOCK, PERIODS, Terrain, axes
from landstep.data.world_climate import make_climate
from landstep.data.world_forcing import EXTRA, STATES, WorldForcing
from landstep.emulator.netcdf import Variable, write_netcdf

SCENARIO = "made-up-ssp"
FIRST_MAP, LAST_MAP = 1985, 2030  # yearly 1 km maps; from 2015 on they are the scenario's truth
HISTORY, FUTURE = (1980, 2015), (2015, 2100)  # years of the two states files
_MISSING = np.float32(1e20)
_LONG_NAMES = {
    "primf": "forested primary land",
    "primn": "non-forested primary land",
    "secdf": "potentially forested secondary land",
    "secdn": "potentially non-forested secondary land",
    "urban": "urban land",
    "c3ann": "C3 annual crops",
    "c4ann": "C4 annual crops",
    "c3per": "C3 perennial crops",
    "c4per": "C4 perennial crops",
    "c3nfx": "C3 nitrogen-fixing crops",
    "pastr": "managed pasture",
    "range": "rangeland",
    "secma": "secondary mean age",
    "secmb": "secondary mean biomass density",
}
_UNITS = {"secma": "years", "secmb": "kg m-2"}
_SOILS = ("sea", "coarse", "medium", "medium_fine", "fine", "very_fine", "organic",
          "tropical_organic")  # fmt: skip
_ZONES = ("sea", "polar_or_alpine", "boreal", "temperate_moist", "dry", "warm_moist")
_COVERS = {
    0: "ocean",
    11: "urban",
    22: "cropland",
    33: "pasture",
    40: "forest_unknown_type",
    41: "forest_evergreen_needleleaf",
    42: "forest_evergreen_broadleaf",
    43: "forest_deciduous_needleleaf",
    44: "forest_deciduous_broadleaf",
    45: "forest_mixed",
    55: "grass_shrub",
    66: "other_land",
    77: "water",
}


def _axis(name: str, values: np.ndarray) -> Variable:
    latitude = name.startswith("lat")
    return Variable(
        name,
        (name,),
        values,
        {
            "standard_name": "latitude" if latitude else "longitude",
            "long_name": "latitude" if latitude else "longitude",
            "units": "degrees_north" if latitude else "degrees_east",
            "axis": "Y" if latitude else "X",
        },
        compress=None,
    )


def _fine(terrain: Terrain) -> tuple[dict[str, int | None], list[Variable]]:
    dims: dict[str, int | None] = {"latitude": terrain.shape[0], "longitude": terrain.shape[1]}
    return dims, [_axis("latitude", terrain.lat_deg), _axis("longitude", terrain.lon_deg)]


def write_states(out: Path, terrain: Terrain, forcing: WorldForcing, attrs: dict[str, str]) -> None:
    """Write states_history.nc and states_scenario.nc as LUH2 v2h and v2f are.

    `years since 850-01-01` or `2015-01-01`, noleap, 1e20 over sea, the fill attribute misspelt.
    """
    lat, lon = axes(terrain.shape, terrain.globe, BLOCK)
    for name, (first, last), origin in (
        ("states_history.nc", HISTORY, 850),
        ("states_scenario.nc", FUTURE, 2015),
    ):
        years = np.arange(first, last + 1)
        at = years - forcing.years[0]
        time = {
            "standard_name": "time",
            "long_name": "time",
            "units": f"years since {origin}-01-01 0:0:0",
            "calendar": "noleap",
            "axis": "T",
        }
        variables = [
            Variable("time", ("time",), (years - origin).astype(np.float64), time, compress=None),
            _axis("lat", lat),
            _axis("lon", lon),
        ]
        for state in (*STATES, *EXTRA):
            values = np.where(forcing.land, forcing.states[state][at], _MISSING)
            variables.append(
                Variable(state, ("time", "lat", "lon"), values, _state_attributes(state))
            )
        scenario = {"scenario": SCENARIO} if origin == 2015 else {}
        sizes: dict[str, int | None] = {"time": None, "lat": lat.size, "lon": lon.size}
        write_netcdf(out / name, sizes, variables, {**attrs, **scenario})


def _state_attributes(state: str) -> dict[str, Any]:
    area = {"standard_name": "area_fraction"} if state in STATES else {}
    return {
        "long_name": _LONG_NAMES[state],
        **area,
        "units": _UNITS.get(state, "1"),
        "cell_methods": "time: point",
        "missing_value": _MISSING,
        "_Fillvalue": _MISSING,  # as LUH2 misspells it
    }


def write_maps(
    out: Path, terrain: Terrain, yearly_codes: Iterable[np.ndarray], attrs: dict[str, str]
) -> None:
    """Write hildaplus.nc: yearly HILDA+ codes of the forest variant, one chunk row a year.

    yearly_codes : (ny, nx) uint8 of FIRST_MAP to LAST_MAP, made as they are written
    """
    dims, axes = _fine(terrain)
    epoch = datetime.date(1900, 1, 1)
    days = [(datetime.date(y, 1, 1) - epoch).days for y in range(FIRST_MAP, LAST_MAP + 1)]
    time = {
        "standard_name": "time",
        "long_name": "time",
        "units": "days since 1900-01-01",
        "calendar": "standard",
        "axis": "T",
    }
    cover = {
        "long_name": "land use and land cover, HILDA+ codes, forest variant",
        "flag_values": np.array(list(_COVERS), np.uint8),
        "flag_meanings": " ".join(_COVERS.values()),
    }
    variables = [
        Variable("time", ("time",), np.array(days, np.int32), time, compress=None),
        *axes,
        Variable(
            "LULC_states", ("time", "latitude", "longitude"), yearly_codes, cover, dtype=np.uint8
        ),
    ]
    write_netcdf(out / "hildaplus.nc", {"time": len(days), **dims}, variables, attrs)


def write_statics(out: Path, terrain: Terrain, attrs: dict[str, str]) -> None:
    """Write topography.nc, soil.nc and zones.nc."""
    dims, axes = _fine(terrain)
    cells = ("latitude", "longitude")
    height = np.where(terrain.ocean, _MISSING, terrain.elevation)
    about_height = {
        "standard_name": "surface_altitude",
        "long_name": "elevation",
        "units": "m",
    }
    elevation = Variable("elevation", cells, height, about_height, fill=float(_MISSING))
    write_netcdf(out / "topography.nc", dims, [*axes, elevation], attrs)

    soil = Variable("soil_texture", cells, terrain.soil, _flags("ECMWF soil texture class", _SOILS))
    write_netcdf(out / "soil.nc", dims, [*axes, soil], attrs)

    bounds = Variable(
        "period_bounds",
        ("period", "bound"),
        np.array(PERIODS, np.int32),
        {"long_name": "first and last year of each period", "units": "1"},
        compress=None,
    )
    about_zone = {**_flags("climate zone", _ZONES), "scenario": SCENARIO}
    zones = Variable("climate_zone", ("period", *cells), terrain.zones, about_zone)
    sizes: dict[str, int | None] = {"period": len(PERIODS), "bound": 2, **dims}
    write_netcdf(out / "zones.nc", sizes, [bounds, *axes, zones], {**attrs, "scenario": SCENARIO})


def write_climate(out: Path, terrain: Terrain, attrs: dict[str, str]) -> None:
    """Write climate.nc: monthly means on the coarse cells, of the first period of the zones."""
    lat, lon = axes(terrain.shape, terrain.globe, BLOCK)
    temperature, rain = make_climate(terrain)
    first, last = PERIODS[0]
    cells = ("month", "lat", "lon")

    def of(name: str, values: np.ndarray, long_name: str, units: str) -> Variable:
        about = {"standard_name": name, "long_name": long_name, "units": units}
        return Variable(name, cells, values, about)

    month = {"long_name": "month of the year, January first", "units": "1"}
    variables = [
        Variable("month", ("month",), np.arange(1, 13, dtype=np.int32), month, compress=None),
        _axis("lat", lat),
        _axis("lon", lon),
        of("air_temperature", temperature, f"air temperature, mean of {first} to {last}", "K"),
        of("precipitation_flux", rain, f"precipitation, mean of {first} to {last}", "kg m-2 s-1"),
    ]
    sizes: dict[str, int | None] = {"month": 12, "lat": lat.size, "lon": lon.size}
    write_netcdf(out / "climate.nc", sizes, variables, attrs)


def _flags(long_name: str, meanings: tuple[str, ...]) -> dict[str, Any]:
    return {
        "long_name": long_name,
        "flag_values": np.arange(len(meanings), dtype=np.uint8),
        "flag_meanings": " ".join(meanings),
    }
