"""A host's fields with the land use of a year of a run: the same pipeline as in a coupled run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from landstep.coupling.anomaly import Anomaly
from landstep.coupling.areas import ZONE_GROUPS, Areas
from landstep.coupling.baseline import own_albedo_sets, partners
from landstep.coupling.crosswalk import Crosswalk, fields_of_host
from landstep.coupling.fields import FieldSource
from landstep.coupling.host_files.grib_file import GribHostFile
from landstep.coupling.host_files.layout import Layout
from landstep.coupling.host_files.netcdf_file import NetcdfHostFile
from landstep.coupling.host_files.own_fields import OwnFields
from landstep.coupling.host_files.run import Run
from landstep.coupling.monthly_maps import MONTHS, MonthlyMap
from landstep.coupling.points import Points
from landstep.coupling.remap import Remap, remap_to
from landstep.emulator.classes import MASKED
from landstep.emulator.errors import ConfigError, CouplingError, InputError
from landstep.emulator.legends import legend
from landstep.emulator.statics import Statics

SMALLEST_COVERAGE = 0.5
"""Share of a host's cell that must lie in the run's region, for its change to stand for the cell's.
Ours."""


@dataclass(frozen=True, eq=False)
class Land:
    """The land of a run as a host's points see it."""

    run: Run
    remap: Remap

    @classmethod
    def of(cls, run: Run, points: Points) -> Land:
        """Lay a host's points over the run's map. Raises CouplingError where they cannot be."""
        return cls(run, remap_to(points, run.files.land_use.grid))

    def areas(self, year: int) -> Areas:
        """Area of each class in each climate zone, by the map and the zones of a year."""
        files, experiment = self.run.files, self.run.experiment
        numbers, n_classes = self.run.land_use(year), files.land_use.scheme.n_classes
        coverage = self.remap.coverage
        if experiment.climate.legend is None:
            found = self.remap.class_areas(numbers, n_classes)
            return Areas.unpack(found, ("unknown",), n_classes, coverage)
        source = {"climate_zone": files.statics["climate_zone"]}
        zones = Statics.open(source, files.land_use.grid).categories(year)["climate_zone"]
        group = legend(experiment.climate.legend).groups(zones)
        both = np.where(numbers == MASKED, MASKED, group * np.uint8(n_classes) + numbers)
        found = self.remap.class_areas(both.astype(np.uint8), len(ZONE_GROUPS) * n_classes)
        return Areas.unpack(found, ZONE_GROUPS, n_classes, coverage)


@dataclass(frozen=True, eq=False)
class HostYears:
    """Fields of any year of a run, on the points of a host's file.

    names : fields that are made
    own : the file's; None where there is no file
    served : (n,) bool, points that are given fields: the file misses none there, landstep knows
        land there, and most of the cell lies in the run's region
    left : field -> why it is not made
    """

    land: Land
    source: FieldSource
    names: tuple[str, ...]
    own: OwnFields | None
    served: np.ndarray
    left: Mapping[str, str]
    _anomaly: Anomaly | None = None
    _maps: Mapping[str, tuple[MonthlyMap, np.ndarray]] = field(default_factory=dict)

    def of_year(self, year: int) -> dict[str, np.ndarray]:
        """Give the fields of a year, as the file has them.

        returns : name -> (n,) or (n, 12) float64, NaN where the file's own stay
        """
        areas = known(self.land.areas(year), self.served)
        if self._anomaly is None:
            found = dict(self.source.values(areas))
        else:
            found = dict(self._anomaly.values(areas).values)
        for name, (own_map, means) in self._maps.items():
            found[name], _ = own_map.values(means, areas, found)
        if self.own is None:
            return {name: found[name] for name in self.names}
        kept = {name: self.own.back(name, found[name]) for name in self.names}
        for values in kept.values():
            values[~self.served] = np.nan
        return kept


def years_of_grid(run: Run, layout: Layout, points: Points) -> HostYears:
    """Make ready to give fields on points that have no file: the annual ones, everywhere.

    Raises ConfigError for a table that cannot be.
    """
    source, land = _source(run, layout), Land.of(run, points)
    wanted = {table.field for table in layout.variables}
    names = tuple(f.name for f in source.fields if f.months == 1 and f.name in wanted)
    left = {name: "it needs the host's own monthly map" for name in wanted - set(names)}
    return HostYears(land, source, names, None, np.ones(points.n, bool), left)


def years_of_file(
    run: Run, file: NetcdfHostFile | GribHostFile, record: int, reference: int
) -> HostYears:
    """Make ready to give the fields that a host's file holds.

    record : of the file, whose fields are the baseline; reference : year whose land they belong to
    Raises ConfigError where the file lacks the albedo that [coupling] wants, or the table a field
    that the layout requires; InputError for a field that cannot be as it is.
    """
    layout, settings = file.layout, run.experiment.coupling
    source, land = _source(run, layout), Land.of(run, file.points)
    own = OwnFields.make(file.fields(record), source, layout.rest, file.sea)
    _check_albedo(source, own.values, settings.albedo, file.path.name)
    names, left = _possible(source, own.values, file)
    by_name = {field.name: field for field in source.fields}
    baselines = {name: own.values[name] for name in own.values if name in names}
    before = land.areas(reference)
    served = file.served & source.mask(before) & (before.coverage >= SMALLEST_COVERAGE)
    before = known(before, served)
    anomaly, maps = None, {}
    try:
        if settings.mode == "anomaly":
            anomaly = Anomaly.make(source, baselines, before)
        for name in baselines:
            if by_name[name].months == MONTHS and isinstance(source, Crosswalk):
                own_map = MonthlyMap.make(source, name, baselines, before)
                maps[name] = own_map, own_map.means_from(own_map.sums())
    except CouplingError as error:
        raise InputError(f"{file.path.name}: {error}") from error
    in_file = {name for held in file.variables.values() for name in held}
    made = tuple(name for name in names if name in in_file)
    return HostYears(land, source, made, own, served, left, anomaly, maps)


def known(areas: Areas, served: np.ndarray) -> Areas:
    """Areas with no land where a point is not served."""
    return replace(areas, values=areas.values * served[:, None, None])


def _source(run: Run, layout: Layout) -> FieldSource:
    """Give the fields of the layout's table, or of the TOML file that [coupling] host names."""
    experiment = run.experiment
    settings, scheme = experiment.coupling, run.files.land_use.scheme
    table = settings.host if settings.host.endswith(".toml") else layout.table
    zones_known = experiment.climate.legend is not None
    return fields_of_host(table, experiment.folder, scheme, zones_known, settings.cover)


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
            raise ConfigError(f"{file.path.name}, {variable}: cannot be updated: {why}")
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
