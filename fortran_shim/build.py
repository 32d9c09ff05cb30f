"""Build the example host from the installed sources, and tell a host's build how to find landstep."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import numpy as np

from landstep.emulator.errors import DependencyError, InputError
from landstep.emulator.experiment import load_experiment
from landstep.emulator.grid import Grid
from landstep.emulator.inputs import open_inputs
from landstep.emulator.netcdf import Variable, write_netcdf

MODULE_SOURCES = ("landstep_c.f90", "landstep.f90")
EXAMPLE_SOURCES = ("example_host.f90", "example_files.f90", "example_main.f90")
LIBRARY = "liblandstep.so"


def package_folder() -> Path:
    """Folder of the installed package: it holds lib/, include/ and the Fortran sources."""
    return Path(str(resources.files("landstep")))


def library_path() -> Path:
    """Path of the installed C library.

    Raises DependencyError where it was left out when landstep was installed.
    """
    path = package_folder() / "lib" / LIBRARY
    if not path.is_file():
        raise DependencyError(
            f"{path} is not there: landstep was installed without its C library, because no C "
            "compiler or no shared libpython was found. Install both (Debian: apt-get install gcc "
            "libpython3-dev) and install landstep again, as a package rather than from its folder"
        )
    return path


def fortran_sources(names: Sequence[str] = MODULE_SOURCES) -> list[Path]:
    """Paths of installed Fortran sources, in the order in which they compile."""
    return [package_folder() / "fortran_shim" / name for name in names]


def build_flags() -> dict[str, str]:
    """Flags for a host's own build.

    returns : cflags (landstep.h), fflags (landstep.mod, for the compiler landstep was installed
        with), libs (to link either), cmakedir (for find_package), sources (to compile module
        landstep with another compiler)
    Raises DependencyError where the C library was left out.
    """
    library = library_path().parent
    include = package_folder() / "include"
    link = f"-L{shlex.quote(str(library))}"
    path = f"-Wl,-rpath,{shlex.quote(str(library))}"
    module = "-llandstep_fortran " if (library / "liblandstep_fortran.a").is_file() else ""
    return {
        "cflags": f"-I{shlex.quote(str(include))}",
        "fflags": f"-I{shlex.quote(str(include / 'fortran'))}",
        "libs": f"{link} {module}-llandstep {path}",
        "cmakedir": str(library / "cmake" / "landstep"),
        "sources": shlex.join(str(source) for source in fortran_sources()),
    }


def fortran_compiler() -> str:
    """Path of the host's Fortran compiler: $FC, else gfortran; DependencyError where it is not there."""
    name = os.environ.get("FC") or "gfortran"
    path = shutil.which(name)
    if path is None:
        raise DependencyError(
            f"Fortran compiler {name!r} not found: install one (Debian: apt-get install gfortran) "
            "or name yours in the environment variable FC"
        )
    return path


def netcdf_fortran() -> tuple[list[str], list[str]]:
    """Compile and link flags of the system's netCDF-Fortran; DependencyError where it is not there."""
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


def build_example_host(out_dir: str | Path, flags: Sequence[str] = ()) -> Path:
    """Compile the example host against the installed liblandstep and the system's netCDF-Fortran.

    out_dir : gets the program and its modules; made if it is not there
    flags : of the compiler, e.g. ["-O2", "-ffpe-trap=invalid,zero,overflow"]; module landstep is
        compiled with them too
    returns : path of the program, which takes a namelist file (see example_main.f90)
    Raises DependencyError naming what is missing, InputError with the compiler's own words.
    """
    out = Path(out_dir)
    out.mkdir(parents=True, exist_ok=True)
    library = library_path().parent
    compiler = fortran_compiler()
    netcdf_compile, netcdf_link = netcdf_fortran()
    program = out / "example_host"
    command = [
        compiler,
        *flags,
        *netcdf_compile,
        f"-J{out}",
        "-o",
        str(program),
        *(str(source) for source in fortran_sources((*MODULE_SOURCES, *EXAMPLE_SOURCES))),
        f"-L{library}",
        "-llandstep",
        f"-Wl,-rpath,{library}",
        *netcdf_link,
    ]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        raise InputError(f"the example host did not compile: {shlex.join(command)}\n{run.stderr}")
    return program


def run_example_host(
    program: Path, experiment: str | Path, first: int, last: int, folder: str | Path
) -> Path:
    """Run the built example host on points spread over an experiment's grid.

    program : from build_example_host
    first, last : years; the host starts from the map of `first`
    folder : gets points.nc, host.nml, results.nc and landstep_restart.nc
    returns : path of results.nc: landstep's fields and the host's own results, a record a year
    Raises InputError with the host's own words where it fails.
    """
    where = Path(folder)
    where.mkdir(parents=True, exist_ok=True)
    inputs = open_inputs(load_experiment(experiment))
    write_points(where / "points.nc", *spread_points(inputs.grid))
    results, restart = where / "results.nc", where / "landstep_restart.nc"
    write_namelist(
        where / "host.nml",
        experiment=Path(experiment).resolve(),
        points_file=where / "points.nc",
        results_file=results,
        restart_out=restart,
        covers=",".join(inputs.scheme.names),
        first_year=first,
        last_year=last,
    )
    command = [str(program), str(where / "host.nml")]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        raise InputError(f"{shlex.join(command)}: {run.stderr.strip() or run.stdout.strip()}")
    return results


def write_namelist(path: Path, **values: str | int | Path) -> None:
    """Write the namelist that example_main.f90 reads; texts of any kind are quoted."""
    lines = [
        f"  {name} = {value}" if isinstance(value, int) else f"  {name} = '{_quoted(str(value))}'"
        for name, value in values.items()
    ]
    path.write_text("\n".join(["&host", *lines, "/", ""]), "utf-8")


def _quoted(text: str) -> str:
    return text.replace("'", "''")


def write_points(path: Path, lon: np.ndarray, lat: np.ndarray, half_deg: float | None) -> None:
    """Write a points file of the example host.

    lon, lat : (n,) degrees
    half_deg : half the width and height of each point's cell; None: points without bounds
    """
    variables = [
        Variable("lon", ("point",), lon, {"units": "degrees_east"}),
        Variable("lat", ("point",), lat, {"units": "degrees_north"}),
    ]
    if half_deg is not None:
        sides = np.array([-half_deg, half_deg])
        for name, centre in (("lon_bounds", lon), ("lat_bounds", lat)):
            edges = centre[:, None] + sides
            if name == "lat_bounds":
                edges = np.clip(edges, -90.0, 90.0)
            variables.append(Variable(name, ("point", "edge"), edges, {"units": "degrees"}))
    dims: dict[str, int | None] = {"point": lon.size, "edge": 2}
    write_netcdf(path, dims, variables, {"title": "points of the example host"})


def spread_points(grid: Grid, rows: int = 4, columns: int = 6) -> tuple[np.ndarray, np.ndarray, float]:
    """Points spread evenly over a grid, and half the width of a cell that is a few fine cells wide.

    returns : lon and lat (rows * columns,) float64, degrees; half a width, degrees
    """
    ny, nx = grid.shape
    row = (np.arange(rows) * 2 + 1) * ny // (2 * rows)
    col = (np.arange(columns) * 2 + 1) * nx // (2 * columns)
    lon, lat = grid.lon_deg, grid.lat_deg
    if grid.kind == "regular":
        lon, lat = np.broadcast_arrays(lon, lat[:, None])
    spacing = float(np.abs(lat[1, 0] - lat[0, 0]))
    place = np.ix_(row, col)
    return lon[place].ravel().copy(), lat[place].ravel().copy(), 5.3 * spacing
