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
from landstep.fortran_shim import build
from landstep.fortran_shim.example_run import prepare_example_run, run_example_host

FIRST, LAST = 2015, 2018
FIELDS = ("area_fraction", "covered_fraction", "dominant_class")
OWN = ("albedo", "roughness", "evaporation", "temperature", "latent_heat")
NAMES = scheme("hilda8").names
COVERS = ",".join(NAMES)
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
    for run in results.values():
        mixed = np.einsum("ykp,k->yp", run["area_fraction"], albedo)
        assert np.allclose(run["albedo"], mixed, rtol=1e-6)
        assert (run["temperature"] > 250).all() and (run["temperature"] < 310).all()
        assert (run["latent_heat"] > 0).all()


def test_the_host_uses_the_systems_netcdf(programs: dict[str, Path]) -> None:
    linked = subprocess.run(["ldd", str(programs["plain"])], capture_output=True, text=True).stdout
    assert "libnetcdff.so" in linked and "libnetcdf.so" in linked
    assert "not found" not in linked and "liblandstep.so" in linked


def namelist(folder: Path, experiment: Path, points: Points, /, **values: Any) -> Path:
    """A namelist for the years 2015 and 2016, with other values for some of its names."""
    path = prepare_example_run(folder, experiment, scheme("hilda8"), points, FIRST, FIRST + 1)
    lines = path.read_text("utf-8").splitlines()
    for name, value in values.items():
        (place,) = (i for i, line in enumerate(lines) if line.startswith(f"  {name} = "))
        lines[place] = f"  {name} = {value}" if isinstance(value, int) else f"  {name} = '{value}'"
    path.write_text("\n".join([*lines, ""]), "utf-8")
    return path


def test_a_restarted_host_goes_on_as_the_one_that_never_stopped(
    programs: dict[str, Path],
    results: dict[str, dict[str, np.ndarray]],
    experiment: Path,
    points: Points,
    run_host: RunHost,
    read_results: ReadResults,
    tmp_path: Path,
) -> None:
    restart = tmp_path / "restart.nc"
    first = namelist(tmp_path, experiment, points, restart_out=restart, last_year=2016)
    assert run_host(programs["plain"], first)[0] == 0
    assert State.load(restart).year == 2016
    second = namelist(
        tmp_path, experiment, points, restart_in=restart, first_year=2016, last_year=LAST
    )
    assert run_host(programs["plain"], second)[0] == 0
    again = read_results(tmp_path / "results.nc")
    for name in (*FIELDS, *OWN):
        assert np.array_equal(again[name], results["plain"][name][1:]), name


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"experiment": "no_such.toml"}, "init: no_such.toml"),
        ({"points_file": "no_points.nc"}, "no_points.nc: No such file"),
        ({"covers": "forest,tundra"}, "no surface values for cover 'tundra'"),
        ({"covers": "forest,pasture_grass_shrub"}, "no field 'area_fraction_pasture_grass_shrub'"),
        ({"first_year": 1700}, "1700"),
        ({"results_file": "/nowhere/results.nc"}, "/nowhere/results.nc"),
        ({"restart_in": "no_restart.nc"}, "no_restart.nc: restart file not found"),
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


