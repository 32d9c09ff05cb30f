import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from landstep.coupling.embed_build import public_functions
from landstep.emulator.errors import DependencyError, InputError
from landstep.fortran_shim import build

CMAKE_PROJECT = """
cmake_minimum_required(VERSION 3.20)
project(host LANGUAGES C Fortran)
find_package(landstep 0.1 REQUIRED)
add_executable(c_host host.c)
target_link_libraries(c_host PRIVATE landstep::landstep)
add_executable(fortran_host host.f90)
target_link_libraries(fortran_host PRIVATE landstep::fortran)
add_executable(c_stub_host stub.c)
target_link_libraries(c_stub_host PRIVATE landstep::stub)
add_executable(fortran_stub_host stub.f90)
target_link_libraries(fortran_stub_host PRIVATE landstep::fortran_stub)
"""
C_HOST = """
#include <landstep.h>
int main(void) {
  int changed = 0;
  if (landstep_abi() != LANDSTEP_ABI) return 1;
  return landstep_update(1, 2015, 1, 1, &changed) == LANDSTEP_STEP_ERROR ? 0 : 2;
}
"""
FORTRAN_HOST = """
program host
  use landstep, only: land_t
  implicit none
  type(land_t) :: land
  integer :: stat
  real :: values(1)
  call land%get("dominant_class", values, stat)
  if (stat /= 5) error stop 1
end program host
"""


C_STUB_HOST = """
#include <landstep.h>
#include <string.h>
int main(void) {
  double place = 0;
  int handle = -7;
  char text[200];
  landstep_points points = {
    .abi = LANDSTEP_ABI, .n_points = 1, .lon_deg = &place, .lat_deg = &place
  };
  if (landstep_abi() != LANDSTEP_ABI) return 1;
  if (landstep_open("x", &points, LANDSTEP_SERIAL, 0, 0, 0, &handle) != 9 || handle != -7) return 2;
  landstep_last_error(text, sizeof text);
  return strstr(text, "landstep is not built in: ") == text ? 0 : 3;
}
"""
FORTRAN_STUB_HOST = """
program host
  use landstep, only: land_t
  implicit none
  type(land_t) :: land
  integer :: stat
  real :: place(1) = 0
  character(100) :: errmsg
  call land%init("x", place, place, stat=stat, errmsg=errmsg)
  if (stat /= 9 .or. index(errmsg, "init: landstep is not built in: ") /= 1) error stop 1
  if (land%is_open()) error stop 2
end program host
"""


@pytest.fixture
def host_folder(tmp_path: Path) -> Path:
    """A folder with hosts in C and in Fortran, and nothing else."""
    (tmp_path / "CMakeLists.txt").write_text(CMAKE_PROJECT)
    (tmp_path / "host.c").write_text(C_HOST)
    (tmp_path / "host.f90").write_text(FORTRAN_HOST)
    (tmp_path / "stub.c").write_text(C_STUB_HOST)
    (tmp_path / "stub.f90").write_text(FORTRAN_STUB_HOST)
    return tmp_path


def beside_python(name: str) -> str | None:
    """Path of a program of this Python's environment, or of the system's."""
    return shutil.which(name, path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")


def run(*command: str | Path, cwd: Path | None = None) -> None:
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, cwd=cwd)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("flags", ["", "-fdefault-real-8"])
def test_find_package_builds_both_hosts_from_an_empty_folder(
    tools: None, host_folder: Path, flags: str
) -> None:
    cmake = beside_python("cmake")
    if cmake is None:
        pytest.skip("no cmake")
    where = f"-Dlandstep_DIR={build.build_flags()['cmakedir']}"
    run(cmake, "-S", host_folder, "-B", host_folder / "b", where, f"-DCMAKE_Fortran_FLAGS={flags}")
    run(cmake, "--build", host_folder / "b")
    run(host_folder / "b" / "c_host")
    run(host_folder / "b" / "fortran_host")
    run(host_folder / "b" / "c_stub_host")
    run(host_folder / "b" / "fortran_stub_host")


