"""What coupling must not change: identity, reference year, observing, switched off."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from landstep.coupling.coupler import Coupler
from landstep.coupling.points import Points
from landstep.emulator.classes import scheme
from landstep.fortran_shim.example_run import prepare_example_run

FIRST = 2015
NAMES = scheme("hilda8").names
OF_LANDSTEP = {"covered_fraction", "dominant_class"}  # the host alone knows nothing of these
RunHost = Callable[..., tuple[int, str, str]]
WithCoupling = Callable[..., Path]
Run = Callable[..., dict[str, np.ndarray]]


@pytest.fixture
def run(
    programs: dict[str, Path],
    points: Points,
    run_host: RunHost,
    read_results: Callable[[Path], dict[str, np.ndarray]],
    tmp_path: Path,
) -> Run:
    """Give the function that runs the plain host on fractions of its own."""

    def call(experiment: Path, fraction: np.ndarray | None, last: int, **settings: Any) -> dict:
        of = scheme("hilda8")
        namelist = prepare_example_run(
            tmp_path, experiment, of, points, FIRST, last, fraction=fraction, settings=settings
        )
        assert run_host(programs["plain"], namelist)[0::2] == (0, "")
        return read_results(tmp_path / "results.nc")

    return call


@pytest.fixture
def baseline(points: Points) -> np.ndarray:
    """Fractions that no map has, as a tuned climatology is: (8, n), summing to 1."""
    rng = np.random.default_rng(11)
    parts = rng.random((8, points.lon.size)) * (rng.random((8, points.lon.size)) < 0.7)
    parts[0] += 0.01
    return parts / parts.sum(axis=0)


def same(one: dict[str, np.ndarray], other: dict[str, np.ndarray], records: int) -> None:
    """Every bit of the host's own state, over the first records."""
    assert one.keys() == other.keys()
    for name in one.keys() - OF_LANDSTEP:
        assert np.array_equal(one[name][:records], other[name][:records]), name


def test_fields_that_the_host_already_has_change_no_bit(
    run: Run, points: Points, with_coupling: WithCoupling
) -> None:
    """Its fractions are landstep's of the year: the update moves nothing, the run is the same."""
    experiment = with_coupling("absolute", mode="absolute")
    coupler = Coupler.open(
        experiment,
        points.lon,
        points.lat,
        lon_bounds=points.lon_bounds,
        lat_bounds=points.lat_bounds,
        year=FIRST,
    )
    coupler.update(FIRST, 1, 1)
    fraction = np.array([coupler.get(f"area_fraction_{name}") for name in NAMES])
    alone = run(experiment, fraction, FIRST + 1, coupled=False)
    coupled = run(experiment, fraction, FIRST + 1)
    same(coupled, alone, 1)
    assert not np.array_equal(coupled["tile_water"][1], alone["tile_water"][1])
    assert not alone["dominant_class"].any() and coupled["dominant_class"].any()


def test_the_reference_year_of_anomaly_coupling_changes_no_bit(
    run: Run, baseline: np.ndarray, with_coupling: WithCoupling
) -> None:
    """A baseline far from landstep's map stays; after that year it changes as landstep does."""
    experiment = with_coupling("anomaly", mode="anomaly", reference=FIRST)
    alone = run(experiment, baseline, FIRST + 2, coupled=False)
    coupled = run(experiment, baseline, FIRST + 2)
    same(coupled, alone, 1)
    assert np.array_equal(coupled["area_fraction"][0], baseline)
    later = coupled["area_fraction"][1:]
    assert (later >= 0).all() and np.allclose(later.sum(axis=1), 1, atol=1e-13)
    assert not np.array_equal(later[0], later[1])


def test_budgets_close_where_only_net_fractions_are_the_hosts_own(
    run: Run, baseline: np.ndarray, with_coupling: WithCoupling
) -> None:
    """Anomaly mode: gross change is landstep's, fractions are the host's."""
    found = run(with_coupling("anomaly", mode="anomaly", reference=FIRST), baseline, FIRST + 3)
    for name in ("water", "heat"):
        errors = found[f"{name}_error"]
        assert (errors <= 4 * np.finfo(np.float32).eps).all() and errors.any()
    assert (found["tile_water"] >= 0).all() and np.isfinite(found["tile_heat"]).all()


def test_observing_changes_no_bit_and_reports(
    run: Run, baseline: np.ndarray, with_coupling: WithCoupling, tmp_path: Path
) -> None:
    seen = tmp_path / "seen"
    alone = run(with_coupling("plain"), baseline, FIRST + 2, coupled=False)
    observed = run(with_coupling("observe", observe=str(seen)), baseline, FIRST + 2)
    same(observed, alone, 3)
    assert list(seen.glob("*.nc"))


def test_landstep_switched_off_changes_no_bit(
    run: Run, baseline: np.ndarray, with_coupling: WithCoupling
) -> None:
    alone = run(with_coupling("plain"), baseline, FIRST + 1, coupled=False)
    same(run(with_coupling("off", active=False), baseline, FIRST + 1), alone, 2)


@pytest.mark.parametrize(
    ("fraction", "words"),
    [
        (np.full((8, 1), 0.2), "fraction: those of point 1 are not in 0..1, or sum to more than 1"),
        (np.full((8, 1), -0.1), "fraction: those of point 1 are not in 0..1"),
        (np.full((7, 1), 0.1), "fraction: has 7 covers, the host asks for 8"),
    ],
)
def test_fractions_that_cannot_be_are_refused(
    programs: dict[str, Path], run_host: RunHost, tmp_path: Path, fraction: np.ndarray, words: str
) -> None:
    point = Points.make(np.array([-29.0]), np.array([49.0]))
    namelist = prepare_example_run(
        tmp_path, Path("none.toml"), scheme("hilda8"), point, FIRST, FIRST, fraction=fraction,
        settings={"coupled": False},
    )  # fmt: skip
    code, out, err = run_host(programs["plain"], namelist)
    assert (code, out) == (1, "") and err.startswith(f"example_host: {words}")


def test_another_runs_restart_of_the_host_is_refused(
    programs: dict[str, Path], run_host: RunHost, tmp_path: Path
) -> None:
    of, fraction = scheme("hilda8"), np.full((8, 2), 0.125)
    two = Points.make(np.array([-29.0, -28.0]), np.array([49.0, 50.0]))
    alone = {"coupled": False}
    namelist = prepare_example_run(
        tmp_path, Path("none.toml"), of, two, FIRST, FIRST, fraction=fraction, settings=alone
    )
    assert run_host(programs["plain"], namelist)[0] == 0
    other = tmp_path / "other"
    other.mkdir()
    one = Points.make(np.array([-29.0]), np.array([49.0]))
    for path, words in (
        (tmp_path / "host_restart.nc", "has 2 points of 8 covers; the run has 1 of 8"),
        (tmp_path / "points.nc", "year, point, cover: NetCDF: Invalid dimension"),
    ):
        namelist = prepare_example_run(
            other, Path("none.toml"), of, one, FIRST + 1, FIRST + 1, fraction=fraction[:, :1],
            settings=alone | {"host_restart_in": str(path)},
        )  # fmt: skip
        code, out, err = run_host(programs["plain"], namelist)
        assert (code, out) == (1, "") and words in err
