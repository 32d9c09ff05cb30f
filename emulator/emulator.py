"""The emulator: a year of forcing and the last years' maps in, this year's map out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

import numpy as np

from landstep.emulator.card import Card
from landstep.emulator.checks import check_step
from landstep.emulator.classes import MASKED, Scheme
from landstep.emulator.demand import Demand
from landstep.emulator.errors import StateError, StepError
from landstep.emulator.experiment import Experiment, load_experiment
from landstep.emulator.grid import Grid
from landstep.emulator.inputs import Inputs, open_inputs
from landstep.emulator.model_checks import DIRECTIONS, check_fit, check_lag, direction_of
from landstep.emulator.output import write_year
from landstep.emulator.quotas import older, owed
from landstep.emulator.session import Session, refuse_two_runtimes
from landstep.emulator.state import State
from landstep.emulator.stepping import allocated, fields_for, logit_strips, rule_of


@dataclass(frozen=True)
class Emulator:
    """One experiment, opened: its inputs and its model.

    The same call gives the same bits, for any window size and any number of threads.
    """

    experiment: Experiment
    inputs: Inputs
    session: Session

    @classmethod
    def open(cls, experiment: str | Path | Experiment) -> Emulator:
        """Open an experiment file, or an experiment already read.

        Raises ConfigError, InputError or ModelError, naming the file, where something is missing,
        damaged, or does not fit the rest. Nothing is downloaded.
        """
        if not isinstance(experiment, Experiment):
            experiment = load_experiment(experiment)
        refuse_two_runtimes()
        run = experiment.run
        session = Session.open(
            experiment.model_path(), run.provider, run.threads, precision=run.precision
        )
        inputs = open_inputs(experiment)
        check_fit(session.card, inputs, experiment)
        return cls(experiment, inputs, session)

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
        if restart is not None:
            if cold:
                raise StepError("a restart and a cold start were both asked for; name one")
            state = State.load(restart)
            self._check_restart(state, year, str(restart))
            _check_way(state, direction, str(restart))
            return state
        year = self.experiment.start if year is None else year
        if year is None:
            raise StepError(
                "no start: name a year of the experiment's maps or a restart file, or set the key "
                "'start' in the experiment file"
            )
        way = direction_of(self.card, direction or "forward")
        if cold:
            return self.start_from(year, self.inputs.cold_map(), direction=direction)
        land_use = self.inputs.land_use.map(year)
        history = self.inputs.history(year, way, self.card.history)
        return self.start_from(year, land_use, history, direction=direction)

    def start_from(
        self,
        year: int,
        land_use: np.ndarray,
        history: np.ndarray | None = None,
        *,
        direction: str | None = None,
    ) -> State:
        """Give the state to start from any map.

        land_use : (y, x) uint8 class numbers, MASKED where unknown; the coarse cells that hold such
            a cell owe what the forcing of that year has of each group, less what is known
        history : (H, y, x) uint8, the maps before it in stepping order; None: nothing is known
        direction : "forward" (default) or "backward" in time
        Raises StepError for a direction that the model was not trained for, StateError for maps
        that do not fit the grid or the model, InputError for a year outside the forcing where
        something is owed.
        """
        way = direction_of(self.card, direction or "forward")
        expected = (self.card.history, *self.grid.shape)
        if history is None:
            history = np.full(expected, MASKED, np.uint8)
        if land_use.shape != expected[1:] or history.shape != expected:
            raise StateError(
                f"start in {year}: map of {land_use.shape} with a history of {history.shape}, "
                f"expected {expected[1:]} and {expected}"
            )
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
        _check_next(year, state)
        self._check_restart(state, None, "state")
        check_lag(self.card, 1)
        asked = self.demand.asked(state.year, year)
        rule = rule_of(self.experiment, self.scheme, self.card, state.direction)
        land_use, realised, report = allocated(
            self._logits(year, state), state, asked, self.demand, rule
        )
        check_step(state.land_use, land_use, self.scheme, year, state.direction)
        debt = owed(state.debt, asked, realised)
        return State(
            year=year,
            land_use=land_use,
            history=np.concatenate([state.land_use[None], state.history[:-1]]),
            direction=state.direction,
            anchor=state.anchor,
            debt=debt,
            debt_years=older(state.debt_years, state.debt, debt, self.demand.cell()),
            scheme=state.scheme,
            grid=state.grid,
            model=state.model,
            provenance={**self.session.provenance, "landstep": version("landstep")},
            report=report,
        )

    def odds(self, year: int, state: State) -> np.ndarray:
        """Give the network's logits for a year, one or more years from the state's.

        year : lies ahead, the way the state goes, by a lag that the model learned
        returns : (K, y, x) float32; where the prior's class is fixed, 0 for that class and
            FORBIDDEN for all others
        Raises StepError for a year that does not, and as `step` does.
        """
        self._check_restart(state, None, "state")
        lag = (year - state.year) * state.direction
        if lag < 1:
            raise StepError(
                f"odds for {year} from the map of {state.year}: expected a year "
                f"{'after' if state.direction > 0 else 'before'} it"
            )
        check_lag(self.card, lag)
        return np.concatenate(list(self._logits(year, state)), axis=1)

    def _logits(self, year: int, state: State) -> Iterator[np.ndarray]:
        fields = fields_for(self.card, self.inputs, year, state)
        core, wraps = self.experiment.run.core, self.grid.wraps
        return logit_strips(self.session, fields, self.scheme, core, wraps)

    def write(self, state: State, path: str | Path) -> None:
        """Write a state's map as a CF NetCDF file; complete or not there."""
        write_year(Path(path), state, self.grid, self.scheme, self.experiment.name)

    def _check_restart(self, state: State, year: int | None, where: str) -> None:
        if state.model != self.session.sha256:
            raise StateError(
                f"{where}: made with model sha256 {state.model[:12]}, this run has "
                f"{self.session.sha256[:12]}; start again, or take the model it was made with"
            )
        if state.grid != self.grid.fingerprint or state.land_use.shape != self.grid.shape:
            raise StateError(
                f"{where}: lies on another grid ({state.land_use.shape}), this run is on "
                f"{self.grid.shape}; take the restart of this region"
            )
        if state.scheme != self.scheme.name:
            raise StateError(f"{where}: scheme {state.scheme}, this run uses {self.scheme.name}")
        if year is not None and state.year != year:
            raise StateError(f"{where}: restart is of {state.year}, asked for {year}")


def _check_next(year: int, state: State) -> None:
    """Refuse a year that is not the next one the way the state goes."""
    following = state.year + state.direction
    if year == following:
        return
    way = "forward" if state.direction > 0 else "backward"
    turn = "; turning round needs a new start" if year == state.year - state.direction else ""
    raise StepError(
        f"step to {year} from the map of {state.year}: expected {following}; one step is one year "
        f"{way}{turn}"
    )


def _check_way(state: State, direction: str | None, where: str) -> None:
    """Refuse a restart that goes the other way in time than was asked for."""
    if direction is not None and DIRECTIONS.get(direction) != state.direction:
        way = "forward" if state.direction > 0 else "backward"
        raise StateError(
            f"{where}: restart steps {way}, asked for {direction}; turning round needs a new start"
        )
