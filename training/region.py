"""One experiment's maps, forcing and statics in memory, as training and scoring read them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from landstep.emulator.card import Category
from landstep.emulator.classes import MASKED, OUTSIDE, Scheme
from landstep.emulator.errors import ConfigError
from landstep.emulator.experiment import Experiment, load_experiment
from landstep.emulator.features import Fields, class_shares
from landstep.emulator.inputs import Inputs, open_inputs

Pair = tuple[int, int]
"""Years of a prior map and of its target."""

ZONE_YEARS = 10
"""Categorical statics are read this many years apart to find how many codes they have."""


@dataclass(frozen=True, eq=False)
class Region:
    """What is learned from one experiment. Memory: one byte a cell, a year.

    maps : year -> (y, x) uint8 class numbers, MASKED where unknown
    forcing : pair -> (forcing, change), each (F, cy, cx) float32, only the coarse cells in use
    continuous : (S, y, x) float32; categories : target year -> (C, y, x) uint8
    row, col : (y,), (x,) int64, into cy and cx
    wraps : the last column's eastern neighbour is the first
    files : name -> sha256 of each input file
    attainable : what a made-up world says of itself (its attainable.json); empty for real data
    known_quantities : the forcing was counted on these very maps; scores are an upper bound
    """

    name: str
    scheme: Scheme
    states: tuple[str, ...]
    phase: str
    maps: dict[int, np.ndarray]
    forcing: dict[Pair, tuple[np.ndarray, np.ndarray]]
    continuous: np.ndarray
    categories: dict[int, np.ndarray]
    category_sizes: tuple[int, ...]
    row: np.ndarray
    col: np.ndarray
    wraps: bool
    files: dict[str, str]
    attainable: dict[str, Any] = field(default_factory=dict)
    known_quantities: bool = False
    _shares: dict[int, np.ndarray] = field(default_factory=dict, init=False, repr=False)

    def best_attainable(self, before: int, after: int) -> dict[str, dict[str, float]]:
        """Score that the process behind the maps itself reaches, under that name; {} if unknown."""
        if self.attainable.get("start") != before:
            return {}
        scores = self.attainable["targets"].get(str(after), {})
        return {name: scores[name] for name in ("best_attainable",) if name in scores}

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the maps."""
        return self.row.size, self.col.size

    @property
    def coarse(self) -> tuple[int, int]:
        """Rows and columns of the coarse cells in use."""
        return int(self.row.max()) + 1, int(self.col.max()) + 1

    @cached_property
    def cells(self) -> np.ndarray:
        """Fine cells of each coarse cell: (cy, cx) int64."""
        return np.outer(np.bincount(self.row), np.bincount(self.col))

    def shares(self, year: int) -> np.ndarray:
        """Give the share of each class in the coarse cells of a map, counted once: (K, cy, cx)."""
        if year not in self._shares:
            self._shares[year] = class_shares(
                self.maps[year], self.row, self.col, self.coarse, self.scheme.n_classes
            )
        return self._shares[year]

    def coarse_unknown(self, land_use: np.ndarray) -> np.ndarray:
        """Tell which coarse cells hold MASKED cells of a map (y, x): (cy, cx) bool."""
        y, x = np.nonzero(land_use == MASKED)
        unknown = np.zeros(self.coarse, bool)
        unknown[self.row[y], self.col[x]] = True
        return unknown

    def wanted(self, pair: Pair, unknown: np.ndarray) -> np.ndarray:
        """Give the cells that each group is to have after a step, as the allocation has it.

        pair : years of prior and target
        unknown : (cy, cx) bool, coarse cells that hold MASKED cells: there the forcing's own shares
            count, where they are known; elsewhere what the prior has and the forcing's change
        returns : (G + 1, cy, cx) float32, at least 0; the last is the unbound rest
        """
        before, _ = pair
        now, change = self.forcing[pair]
        matrix = self.scheme.group_matrix(self.states).astype(np.float32)
        of_group = self.scheme.group_of == np.arange(len(matrix))[:, None]
        held = np.einsum("gk,kyx->gyx", of_group.astype(np.float32), self.shares(before))
        asked = held + np.einsum("gf,fyx->gyx", matrix, change)
        unknown = unknown & (now.sum(axis=0) > 0)
        asked = np.where(unknown, np.einsum("gf,fyx->gyx", matrix, now), asked).clip(min=0)
        rest = (1 - asked.sum(axis=0, keepdims=True)).clip(min=0)
        return (np.concatenate([asked, rest]) * self.cells).astype(np.float32)

    def history(
        self, year: int, direction: int, depth: int, within: tuple[int, int] | None = None
    ) -> np.ndarray:
        """Stack the maps before a year in stepping order.

        year : of the prior; direction : 1 or -1; depth : H, how many
        within : first and last year that may be looked at; None: all that are there
        returns : (H, y, x) uint8, [0] next to the year; MASKED where there is no map
        """
        unknown = np.full(self.shape, MASKED, np.uint8)
        known = self._known(year, direction, depth, within)
        return np.stack([unknown if y is None else self.maps[y] for y in known])

    def _known(
        self, year: int, direction: int, depth: int, within: tuple[int, int] | None
    ) -> list[int | None]:
        """List the years before one in stepping order, None for those that may not be seen."""
        first, last = within or (min(self.maps), max(self.maps))
        years = years_before(year, direction, depth)
        return [y if y in self.maps and first <= y <= last else None for y in years]

    def fields(
        self,
        pair: Pair,
        prior: np.ndarray,
        history: np.ndarray,
        shares: np.ndarray | None = None,
    ) -> Fields:
        """Gather all that the network is given for going from pair[0] to pair[1].

        prior : (y, x) uint8, valid in pair[0]; history : (H, y, x) uint8, the maps before it
        shares : of the prior, where they are known already
        """
        forcing, change = self.forcing[pair]
        if shares is None:
            shares = class_shares(prior, self.row, self.col, self.coarse, self.scheme.n_classes)
        return Fields(
            prior=prior,
            history=history,
            years=pair[1] - pair[0],
            continuous=self.continuous,
            categories=self.categories[pair[1]],
            forcing=forcing,
            forcing_change=change,
            prior_shares=shares,
            row=self.row,
            col=self.col,
        )

    def transitions(self, pairs: Iterable[Pair], left_out: np.ndarray | None = None) -> np.ndarray:
        """Count cells by class before and after, over pairs of years: (K, K) int64, [from, to].

        left_out : (y, x) bool, cells that do not count; None: all do
        """
        n_classes = self.scheme.n_classes
        counts = np.zeros((n_classes, n_classes), np.int64)
        for before, after in pairs:
            prior, target = self.maps[before], self.maps[after]
            known = (prior < n_classes) & (target < n_classes)
            if left_out is not None:
                known &= ~left_out
            both = prior[known].astype(np.int64) * n_classes + target[known]
            counts += np.bincount(both, minlength=n_classes**2).reshape(n_classes, n_classes)
        return counts

    def land(self) -> np.ndarray:
        """Cells that are land in the first map: (y, x) bool."""
        return self.maps[min(self.maps)] != OUTSIDE


