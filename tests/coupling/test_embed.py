"""liblandstep in a program of C, where no Python runs before the first call."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy as np
import pytest

from landstep.coupling.coupler import Coupler
from landstep.emulator.state import State
from landstep.fortran_shim.build import build_flags

LON, LAT = np.array([-29.31, 330.9, 20.0]), np.array([49.5, 49.8, 49.5])
LON_BOUNDS = np.array([[-29.4, -29.2], [330.8, 331.0], [19.9, 20.1]])
LAT_BOUNDS = np.array([[49.4, 49.6], [49.7, 49.9], [49.4, 49.6]])


def compiled(liblandstep: Path, folder: Path, name: str, *flags: str) -> Path:
    """Compile a program of this folder against the installed library."""
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if compiler is None:
        pytest.skip("no C compiler")
    program = folder / name
    libs = [flag for flag in build_flags()["libs"].split() if flag != "-llandstep_fortran"]
    warnings = ["-std=c11", "-Wall", "-Wextra", "-Werror"]
    source = Path(__file__).with_name(f"{name}.c")
    include = build_flags()["cflags"]
    command = [compiler, *warnings, *flags, include, str(source), "-o", str(program), *libs, "-lm"]
    subprocess.run(command, check=True)
    return program


@pytest.fixture(scope="module")
def probe(liblandstep: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The compiled probe.c."""
    return compiled(liblandstep, tmp_path_factory.mktemp("probe"), "probe")


@pytest.fixture(scope="module")
def hostile(liblandstep: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The compiled hostile.c."""
    return compiled(liblandstep, tmp_path_factory.mktemp("hostile"), "hostile", "-fopenmp")


def run(probe: Path, experiment: Path, result: Path, **environment: str) -> list[str]:
    """Run the probe in an environment that holds nothing else; it must print nothing."""
    command = [str(probe), str(experiment), str(result)]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, cwd=result.parent
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return result.read_text("utf-8").splitlines()


def test_a_host_with_traps_is_left_as_it_was(probe: Path, experiment: Path, tmp_path: Path) -> None:
    lines = run(probe, experiment, tmp_path / "result")
    calls = [line for line in lines if not line.startswith("forest")]
    assert len(calls) == 15
    for line in calls:
        kept = line.split(" ", 8)[2:8]
        assert kept == [
            "traps=1", "rounding=1", "control=1", "flags=1", "interrupt=1", "locale=1",
        ], line  # fmt: skip
    told = {line.split()[0]: line for line in calls}
    assert "status=5" in told["update_before_open"] and "call landstep_open" in lines[0]
    assert "status=4" in told["open_wrong_file"] and "no_such.toml" in told["open_wrong_file"]
    assert "status=5" in told["skip"] and "skips 2019" in told["skip"]
    assert "status=8" in told["misspelt"] and "'forrest'" in told["misspelt"]
    assert "status=8" in told["get_after_close"] and "not open" in told["get_after_close"]
    assert all("status=0" in told[call] for call in ("open", "update", "get", "close"))


def test_its_fields_are_those_of_python(probe: Path, experiment: Path, tmp_path: Path) -> None:
    coupler = Coupler.open(
        experiment, LON, LAT, lon_bounds=LON_BOUNDS, lat_bounds=LAT_BOUNDS, year=2015
    )
    lines = run(probe, experiment, tmp_path / "result")
    found = [line.split() for line in lines if line.startswith("forest")]
    seen: list[float] = []
    for (_, year, *values), expected_year in zip(found, range(2015, 2019), strict=True):
        assert int(year) == expected_year
        coupler.update(expected_year, 1, 1)
        expected = coupler.get("area_fraction_forest")
        seen += expected.tolist()
        assert [float.fromhex(value) for value in values] == expected.tolist()
    assert any(0 < value < 1 for value in seen)


@pytest.fixture(scope="module")
def german(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which numbers have a decimal comma, whatever locales the system has."""
    if shutil.which("localedef") is None or not Path("/usr/share/i18n/locales/de_DE").exists():
        pytest.skip("locales cannot be made here (Debian: apt-get install locales)")
    folder = tmp_path_factory.mktemp("locales")
    made = ["localedef", "-i", "de_DE", "-f", "UTF-8", str(folder / "de_DE.UTF-8")]
    subprocess.run(made, check=True, capture_output=True)
    parts = ("LC_NUMERIC", "LC_CTYPE", "LC_TIME", "LC_COLLATE")  # not messages: those translate
    return {"LOCPATH": str(folder), "TZ": "Asia/Kathmandu"} | dict.fromkeys(parts, "de_DE.UTF-8")


def test_a_decimal_comma_and_a_time_zone_change_nothing(
    probe: Path, experiment: Path, tmp_path: Path, german: dict[str, str]
) -> None:
    """The host writes its own numbers with a comma; those of landstep are the same."""
    plain = run(probe, experiment, tmp_path / "plain")
    abroad = run(probe, experiment, tmp_path / "abroad", **german)
    numbers = [line for line in abroad if line.startswith("forest")]
    assert any("," in line for line in numbers), "the locale was not that of the host"
    with_points = [line.replace(",", ".") if line in numbers else line for line in abroad]
    assert plain == with_points


def test_nothing_needs_a_network(probe: Path, experiment: Path, tmp_path: Path) -> None:
    """Fault 82: in a name space of its own, without any interface that is up."""
    alone = ["unshare", "--map-root-user", "--net"]
    if subprocess.run([*alone, "true"], capture_output=True).returncode != 0:
        pytest.skip("name spaces of the network cannot be made here")
    plain = run(probe, experiment, tmp_path / "plain")
    command = [*alone, str(probe), str(experiment), str(tmp_path / "alone")]
    done = subprocess.run(command, env={"PATH": os.defpath}, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / "alone").read_text("utf-8").splitlines() == plain


@pytest.mark.parametrize(
    ("python", "text"),
    [
        ("/nowhere/python3", "LANDSTEP_PYTHON=/nowhere/python3 is not a program"),
        (None, "No module named"),
    ],
)
def test_a_python_without_landstep_is_told_not_printed(
    probe: Path, experiment: Path, tmp_path: Path, python: str | None, text: str
) -> None:
    if python is None:
        bare = tmp_path / "bare"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(bare)], check=True)
        python = str(bare / "bin" / "python3")
    lines = run(probe, experiment, tmp_path / "result", LANDSTEP_PYTHON=python)
    opening = next(line for line in lines if line.startswith("open "))
    assert "status=9" in opening and text in opening and "traps=1" in opening


