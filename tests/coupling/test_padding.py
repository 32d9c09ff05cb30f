"""Points that are no places: padding of a host's blocks, and points of a coarse host without cells.

Rows 101 and 102 of the faults.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable
from pathlib import Path

import netCDF4
import numpy as np
import pytest

from landstep.coupling.coupler import Coupler
from landstep.coupling.host_points import HostPoints
from landstep.coupling.point_notes import point_notes
from landstep.coupling.points import Points
from landstep.coupling.remap import remap_to
from landstep.emulator.errors import CouplingError
from landstep.emulator.grid import Grid

FIRST = 2015
RUBBISH = [(np.nan, np.nan), (1e30, -1e30), (np.inf, 0.0), (0.0, 0.0), (np.nan, 49.5)]
Coupled = Callable[..., Path]
Cells = dict[str, np.ndarray]


def padded(cells: Cells) -> Cells:
    """The points in blocks of 8, whose rest is rubbish and has the index of a real point."""
    n = cells["lon_deg"].size
    more = -(-n // 8) * 8 - n
    rubbish = [pair for pair, _ in zip(itertools.cycle(RUBBISH), range(more), strict=False)]
    lon, lat = np.array(rubbish).T
    rest = {
        name: np.full((more, *values.shape[1:]), np.nan)
        for name, values in cells.items()
        if name not in ("lon_deg", "lat_deg")
    }
    return {
        **{name: np.concatenate([cells[name], of]) for name, of in rest.items()},
        "lon_deg": np.concatenate([cells["lon_deg"], lon]),
        "lat_deg": np.concatenate([cells["lat_deg"], lat]),
        "index": np.concatenate([np.arange(n), np.zeros(more, int)]),
        "mask": np.arange(n + more) < n,
    }


def test_padding_is_not_looked_at() -> None:
    """Row 102: NaN, rubbish, and index 0 once more."""
    lon, lat = (np.array(of) for of in zip((-29.0, 49.5), *RUBBISH, strict=True))
    mask = np.arange(6) < 1
    points = Points.make(lon, lat, index=np.zeros(6, int), mask=mask)
    assert points.index.tolist() == [0, -1, -2, -3, -4, -5]
    assert points.lon.tolist() == [-29.0] + [0.0] * 5 and np.isfinite(points.lat).all()
    assert np.isnan(lon[1]), "the host's own array was changed"
    below = Points.make(lon, lat, index=np.array([7, -1, -1, 3, 2, -99]), mask=mask)
    assert below.index.tolist() == [7, -1, -2, -3, -4, -5]
    assert Points.make(lon, lat, mask=mask).index.tolist() == [0, -1, -2, -3, -4, -5]
    hidden = np.ma.array(np.arange(6), mask=~mask)
    assert Points.make(lon, lat, index=hidden, mask=mask).index.tolist()[:2] == [0, -1]
    huge = np.full(6, 2**64 - 1, np.uint64)
    huge[0] = 3
    assert Points.make(lon, lat, index=huge, mask=mask).index.tolist()[:2] == [3, -1]


@pytest.mark.parametrize("wrong", [{"index": [0, 0]}, {"index": [-1, 1]}, {"lon": [np.nan, 1.0]}])
def test_what_is_served_is_looked_at(wrong: dict[str, list[float]]) -> None:
    lon = np.array(wrong.get("lon", [0.0, 1.0]))
    with pytest.raises(CouplingError, match="at point"):
        Points.make(lon, np.zeros(2), index=np.array(wrong.get("index", [0, 1])))


def test_what_is_not_served_takes_no_cells_from_others() -> None:
    """Where cells count to the nearest centre: a host's rubbish may look like a place."""
    grid = Grid.regular(np.array([1.0, 0.0, -1.0]), np.array([-1.0, 0.0, 1.0]), "nine")
    numbers, area = np.zeros((3, 3), np.uint8), np.full(3, 2e11)
    lon, lat = np.array([0.9, 0.0, 0.0]), np.array([0.0, 0.0, 0.0])
    mask = np.array([True, False, False])

    def found(index: list[int]) -> int:
        points = Points.make(lon, lat, area_m2=area, index=np.array(index), mask=mask)
        return int(remap_to(points, grid).class_areas(numbers, 1)[0, 0])

    alone = Points.make(lon[:1], lat[:1], area_m2=area[:1])
    whole = int(remap_to(alone, grid).class_areas(numbers, 1)[0, 0])
    assert found([4, 4, 4]) == found([4, 0, 0]) == found([4, 0, 4]) == whole