def years_before(year: int, direction: int, depth: int) -> list[int]:
    """List the years before one in stepping order, the next one first; direction is 1 or -1."""
    return [year - direction * number for number in range(1, depth + 1)]


def load_region(
    path: Path,
    pairs: Sequence[Pair],
    continuous: Sequence[str],
    categories: Sequence[str],
    history: int,
) -> Region:
    """Read what some pairs of years need of an experiment.

    path : the experiment file
    history : how many maps before each prior are read too, as far as they are there
    Raises ConfigError or InputError, naming the file, where something is missing, or lacks a year.
    """
    experiment = load_experiment(path)
    inputs = open_inputs(experiment)
    first, last = available_years(inputs)
    for year in sorted({year for pair in pairs for year in pair}):
        if not first <= year <= last:
            raise ConfigError(
                f"{path}: year {year} was asked for; it has maps and forcing for {first} to {last}"
            )
    rows, row = np.unique(inputs.row, return_inverse=True)
    cols, col = np.unique(inputs.col, return_inverse=True)
    forcing = {}
    for before, after in pairs:
        now, change = inputs.forcing_pair(after, before)
        forcing[before, after] = (now[:, rows][:, :, cols], change[:, rows][:, :, cols])
    names = list(categories)
    return Region(
        name=experiment.name,
        scheme=inputs.scheme,
        states=tuple(inputs.forcing.states),
        phase=inputs.forcing.phase,
        maps={y: inputs.land_use.map(y) for y in _map_years(inputs, pairs, history)},
        forcing=forcing,
        continuous=_stacked(inputs.continuous(list(continuous)), inputs, np.float32),
        categories=_categories(inputs, names, sorted({after for _, after in pairs})),
        category_sizes=_category_sizes(inputs, names),
        row=row.astype(np.int64),
        col=col.astype(np.int64),
        wraps=inputs.grid.wraps,
        files=file_hashes(experiment),
        attainable=_attainable(path),
        known_quantities=inputs.forcing.quantities == "known",
    )