def told_at_opening(lines: list[str]) -> str:
    return next(line for line in lines if line.startswith("open "))


BROKEN = {
    "PYTHONHOME": "/nowhere",
    "PYTHONPATH": "{folder}",
    "PYTHONSTARTUP": "/nowhere/start.py",
    "PYTHONVERBOSE": "1",
    "PYTHONFAULTHANDLER": "1",
}


def test_the_environment_of_another_python_is_not_read(
    probe: Path, experiment: Path, tmp_path: Path
) -> None:
    for module in ("numpy", "landstep", "encodings"):
        (tmp_path / f"{module}.py").write_text("raise SystemExit('taken from PYTHONPATH')\n")
    plain = run(probe, experiment, tmp_path / "plain")
    broken = {name: value.format(folder=tmp_path) for name, value in BROKEN.items()}
    assert run(probe, experiment, tmp_path / "broken", **broken) == plain
    assert "status=0" in told_at_opening(plain)


@pytest.fixture
def moved(liblandstep: Path, tmp_path: Path) -> Path:
    """A copy of the installed package in another place: the folder that holds it."""
    package = liblandstep.parents[1]
    skip = shutil.ignore_patterns("__pycache__", "training", "configs")
    shutil.copytree(package, tmp_path / "moved" / "landstep", ignore=skip)
    return tmp_path / "moved"


