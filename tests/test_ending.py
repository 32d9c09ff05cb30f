"""How commands end: one line on stderr and a status, whatever went wrong."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import landstep
from landstep.arguments import parse_pair
from landstep.emulator.box_text import degrees
from landstep.emulator.errors import ConfigError
from landstep.ending import as_landstep
from landstep.extras import EXTRAS, how_to_get

FAILING = """
import sys
from landstep import __main__ as door

@door.app.command()
def fail(how: str) -> None:
    if how == "deep":
        return fail("deep")
    if how == "pipe":
        for _ in range(100_000):
            door.typer.echo("x" * 100)
    if how == "wait":
        print("waits", flush=True)
        __import__("time").sleep(1800)
    raise {
        "os": PermissionError(13, "Permission denied", "/data/a.nc"),
        "full": OSError(28, "No space left on device"),
        "memory": MemoryError(),
        "text": UnicodeEncodeError("utf-8", "\\ud800", 0, 1, "surrogates not allowed"),
        "torch": ModuleNotFoundError("No module named 'torch'", name="torch"),
        "library": ImportError("libgomp.so.1: cannot open shared object file"),
        "bug": KeyError("units"),
    }[how]

sys.argv = ["landstep", "fail", *sys.argv[1:]]
door.main()
"""


def failing(*words: str, **more: object) -> subprocess.CompletedProcess[str]:
    """Run a command that fails in some way."""
    command = [sys.executable, "-c", FAILING, *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=1800, **more)


@pytest.mark.parametrize(
    ("how", "status", "says"),
    [
        ("os", 2, "/data/a.nc: Permission denied"),
        ("full", 2, "No space left on device"),
        ("memory", 1, "out of memory"),
        ("text", 4, "UTF-8"),
        ("torch", 9, "'torch' is not installed: pip install 'landstep[train]'"),
        ("library", 9, "libgomp.so.1"),
        ("bug", 1, "KeyError in <string>, line"),
        ("deep", 1, "RecursionError"),
    ],
)
def test_any_failure_is_one_line_and_a_status(how: str, status: int, says: str) -> None:
    """FAULTS row 53 too: the path, and what the system said."""
    done = failing(how)
    assert done.returncode == status, done.stderr
    assert done.stderr.startswith("landstep: ") and says in done.stderr
    assert done.stderr.count("\n") == 1 and "Traceback" not in done.stderr


def test_where_a_failure_arose_is_shown_on_request() -> None:
    done = failing("bug", env={**os.environ, "LANDSTEP_TRACEBACK": "1"})
    assert done.returncode == 1
    assert done.stderr.startswith("landstep: ") and "Traceback" in done.stderr


def test_a_reader_that_goes_away_is_no_noise() -> None:
    command = [sys.executable, "-c", FAILING, "pipe"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(1800) == 141


def test_an_interruption_ends_with_the_status_of_one() -> None:
    command = [sys.executable, "-c", FAILING, "wait"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.readline()
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        assert b"Traceback" not in process.stderr.read()
        assert process.wait(1800) == 130


def test_a_full_standard_output_is_said() -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "landstep", "--version"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == 2
    assert done.stderr.startswith("landstep: ") and done.stderr.count("\n") == 1


def test_the_version_is_said_and_known_in_python() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "landstep", "--version"], capture_output=True, text=True
    )
    assert done.returncode == 0 and done.stdout == f"landstep {landstep.__version__}\n"
    assert landstep.__version__[0].isdigit()


def test_each_extra_has_its_line() -> None:
    for extra, (_, modules) in EXTRAS.items():
        if extra != "evaluate":
            assert how_to_get(modules[0]) == f"pip install 'landstep[{extra}]'"
    assert how_to_get("sklearn.ensemble") == "pip install 'landstep[evaluate]'"
    assert "landstep[cpu]" in how_to_get("onnxruntime")
    error = ModuleNotFoundError("No module named 'landstep.gone'", name="landstep.gone")
    assert "landstep.gone" in str(as_landstep(error))


@pytest.mark.parametrize(
    "text", ["2015-2016", "2015:", ":2016", "2015:2016:2017", "", "a:b", "2015:2016.5", "9" * 30]
)
def test_years_of_another_form_are_shown_the_form(text: str) -> None:
    with pytest.raises(ConfigError, match=f"--years '{text}', expected FIRST:LAST.*2015:2030"):
        parse_pair(text, ":", "--years")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1:2", ""),
        ("a:b,c:d", "'a' is no number"),
        ("44:36,-10:4", "south 44 .* north 36"),
        ("36:44,10:-4", "west 10 .* east -4"),
        ("36:44,-200:4", "-200:4 lie outside -180..180"),
        ("100:120,3:4", "100:120 lie outside -90..90.*latitude comes first"),
        ("nan:1,2:3", "'nan'"),
        ("36:44,-10:inf", "'inf'"),
        ("36:44;-10:4", ""),
    ],
)
def test_a_region_of_another_form_is_shown_the_form(text: str, found: str) -> None:
    with pytest.raises(ConfigError, match=f"--region '{text}'.*{found}.*LAT_SOUTH.*LON_EAST"):
        degrees(text, "--region")


def test_a_region_is_read() -> None:
    assert degrees(" -35:5, -75:-34.5", "--region") == (-35, 5, -75, -34.5)


def test_other_settings_in_a_used_folder_are_named(experiment: Path, tmp_path: Path) -> None:
    """The key and both values; of a record of an earlier version only that settings differ."""
    import json

    from landstep.emulator.driver import run_years

    folder = tmp_path / "run"
    run_years(experiment, 2015, 2015, folder)
    other = experiment.parent / "other.toml"
    text = experiment.read_text("utf-8")
    other.write_text(text + '\n[allocation]\nmode = "soft"\n', "utf-8")
    with pytest.raises(ConfigError, match="settings.allocation.mode is 'exact', .* has 'soft'"):
        run_years(other, 2015, 2016, folder)
    record = json.loads((folder / "run.json").read_text("utf-8"))
    del record["settings"]
    (folder / "run.json").write_text(json.dumps(record), "utf-8")
    with pytest.raises(ConfigError, match="its settings"):
        run_years(other, 2015, 2016, folder)
    assert run_years(experiment, 2015, 2015, folder).years == 0
