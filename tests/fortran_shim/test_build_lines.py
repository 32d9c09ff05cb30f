"""The building lines of docs/fortran.md, as typed in an empty folder, and CMake projects of others.

Two CMake folders are configured in all; a few seconds each.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from landstep.fortran_shim import build

PAGE = (Path(__file__).parents[2] / "docs" / "fortran.md").read_text("utf-8")
BIN = Path(sys.executable).parent
C_PROJECT = """
cmake_minimum_required(VERSION {oldest})
project(host LANGUAGES C)
find_package(landstep 0.1 REQUIRED)
add_executable(c_host host.c)
target_link_libraries(c_host PRIVATE landstep::landstep)
add_executable(stub_host host.c)
target_link_libraries(stub_host PRIVATE landstep::stub)
"""
C_HOST = """
#include <landstep.h>
int main(void) { return landstep_abi() == LANDSTEP_ABI ? 0 : 1; }
"""


def block(kind: str, word: str) -> str:
    """The page's one block of a kind, "" for lines of a shell, that holds a word."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, flags=re.M | re.S)
    (found,) = [text for name, text in blocks if name == kind and word in text]
    return found


def oldest_cmake() -> tuple[Path, tuple[int, int]]:
    """The oldest cmake here, and its version; the test skips without one."""
    found = {
        shutil.which("cmake", path=path) for path in (str(BIN), os.environ["PATH"], os.defpath)
    }
    versions = {}
    for program in found - {None}:
        said = subprocess.run([program, "--version"], capture_output=True, text=True).stdout
        numbers = re.search(r"version (\d+)\.(\d+)", said)
        if numbers:
            versions[Path(program)] = (int(numbers[1]), int(numbers[2]))
    return min(versions.items(), key=lambda of: of[1]) if versions else pytest.skip("no cmake")


def oldest_minimum(version: tuple[int, int]) -> str:
    """The lowest cmake_minimum_required that this cmake takes."""
    return "3.1" if version < (4, 0) else "3.5"


def typed(lines: str, folder: Path, first: Path = BIN) -> str:
    """Type lines into a shell of the environment, stop at the first that fails: what it prints."""
    path = f"{first}:{BIN}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", lines], cwd=folder, env={**os.environ, "PATH": path},
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def ends_in_its_own_words(program: Path) -> None:
    """Run the page's host in a folder without the experiment that it names."""
    done = subprocess.run(
        [program], cwd=program.parent, env={}, capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stderr.strip().lower()) in ((1, ""), (1, "stop 1"))
    assert "world/experiment.toml" in done.stdout


@pytest.fixture(scope="module")
def page_folder(tools: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the page's host and its CMakeLists.txt, configured and built by its lines."""
    program, _ = oldest_cmake()
    folder = tmp_path_factory.mktemp("page")
    (folder / "host.f90").write_text(block("fortran", "program host"))
    (folder / "CMakeLists.txt").write_text(block("cmake", "find_package"))
    typed(block("", "cmake -S"), folder, program.parent)
    return folder


def test_the_cmake_lines_of_the_page_build_its_host(page_folder: Path) -> None:
    ends_in_its_own_words(page_folder / "build" / "host")


def test_a_fortran_project_of_an_old_cmake_builds(page_folder: Path) -> None:
    """Its policies are not those that the package was written for."""
    program, version = oldest_cmake()
    lists = page_folder / "CMakeLists.txt"
    text = lists.read_text().replace("VERSION 3.20", f"VERSION {oldest_minimum(version)}")
    assert text != lists.read_text()
    lists.write_text(text)
    (page_folder / "build" / "host").unlink()
    typed("cmake -S . -B build && cmake --build build", page_folder, program.parent)
    assert (page_folder / "build" / "host").exists()


def test_a_c_project_of_an_old_cmake_builds_and_hears_where_fortran_is(
    tools: None, tmp_path: Path
) -> None:
    program, version = oldest_cmake()
    (tmp_path / "CMakeLists.txt").write_text(C_PROJECT.format(oldest=oldest_minimum(version)))
    (tmp_path / "host.c").write_text(C_HOST)
    where = f"-Dlandstep_DIR={build.build_flags()['cmakedir']}"
    printed = typed(f"cmake -S . -B b '{where}' && cmake --build b", tmp_path, program.parent)
    assert "landstep::fortran" in printed and "enable_language(Fortran)" in printed
    for name in ("c_host", "stub_host"):
        subprocess.run([tmp_path / "b" / name], check=True, env={})


@pytest.mark.parametrize(
    ("word", "needs"), [("config --sources", ""), ("pkg-config", "pkg-config")]
)
def test_the_compiler_lines_of_the_page_build_its_host(
    tools: None, tmp_path: Path, word: str, needs: str
) -> None:
    for program in ("gfortran", needs):
        if program and shutil.which(program) is None:
            pytest.skip(f"no {program}")
    (tmp_path / "host.f90").write_text(block("fortran", "program host"))
    typed(block("", word).replace("./host\n", ""), tmp_path)
    ends_in_its_own_words(tmp_path / "host")
