"""`landstep host-test HOST`: try the coupling of a host's page on this machine."""

from __future__ import annotations

import tempfile
from pathlib import Path

from landstep.data.world import make_world
from landstep.emulator.errors import InputError
from landstep.fortran_shim.build import fortran_compiler
from landstep.fortran_shim.host_test import Check, check_host
from landstep.fortran_shim.host_test_files import host_test
from landstep.progress import Progress

SEED, SHAPE = 3, (120, 240)


def try_host(
    name: str, *, compiler: str | None = None, full: bool = False, keep: Path | None = None
) -> list[Check]:
    """Run a host's conformance test over a made-up globe.

    compiler : of the host; None is $FC or gfortran
    full : all flags of the host, and what a user may set or miss
    keep : folder for programs and runs; without it they are removed
    Raises ConfigError for a host without a test, InputError where `keep` is there already,
    DependencyError naming what is missing.
    """
    test = host_test(name)
    if keep is not None and keep.exists():
        raise InputError(f"{keep}: is there already; name a folder that is not")
    fortran_compiler(compiler)
    with tempfile.TemporaryDirectory() as scratch, Progress("host-test") as progress:
        out = keep or Path(scratch)
        progress.say("making a globe")
        make_world(out / "world", seed=SEED, shape=SHAPE, globe=True)
        return check_host(
            test,
            out / "world",
            out / "runs",
            compiler=compiler,
            full=full,
            progress=progress.say,
        )
