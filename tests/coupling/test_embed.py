"""liblandstep in a program of C, where no Python runs before the first call."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from landstep.coupling.coupler import Coupler
from landstep.fortran_shim.build import build_flags

LON, LAT = np.array([-29.31, 330.9, 20.0]), np.array([49.5, 49.8, 49.5])
LON_BOUNDS = np.array([[-29.4, -29.2], [330.8, 331.0], [19.9, 20.1]])
LAT_BOUNDS = np.array([[49.4, 49.6], [49.7, 49.9], [49.4, 49.6]])


@pytest.fixture(scope="module")
def probe(liblandstep: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The compiled probe.c."""
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if compiler is None:
        pytest.skip("no C compiler")
    program = tmp_path_factory.mktemp("probe") / "probe"
    flags = build_flags()
    libs = [flag for flag in flags["libs"].split() if flag != "-llandstep_fortran"]
    warnings = ["-std=c11", "-Wall", "-Wextra", "-Werror"]
    source = Path(__file__).with_name("probe.c")
    command = [compiler, *warnings, flags["cflags"], str(source), "-o", str(program), *libs, "-lm"]
    subprocess.run(command, check=True)
    return program


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


def test_a_decimal_comma_and_a_time_zone_change_nothing(
    probe: Path, experiment: Path, tmp_path: Path
) -> None:
    plain = run(probe, experiment, tmp_path / "plain")
    abroad = run(probe, experiment, tmp_path / "abroad", LC_ALL="de_DE.UTF-8", TZ="Asia/Kathmandu")
    assert plain == abroad


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
