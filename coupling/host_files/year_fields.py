"""A host's fields with the land use of a year of a run, by the pipeline of a coupled run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from landstep.coupling.baseline import own_albedo_sets, partners, unknown_types
from landstep.coupling.fields import FieldSource
from landstep.coupling.host_fields import HostFields
from landstep.coupling.host_files.grib_file import GribGrid, GribHostFile
from landstep.coupling.host_files.layout import Layout
from landstep.coupling.host_files.netcdf_file import NetcdfHostFile
from landstep.coupling.host_files.own_fields import OwnFields
from landstep.coupling.host_files.run import Run
from landstep.coupling.ice import icy_points
from landstep.coupling.land_surface import LandSurface
from landstep.coupling.points import Points
from landstep.emulator.errors import ConfigError, CouplingError, InputError
from landstep.emulator.ranks import Ranks


@dataclass(frozen=True, eq=False)
class HostYears:
    """Fields of any year of a run, on the points of a host's file.

    names : fields that are made
    own : the file's; None where there is no file
    left : field -> why it is not made
    """

    run: Run
    land: LandSurface
    fields: HostFields
    names: tuple[str, ...]
    own: OwnFields | None
    left: Mapping[str, str]

    @property
    def notes(self) -> list[str]:
        """What a user should know of the file: sentences."""
        return [*self.fields.notes.values(), *self.land.points.notes]

    def of_year(self, year: int) -> dict[str, np.ndarray]:
        """Give the fields of a year, as the file has them.

        returns : name -> (n,) or (n, 12) float64, NaN where the file's own stay
        """
        areas = self.land.areas_of(self.run.land_use(year), year)
        found = self.fields.surface(areas).values
        if self.own is None:
            return {name: found[name] for name in self.names}
        kept = {name: self.own.back(name, found[name]) for name in self.names}
        for values in kept.values():
            values[~self.fields.served] = np.nan
        return kept


def years_of_grid(run: Run, grid: GribGrid) -> HostYears:
    """Make ready to give fields on points that have no file: the annual ones, everywhere.

    Raises ConfigError for a table that cannot be.
    """
    points = grid.points
    fields, land = _host_fields(run, grid.layout, points), _land(run, points)
    fields.begin(None, Ranks())
    wanted = [name for (name,) in grid.variables.values()]
    annual = {of.name for of in fields.source.fields if of.months == 1}
    names = tuple(name for name in wanted if name in annual)
    left = {name: "it needs the host's own monthly map" for name in wanted if name not in annual}
    left |= {
        table.field: f"parameter {table.parameter} needs GRIB 2: take a file that has it"
        for table in grid.layout.variables
        if table.name not in grid.variables
    }
    return HostYears(run, land, fields, names, None, left)


def years_of_file(
    run: Run, file: NetcdfHostFile | GribHostFile, record: int, reference: int
) -> HostYears:
    """Make ready to give the fields that a host's file holds.

    record : of the file, whose fields are the baseline; reference : year whose land they belong to
    Raises ConfigError where the file lacks the albedo that [coupling] wants, or the table a field
    that the layout requires; InputError for a field that cannot be as it is.
    """
    fields = _host_fields(run, file.layout, file.points)
    source, where = fields.source, file.path.name
    own = OwnFields.make(file.fields(record), source, file.layout.rest, file.sea, file.others_stay)
    _check_albedo(source, own.values, run.experiment.coupling.albedo, where)
    names, left = _possible(source, own.values, file)
    try:
        land = _land(run, file.points)
        land_use = run.reference(reference)
        fields.icy = icy_points(run.experiment, source, land, land_use, reference)
        before = land.areas_of(land_use, reference)
        for name in names:
            fields.give(name, own.values[name])
        served = file.served & own.served & ~_other_types(fields, file, record)
        fields.begin(before, Ranks(), served)
    except CouplingError as error:
        raise InputError(f"{where}: {error}") from error
    _name_as_in_file(fields, file, record)
    in_file = {name for held in file.variables.values() for name in held}
    made = tuple(name for name in names if name in in_file)
    return HostYears(run, land, fields, made, own, left)


def _name_as_in_file(fields: HostFields, file: NetcdfHostFile | GribHostFile, record: int) -> None:
    """Call a type in what is said of it as the file does: geo_em has LU_INDEX and no IVGTYP."""
    variables = {name: variable for variable, name, _ in reversed(file.types(record))}
    for name, variable in variables.items():
        if name in fields.notes and variable != name:
            told = fields.notes.pop(name)
            fields.notes[variable] = told.replace(f"their {name} (", f"their {variable} (")


def _other_types(
    fields: HostFields, file: NetcdfHostFile | GribHostFile, record: int
) -> np.ndarray:
    """Points where a second variable of a type has a number that the table lacks: (n,) bool.

    WRF keeps local climate zones in LU_INDEX where IVGTYP is urban; such a point stays as it is.
    Raises InputError for a type that is no whole number.
    """
    lacking, seen = np.zeros(file.points.n, bool), set()
    for variable, name, values in file.types(record):
        of = next((field for field in fields.source.fields if field.name == name), None)
        if of is None or name not in seen:
            seen.add(name)  # the first is the field itself
            continue
        on_land = file.served & np.isfinite(values)
        part = on_land & (values != np.rint(values))
        if part.any():
            point = int(np.flatnonzero(part)[0])
            raise InputError(
                f"{file.path.name}, {variable}: {values[point]:g} at point {point}, expected a "
                "whole number; was a type interpolated?"
            )
        other = unknown_types(of, values) & on_land
        if other.any():
            lacking |= other
            fields.note(variable, values, other)
    return lacking


def _land(run: Run, points: Points) -> LandSurface:
    """Lay a host's points over the run's map. Raises CouplingError for points that cannot be."""
    inputs = run.files.inputs(run.files.division(0).whole())
    return LandSurface.under(run.experiment, run.files, inputs, points, Ranks())


def _host_fields(run: Run, layout: Layout, points: Points) -> HostFields:
    """Take the layout's table, or the TOML file that [coupling] host names."""
    experiment, scheme = run.experiment, run.files.land_use.scheme
    own = experiment.coupling.host.endswith(".toml")
    zones_known = experiment.climate.legend is not None
    return HostFields.of(experiment, scheme, zones_known, points.lat, None if own else layout.table)


