"""The emulator: a year of forcing and last year's map in, this year's map out."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np

from landstep.emulator.card import Card
from landstep.emulator.checks import check_step
from landstep.emulator.classes import Scheme
from landstep.emulator.errors import ConfigError, StateError, StepError
from landstep.emulator.experiment import Experiment, load_experiment
from landstep.emulator.features import class_shares, cut_inputs
from landstep.emulator.grid import Grid
from landstep.emulator.inputs import Inputs, open_inputs
from landstep.emulator.output import write_year
from landstep.emulator.session import Session, refuse_two_runtimes
from landstep.emulator.state import State
from landstep.emulator.tiling import windows


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
        session = Session.open(
            experiment.model_path(), experiment.run.provider, experiment.run.threads
        )
        inputs = open_inputs(experiment)
        _check_fit(session.card, inputs, experiment)
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

    def start(
        self, year: int | None = None, *, restart: str | Path | None = None, cold: bool = False
    ) -> State:
        """Give the state to start from.

        year : start from the experiment's map of that year (default: its key `start`)
        restart : start from a restart file instead; with `year`, it must be of that year
        cold : start in that year with nothing known but the coast
        Raises StepError where it is not said where to start, InputError for a year without a map,
        StateError for a restart of another model, grid, scheme or year.
        """
        if restart is not None:
            if cold:
                raise StepError("a restart and a cold start were both asked for; name one")
            state = State.load(restart)
            self._check_restart(state, year, str(restart))
            return state
        year = self.experiment.start if year is None else year
        if year is None:
            raise StepError(
                "no start: name a year of the experiment's maps or a restart file, or set the key "
                "'start' in the experiment file"
            )
        return self._state(year, self.inputs.cold_map() if cold else self.inputs.land_use.map(year))

    def step(self, year: int, state: State) -> State:
        """Move one year on.

        year : the year after the state's
        state : stays as it is
        returns : a new State, of that year
        Raises StepError for any other year, StateError for a state of another run, InputError for
        a year outside the forcing, CheckError where the result breaks an invariant.
        """
        if year != state.year + 1:
            raise StepError(
                f"step to {year} from the map of {state.year}: expected {state.year + 1}; "
                "one step is one year forward"
            )
        self._check_restart(state, None, "state")
        forcing, change = self.inputs.forcing_pair(year, state.year)
        continuous = self.inputs.continuous(self.card.continuous)
        categories = _categories(self.card, self.inputs, year)
        row, col, coarse = self.inputs.row, self.inputs.col, forcing.shape[1:]
        shares = class_shares(state.land_use, row, col, coarse, self.scheme.n_classes)
        land_use = state.land_use.copy()
        for window in windows(
            self.grid.shape,
            self.experiment.run.core,
            self.card.stride,
            self.card.halo,
            self.grid.wraps,
            ~np.isin(state.land_use, self.scheme.fixed_numbers),
        ):
            inputs = cut_inputs(
                window,
                state.land_use,
                continuous,
                categories,
                forcing,
                change,
                shares,
                row,
                col,
            )
            window.write(land_use, self.session.run(inputs)["land_use"][0])
        check_step(state.land_use, land_use, self.scheme, year)
        return self._state(year, land_use)

    def write(self, state: State, path: str | Path) -> None:
        """Write a state's map as a CF NetCDF file; complete or not there."""
        write_year(Path(path), state, self.grid, self.scheme, self.experiment.name)

    def _state(self, year: int, land_use: np.ndarray) -> State:
        return State(
            year=year,
            land_use=land_use,
            scheme=self.scheme.name,
            grid=self.grid.fingerprint,
            model=self.session.sha256,
            provenance={**self.session.provenance, "landstep": version("landstep")},
        )

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


def _check_fit(card: Card, inputs: Inputs, experiment: Experiment) -> None:
    """Refuse a model that was made for other classes, forcing, statics or days."""
    if card.scheme != inputs.scheme.name or tuple(card.class_codes) != inputs.scheme.codes:
        raise ConfigError(
            f"model {card.name!r} trained for class scheme {card.scheme}, run uses "
            f"{inputs.scheme.name}"
        )
    if tuple(card.states) != inputs.forcing.states:
        raise ConfigError(
            f"model {card.name!r} takes forcing states {card.states}, experiment "
            f"{experiment.name!r} has {list(inputs.forcing.states)}; expected the same, in order"
        )
    if card.phase != inputs.forcing.phase:
        raise ConfigError(
            f"model {card.name!r} is for {card.phase}, forcing for {inputs.forcing.phase}"
        )
    if experiment.run.core % card.stride:
        raise ConfigError(
            f"run.core = {experiment.run.core}: expected a multiple of {card.stride}, the stride "
            f"of model {card.name!r}"
        )
    inputs.continuous(card.continuous)
    _categories(card, inputs, inputs.land_use.years[0])


def _categories(card: Card, inputs: Inputs, year: int) -> np.ndarray:
    """Stack the categorical statics of a year, (C, y, x) uint8; ConfigError for a code that the
    model does not know.
    """
    fields = inputs.categories([c.name for c in card.categories], year)
    for category, field in zip(card.categories, fields, strict=True):
        if field.max(initial=0) >= category.size:
            raise ConfigError(
                f"static {category.name!r} of {year} has code {int(field.max())}, model "
                f"{card.name!r} knows 0 to {category.size - 1}"
            )
    return fields
