"""`landstep hostfile`, as typed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import netCDF4
import numpy as np
import pytest
from typer.testing import CliRunner, Result

from landstep.__main__ import app
from landstep.coupling.host_files.layout import layout_names
from landstep.emulator.driver import run_years
from landstep.emulator.errors import ConfigError, LandstepError


def typed(*words: object) -> Result:
    return CliRunner().invoke(app, ["hostfile", *map(str, words)])


@pytest.fixture(scope="module")
def run(world: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    run_years(world / "experiment.toml", 2015, 2016, folder)
    return folder


@pytest.fixture(scope="module")
def surface(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A surface file of SPEEDY's names on quarter degrees of the made-up world."""
    path = tmp_path_factory.mktemp("host") / "surface.nc"
    with netCDF4.Dataset(path, "w", format="NETCDF4") as file:
        for name, values in (("lat", [49.875, 49.625]), ("lon", [-29.875, -29.625, -29.375])):
            file.createDimension(name, len(values))
            file.createVariable(name, "f8", (name,))[:] = values
        for name, value in (("vegh", 0.4), ("vegl", 0.3), ("alb", 0.2)):
            file.createVariable(name, "f4", ("lat", "lon"))[:] = np.full((2, 3), value)
    return path


def test_a_copy_is_written_and_told(world: Path, run: Path, surface: Path, tmp_path: Path) -> None:
    out = tmp_path / "new.nc"
    done = typed("speedy", surface, world / "experiment.toml", "--run", run, "--year", 2016,
                 "--output", out)  # fmt: skip
    assert done.exit_code == 0, done.output
    assert f"wrote {out} and new.nc.landstep.json" in done.stdout
    assert "6 of 6 points lie on known land" in done.stdout
    assert (tmp_path / "new.nc.landstep.json").exists()


def test_a_year_without_a_map_is_one_line(world: Path, run: Path, surface: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "landstep", "hostfile", "speedy", str(surface),
         str(world / "experiment.toml"), "--run", str(run), "--year", "2050",
         "--output", str(run / "new.nc")],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("landstep: ") and "no map of 2050" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("host", layout_names())
def test_each_host_has_a_worked_example(host: str) -> None:
    help_text = " ".join(typed(host, "--help").stdout.split())
    assert f"Example: landstep hostfile {host} " in help_text


@pytest.mark.parametrize("host", ["ecland", "noahmp", "ifs"])
def test_another_hosts_file_is_refused(
    world: Path, run: Path, surface: Path, tmp_path: Path, host: str
) -> None:
    source = ("--template", surface) if host == "ifs" else (surface,)
    done = typed(host, *source, world / "experiment.toml", "--run", run, "--year", 2016,
                 "--output", tmp_path / "new")  # fmt: skip
    assert isinstance(done.exception, LandstepError) and not (tmp_path / "new").exists()


def test_places_may_be_in_another_file(world: Path, run: Path, tmp_path: Path) -> None:
    """JULES keeps fractions in one file and the grid in another; the record names both."""
    with netCDF4.Dataset(tmp_path / "frac.nc", "w") as file:
        for name, size in (("type", 9), ("y", 2), ("x", 3)):
            file.createDimension(name, size)
        shares = np.array([0.2, 0.1, 0.3, 0.1, 0.1, 0.05, 0.05, 0.1, 0.0])
        values = np.broadcast_to(shares[:, None, None], (9, 2, 3))
        file.createVariable("frac", "f8", ("type", "y", "x"))[:] = values
    with netCDF4.Dataset(tmp_path / "grid.nc", "w") as file:
        for dim, name, values in (
            ("y", "latitude", [49.875, 49.625]),
            ("x", "longitude", [-29.875, -29.625, -29.375]),
        ):
            file.createDimension(dim, len(values))
            file.createVariable(name, "f8", (dim,))[:] = values
    out = tmp_path / "new.nc"
    done = typed("jules", tmp_path / "frac.nc", world / "experiment.toml", "--run", run, "--year",
                 2016, "--output", out, "--points", tmp_path / "grid.nc")  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "6 of 6 points lie on known land" in done.stdout
    record = json.loads((tmp_path / "new.nc.landstep.json").read_text("utf-8"))
    assert record["points_file"] == str(tmp_path / "grid.nc")
    assert len(record["points_file_sha256"]) == 64


def test_ctsm_wants_a_year_or_years(world: Path, run: Path, surface: Path, tmp_path: Path) -> None:
    words = ("ctsm", surface, world / "experiment.toml", "--run", run, "--output", tmp_path / "n")
    assert typed(*words).exit_code == 2
    assert typed(*words, "--year", 2016, "--years", "2015:2016").exit_code == 2
    assert isinstance(typed(*words, "--years", "x").exception, ConfigError)


def test_a_host_that_is_none_is_told_the_nearest() -> None:
    done = typed("eclnd")
    assert done.exit_code == 2 and "ecland" in done.output
