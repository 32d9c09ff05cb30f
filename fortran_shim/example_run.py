"""Run the example host's program: its points and namelist, written; its results, found."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from landstep.coupling.points import Points
from landstep.emulator.classes import Scheme
from landstep.emulator.errors import LandstepError
from landstep.emulator.netcdf import NetcdfFile, Variable, write_netcdf

RESULTS, RESTART, HOST_RESTART = "results.nc", "landstep_restart.nc", "host_restart.nc"


@dataclass(frozen=True)
class HostRun:
    """What a run of the program left.

    results : its netCDF file; restart : landstep's restart file, with the host's own beside it
    printed : its terminal lines
    """

    results: Path
    restart: Path
    printed: str

    def fields(self, year: int) -> dict[str, np.ndarray]:
        """Fields of landstep as the host received them in a year: name -> (n_points,) float64.

        Raises LandstepError for a year that the program did not run.
        """
        with NetcdfFile(self.results) as file:
            years = file.read("year").tolist()
            if year not in years:
                raise LandstepError(f"{self.results}: no year {year}, it has {years}")
            record = years.index(year)
            covers = [b"".join(letters).decode().strip() for letters in file.read("cover")]
            shares = file.read("area_fraction", record)
            named = {f"area_fraction_{c}": shares[i] for i, c in enumerate(covers)}
            for name in ("covered_fraction", "dominant_class"):
                named[name] = file.read(name, record)
        return named


def run_example_host(
    program: Path,
    folder: Path,
    experiment: Path,
    scheme: Scheme,
    points: Points,
    first: int,
    last: int,
    restart: Path | None = None,
    fraction: np.ndarray | None = None,
    settings: Mapping[str, str | int | float | bool] | None = None,
) -> HostRun:
    """Run the program over the years `first` to `last`.

    program : as `build_example_host` made it; folder : gets its files
    restart : start from this file, and the host's own of the same run beside it, instead of the
        experiment's map of `first`
    fraction : (n_classes, n_points) float64, the host's own fractions: its baseline
    settings : entries of the namelist that differ from what the program takes by itself
        (example_settings.f90), e.g. {"coupled": False, "warming": 4.0}
    Raises LandstepError with the program's own words where it fails.
    """
    namelist = prepare_example_run(
        folder, experiment, scheme, points, first, last, restart, fraction, settings
    )
    done = subprocess.run(
        [program.resolve(), namelist], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise LandstepError(f"{program}: failed: {done.stderr.strip()}")
    return HostRun(namelist.parent / RESULTS, namelist.parent / RESTART, done.stdout)


def prepare_example_run(
    folder: Path,
    experiment: Path,
    scheme: Scheme,
    points: Points,
    first: int,
    last: int,
    restart: Path | None = None,
    fraction: np.ndarray | None = None,
    settings: Mapping[str, str | int | float | bool] | None = None,
) -> Path:
    """Write the points and the namelist of a run into a folder; parameters as `run_example_host`.

    returns : absolute path of the namelist, the program's one argument
    """
    folder = folder.resolve()
    _write_points(folder / "points.nc", points, fraction)
    entries: dict[str, str | int | float | bool] = {
        "experiment": str(Path(experiment).resolve()),
        "points_file": str(folder / "points.nc"),
        "results_file": str(folder / RESULTS),
        "restart_in": str(restart.resolve()) if restart else "",
        "restart_out": str(folder / RESTART),
        "host_restart_in": str(restart.resolve().with_name(HOST_RESTART)) if restart else "",
        "host_restart_out": str(folder / HOST_RESTART),
        "covers": ",".join(scheme.names),
        "first_year": first,
        "last_year": last,
        **(settings or {}),
    }
    text = "".join(f"  {key} = {_fortran(value)}\n" for key, value in entries.items())
    namelist = folder / "host.nml"
    namelist.write_text(f"&host\n{text}/\n", "utf-8")
    return namelist


def _fortran(value: str | int | float | bool) -> str:
    """Write a value as a Fortran namelist holds it."""
    if isinstance(value, bool):
        return ".true." if value else ".false."
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return repr(value)


def _write_points(path: Path, points: Points, fraction: np.ndarray | None) -> None:
    sizes = {"point": points.lon.size, "nv": 2}
    fields = {"lon": points.lon, "lat": points.lat}
    variables = [Variable(n, ("point",), f, {"units": "degrees"}) for n, f in fields.items()]
    for name, bounds in (("lon_bounds", points.lon_bounds), ("lat_bounds", points.lat_bounds)):
        if bounds is not None:
            variables.append(Variable(name, ("point", "nv"), bounds, {"units": "degrees"}))
    if fraction is not None:
        sizes["cover"] = len(fraction)
        variables.append(Variable("fraction", ("cover", "point"), fraction, {"units": "1"}))
    write_netcdf(path, sizes, variables, {"title": "host points"})
