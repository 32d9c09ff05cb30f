"""Host files and a coupled run, given the same points, hold the same bits: for every layout."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import pytest

from landstep.coupling.areas import ZONE_GROUPS, Areas
from landstep.coupling.coupler import Coupler
from landstep.coupling.crosswalk import Crosswalk
from landstep.coupling.host_fields import SMALLEST_COVERAGE
from landstep.coupling.host_files.grib_file import GribGrid, GribHostFile
from landstep.coupling.host_files.layout import Layout, VariableTable, layout_named, layout_names
from landstep.coupling.host_files.netcdf_file import NetcdfHostFile
from landstep.coupling.host_files.own_fields import OwnFields
from landstep.coupling.host_files.update import Task, update_host_file
from landstep.coupling.host_table import host_table
from landstep.coupling.points import Points
from landstep.emulator.classes import scheme

YEARS = (2015, 2016, 2017)
LAT = 49.975 - 0.25 * np.arange(5)
LON = -30.075 + 0.25 * np.arange(8)
"""Quarter degrees over the made-up world and its rim, where less than half of a cell is known."""

CASES = [
    *((name, "", ()) for name in layout_names() if name not in ("ifs", "noahmp")),
    ("noahmp", "USGS", ()),
    ("ctsm", "", YEARS),
]
"""Layouts in NetCDF, the classes that a file counts in, and which years a series of them holds."""

SHAPE = LAT.size, LON.size
SEA, MISSING = (1, 2), (2, 3)
"""Cells where the host has no land, and where its file lacks a value."""


def baselines(table: str) -> dict[str, np.ndarray]:
    """Fields that the host could have: those of some other land; monthly ones vary."""
    walk = Crosswalk.make(host_table(table, "."), scheme("hilda8"), legend_known=True)
    rng = np.random.default_rng(4)
    n = LAT.size * LON.size
    values = rng.integers(0, 10**9, (n, len(ZONE_GROUPS), 8))
    values[rng.random(values.shape) < 0.6] = 0
    values[:, 0, 1:] += 1
    found = dict(walk.values(Areas.make(values, np.zeros(n, np.int64), np.ones(n))))
    for field in walk.fields:
        if field.months == 12:
            low, high = field.bounds
            found[field.name] = low + (high - low) * rng.uniform(0.05, 0.3, (n, 12))
    return found


def write(path: Path, layout: Layout, classes: str, years: tuple[int, ...]) -> None:
    """Write a file to a layout, with a cell of sea and one without a value; or a series of them."""
    table = layout.table
    with netCDF4.Dataset(path, "w", format="NETCDF3_64BIT_DATA") as file:
        if layout.classes is not None:
            legends = layout.classes.legends
            legend = next((of for of in legends if classes in of.names), legends[0])
            file.setncattr(layout.classes.attribute, legend.names[0])
            table = legend.table
        for name, size in zip(("y", "x"), SHAPE, strict=True):
            file.createDimension(name, size)
        lon, lat = np.meshgrid(LON, LAT)
        put(file, layout.places[0].lat, "f8", (), lat)
        put(file, layout.places[0].lon, "f8", (), lon)
        for name in layout.land[:1]:
            land = np.ones(SHAPE)
            land[SEA] = 0.0
            put(file, name, "f4", (), land)
        if years:
            file.createDimension("time", len(years))
            file.createVariable(layout.years, "i4", ("time",))[:] = years
        fields = baselines(table)
        for variable in layout.variables:
            if variable.maximum or not years:  # a series leaves the rest out
                put_variable(file, variable, fields, "f8" if variable.exact else "f4")


def levels_of(table: VariableTable, fields: dict[str, np.ndarray]) -> dict[int, np.ndarray]:
    """Fields of the levels of a variable, by number; those that are none of the table share 0.2."""
    if table.fields:
        return {number: fields[name] for number, name in enumerate(table.fields)}
    start = f"{table.field}_"
    names = [name for name in fields if table.levels and name.startswith(start)]
    found = {int(name.removeprefix(start)): fields[name] for name in names}
    if table.others_stay:
        others = set(range(table.first, max(found) + 2)) - found.keys()
        found = {number: 0.8 * values for number, values in found.items()}
        found |= {number: np.full(LAT.size * LON.size, 0.2 / len(others)) for number in others}
    return dict(sorted(found.items()))


def put_variable(
    file: netCDF4.Dataset, table: VariableTable, fields: dict[str, np.ndarray], kind: str
) -> None:
    levels = levels_of(table, fields)
    dims: tuple[str, ...] = ()
    if levels:
        values, dims = np.stack(list(levels.values())), (table.levels[0],)
        if table.levels[0] not in file.dimensions:
            file.createDimension(table.levels[0], len(levels))
        if table.numbers is not None and table.numbers not in file.variables:
            file.createVariable(table.numbers, "i4", dims)[:] = list(levels)
    elif table.months is not None:
        values, dims = fields[table.field].T, (table.months,)
        if table.months not in file.dimensions:
            file.createDimension(table.months, 12)
    else:
        values = fields[table.field].T
        values = values if values.ndim == 1 else values[0]
    if "time" in file.dimensions:
        dims, values = ("time", *dims), np.stack([values] * len(YEARS))
    put(file, table.name, kind, dims, values.reshape(*values.shape[:-1], *SHAPE))


def put(
    file: netCDF4.Dataset, name: str, kind: str, dims: tuple[str, ...], values: np.ndarray
) -> None:
    variable = file.createVariable(name, kind, (*dims, "y", "x"), fill_value=-999)
    variable[...] = values
    if name in ("cvl", "vegl", "VEGFRA", "PCT_CROP", "frac", "veg_ratio_max"):
        variable[(..., *MISSING)] = -999


@pytest.fixture
def case(
    world_run: tuple[Path, Path], changed_experiment: Callable[..., Path], tmp_path: Path
) -> Callable[..., tuple[NetcdfHostFile, NetcdfHostFile, Coupler]]:
    """Give a function that writes a file, updates it and runs coupled to the same year."""

    def make(
        host: str,
        classes: str,
        years: tuple[int, ...],
        mode: str,
        given: bool,
        ice: str = "left",
    ) -> tuple[NetcdfHostFile, NetcdfHostFile, Coupler]:
        layout, year = layout_named(host), YEARS[-1]
        write(tmp_path / "own.nc", layout, classes, years)
        file = NetcdfHostFile.open(tmp_path / "own.nc", layout)
        name, table = f"{host}_{mode}_{given}", file.layout.table
        experiment = changed_experiment(name, host=table, mode=mode, albedo="left", ice=ice)
        assert file.served.any() and not file.served.all()
        target = tmp_path / "new.nc"
        update_host_file(Task(host, file.path, world_run[0], experiment, (year, year), target))
        coupler = on_points(experiment, file.points, mask=file.served)
        if given:
            for field, values in own_fields(file, coupler).values.items():
                coupler.baseline(field, values)
        for reached in range(YEARS[0], year + 1):
            coupler.update(reached, 1, 1)
        return file, NetcdfHostFile.open(target, layout), coupler

    return make


def on_points(experiment: Path, points: Points, **more: Any) -> Coupler:
    names = ("lon_bounds", "lat_bounds", "vertex_lon", "vertex_lat")
    geometry = {name: getattr(points, name) for name in names} | more
    return Coupler.open(experiment, points.lon, points.lat, year=YEARS[0], **geometry)


def own_fields(file: NetcdfHostFile, coupler: Coupler) -> OwnFields:
    """What the file holds of the fields that the host of the run has."""
    source, layout = coupler._fields.source, file.layout
    own = OwnFields.make(file.fields(0), source, layout.rest, file.sea, file.others_stay)
    names = set(coupler.names())
    return replace(own, values={name: own.values[name] for name in own.values if name in names})


def of_year(coupler: Coupler, name: str) -> np.ndarray:
    """What the host is given in a year: (n,), or (n, 12)."""
    monthly = coupler.describe(name, "schedule") == "monthly"
    return coupler.get_monthly(name) if monthly else coupler.get(name)


def as_stored(file: NetcdfHostFile, own: OwnFields, name: str, values: np.ndarray) -> np.ndarray:
    """Values of a coupled run as the file would hold them: its own number where nothing moved."""
    old = file.fields(0)[name]
    back = own.back(name, values)
    new = np.where(np.isfinite(back) & np.isfinite(old), back, old)
    exact = any(t.exact and name.startswith(t.field) for t in file.layout.variables)
    return new.astype(np.float64 if exact else np.float32)


@pytest.mark.parametrize("mode", ["anomaly", "absolute"])
@pytest.mark.parametrize(("host", "classes", "years"), CASES)
def test_with_baselines_all_points_hold_the_same_bits(
    case: Callable[..., Any],
    check_readers_open: Callable[[Path, str], None],
    host: str,
    classes: str,
    years: tuple[int, ...],
    mode: str,
) -> None:
    """Sea, cells without a value, cells of which little is known: the file's own in both."""
    file, new, coupler = case(host, classes, years, mode, True)
    own = own_fields(file, coupler)
    old, found = file.fields(0), new.fields(years.index(YEARS[-1]) if years else 0)
    moved = 0
    made = {name for names in file.variables.values() for name in names} & own.values.keys()
    for name in sorted(made):
        stored = as_stored(file, own, name, of_year(coupler, name))
        assert np.array_equal(found[name], stored, equal_nan=True), name
        moved += int((found[name] != old[name])[file.served].sum())
    assert moved
    check_readers_open(new.path, next(iter(new.variables)))


