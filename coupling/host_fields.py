"""The fields of one host in time: its baselines, the year's values, the months between."""

from __future__ import annotations

import difflib
import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from landstep.coupling.added_change import added, host_values, refuse_type
from landstep.coupling.anomaly import Anomaly
from landstep.coupling.areas import Areas
from landstep.coupling.baseline import (
    checked_baseline,
    leaves_without_cover,
    own_albedo_sets,
    partners,
    require_baselines,
    require_on_ice,
    unknown_types,
    unmasked,
)
from landstep.coupling.crosswalk import Crosswalk, fields_of_host
from landstep.coupling.fields import Field, FieldSource
from landstep.coupling.harvest import Harvest
from landstep.coupling.monthly_maps import MonthlyMap
from landstep.coupling.seasons import Date, changes_on, value_on
from landstep.emulator.classes import Scheme
from landstep.emulator.errors import CouplingError
from landstep.emulator.experiment import CouplingTable, Experiment
from landstep.emulator.ranks import Ranks

_LOG = logging.getLogger(__name__)

ATTRIBUTES = ("units", "denominator", "long_name", "standard_name", "schedule")
"""What a field is."""

NOTES = "notes"
"""What `describe` knows besides: what a user should know of a baseline; "" where nothing."""

SMALLEST_COVERAGE = 0.5
"""Share of a host's cell that must lie in the map's region, for its change to stand for the cell's.
Ours."""

SHOWN = 8
"""How many different numbers a note lists. Ours."""

_BASELINE, _REFERENCE = "baseline_", "reference_"


@dataclass(frozen=True, eq=False)
class Surface:
    """The fields of one year.

    areas : what they were made from
    values : name -> (n,) float64, or (n, 12) for a monthly field
    clipped : name -> at how many points bounds held the field back
    """

    areas: Areas
    values: Mapping[str, np.ndarray]
    clipped: Mapping[str, int]


