"""The emulator: a year of forcing and the last years' maps in, this year's map out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

import numpy as np

from landstep.emulator.assembly import Assembly
from landstep.emulator.card import Card
from landstep.emulator.classes import Scheme
from landstep.emulator.climate import heard
from landstep.emulator.demand import Demand
from landstep.emulator.errors import InputError, StateError, StepError
from landstep.emulator.experiment import Experiment, load_experiment
from landstep.emulator.grid import Grid
from landstep.emulator.host_values import ZONE_VARIABLES, check_name
from landstep.emulator.host_zones import HostZones, needed, zones_of
from landstep.emulator.inputs import Files, Inputs, check_files, open_files
from landstep.emulator.mapped import Maps, zeros
from landstep.emulator.model_checks import check_fit, check_lag, direction_of
from landstep.emulator.network import Network
from landstep.emulator.output import Output, Year
from landstep.emulator.owned import Remembered, take
from landstep.emulator.quota_report import QuotaReport
from landstep.emulator.quotas import older, owed
from landstep.emulator.ranks import ALONE, Ranks
from landstep.emulator.session import Session, refuse_two_runtimes
from landstep.emulator.settled import Settled
from landstep.emulator.stand_ins import StandIn
from landstep.emulator.state import State, check_restart
from landstep.emulator.state_checks import Belonging, check_next, check_way
from landstep.emulator.stepping import Stepped, Stepper, fields_for, rule_of
from landstep.emulator.tiling import Box, Cut, blocks
from landstep.emulator.user_arrays import check_classes, class_map, class_maps
from landstep.emulator.window_size import core_for
from landstep.emulator.years import calendar_year


@dataclass(frozen=True)
class Emulator:
    """One experiment, opened: its inputs and its model.

    The same call gives the same bits, for any window size, number of threads and number of ranks.
    Of several ranks each holds its part of every map; `whole` brings them together.
    """

    experiment: Experiment
    files: Files
    inputs: Inputs
    session: Session
    assembly: Assembly
    climate: HostZones | None = None
    _settled: Settled = field(default_factory=Settled, init=False, repr=False)
    _maps: dict[int, np.ndarray] = field(default_factory=dict, init=False, repr=False)
    _classed: Remembered = field(default_factory=Remembered, init=False, repr=False)

    @classmethod
    def open(
        cls, experiment: str | Path | Experiment, ranks: Ranks = ALONE, *, gated: bool = True
    ) -> Emulator:
        """Open an experiment file, or an experiment already read.

        ranks : the processes that share the map; each makes the same calls
        gated : refuse a model whose card does not say that it passed for the provider and precision
        Raises ConfigError, InputError or ModelError, naming the file, where something is missing,
        damaged, or does not fit the rest. Nothing is downloaded.
        """
        with ranks.together():
            if not isinstance(experiment, Experiment):
                experiment = load_experiment(experiment)
            refuse_two_runtimes()
            run = experiment.run
            session = Session.open(
                experiment.model_path(),
                run.provider,
                run.threads,
                precision=run.precision,
                device=ranks.local,
                gated=gated,
            )
        ranks.same(_alike(experiment, session))
        check_files(experiment, ranks)
        with ranks.together():
            files = open_files(experiment)
        reach = session.card.halo + session.card.stride
        assembly = Assembly.of(files.land_use, files.division(reach), ranks)
        with ranks.together():
            inputs = files.inputs(assembly.mine)
            check_fit(session.card, inputs, experiment)
            climate = HostZones.open(experiment, inputs)
        return cls(experiment, files, inputs, session, assembly, climate)

    @property
    def grid(self) -> Grid:
        """Grid of the maps."""
        return self.inputs.grid

    @property
    def scheme(self) -> Scheme:
        """Class scheme of the maps."""
        return self.inputs.scheme

    @property
    def card(self) -> Card:
        """What the model says of itself."""
        return self.session.card

    @cached_property
    def demand(self) -> Demand:
        """What the forcing asks of the coarse cells."""
        return Demand.of(self.inputs)

    def start(
        self,
        year: int | None = None,
        *,
        direction: str | None = None,
        restart: str | Path | None = None,
        cold: bool = False,
    ) -> State:
        """Give the state to start from.

        year : start from the experiment's map of that year (default: its key `start`), with as many
            maps of the years before it as there are
        direction : "forward" or "backward" in time (default: the restart's, else forward)
        restart : start from a restart file instead; with `year`, it must be of that year
        cold : start in that year with nothing known but the coast
        Raises StepError where it is not said where to start, or the model was not trained for the
        direction; InputError for a year without a map; StateError for a restart of another model,
        grid, scheme, year or direction.
        """
        if restart is not None and not cold:
            check_restart(Path(restart), self.assembly.ranks)
        with self.assembly.ranks.together():
            asked = None if year is None else calendar_year(year)
            return self._start(asked, direction, restart, cold)

    def _start(
        self, year: int | None, direction: str | None, restart: str | Path | None, cold: bool
    ) -> State:
        if restart is not None:
            if cold:
                raise StepError("a restart and a cold start were both asked for; name one")
            state = State.load(restart, self.inputs.share)
            if self.assembly.ranks.is_first and not self.inputs.share.held.is_whole:
                State.load(restart)  # the parts are not held against the file's checksum
            self._check(state, str(restart), year)
            check_way(state, direction, str(restart))
            return state
        year = self.experiment.start if year is None else year
        if year is None:
            raise StepError(
                "no start: name a year of the experiment's maps or a restart file, or set the key "
                "'start' in the experiment file"
            )
        way = direction_of(self.card, direction or "forward")
        if cold:
            return self.start_from(year, take(self.inputs.cold_map()), direction=direction)
        land_use, *history = self._observed(year, way)
        return self.start_from(year, land_use, history, direction=direction)

    def _observed(self, year: int, way: int) -> list[np.ndarray]:
        """Give the map of a year and those before it; those of the last call are not read again."""
        years = [year - way * number for number in range(self.card.history + 1)]
        there = [y for y in years if y == year or y in self.inputs.land_use.years]
        maps = {
            y: self._maps[y] if y in self._maps else take(self.inputs.land_use.map(y))
            for y in there
        }
        self._maps.clear()
        self._maps.update(maps)
        unknown = take(self.inputs.unknown_map())
        return [maps.get(y, unknown) for y in years]

    def start_from(
        self,
        year: int,
        land_use: np.ndarray,
        history: Maps | None = None,
        *,
        direction: str | None = None,
    ) -> State:
        """Give the state to start from any map.

        land_use : (y, x) class numbers of any integer type, MASKED or masked where unknown; the
            coarse cells that hold such a cell owe what the forcing of that year has of each group,
            less what is known. It is copied: what the caller does with it later changes nothing
        history : H maps (y, x) of the same, those before it in stepping order; None: nothing is
            known
        direction : "forward" (default) or "backward" in time
        Raises StepError for a direction that the model was not trained for, or a year that is no
        integer; StateError for maps that hold anything but class numbers or do not fit the grid or
        the model; InputError for a year outside the forcing where something is owed.
        """
        year = calendar_year(year)
        way = direction_of(self.card, direction or "forward")
        land_use = class_map(land_use, "land_use")
        if history is None:
            history = [take(self.inputs.unknown_map())] * self.card.history
        history = class_maps(history, "history")
        found = [tuple(map_.shape) for map_ in (land_use, *history)]
        if found != [self.inputs.shape] * (1 + self.card.history):
            raise StateError(
                f"start in {year}: map of {found[0]} with a history of {found[1:]}, expected "
                f"{self.inputs.shape} with {self.card.history} of the same"
            )
        for number, of_year in enumerate((land_use, *history)):
            name = f"history[{number - 1}]" if number else "land_use"
            check_classes(of_year, self.scheme.n_classes, name, self._classed)
        debt = self.demand.owed_at_start(land_use, year)
        return State(
            year=year,
            land_use=land_use,
            history=history,
            direction=way,
            anchor=year,
            debt=debt,
            debt_years=np.zeros(debt.shape, np.uint8),
            scheme=self.scheme.name,
            grid=self.grid.fingerprint,
            model=self.session.sha256,
            provenance={**self.session.provenance, "landstep": version("landstep")},
        )

    def step(self, year: int, state: State) -> State:
        """Move one year on, the way the state goes.

        year : the year after the state's, or the year before it where it steps backward
        state : stays as it is
        returns : a new State, of that year
        Raises StepError for any other year, or a model that did not learn single years; StateError
        for a state of another run; InputError for a year outside the forcing; CheckError where the
        result breaks an invariant.
        """
        ranks = self.assembly.ranks
        with ranks.together():
            year = calendar_year(year)
            check_next(year, state)
            self._check(state, "state")
            check_lag(self.card, 1)
            asked = self.demand.asked(state.year, year)
            asked_for = self.experiment.output.confidence
            stepper = Stepper(
                state=state,
                year=year,
                network=self._network(year, state),
                demand=self.demand,
                quota=state.debt + asked,
                rule=rule_of(self.experiment, self.scheme, self.card, state.direction),
                settled=self._settled,
                confidence=zeros(self.inputs.shape, np.uint8) if asked_for else None,
            )
            stepped = stepper.map(self._blocks())
        self.assembly.fill_halo(stepped.land_use)
        land_use = take(stepped.land_use)
        self._classed.add(land_use)
        debt = owed(state.debt, asked, stepped.realised)
        report = self._report(asked, stepped)
        return State(
            year=year,
            land_use=land_use,
            history=(state.land_use, *state.history[:-1]),
            direction=state.direction,
            anchor=state.anchor,
            debt=debt,
            debt_years=older(state.debt_years, state.debt, debt, self.demand.cell),
            scheme=state.scheme,
            grid=state.grid,
            model=state.model,
            provenance={**self.session.provenance, "landstep": version("landstep")},
            report=report,
            confidence=None if stepper.confidence is None else take(stepper.confidence),
            climate=state.climate,
        )

    def check_put(self, name: str) -> None:
        """Refuse a variable that a host cannot give here.

        Raises CouplingError for a name that is none; ConfigError where climate zones would follow
        from it, and the experiment names no climate that the observed ones belong to.
        """
        check_name(name)
        if name in ZONE_VARIABLES:
            needed(self.climate, name)

    def heard(
        self,
        year: int,
        means: Mapping[str, np.ndarray],
        state: State,
        stand_ins: Iterable[StandIn] = (),
    ) -> State:
        """Add a year of the host's own climate; the next step's climate zones follow from it.

        year : the calendar year that is over, the state's own or one before it
        means : name -> (12, cy, cx) real: monthly means, January first, in SI, on the coarse cells
            that this rank holds (those of `state.debt`); NaN where the host has nothing
        state : stays as it is
        stand_ins : months of the year that the host did not give, and what `means` has there
        returns : a State with it, of the same year
        Raises as `check_put`; StepError for a year after the state's, or one that leaves out
        another; InputError for fields of another size.
        """
        year = calendar_year(year)
        for name, of_months in means.items():
            self.check_put(name)
            if np.ma.asarray(of_months).dtype.kind not in "fiu":
                raise InputError(f"climate of {year}: {name} is not of real numbers")
            if np.shape(of_months) != (12, *state.debt.shape[1:]):
                raise InputError(
                    f"climate of {year}: {name} is {np.shape(of_months)}, expected "
                    f"{(12, *state.debt.shape[1:])}: months and the coarse cells of the map"
                )
        if year > state.year:
            raise StepError(f"climate of {year} for a state of {state.year}: it is not over yet")
        return replace(state, climate=heard(state.climate, year, means, stand_ins))

    def climate_zones(self, year: int, state: State) -> np.ndarray:
        """Return the climate zones of a year as the network reads them: (y, x) uint8, read-only.

        They are the observed ones of that year, moved by the climate that the state holds.
        """
        (observed,) = self.inputs.categories(["climate_zone"], calendar_year(year))
        zones = zones_of(self.climate, state.climate, observed).view()
        zones.setflags(write=False)  # it may be what the next step reads
        return zones

    def odds(self, year: int, state: State) -> np.ndarray:
        """Give the network's logits for a year, one or more years from the state's.

        year : lies ahead, the way the state goes, by a lag that the model learned
        returns : (K, y, x) float32; where the prior's class is fixed, 0 for that class and
            FORBIDDEN for all others
        Raises StepError for a year that does not, and as `step` does.
        """
        year = calendar_year(year)
        self._check(state, "state")
        lag = (year - state.year) * state.direction
        if lag < 1:
            raise StepError(
                f"odds for {year} from the map of {state.year}: expected a year "
                f"{'after' if state.direction > 0 else 'before'} it"
            )
        check_lag(self.card, lag)
        network = self._network(year, state)
        odds = np.empty((self.scheme.n_classes, *self.inputs.shape), np.float32)
        for block in self._blocks():
            y0, y1, x0, x1 = block
            given = network.given(block, network.free(block))
            odds[:, y0:y1, x0:x1] = network.logits(block, given)
        return odds

    def whole(self, state: State) -> State | None:
        """Bring a state together: the whole map on the first rank, None on the others.

        All ranks call it. One that is alone gets its state back.
        """
        return self.assembly.whole(state)

    def _report(self, asked: np.ndarray, stepped: Stepped) -> QuotaReport:
        """Sum up the quotas of a step, over what this rank owns and then over the ranks."""
        ranks, (y0, y1, x0, x1) = self.assembly.ranks, self.inputs.share.coarse_box
        sums = np.array([f[:, y0:y1, x0:x1].sum(axis=(1, 2)) for f in (asked, stepped.realised)])
        total = ranks.sum(sums)
        unmet = int(ranks.sum(np.array([stepped.unmet]))[0])
        return QuotaReport(total[0], total[1], unmet, ranks.largest(stepped.largest))

    def _network(self, year: int, state: State) -> Network:
        fields = fields_for(self.card, self.inputs, year, state, self.climate)
        share = self.inputs.share
        wraps = self.grid.wraps and share.held.shape[1] == self.grid.shape[1]
        cut = Cut(self.inputs.shape, self.card.stride, self.card.halo, wraps, share.phase)
        return Network(self.session, fields, self.scheme, cut)

    def _blocks(self) -> Iterator[Box]:
        """Blocks of what this rank owns."""
        top, bottom, left, right = self.inputs.share.own_box
        row, col = self.inputs.row[top:bottom], self.inputs.col[left:right]
        core = self.experiment.run.core or core_for(self.card)
        for y0, y1, x0, x1 in blocks(row, col, core):
            yield y0 + top, y1 + top, x0 + left, x1 + left

    @cached_property
    def output(self) -> Output:
        """How years are written."""
        row, col, coarse = self.files.row, self.files.col, self.files.forcing.coarse
        places = None
        if isinstance(coarse, Grid):
            places = coarse.lat_deg[row[0] : row[-1] + 1], coarse.lon_deg[col[0] : col[-1] + 1]
        of = self.scheme
        name, compression = self.experiment.name, self.experiment.output.compression
        return Output(self.grid, of, name, row - row[0], col - col[0], places, compression)

    def record(self, state: State) -> Year | None:
        """Bring together what is written of a state: on the first rank, None on the others.

        All ranks call it.
        """
        first, last = self.inputs.forcing.years
        forcing = None
        if first <= state.year <= last:
            with self.assembly.ranks.together():
                given = self.demand.given(state.year)
            forcing = self.assembly.coarse(given)
        whole = self.whole(state)
        return None if whole is None else Year(whole, forcing)

    def _check(self, state: State, where: str, year: int | None = None) -> None:
        """Refuse a state of another run, or of another year than is asked for."""
        of = Belonging(
            self.session.sha256, self.grid.fingerprint, self.inputs.shape, self.scheme.name
        )
        of.check(state, where, year)
        for number, map_ in enumerate((state.land_use, *state.history)):
            name = f"{where}, history[{number - 1}]" if number else f"{where}, land_use"
            check_classes(map_, self.scheme.n_classes, name, self._classed)

    def write(self, state: State, path: str | Path) -> None:
        """Write a state's map as a CF NetCDF file; complete or not there. All ranks call it."""
        year = self.record(state)
        with self.assembly.ranks.together():
            if year is not None:
                self.output.write(Path(path), year)


def _alike(experiment: Experiment, session: Session) -> dict[str, str]:
    """What must be the same on all ranks."""
    settings = experiment.model_dump_json(exclude={"run": {"core", "threads"}})
    return {
        "model sha256": session.sha256,
        "landstep": version("landstep"),
        **session.provenance,
        "experiment": settings,
    }
