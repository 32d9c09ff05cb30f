import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from landstep.coupling.coupler import Coupler
from landstep.coupling.points import Points
from landstep.emulator.classes import scheme
from landstep.emulator.errors import LandstepError
from landstep.emulator.state import State
from landstep.fortran_shim.example_run import prepare_example_run, run_example_host

FIRST, LAST = 2015, 2018
FIELDS = ("area_fraction", "covered_fraction", "dominant_class")
OWN = ("albedo", "roughness", "evaporation", "temperature", "latent_heat")
NAMES = scheme("hilda8").names
BUILDS = ("plain", "trapping", "fast", "debug")
RunHost = Callable[..., tuple[int, str, str]]
ReadResults = Callable[[Path], dict[str, np.ndarray]]


@pytest.fixture
def coupler(experiment: Path, points: Points) -> Coupler:
    return Coupler.open(
        experiment,
        points.lon,
        points.lat,
        lon_bounds=points.lon_bounds,
        lat_bounds=points.lat_bounds,
        year=FIRST,
    )


def test_the_fortran_host_gets_the_fields_of_the_python_coupler(
    results: dict[str, dict[str, np.ndarray]], coupler: Coupler
) -> None:
    plain = results["plain"]
    assert plain["year"].tolist() == list(range(FIRST, LAST + 1))
    for record, year in enumerate(range(FIRST, LAST + 1)):
        coupler.update(year, 1, 1)
        for k, name in enumerate(NAMES):
            expected = coupler.get(f"area_fraction_{name}")
            assert np.array_equal(plain["area_fraction"][record, k], expected)
        for name in FIELDS[1:]:
            assert np.array_equal(plain[name][record], coupler.get(name))
    assert not np.array_equal(plain["area_fraction"][0], plain["area_fraction"][-1])
    assert 0.2 < plain["covered_fraction"][0, 0] < 0.9 and plain["covered_fraction"][0, 1] == 1


@pytest.mark.parametrize("flags", ["trapping", "fast", "debug"])
def test_flags_change_no_bit_of_the_fields_and_little_of_the_host(
    results: dict[str, dict[str, np.ndarray]], flags: str
) -> None:
    for name in FIELDS:
        assert np.array_equal(results[flags][name], results["plain"][name])
    for name in OWN:
        assert np.allclose(results[flags][name], results["plain"][name], rtol=1e-5, atol=0)


def test_the_host_balances_its_energy(results: dict[str, dict[str, np.ndarray]]) -> None:
    """The mix of albedo by hand, and temperatures that a climate can have."""
    albedo = np.array([0.07, 0.17, 0.20, 0.22, 0.14, 0.21, 0.30, 0.07])
    for flags in BUILDS:
        run = results[flags]
        mixed = np.einsum("ykp,k->yp", run["area_fraction"], albedo)
        assert np.allclose(run["albedo"], mixed, rtol=1e-6)
        assert (run["temperature"] > 250).all() and (run["temperature"] < 310).all()
        assert (run["latent_heat"] > 0).all()


def test_the_host_uses_the_systems_netcdf(programs: dict[str, Path]) -> None:
    linked = subprocess.run(["ldd", str(programs["plain"])], capture_output=True, text=True).stdout
    assert "libnetcdff.so" in linked and "libnetcdf.so" in linked
    assert "not found" not in linked and "liblandstep.so" in linked


def namelist(folder: Path, experiment: Path, points: Points, /, **settings: Any) -> Path:
    """A namelist for the years 2015 and 2016, with other values for some of its names."""
    of = scheme("hilda8")
    plain = {key: str(v) if isinstance(v, Path) else v for key, v in settings.items()}
    return prepare_example_run(folder, experiment, of, points, FIRST, FIRST + 1, settings=plain)


def test_the_host_closes_its_budgets_at_every_update(
    results: dict[str, dict[str, np.ndarray]],
) -> None:
    """In each build to the round-off of its own reals; without moving the stores it would not."""
    for flags in BUILDS:
        run = results[flags]
        epsilon = np.finfo(np.float64 if flags == "trapping" else np.float32).eps
        shares = np.concatenate([run["area_fraction"], run["own_fraction"][:, None]], axis=1)
        for name in ("water", "heat"):
            assert (run[f"{name}_error"] <= 4 * epsilon).all(), (flags, name)
            before, after = run[f"{name}_before"], run[f"{name}_after"]
            assert (np.abs(after - before) <= 4 * epsilon * before).all() and (before > 0).all()
            unmoved = (shares[1:] * run[f"tile_{name}"][:-1]).sum(axis=1)
            moved = (np.abs(unmoved / before[1:] - 1) > 64 * epsilon).any()
            assert moved, (flags, name)  # the old stores on the new fractions


def test_each_update_starts_from_what_the_year_before_left(
    results: dict[str, dict[str, np.ndarray]],
) -> None:
    run = results["plain"]
    shares = np.concatenate([run["area_fraction"], run["own_fraction"][:, None]], axis=1)
    for name in ("water", "heat"):
        left = (shares * run[f"tile_{name}"]).sum(axis=1)
        assert np.allclose(run[f"{name}_before"][1:], left[:-1], rtol=1e-12, atol=0)
    assert (run["tile_water"] >= 0).all() and (run["tile_water"][shares == 0] == 0).all()


