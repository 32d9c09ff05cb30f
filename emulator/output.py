"""Write a year's land-use map as a CF NetCDF file.

Source: CF conventions 1.11, sections 3.5 (flags), 4.4 (time), 7.1 (bounds), 7.2 (cell measures).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from landstep.emulator.area_sums import coarse_class_sums
from landstep.emulator.classes import Scheme
from landstep.emulator.grid import AREA_UNIT_M2, EARTH_RADIUS_M, Grid
from landstep.emulator.mapped import row_pieces
from landstep.emulator.netcdf import Compression, Variable, write_netcdf
from landstep.emulator.quota_report import QuotaReport
from landstep.emulator.rows import Rows
from landstep.emulator.state import State

EPOCH = date(1850, 1, 1)


@dataclass(frozen=True, eq=False)
class Year:
    """A year of a run, as it is written.

    state : of the whole map
    forcing : (G, cy, cx) int64, AREA_UNIT_M2, area that the forcing's states give each group in the
        coarse cells that the map touches; None for a year without forcing
    """

    state: State
    forcing: np.ndarray | None


@dataclass(frozen=True, eq=False)
class Output:
    """How the years of an experiment are written.

    name : of the experiment
    row, col : (y,), (x,) int64, the coarse row of each row of the map, its column of each column,
        counted from the map's own first
    coarse : (cy,), (cx,) float64, latitudes and longitudes of the coarse cells; None for blocks
    compression : of the maps: see `netcdf.Variable`
    """

    grid: Grid
    scheme: Scheme
    name: str
    row: np.ndarray
    col: np.ndarray
    coarse: tuple[np.ndarray, np.ndarray] | None
    compression: Compression = "zlib"

    def write(self, path: Path, year: Year) -> None:
        """Write one map, its class areas, what its quotas came to, and its provenance.

        The file is complete or not there; the map goes into it row by row.
        Raises InputError where the file cannot be written.
        """
        state, (ny, nx) = year.state, self.grid.shape
        y, x = ("lat", "lon") if self.grid.kind == "regular" else ("y", "x")
        cy, cx = ("coarse_lat", "coarse_lon") if self.coarse else ("coarse_y", "coarse_x")
        areas = self._class_areas(state.land_use)
        codes = Rows(
            self.scheme.codes_from_numbers(state.land_use[piece]).view(np.int8)
            for piece in row_pieces(ny)
        )
        variables = [
            *_time(state.year),
            *_places(self.grid),
            Variable(
                "land_use",
                ("time", y, x),
                codes,
                {
                    "long_name": "land-use class",
                    "flag_values": np.array(self.scheme.codes, np.int8),
                    "flag_meanings": " ".join(self.scheme.names),
                    "cell_measures": "area: cell_area",
                    "grid_mapping": "crs",
                    **_placed(self.grid),
                },
                dtype=np.int8,
                fill=-1,
                compress=self.compression,
            ),
            *_confidence(state, (y, x), _placed(self.grid), self.compression),
            *_classes(areas, self.scheme, (cy, cx)),
            *_quotas(year, areas, self.scheme, (cy, cx)),
            *self._coarse_places(),
        ]
        dims: dict[str, int | None] = {
            "time": None,
            "nv": 2,
            y: ny,
            x: nx,
            "land_use_class": self.scheme.n_classes,
            "land_use_group": len(self.scheme.groups),
            cy: areas.shape[1],
            cx: areas.shape[2],
        }
        write_netcdf(path, dims, variables, _provenance(state, self.name) | _unmet(state.report))

    def _class_areas(self, land_use: np.ndarray) -> np.ndarray:
        """Area of each class in each coarse cell: (K, cy, cx) int64, AREA_UNIT_M2."""
        shape = int(self.row[-1]) + 1, int(self.col[-1]) + 1
        area = self.grid.cell_area()
        return coarse_class_sums(land_use, area, self.row, self.col, shape, self.scheme.n_classes)

    def _coarse_places(self) -> list[Variable]:
        """Give the places of the coarse cells; none for blocks."""
        if self.coarse is None:
            return []
        names = (("lat", "latitude", "degrees_north"), ("lon", "longitude", "degrees_east"))
        return [
            Variable(
                f"coarse_{short}",
                (f"coarse_{short}",),
                values,
                {"standard_name": long, "long_name": f"{long} of coarse cells", "units": unit},
            )
            for (short, long, unit), values in zip(names, self.coarse, strict=True)
        ]


def _confidence(
    state: State, dims: tuple[str, str], placed: dict[str, str], compression: Compression
) -> list[Variable]:
    """Give the probability of each cell's likeliest class, where it was asked for."""
    if state.confidence is None:
        return []
    shared = {"units": "percent", "cell_measures": "area: cell_area", "grid_mapping": "crs"}
    told = "probability of the likeliest class, before the forcing's quotas"
    rows = Rows(state.confidence[piece] for piece in row_pieces(len(state.confidence)))
    return [
        Variable(
            "confidence",
            ("time", *dims),
            rows,
            {"long_name": told, **shared, **placed},
            dtype=np.uint8,
            fill=0,
            compress=compression,
        )
    ]