def test_rubbish_that_differs_from_run_to_run_stops_no_restart(
    coupled: Coupled, cells: Cells, tmp_path: Path
) -> None:
    """Memory that nobody set: plausible places, an index of its own, once these, once those."""
    given, n = coupled("rubbish", host="classes"), cells["lon_deg"].size

    def run(seed: int, **how: object) -> Coupler:
        rng = np.random.default_rng(seed)
        points = padded(cells)
        rest = points["lon_deg"].size - n
        points["lon_deg"][n:] = rng.uniform(-30, -28, rest)
        points["lat_deg"][n:] = rng.uniform(48, 50, rest)
        points["index"][n:] = rng.integers(0, 2**40, rest)
        return Coupler.open(given, **points, **how)

    first = run(1, year=FIRST)
    first.baseline("covered_fraction", np.linspace(0, 1, first.n))
    first.update(FIRST, 1, 1)
    first.write_restart(tmp_path / "r.nc")
    again = run(2, restart=tmp_path / "r.nc")
    again.baseline("covered_fraction", np.linspace(0, 1, first.n)[::-1])
    again.update(FIRST, 1, 2)
    found = again.get("covered_fraction")
    assert np.array_equal(found[:n], first.get("covered_fraction")[:n])
    assert np.array_equal(found[n:], np.linspace(0, 1, first.n)[::-1][n:]), "what the host gives"
    silent = run(3, restart=tmp_path / "r.nc")
    silent.update(FIRST, 1, 2)
    assert np.isfinite(silent.get("covered_fraction")).all()


def test_a_host_with_padding_gets_the_fields_of_one_without(
    coupled: Coupled, cells: Cells, tmp_path: Path
) -> None:
    """And its restart serves a host with other blocks, or none."""
    given, n = coupled("padded", host="classes"), cells["lon_deg"].size
    blocks = padded(cells)
    plain, with_rest = (Coupler.open(given, **of, year=FIRST) for of in (cells, blocks))
    for coupler in (plain, with_rest):
        coupler.update(FIRST, 1, 1)
    assert with_rest.n == blocks["lon_deg"].size > n
    for name in plain.names():
        found = with_rest.get(name)
        assert np.array_equal(found[:n], plain.get(name)) and np.isfinite(found).all(), name
    with_rest.write_restart(tmp_path / "r.nc")
    for of in (cells, blocks):
        again = Coupler.open(given, **of, restart=tmp_path / "r.nc")
        again.update(FIRST, 2, 1)
        assert np.array_equal(again.get("covered_fraction")[:n], plain.get("covered_fraction"))


def test_baselines_of_padding_come_back_and_are_in_no_file(
    coupled: Coupled, cells: Cells, tmp_path: Path
) -> None:
    given = coupled("padded_own", host="classes", observe=str(tmp_path / "seen"))
    blocks, n = padded(cells), cells["lon_deg"].size
    coupler = Coupler.open(given, **blocks, year=FIRST)
    own = np.full(coupler.n, 0.25)
    own[n:] = [0.5, np.nan, 7.0, 0.0][: own.size - n]
    coupler.baseline("covered_fraction", own)
    coupler.update(FIRST, 1, 1)
    assert np.array_equal(coupler.get("covered_fraction")[:n], own[:n])
    assert np.isfinite(coupler.get("covered_fraction")).all()
    with netCDF4.Dataset(tmp_path / "seen" / f"landstep_fields_{FIRST}.nc") as file:
        assert file["index"][:].tolist() == list(range(n))
    coupler.write_restart(tmp_path / "r.nc")
    again = Coupler.open(given, **cells, restart=tmp_path / "r.nc")
    again.update(FIRST, 2, 1)
    assert np.array_equal(again.get("covered_fraction"), own[:n])


def coarse() -> dict[str, np.ndarray]:
    lat, lon = np.meshgrid(46 + 0.5 * np.arange(8), -33 + 0.5 * np.arange(12), indexing="ij")
    return {"lon_deg": lon.ravel(), "lat_deg": lat.ravel()}


def test_points_of_a_coarse_host_without_cells_are_refused_with_what_to_give(
    experiment: Path, coupled: Coupled
) -> None:
    """Silently, 0 of 68 points moved in real hosts."""
    with pytest.raises(CouplingError) as refused:
        Coupler.open(experiment, **coarse(), year=FIRST)
    words = "lon_bounds", "vertices", "area", "weights", "96 points", "geometry = 'left'"
    assert all(fact in str(refused.value) for fact in words)
    near = {name: values[:2] for name, values in coarse().items()}
    for apart, bad in ((2.7, False), (3.3, True)):  # of 0.747 km
        near["lon_deg"] = -29 + np.array([0.0, apart / 72.2])
        near["lat_deg"] = np.full(2, 49.5)
        if bad:
            with pytest.raises(CouplingError, match="2 points about 3.3 km apart"):
                Coupler.open(experiment, **near, year=FIRST)
        else:
            assert "2.7 km apart" in Coupler.open(experiment, **near, year=FIRST).describe(
                "points", "notes"
            )
    areas = {**coarse(), "area_m2": np.full(96, 2e9)}
    assert Coupler.open(experiment, **areas, year=FIRST).describe("points", "notes") == ""
    areas["area_m2"] = np.full(96, 2e3)
    with pytest.raises(CouplingError, match=r"96 points .* areas of 2e\+03 m2 .*is area in m2"):
        Coupler.open(experiment, **areas, year=FIRST)
    left = Coupler.open(coupled("small_areas", geometry="left"), **areas, year=FIRST)
    assert "areas of 2e+03 m2" in left.describe("points", "notes")


