"""What `init` measures of the points: those served, those without land, how much map they see."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from landstep.coupling.coupler import Coupler
from landstep.coupling.point_coverage import PointCoverage
from landstep.coupling.points import Points
from landstep.coupling.remap import remap_to
from landstep.coupling.switched_off import SwitchedOff
from landstep.emulator.errors import CouplingError
from landstep.emulator.grid import Grid
from landstep.emulator.netcdf import NetcdfFile
from landstep.emulator.part import Part

FIRST = 2015
Coupled = Callable[..., Path]
Cells = dict[str, np.ndarray]

GRIDS = [
    Grid.regular(4.5 - np.arange(10), -6.5 + np.arange(14), "regular"),
    Grid.projected(*(of.astype(float) for of in np.mgrid[9:-1:-1, 0:14]), "projected"),
]


def of_three(way: str) -> Points:
    """Three points: one of 9 cells, one of 1, one outside the map."""
    lon, lat = np.array([2.0, 5.0, 100.0]), np.array([3.0, 1.0, 3.0])
    half = np.array([1.45, 0.4, 1.45])[:, None]
    if way == "none":
        return Points.make(lon, lat)
    if way == "bounds":
        return Points.make(lon, lat, lon[:, None] + half * [-1, 1], lat[:, None] + half * [-1, 1])
    if way == "vertices":
        return Points.make(
            lon, lat, vertex_lon=lon[:, None] + half * [-1, 1, 1, -1],
            vertex_lat=lat[:, None] + half * [-1, -1, 1, 1],
        )  # fmt: skip
    return Points.make(lon, lat, area_m2=np.array([1.1e11, 1e9, 1.1e11]))


@pytest.mark.parametrize("way", ["none", "bounds", "vertices", "area"])
@pytest.mark.parametrize("grid", GRIDS, ids=["regular", "projected"])
def test_cells_are_those_that_give_a_point_area(grid: Grid, way: str) -> None:
    """Held against each cell alone; and parts of a map add up."""
    points = of_three(way)
    counts = remap_to(points, grid).cell_counts()
    expected = np.zeros(3, np.int64)
    remap = remap_to(points, grid)
    for cell in range(grid.shape[0] * grid.shape[1]):
        numbers = np.ones(grid.shape, np.uint8)
        numbers.flat[cell] = 0
        expected += remap.class_areas(numbers, 1)[:, 0] > 0
    assert counts.tolist() == expected.tolist()
    assert counts[2] == 0 and counts[0] >= (1 if way == "none" else 4) and counts[1] >= 1
    parts = [Part(0, 4, 0, 14, grid.shape), Part(4, 10, 0, 14, grid.shape)]
    assert sum(remap_to(points, grid, part).cell_counts() for part in parts).tolist() == (
        expected.tolist()
    )


def test_a_host_is_told_what_was_measured_and_so_is_who_observes(
    coupled: Coupled, cells: Cells, tmp_path: Path
) -> None:
    given = coupled("measured", observe=str(tmp_path), mode="anomaly")
    mask = np.arange(12) > 0
    away = {**cells, "lon_deg": cells["lon_deg"].copy(), "lon_bounds": cells["lon_bounds"].copy()}
    away["lon_deg"][-1] += 90
    away["lon_bounds"][-1] += 90
    coupler = Coupler.open(given, **away, mask=mask, year=FIRST)
    coupler.baseline("z0", np.full(12, 0.1))
    coupler.update(FIRST, 1, 1)
    counts = coupler._land.points.cells[mask]
    areas = coupler._told.surface.areas
    land = coupler._fields.source.mask(areas) & (areas.coverage >= 0.5)
    found = coupler.get_coverage()
    held = counts[counts > 0]
    expected = 11, int((~land[mask]).sum()), held.min(), held.mean(), held.max()
    assert found == PointCoverage(*expected)
    assert 0 < found.without_land < 11 and found.cells_least > 100
    with NetcdfFile(tmp_path / f"landstep_fields_{FIRST}.nc") as file:
        told = file.attrs()
        names = "points_served", "points_without_land", *(
            f"map_cells_per_point_{of}" for of in ("least", "mean", "most")
        )  # fmt: skip
        assert [told[name] for name in names] == pytest.approx(list(expected))
        assert set(counts.tolist()) <= set(file.read("map_cells").tolist())
    coupler.close()
    with pytest.raises(CouplingError, match="get_coverage: this coupler was closed"):
        coupler.get_coverage()


def test_switched_off_nothing_was_measured() -> None:
    assert SwitchedOff(3).get_coverage() == PointCoverage(0, 0, 0, 0.0, 0)


@pytest.mark.parametrize(
    ("points", "facts"),
    [
        ({"lon_deg": [100.0], "lat_deg": [3.0]}, ("0 of 1 points", "lon -29.9", "degrees")),
        ({"lon_deg": [49.5], "lat_deg": [-29.0]}, ("0 of 1 points", "in this order")),
        ({"lon_deg": [-29.0], "lat_deg": [49.5], "mask": [0]}, ("none of the 1", "mask")),
    ],
)
def test_points_of_which_none_would_ever_change_are_refused(
    coupled: Coupled, experiment: Path, points: dict[str, list[float]], facts: tuple[str, ...]
) -> None:
    """A coupling that does nothing is no success."""
    given = {name: np.array(values) for name, values in points.items()}
    with pytest.raises(CouplingError) as refused:
        Coupler.open(experiment, **given, year=FIRST)
    assert all(fact in str(refused.value) for fact in (*facts, "geometry = 'left'"))
    left = Coupler.open(coupled("nowhere", geometry="left"), **given, year=FIRST)
    assert left.get_coverage().cells_most == 0
    assert left.update(FIRST, 1, 1) is True


def test_a_host_without_any_point_is_served(experiment: Path) -> None:
    nothing = Coupler.open(experiment, np.empty(0), np.empty(0), year=FIRST)
    assert nothing.get_coverage() == PointCoverage(0, 0, 0, 0.0, 0)


def test_the_land_is_counted_when_a_run_is_opened_and_not_again(
    coupled: Coupled, cells: Cells
) -> None:
    coupler = Coupler.open(coupled("counted"), **cells, year=FIRST)
    assert coupler._start is not None
    expected = coupler._land.areas(coupler.state)
    assert np.array_equal(coupler._start.values, expected.values)
    coupler.update(FIRST, 1, 1)
    assert coupler._start is None, "it is kept no longer than needed"
