"""A region in memory, as the evaluation reads it: maps, forcing, statics, coarse cells."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from landstep.emulator.classes import MASKED, OUTSIDE, Scheme
from landstep.emulator.errors import ConfigError, InputError
from landstep.emulator.experiment import load_experiment
from landstep.emulator.inputs import Inputs, open_inputs
from landstep.emulator.netcdf import NetcdfFile
from landstep.emulator.quotas import RECENT, asked_area, coarse_area

HISTORY = RECENT
"""Years before the prior map that a change may return to."""


@dataclass(frozen=True, eq=False)
class Case:
    """Yearly maps of one region with what belongs to them.

    maps : year -> (y, x) uint8 class numbers, MASKED where unknown
    forcing : year -> (F, cy, cx) float32, fractions of each coarse cell; NaN where missing
    states : names of the F forcing states
    row, col : (y,), (x,) int64, the coarse row of each fine row and column of each fine column
    area : (y, x) or (y, 1) int64, cell areas in grid.AREA_UNIT_M2
    continuous, categories : name -> (y, x) float32 or uint8, static fields
    geographic : cells lie on latitudes and longitudes, so scores of area are weighted by it
    known_quantities : the forcing was counted on these very maps; scores are an upper bound
    source : what the file of the maps says of its source; "" where it does not
    withheld : years before the prior map (1 is the one before it) that no method may see
    """

    name: str
    scheme: Scheme
    maps: Mapping[int, np.ndarray]
    forcing: Mapping[int, np.ndarray]
    states: tuple[str, ...]
    row: np.ndarray
    col: np.ndarray
    area: np.ndarray
    continuous: Mapping[str, np.ndarray] = field(default_factory=dict)
    categories: Mapping[str, np.ndarray] = field(default_factory=dict)
    geographic: bool = False
    known_quantities: bool = False
    source: str = ""
    withheld: frozenset[int] = frozenset()

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the maps."""
        return self.row.size, self.col.size

    @cached_property
    def coarse(self) -> tuple[int, int]:
        """Rows and columns of the coarse cells."""
        return int(self.row.max()) + 1, int(self.col.max()) + 1

    @cached_property
    def land(self) -> np.ndarray:
        """Cells of any class but OUTSIDE in the first map: (y, x) bool."""
        return self.maps[min(self.maps)] != OUTSIDE

    @cached_property
    def block(self) -> np.ndarray:
        """Number of the coarse cell of each cell: (y, x) int64, row by row."""
        return self.row[:, None] * self.coarse[1] + self.col[None, :]

    @property
    def n_blocks(self) -> int:
        """How many coarse cells there are."""
        return self.coarse[0] * self.coarse[1]

    @cached_property
    def coarse_area(self) -> np.ndarray:
        """Area of the cells of each coarse cell: (cy, cx) int64 in grid.AREA_UNIT_M2."""
        return coarse_area(self.area, self.row, self.col, self.coarse)

    @cached_property
    def group_matrix(self) -> np.ndarray:
        """Which states make up each group that quotas bind: (G, F) float64."""
        return self.scheme.group_matrix(self.states)

    @property
    def weights(self) -> np.ndarray | None:
        """Cell areas that scores are weighted by, or None where cells count alike."""
        return self.area if self.geographic else None

    def map(self, year: int) -> np.ndarray:
        """Land use of a year: (y, x) uint8; ConfigError for a year without a map."""
        if year not in self.maps:
            raise ConfigError(f"{self.name}: no map of {year}; it has {_span(self.maps)}")
        return self.maps[year]

    def group_shares(self, year: int) -> np.ndarray:
        """Share of each coarse cell that the forcing gives each group: (G, cy, cx) float64.

        NaN where the forcing is missing. Raises ConfigError for a year outside the forcing.
        """
        if year not in self.forcing:
            raise ConfigError(f"{self.name}: no forcing of {year}; it has {_span(self.forcing)}")
        return np.einsum("gf,fyx->gyx", self.group_matrix, self.forcing[year].astype(np.float64))

    def quota(self, before: int, after: int) -> np.ndarray:
        """Area by which each group is to change: (G, cy, cx) int64 in grid.AREA_UNIT_M2."""
        self.group_shares(before), self.group_shares(after)
        return asked_area(
            self.forcing[before], self.forcing[after], self.group_matrix, self.coarse_area
        )

    def history(self, year: int, direction: int, depth: int = HISTORY) -> np.ndarray:
        """Maps of the years before `year`, in stepping order, as a method may see them.

        direction : 1 forward in time, -1 backward (the years "before" are then the later ones)
        returns : (depth, y, x) uint8; the nearest year first; MASKED where there is no map, or
            it is withheld
        """
        seen = self.past(year, direction, depth)
        for step in self.withheld:
            if step <= depth:
                seen[step - 1] = MASKED
        return seen

    def past(self, year: int, direction: int, depth: int = HISTORY) -> np.ndarray:
        """Maps of the years before `year`, as `history`, but with nothing withheld."""
        unknown = np.full(self.shape, MASKED, np.uint8)
        years = [year - direction * step for step in range(1, depth + 1)]
        return np.stack([self.maps.get(y, unknown) for y in years])

    def withhold(self, *steps: int) -> Case:
        """Hide the maps of so many years before the prior from every method.

        Raises ConfigError for a step below 1.
        """
        if min(steps, default=1) < 1:
            raise ConfigError(f"withheld years {steps}: expected 1 (the year before the prior) up")
        return replace(self, withheld=frozenset(steps))

    def counted(self, before: int, after: int, cells: np.ndarray | None = None) -> np.ndarray:
        """Cells that a score counts: land whose class is known in both years, and in `cells`.

        Raises InputError where there are none.
        """
        prior, truth = self.map(before), self.map(after)
        mask = (prior != OUTSIDE) & (prior != MASKED) & (truth != MASKED)
        if cells is not None:
            if cells.shape != mask.shape or cells.dtype != bool:
                raise InputError(
                    f"cells to count are {cells.dtype} {cells.shape}, expected bool {mask.shape}"
                )
            mask &= cells
        if not mask.any():
            raise InputError(
                f"{self.name}, {before}:{after}: no cell of land is known in both years among "
                "those to count"
            )
        return mask


