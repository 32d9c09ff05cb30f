"""What is installed, what works, and how to get what is missing."""

from __future__ import annotations

import platform
import shutil
import sys
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from landstep.emulator.builtin import builtin_models
from landstep.emulator.errors import DependencyError, LandstepError
from landstep.emulator.onnxruntime_library import telemetry
from landstep.emulator.runtime import precisions_here, runtime_version
from landstep.emulator.session import Session, instruction_set, refuse_two_runtimes
from landstep.evaluation.drawing import matplotlib as load_matplotlib
from landstep.extras import EXTRAS

ROOT = Path(__file__).parent

DEBIAN = {
    "gfortran": ("builds a Fortran host", "apt-get install gfortran"),
    "nf-config": ("netCDF-Fortran, for the example host", "apt-get install libnetcdff-dev"),
    "cmake": ("for hosts that use find_package(landstep)", "apt-get install cmake"),
}


def examine() -> tuple[str, bool]:
    """Look at this installation.

    returns : the report, and whether stepping a model from Python works
    """
    lines = [f"landstep {_version('landstep')}, Python {platform.python_version()}, {sys.platform}"]
    lines.append(f"processor: {instruction_set()}")
    runtime, sound = _runtime()
    lines += ["", "Stepping a model (Python, command line)", *runtime]
    lines += ["", "Hosts (C and Fortran)", *_host()]
    lines += ["", "Extras", *_extras()]
    verdict = "landstep can step models here." if sound else "landstep cannot step models here yet."
    return "\n".join([*lines, "", verdict]), sound


def _version(package: str) -> str | None:
    try:
        return version({"sklearn": "scikit-learn"}.get(package, package))
    except PackageNotFoundError:
        return None


def _line(good: bool, what: str, cure: str = "") -> str:
    return f"  {'ok     ' if good else 'missing'}  {what}" + (
        f": {cure}" if cure and not good else ""
    )


def _runtime() -> tuple[list[str], bool]:
    lines = [_line(True, f"{p} {_version(p)}") for p in ("numpy", "netCDF4", "onnx")]
    try:
        refuse_two_runtimes()
        lines.append(_line(True, f"onnxruntime {runtime_version()}, {telemetry()}"))
        lines += _accelerators()
    except DependencyError as error:
        return [*lines, _line(False, "onnxruntime", str(error))], False
    except LandstepError as error:
        return [*lines, f"  broken   {error}"], False
    models = builtin_models()
    if not models:
        return [*lines, _line(False, "a shipped model", "install landstep again")], False
    for name, path in models.items():
        try:
            card = Session.open(path).card
            lines.append(_line(True, f"model builtin:{name}, verified ({card.name})"))
        except LandstepError as error:
            return [*lines, f"  broken   {error}"], False
    return lines, True


def _accelerators() -> list[str]:
    """Say of each provider and precision beyond the cpu's whether it works here; none is needed."""
    return [
        f"  no       [run] {pair}: {problem}" if problem else _line(True, f"[run] {pair}")
        for pair, problem in precisions_here().items()
    ]


def _host() -> list[str]:
    library = list((ROOT / "lib").glob("liblandstep.*"))
    wrapped = list((ROOT / "fortran_shim").glob("_*host*.so"))
    again = "a Python with a shared libpython (Debian: python3-dev), then install landstep again"
    lines = [
        _line(bool(library), f"C library {library[0] if library else 'liblandstep'}", again),
        _line((ROOT / "fortran_shim" / "landstep.f90").exists(), "Fortran module, as source"),
        _line(bool(wrapped), "example host for Python (f90wrap)", "gfortran, then install again"),
    ]
    for program, (use, cure) in DEBIAN.items():
        found = shutil.which(program)
        lines.append(_line(bool(found), f"{program} ({use})" + (f" {found}" * bool(found)), cure))
    return lines


def _extras() -> list[str]:
    lines = []
    for extra, (use, modules) in EXTRAS.items():
        lacking = [m for m in modules if find_spec(m) is None]
        state = ", ".join(f"{m} {_version(m)}" for m in modules if m not in lacking)
        what = f"{extra}: {use}" + (f" ({state})" if state else "")
        cure = f"{', '.join(lacking)}; pip install 'landstep[{extra}]'"
        if extra == "train":
            cure += " (CPU build of torch: see README, training)"
        problem = "" if lacking or "matplotlib" not in modules else _matplotlib_problem(extra)
        lines.append(f"  broken   {what}: {problem}" if problem else _line(not lacking, what, cure))
    return lines


def _matplotlib_problem(extra: str) -> str:
    """Say why pictures cannot be drawn; "" where they can."""
    try:
        load_matplotlib(extra)
    except DependencyError as error:
        return str(error)
    return ""
