"""What a coupler keeps in a restart: its own fields and climate, on whatever ranks go on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from landstep.coupling.coupler import Coupler
from landstep.coupling.host_points import HostPoints
from landstep.coupling.points import Points
from landstep.coupling.restarting import Memory, check_start
from landstep.emulator.emulator import Emulator
from landstep.emulator.errors import CouplingError, StateError, StepError
from landstep.emulator.state import State

FIRST = 2015
Coupled = Callable[..., Path]
Cells = dict[str, np.ndarray]


def baselines(n: int) -> dict[str, np.ndarray]:
    """A host's own fields on n points, all that the small host has."""
    rng = np.random.default_rng(8)
    green, town = rng.uniform(10, 50, (2, n))
    return {
        "vegl": rng.uniform(0.1, 0.5, n),
        "vegh": rng.uniform(0.1, 0.5, n),
        "typel": rng.choice([1.0, 2.0], n),
        "typeh": rng.choice([3.0, 5.0], n),
        "pct_green": green,
        "pct_town": town,
        "pct_ice": 100 - green - town,
        "z0": rng.uniform(0.01, 2.0, n),
        "green": rng.uniform(10, 90, n),
        "lail": rng.uniform(0.5, 6.0, (n, 12)),
        "alb12": rng.uniform(0.1, 0.3, (n, 12)),
    }


def weather(cells: Cells, month: int, number: int = 0) -> dict[str, np.ndarray]:
    """A month's climate on the host's points, of which no two calls are alike."""
    lat = cells["lat_deg"]
    cold = 12 * np.cos(2 * np.pi * (month - 1) / 12)
    return {
        "air_temperature": 300 - 0.6 * np.abs(lat) - cold + number / 7,
        "precipitation_flux": (2 + 0.01 * lat + 0.1 * month + number) / 86400,
    }


def put(coupler: Coupler, cells: Cells, month: int, number: int = 0) -> None:
    for name, values in weather(cells, month, number).items():
        coupler.put(name, values)


def year_of(coupler: Coupler, cells: Cells, year: int, months: range = range(1, 13)) -> None:
    for month in months:
        for day in (1, 16):
            coupler.update(year, month, day)
            put(coupler, cells, month, day)


def fields_of(coupler: Coupler) -> dict[str, np.ndarray]:
    return {name: coupler.get(name) for name in coupler.names()}


def assert_equal(first: dict[str, np.ndarray], second: dict[str, np.ndarray]) -> None:
    assert list(first) == list(second)
    for name, values in first.items():
        assert np.array_equal(values, second[name]), name


@pytest.fixture(scope="module")
def anomaly(coupled: Coupled) -> Path:
    return coupled("anomaly", mode="anomaly", albedo="required")


def begun(experiment: Path, cells: Cells) -> Coupler:
    coupler = Coupler.open(experiment, **cells, year=FIRST)
    for name, values in baselines(coupler.n).items():
        coupler.baseline(name, values)
    return coupler


