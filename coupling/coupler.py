"""A host's view of the emulator: dates and climate in, fields on the host's points out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from landstep.coupling.areas import Areas
from landstep.coupling.baseline_record import BaselineRecord, checksums_of, name_of
from landstep.coupling.dates import check_next_date, text_of
from landstep.coupling.dump import dumped
from landstep.coupling.gross import GrossChange
from landstep.coupling.harvest import Harvest
from landstep.coupling.host_climate import HostClimate, climate_note, host_reference_note
from landstep.coupling.host_fields import NOTES, HostFields, Surface
from landstep.coupling.host_points import numbered
from landstep.coupling.ice import icy_points
from landstep.coupling.land_surface import LandSurface
from landstep.coupling.largest_fields import check_largest, largest_fields
from landstep.coupling.moved_baselines import MovedBaselines
from landstep.coupling.observing import report
from landstep.coupling.point_coverage import PointCoverage
from landstep.coupling.points import Points
from landstep.coupling.restarting import Memory, check_restart_path, check_start
from landstep.coupling.seasons import Date
from landstep.coupling.switched_off import SwitchedOff
from landstep.emulator.emulator import Emulator
from landstep.emulator.errors import CouplingError, LandstepError, StepError
from landstep.emulator.experiment import load_experiment
from landstep.emulator.host_reference import FILE as HOST_CLIMATE
from landstep.emulator.host_reference import write_host_reference
from landstep.emulator.monthly_means import MonthlyMeans
from landstep.emulator.ranks import Ranks
from landstep.emulator.state import State
from landstep.emulator.years import calendar_year

POINTS, CLIMATE = "points", "climate"
"""What `describe` calls the points, and the climate that the host gives."""


@dataclass(frozen=True, eq=False)
class _Told:
    """What the host was told when a year began.

    state : the land then; surface : the fields
    change : gross, between its map and the one that it took the place of
    """

    state: State
    surface: Surface
    change: GrossChange


class Coupler:
    """One experiment on the points of one host, or of one rank of it.

    The Fortran and C interfaces are this class and nothing else. A call that raises leaves the
    coupler as it was, so that the host can go on. With a communicator `open`, an `update` that
    begins a year, `get_maximum`, `write_restart` and `close` are calls of all its ranks; the others
    are not.
    """

    def __init__(
        self,
        emulator: Emulator,
        state: State,
        land: LandSurface,
        fields: HostFields,
        areas: Areas,
        coverage: PointCoverage,
    ) -> None:
        """Put together what `open` opened; areas : of the state, at the points."""
        self._emulator: Emulator | None = emulator
        self._settings = emulator.experiment.coupling
        self._state = state
        self._land = land
        self._fields = fields
        self._start: Areas | None = areas  # until the first update
        self._coverage = coverage
        means = MonthlyMeans(land.points.mine.n, state.year)
        self._climate = HostClimate(
            emulator.inputs,
            land.points,
            means,
            missing_months=self._settings.missing_months,
        )
        self._host_reference_note = ""
        self._told: _Told | None = None
        self._date: Date | None = None
        self._branched: MovedBaselines | None = None
        self._record: BaselineRecord | None = None
        self._goes_on = False  # with the baselines of a restart
        self._before: dict[str, tuple[Surface, Date]] = {}  # of each field, before it moved last
        self._moved: frozenset[str] = frozenset()  # in the last update
        self._land_moved = False
        self._largest: tuple[int, dict[str, np.ndarray], dict[str, CouplingError]] | None = None

    @classmethod
    def open(
        cls,
        experiment: str | Path,
        lon_deg: np.ndarray,
        lat_deg: np.ndarray,
        *,
        comm: int | None = None,
        year: int | None = None,
        restart: str | Path | None = None,
        start: str | None = None,
        **geometry: Any,
    ) -> Coupler | SwitchedOff:
        """Open an experiment on a host's points.

        lon_deg, lat_deg, geometry : as `Points.make` takes them: centres in degrees, and what else
            the host knows of its cells (lon_bounds, lat_bounds, vertex_lon, vertex_lat, area_m2,
            index, mask)
        comm : Fortran's integer of the host's communicator; None or -1: this process is alone
        year : the year of the experiment's map to start from
        restart : a restart file to start from instead; with `year`, it must be of that year
        start : "initial" (a map), "restart", or "branch": a restart file from which a run with
            other settings or points starts; None: "restart" where there is one, else "initial"
        Raises CouplingError for points that cannot be, StateError for a restart of another run or
        one that steps backward in time, and whatever `Emulator` raises. An error on one rank is
        raised on all.
        """
        ranks = Ranks.of_host(comm)
        try:
            points = numbered(ranks, lon_deg, lat_deg, geometry)
            with ranks.together():
                read = load_experiment(experiment)
                check_start(start, restart)
            ranks.same({"[coupling] active": str(read.coupling.active).lower()})
            if not read.coupling.active:
                ranks.release()
                return SwitchedOff(points.n)
            return cls.on(Emulator.open(read, ranks), points, year, restart, start)
        except LandstepError as error:
            if error.shared:
                ranks.release()
            raise

    @classmethod
    def on(
        cls,
        emulator: Emulator,
        points: Points,
        year: int | None = None,
        restart: str | Path | None = None,
        start: str | None = None,
    ) -> Coupler:
        """Put an opened emulator on a host's points; see `open`."""
        state = emulator.start(year, direction="forward", restart=restart)
        land, ranks = LandSurface.of(emulator, points), emulator.assembly.ranks
        with ranks.together():
            of, scheme, mine = emulator.experiment, emulator.scheme, land.points.mine
            paths = [of.path(path) for path in of.coupling.harvest]
            harvest = Harvest.of(paths, mine) if paths else None
            zones = land.legend is not None
            fields = HostFields.of(of, scheme, zones, mine.lat, harvest=harvest)
        fields.icy = icy_points(of, fields.source, land, state.land_use, state.year)
        areas = land.areas(state)
        coverage = PointCoverage.measure(land.points, fields.with_land(areas))
        with ranks.together():
            coverage.check(land.points, of.coupling.geometry)
            coupler = cls(emulator, state, land, fields, areas, coverage)
            if state.kept and start != "branch":
                where = str(restart)
                coupler._recall(Memory.of(state.kept, land.points, coupler._identity, where))
        coupler._host_reference_note = host_reference_note(emulator)
        coupler._goes_on = bool(state.kept) and start != "branch"
        if state.kept and start == "branch" and of.coupling.moved_baseline == "refused":
            coupler._branched = MovedBaselines.of(state.kept, land.points, fields, str(restart))
        return coupler

    @property
    def n(self) -> int:
        """How many points this rank has."""
        return self._land.points.mine.n

    @property
    def year(self) -> int:
        """The year that the land surface has reached."""
        return self._state.year

    @property
    def state(self) -> State:
        """The land surface itself."""
        return self._state

    def names(self) -> list[str]:
        """Names of the fields."""
        self._opened("names")
        return self._fields.names

    def describe(self, name: str, attribute: str) -> str:
        """Say what a field is: its units, denominator, long_name, standard_name or schedule.

        name : of a field, or "points", or "climate"
        attribute : or "notes": what a user should know of a field's baseline (known after the first
            update), of how the points lie on the map (known from the beginning), or of the climate
            that the host gave: months that others stand in for, places without a host_reference;
            "": nothing
        Raises CouplingError for a name or an attribute that is none.
        """
        self._opened("describe")
        if (name, attribute) == (POINTS, NOTES):
            return "; ".join(self._land.points.notes)
        if (name, attribute) == (CLIMATE, NOTES):
            return "; ".join(self._climate_notes(self._state))
        return self._fields.describe(name, attribute)

    def baseline(self, name: str, values: np.ndarray) -> None:
        """Take a field as the host has it without landstep, before the first update.

        name : of a field, see `names`
        values : (n,), or (n, 12) for a field that has a value a month, in the field's units. Where
            the run goes on from a restart, the baseline that it holds stands
        Raises CouplingError for values that cannot be, StepError after an update.
        """
        self._opened("baseline")
        if self._told is not None:
            raise StepError(f"{name!r}: fields were handed out; give a baseline before update")
        self._fields.give(name, values)
        self._largest = None

    def put(self, name: str, values: np.ndarray, units: str = "") -> None:
        """Take the host's own climate at the date of the last update.

        name : CF standard name, e.g. "air_temperature"; see emulator/host_values.py
        values : (n,); all calls of a month count alike in its mean
        units : of the values; "": SI, as in emulator/host_values.py
        Raises StepError before the first update, CouplingError for another length, InputError for
        a name, unit or value that cannot be, ConfigError where nothing says to which climate the
        zones belong.
        """
        emulator = self._opened("put")
        if self._date is None:
            raise StepError(f"{name!r}: no date yet; call update first")
        if np.shape(values) != (self.n,):
            raise CouplingError(
                f"{name!r}: array of shape {np.shape(values)}, expected ({self.n},), one for "
                "each point"
            )
        emulator.check_put(name)
        self._climate.put(name, values, units, self._date[1])

    def update(self, year: int, month: int, day: int) -> bool:
        """Bring the land surface to a date of the host's calendar.

        returns : True where fields moved since the last call that said so; always True for the
            first call, because the host has no fields yet. `changed` tells which moved
        Raises StepError for a date that cannot be, an earlier one, or a year that skips one;
        InputError for a year outside the forcing, or a month without the climate that the host
        gave in others.
        """
        emulator = self._opened("update")
        date = calendar_year(year), calendar_year(month, "month"), calendar_year(day, "day")
        if date == self._date:
            self._moved, self._land_moved = frozenset(), False
            return False
        told, last = self._told, self._date
        begins = told is None or last is None or year != self._state.year
        if told is None or last is None or begins:
            before = self._begin(emulator, date)
            moved = frozenset(self._fields.names)
        else:
            check_next_date(date, last, self._state.year, self._settings)
            before = told.surface, last
            moved = self._fields.moved(last, date)
        self._before |= dict.fromkeys(moved, before)
        self._date = date
        tells = self._settings.observe is None
        self._moved, self._land_moved = moved if tells else frozenset(), begins and tells
        return bool(self._moved)

    def _begin(self, emulator: Emulator, date: Date) -> tuple[Surface, Date]:
        """Step to the year of a date and find its fields; all of it or nothing.

        returns : the fields until then, and the date of which they were
        """
        ranks, folder, year = emulator.assembly.ranks, self._settings.dump, date[0]
        asked, fields = text_of(date), self._fields
        with ranks.together():
            check_next_date(date, self._date, self._state.year, self._settings)
            self._check_forcing(emulator, year)
            if fields.harvest is not None:
                fields.harvest.values(year)  # read on all ranks before anything is computed
        ranks.same({"date of update": asked, "baselines": ", ".join(sorted(fields.baselines))})
        folder = None if folder is None else emulator.experiment.path(folder)
        with dumped(folder, ranks, self._state, f"update to {asked}"):
            if self._told is None:
                areas = self._start or self._land.areas(self._state)
                fields.begin(self._reference(emulator, areas), ranks)
                if self._branched is not None and self._counts_from_elsewhere():
                    self._branched.check(fields, areas, self._state.year, ranks)
                record = self._begun_record(emulator)
                old, before = self._state, fields.surface(areas, year)
            else:
                old, before, record = self._told.state, self._told.surface, self._record
            state, climate = self._state, self._climate
            while state.year < year:
                state = emulator.step(state.year + 1, climate.heard(emulator, state))
                climate = climate.next_year()
            if self._told is None:
                climate.begin(date[1])
            surface = before
            if state is not old:
                surface = fields.surface(self._land.areas(state), state.year)
            change = self._land.change(old.land_use, state.land_use, surface.areas)
            if self._settings.observe is not None:
                observed = emulator.experiment.path(self._settings.observe)
                notes = self._climate_notes(state)
                report(observed, year, fields, surface, self._land.points, self._coverage, notes)
                if state.climate is not None and state.climate is not self._state.climate:
                    file = observed / HOST_CLIMATE
                    write_host_reference(file, state.climate, emulator.inputs, emulator.assembly)
            if record is not None:
                record = self._recorded(record, year, surface, ranks)
        self._state, self._climate, self._start, self._record = state, climate, None, record
        self._largest = None
        self._told = _Told(state, surface, change)
        return before, self._date or date

    def _begun_record(self, emulator: Emulator) -> BaselineRecord | None:
        """Hold the baselines against the record of the runs before; None where none is kept."""
        given, settings, ranks = self._counted_twice(), self._settings, emulator.assembly.ranks
        if settings.baseline_record is None or settings.observe is not None or not given:
            return None
        points = self._land.points.mine
        own, of = checksums_of(given, points, ranks), name_of(settings.host, points, ranks)
        with ranks.together():
            return BaselineRecord.begun(
                emulator.experiment.path(settings.baseline_record),
                of,
                own,
                reference=settings.reference or self._state.year,
                goes_on=self._goes_on,
                taken=settings.moved_baseline == "taken",
            )

    def _recorded(
        self, record: BaselineRecord, year: int, surface: Surface, ranks: Ranks
    ) -> BaselineRecord:
        """Add the fields of a year to the record, and write it."""
        names = set(self._counted_twice()) & set(surface.values)
        fields = {name: surface.values[name] for name in names}
        record = record.with_year(year, checksums_of(fields, self._land.points.mine, ranks))
        with ranks.together():
            if ranks.is_first:
                record.write()
        return record

    def _counted_twice(self) -> dict[str, np.ndarray]:
        """Baselines to which a change is added."""
        anomaly, fields = self._settings.mode == "anomaly", self._fields
        given = fields.baselines
        return {n: v for n, v in given.items() if anomaly or fields.field(n).months == 12}

    @property
    def _identity(self) -> dict[str, str]:
        """What fields depend on besides the land: a restart must have the same."""
        zones = None if self._emulator is None else self._emulator.climate
        own = None if zones is None or zones.host is None else zones.host.sha256
        host = {} if own is None else {"[climate] host_reference sha256": own[:12]}
        return self._fields.identity | host

    def _climate_notes(self, state: State) -> list[str]:
        """What a user should know of the climate that the host gave."""
        return [note for note in (self._host_reference_note, climate_note(state)) if note]

    def _counts_from_elsewhere(self) -> bool:
        """Whether changes count from another year than the one that the run starts from."""
        wanted = self._settings.reference
        return bool(self._fields.baselines) and wanted not in (None, self._state.year)

    def _check_forcing(self, emulator: Emulator, year: int) -> None:
        """Refuse a year that the forcing does not reach, before any is computed."""
        begun = self._state.year
        wanted = self._settings.reference or begun
        if self._told is None and self._fields.baselines and self._fields.reference is None:
            year = max(year, wanted)  # the run's own land of that year is the reference
        if year > begun:
            emulator.inputs.forcing.require_years(begun, year)

    def _reference(self, emulator: Emulator, start: Areas) -> Areas | None:
        """Find the land from which changes are counted; None where nothing is added to them.

        start : the land that the run starts from
        """
        fields, wanted = self._fields, self._settings.reference
        if fields.reference is not None or not fields.baselines:
            return fields.reference
        if wanted is None or wanted == self._state.year:
            return start
        if wanted < self._state.year:
            return self._land.of_map(emulator, wanted)
        later = self._state  # the run's own land of that year, where the host tells nothing
        while later.year < wanted:
            later = emulator.step(later.year + 1, later)
        return self._land.areas(later)

    def changed(self, name: str) -> bool:
        """Tell whether a field was handed out anew in the last update, changed in value or not."""
        self._opened("changed")
        self._fields.field(name)
        return name in self._moved

    def get(self, name: str, kind: Any = np.float64) -> np.ndarray:
        """Return a field on the host's points, of the date of the last update.

        kind : float64 or float32, of the host's arrays. A rule between months that has a host's
            name is computed in the precision in which that host computes it
        returns : (n,) of that kind, read-only, always finite
        Raises CouplingError for a name that is none, or a field that needs a baseline;
        StepError before the first update.
        """
        told, date = self._handed_out("get", name)
        return self._fields.value(told.surface, name, date, kind)

    def get_previous(self, name: str, kind: Any = np.float64) -> np.ndarray:
        """Return a field as it was before it moved last: (n,) of a kind, read-only.

        Where it has not moved yet it is the field itself. Raises as `get` does.
        """
        self._handed_out("get_previous", name)
        self._fields.field(name)
        surface, date = self._before[name]
        return self._fields.value(surface, name, date, kind)

    def get_monthly(self, name: str) -> np.ndarray:
        """Return the twelve months of a monthly field in the year reached.

        A host that keeps its own rule between the months takes these when a year has begun, and
        `get` no more; in the reference year they are the baseline's bits.

        name : of a monthly field
        returns : (n, 12) float64, January to December, read-only, always finite
        Raises CouplingError for a name that is none, a field of one value a year, or one that needs
        a baseline; StepError before the first update.
        """
        told, _ = self._handed_out("get_monthly", name)
        return self._fields.monthly(told.surface, name)

    def add_change(self, name: str, values: np.ndarray) -> np.ndarray:
        """Return the host's own values plus what landstep's field changed.

        name : of a field that the host gave a baseline of; a type is refused
        values : (n,) float32 or float64: what the host itself has on the date of the last update,
            without landstep, in the field's units
        returns : (n,) of the same dtype: values + (landstep's field of the date less the baseline,
            between whose months the rule of the field goes), within the field's bounds. Where
            nothing changed, as everywhere in the reference year, the bytes of `values`. From C and
            Fortran this is done in place
        Raises CouplingError for a name that is none, a type, a field without baseline or, in
        absolute mode, of one value a year, another shape, or a value that is not finite where the
        field changed; StepError before the first update.
        """
        told, date = self._handed_out("add_change", name)
        return self._fields.added(told.surface, name, date, values)

    def get_change(self, class_name: str) -> tuple[np.ndarray, np.ndarray]:
        """Give what a class gained and lost in the last update: nothing, unless a year began.

        class_name : of the scheme, e.g. "forest"
        returns : gain and loss, each (n,) float64, gross: shares of the known part of the host's
            cell. Gain less loss is the change of its area fraction
        Raises CouplingError for a class that is none, StepError before the first update.
        """
        told, _ = self._handed_out("get_change", class_name)
        number = self._fields.class_number(class_name)
        if not self._land_moved:
            return np.zeros(self.n), np.zeros(self.n)
        return told.change.gain[:, number], told.change.loss[:, number]

    def get_transition(self, from_class: str, to_class: str) -> np.ndarray:
        """Return what went from class to class in the last update: nothing, unless a year began.

        from_class, to_class : of the scheme, e.g. "forest" and "cropland"
        returns : (n,) float64, shares of the known part of the host's cell; 0 of a class to itself.
            Over all classes to which it went the sum is the loss of `get_change`, over all from
            which it came the gain: to the last bit, in any order
        Raises CouplingError for a class that is none, StepError before the first update.
        """
        told, _ = self._handed_out("get_transition", from_class)
        old, new = (self._fields.class_number(name) for name in (from_class, to_class))
        return told.change.transition(old, new) if self._land_moved else np.zeros(self.n)

    def get_maximum(self, name: str, last_year: int) -> np.ndarray:
        """Return the largest value of an annual field from the year reached to a last one.

        For a host that allocates by what will be there, such as CTSM. A call of all ranks, between
        the baselines and the first `update`. The first call computes all those years, as long as a
        run takes, and without a climate of the host's own; calls for other fields compute nothing.

        last_year : the last year of the run
        returns : (n,) float64, in the field's units, read-only
        Raises StepError after an `update`, or for a last year that has passed; CouplingError for a
        name that is none, is monthly, a type or needs a baseline; InputError for a year outside the
        forcing.
        """
        emulator = self._opened("get_maximum")
        ranks, fields, last = emulator.assembly.ranks, self._fields, calendar_year(last_year)
        with ranks.together():
            if self._told is not None:
                raise StepError(f"{name!r}: fields were handed out; call get_maximum before update")
            check_largest(fields, name, self._state.year, last)
            emulator.inputs.forcing.require_years(self._state.year, last)
        given = ", ".join(sorted(fields.baselines))
        ranks.same({"field of get_maximum": name, "last year": str(last), "baselines": given})
        if self._settings.observe is not None:
            return fields.own(name)
        if self._largest is None or self._largest[0] != last:
            areas, unbegun = self._start or self._land.areas(self._state), fields.unbegun()
            reference = self._reference(emulator, areas)
            found = largest_fields(emulator, self._land, unbegun, self._state, reference, last)
            self._largest = last, found, unbegun.refused
        _, found, refused = self._largest
        if name in refused or name not in found:
            raise refused[name]
        return found[name]

    def get_coverage(self) -> PointCoverage:
        """What `open` measured of the points of all ranks: how much of the map they see."""
        self._opened("get_coverage")
        return self._coverage

    def write_restart(self, path: str | Path) -> None:
        """Write a restart file; the run goes on as if it had not.

        Raises InputError where it cannot be written, StateError for a path that names no file.
        """
        emulator = self._opened("write_restart")
        ranks = emulator.assembly.ranks
        with ranks.together():
            check_restart_path(path)
        ranks.same(
            {"baselines": ", ".join(sorted(self._fields.baselines)), **self._climate.put_so_far}
        )
        of_points, of_all = self._climate.kept()
        memory = Memory(self._identity, {**self._fields.kept(), **of_points}, of_all)
        kept = memory.kept(self._land.points)
        whole = emulator.whole(replace(self._state, kept=kept))
        with ranks.together():
            if whole is not None:
                whole.save(path, compression=emulator.experiment.output.compression)

    def close(self) -> None:
        """Let the emulator go. A later call raises CouplingError."""
        emulator = self._opened("close")
        self._emulator = None
        emulator.assembly.ranks.release()

    def _recall(self, memory: Memory) -> None:
        """Go on from what a restart kept."""
        self._fields.recall(memory.of_points)
        self._climate = self._climate.recalled(memory.of_points, memory.of_all)

    def _handed_out(self, call: str, name: str) -> tuple[_Told, Date]:
        self._opened(call)
        if self._told is None or self._date is None:
            raise StepError(f"{name!r}: no fields yet; call update first")
        return self._told, self._date

    def _opened(self, call: str) -> Emulator:
        if self._emulator is None:
            raise CouplingError(f"{call}: this coupler was closed")
        return self._emulator
