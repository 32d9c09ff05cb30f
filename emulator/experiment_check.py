"""Look at all that a run of an experiment will read, before it runs: every problem, not the first.

Nothing is computed and nothing is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from landstep.emulator.assembly import Assembly
from landstep.emulator.card import Card
from landstep.emulator.classes import scheme
from landstep.emulator.emulator import ALONE, Emulator
from landstep.emulator.errors import ConfigError, InputError, LandstepError
from landstep.emulator.estimates import Need, disk_need, memory_need
from landstep.emulator.experiment import Experiment, load_experiment
from landstep.emulator.file_checks import check_output_folder
from landstep.emulator.forcing import Forcing
from landstep.emulator.grid import coarse_index
from landstep.emulator.host_zones import HostZones
from landstep.emulator.inputs import Files, Inputs, unverified
from landstep.emulator.land_use import LandUse
from landstep.emulator.legends import legend
from landstep.emulator.legs import copied_years, legs_of, require_forcing
from landstep.emulator.mapped import row_pieces
from landstep.emulator.model_checks import TRAIN_YOUR_OWN, check_fit, check_lag, direction_of
from landstep.emulator.run_folder import holds, identity, settings_of
from landstep.emulator.session import Session
from landstep.emulator.statics import Source, Statics

Found = TypeVar("Found")
Say = Callable[[str], None]

MOST_YEARS = 5
"""Years of one file whose problems are told one by one; the others are counted."""


@dataclass(frozen=True)
class Item:
    """One thing that was looked at.

    text : what was found; error : what is wrong with it, or None
    """

    name: str
    text: str
    error: LandstepError | None = None

    @property
    def line(self) -> str:
        """What a user reads."""
        return f"{'wrong' if self.error else 'ok   '}  {self.name}: {self.text}"


@dataclass
class _Looking:
    """The items so far."""

    say: Say
    items: list[Item] = field(default_factory=list)

    def at(self, name: str, look: Callable[[], tuple[Found, str]]) -> Found | None:
        """Look at one thing; None where it is wrong.

        look : returns what was found, and words for it
        """
        self.say(name)
        try:
            found, text = look()
        except LandstepError as error:
            self.items.append(Item(name, str(error), error))
            return None
        except OSError as error:
            known = InputError(f"{error.filename or name}: {error.strerror or error}")
            self.items.append(Item(name, str(known), known))
            return None
        self.items.append(Item(name, text))
        return found


def check_experiment(
    path: Path, first: int, last: int, output: Path, say: Say = lambda text: None
) -> list[Item]:
    """Look at an experiment's files, model and room for a run from `first` to `last`.

    first, last : as in `driver.run_years`: backward in time where `last` is earlier
    output : folder that the run would write into
    say : told what is looked at
    returns : an item for each thing, in the order in which a run would need it
    """
    look = _Looking(say)
    experiment = look.at("experiment", lambda: _named(load_experiment(path)))
    if experiment is None:
        return look.items
    _checksums(look, experiment)
    session = look.at("model", lambda: _model(experiment))
    land_use = look.at("land use", lambda: _land_use(experiment))
    forcing = look.at("forcing", lambda: _forcing(experiment))
    sources = {
        name: experiment.static_source(getattr(experiment.statics, name))
        for name in type(experiment.statics).model_fields
    }
    card = None if session is None else session.card
    years = range(min(first, last), max(first, last) + 1)
    if forcing is not None:
        _forcing_values(look, forcing, years)
        years = range(max(years[0], forcing.years[0]), min(years[-1], forcing.years[1]) + 1)
    if land_use is not None:
        statics_fit = [
            _look_at_static(look, name, sources, land_use, years, card, experiment)
            for name in sources
        ]
        if forcing is not None and all(statics_fit):
            inputs = look.at("together", lambda: _together(experiment, land_use, forcing, sources))
            if inputs is not None and session is not None:
                files, found = inputs
                _run(look, experiment, files, found, session, first, last, output)
                return look.items
        _maps(look, land_use, [first])
    return look.items


def _named(experiment: Experiment) -> tuple[Experiment, str]:
    return experiment, experiment.name


def _checksums(look: _Looking, experiment: Experiment) -> None:
    """Hold each file of [checksums] against its sum, and name those that nothing confirms."""
    for name, stated in experiment.checksums.items():
        only = experiment.model_copy(update={"checksums": {name: stated}})

        def verify(only: Experiment = only) -> tuple[bool, str]:
            only.verify_checksums()
            return True, "sha256 holds"

        look.at(f"checksum of {name}", verify)
    try:
        text = unverified(experiment) or "all files are verified"
    except LandstepError:
        return  # what reads the file says what is wrong with it
    look.items.append(Item("checksums", text))


def _model(experiment: Experiment) -> tuple[Session, str]:
    run = experiment.run
    session = Session.open(
        experiment.model_path(), run.provider, run.threads, precision=run.precision
    )
    check_lag(session.card, 1)
    return session, f"{session.card.name}, {session.card.scheme}, on {run.provider} {run.precision}"


def _land_use(experiment: Experiment) -> tuple[LandUse, str]:
    table = experiment.land_use
    found = LandUse.open(
        experiment.path(table.file),
        scheme=scheme(table.scheme),
        variant=table.variant,
        variable=table.variable,
    )
    ny, nx = found.grid.shape
    return found, f"maps of {found.years[0]} to {found.years[-1]}, {ny} x {nx} cells"


def _forcing(experiment: Experiment) -> tuple[Forcing, str]:
    table = experiment.forcing
    found = Forcing.open(
        [experiment.path(file) for file in table.files],
        format=table.format,
        scenario=table.scenario,
    )
    return found, f"{found.years[0]} to {found.years[1]}, {len(found.states)} states"


def _forcing_values(look: _Looking, forcing: Forcing, years: range) -> None:
    """Read the fractions of each year that there is."""
    first, last = forcing.years
    there = range(max(years[0], first), min(years[-1], last) + 1)
    problems: list[LandstepError] = []
    for year in there:
        look.say(f"forcing, {year}")
        try:
            forcing.year(year)
        except LandstepError as error:
            problems.append(error)
    name = "forcing values"
    for problem in problems[:MOST_YEARS]:
        look.items.append(Item(name, str(problem), problem))
    if len(problems) > MOST_YEARS:
        more = InputError(f"{len(problems) - MOST_YEARS} more years are wrong in such a way")
        look.items.append(Item(name, str(more), more))
    if there and not problems:
        clipped = sum(forcing.clipped.values())
        rounding = f"; {clipped} beyond them by rounding only" if clipped else ""
        text = f"fractions of {there[0]} to {there[-1]} within 0 to 1, sums at most 1{rounding}"
        look.items.append(Item(name, text))


def _look_at_static(look: _Looking, name: str, *rest: Any) -> bool:
    return look.at(name, lambda: _static(name, *rest)) is True


def _static(
    name: str,
    sources: dict[str, Source],
    land_use: LandUse,
    years: range,
    card: Card | None,
    experiment: Experiment,
) -> tuple[bool, str]:
    """Look at one static map, in all periods that a run goes through."""
    statics = Statics.open({name: sources[name]}, land_use.grid)
    if name in statics.continuous:
        field_ = statics.continuous[name]
        return True, f"{float(field_.min()):g} to {float(field_.max()):g}"
    largest = {c.name: c.size - 1 for c in card.categories} if card is not None else {}
    seen: np.ndarray | None = None
    periods = 0
    for year in years or range(land_use.years[0], land_use.years[0] + 1):
        codes = statics.categories(year)[name]
        if codes is seen:
            continue
        seen, periods = codes, periods + 1
        found = max(int(codes[piece].max()) for piece in row_pieces(len(codes)))
        if found > largest.get(name, found):
            raise ConfigError(
                f"{sources[name][0].name}: code {found} in {year}, the model knows 0 to "
                f"{largest[name]}; {TRAIN_YOUR_OWN}"
            )
        if name == "climate_zone" and experiment.climate.legend is not None:
            legend(experiment.climate.legend).check(codes, sources[name][0].name)
    return True, f"codes of {periods} period{'s' * (periods != 1)}"


def _together(
    experiment: Experiment, land_use: LandUse, forcing: Forcing, sources: dict[str, Source]
) -> tuple[tuple[Files, Inputs], str]:
    row, col = coarse_index(land_use.grid, forcing.coarse, str(experiment.forcing.files[0]))
    files = Files(land_use, forcing, sources, row, col)
    inputs = files.inputs(files.division(0).whole())
    return (files, inputs), "one grid, one scenario, the same day of the year"


def _maps(look: _Looking, land_use: LandUse, years: list[int]) -> None:
    """Read the maps of some years."""
    for year in years:

        def read(year: int = year) -> tuple[bool, str]:
            land_use.map(year)
            return True, "all codes are classes"

        look.at(f"map of {year}", read)


def _run(
    look: _Looking,
    experiment: Experiment,
    files: Files,
    inputs: Inputs,
    session: Session,
    first: int,
    last: int,
    output: Path,
) -> None:
    """Look at what only the whole can tell: fit, years, maps, room."""
    card = session.card

    def fit() -> tuple[Emulator, str]:
        check_fit(card, inputs, experiment)
        climate = HostZones.open(experiment, inputs)
        assembly = Assembly.of(files.land_use, files.division(card.halo + card.stride), ALONE)
        emulator = Emulator(experiment, files, inputs, session, assembly, climate)
        return emulator, "classes, states, statics and day are the model's"

    emulator = look.at("fit", fit)
    if emulator is None:
        _maps(look, files.land_use, [first])
        return
    legs = legs_of(emulator, first, last)

    def way() -> tuple[bool, str]:
        for leg in legs:
            direction_of(card, leg.direction or "forward")
        require_forcing(emulator, legs)
        return True, f"{first} to {last}: the model steps so, forcing has all of them"

    look.at("years", way)
    copied = [y for y in copied_years(emulator) if min(first, last) <= y <= max(first, last)]
    there = files.land_use.years
    before = [
        leg.first - leg.step * number for leg in legs for number in range(1, card.history + 1)
    ]
    wanted = {leg.first for leg in legs} | set(copied) | {y for y in before if y in there}
    _maps(look, files.land_use, sorted(wanted))
    steps = sum(abs(leg.last - leg.first) + 1 for leg in legs)
    _room(look, "memory, estimated", memory_need(experiment, card, inputs))
    _room(look, "disk, estimated", disk_need(experiment, card, inputs, steps, output))

    def folder() -> tuple[bool, str]:
        check_output_folder(output)
        goes_on = holds(output, identity(emulator, f"map of {first}"), settings_of(experiment))
        words = "holds this run, which would go on" if goes_on else "holds no run"
        return True, f"{output} {words}"

    look.at("output folder", folder)


def _room(look: _Looking, name: str, need: Need) -> None:
    """Hold an estimate against what is free."""
    error = None if need.fits else InputError(f"{need.text}; {need.advice}")
    look.items.append(Item(name, str(error) if error else need.text, error))


def first_error(items: list[Item]) -> LandstepError | None:
    """Return the first problem, whose status a check ends with."""
    problems: Iterator[LandstepError] = (item.error for item in items if item.error is not None)
    return next(problems, None)