def _map_years(inputs: Inputs, pairs: Sequence[Pair], history: int) -> list[int]:
    """List the years whose maps are needed: those of the pairs, and those before each prior."""
    needed = {year for pair in pairs for year in pair}
    for before, after in pairs:
        earlier = years_before(before, 1 if after > before else -1, history)
        needed.update(set(earlier) & set(inputs.land_use.years))
    return sorted(needed)


def _attainable(path: Path) -> dict[str, Any]:
    """Read the scores that come with a made-up world, beside its experiment file."""
    beside = path.parent / "attainable.json"
    return dict(json.loads(beside.read_text("utf-8"))) if beside.is_file() else {}


def available_years(inputs: Inputs) -> tuple[int, int]:
    """First and last year for which an experiment has both a map and forcing."""
    maps, forcing = inputs.land_use.years, inputs.forcing.years
    return max(int(maps[0]), int(forcing[0])), min(int(maps[-1]), int(forcing[-1]))


def file_hashes(experiment: Experiment) -> dict[str, str]:
    """Give the sha256 of each input file of an experiment, by its name."""
    hashes = {}
    for path in experiment.input_files():
        with path.open("rb") as file:
            hashes[path.name] = hashlib.file_digest(file, "sha256").hexdigest()
    return hashes


def same_channels(
    regions: Sequence[Region], categories: Sequence[str], least: Mapping[str, int]
) -> list[Category]:
    """Check that regions can be learned from together; give the categorical statics' sizes.

    least : static -> how many codes it has at least
    Raises ConfigError where class scheme, forcing states or day of validity differ.
    """
    first = regions[0]
    for region in regions[1:]:
        for what, found, expected in (
            ("class scheme", region.scheme.name, first.scheme.name),
            ("forcing states", region.states, first.states),
            ("day of validity", region.phase, first.phase),
        ):
            if found != expected:
                raise ConfigError(
                    f"experiment {region.name!r} has {what} {found}, {first.name!r} has "
                    f"{expected}; one network needs the same"
                )
    found_sizes = np.max([region.category_sizes for region in regions], axis=0)
    return [
        Category(name=name, size=max(int(size), least.get(name, 1)))
        for name, size in zip(categories, found_sizes, strict=True)
    ]


def _stacked(maps: Sequence[np.ndarray], inputs: Inputs, dtype: Any) -> np.ndarray:
    """Stack maps of an experiment's grid, of which there may be none: (n, y, x)."""
    return np.asarray(maps, dtype).reshape(len(maps), *inputs.grid.shape)


def _categories(inputs: Inputs, names: list[str], years: Sequence[int]) -> dict[int, np.ndarray]:
    """Read the categorical statics of some years; years that are alike share one array."""
    fields: dict[int, np.ndarray] = {}
    for year in years:
        field = _stacked(inputs.categories(names, year), inputs, np.uint8)
        before = fields[max(fields)] if fields else None
        fields[year] = before if before is not None and np.array_equal(before, field) else field
    return fields


def _category_sizes(inputs: Inputs, names: list[str]) -> tuple[int, ...]:
    """Find how many codes each categorical static has, over all years of the forcing."""
    first, last = int(inputs.forcing.years[0]), int(inputs.forcing.years[-1])
    years = [*range(max(first, last - 300), last, ZONE_YEARS), last]
    largest = [[int(codes.max()) for codes in inputs.categories(names, year)] for year in years]
    return tuple(int(size) for size in np.max(largest, axis=0) + 1)