def _possible(
    source: FieldSource, own: Mapping[str, np.ndarray], file: NetcdfHostFile | GribHostFile
) -> tuple[list[str], dict[str, str]]:
    """Which of the file's fields can be made, and why the others cannot.

    Of a variable of several fields all can be made, or none.
    """
    months = {field.name: field.months for field in source.fields}
    left = {n: f"landstep's table has no field {n!r}" for n in own if n not in months}
    for name, values in own.items():
        if name in left:
            continue
        if missing := sorted(partners(source, name) - set(own)):
            left[name] = f"the file lacks {missing[0]!r}, which it goes with"
        elif values.ndim == 2 and months[name] == 1:
            left[name] = "the file has it by month, landstep's table by year"
    required = {table.name for table in file.layout.variables if table.required}
    for variable, names in file.variables.items():
        reasons = [left[name] for name in names if name in left]
        why = min(reasons, key=lambda told: "no field" not in told, default=None)
        if why and variable in required:
            advice = "; [coupling] host may name a table of your own that has it"
            told = why + (advice if "no field" in why else "")
            raise ConfigError(f"{file.path.name}, {variable}: cannot be updated: {told}")
        if why:
            left |= {name: why for name in names}
    return [name for name in own if name not in left], left


def _check_albedo(
    source: FieldSource, own: Mapping[str, np.ndarray], albedo: str, where: str
) -> None:
    """Refuse to leave an albedo that would stay that of the old cover."""
    sets = own_albedo_sets(source)
    if albedo == "required" and sets and not any(set(of) <= set(own) for of in sets):
        raise ConfigError(
            f"{where}: lacks {' or '.join(', '.join(of) for of in sets)}: the host keeps an albedo "
            "of its own, which would stay that of the old cover. Take a file that holds it, or set "
            "[coupling] albedo = 'left'"
        )
