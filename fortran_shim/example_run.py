"""Run the example host's program: its points and namelist, written; its results, found."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from landstep.coupling.points import Points
from landstep.emulator.classes import Scheme
from landstep.emulator.errors import LandstepError
from landstep.emulator.netcdf import NetcdfFile, Variable, write_netcdf

RESULTS, RESTART = "results.nc", "landstep_restart.nc"


@dataclass(frozen=True)
class HostRun:
    """What a run of the program left.

    results : its netCDF file; restart : landstep's restart file; printed : its terminal lines
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
) -> HostRun:
    """Run the program over the years `first` to `last`.

    program : as `build_example_host` made it; folder : gets its files
    restart : start from this file instead of the experiment's map of `first`
    Raises LandstepError with the program's own words where it fails.
    """
    namelist = prepare_example_run(folder, experiment, scheme, points, first, last, restart)
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
) -> Path:
    """Write the points and the namelist of a run into a folder; parameters as `run_example_host`.

    returns : absolute path of the namelist, the program's one argument
    """
    folder = folder.resolve()
    _write_points(folder / "points.nc", points)
    lines = {
        "experiment": Path(experiment).resolve(),
        "points_file": folder / "points.nc",
        "results_file": folder / RESULTS,
        "restart_in": restart.resolve() if restart else "",
        "restart_out": folder / RESTART,
        "covers": ",".join(scheme.names),
    }
    text = "".join(
        f"  {key} = '{str(value).replace(chr(39), chr(39) * 2)}'\n" for key, value in lines.items()
    )
    namelist = folder / "host.nml"
    namelist.write_text(f"&host\n{text}  first_year = {first}\n  last_year = {last}\n/\n", "utf-8")
    return namelist


def _write_points(path: Path, points: Points) -> None:
    fields = {"lon": points.lon, "lat": points.lat}
    variables = [Variable(n, ("point",), f, {"units": "degrees"}) for n, f in fields.items()]
    for name, bounds in (("lon_bounds", points.lon_bounds), ("lat_bounds", points.lat_bounds)):
        if bounds is not None:
            variables.append(Variable(name, ("point", "nv"), bounds, {"units": "degrees"}))
    write_netcdf(path, {"point": points.lon.size, "nv": 2}, variables, {"title": "host points"})