def test_sites_far_apart_are_spoken_of_at_init(
    coupled: Coupled, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Row 101: in the log and to whoever asks, and not printed."""
    with caplog.at_level(logging.WARNING, "landstep"):
        coupler = Coupler.open(coupled("sites", geometry="left"), **coarse(), year=FIRST)
    told = coupler.describe("points", "notes")
    assert [record.getMessage() for record in caplog.records] == [told]
    for fact in ("96 points", "lon_bounds", "vertices", "area", "weights", " km apart"):
        assert fact in told, fact
    assert capfd.readouterr() == ("", "")


def test_cells_or_points_as_close_as_the_map_are_nothing_to_speak_of(experiment: Path) -> None:
    points = coarse()
    bounds = {
        "lon_bounds": points["lon_deg"][:, None] + [-0.25, 0.25],
        "lat_bounds": points["lat_deg"][:, None] + [-0.25, 0.25],
    }
    fine = {"lon_deg": -29 + np.arange(40) / 120, "lat_deg": np.full(40, 49.5)}
    one = {"lon_deg": np.array([-29.0]), "lat_deg": np.array([49.5])}
    for given in ({**points, **bounds}, fine, one):
        assert Coupler.open(experiment, **given, year=FIRST).describe("points", "notes") == ""


def test_notes_are_of_all_ranks_points() -> None:
    grid = Grid.regular(50 - np.arange(90) / 90, -30 + np.arange(90) / 90, "degree")
    (note,) = point_notes(Points.make(coarse()["lon_deg"], coarse()["lat_deg"]), grid, None)
    assert note.startswith("96 points about ") and HostPoints.notes == ()


@pytest.mark.parametrize("numbered", [True, False])
def test_a_masked_point_has_its_own_field_after_a_restart(
    coupled: Coupled, cells: Cells, tmp_path: Path, numbered: bool
) -> None:
    """The sea of a host whose sea has indices: also where baselines are not given again."""
    given, mask = coupled("sea", host="classes"), np.arange(12) % 3 > 0
    index = {"index": np.arange(12)[::-1] * 5} if numbered else {}
    first = Coupler.open(given, **cells, **index, mask=mask, year=FIRST)
    own = np.linspace(0.1, 0.9, 12)
    first.baseline("covered_fraction", own)
    first.update(FIRST, 1, 1)
    first.write_restart(tmp_path / "r.nc")
    again = Coupler.open(given, **cells, **index, mask=mask, restart=tmp_path / "r.nc")
    again.update(FIRST, 1, 2)
    assert np.array_equal(again.get("covered_fraction"), first.get("covered_fraction"))
    assert np.array_equal(again.get("covered_fraction")[~mask], own[~mask])
    if numbered:
        order = np.random.default_rng(0).permutation(12)
        moved = {name: values[order] for name, values in {**cells, **index}.items()}
        again = Coupler.open(given, **moved, mask=mask[order], restart=tmp_path / "r.nc")
        again.update(FIRST, 1, 2)
        assert np.array_equal(again.get("covered_fraction"), first.get("covered_fraction")[order])


@pytest.mark.parametrize("rubbish", [[99, 99], [7, 8], [-3, 7]])
def test_an_index_that_another_point_has_too_is_no_masked_points(
    coupled: Coupled, cells: Cells, tmp_path: Path, rubbish: list[int]
) -> None:
    """Their fields come from what the host gives again, else they are fills."""
    given, mask = coupled("twice", host="classes"), np.arange(12) > 1
    index = np.concatenate([rubbish, np.arange(2, 12)])
    first = Coupler.open(given, **cells, index=index, mask=mask, year=FIRST)
    first.baseline("covered_fraction", np.linspace(0.1, 0.9, 12))
    first.update(FIRST, 1, 1)
    first.write_restart(tmp_path / "r.nc")
    for again_own, expected in ((None, [0, 0]), (0.5, [0.5, 0.5])):
        again = Coupler.open(given, **cells, index=index, mask=mask, restart=tmp_path / "r.nc")
        if again_own is not None:
            again.baseline("covered_fraction", np.full(12, again_own))
        again.update(FIRST, 1, 2)
        assert again.get("covered_fraction")[:2].tolist() == expected


def test_padding_has_a_number_of_its_own_on_every_rank() -> None:
    mask = np.array([True, False, False])
    mine = Points.make(np.zeros(3), np.zeros(3), index=np.array([5, 0, 6]), mask=mask)
    assert mine.index.tolist() == [5, -1, -2]
    assert mine.with_padding_after(4).index.tolist() == [5, -5, -6]