def test_a_moved_package_is_the_one_that_runs(
    probe: Path, experiment: Path, tmp_path: Path, moved: Path
) -> None:
    """It says something on its way, which must not come out, and later it is of another version."""
    library = {"LD_LIBRARY_PATH": str(moved / "landstep" / "lib")}
    errors = moved / "landstep" / "emulator" / "errors.py"
    with errors.open("a", encoding="utf-8") as lines:
        lines.write("\nimport os, sys, warnings\nprint('a line', flush=True)\n")
        lines.write("warnings.warn('a warning')\nassert sys.stderr is None\n")
        lines.write(f"open({str(tmp_path / 'imported')!r}, 'w').close()\n")
    plain = run(probe, experiment, tmp_path / "plain")
    assert not (tmp_path / "imported").exists()
    assert run(probe, experiment, tmp_path / "there", **library) == plain
    assert (tmp_path / "imported").exists()
    bridge = moved / "landstep" / "coupling" / "bridge.py"
    text = bridge.read_text("utf-8")
    bridge.write_text(text.replace("ABI = 3\n", "ABI = 4\n"), "utf-8")
    told = told_at_opening(run(probe, experiment, tmp_path / "newer", **library))
    assert "status=9" in told
    assert f"interface version 4, the library 3 ({moved}" in told, told


def test_a_moved_environment_runs_its_own_python(
    probe: Path, experiment: Path, tmp_path: Path, moved: Path
) -> None:
    environment = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    (packages,) = environment.glob("lib/python3*/site-packages")
    shutil.move(moved / "landstep", packages / "landstep")
    library = {"LD_LIBRARY_PATH": str(packages / "landstep" / "lib")}
    told = told_at_opening(run(probe, experiment, tmp_path / "bare", **library))
    assert f"with {environment}/bin/python3: No module named" in told, told
    needed = sysconfig.get_paths()["purelib"]
    (packages / "others.pth").write_text(f"{needed}\n")
    plain = run(probe, experiment, tmp_path / "plain")
    assert run(probe, experiment, tmp_path / "whole", **library) == plain


@pytest.mark.parametrize(("mode", "streams"), [("closed", "nnn"), ("reused", "nff")])
def test_closed_streams_are_held_and_a_file_in_their_place_is_left_alone(
    hostile: Path, experiment: Path, tmp_path: Path, mode: str, streams: str
) -> None:
    """The host prints into /dev/null instead of into the restart file."""
    done = subprocess.run([str(hostile), mode, str(experiment), str(tmp_path)], env={})
    report = (tmp_path / "report").read_text("utf-8")
    assert done.returncode == 0, report
    coupler = Coupler.open(experiment, [-29.31, 330.7], [49.5, 49.51], year=2015)
    coupler.update(2015, 1, 1)
    expected = coupler.get("area_fraction_forest")
    found, *forest = report.split()
    assert found == streams and [float.fromhex(value) for value in forest] == expected.tolist()
    assert State.load(tmp_path / "restart.nc").year == 2017
    if mode == "reused":
        assert (tmp_path / "host.dat").read_text("utf-8") == "data"


def test_threads_of_openmp_work_with_handles_of_their_own_and_with_one(
    hostile: Path, experiment: Path, tmp_path: Path
) -> None:
    """On stacks of half a megabyte, as hosts give their threads."""
    for _ in range(3):
        done = subprocess.run(
            [str(hostile), "threads", str(experiment), str(tmp_path)],
            env={"OMP_STACKSIZE": "512k", "OMP_NUM_THREADS": "4"},
        )
        report = (tmp_path / "report").read_text("utf-8")
        assert (done.returncode, report) == (0, "same=1 changed=1\n")


def test_signals_reach_the_host_while_landstep_works(
    hostile: Path, experiment: Path, tmp_path: Path
) -> None:
    done = subprocess.run([str(hostile), "signals", str(experiment), str(tmp_path)], env={})
    report = (tmp_path / "report").read_text("utf-8")
    assert (done.returncode, report) == (0, "same=1 heard=1 all=1\n")
    assert State.load(tmp_path / "restart.nc").year == 2017


@pytest.mark.parametrize("stack", ["512", "unlimited"])
def test_a_tiny_and_an_unlimited_stack_serve(
    probe: Path, experiment: Path, tmp_path: Path, stack: str
) -> None:
    plain = run(probe, experiment, tmp_path / "plain")
    script = f'ulimit -s {stack} && exec "$@"'
    command = ["/bin/sh", "-c", script, "sh", str(probe), str(experiment), str(tmp_path / "small")]
    done = subprocess.run(command, env={}, cwd=tmp_path, capture_output=True, text=True)
    if "ulimit" in done.stderr:
        pytest.skip(f"the stack cannot be made {stack}: {done.stderr}")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / "small").read_text("utf-8").splitlines() == plain
