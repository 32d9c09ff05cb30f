"""Put the land use of a run into a copy of a host's boundary file."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from landstep.coupling.host_files.grib_file import GribGrid, GribHostFile
from landstep.coupling.host_files.layout import Layout, layout_named
from landstep.coupling.host_files.netcdf_file import Fields, NetcdfHostFile
from landstep.coupling.host_files.run import Run, sha256_of
from landstep.coupling.host_files.year_fields import HostYears, years_of_file, years_of_grid
from landstep.coupling.point_coverage import no_land
from landstep.emulator.atomic import replacing
from landstep.emulator.errors import ConfigError, InputError

RECORD_SUFFIX = ".landstep.json"


@dataclass(frozen=True)
class Task:
    """What is to be done.

    host : one of `layout_names()`
    source : the host's file; it is only read. None: a GRIB file of `grid` is made
    run : folder of `landstep run`; experiment : that it is of
    years : first and last; one year but for a file that is a series of years
    output : file to write; a record of what was done goes beside it, as OUTPUT.landstep.json
    reference : year whose land the file's own fields belong to; None: [coupling] reference, else
        the run's first year
    grid : name of a GRIB grid that is written without a file
    points : another file with the longitudes and latitudes, where the host's own lacks them
    """

    host: str
    source: Path | None
    run: Path
    experiment: Path
    years: tuple[int, int]
    output: Path
    reference: int | None = None
    grid: str | None = None
    points: Path | None = None


@dataclass(frozen=True)
class Done:
    """What came of it.

    changed : variable -> how many of its numbers differ from the file's own
    left : variables of the layout that were not touched, with the reason
    served : points that were given fields, of `points`
    notes : what else a user should know, a sentence each
    """

    output: Path
    changed: Mapping[str, int]
    left: Mapping[str, str]
    served: int
    points: int
    notes: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """What a user reads."""
        lines = [f"wrote {self.output} and {self.output.name}{RECORD_SUFFIX}"]
        lines += [f"{name}: {count} numbers changed" for name, count in self.changed.items()]
        lines += [f"{name}: left as it was: {why}" for name, why in self.left.items()]
        lines += self.notes
        lines.append(f"{self.served} of {self.points} points lie on known land")
        return "\n".join(lines)


def update_host_file(task: Task, progress: Callable[[str], None] = lambda told: None) -> Done:
    """Write a copy of a host's file with the land use of a year, or of a series of years.

    By default ([coupling] mode "anomaly") each field is the file's own plus what landstep's
    changed since the reference year, so that in the reference year the copy is the file, byte for
    byte. Points where landstep knows no land keep the file's own numbers. Of a series of years
    the baseline of every year is the file's record of the reference year.
    progress : told of each year
    Raises ConfigError for a host that is not known, an output that exists, or years that cannot
    be; InputError for a file of another host, one whose points all lie off known land, or a year
    that the run does not have.
    """
    layout = layout_named(task.host)
    record_path = task.output.with_name(task.output.name + RECORD_SUFFIX)
    for path in (task.output, record_path):
        if path.exists():
            raise ConfigError(f"{path}: exists; name another --output, or remove it first")
    run = Run.open(task.run, task.experiment)
    file = _opened(task, layout)
    places = _records(task, file, run)
    baseline, reference = 0, None
    if isinstance(file, GribGrid):
        if run.experiment.coupling.mode == "anomaly":
            raise ConfigError(
                "--grid: there is no file whose fields could be the baseline; name one, or set "
                "[coupling] mode = 'absolute'"
            )
        land = years_of_grid(run, file)
    else:
        reference = _reference(task, file, run)
        baseline = file.years.index(reference) if file.years else 0
        if not file.years:
            _check_not_moved(task, reference)
        land = years_of_file(run, file, baseline, reference)
        if not land.fields.served.any() and run.experiment.coupling.geometry == "required":
            told = no_land(file.points.n, land.land.points.grid)
            raise InputError(f"{task.source}: {told}")
    found: dict[int, Fields] = {}
    for record, year in places.items():
        progress(str(year))
        found[record] = land.of_year(year)
    if isinstance(file, GribGrid):
        changed = file.write(task.output, found[0], task.years[0])
    elif isinstance(file, GribHostFile):
        changed = file.write_copy(task.output, found[0])
    else:
        changed = file.write_copy(task.output, found, baseline, land.fields.served)
    left = _left(file, land)
    done = Done(
        task.output,
        {name: count for name, count in changed.items() if name not in left},
        left,
        int(land.fields.served.sum()),
        file.points.n,
        tuple(land.notes),
    )
    own_table = run.experiment.coupling.host
    table = own_table if own_table.endswith(".toml") else file.layout.table
    with replacing(record_path) as temporary:
        text = json.dumps(_record(task, run, table, reference, done), indent=1)
        temporary.write_text(text + "\n", "utf-8")
    return done


def _opened(task: Task, layout: Layout) -> NetcdfHostFile | GribHostFile | GribGrid:
    """Open the host's file, or make the points of a grid."""
    if task.grid is not None:
        if layout.kind != "grib" or task.source is not None:
            raise ConfigError("--grid makes a new GRIB file: for ifs alone, and without a file")
        return GribGrid.named(task.grid, layout)
    if task.source is None:
        hint = ", or --grid such as O320" if layout.kind == "grib" else ""
        raise ConfigError(f"name the {layout.long_name} that is to be updated{hint}")
    if layout.kind == "grib":
        return GribHostFile.open(task.source, layout)
    return NetcdfHostFile.open(task.source, layout, task.points)


