"""Ice is told apart from bare ground before a host gets landstep's own fields."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import netCDF4
import numpy as np
import pytest

from landstep.coupling.coupler import Coupler
from landstep.coupling.host_table import host_names, host_table
from landstep.emulator.errors import ConfigError, CouplingError, InputError
from landstep.emulator.legends import legend, legend_names

FIRST = 2015
APART = {"speedy", "noahmp", "noahmp_usgs", "ctsm", "jules", "jsbach"}
Coupled = Callable[..., Path]
Cells = dict[str, np.ndarray]


@pytest.fixture(scope="module")
def ice_file(experiment: Path) -> Callable[[str, Callable[[np.ndarray], np.ndarray]], str]:
    """Give a function that writes a map of ice on the world's grid, by longitude."""

    def write(name: str, of: Callable[[np.ndarray], np.ndarray]) -> str:
        path = experiment.with_name(f"{name}.nc")
        shutil.copyfile(experiment.with_name("soil.nc"), path)
        with netCDF4.Dataset(path, "r+") as file:
            soil = next(v for v in file.variables.values() if v.ndim == 2)
            lon = np.broadcast_to(file[soil.dimensions[-1]][:], soil.shape)
            ice = file.createVariable("ice", "i1", soil.dimensions)
            ice[...] = of(lon)
        return f"{path.name}:ice"

    return write


def west_of_29(lon: np.ndarray) -> np.ndarray:
    """1 in the western part of the world, in the first two columns of cells."""
    return (lon < -29.3).astype(np.int8)


def test_tables_say_which_hosts_keep_ice_apart() -> None:
    assert {name for name in host_names() if host_table(name, ".").ice_apart} == APART


def test_a_legend_tells_ice_where_one_code_is_nothing_else() -> None:
    assert {name: legend(name).ice_codes for name in legend_names()} == {
        "ipcc": [], "koppen_geiger": [30], "made_up": [],
    }  # fmt: skip


def test_absolute_mode_is_refused_where_nothing_tells_ice(coupled: Coupled, cells: Cells) -> None:
    with pytest.raises(ConfigError) as refused:
        Coupler.open(coupled("ice_unknown", host="speedy", mode="absolute"), **cells, year=FIRST)
    for fact in ("'absolute'", "'speedy'", "[coupling] ice", "koppen_geiger", "'left'"):
        assert fact in str(refused.value)
    for name, how in {
        "ice_left": {"host": "speedy", "mode": "absolute", "ice": "left"},
        "ice_added": {"host": "speedy", "mode": "anomaly"},
        "ice_same": {"host": "plasim", "mode": "absolute"},
    }.items():
        assert Coupler.open(coupled(name, **how), **cells, year=FIRST).n == 12


def test_points_of_ice_keep_the_hosts_own_fields(
    coupled: Coupled, cells: Cells, ice_file: Callable[..., str], tmp_path: Path
) -> None:
    """SPEEDY's ice has an albedo above 0.4, which also gives it the heat capacity of ice."""
    told = {"host": "speedy", "mode": "absolute"}
    given = coupled("ice_file", **told, ice=ice_file("half", west_of_29))
    plain = Coupler.open(coupled("no_ice", **told, ice="left"), **cells, year=FIRST)
    coupler = Coupler.open(given, **cells, year=FIRST)
    icy = coupler._fields.icy
    assert icy.reshape(3, 4).any(axis=0).tolist() == [True, True, False, False]
    own = {"vegh": 0.0, "vegl": 0.0, "alb": 0.6}
    for name, value in own.items():
        coupler.baseline(name, np.full(12, value))
    largest = {name: coupler.get_maximum(name, FIRST + 1) for name in own}
    assert all((largest[name][icy] == value).all() for name, value in own.items())
    for year in (FIRST, FIRST + 1):
        for run in (plain, coupler):
            run.update(year, 1, 1)
        for name, value in own.items():
            found, bare = coupler.get(name), plain.get(name)
            assert (found[icy] == value).all() and (bare[icy] != value).any(), name
            land = ~icy & coupler._fields.served
            assert land.any() and np.array_equal(found[land], bare[land]), name
    coupler.write_restart(tmp_path / "r.nc")
    again = Coupler.open(given, **cells, restart=tmp_path / "r.nc")
    again.update(FIRST + 1, 2, 1)
    assert all(np.array_equal(again.get(name), coupler.get(name)) for name in own)


def test_points_of_ice_without_a_baseline_are_refused_by_the_field(
    coupled: Coupled, cells: Cells, ice_file: Callable[..., str]
) -> None:
    ice = ice_file("bare", west_of_29)
    how = coupled("ice_bare", host="speedy", mode="absolute", ice=ice)
    coupler = Coupler.open(how, **cells, year=FIRST)
    coupler.baseline("alb", np.full(12, 0.6))
    coupler.update(FIRST, 1, 1)
    assert (coupler.get("alb")[coupler._fields.icy] == 0.6).all()
    with pytest.raises(CouplingError, match=r"'vegl': \d+ points are ice.*baseline\('veg"):
        coupler.get("vegl")
    nowhere = ice_file("nowhere", np.zeros_like)
    how = coupled("ice_nowhere", host="speedy", mode="absolute", ice=nowhere)
    coupler = Coupler.open(how, **cells, year=FIRST)
    coupler.update(FIRST, 1, 1)
    assert coupler.get("vegl").any(), "without ice no baseline is needed"


def test_a_map_of_ice_that_cannot_be_is_refused(
    coupled: Coupled, cells: Cells, ice_file: Callable[..., str]
) -> None:
    entry = ice_file("percent", lambda lon: np.full(lon.shape, 100))
    for name, ice, error, words in (
        ("percent", entry, InputError, "percent.nc, ice: 100 at cell .* whole numbers 0 to 1"),
        ("lost", "no_such.nc", InputError, "no_such.nc"),
        ("empty", "", ConfigError, "ice"),
    ):
        how = coupled(f"ice_{name}", host="speedy", mode="absolute", ice=ice)
        with pytest.raises(error, match=words):
            Coupler.open(how, **cells, year=FIRST)