def test_the_flags_of_landstep_config_build_both_hosts(tools: None, host_folder: Path) -> None:
    flags = {name: text.split() for name, text in build.build_flags().items()}
    c_libs = [flag for flag in flags["libs"] if flag != "-llandstep_fortran"]
    run("cc", *flags["cflags"], "host.c", "-o", "c_host", *c_libs, cwd=host_folder)
    run(host_folder / "c_host")
    compiler = build.fortran_compiler()
    prebuilt = [compiler, *flags["fflags"], "host.f90", "-o", "prebuilt", *flags["libs"]]
    run(*prebuilt, cwd=host_folder)
    run(host_folder / "prebuilt")
    from_source = [compiler, *flags["sources"], "host.f90", "-o", "from_source", *flags["libs"]]
    run(*from_source, cwd=host_folder)
    run(host_folder / "from_source")


def test_the_flags_of_the_stub_build_hosts_that_need_no_library(
    tools: None, host_folder: Path
) -> None:
    flags = {name: text.split() for name, text in build.build_flags(stub=True).items()}
    c_libs = [flag for flag in flags["libs"] if flag != "-llandstep_fortran"]
    run("cc", *flags["cflags"], "stub.c", "-o", "c_stub", *c_libs, cwd=host_folder)
    compiler = build.fortran_compiler()
    prebuilt = [compiler, *flags["fflags"], "stub.f90", "-o", "prebuilt", *flags["libs"]]
    run(*prebuilt, cwd=host_folder)
    from_source = [compiler, *flags["sources"], "stub.f90", "-o", "source", *flags["libs"]]
    run(*from_source, cwd=host_folder)
    for program in ("c_stub", "prebuilt", "source"):
        run(host_folder / program)
        needed = subprocess.run(["ldd", host_folder / program], capture_output=True, text=True)
        assert "landstep" not in needed.stdout and "python" not in needed.stdout


def test_without_python_cmake_installs_the_stub_alone(tools: None, host_folder: Path) -> None:
    cmake = beside_python("cmake")
    if cmake is None:
        pytest.skip("no cmake")
    source, there = Path(__file__).resolve().parents[2], host_folder / "there"
    no_python = "-DCMAKE_DISABLE_FIND_PACKAGE_Python3=TRUE"
    run(cmake, "-S", source, "-B", host_folder / "s", no_python, f"-DCMAKE_INSTALL_PREFIX={there}")
    run(cmake, "--build", host_folder / "s")
    run(cmake, "--install", host_folder / "s")
    lines = [line for line in CMAKE_PROJECT.splitlines() if "_host" not in line or "stub" in line]
    (host_folder / "CMakeLists.txt").write_text("\n".join(lines))
    where = f"-Dlandstep_DIR={there / 'share/landstep/lib/cmake/landstep'}"
    run(cmake, "-S", host_folder, "-B", host_folder / "b", where)
    run(cmake, "--build", host_folder / "b")
    run(host_folder / "b" / "c_stub_host")
    run(host_folder / "b" / "fortran_stub_host")


def test_the_stub_builds_from_two_files_where_landstep_is_not_installed(
    tools: None, host_folder: Path
) -> None:
    sources = build.package_folder() / "coupling"
    for name in ("landstep.h", "answers.h", "entry.c", "stub.c"):
        shutil.copy(
            sources / name, host_folder / f"copied_{name}" if name == "stub.c" else host_folder
        )
    command = ["cc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-I.", '-DLANDSTEP_VERSION="0.1.0"']
    run(*command, "stub.c", "entry.c", "copied_stub.c", "-lm", "-o", "copied", cwd=host_folder)
    run(host_folder / "copied")


@pytest.mark.parametrize(("package", "name"), [("landstep", "host"), ("landstep-stub", "stub")])
def test_pkg_config_builds_both_hosts_wherever_the_package_is_moved(
    tools: None, host_folder: Path, package: str, name: str
) -> None:
    reader = shutil.which("pkg-config")
    if reader is None:
        pytest.skip("no pkg-config")
    moved = host_folder / "moved here"
    for part in ("lib", "include", "fortran_shim"):
        shutil.copytree(build.package_folder() / part, moved / part)
    links = host_folder / "moved"
    links.symlink_to(moved)
    place = {**os.environ, "PKG_CONFIG_PATH": str(links / "lib" / "pkgconfig")}

    def ask(*question: str) -> list[str]:
        done = subprocess.run(
            [reader, *question, package], capture_output=True, text=True, check=True, env=place
        )
        return done.stdout.split()

    assert ask("--modversion") == [version("landstep")]
    flags = ask("--cflags", "--libs")
    assert any(str(links) in flag for flag in flags)
    run("cc", f"{name}.c", "-o", "c_host", *flags, cwd=host_folder)
    sources = ask("--variable=fortran_sources")
    run(build.fortran_compiler(), *sources, f"{name}.f90", "-o", "f_host", *flags, cwd=host_folder)
    run(host_folder / "c_host")
    run(host_folder / "f_host")


