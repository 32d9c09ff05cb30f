"""The inputs of an experiment, opened together and held against each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from landstep.emulator.classes import MASKED, OUTSIDE, Scheme, scheme
from landstep.emulator.errors import ConfigError, InputError
from landstep.emulator.experiment import Experiment
from landstep.emulator.features import known
from landstep.emulator.first_look import look, look_on_first, looking
from landstep.emulator.forcing import Forcing
from landstep.emulator.grid import Grid, coarse_index
from landstep.emulator.land_use import LandUse
from landstep.emulator.ranks import ALONE, Ranks
from landstep.emulator.shares import Division, Share
from landstep.emulator.statics import Source, Statics


@dataclass(frozen=True)
class Inputs:
    """Everything that an experiment reads, on one grid.

    grid : of the land-use maps
    row, col : the coarse row of each fine row, the coarse column of each fine column, as far as
        this rank holds them; counted from the first that it reads of the forcing
    share : what this rank holds of the grid, and what it answers for
    """

    grid: Grid
    scheme: Scheme
    land_use: LandUse
    forcing: Forcing
    statics: Statics
    row: np.ndarray
    col: np.ndarray
    share: Share

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns that this rank holds."""
        return self.share.held.shape

    @property
    def sea(self) -> np.ndarray:
        """Where the static maps have no land: (y, x) bool."""
        return self.statics.categories(self.land_use.years[0])["soil_texture"] == 0

    def forcing_pair(self, year: int, prior_year: int) -> tuple[np.ndarray, np.ndarray]:
        """Forcing of a year and its change since the prior map's: two (F, cy, cx) float32, 0 where
        either is missing.

        Raises InputError for a year outside the forcing.
        """
        now, before = self.forcing.year(year), self.forcing.year(prior_year)
        return known(now), known(now - before)

    def continuous(self, names: list[str]) -> tuple[np.ndarray, ...]:
        """Give continuous statics by name: each (y, x) float32, 0 where missing."""
        return tuple(self._static(self.statics.continuous, name) for name in names)

    def categories(self, names: list[str], year: int) -> tuple[np.ndarray, ...]:
        """Give the categorical statics of a year by name: each (y, x) uint8, 0 at sea."""
        of_year = self.statics.categories(year)
        return tuple(self._static(of_year, name) for name in names)

    @staticmethod
    def _static(fields: dict[str, np.ndarray], name: str) -> np.ndarray:
        if name not in fields:
            raise ConfigError(f"static {name!r} is not one of {sorted(fields)}")
        return fields[name]

    def history(self, year: int, direction: int, depth: int) -> tuple[np.ndarray, ...]:
        """Give the maps of the years before one in stepping order, as far as there are any.

        year : of the prior map; direction : 1 or -1; depth : H, how many
        returns : H maps (y, x) uint8, [0] next to the year; MASKED where there is no map
        """
        years = [year - direction * (number + 1) for number in range(depth)]
        return tuple(
            self.land_use.map(before) if before in self.land_use.years else self.unknown_map()
            for before in years
        )

    def unknown_map(self) -> np.ndarray:
        """A map of which nothing is known, not even the coast; it takes no memory."""
        return np.broadcast_to(np.uint8(MASKED), self.shape)

    def cold_map(self) -> np.ndarray:
        """A map of which only the coast is known: OUTSIDE at sea, MASKED on land."""
        return np.where(self.sea, OUTSIDE, MASKED).astype(np.uint8)


@dataclass(frozen=True)
class Files:
    """An experiment's files, opened and checked, and none of their maps read.

    row, col : the forcing's row of each row of the map, its column of each column
    """

    land_use: LandUse
    forcing: Forcing
    statics: dict[str, Source]
    row: np.ndarray
    col: np.ndarray

    def division(self, reach: int) -> Division:
        """Say what there is to divide among ranks whose windows see `reach` cells around."""
        grid, coarse = self.land_use.grid, self.forcing.coarse
        return Division(grid, self.row, self.col, coarse.shape, reach)

    def inputs(self, share: Share) -> Inputs:
        """Open what a rank reads of them.

        Raises InputError or ConfigError, naming the file, where one does not fit the rest.
        """
        land_use, forcing, row, col = self.land_use, self.forcing, self.row, self.col
        statics = Statics.open(self.statics, land_use.grid, share.held)
        _same_scenario(statics, forcing)
        _same_phase(land_use, forcing)
        if not share.held.is_whole:
            land_use = land_use.cut(share.held)
        if not share.forcing.is_whole:
            forcing = forcing.cut(share.forcing)
            row = row[share.held.rows] - share.forcing.top
            steps = np.diff(col[share.held.columns]) != 0
            col = np.concatenate([[0], np.cumsum(steps)])
        grid, of = land_use.grid, land_use.scheme
        return Inputs(grid, of, land_use, forcing, statics, row, col, share)


def open_files(experiment: Experiment) -> Files:
    """Open an experiment's files, which `check_files` has looked at.

    Raises InputError or ConfigError, naming the file, where one is wrong.
    """
    table = experiment.land_use
    land_use = LandUse.open(
        experiment.path(table.file),
        scheme=scheme(table.scheme),
        variant=table.variant,
        variable=table.variable,
    )
    forcing = Forcing.open(
        [experiment.path(file) for file in experiment.forcing.files],
        format=experiment.forcing.format,
        scenario=experiment.forcing.scenario,
    )
    sources = {
        name: experiment.static_source(getattr(experiment.statics, name))
        for name in type(experiment.statics).model_fields
    }
    row, col = coarse_index(land_use.grid, forcing.coarse, str(experiment.forcing.files[0]))
    return Files(land_use, forcing, sources, row, col)


def check_files(experiment: Experiment, ranks: Ranks = ALONE) -> None:
    """Look at an experiment's files on the first rank, before any rank opens one.

    Raises InputError, naming the file, where one is missing, damaged, spins or crashes the NetCDF
    library, or differs from its sha256 in [checksums].
    """
    with looking():
        look_on_first(ranks, experiment.opened_files())
    with ranks.together():
        if ranks.is_first:
            experiment.verify_checksums()


def unverified(experiment: Experiment) -> str:
    """Return in words which of an experiment's files no checksum confirms; "" where there is none.

    `check_files` has looked at them. The other ones end in landstep's checksum, or stand in
    [checksums].
    """
    named = {experiment.path(name).resolve() for name in experiment.checksums}
    names = [
        path.name
        for path in experiment.opened_files()
        if path.resolve() not in named and look(path).sha256 is None
    ]
    return f"unverified, no checksum: {', '.join(names)}" if names else ""


def open_inputs(experiment: Experiment) -> Inputs:
    """Open an experiment's files, and check that they belong together.

    Raises InputError or ConfigError, naming the file, where one is wrong or does not fit the rest.
    """
    check_files(experiment)
    files = open_files(experiment)
    return files.inputs(files.division(0).whole())


def _same_scenario(statics: Statics, forcing: Forcing) -> None:
    if statics.scenario and forcing.scenario and statics.scenario != forcing.scenario:
        raise InputError(
            f"climate zones of scenario {statics.scenario!r}, forcing of {forcing.scenario!r}; "
            "expected one scenario: take the zones that belong to the forcing"
        )


def _same_phase(land_use: LandUse, forcing: Forcing) -> None:
    if land_use.phase != forcing.phase:
        raise InputError(
            f"maps are valid on {land_use.phase} of their year, forcing on {forcing.phase}; "
            "expected the same day"
        )
