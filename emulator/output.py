"""Write a year's land-use map as a CF NetCDF file.

Source: CF conventions 1.11, sections 3.5 (flags), 4.4 (time), 7.1 (bounds), 7.2 (cell measures).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from landstep.emulator.classes import Scheme
from landstep.emulator.grid import AREA_UNIT_M2, EARTH_RADIUS_M, Grid
from landstep.emulator.netcdf import Variable, write_netcdf
from landstep.emulator.quota_report import QuotaReport
from landstep.emulator.state import State

EPOCH = date(1850, 1, 1)


def class_areas(land_use: np.ndarray, grid: Grid, n_classes: int) -> np.ndarray:
    """Area of each class, exact in any order of summing.

    land_use : (y, x) uint8 class numbers; MASKED cells count for none
    returns : (n_classes,) int64 in AREA_UNIT_M2
    """
    area = grid.cell_area()
    if area.shape[1] == 1:
        counts = np.stack(
            [np.count_nonzero(land_use == k, axis=1) for k in range(n_classes)]
        ).astype(np.int64)
        return (counts * area[:, 0]).sum(axis=1)
    return np.array([area[land_use == k].sum(dtype=np.int64) for k in range(n_classes)], np.int64)


def write_year(path: Path, state: State, grid: Grid, scheme: Scheme, name: str) -> None:
    """Write one map, its class areas, what its quotas came to, and its provenance.

    The file is complete or not there.

    Raises InputError where the file cannot be written.
    """
    ny, nx = grid.shape
    y, x = ("lat", "lon") if grid.kind == "regular" else ("y", "x")
    areas = class_areas(state.land_use, grid, scheme.n_classes) * AREA_UNIT_M2
    codes = scheme.codes_from_numbers(state.land_use).view(np.int8)
    variables = [
        *_time(state.year),
        *_places(grid),
        Variable(
            "land_use",
            ("time", y, x),
            codes[None],
            {
                "long_name": "land-use class",
                "flag_values": np.array(scheme.codes, np.int8),
                "flag_meanings": " ".join(scheme.names),
                "cell_measures": "area: cell_area",
                "grid_mapping": "crs",
                **_placed(grid),
            },
            fill=-1,
        ),
        Variable(
            "class_area",
            ("time", "land_use_class"),
            areas[None],
            {
                "long_name": "area of each land-use class",
                "units": "m2",
                "coordinates": "class_name",
            },
        ),
        Variable(
            "class_name",
            ("land_use_class",),
            np.array(scheme.names, object),
            {"long_name": "name of the land-use class"},
        ),
        *_quotas(state, scheme),
    ]
    dims = {
        "time": None,
        "nv": 2,
        y: ny,
        x: nx,
        "land_use_class": scheme.n_classes,
        "land_use_group": len(scheme.groups),
    }
    write_netcdf(path, dims, variables, _provenance(state, name) | _unmet(state.report))


def _quotas(state: State, scheme: Scheme) -> list[Variable]:
    """Give, for each group that quotas bind, the change asked and realised, and what is owed."""
    sums = {"debt": (state.debt.sum(axis=(1, 2)), f"area still owed since {state.anchor}")}
    if state.report is not None:
        sums["asked"] = (state.report.asked, "change in area that the forcing asks of this step")
        sums["realised"] = (state.report.realised, "change in area that this step made")
    variables = [
        Variable(
            f"group_area_{name}",
            ("time", "land_use_group"),
            areas[None] * AREA_UNIT_M2,
            {
                "long_name": f"{meaning}, of each group of classes that quotas bind",
                "units": "m2",
                "coordinates": "group_name",
            },
        )
        for name, (areas, meaning) in sums.items()
    ]
    names = np.array([group.name for group in scheme.groups], object)
    named = {"long_name": "name of the group of land-use classes"}
    return [*variables, Variable("group_name", ("land_use_group",), names, named)]


def _unmet(report: QuotaReport | None) -> dict[str, Any]:
    """Say in the file's attributes where quotas could not be met; nothing at a start."""
    if report is None:
        return {}
    return {
        "quota_unmet_coarse_cells": np.int32(report.unmet),
        "quota_largest_miss_m2": report.largest_miss * AREA_UNIT_M2,
    }


def time_axis(years: Sequence[int], **attributes: str) -> Variable:
    """The CF time variable of annual maps, each from 1 January of its year.

    years : n calendar years
    attributes : more of them, such as bounds
    """
    days = [(date(int(year), 1, 1) - EPOCH).days for year in years]
    shared = {
        "standard_name": "time",
        "long_name": "1 January of the year",
        "units": f"days since {EPOCH}",
        "calendar": "proleptic_gregorian",
        "units_metadata": "leap_seconds: none",
        "axis": "T",
    }
    return Variable("time", ("time",), np.array(days, np.float64), shared | attributes)


def _time(year: int) -> list[Variable]:
    """Give the day from which the map holds, and the year that it holds for."""
    ends = np.array([[(date(y, 1, 1) - EPOCH).days for y in (year, year + 1)]], np.float64)
    return [
        time_axis([year], bounds="time_bnds"),
        Variable("time_bnds", ("time", "nv"), ends, {}),
    ]


def _placed(grid: Grid) -> dict[str, str]:
    """Name the 2-D latitude and longitude on which a projected grid's fields lie."""
    return {} if grid.kind == "regular" else {"coordinates": "lat lon"}


def _places(grid: Grid) -> list[Variable]:
    """Give the cells' places and areas."""
    area = grid.cell_area() * AREA_UNIT_M2
    regular = grid.kind == "regular"
    dims = ("lat",) if regular else ("y", "x")
    variables = [
        Variable(
            "cell_area",
            dims,
            area[:, 0] if regular else area,
            {
                "standard_name": "cell_area",
                "long_name": "area of each cell",
                "units": "m2",
                **_placed(grid),
            },
        ),
        Variable(
            "crs",
            (),
            np.array(0, np.int32),
            {"grid_mapping_name": "latitude_longitude", "earth_radius": EARTH_RADIUS_M},
        ),
    ]
    for name, axis, edges, centres, unit in (
        ("lat", "Y", grid.lat_edges if regular else None, grid.lat_deg, "degrees_north"),
        ("lon", "X", grid.lon_edges if regular else None, grid.lon_deg, "degrees_east"),
    ):
        long_name = {"lat": "latitude", "lon": "longitude"}[name]
        attributes: dict[str, Any] = {
            "standard_name": long_name,
            "long_name": long_name,
            "units": unit,
        }
        if edges is None:
            variables.append(Variable(name, dims, centres, attributes))
            continue
        attributes |= {"axis": axis, "bounds": f"{name}_bnds"}
        sides = edges()
        bounds = np.stack([sides[:-1], sides[1:]], axis=1)
        variables.append(Variable(name, (name,), centres, attributes))
        variables.append(Variable(f"{name}_bnds", (name, "nv"), bounds, {}))
    return variables


def _provenance(state: State, name: str) -> dict[str, Any]:
    return {
        "Conventions": "CF-1.11",
        "title": f"Land use on 1 January {state.year}: {name}",
        "institution": "made with landstep",
        "source": f"landstep {state.provenance.get('landstep', '')}, land-surface emulator",
        "history": f"landstep step to {state.year}, quotas counted from {state.anchor}",
        "references": "see the model card inside the ONNX file",
        "class_scheme": state.scheme,
        "model_sha256": state.model,
        "grid_sha256": state.grid,
        "provenance": json.dumps(state.provenance, sort_keys=True),
    }