def _records(
    task: Task, file: NetcdfHostFile | GribHostFile | GribGrid, run: Run
) -> dict[int, int]:
    """Say which record of the file gets which year."""
    first, last = task.years
    if last < first:
        raise ConfigError(f"--years {first}:{last}: expected the earlier year first")
    wanted = range(first, last + 1)
    for year in wanted:
        run.check_year(year)
    in_file = () if isinstance(file, GribGrid) else file.years
    if in_file:
        for year in wanted:
            if year not in in_file:
                raise InputError(
                    f"{task.source}: has no record of {year}; it has {in_file[0]} to {in_file[-1]}"
                )
        return {in_file.index(year): year for year in wanted}
    if first != last:
        raise ConfigError(
            f"--years {first}:{last}: {task.source or task.grid} holds one state of the land, no "
            "series of years; name one --year"
        )
    return {0: first}


def _reference(task: Task, file: NetcdfHostFile | GribHostFile, run: Run) -> int:
    """Find the year whose land the file's own fields belong to."""
    settings = run.experiment.coupling
    reference = task.reference if task.reference is not None else settings.reference
    if reference is None:
        reference = run.years[0]
    run.check_reference(reference)
    if file.years and reference not in file.years:
        raise InputError(
            f"{task.source}: has no record of the reference year {reference}, which is the "
            f"baseline of all others; it has {file.years[0]} to {file.years[-1]}"
        )
    return reference


def _check_not_moved(task: Task, reference: int) -> None:
    """Refuse a file that is itself such a copy, of another year than changes count from.

    The record beside a copy says so, where it is still the file that was written.
    """
    if task.source is None:
        return
    record = task.source.with_name(task.source.name + RECORD_SUFFIX)
    try:
        told = json.loads(record.read_text("utf-8"))
        year, sha256, original = told["years"][0], told["output_sha256"], told["source"]
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return
    if year != reference and sha256 == sha256_of(task.source):
        raise InputError(
            f"{task.source}: holds the land use of {year} already (says {record.name}), expected "
            f"the host's own of {reference}: the change since {reference} would count twice; take "
            f"the original ({original}), or --reference {year}"
        )


def _left(file: NetcdfHostFile | GribHostFile | GribGrid, land: HostYears) -> dict[str, str]:
    """Say which variables were not touched, and why."""
    if isinstance(file, GribGrid):
        return dict(land.left)
    left = dict(file.left)
    for variable, names in file.variables.items():
        if why := next((land.left[name] for name in names if name in land.left), None):
            left[variable] = why
    return left


def _record(task: Task, run: Run, table: str, reference: int | None, done: Done) -> dict[str, Any]:
    """Say what was done to which file with which data: the file itself may not say it."""
    coupling = run.experiment.coupling.model_dump(mode="json")
    source = None if task.source is None else task.source
    return {
        "landstep": version("landstep"),
        "host": task.host,
        "table": table,
        "source": str(source) if source else task.grid,
        "source_sha256": sha256_of(source) if source else None,
        "points_file": str(task.points) if task.points else None,
        "points_file_sha256": sha256_of(task.points) if task.points else None,
        "output_sha256": sha256_of(task.output),
        "run": str(task.run),
        "experiment": run.experiment.name,
        "years": list(task.years),
        "mode": coupling["mode"],
        "reference": reference,
        "options": {name: coupling[name] for name in ("cover", "albedo", "ice", "weights")},
        "climate_legend": run.experiment.climate.legend,
        "model_sha256": run.model,
        "forcing_sha256": run.forcing_sha256(),
        "maps_sha256": {
            str(year): sha256_of(run.map_path(year))
            for year in sorted({*range(task.years[0], task.years[1] + 1), reference} - {None})
        },
        "changed": dict(done.changed),
        "left": dict(done.left),
        "points_on_known_land": done.served,
        "points": done.points,
        "notes": list(done.notes),
    }