def test_a_restarted_host_goes_on_as_the_one_that_never_stopped(
    programs: dict[str, Path],
    results: dict[str, dict[str, np.ndarray]],
    experiment: Path,
    points: Points,
    run_host: RunHost,
    read_results: ReadResults,
    tmp_path: Path,
) -> None:
    """Stores, totals and the largest error so far with it, in both builds that differ in kind."""
    of = scheme("hilda8")
    for flags in ("plain", "trapping"):
        first, second = tmp_path / flags, tmp_path / f"{flags}_on"
        first.mkdir(), second.mkdir()
        asked = prepare_example_run(first, experiment, of, points, FIRST, 2016)
        assert run_host(programs[flags], asked)[0] == 0
        restart = first / "landstep_restart.nc"
        assert State.load(restart).year == 2016
        asked = prepare_example_run(second, experiment, of, points, 2017, LAST, restart)
        assert run_host(programs[flags], asked)[0] == 0
        again = read_results(second / "results.nc")
        assert again.keys() == results[flags].keys()
        for name, values in again.items():
            assert np.array_equal(values, results[flags][name][2:]), (flags, name)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"experiment": "no_such.toml"}, "init: no_such.toml"),
        ({"points_file": "no_points.nc"}, "no_points.nc: No such file"),
        ({"covers": "forest,tundra"}, "no surface values for cover 'tundra'"),
        ({"covers": "forest,pasture_grass_shrub"}, "no field 'area_fraction_pasture_grass_shrub'"),
        ({"first_year": 1700}, "1700"),
        ({"results_file": "/nowhere/results.nc"}, "/nowhere/results.nc"),
        (
            {"restart_in": "no_restart.nc", "host_restart_in": "no_host.nc"},
            "no_restart.nc: restart file not found",
        ),
        ({"restart_in": "no_restart.nc"}, "restart_in and host_restart_in go together"),
        ({"exchange": "hour"}, "exchange is 'hour', expected 'day' or 'month'"),
        ({"division": "halves"}, "division is 'halves', expected 'blocks', 'round_robin'"),
        ({"coupled": False}, "without landstep the host needs fractions of its own"),
        ({"last_yaer": 2016}, "host.nml: Cannot match namelist object name last_yaer"),
    ],
)
def test_a_host_with_a_wrong_namelist_ends_in_its_own_words(
    programs: dict[str, Path],
    experiment: Path,
    points: Points,
    run_host: RunHost,
    tmp_path: Path,
    change: dict[str, Any],
    words: str,
) -> None:
    asked = namelist(tmp_path, experiment, points, **change)
    code, out, err = run_host(programs["debug"], asked, cwd=tmp_path)
    assert code == 1 and out == ""
    assert err.startswith("example_host: ") and words in err and err.count("\n") == 1


@pytest.mark.parametrize("stack", ["512", "unlimited"])
def test_a_tiny_and_an_unlimited_stack_serve(
    programs: dict[str, Path],
    results: dict[str, dict[str, np.ndarray]],
    experiment: Path,
    points: Points,
    read_results: ReadResults,
    tmp_path: Path,
    stack: str,
) -> None:
    """In the build that fills its memory with signalling NaN and traps."""
    asked = namelist(tmp_path, experiment, points)
    command = ["/bin/sh", "-c", f'ulimit -s {stack} && exec "$@"', "sh"]
    command += [str(programs["trapping"]), str(asked)]
    done = subprocess.run(command, env={}, capture_output=True, text=True)
    if "ulimit" in done.stderr:
        pytest.skip(f"the stack cannot be made {stack}: {done.stderr}")
    assert (done.returncode, done.stderr) == (0, "")
    for name, values in read_results(tmp_path / "results.nc").items():
        assert np.array_equal(values, results["trapping"][name][:2]), name


def test_results_before_a_failure_stay_readable(
    programs: dict[str, Path],
    experiment: Path,
    points: Points,
    run_host: RunHost,
    read_results: ReadResults,
    tmp_path: Path,
) -> None:
    asked = namelist(tmp_path, experiment, points, restart_out="/nowhere/restart.nc")
    code, out, err = run_host(programs["plain"], asked)
    assert (code, len(out.splitlines())) == (1, 2)
    assert err.startswith("example_host: write_restart: /nowhere/restart.nc")
    assert read_results(tmp_path / "results.nc")["year"].tolist() == [FIRST, FIRST + 1]


def test_a_failing_program_is_an_error_of_python(
    programs: dict[str, Path], experiment: Path, points: Points, tmp_path: Path
) -> None:
    of = scheme("hilda8")
    with pytest.raises(LandstepError, match=r"example_host: init: .*1700"):
        run_example_host(programs["plain"], tmp_path, experiment, of, points, 1700, 1701)


def test_a_run_gives_the_fields_of_each_year(
    programs: dict[str, Path],
    results: dict[str, dict[str, np.ndarray]],
    experiment: Path,
    points: Points,
    tmp_path: Path,
) -> None:
    of = scheme("hilda8")
    run = run_example_host(programs["plain"], tmp_path, experiment, of, points, FIRST, 2016)
    assert len(run.printed.splitlines()) == 2 and State.load(run.restart).year == 2016
    fields = run.fields(2016)
    for k, name in enumerate(NAMES):
        expected = results["plain"]["area_fraction"][1, k]
        assert np.array_equal(fields[f"area_fraction_{name}"], expected)
    for name in FIELDS[1:]:
        assert np.array_equal(fields[name], results["plain"][name][1])
    with pytest.raises(LandstepError, match=r"no year 2030, it has \[2015, 2016\]"):
        run.fields(2030)
