"""Every driver against the stored reference: Python, command line, Fortran program, f90wrap.

The reference (`reference/`) was made with `landstep regress record` from the region stored in
`region/`, so a change to the made-up world cannot look like a change to the emulator.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from landstep import Emulator, State
from landstep.coupling import regress
from landstep.emulator.netcdf import NetcdfFile
from landstep.fortran_shim.build import build_example_host
from landstep.fortran_shim.example_run import run_example_host

HERE = Path(__file__).parent
EXPERIMENT = HERE / "region" / "experiment.toml"
REFERENCE = HERE / "reference"
CHANGELOG = HERE.parents[1] / "CHANGELOG.md"


@pytest.fixture(scope="module")
def stored() -> tuple[dict, dict[str, np.ndarray]]:
    """Load the reference; its bits hold for one instruction set and onnxruntime."""
    return regress.load(REFERENCE)


@pytest.fixture(scope="module")
def emulator() -> Emulator:
    return Emulator.open(EXPERIMENT)


@pytest.fixture(scope="module")
def agrees(stored: tuple, emulator: Emulator, agree: Callable[..., bool]) -> Callable[..., bool]:
    """Give the function that compares with the stored reference as its bits are promised."""
    return partial(agree, stored[0], emulator.session.provenance)


def test_the_python_driver_gives_the_reference(stored: tuple) -> None:
    report = regress.check(EXPERIMENT, REFERENCE)
    assert report.passed, report.text


def test_the_map_moves_so_that_the_reference_can_fail(stored: tuple) -> None:
    note, arrays = stored
    first, last = arrays[f"map_{note['first']}"], arrays[f"map_{note['last']}"]
    assert (first != last).sum() > 10


def test_the_command_line_gives_the_reference(
    stored: tuple, emulator: Emulator, agrees: Callable[..., bool], tmp_path: Path
) -> None:
    note, arrays = stored
    years = f"{note['first']}:{note['last']}"
    command = [sys.executable, "-m", "landstep", "run", EXPERIMENT, "--years", years]
    subprocess.run([*command, "--output", tmp_path], check=True, capture_output=True)
    for year in range(note["first"], note["last"] + 1):
        with NetcdfFile(tmp_path / f"land_use_{year}.nc") as file:
            codes = file.read("land_use")[0].astype(np.int8).view(np.uint8)
        expected = emulator.scheme.codes_from_numbers(arrays[f"map_{year}"])
        assert agrees(codes, expected), year


def test_the_fortran_program_gives_the_reference(
    stored: tuple, emulator: Emulator, agrees: Callable[..., bool], tmp_path: Path
) -> None:
    note, arrays = stored
    program = build_example_host(tmp_path / "host")
    points = regress.reference_points(emulator.inputs)
    run = run_example_host(
        program, tmp_path / "host", EXPERIMENT, emulator.scheme, points, note["first"], note["last"]
    )
    last = State.load(run.restart)
    assert agrees(last.land_use, arrays[f"map_{note['last']}"])
    for year in range(note["first"], note["last"] + 1):
        fields = run.fields(year)
        assert len(fields) == emulator.scheme.n_classes + 2
        for name, values in fields.items():
            assert agrees(values, arrays[f"field_{name}_{year}"]), (name, year)


def test_the_wrapped_host_gives_the_reference(
    stored: tuple, emulator: Emulator, agrees: Callable[..., bool], tmp_path: Path
) -> None:
    from landstep.fortran_shim.example_host import host_wrap

    note, arrays = stored
    points = regress.reference_points(emulator.inputs)
    host = host_wrap.wrapped_host()
    names = emulator.scheme.names
    status, message = host_wrap.wrapped_open(
        host, str(EXPERIMENT), ",".join(names), points.lon, points.lat, True,
        np.asfortranarray(points.lon_bounds.T), np.asfortranarray(points.lat_bounds.T),
        note["first"], "",
    )  # fmt: skip
    assert status == 0, message
    values = np.empty(points.n)
    for year in range(note["first"], note["last"] + 1):
        status, message = host_wrap.wrapped_run_year(host, year)
        assert status == 0, message
        for name in (*(f"area_fraction_{n}" for n in names), "dominant_class", "covered_fraction"):
            status, message = host_wrap.wrapped_get(host, name, values)
            assert status == 0, message
            assert agrees(values, arrays[f"field_{name}_{year}"]), (name, year)
    restart = tmp_path / "restart.nc"
    assert host_wrap.wrapped_write_restart(host, str(restart))[0] == 0
    assert agrees(State.load(restart).land_use, arrays[f"map_{note['last']}"])
    host_wrap.wrapped_close(host)


def test_the_changelog_names_the_reference() -> None:
    assert regress.name_of(REFERENCE) in CHANGELOG.read_text("utf-8"), (
        "the stored reference was replaced: CHANGELOG.md, References, needs a line that names "
        f"{regress.name_of(REFERENCE)} and says why"
    )
