"""One Fortran host in processes of many kinds: nothing printed, nothing left, the same fields.

FAULTS rows 75, 82, 88, 89, 90 and 91. One host and one world; each test takes a few seconds.
"""

from __future__ import annotations

import ctypes.util
import os
import pty
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from landstep.emulator.errors import DependencyError
from landstep.fortran_shim import build

HERE = Path(__file__).parent
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PATH": os.defpath}
LONG = 120
"""Seconds after which a program counts as hanging, on the busiest machine."""

Run = Callable[..., bytes]


def compiled(compiler: str, folder: Path, *arguments: str | Path) -> None:
    """Compile; skip where the compiler does not know a flag, such as that of a sanitizer."""
    command = [compiler, *map(str, arguments)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode and any("-fsanitize" in str(a) for a in arguments):
        pytest.skip(f"no sanitizer: {done.stderr[-200:]}")
    assert done.returncode == 0, done.stderr


def host_program(folder: Path, *flags: str) -> Path:
    """Compile process_host.f90 as a host's own build does."""
    try:
        compiler, library = build.fortran_compiler(), build.shared_library().parent
    except DependencyError as error:
        pytest.skip(str(error))
    program = folder / "host"
    link = [f"-L{library}", "-llandstep", f"-Wl,-rpath,{library}"]
    sources = build.fortran_sources()
    compiled(
        compiler, folder, "-g", *flags, *sources, HERE / "process_host.f90", *link, "-o", program
    )
    return program


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The host as a user builds it."""
    return host_program(tmp_path_factory.mktemp("process_host"))


@pytest.fixture(scope="module")
def preloads(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return the function that compiles a C file of this folder for LD_PRELOAD."""
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if compiler is None:
        pytest.skip("no C compiler")
    folder = tmp_path_factory.mktemp("preloads")

    def make(name: str) -> Path:
        library = folder / f"{name}.so"
        if not library.exists():
            source = HERE / f"{name}.c"
            flags = ["-shared", "-fPIC", "-O1", "-fno-builtin", "-Wall", "-Wextra", "-Werror"]
            compiled(compiler, folder, *flags, source, "-o", library, "-ldl")
        return library

    return make


@pytest.fixture
def run(program: Path, experiment: Path, tmp_path: Path) -> Run:
    """Return the function that runs a host, sees that it prints nothing, and returns its fields."""

    def go(*arguments: str, program: Path = program, env: dict[str, str] | None = None,
           **options: Any) -> bytes:  # fmt: skip
        fields = tmp_path / "fields"
        fields.unlink(missing_ok=True)
        done = subprocess.run(
            [program, experiment, fields, *arguments],
            env=ONE_THREAD | (env or {}), capture_output=True, text=True, timeout=LONG, **options,
        )  # fmt: skip
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        return fields.read_bytes()

    return go


@pytest.fixture(scope="module")
def plain(program: Path, experiment: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The fields of the host in a process that has nothing special."""
    fields = tmp_path_factory.mktemp("plain") / "fields"
    subprocess.run([program, experiment, fields], env=ONE_THREAD, check=True, timeout=LONG)
    values = np.fromfile(fields, "f8")
    assert values.shape == (9,) and ((values > 0) & (values < 1)).any()
    return fields.read_bytes()


def own_netcdf() -> str:
    """Name of the system's libnetcdf; skip without one."""
    name = ctypes.util.find_library("netcdf")
    return name or pytest.skip("the system has no libnetcdf (Debian: apt-get install libnetcdf19)")


@pytest.mark.parametrize("with_own_netcdf", [False, True])
@pytest.mark.parametrize("other", ["careful_malloc", "jemalloc", "tcmalloc_minimal"])
def test_a_host_with_another_malloc_has_the_same_fields(
    run: Run, plain: bytes, preloads: Callable[[str], Path], other: str, with_own_netcdf: bool
) -> None:
    """Fault 88; with a libnetcdf of its own as well, the two stay apart."""
    name = str(preloads(other)) if other == "careful_malloc" else ctypes.util.find_library(other)
    if not name:
        pytest.skip(f"{other} is not here")
    loaded = f"{name} {own_netcdf()}" if with_own_netcdf else name
    assert run(env={"LD_PRELOAD": loaded}) == plain


def test_a_host_with_its_own_netcdf_has_the_same_fields(run: Run, plain: bytes) -> None:
    assert run(env={"LD_PRELOAD": own_netcdf()}) == plain


@pytest.mark.parametrize("sanitizer", ["address", "thread", "undefined"])
def test_a_host_built_with_a_sanitizer_has_the_same_fields(
    run: Run, plain: bytes, tmp_path: Path, sanitizer: str
) -> None:
    """Fault 88. libgfortran's own locks, which open a host's file, are an inversion to TSan."""
    watched = host_program(tmp_path, f"-fsanitize={sanitizer}")
    env = {"ASAN_OPTIONS": "detect_leaks=0", "TSAN_OPTIONS": "detect_deadlocks=0"}
    assert run(program=watched, env=env) == plain


def test_other_programs_of_landstep_work_with_another_malloc(
    preloads: Callable[[str], Path],
) -> None:
    """Fault 88, from Python: netCDF4 after the libraries that a host might bring."""
    code = "import landstep.emulator.netcdf_library as n; print(n.netcdf4.__version__ != '')"
    loaded = f"{preloads('careful_malloc')}"
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "LD_PRELOAD": loaded},
        capture_output=True, text=True, timeout=LONG,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "True\n", "")


