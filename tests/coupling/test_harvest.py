"""Wood harvest of LUH2 on a host's points: by hand, by brute force, and through a coupled run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from landstep.coupling.coupler import Coupler
from landstep.coupling.harvest import Harvest, Overlap
from landstep.coupling.harvest_files import HarvestFiles
from landstep.coupling.points import Points
from landstep.emulator.errors import CouplingError, InputError
from landstep.emulator.grid import Grid
from landstep.emulator.netcdf import NetcdfFile, Variable, write_netcdf

FIRST = 2015
LAT, LON = np.array([50.5, 49.5]), np.array([-31.0, -29.0, -27.0])
AREA = np.array([[0.1, 0.2, 0.3], [0.4, np.nan, 0.0]])
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Give the function that writes a file of transitions, 1 degree by 2."""

    def make(name: str = "transitions.nc", first: int = FIRST, years: int = 3, **changes) -> Path:
        path = tmp_path / name
        area = np.stack([AREA * (1 + year) / 4 for year in range(years)])
        held = {"primf_harv": ("1", area), "secyf_bioh": ("kg", 1e6 * area)} | changes
        lat = changes.pop("lat", LAT)
        held.pop("lat", None)
        variables = [
            Variable("time", ("time",), np.arange(first, first + years) - 850.0,
                     {"units": "years since 850-01-01", "calendar": "noleap"}),
            Variable("lat", ("lat",), lat, {"units": "degrees_north"}),
            Variable("lon", ("lon",), LON, {"units": "degrees_east"}),
            *(
                Variable(name, ("time", "lat", "lon"), values.astype(np.float32), {"units": units})
                for name, (units, values) in held.items()
            ),
        ]  # fmt: skip
        write_netcdf(path, {"time": years, "lat": 2, "lon": 3}, variables, {})
        return path

    return make


def points(**given: np.ndarray) -> Points:
    return Points.make(np.array([-30.0, -27.5]), np.array([50.0, 50.5]), **given)


def test_what_a_rectangle_has_of_the_cells_is_by_hand(write: Write) -> None:
    bounds = {
        "lon_bounds": np.array([[-31.0, -29.0], [-28.0, -22.0]]),
        "lat_bounds": np.array([[49.0, 51.0], [50.0, 51.0]]),
    }
    harvest = Harvest.of([write()], points(**bounds))
    found = harvest.values(FIRST + 3 - 1)
    north, south = (np.sin(np.deg2rad(a)) - np.sin(np.deg2rad(b)) for a, b in ((51, 50), (50, 49)))
    half = (0.5 * north * (0.1 + 0.2) + 0.5 * south * 0.4) / (north + south)  # the sea is 0
    third = 0.3 * 2 / 6  # the rest lies outside of the file
    assert found["primf_harv"] == pytest.approx(np.array([half, third]) * 3 / 4, rel=1e-6)
    cell = Grid.regular(LAT, LON, "test").cell_area()[0, 0] * 1e-3
    assert found["secyf_bioh"][1] == pytest.approx(1e6 * 0.3 * 3 / 4 * 1e3 / cell / 3, rel=1e-6)
    (area, carbon) = harvest.fields
    assert (area.units, carbon.units) == ("1", "g m-2 yr-1")
    assert "primary forest" in area.long_name and "young secondary" in carbon.long_name


def test_cells_across_the_date_line_and_at_the_poles_sum_to_one() -> None:
    grid = Grid.regular(np.arange(89.5, -90, -1.0), np.arange(-179.5, 180, 1.0), "test")
    given = Points.make(
        np.array([179.9, 10.0, 350.0, 0.0]),
        np.array([10.2, 89.9, -44.4, -89.9]),
        np.array([[179.0, -179.2], [0.0, 360.0], [347.7, 352.1], [-180.0, 180.0]]),
        np.array([[9.1, 11.7], [89.0, 90.0], [-46.0, -43.2], [-90.0, -88.5]]),
    )
    overlap = Overlap.make(given, grid)
    assert overlap.mean(np.ones(grid.shape)) == pytest.approx(np.ones(4), rel=1e-12)
    column = overlap.cell[overlap.point == 0] % 360
    assert set(column) == {359, 0}
    east = np.broadcast_to(np.arange(-179.5, 180, 1.0), grid.shape)
    assert overlap.mean(east)[2] == pytest.approx((347.7 + 352.1) / 2 - 360, abs=0.05)


