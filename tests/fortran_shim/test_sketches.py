"""The calls in the sketches of the docs, compiled against the module as it is.

Pages whose code is compiled whole are tried by test_host_tests.py.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from landstep.emulator.errors import DependencyError
from landstep.fortran_shim import build
from landstep.fortran_shim.host_test_files import host_test_names

DOCS = Path(__file__).parents[2] / "docs"
PAGES = {page.stem: page for page in (DOCS / "hosts").glob("*.md")}
PAGES["coupling"] = DOCS / "coupling.md"

OF_HOST = {
    "coupling": """
      real(r8), dimension(9) :: vfcvl, vflail, t2m, rain, gain, loss, share
      real(r8), dimension(9, 0:13) :: vclail, dalbcl""",
}
"""Variables of each host, as the sketch has them."""

HOST = """
program sketch
  use, intrinsic :: iso_fortran_env, only: r8 => real64
  use landstep, only: land_t
  implicit none
  type(land_t) :: land
  integer :: year, month, day, comm
  logical :: changed
  character(40) :: name
  {declared}
  {calls}
end program sketch
"""


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the module, as far as a compiler needs it to check a host's calls."""
    folder = tmp_path_factory.mktemp("modules")
    try:
        compiler = build.fortran_compiler()
    except DependencyError as error:
        pytest.skip(str(error))
    sources = [str(path) for path in build.fortran_sources()]
    subprocess.run([compiler, "-fsyntax-only", f"-J{folder}", *sources], check=True)
    return folder


def calls_of(host: str) -> list[str]:
    """Every statement of a page that calls landstep, conditions made calls."""
    page = PAGES[host].read_text("utf-8")
    code = "\n".join(re.findall(r"```fortran\n(.*?)```", page, re.S))
    code = re.sub(r"!.*", "", code)
    code = re.sub(r"&\s*\n", "", code)
    calls = re.findall(r"^.*\bland%.*$", code, re.M)
    return [re.sub(r"^\s*if \((land%is_changed\(.*\))\) then", r"changed = \1", c) for c in calls]


@pytest.mark.parametrize("host", sorted(OF_HOST))
def test_the_calls_of_a_sketch_compile(host: str, modules: Path, tmp_path: Path) -> None:
    calls = calls_of(host)
    used = {name for call in calls for name in re.findall(r"land%(\w+)\(", call)}
    assert {"baseline", "update", "get"} <= used
    source = tmp_path / "sketch.f90"
    source.write_text(HOST.format(declared=OF_HOST[host], calls="\n  ".join(calls)))
    command = [build.fortran_compiler(), "-fsyntax-only", f"-I{modules}", str(source)]
    done = subprocess.run([*command, f"-J{tmp_path}"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_c_lines_compile(tmp_path: Path) -> None:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler")
    (lines,) = re.findall(r"```c\n(.*?)```", (DOCS / "fortran.md").read_text("utf-8"), re.S)
    source = tmp_path / "host.c"
    arrays = ("lon", "lat", "lon_bounds", "lat_bounds")
    of_host = ", ".join(["long long n", *(f"const double *{name}" for name in arrays)])
    source.write_text(
        "#include <landstep.h>\n#include <stddef.h>\n"
        f"int host({of_host});\nint host({of_host}) {{\n"
        f"{lines} return status; }}\n"
    )
    include = f"-I{build.package_folder() / 'coupling'}"
    flags = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", include]
    done = subprocess.run([compiler, *flags, str(source)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_every_page_is_tried() -> None:
    assert sorted([*OF_HOST, *host_test_names()]) == sorted(PAGES)


def test_a_call_that_there_is_not_does_not_compile(modules: Path, tmp_path: Path) -> None:
    source = tmp_path / "sketch.f90"
    source.write_text(HOST.format(declared="", calls='call land%baseline("cvl", year)'))
    command = [build.fortran_compiler(), "-fsyntax-only", f"-I{modules}", str(source)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode != 0 and "baseline" in done.stderr
