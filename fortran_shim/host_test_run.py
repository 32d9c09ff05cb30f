"""Build a host's conformance test, run it over a made-up globe, and read what it recorded."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import tomllib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from landstep.emulator.errors import InputError
from landstep.fortran_shim import build
from landstep.fortran_shim.host_test_files import HostTest

PRIME = 2**31 - 1
"""Checksums are sums over points, modulo this: kit.f90."""

BEHIND_MPI = ("OMPI_FC", "MPICH_FC", "I_MPI_FC")
"""Variables that name the compiler behind mpif90: Open MPI, MPICH, Intel MPI."""

AS_ROOT = ("OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM")
"""Without these Open MPI's mpirun starts nothing for root, as whom containers run."""

Day = tuple[int, int, int]
Checksums = dict[str, dict[str, tuple[int, int]]]
Values = dict[tuple[int, str], dict[int, str]]


@dataclass(frozen=True)
class Recorded:
    """What a run recorded, over all its ranks.

    folder : where it ran
    status : its exit status, printed : what it wrote to the terminal
    checksums : "2015-01-01" -> field -> (points, checksum)
    values : (year, field) -> point -> bits, on the last day of each year
    """

    folder: Path
    status: int
    printed: str
    checksums: Checksums
    values: Values


def build_host_test(
    test: HostTest,
    out: Path,
    *,
    flags: tuple[str, ...] = (),
    compiler: str | None = None,
    mpi: bool = False,
    stub: bool = False,
) -> Path:
    """Compile a host's test with module landstep's own sources, all with the same flags.

    out : folder, gets program and modules
    compiler : Fortran compiler; None is $FC or gfortran
    mpi : compile with $MPIFC or mpif90, which calls that compiler
    stub : link to the library that says that landstep is not built in
    Raises DependencyError naming what is missing, InputError with the compiler's own words.
    """
    out.mkdir(parents=True, exist_ok=True)
    library = build.stub_library() if stub else build.shared_library()
    folder = test.standin.parent
    own = [folder / "kit.f90", folder / f"ranks_{'mpi' if mpi else 'serial'}.f90"]
    sources = [*build.fortran_sources(), *own, test.standin, test.coupling, folder / "driver.f90"]
    links = ["-llandstep_stub", "-lm"] if stub else ["-llandstep", f"-Wl,-rpath,{library.parent}"]
    program = out / "host_test"
    fc = build.fortran_compiler(compiler)
    behind = dict.fromkeys(BEHIND_MPI, fc) if compiler else {}
    command = [
        build.mpi_compiler() if mpi else fc,
        *flags,
        *(test.mpi_flags if mpi else ()),
        "-o",
        str(program),
        *(str(source) for source in sources),
        f"-L{library.parent}",
        *links,
    ]
    done = subprocess.run(
        command, cwd=out, env=os.environ | behind, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise InputError(f"{test.name}: did not compile: {shlex.join(command)}\n{done.stderr}")
    return program


def write_experiment(
    path: Path, world: Path, test: HostTest, entries: Mapping[str, str | bool] | None = None
) -> None:
    """Write the made-up world's experiment with the [coupling] of a host's page.

    The zones of the world have a legend of their own, so the page's [climate] is left out.

    world : folder of `landstep world --globe`
    entries : more entries of [coupling]
    """
    text = (world / "experiment.toml").read_text("utf-8")
    text = re.sub(r'"([\w.]+\.nc)"', lambda found: f'"{(world / found[1]).resolve()}"', text)
    coupling = tomllib.loads(test.settings.read_text("utf-8"))["coupling"] | (entries or {})
    lines = [f"{key} = {_toml(value)}" for key, value in coupling.items()]
    path.write_text("\n".join([text, "[coupling]", *lines, ""]), "utf-8")


def _toml(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool | int) else f'"{value}"'


def run_host_test(
    program: Path,
    run_folder: Path,
    experiment: Path,
    first: Day,
    last: Day,
    *,
    coupled: bool = True,
    restart_at: Day = (0, 0, 0),
    restart_from: Path | None = None,
    ranks: int = 0,
) -> Recorded:
    """Run a test's program over days, in a folder of its own.

    experiment : file that the run finds as experiment.toml
    coupled : False: the host without landstep
    restart_at : the day after which restarts are written
    restart_from : folder of the run whose restarts are gone on from
    ranks : of MPI; 0: a program without MPI
    """
    run_folder.mkdir(parents=True)
    shutil.copy(experiment, run_folder / "experiment.toml")
    if restart_from is not None:
        for path in restart_from.iterdir():
            if "restart" in path.name.lower():
                shutil.copy(path, run_folder)
    dates = {"first": first, "last": last, "restart_at": restart_at}
    lines = [f"  {name} = {', '.join(map(str, date))}" for name, date in dates.items()]
    flags = {"coupled": coupled, "restarted": restart_from is not None}
    lines += [f"  {name} = .{str(value).lower()}." for name, value in flags.items()]
    (run_folder / "run.nml").write_text("\n".join(["&run_of_host", *lines, "/", ""]), "utf-8")
    launched = ["mpirun", "--oversubscribe", "-n", str(ranks)] if ranks else []
    done = subprocess.run(
        [*launched, str(program.resolve())],
        cwd=run_folder,
        env=os.environ | dict.fromkeys(AS_ROOT, "1"),
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    printed = done.stdout + done.stderr
    return Recorded(run_folder, done.returncode, printed, *_read(run_folder))


def _read(run_folder: Path) -> tuple[Checksums, Values]:
    checksums: Checksums = defaultdict(dict)
    for path in sorted(run_folder.glob("dates.*.txt")):
        for line in path.read_text("ascii").splitlines():
            date, name, *numbers = line.split()
            n, value = map(int, numbers)
            points, before = checksums[date].get(name, (0, 0))
            checksums[date][name] = (points + n, (before + value) % PRIME)
    values: Values = defaultdict(dict)
    for path in sorted(run_folder.glob("values.*.txt")):
        for line in path.read_text("ascii").splitlines():
            year, name, point, bits = line.split()
            values[int(year), name][int(point)] = bits
    return dict(checksums), dict(values)