@pytest.fixture(scope="module")
def careless(tools: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The host that does everything wrong once, careless_host.f90."""
    folder = tmp_path_factory.mktemp("careless")
    program = folder / "careless_host"
    source = Path(__file__).with_name("careless_host.f90")
    sources = [str(path) for path in build.fortran_sources()]
    library = build.shared_library().parent
    command = [
        build.fortran_compiler(), "-g", "-fcheck=all", "-ffpe-trap=invalid,zero,overflow",
        f"-J{folder}", "-o", str(program), *sources, str(source),
        f"-L{library}", "-llandstep", f"-Wl,-rpath,{library}",
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    return program


def test_a_careless_host_is_told_each_time_and_goes_on(
    careless: Path, experiment: Path, tmp_path: Path
) -> None:
    report = tmp_path / "report.txt"
    done = subprocess.run(
        [str(careless), str(experiment), str(report), str(tmp_path / "restart.nc")],
        capture_output=True,
        text=True,
        env={},
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    told = dict(line.split(": ", 1) for line in report.read_text("utf-8").splitlines())
    expected = {
        "update before init": "5 update: called before init or after finalize",
        "get before init": "5 get: called before init",
        "finalize before init": "5 finalize: called before init",
        "wrong file": "4 init: no_such.toml",
        "lon and lat differ": "8 init: lat has the shape (2), expected (3)",
        "bounds of another shape": "8 init: lon_bounds has the shape (2, 2), expected (2, 3)",
        "latitude in metres": "8 init: lat is 5500000.0 at point 2, expected -90 to 90",
        "init": "0",
        "init twice": "5 init: already open",
        "misspelt field": "8 get: no field 'area_fraction_forrest': did you mean 'area_f",
        "short array": "8 get: field 'area_fraction_forest' has 3 values, one for each point",
        "array untouched": "0 T",
        "skipped year": "5 update: 2031 asked, 2015 reached: that skips 2016",
        "year back": "5 update: time went back: 1999 asked",
        "month 13": "5 update: month 13",
        "restart nowhere": "2 write_restart: /nowhere/at/all.nc",
        "goes on": "0 T",
        "same year": "0 F",
        "real32 equals real64": "0 T",
        "two dimensions": "0 T",
        "bounds in two kinds": "0 T",
        "restart": "0",
        "short message": "8 get: no field 'å",
        "finalize": "0",
        "finalize twice": "5 finalize: called before init or after finalize",
        "from the restart": "0 T",
        "open again": "0",
    }
    assert list(told) == list(expected)
    for step, words in expected.items():
        assert told[step].startswith(words), (step, told[step])


def test_without_stat_a_failure_stops_the_host(careless: Path, tmp_path: Path) -> None:
    command = [str(careless), "no_such.toml"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 1 and done.stdout == ""
    assert "landstep init: no_such.toml" in done.stderr


# ---- the same host, wrapped for Python ----


@pytest.fixture
def wrapped(tools: None) -> Any:
    return pytest.importorskip("landstep.fortran_shim.example_host").host_wrap


def open_wrapped(wrapped: Any, experiment: Path, points: Points, restart: str = "") -> Any:
    host = wrapped.wrapped_host()
    edges = [np.asfortranarray(b.T) for b in (points.lon_bounds, points.lat_bounds)]
    told = wrapped.wrapped_open(
        host, str(experiment), COVERS, points.lon, points.lat, True, *edges, FIRST, restart
    )
    assert told == (0, "")
    return host


def get(wrapped: Any, host: Any, name: str, n: int) -> np.ndarray:
    values = np.full(n, -7.0)
    assert wrapped.wrapped_get(host, name, values) == (0, "")
    return values


def test_the_wrapped_host_equals_the_program(
    wrapped: Any,
    results: dict[str, dict[str, np.ndarray]],
    experiment: Path,
    points: Points,
    capfd: pytest.CaptureFixture[str],
) -> None:
    host, n, plain = open_wrapped(wrapped, experiment, points), points.lon.size, results["plain"]
    for record, year in enumerate(range(FIRST, LAST + 1)):
        assert wrapped.wrapped_run_year(host, year) == (0, "")
        for k, name in enumerate(NAMES):
            found = get(wrapped, host, f"area_fraction_{name}", n)
            assert np.array_equal(found, plain["area_fraction"][record, k])
        for name in FIELDS[1:]:
            assert np.array_equal(get(wrapped, host, name, n), plain[name][record])
        temperature, latent_heat = np.empty(n), np.empty(n)
        assert wrapped.wrapped_results(host, temperature, latent_heat) == (0, "")
        assert np.allclose(temperature, plain["temperature"][record], rtol=1e-5, atol=0)
        assert np.allclose(latent_heat, plain["latent_heat"][record], rtol=1e-5, atol=0)
    assert (host.year, host.updates) == (LAST, LAST - FIRST + 1)
    assert wrapped.wrapped_close(host) == (0, "")
    assert capfd.readouterr() == ("", "")


def test_the_wrapped_host_is_told_and_goes_on(
    wrapped: Any, experiment: Path, points: Points, tmp_path: Path
) -> None:
    unopened = wrapped.wrapped_host()
    assert wrapped.wrapped_run_year(unopened, FIRST)[0] == 5
    assert wrapped.wrapped_results(unopened, np.empty(1), np.empty(1))[0] == 1
    host = open_wrapped(wrapped, experiment, points)
    assert wrapped.wrapped_update(host, 2031, 1, 1) == (
        0, 5, "update: 2031 asked, 2015 reached: that skips 2016; call update at least once a year",
    )  # fmt: skip
    assert wrapped.wrapped_get(host, "dominant_class", np.empty(2))[0] == 8
    assert wrapped.wrapped_update(host, 2015, 1, 1)[1:] == (0, "")
    assert wrapped.wrapped_update(host, 2016, 1, 1)[1:] == (0, "")
    restart = tmp_path / "restart.nc"
    assert wrapped.wrapped_write_restart(host, str(restart)) == (0, "")
    again = wrapped.wrapped_host()
    empty = np.zeros((2, 1), order="F")
    place = points.lon[:1], points.lat[:1], False, empty, empty
    told = wrapped.wrapped_open(again, str(experiment), COVERS, *place, 0, str(restart))
    assert told == (0, "")
    assert get(wrapped, again, "dominant_class", 1)[0] in (*scheme("hilda8").codes, 255)
    for open_host in (host, again):
        assert wrapped.wrapped_close(open_host) == (0, "")


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