@pytest.fixture(scope="module")
def straight(anomaly: Path, cells: Cells, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Fields of 2016 and 2017 of a run that never stopped, and the restarts that it wrote.

    The restarts: mid.nc in the middle of July 2016, end.nc on 31 December.
    """
    folder = tmp_path_factory.mktemp("straight")
    coupler = begun(anomaly, cells)
    year_of(coupler, cells, FIRST)
    year_of(coupler, cells, FIRST + 1, range(1, 7))
    coupler.update(FIRST + 1, 7, 1)
    put(coupler, cells, 7, 1)
    coupler.write_restart(folder / "mid.nc")
    found = [fields_of(coupler)]
    coupler.update(FIRST + 1, 7, 16)
    put(coupler, cells, 7, 16)
    year_of(coupler, cells, FIRST + 1, range(8, 13))
    coupler.update(FIRST + 1, 12, 31)
    coupler.write_restart(folder / "end.nc")
    coupler.update(FIRST + 2, 1, 1)
    found.append(fields_of(coupler))
    coupler.write_restart(folder / "last.nc")
    return folder, found


def test_a_run_that_stops_in_july_goes_on_with_the_same_bits(
    anomaly: Path, cells: Cells, straight: Any, tmp_path: Path
) -> None:
    """Sums of half a year, baselines and their reference: all as if it had not stopped."""
    folder, (july, january) = straight
    coupler = Coupler.open(anomaly, **cells, restart=folder / "mid.nc")
    assert coupler.update(FIRST + 1, 7, 1) is True, "the host has no fields yet"
    assert_equal(fields_of(coupler), july)
    coupler.update(FIRST + 1, 7, 16)
    put(coupler, cells, 7, 16)
    year_of(coupler, cells, FIRST + 1, range(8, 13))
    coupler.update(FIRST + 2, 1, 1)
    assert_equal(fields_of(coupler), january)
    coupler.write_restart(tmp_path / "last.nc")
    ours, theirs = State.load(tmp_path / "last.nc"), State.load(folder / "last.nc")
    assert ours.checksum == theirs.checksum
    assert len(ours.climate.years) == 2


def test_the_climate_that_was_put_counts(
    anomaly: Path, cells: Cells, straight: Any, tmp_path: Path
) -> None:
    """The control: other numbers in the second half of the year leave another state."""
    folder, _ = straight
    coupler = Coupler.open(anomaly, **cells, restart=folder / "mid.nc")
    for month in range(7, 13):
        coupler.update(FIRST + 1, month, 16)
        put(coupler, cells, month, 0)
    coupler.update(FIRST + 2, 1, 1)
    coupler.write_restart(tmp_path / "last.nc")
    found = [State.load(f / "last.nc").climate.years[-1][0] for f in (tmp_path, folder)]
    known = np.isfinite(found[0][0])
    assert known.any()
    assert np.array_equal(found[0][:6][:, known], found[1][:6][:, known])
    assert (found[0][6:][:, known] != found[1][6:][:, known]).all()


def test_a_year_that_was_complete_is_heard_by_the_run_that_goes_on(
    anomaly: Path, cells: Cells, straight: Any
) -> None:
    folder, (_, january) = straight
    coupler = Coupler.open(anomaly, **cells, restart=folder / "end.nc")
    assert coupler.update(FIRST + 2, 1, 1) is True
    assert_equal(fields_of(coupler), january)
    gain, _ = coupler.get_change("forest")
    assert gain.any(), "the change from the restart's year to this one"


def test_the_order_of_points_and_their_baselines_may_change(
    anomaly: Path, cells: Cells, straight: Any
) -> None:
    folder, (_, january) = straight
    order = np.random.default_rng(4).permutation(12)
    turned = {name: values[order] for name, values in cells.items()}
    coupler = Coupler.open(anomaly, **turned, index=order, restart=folder / "end.nc")
    coupler.update(FIRST + 2, 1, 1)
    assert_equal(fields_of(coupler), {name: values[order] for name, values in january.items()})


def test_baselines_given_after_a_restart_do_not_count(
    anomaly: Path, cells: Cells, straight: Any
) -> None:
    """A host hands its fields over at every start; those are no longer its own."""
    folder, (july, _) = straight
    coupler = Coupler.open(anomaly, **cells, restart=folder / "mid.nc")
    for name, values in baselines(coupler.n).items():
        coupler.baseline(name, np.full_like(values, values.flat[0]))
    coupler.update(FIRST + 1, 7, 1)
    assert_equal(fields_of(coupler), july)


def test_a_baseline_that_the_restart_lacks_is_refused(
    coupled: Coupled, cells: Cells, tmp_path: Path
) -> None:
    classes = coupled("classes", host="classes")
    coupler = Coupler.open(classes, **cells, year=FIRST)
    coupler.update(FIRST, 1, 1)
    coupler.write_restart(tmp_path / "bare.nc")
    again = Coupler.open(classes, **cells, restart=tmp_path / "bare.nc")
    with pytest.raises(CouplingError, match="'covered_fraction': the restart holds none of it"):
        again.baseline("covered_fraction", np.ones(12))
    branch = Coupler.open(classes, **cells, restart=tmp_path / "bare.nc", start="branch")
    branch.baseline("covered_fraction", np.full(12, 0.25))
    branch.update(FIRST, 1, 1)
    assert branch.get("covered_fraction").tolist() == [0.25] * 12


def test_the_land_of_any_run_is_a_start_without_a_memory(
    anomaly: Path, cells: Cells, straight: Any, tmp_path: Path
) -> None:
    """What `landstep run` writes keeps nothing of a host: its baselines count from then."""
    emulator = Emulator.open(anomaly)
    emulator.step(FIRST + 1, emulator.start(FIRST)).save(tmp_path / "offline.nc")
    coupler = Coupler.open(anomaly, **cells, restart=tmp_path / "offline.nc")
    own = baselines(coupler.n)
    for name, values in own.items():
        coupler.baseline(name, values)
    coupler.update(FIRST + 1, 1, 1)
    for name in ("vegl", "pct_ice", "z0"):
        assert np.array_equal(coupler.get(name), own[name]), "the reference is the restart's year"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"mode": "absolute"}, r"mid.nc: written with \[coupling\] mode anomaly, this run has abs"),
        ({"reference": 2016}, r"\[coupling\] reference None, this run has 2016"),
        ({"cover": "lai"}, r"\[coupling\] cover table, this run has lai"),
        ({"host": "other.toml"}, r"\[coupling\] host small.toml, this run has other.toml"),
        ({"host": "example"}, r"written with \[coupling\] host small.toml.*start = .branch. goes"),
    ],
)
def test_other_settings_are_named_and_a_branch_takes_them(
    coupled: Coupled,
    cells: Cells,
    straight: Any,
    small_text: str,
    changes: dict[str, Any],
    words: str,
) -> None:
    folder, _ = straight
    (coupled("x").parent / "other.toml").write_text(small_text, "utf-8")
    told = {"host": "small.toml", "mode": "anomaly", "albedo": "left"} | changes
    other = coupled("other", **told)
    with pytest.raises(StateError, match=words):
        Coupler.open(other, **cells, restart=folder / "mid.nc")
    branch = Coupler.open(other, **cells, restart=folder / "mid.nc", start="branch")
    assert branch.year == FIRST + 1
    branch.update(FIRST + 1, 1, 1)
    branch.update(FIRST + 2, 1, 1)


def test_a_changed_row_of_the_hosts_table_is_seen(
    coupled: Coupled, cells: Cells, straight: Any, small_text: str
) -> None:
    folder, _ = straight
    changed = coupled("changed", host="small.toml", mode="anomaly")
    table = changed.parent / "small.toml"
    try:
        table.write_text(small_text.replace("oak = 0.25", "oak = 0.20").replace(
            "pine = 0.75", "pine = 0.80"), "utf-8")  # fmt: skip
        with pytest.raises(StateError, match="written with host table sha256 [0-9a-f]{12}, this"):
            Coupler.open(changed, **cells, restart=folder / "mid.nc")
    finally:
        table.write_text(small_text, "utf-8")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda c: {n: v[:-1] for n, v in c.items()}, "written for 12 points, this run has 11"),
        (lambda c: c | {"index": np.arange(1, 13)}, "has 12, with other global indices"),
        (lambda c: c | {"index": np.arange(12)[::-1]}, "global index [0-9]+ lay elsewhere"),
    ],
)
def test_other_points_are_refused(
    anomaly: Path, cells: Cells, straight: Any, change: Callable[[Cells], Cells], words: str
) -> None:
    folder, _ = straight
    given = change(dict(cells))
    with pytest.raises(StateError, match=f"mid.nc: .*{words}"):
        Coupler.open(anomaly, **given, restart=folder / "mid.nc")
    branch = Coupler.open(anomaly, **given, restart=folder / "mid.nc", start="branch")
    assert branch.update(FIRST + 1, 7, 1) is True


def test_points_rounded_to_single_precision_are_the_same_points(
    anomaly: Path, cells: Cells, straight: Any
) -> None:
    folder, (july, _) = straight
    lon = cells["lon_deg"].astype(np.float32).astype(np.float64) + 360
    assert (lon - 360 != cells["lon_deg"]).any()
    coupler = Coupler.open(anomaly, **cells | {"lon_deg": lon}, restart=folder / "mid.nc")
    coupler.update(FIRST + 1, 7, 1)
    assert_equal(fields_of(coupler), july)


def test_a_restart_of_another_year_is_refused(anomaly: Path, cells: Cells, straight: Any) -> None:
    folder, _ = straight
    with pytest.raises(StateError, match="2016.*2020"):
        Coupler.open(anomaly, **cells, restart=folder / "mid.nc", year=2020, start="restart")


@pytest.mark.parametrize(
    ("start", "restart", "words"),
    [
        ("cold", None, "start 'cold', expected one of initial, restart, branch"),
        ("restart", None, "start 'restart' with no restart file: name the one to start from"),
        ("branch", None, "start 'branch' with no restart file"),
        ("initial", "r.nc", "start 'initial' with the restart file r.nc: name none"),
    ],
)
def test_starts_and_restart_files_go_together(start: str, restart: str | None, words: str) -> None:
    with pytest.raises(StepError, match=words):
        check_start(start, restart)
    for good in ((None, None), (None, "r.nc"), ("initial", None), ("branch", "r.nc")):
        check_start(*good)


def test_a_host_without_points_can_stop_and_go_on(
    coupled: Coupled, cells: Cells, tmp_path: Path
) -> None:
    classes, none = coupled("classes", host="classes"), {n: v[:0] for n, v in cells.items()}
    coupler = Coupler.open(classes, **none, year=FIRST)
    coupler.baseline("covered_fraction", np.zeros(0))
    coupler.update(FIRST, 1, 1)
    coupler.put("air_temperature", np.zeros(0))
    coupler.write_restart(tmp_path / "r.nc")
    again = Coupler.open(classes, **none, restart=tmp_path / "r.nc")
    again.update(FIRST, 1, 1)
    assert again.get("covered_fraction").shape == (0,)


def test_memory_comes_back_in_this_ranks_order(anomaly: Path, cells: Cells) -> None:
    emulator = Emulator.open(anomaly)
    order = np.array([7, 2, 11])

    def placed(index: np.ndarray) -> HostPoints:
        some = {name: values[index] for name, values in cells.items()}
        points = Points.make(**some, index=index)
        ranks = emulator.assembly.ranks
        return HostPoints.make(points, emulator.grid, emulator.inputs.share, ranks)

    settings = {"mode": "anomaly"}
    memory = Memory(settings, {"a": order * 10.0}, {"when": np.array([2015, 1])})
    kept = memory.kept(placed(order))
    assert kept.arrays["a"].tolist() == [20.0, 70.0, 110.0]
    back = Memory.of(kept, placed(order[::-1]), settings, "r.nc")
    assert back.of_points["a"].tolist() == [110.0, 20.0, 70.0]
    assert back.of_all["when"].tolist() == [2015, 1] and set(back.of_points) == {"a"}