@pytest.mark.parametrize(("host", "classes", "years"), CASES)
def test_without_baselines_all_points_that_the_file_serves_hold_the_same_bits(
    case: Callable[..., Any], host: str, classes: str, years: tuple[int, ...]
) -> None:
    """Landstep's own annual fields. Elsewhere the file keeps its own; the run has none to keep."""
    file, new, coupler = case(host, classes, years, "absolute", False)
    own = own_fields(file, coupler)
    found = new.fields(years.index(YEARS[-1]) if years else 0)
    annual = {name for name in own.values if own.values[name].ndim == 1}
    in_file = {name for names in file.variables.values() for name in names}
    inside = file.served & (coupler._told.surface.areas.coverage >= SMALLEST_COVERAGE)
    assert annual & in_file and inside.any()
    for name in sorted(annual & in_file):
        stored = as_stored(file, own, name, coupler.get(name))
        assert np.array_equal(found[name][inside], stored[inside]), name


def test_points_of_ice_keep_the_files_own_in_both(
    case: Callable[..., Any], world_run: tuple[Path, Path]
) -> None:
    """In absolute mode, of a host that keeps ice apart from bare ground."""
    path = world_run[1].with_name("ice.nc")
    shutil.copyfile(path.with_name("soil.nc"), path)
    with netCDF4.Dataset(path, "r+") as map_of_soil:
        soil = next(v for v in map_of_soil.variables.values() if v.ndim == 2)
        lon = np.broadcast_to(map_of_soil[soil.dimensions[-1]][:], soil.shape)
        map_of_soil.createVariable("ice", "i1", soil.dimensions)[...] = lon < -29.2
    file, new, coupler = case("speedy", "", (), "absolute", True, f"{path.name}:ice")
    own, old, found = own_fields(file, coupler), file.fields(0), new.fields(0)
    icy = coupler._fields.icy
    assert (icy & file.served).any() and (~icy & coupler._fields.served).any()
    for name in ("vegh", "vegl", "alb"):
        assert np.array_equal(found[name][icy], old[name][icy], equal_nan=True), name
        stored = as_stored(file, own, name, coupler.get(name))
        assert np.array_equal(found[name], stored, equal_nan=True), name
        assert (found[name] != old[name])[coupler._fields.served].any(), name


