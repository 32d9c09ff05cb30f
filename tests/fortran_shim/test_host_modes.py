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
from landstep.emulator.netcdf import NetcdfFile
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

    def call(
        experiment: Path,
        fraction: np.ndarray | None,
        last: int,
        flags: str = "plain",
        **settings: Any,
    ) -> dict[str, np.ndarray]:
        of = scheme("hilda8")
        namelist = prepare_example_run(
            tmp_path, experiment, of, points, FIRST, last, fraction=fraction, settings=settings
        )
        assert run_host(programs[flags], namelist)[0::2] == (0, "")
        return read_results(tmp_path / "results.nc")

    return call


@pytest.fixture
def baseline(points: Points) -> np.ndarray:
    """Fractions that no map has, as a tuned climatology is: (8, n), summing to 1."""
    rng = np.random.default_rng(11)
    parts = rng.random((8, points.lon.size)) * (rng.random((8, points.lon.size)) < 0.7)
    parts[0] += 0.01
    return parts / parts.sum(axis=0)


def same(one: dict[str, np.ndarray], other: dict[str, np.ndarray], records: slice) -> bool:
    """Every bit of the host's own results, in some years."""
    assert one.keys() == other.keys()
    return all(
        np.array_equal(one[name][records], other[name][records])
        for name in one.keys() - OF_LANDSTEP
    )


def fractions_of(experiment: Path, points: Points) -> np.ndarray:
    """Landstep's own of the first year: (8, n)."""
    bounds = {"lon_bounds": points.lon_bounds, "lat_bounds": points.lat_bounds}
    coupler = Coupler.open(experiment, points.lon, points.lat, year=FIRST, **bounds)
    coupler.update(FIRST, 1, 1)
    return np.array([coupler.get(f"area_fraction_{name}") for name in NAMES])


@pytest.mark.parametrize("mode", ["absolute", "anomaly"])
def test_fields_that_the_host_already_has_change_no_bit(
    run: Run, points: Points, with_coupling: WithCoupling, mode: str
) -> None:
    """Its fractions are landstep's of the year: the update moves nothing; those after it do."""
    experiment = with_coupling(mode, mode=mode)
    fraction = fractions_of(experiment, points)
    alone = run(experiment, fraction, FIRST + 2, coupled=False)
    coupled = run(experiment, fraction, FIRST + 2)
    assert same(coupled, alone, slice(1))
    assert not same(coupled, alone, slice(1, 2)) and not same(coupled, alone, slice(2, 3))
    assert not alone["dominant_class"].any() and coupled["dominant_class"].any()


def test_updates_of_land_that_stands_still_change_no_bit_in_any_year(
    run: Run, points: Points, with_coupling: WithCoupling, untrained_model: Path
) -> None:
    """No quotas, and a network that keeps every cell: each year hands out what the host has."""
    experiment = with_coupling("still", mode="absolute")
    lines = experiment.read_text("utf-8").splitlines()
    lines = [f'model = "{untrained_model}"' if of.startswith("model =") else of for of in lines]
    experiment.write_text("\n".join([*lines, "[allocation]", 'mode = "none"', ""]), "utf-8")
    fraction = fractions_of(experiment, points)
    alone = run(experiment, fraction, FIRST + 3, coupled=False)
    coupled = run(experiment, fraction, FIRST + 3)
    for name in ("water", "heat"):  # totals at the last update: the host alone has none
        before, after = (coupled.pop(f"{name}_{when}") for when in ("before", "after"))
        assert np.array_equal(before, after) and not np.array_equal(before[0], before[1])
        del alone[f"{name}_before"], alone[f"{name}_after"]
    assert same(coupled, alone, slice(None)) and coupled["covered_fraction"].any()


@pytest.mark.parametrize("flags", ["plain", "trapping"])
def test_the_reference_year_of_anomaly_coupling_changes_no_bit(
    run: Run, baseline: np.ndarray, with_coupling: WithCoupling, flags: str
) -> None:
    """A baseline far from landstep's map stays; after that year it changes as landstep does."""
    experiment = with_coupling("anomaly", mode="anomaly", reference=FIRST)
    alone = run(experiment, baseline, FIRST + 2, flags, coupled=False)
    coupled = run(experiment, baseline, FIRST + 2, flags)
    assert same(coupled, alone, slice(1))
    assert not same(coupled, alone, slice(1, 2)) and not same(coupled, alone, slice(2, 3))
    assert np.array_equal(coupled["area_fraction"][0], baseline)
    later = coupled["area_fraction"][1:]
    assert (later >= 0).all() and np.allclose(later.sum(axis=1), 1, atol=1e-13)
    assert not np.array_equal(later[0], later[1])


@pytest.mark.parametrize("flags", ["plain", "trapping"])
def test_budgets_close_where_only_net_fractions_are_the_hosts_own(
    run: Run, baseline: np.ndarray, with_coupling: WithCoupling, flags: str
) -> None:
    """Anomaly mode over years: gross change is landstep's, fractions are the host's."""
    experiment = with_coupling("anomaly", mode="anomaly", reference=FIRST)
    found = run(experiment, baseline, FIRST + 6, flags)
    epsilon = np.finfo(np.float64 if flags == "trapping" else np.float32).eps
    shares = np.concatenate([found["area_fraction"], found["own_fraction"][:, None]], axis=1)
    for name in ("water", "heat"):
        before, after = found[f"{name}_before"], found[f"{name}_after"]
        assert (np.abs(after - before) <= 4 * epsilon * before).all() and (before > 0).all()
        assert (found[f"{name}_error"] <= 4 * epsilon).all()
        assert (after != before).any(axis=1)[1:].all()  # every year moved something
        kept = (shares[1:] * found[f"tile_{name}"][:-1]).sum(axis=1)
        assert (np.abs(kept / before[1:] - 1) > 64 * epsilon).any()  # the stores had to move
    assert (found["tile_water"] >= 0).all() and np.isfinite(found["tile_heat"]).all()


def test_observing_changes_no_bit_and_reports_what_would_have_been(
    run: Run, baseline: np.ndarray, with_coupling: WithCoupling, tmp_path: Path
) -> None:
    seen = tmp_path / "seen"
    alone = run(with_coupling("plain"), baseline, FIRST + 2, coupled=False)
    observed = run(with_coupling("observe", observe=str(seen)), baseline, FIRST + 2)
    assert same(observed, alone, slice(None))
    coupled = run(with_coupling("plain"), baseline, FIRST + 2)
    assert not same(coupled, alone, slice(1, 2)) and not same(coupled, alone, slice(2, 3))
    for record in range(3):
        with NetcdfFile(seen / f"landstep_fields_{FIRST + record}.nc") as file:
            for k, name in enumerate(NAMES):
                told = file.read(f"area_fraction_{name}")
                assert np.array_equal(told, coupled["area_fraction"][record, k]), (record, name)


def test_landstep_switched_off_changes_no_bit(
    run: Run, baseline: np.ndarray, with_coupling: WithCoupling
) -> None:
    alone = run(with_coupling("plain"), baseline, FIRST + 2, coupled=False)
    assert same(run(with_coupling("off", active=False), baseline, FIRST + 2), alone, slice(None))
    coupled = run(with_coupling("plain"), baseline, FIRST + 2)
    assert not same(coupled, alone, slice(1, 2)) and not same(coupled, alone, slice(2, 3))


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