@pytest.mark.parametrize("stub", [[], ["--stub"]])
def test_the_lines_of_the_docs_build_and_end_in_their_own_words(
    tools: None, tmp_path: Path, stub: list[str]
) -> None:
    """In a folder without the experiment that they name."""
    page = (Path(__file__).parents[2] / "docs" / "fortran.md").read_text("utf-8")
    (tmp_path / "host.f90").write_text(page.split("```fortran\n")[1].split("```")[0])

    def config(*asked: str) -> list[str]:
        command = [sys.executable, "-m", "landstep", "config", *asked]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()

    assert config("--pkgconfigdir", *stub) == [build.build_flags()["pkgconfigdir"]]
    warnings = ["-std=f2018", "-Wall", "-Wextra", "-Wimplicit-interface", "-Werror"]
    command = [build.fortran_compiler(), *warnings, *config("--sources"), "host.f90", "-o", "host"]
    run(*command, *config("--libs", *stub), cwd=tmp_path)
    assert subprocess.run([tmp_path / "host"], cwd=tmp_path, env={}).returncode == 1


def test_a_module_of_another_version_is_told(tools: None, host_folder: Path) -> None:
    """The module as an older landstep had it, over this library."""
    flags = {key: text.split() for key, text in build.build_flags(stub=True).items()}
    sources = []
    for source in flags["sources"]:
        text = Path(source).read_text("utf-8")
        copy = host_folder / Path(source).name
        copy.write_text(text.replace("landstep_abi = 3_c_int", "landstep_abi = 1_c_int"), "utf-8")
        sources.append(str(copy))
    words = "init: module landstep has interface version 1, liblandstep 3: "
    text = FORTRAN_STUB_HOST.replace("init: landstep is not built in: ", words)
    (host_folder / "old.f90").write_text(text)
    libs = [flag for flag in flags["libs"] if flag != "-llandstep_fortran"]
    run(build.fortran_compiler(), *sources, "old.f90", "-o", "old", *libs, cwd=host_folder)
    run(host_folder / "old")


def test_the_library_shows_the_functions_of_the_header_and_no_more(tools: None) -> None:
    reader = shutil.which("nm")
    if reader is None:
        pytest.skip("no nm (binutils)")
    library = build.shared_library()
    header = (library.parents[1] / "include" / "landstep.h").read_text("utf-8")
    listed = subprocess.run(
        [reader, "-D", "--defined-only", str(library)], capture_output=True, text=True, check=True
    ).stdout
    shown = {line.split()[-1] for line in listed.splitlines()}
    assert shown - {"PyInit__landstep_embed"} == set(public_functions(header))


def test_what_is_missing_is_named_with_its_cure(
    tools: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FC", "no_such_compiler")
    with pytest.raises(DependencyError, match="'no_such_compiler' not found: install one"):
        build.build_example_host(tmp_path)
    monkeypatch.delenv("FC")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DependencyError, match="nf-config not found: install netCDF-Fortran"):
        build.netcdf_fortran()
    monkeypatch.setattr(build, "package_folder", lambda: tmp_path)
    with pytest.raises(DependencyError, match="C library, because no C compiler or no shared lib"):
        build.build_flags()
    with pytest.raises(DependencyError, match="liblandstep_stub.a is not there: .* no C compiler"):
        build.build_flags(stub=True)


def test_a_host_that_does_not_compile_gives_the_compilers_words(
    tools: None, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="-fno-such-flag"):
        build.build_example_host(tmp_path, ["-fno-such-flag"])
