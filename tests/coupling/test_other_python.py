"""A process that already runs another Python: it is told which, and the host goes on."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

OPEN = """
import ctypes, sys
class Points(ctypes.Structure):
    _fields_ = [("abi", ctypes.c_int), ("n_vertices", ctypes.c_int)]
    _fields_ += [("n_points", ctypes.c_longlong)]
    _fields_ += [(f"array_{number}", ctypes.c_void_p) for number in range(9)]
lib, points = ctypes.CDLL(sys.argv[1]), Points(abi=3)
handle, text = ctypes.c_int(-7), ctypes.create_string_buffer(4096)
for attempt in range(2):
    status = lib.landstep_open(b"x.toml", ctypes.byref(points), -1, None, None, None,
                               ctypes.byref(handle))
lib.landstep_last_error(text, 4096)
print(status, handle.value, text.value.decode())
"""
OTHER_VERSION = 'const char *Py_GetVersion(void) { return "3.1.4 (another)"; }\n'


@pytest.fixture(scope="module")
def other_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The python3 of an environment without packages."""
    folder = tmp_path_factory.mktemp("other") / "environment"
    venv.create(folder, symlinks=True)
    return folder / "bin" / "python3"


def said_by(python: Path, liblandstep: Path, **env: str) -> str:
    """Open an experiment in that Python: the status, the handle and the text."""
    done = subprocess.run(
        [python, "-I", "-c", OPEN, liblandstep], env={"PATH": os.defpath, **env},
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_a_python_without_landstep_is_named_and_the_variable_said_to_be_idle(
    liblandstep: Path, other_python: Path
) -> None:
    text = said_by(other_python, liblandstep, LANDSTEP_PYTHON=sys.executable)
    assert text.startswith("9 -7 ")
    assert platform.python_version() in text and str(other_python.parents[1]) in text
    assert "LANDSTEP_PYTHON cannot" in text and "set LANDSTEP_PYTHON" not in text


def test_a_python_of_another_version_is_named(
    liblandstep: Path, other_python: Path, tmp_path: Path
) -> None:
    """A preloaded function stands for it; no module of that Python is loaded then."""
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if compiler is None:
        pytest.skip("no C compiler")
    source, preload = tmp_path / "version.c", tmp_path / "version.so"
    source.write_text(OTHER_VERSION)
    subprocess.run([compiler, "-shared", "-fPIC", source, "-o", preload], check=True)
    text = said_by(other_python, liblandstep, LD_PRELOAD=str(preload))
    assert text.startswith("9 -7 ")
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert "3.1.4" in text and f"Python {own}" in text and "LANDSTEP_PYTHON cannot" in text