@pytest.fixture
def globe_experiment(globe_run: tuple[Path, Path]) -> Callable[[str], Path]:
    """Write the made-up Earth's experiment for ecLand in a mode; gives its path."""

    def write_mode(mode: str) -> Path:
        path = globe_run[1].with_name(f"ecland_{mode}.toml")
        lines = f'\n[coupling]\nhost = "ecland"\nmode = "{mode}"\nalbedo = "left"\n'
        path.write_text(globe_run[1].read_text("utf-8") + lines, "utf-8")
        return path

    return write_mode


@pytest.mark.parametrize("mode", ["anomaly", "absolute"])
def test_a_grib_file_holds_what_a_coupled_run_gives_packed(
    globe_run: tuple[Path, Path],
    globe_experiment: Callable[[str], Path],
    template: Path,
    tmp_path: Path,
    mode: str,
) -> None:
    """All points of O32, byte for byte."""
    experiment = globe_experiment(mode)
    target = tmp_path / "new.grib"
    update_host_file(Task("ifs", template, globe_run[0], experiment, (2017, 2017), target))
    file = GribHostFile.open(template, layout_named("ifs"))
    coupler = on_points(experiment, file.points, mask=file.served)
    own = file.fields()
    given = {name: own[name] for name in own if name != "cl"}  # it goes with cu, which is not there
    for name, values in given.items():
        coupler.baseline(name, values)
    for year in (2015, 2016, 2017):
        coupler.update(year, 1, 1)
    fields = {name: of_year(coupler, name) for name in given}
    file.write_copy(tmp_path / "online.grib", fields)
    assert target.read_bytes() == (tmp_path / "online.grib").read_bytes() != template.read_bytes()


def test_a_grid_without_a_file_holds_what_a_run_without_baselines_gives(
    globe_run: tuple[Path, Path],
    globe_experiment: Callable[[str], Path],
    template: Path,
    tmp_path: Path,
) -> None:
    """All points, also those of the sea: there both have fills."""
    experiment, target = globe_experiment("absolute"), tmp_path / "new.grib"
    task = Task("ifs", None, globe_run[0], experiment, (2017, 2017), target, grid="O32")
    update_host_file(task)
    grid = GribGrid.named("O32", layout_named("ifs"))
    coupler = on_points(experiment, grid.points)
    for year in (2015, 2016, 2017):
        coupler.update(year, 1, 1)
    fields = {name: coupler.get(name) for name in ("cvl", "cvh", "tvl", "tvh", "cl")}
    grid.write(tmp_path / "online.grib", fields, 2017)
    assert target.read_bytes() == (tmp_path / "online.grib").read_bytes()