def _span(years: Mapping[int, np.ndarray]) -> str:
    return f"{min(years)} to {max(years)}" if years else "none"


def direction_of(before: int, after: int) -> int:
    """Which way in time a pair goes: 1 or -1; ConfigError where the years are the same."""
    if before == after:
        raise ConfigError(f"pair {before}:{after}: expected two different years")
    return 1 if after > before else -1


def open_case(path: Path | str, years: Iterable[int] | None = None) -> Case:
    """Read an experiment's maps, forcing and statics into memory.

    years : calendar years to read; None reads every year that has a map
    Raises ConfigError or InputError, naming the file, where something is missing or wrong.
    """
    experiment = load_experiment(path)
    return case_of(open_inputs(experiment), experiment.name, years)


def case_of(
    inputs: Inputs, name: str, years: Iterable[int] | None = None, forced: Iterable[int] = ()
) -> Case:
    """Take a case out of inputs already opened; parameters and errors as in `open_case`.

    forced : years whose forcing is read too, with a map or without; those of a free run
    Raises InputError for one of them that is outside the forcing.
    """
    wanted = sorted(inputs.land_use.years if years is None else set(years))
    rows, row = np.unique(inputs.row, return_inverse=True)
    cols, col = np.unique(inputs.col, return_inverse=True)
    first, last = inputs.forcing.years
    forcing_years = sorted({y for y in wanted if first <= y <= last} | set(forced))
    continuous = {n: inputs.continuous([n])[0] for n in inputs.statics.continuous}
    codes = inputs.statics.categories(wanted[0])
    return Case(
        name=name,
        scheme=inputs.scheme,
        maps={year: inputs.land_use.map(year) for year in wanted},
        forcing={y: inputs.forcing.year(y)[:, rows][:, :, cols] for y in forcing_years},
        states=tuple(inputs.forcing.states),
        row=row.astype(np.int64),
        col=col.astype(np.int64),
        area=inputs.grid.cell_area(),
        continuous=continuous,
        categories={n: inputs.categories([n], wanted[0])[0] for n in codes},
        geographic=inputs.grid.kind == "regular",
        known_quantities=inputs.forcing.quantities == "known",
        source=_source(inputs.land_use.path),
    )


def _source(path: Path) -> str:
    with NetcdfFile(path) as file:
        return str(file.attrs().get("source", ""))
