"""Build the example host, and tell a host's own build how to find landstep."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from landstep.emulator.errors import DependencyError, InputError

MODULE_SOURCES = (
    "landstep_c.f90",
    "landstep_call.f90",
    "landstep_points.f90",
    "landstep_fields.f90",
    "landstep_changes.f90",
    "landstep_inputs.f90",
    "landstep.f90",
)
HOST_SOURCES = (
    "example_points.f90",
    "example_energy.f90",
    "example_settings.f90",
    "example_tiles.f90",
    "example_host.f90",
    "example_record.f90",
    "example_files.f90",
)
SERIAL_SOURCES = ("example_main.f90",)
MPI_SOURCES = ("example_gather.f90", "example_mpi.f90")
LIBRARY = "liblandstep.so"
STUB = "liblandstep_stub.a"


def package_folder() -> Path:
    """Folder of the installed package: it holds lib/, include/ and the Fortran sources."""
    return Path(str(resources.files("landstep")))


def shared_library() -> Path:
    """Path of the installed C library.

    Raises DependencyError where it was left out when landstep was installed.
    """
    return _installed(
        LIBRARY,
        "no C compiler or no shared libpython was found. Install both (Debian: apt-get install gcc "
        "libpython3-dev)",
    )


def stub_library() -> Path:
    """Path of the installed stub library: the C functions without Python behind them.

    Raises DependencyError where it was left out when landstep was installed.
    """
    return _installed(STUB, "no C compiler was found. Install one (Debian: apt-get install gcc)")


def _installed(name: str, reason: str) -> Path:
    path = package_folder() / "lib" / name
    if not path.is_file():
        raise DependencyError(
            f"{path} is not there: landstep was installed without its C library, because {reason} "
            "and install landstep again, as a package rather than from its folder"
        )
    return path


def fortran_sources(names: Sequence[str] = MODULE_SOURCES) -> list[Path]:
    """Paths of installed Fortran sources, in the order in which they compile."""
    return [package_folder() / "fortran_shim" / name for name in names]


def build_flags(stub: bool = False) -> dict[str, str]:
    """Flags for a host's own build.

    stub : link to the stub library, with which every call says that landstep is not built in
    returns : cflags (landstep.h), fflags (landstep.mod, for the compiler landstep was installed
        with), libs (to link either), cmakedir (for find_package), pkgconfigdir (for
        PKG_CONFIG_PATH), sources (to compile module landstep with another compiler)
    Raises DependencyError where the library was left out.
    """
    library = (stub_library() if stub else shared_library()).parent
    include = package_folder() / "include"
    link = f"-L{shlex.quote(str(library))}"
    path = f"-Wl,-rpath,{shlex.quote(str(library))}"
    module = "-llandstep_fortran " if (library / "liblandstep_fortran.a").is_file() else ""
    c_library = "-llandstep_stub -lm" if stub else f"-llandstep {path}"
    return {
        "cflags": f"-I{shlex.quote(str(include))}",
        "fflags": f"-I{shlex.quote(str(include / 'fortran'))}",
        "libs": f"{link} {module}{c_library}",
        "cmakedir": str(library / "cmake" / "landstep"),
        "pkgconfigdir": str(library / "pkgconfig"),
        "sources": shlex.join(str(source) for source in fortran_sources()),
    }


def fortran_compiler(name: str | None = None) -> str:
    """Path of the Fortran compiler: that named, $FC or gfortran; DependencyError without one."""
    return _compiler(
        "Fortran compiler", "FC", name or "gfortran", "gfortran", named=name is not None
    )


def mpi_compiler() -> str:
    """Path of the Fortran compiler for MPI, $MPIFC or mpif90; DependencyError without one."""
    return _compiler("Fortran compiler for MPI", "MPIFC", "mpif90", "libopenmpi-dev")


def _compiler(what: str, variable: str, usual: str, package: str, *, named: bool = False) -> str:
    name = usual if named else os.environ.get(variable) or usual
    path = shutil.which(name)
    if path is None:
        raise DependencyError(
            f"{what} {name!r} not found: install one (Debian: apt-get install {package}) or name "
            f"yours in the environment variable {variable}"
        )
    return path


def netcdf_fortran() -> tuple[list[str], list[str]]:
    """Compile and link flags of netCDF-Fortran; DependencyError where it is not there."""
    program = shutil.which("nf-config")
    if program is None:
        raise DependencyError(
            "nf-config not found: install netCDF-Fortran (Debian: apt-get install libnetcdff-dev)"
        )
    answers = [
        subprocess.run([program, option], capture_output=True, text=True, check=True).stdout
        for option in ("--fflags", "--flibs")
    ]
    return shlex.split(answers[0]), shlex.split(answers[1])


def build_example_host(
    out_dir: str | Path, flags: Sequence[str] = (), *, mpi: bool = False
) -> Path:
    """Compile the example host against the installed liblandstep and the system's netCDF-Fortran.

    out_dir : gets the program and its modules; made if it is not there
    flags : of the compiler, e.g. ["-O2", "-ffpe-trap=invalid,zero,overflow"]; module landstep is
        compiled with them too
    mpi : the program that runs on the ranks of mpirun, built with mpif90
    returns : path of the program, which takes a namelist file (see example_settings.f90)
    Raises DependencyError naming what is missing, InputError with the compiler's own words.
    """
    out = Path(out_dir)
    out.mkdir(parents=True, exist_ok=True)
    library = shared_library().parent
    compiler = mpi_compiler() if mpi else fortran_compiler()
    netcdf_compile, netcdf_link = netcdf_fortran()
    program = out / ("example_mpi" if mpi else "example_host")
    sources = (*MODULE_SOURCES, *HOST_SOURCES, *(MPI_SOURCES if mpi else SERIAL_SOURCES))
    command = [
        compiler,
        *flags,
        *netcdf_compile,
        f"-J{out}",
        "-o",
        str(program),
        *(str(source) for source in fortran_sources(sources)),
        f"-L{library}",
        "-llandstep",
        f"-Wl,-rpath,{library}",
        *netcdf_link,
    ]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        raise InputError(f"the example host did not compile: {shlex.join(command)}\n{run.stderr}")
    return program