@pytest.mark.parametrize("home", ["/dev/null/home", "made"])
def test_nothing_is_looked_up_and_nothing_left_at_home(
    run: Run, plain: bytes, preloads: Callable[[str], Path], tmp_path: Path, home: str
) -> None:
    """Faults 82 and 89: telemetry, which starts with the library, has not even a thread."""
    record, made = tmp_path / "record", tmp_path / "home"
    made.mkdir()
    env = {
        "HOME": str(made) if home == "made" else home,
        "LD_PRELOAD": str(preloads("network_recorder")),
        "RECORD": str(record),
    }
    assert run(env=env) == plain
    assert not record.exists(), record.read_text("utf-8")
    assert list(made.iterdir()) == []


def test_the_recorder_sees_the_thread_of_a_library_that_was_loaded_otherwise(
    preloads: Callable[[str], Path], tmp_path: Path
) -> None:
    """The negative control of the test above."""
    onnxruntime = pytest.importorskip("onnxruntime")
    if tuple(map(int, onnxruntime.__version__.split(".")[:2])) < (1, 32):
        pytest.skip("this onnxruntime has no telemetry")
    env = {
        **ONE_THREAD, "HOME": str(tmp_path), "RECORD": str(tmp_path / "record"),
        "LD_PRELOAD": str(preloads("network_recorder")),
    }  # fmt: skip
    subprocess.run([sys.executable, "-c", "import onnxruntime"], env=env, timeout=LONG)
    assert "thread" in (tmp_path / "record").read_text("utf-8")


def test_a_forked_child_is_told_and_ends_by_exit(run: Run, plain: bytes) -> None:
    """Faults 75 and 90: it ends at once; a limit of two minutes stands for a hang."""
    assert run("fork") == plain


@pytest.mark.parametrize("kind", ["folder", "closed", "fifo", "socket", "terminal", "nothing"])
def test_standard_input_may_be_anything_and_is_not_read(
    run: Run, plain: bytes, tmp_path: Path, kind: str
) -> None:
    """Fault 91."""
    if kind == "closed":
        assert run(preexec_fn=lambda: os.close(0)) == plain
        return
    ours, other = -1, -1
    if kind == "folder":
        ours = os.open(tmp_path, os.O_RDONLY)
    elif kind == "fifo":
        ours, other = os.pipe()
        os.write(other, b"the host's own\n")
    elif kind == "socket":
        ours, other = (end.detach() for end in socket.socketpair())
        os.write(other, b"the host's own\n")
    elif kind == "terminal":
        other, ours = pty.openpty()
    else:
        ours = os.open(os.devnull, os.O_RDONLY)
    try:
        assert run(stdin=ours) == plain
        if kind in ("fifo", "socket"):
            assert os.read(ours, 100) == b"the host's own\n"
    finally:
        for end in {ours, other} - {-1}:
            os.close(end)


def test_the_module_compiles_where_variables_are_static(tmp_path: Path) -> None:
    """As with -save of ifort and -qsave of IBM's compiler: a pure procedure must be recursive."""
    host_program(tmp_path, "-fno-automatic")