@pytest.mark.parametrize("kind", ["vertices", "area", "nothing"])
def test_any_geometry_is_a_rectangle(write: Write, kind: str) -> None:
    west, south = np.array([-30.5, -28.0]), np.array([49.75, 50.25])
    given = {
        "vertices": {
            "vertex_lon": np.stack([west, west + 1, west + 1, west], 1),
            "vertex_lat": np.stack([south, south, south + 0.5, south + 0.5], 1),
        },
        "area": {"area_m2": np.full(2, (0.5 * 111195) ** 2)},
        "nothing": {},
    }[kind]
    found = Harvest.of([write()], points(**given)).values(FIRST)["primf_harv"] * 4
    ours = {"vertices": [0.225, 0.3], "area": [0.175, 0.3], "nothing": [0.2, 0.3]}[kind]
    if kind == "nothing":  # on the corner of four cells, a spot has of each
        ours[0] = (0.1 + 0.2 + 0.4) / 4
    if kind == "vertices":
        ours[0] = (0.5 * (0.1 + 0.2) + 0.5 * 0.4) / 2
    assert found == pytest.approx(ours, rel=2e-2)


def test_masked_points_have_nothing(write: Write) -> None:
    masked = points(mask=np.array([True, False]))
    found = Harvest.of([write()], masked).values(FIRST)["primf_harv"]
    assert found[0] > 0 and found[1] == 0


def test_history_and_scenario_join(write: Write) -> None:
    files = [write("scenario.nc", FIRST + 2, 2), write("history.nc", FIRST, 3)]
    harvest = Harvest.of(files, points())
    assert harvest.values(FIRST + 2)["primf_harv"][1] == pytest.approx(0.3 * 3 / 4)  # history
    assert harvest.values(FIRST + 3)["primf_harv"][1] == pytest.approx(0.3 * 2 / 4)
    with pytest.raises(InputError, match=f"history.nc .* scenario.nc: no harvest of {FIRST + 4}"):
        harvest.values(FIRST + 4)


def test_files_that_cannot_be_are_refused(write: Write) -> None:
    good = write("good.nc")
    other = {"lat": np.array([60.5, 59.5])}
    for changes, words in (
        ({"primf_harv": ("percent", AREA[None].repeat(3, 0))}, "primf_harv: units 'percent'"),
        ({"secyf_bioh": ("Pg", AREA[None].repeat(3, 0))}, "secyf_bioh: units 'Pg'"),
        ({"secnf_harv": ("1", AREA[None].repeat(3, 0))}, "bad.nc: has .*secnf_harv.*expected"),
        (other, "bad.nc: not on the grid of good.nc"),
    ):
        with pytest.raises(InputError, match=words):
            HarvestFiles.open([good, write("bad.nc", FIRST + 1, **changes)])
    for value in (1.5, -0.1, np.inf):
        bad = np.full((3, 2, 3), value)
        with pytest.raises(InputError, match=r"primf_harv: .* at \(lat 50.5, lon -31\), expected"):
            HarvestFiles.open([write("bad.nc", primf_harv=("1", bad))]).year(FIRST)
    with pytest.raises(InputError, match=r"primf_harv: dims .*expected \(time, lat, lon\)"):
        path = good.with_name("flat.nc")
        write_netcdf(path, {"lat": 2}, [Variable("primf_harv", ("lat",), LAT, {})], {})
        HarvestFiles.open([path])
    with pytest.raises(InputError, match="no wood harvest"):
        path = good.with_name("none.nc")
        write_netcdf(path, {"lat": 2}, [Variable("lat", ("lat",), LAT, {})], {})
        HarvestFiles.open([path])