class HostFields:
    """What the host of an experiment is given.

    baselines : name -> (n,) or (n, 12) float64, its own fields
    reference : the land that changes are counted from; None before `begin`, or where none are
    served : (n,) bool, points whose baseline changes: landstep knows land there in the reference
        year, most of the cell lies in its region, and its types are those of the table
    icy : (n,) bool, points of ice, of which landstep has no field of its own: the host's stands
    notes : name -> what a user should know of its baseline; known after `begin`
    refused : name -> why a field cannot be handed out; known after `begin`
    """

    def __init__(
        self,
        settings: CouplingTable,
        source: FieldSource,
        scheme: Scheme,
        lat_deg: np.ndarray,
        harvest: Harvest | None = None,
    ) -> None:
        """Take what makes the fields, the latitudes of the points, and what is passed through."""
        self.settings = settings
        self.source = source
        self.baselines: dict[str, np.ndarray] = {}
        self.reference: Areas | None = None
        self.scheme = scheme
        self.lat_deg = lat_deg
        self.harvest = harvest
        passed = () if harvest is None else harvest.fields
        self._of = {field.name: field for field in (*source.fields, *passed)}
        self.served = np.ones(lat_deg.size, bool)
        self.icy = np.zeros(lat_deg.size, bool)
        self._recalled = False
        self._anomaly: Anomaly | None = None
        self._monthly: list[tuple[MonthlyMap, np.ndarray]] = []
        self.refused: dict[str, CouplingError] = {}
        self.notes: dict[str, str] = {}
        self._moved_in: Surface | None = None  # the year of which `added` was asked last
        self._moved_at: dict[str, np.ndarray] = {}  # the points that moved in it, of each field

    @classmethod
    def of(
        cls,
        experiment: Experiment,
        scheme: Scheme,
        zones_known: bool,
        lat_deg: np.ndarray,
        host: str | None = None,
        harvest: Harvest | None = None,
    ) -> HostFields:
        """Read the table of the host that an experiment names.

        zones_known : whether the codes of the climate zones have a meaning
        host : a table to take instead; harvest : on the same points
        Raises ConfigError, with file and line, for a table that cannot be, or that needs zones.
        """
        settings = experiment.coupling
        source = fields_of_host(
            host or settings.host, experiment.folder, scheme, zones_known, settings.cover
        )
        return cls(settings, source, scheme, lat_deg, harvest)

    # ---- what there is ----

    @property
    def names(self) -> list[str]:
        """Names of all fields."""
        return list(self._of)

    @property
    def identity(self) -> dict[str, str]:
        """What fields depend on besides the land: a restart must have the same."""
        table = ""
        if isinstance(self.source, Crosswalk):  # what is checked alone changes no field
            left_out: dict[str, Any] = {"sum": {"__all__": {"tolerance"}}, "ice_apart": True}
            table = self.source.table.model_dump_json(exclude=left_out)
        settings = self.settings
        return {
            "[coupling] host": settings.host,
            "host table sha256": hashlib.sha256(table.encode()).hexdigest()[:12],
            "[coupling] mode": settings.mode,
            "[coupling] cover": settings.cover,
            "[coupling] reference": str(settings.reference),
        }

    def field(self, name: str) -> Field:
        """Find a field; CouplingError, with the nearest name, where there is none."""
        if name not in self._of:
            close = difflib.get_close_matches(name, self._of, 1)
            hint = f"did you mean {close[0]!r}? " if close else ""
            raise CouplingError(f"no field {name!r}: {hint}there are {sorted(self._of)}")
        return self._of[name]

    def describe(self, name: str, attribute: str) -> str:
        """Say something of a field; CouplingError for a name or attribute that is none."""
        of = self.field(name)
        if attribute == NOTES:
            return self.notes.get(name, "")
        if attribute not in ATTRIBUTES:
            raise CouplingError(
                f"field {name!r}: no attribute {attribute!r}, expected one of "
                f"{(*ATTRIBUTES, NOTES)}"
            )
        return str(getattr(of, attribute))

    def class_number(self, name: str) -> int:
        """Number of a class; CouplingError where the scheme has none of that name."""
        if name not in self.scheme.names:
            raise CouplingError(
                f"no class {name!r} in scheme {self.scheme.name}: there are "
                f"{list(self.scheme.names)}"
            )
        return self.scheme.names.index(name)

    def with_land(self, areas: Areas) -> np.ndarray:
        """Points whose fields the land can move: (n,) bool.

        Landstep knows land there; and of a cell whose change is added to a baseline, most lies in
        the map's region.
        """
        found = self.source.mask(areas)
        if self.settings.mode == "anomaly" and isinstance(self.source, Crosswalk):
            found = found & (areas.coverage >= SMALLEST_COVERAGE)
        return found

    # ---- the host's own fields ----

    def give(self, name: str, values: np.ndarray) -> None:
        """Take a baseline; after a restart the one that it holds stands, but for points that the
        mask leaves out of which it holds none.

        Raises CouplingError for a field that is none, an array that cannot be one of its values, or
        a field of which the restart holds none. What the values are is looked at by `begin`, which
        knows where land is.
        """
        self._refuse_passed(name)
        nowhere = np.zeros(self.lat_deg.size, bool)
        checked_baseline(self.field(name), values, nowhere)
        if self._recalled and name not in self.baselines:
            raise CouplingError(
                f"baseline {name!r}: the restart holds none of it, and one that begins later would "
                'change the run; start = "branch" takes it'
            )
        taken = np.array(unmasked(name, values), np.float64)
        if self._recalled:
            held = self.baselines[name]
            taken = np.where(np.isnan(held), taken, held)
        self.baselines[name] = taken

    def begin(
        self, reference: Areas | None, ranks: Ranks, wanted: np.ndarray | None = None
    ) -> None:
        """Make ready for `surface`: the baselines are complete. All ranks call it.

        reference : the land from which changes are counted; None where there is no baseline
        wanted : (n,) bool, points whose baseline may change at all; None: all
        Raises CouplingError, on all ranks, for a baseline that cannot be or lacks another.
        """
        maps: list[MonthlyMap] = []
        n_icy = int(ranks.sum(np.array([self.icy.sum()]))[0])
        with ranks.together():
            if reference is not None:
                self.served = self.source.mask(reference)
                self.served &= reference.coverage >= SMALLEST_COVERAGE
                self.served &= ~self.icy if wanted is None else ~self.icy & wanted
                self._keep_unknown_types()
                reference = _where(reference, self.served)
                given = self.baselines
                given = {n: checked_baseline(self._of[n], v, self.served) for n, v in given.items()}
                self.baselines = given
                self.notes |= leaves_without_cover(self.source, given, self.served)
                if self.settings.mode == "anomaly":
                    self._anomaly = Anomaly.make(self.source, self.baselines, reference)
            if reference is not None and isinstance(self.source, Crosswalk):
                of = self.source
                for name in (name for name in sorted(given) if self._of[name].months == 12):
                    require_baselines(of, [name], given, self.settings.mode, "left")
                    maps.append(MonthlyMap.make(of, name, given, reference))
            self.reference = reference
            self.refused = self._refusals(n_icy)
        sums = [ranks.sum(monthly.sums()) for monthly in maps]
        with ranks.together():
            means = [monthly.means_from(of) for monthly, of in zip(maps, sums, strict=True)]
        self._monthly = list(zip(maps, means, strict=True))

    def unbegun(self) -> HostFields:
        """Return the same fields, ice and baselines, of which `begin` can be asked by itself."""
        found = HostFields(self.settings, self.source, self.scheme, self.lat_deg, self.harvest)
        found.icy = self.icy
        found.baselines = dict(self.baselines)
        return found

    def _keep_unknown_types(self) -> None:
        """Leave points alone whose one type the table lacks; say how many there are."""
        for name, own in self.baselines.items():
            lacking = unknown_types(self._of[name], own) & self.served
            if lacking.any():
                self.served &= ~lacking
                self.note(name, own, lacking)

    def note(self, name: str, types: np.ndarray, lacking: np.ndarray) -> None:
        """Note at how many points a type is none of the table's, and which there are.

        name : of the field, or of what holds it in a file
        """
        found = np.unique(types[lacking])
        shown = ", ".join(f"{number:g}" for number in found[:SHOWN])
        self.notes[name] = (
            f"{int(lacking.sum())} of {lacking.size} points keep their own fields: their {name} "
            f"({shown}{', ...' if found.size > SHOWN else ''}) is no type of land in landstep's "
            "table"
        )

    def _refusals(self, n_icy: int) -> dict[str, CouplingError]:
        """Fields that cannot be handed out, and why; n_icy : points of ice, on all ranks."""
        found: dict[str, CouplingError] = {}
        settings = self.settings
        if not isinstance(self.source, Crosswalk):
            return found
        for name in (field.name for field in self.source.fields):
            try:
                require_baselines(
                    self.source,
                    [name],
                    self.baselines,
                    settings.mode,
                    settings.albedo,
                    own_albedo_sets(self.source),
                )
                if n_icy:
                    require_on_ice(self.source, name, self.baselines, n_icy)
            except CouplingError as error:
                found[name] = error
        return found

    # ---- values ----

    def surface(self, areas: Areas, year: int | None = None) -> Surface:
        """Make the fields of a year.

        year : of the areas, for what is passed through; None: without that
        Raises InputError for a year without a harvest.
        """
        values: dict[str, np.ndarray] = {}
        clipped: dict[str, int] = {}
        served = areas if self.reference is None else _where(areas, self.served)
        if self.settings.mode == "absolute" or not isinstance(self.source, Crosswalk):
            values.update(self._absolute(areas))
        if self.settings.mode == "anomaly" and self._anomaly is not None:
            moved = self._anomaly.values(served)
            values.update(moved.values)
            clipped.update(moved.clipped)
        for monthly, means in self._monthly:
            name = monthly.entry.name
            values[name], clipped[name] = monthly.values(means, served, values)
        if self.harvest is not None and year is not None:
            values |= self.harvest.values(year)
        for name, held in clipped.items():
            if held:
                _LOG.info("%s: its bounds or its sum held %d points back", name, held)
        return Surface(areas, values, clipped)

    def _absolute(self, areas: Areas) -> dict[str, np.ndarray]:
        """Landstep's own annual fields; the host's where landstep knows no land, or serves none.

        A baseline stands there only where those that it goes with were given too: half of a sum
        beside landstep's other half would not be a sum.
        """
        values = self.source.values(areas)
        if not self.baselines:
            return values
        kept = np.flatnonzero(~(self.served & self.source.mask(areas)))
        for name in self.baselines:
            if not kept.size or name not in values:
                continue
            if partners(self.source, name) <= set(self.baselines):
                values[name] = values[name].copy()
                values[name][kept] = self.baselines[name][kept]
                values[name].setflags(write=False)
        return values

    def value(self, surface: Surface, name: str, date: Date, kind: Any = np.float64) -> np.ndarray:
        """Return a field on a date: (n,) of a kind, float64 or float32.

        Raises CouplingError for a field that is none or needs a baseline.
        """
        observed = self.settings.observe is not None
        values = self.own(name) if observed else self._handed_out(surface, name)
        found = self._on(name, values, date, kind, self.lat_deg)
        found.setflags(write=False)
        return found

    def _on(
        self, name: str, values: np.ndarray, date: Date, kind: Any, lat_deg: np.ndarray
    ) -> np.ndarray:
        """A year's values of a field, (n,) or (n, 12), on a date: (n,) of a kind."""
        if values.ndim == 1:
            return values.astype(kind, copy=False).view()
        rule, calendar = self._rule(name), self.settings.calendar
        return value_on(values, rule, *date, calendar, lat_deg, kind)

    def monthly(self, surface: Surface, name: str) -> np.ndarray:
        """Return the twelve months of a field: (n, 12) float64, read-only.

        Raises CouplingError for a field that is none, has one value a year, or needs a baseline.
        """
        if self.field(name).months == 1:
            raise CouplingError(
                f"field {name!r} has one value a year, not twelve: call get({name!r}, values)"
            )
        observed = self.settings.observe is not None
        found = (self.own(name) if observed else self._handed_out(surface, name)).view()
        found.setflags(write=False)
        return found

    def added(self, surface: Surface, name: str, date: Date, values: np.ndarray) -> np.ndarray:
        """Return a host's values of a date plus what the field changed; see `added_change.added`.

        Raises CouplingError for a field that is none, is a type or needs a baseline, for values
        that cannot be, and, in absolute mode, for a field of one value a year.
        """
        field = self.field(name)
        self._refuse_passed(name)
        refuse_type(field)
        given = host_values(name, values, self.lat_deg.size)
        if field.months == 1 and self.settings.mode == "absolute":
            raise CouplingError(
                f"field {name!r}: [coupling] mode = 'absolute' hands out landstep's own field, not "
                f"a change of the host's: call get({name!r}, values)"
            )
        own = self.own(name)
        now = own if self.settings.observe is not None else self._handed_out(surface, name)
        if self._moved_in is not surface:
            self._moved_in, self._moved_at = surface, {}
        if name not in self._moved_at:
            differs = now != own
            self._moved_at[name] = np.flatnonzero(differs if now.ndim == 1 else differs.any(axis=1))
        moved = self._moved_at[name]
        lat = self.lat_deg[moved]
        of_day = [self._on(name, of[moved], date, given.dtype, lat) for of in (own, now)]
        return added(field, given, moved, *of_day)

    def _handed_out(self, surface: Surface, name: str) -> np.ndarray:
        values = surface.values.get(name)
        if values is None or name in self.refused:
            self.field(name)
            raise self.refused[name]
        return values

    def _refuse_passed(self, name: str) -> None:
        """Refuse to add to a field that is passed through."""
        if self.field(name).rule == "passed":
            raise CouplingError(
                f"field {name!r} is LUH2's, passed through: it has no baseline and no change; call "
                f"get({name!r}, values)"
            )

    def own(self, name: str) -> np.ndarray:
        """The host's own field, which it keeps where landstep only observes."""
        self.field(name)
        if name in self.baselines:
            return self.baselines[name]
        if self.settings.observe is None:
            raise self.refused.get(name) or CouplingError(
                f"field {name!r}: no baseline was given, so there is nothing that a change counts "
                f"from: call baseline({name!r}, values) before the first update"
            )
        raise CouplingError(
            f"field {name!r}: [coupling] observe is set, so the host keeps its own fields; "
            "landstep's are in the files that it writes there"
        )

    def moved(self, before: Date, now: Date) -> frozenset[str]:
        """Names of the fields that move between two dates of one year."""
        return frozenset(
            monthly.entry.name
            for monthly, _ in self._monthly
            if changes_on(self._rule(monthly.entry.name), before, now)
        )

    def _rule(self, name: str) -> str:
        """The rule between months: the host's own, but for leaf area index where another is set."""
        of, asked = self._of[name], self.settings.lai
        return of.season if asked == "host" or of.rule != "monthly_type" else asked

    def about(self, surface: Surface, ranks: Ranks) -> dict[str, dict[str, Any]]:
        """Attributes of a year's fields in a file. All ranks call it.

        returns : name -> attributes; points_held_back counts, over all ranks, where bounds kept a
            field from its baseline + change
        """
        held = np.array([surface.clipped.get(name, 0) for name in surface.values], np.int64)
        total = dict(zip(surface.values, ranks.sum(held).tolist(), strict=True))
        found: dict[str, dict[str, Any]] = {}
        for name in surface.values:
            words = {attribute: self.describe(name, attribute) for attribute in ATTRIBUTES}
            found[name] = {attribute: text for attribute, text in words.items() if text}
            if name in self.notes:
                found[name]["comment"] = self.notes[name]
            if name in surface.clipped:
                found[name]["points_held_back"] = np.int32(total[name])
        return found

    # ---- restarts ----

    def kept(self) -> dict[str, np.ndarray]:
        """Give what a restart must hold of this rank's points."""
        kept = {_BASELINE + name: values for name, values in self.baselines.items()}
        if self.reference is not None:
            of = self.reference
            arrays = {"values": of.values, "unknown": of.unknown, "coverage": of.coverage}
            kept |= {_REFERENCE + name: array for name, array in arrays.items()}
        return kept

    def recall(self, kept: Mapping[str, np.ndarray]) -> None:
        """Take back what `kept` gave; baselines that are given afterwards are not taken."""
        self._recalled = True
        self.baselines = {
            name.removeprefix(_BASELINE): np.array(values)
            for name, values in kept.items()
            if name.startswith(_BASELINE)
        }
        if _REFERENCE + "values" in kept:
            found = [kept[_REFERENCE + name] for name in ("values", "unknown", "coverage")]
            found[-1] = np.nan_to_num(found[-1])  # of points that the mask leaves out
            self.reference = Areas.make(*found)


def _where(areas: Areas, served: np.ndarray) -> Areas:
    """Areas with no land where a point is not served."""
    return replace(areas, values=areas.values * served[:, None, None])
