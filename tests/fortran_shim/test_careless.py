"""A host that does everything wrong once: it is told each time, and goes on."""

import re
import subprocess
from pathlib import Path

import pytest

from landstep.fortran_shim import build


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
        "lon and lat differ": r"8 init: lat has the shape \(2\), expected \(3\)",
        "bounds of another shape": r"8 init: lon_bounds has the shape \(2, 2\), expected \(2, 3\)",
        "latitude in metres": "8 init: lat is 5500000.0 at point 2, expected -90 to 90",
        "init": "0",
        "init twice": "5 init: already open",
        "get before update": "5 get: .*'dominant_class': no fields yet",
        "put before update": "5 put: .*'air_temperature': no date yet",
        "short baseline": "8 baseline: 'area_fraction_forest': the array has 2 values, expected 3",
        "late baseline": "5 baseline: .*'area_fraction_forest': fields were handed out",
        "wrong units": "8 put: .*air_temperature in 'furlong', expected one of",
        "change of a field": "8 get_change: no class 'area_fraction_forest'",
        "change in two lengths": "8 get_change: gain and loss differ in shape",
        "misspelt field": "8 get: no field 'area_fraction_forrest': did you mean 'area_f",
        "short array": "8 get: field 'area_fraction_forest': the array has 2 values, expected 3",
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
        assert re.match(words, told[step]), (step, told[step])


def test_paths_of_four_thousand_bytes_with_blanks_and_letters_of_any_script_serve(
    careless: Path, experiment: Path, tmp_path: Path
) -> None:
    """Fortran's own trailing blanks go, those inside stay."""
    deep = tmp_path
    while len(bytes(deep)) < 3800:
        deep /= "ein Ordner, größer als 東京" * 4
    deep.mkdir(parents=True)
    folder = deep / "w"
    folder.symlink_to(experiment.parent)
    restart = deep / "r .nc"
    assert 3800 < len(bytes(restart)) < 4096
    done = subprocess.run(
        [str(careless), str(folder / experiment.name), str(tmp_path / "report.txt"), str(restart)],
        capture_output=True, text=True, env={},
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    told = [line.strip() for line in (tmp_path / "report.txt").read_text("utf-8").splitlines()]
    for line in ("init: 0", "goes on: 0 T", "restart: 0", "from the restart: 0 T"):
        assert line in told, told
    assert restart.is_file()


def test_without_stat_a_failure_stops_the_host(careless: Path, tmp_path: Path) -> None:
    command = [str(careless), "no_such.toml"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 1 and done.stdout == ""
    assert "landstep init: no_such.toml" in done.stderr