def test_a_file_that_is_not_there_is_named_when_a_run_is_opened(
    coupled: Callable[..., Path], cells: dict[str, np.ndarray]
) -> None:
    experiment = coupled("harvest_missing", host="classes")
    text = experiment.read_text("utf-8")
    experiment.write_text(f'{text}harvest = ["nowhere.nc"]\n', "utf-8")
    with pytest.raises(InputError, match="nowhere.nc"):
        Coupler.open(experiment, **cells, year=FIRST)


def test_a_projected_file_is_refused(tmp_path: Path) -> None:
    path, shape = tmp_path / "projected.nc", ("time", "y", "x")
    lat, lon = np.meshgrid(np.array([50.5, 49.5, 48.5]), LON, indexing="ij")
    lat = lat + 0.1 * np.arange(3)
    places = [
        Variable(name, ("y", "x"), values, {"units": f"degrees_{side}"})
        for name, values, side in (("lat", lat, "north"), ("lon", lon, "east"))
    ]
    time = Variable("time", ("time",), np.array([1165.0]), {"units": "years since 850-01-01"})
    data = Variable(
        "primf_harv", shape, np.zeros((1, 3, 3)), {"units": "1", "coordinates": "lat lon"}
    )
    write_netcdf(path, {"time": 1, "y": 3, "x": 3}, [time, *places, data], {})
    with pytest.raises(InputError, match="projected"):
        HarvestFiles.open([path])


def test_a_host_gets_it_each_year_and_adds_nothing(
    write: Write, coupled: Callable[..., Path], cells: dict[str, np.ndarray], tmp_path: Path
) -> None:
    path = write(years=2)
    experiment = coupled("harvest", host="classes")
    text = experiment.read_text("utf-8")
    experiment.write_text(f"{text}harvest = {json.dumps([str(path)])}\n", "utf-8")
    coupler = Coupler.open(experiment, **cells, year=FIRST)
    assert {"primf_harv", "secyf_bioh", "area_fraction_forest"} <= set(coupler.names())
    assert coupler.describe("primf_harv", "denominator") == "the host's cell"
    with pytest.raises(CouplingError, match="'primf_harv' is LUH2's, passed through"):
        coupler.baseline("primf_harv", np.zeros(12))
    with pytest.raises(CouplingError, match="'primf_harv' is passed through: only annual"):
        coupler.get_maximum("primf_harv", FIRST)
    coupler.update(FIRST, 1, 1)
    first = coupler.get("primf_harv")
    assert first.any() and np.isfinite(first).all()
    coupler.update(FIRST + 1, 1, 1)
    assert coupler.changed("primf_harv")
    assert coupler.get("primf_harv") == pytest.approx(2 * first, rel=1e-6)
    assert np.array_equal(coupler.get_previous("primf_harv"), first)
    with pytest.raises(CouplingError, match="'primf_harv' is LUH2's, passed through"):
        coupler.add_change("primf_harv", first)
    with pytest.raises(InputError, match=f"no harvest of {FIRST + 2}"):
        coupler.update(FIRST + 2, 1, 1)
    assert coupler.year == FIRST + 1 and coupler.update(FIRST + 1, 1, 2) is False


def test_observing_writes_it(
    write: Write, coupled: Callable[..., Path], cells: dict[str, np.ndarray], tmp_path: Path
) -> None:
    experiment = coupled("harvest_seen", host="classes", observe=str(tmp_path / "seen"))
    text = experiment.read_text("utf-8")
    experiment.write_text(f"{text}harvest = {json.dumps([str(write())])}\n", "utf-8")
    Coupler.open(experiment, **cells, year=FIRST).update(FIRST, 1, 1)
    with NetcdfFile(tmp_path / "seen" / f"landstep_fields_{FIRST}.nc") as file:
        assert file.read("primf_harv").any()
        assert file.attrs("secyf_bioh")["units"] == "g m-2 yr-1"