def _classes(areas: np.ndarray, of: Scheme, coarse: tuple[str, str]) -> list[Variable]:
    """Give the area of each class, in all and in each coarse cell.

    areas : (K, cy, cx) int64, AREA_UNIT_M2
    """
    told, shared = "area of each land-use class", {"units": "m2", "coordinates": "class_name"}
    return [
        Variable(
            "class_area",
            ("time", "land_use_class"),
            areas.sum(axis=(1, 2))[None] * AREA_UNIT_M2,
            {"long_name": told, **shared},
        ),
        Variable(
            "coarse_class_area",
            ("time", "land_use_class", *coarse),
            areas[None] * AREA_UNIT_M2,
            {"long_name": f"{told} in each coarse cell", **shared},
        ),
        Variable(
            "class_name",
            ("land_use_class",),
            np.array(of.names, object),
            {"long_name": "name of the land-use class"},
        ),
    ]


def _quotas(year: Year, areas: np.ndarray, of: Scheme, coarse: tuple[str, str]) -> list[Variable]:
    """Give the areas of the groups that quotas bind: in the map, by the forcing, asked, owed.

    areas : (K, cy, cx) int64, AREA_UNIT_M2, of the classes
    """
    state, report = year.state, year.state.report
    held = np.einsum("gk,kyx->gyx", of.members[:-1].astype(np.int64), areas)
    cells = {"debt": (state.debt, f"area still owed since {state.anchor}")}
    if year.forcing is not None:
        cells["forcing"] = (year.forcing, "area that the forcing's states give")
    sums = {"map": (held.sum(axis=(1, 2)), "area in the map")}
    sums |= {name: (field.sum(axis=(1, 2)), told) for name, (field, told) in cells.items()}
    if report is not None:
        sums["asked"] = (report.asked, "change in area that the forcing asks of this step")
        sums["realised"] = (report.realised, "change in area that this step made")
    shared = {"units": "m2", "coordinates": "group_name"}
    each = "of each group of classes that quotas bind"
    variables = [
        Variable(
            f"group_area_{name}",
            ("time", "land_use_group"),
            values[None] * AREA_UNIT_M2,
            {"long_name": f"{told}, {each}", **shared},
        )
        for name, (values, told) in sums.items()
    ]
    variables += [
        Variable(
            f"coarse_group_{name}",
            ("time", "land_use_group", *coarse),
            values[None] * AREA_UNIT_M2,
            {"long_name": f"{told}, {each}, in each coarse cell", **shared},
        )
        for name, (values, told) in cells.items()
    ]
    names = np.array([group.name for group in of.groups], object)
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
