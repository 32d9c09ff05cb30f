"""What a wheel of landstep holds, whole and with parts of the tools missing."""

import os
import subprocess
import sys
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import pytest

from landstep.fortran_shim import build


def test_the_installed_package_holds_what_hosts_need() -> None:
    files = {str(file) for file in distribution("landstep").files or []}
    if not any(file.startswith("landstep/emulator/") for file in files):
        pytest.skip("landstep is not installed as a package here")
    wanted = {
        "landstep/py.typed",
        "landstep/emulator/schemes/hilda8.toml",
        *(f"landstep/fortran_shim/{name}" for name in build.MODULE_SOURCES),
        *(f"landstep/fortran_shim/{name}" for name in build.HOST_SOURCES),
        *(f"landstep/fortran_shim/{name}" for name in build.SERIAL_SOURCES + build.MPI_SOURCES),
        "landstep/include/landstep.h",
        "landstep/lib/liblandstep.so",
        "landstep/lib/liblandstep_stub.a",
        "landstep/lib/pkgconfig/landstep.pc",
        "landstep/lib/pkgconfig/landstep-stub.pc",
        "landstep/lib/cmake/landstep/landstepConfig.cmake",
    }
    assert wanted <= files
    assert any(file.startswith("landstep/training/configs/") for file in files)
    assert any(file.startswith("landstep/emulator/models/") for file in files)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("missing", "library", "fortran"),
    [
        ("", True, True),
        ("-DCMAKE_Fortran_COMPILER=NOTFOUND", True, False),
        ("-DPython3_LIBRARY=/nowhere/libpython3.a", False, False),
        ("-DCMAKE_C_COMPILER=NOTFOUND", False, False),
    ],
)
def test_a_wheel_builds_with_whatever_is_there(
    tmp_path: Path, missing: str, library: bool, fortran: bool
) -> None:
    """The Python part is always whole; only what needs a missing compiler is left out."""
    root = Path(__file__).resolve().parents[2]
    pytest.importorskip("scikit_build_core", reason="pip builds in an environment of its own")
    command = [
        sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-q",
        f"--config-settings=build-dir={tmp_path / 'build'}", "-w", str(tmp_path), str(root),
    ]  # fmt: skip
    environment = {**os.environ, "CMAKE_ARGS": missing}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {"landstep/emulator/emulator.py", "landstep/fortran_shim/landstep.f90"} <= set(names)
    assert ("landstep/lib/liblandstep.so" in names) == library
    stub = "C_COMPILER" not in missing
    assert ("landstep/include/landstep.h" in names) == stub
    assert ("landstep/lib/liblandstep_stub.a" in names) == stub
    assert ("landstep/lib/liblandstep_fortran.a" in names) == fortran
    assert any("_example_host" in name for name in names) == fortran
    assert ("landstep/fortran_shim/example_host.py" in names) == fortran
    assert not any(name.startswith(("tests", "landstep/tests")) for name in names)
