"""From the land's maps to a host's points: areas by class and climate zone, and gross change."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from landstep.coupling.areas import Areas
from landstep.coupling.gross import GrossChange
from landstep.coupling.host_points import HostPoints
from landstep.coupling.points import Points
from landstep.emulator.classes import MASKED
from landstep.emulator.climate import Climate
from landstep.emulator.emulator import Emulator
from landstep.emulator.errors import ConfigError
from landstep.emulator.experiment import Experiment
from landstep.emulator.host_zones import HostZones, zones_of
from landstep.emulator.inputs import Files, Inputs
from landstep.emulator.legends import UNKNOWN_GROUP, ZONE_GROUPS, Legend, legend
from landstep.emulator.mapped import put, row_pieces, zeros
from landstep.emulator.ranks import Ranks
from landstep.emulator.state import State


@dataclass(frozen=True, eq=False)
class LandSurface:
    """The land of an experiment as a host's points see it.

    inputs : of this rank; points : the host's, of this rank
    legend : what the codes of the climate zones mean; None: all land is of an unknown zone
    zones : what moves them with the host's climate; None where nothing does
    """

    inputs: Inputs
    points: HostPoints
    legend: Legend | None
    zones: HostZones | None = None

    @classmethod
    def of(cls, emulator: Emulator, points: Points) -> LandSurface:
        """Put an opened emulator's land on a host's points. All its ranks call it.

        Raises CouplingError on all ranks where one's points cannot be, ConfigError for a legend
        that is none.
        """
        of, files, ranks = emulator.experiment, emulator.files, emulator.assembly.ranks
        return cls.under(of, files, emulator.inputs, points, ranks, emulator.climate)

    @classmethod
    def under(
        cls,
        experiment: Experiment,
        files: Files,
        inputs: Inputs,
        points: Points,
        ranks: Ranks,
        zones: HostZones | None = None,
    ) -> LandSurface:
        """Put the land of an experiment under a host's points, without a model; see `of`."""
        named, weights = experiment.climate.legend, experiment.coupling.weights
        with ranks.together():
            known = None if named is None else legend(named)
        path = None if weights is None else experiment.path(weights)
        geometry = experiment.coupling.geometry
        placed = HostPoints.make(points, files.land_use.grid, inputs.share, ranks, path, geometry)
        return cls(inputs, placed, known, zones)

    def areas(self, state: State) -> Areas:
        """Area of each class in each zone of a state's year. All ranks call it."""
        return self.areas_of(state.land_use, state.year, state.climate)

    def areas_of(self, land_use: np.ndarray, year: int, climate: Climate | None = None) -> Areas:
        """Area of each class in each climate zone in each of this rank's host cells.

        land_use : (y, x) uint8 class numbers of what this rank holds; year : of its zones
        climate : the host's own, which moves the zones; None: the zones as they were observed
        Raises InputError on all ranks for a zone code that the legend lacks.
        """
        numbers, n_classes = self._own(land_use), self.inputs.scheme.n_classes
        groups: tuple[str, ...] = (ZONE_GROUPS[UNKNOWN_GROUP],)
        if self.legend is not None:
            groups = ZONE_GROUPS
            with self.points.ranks.together():
                numbers = self._with_zones(self.legend, numbers, year, climate)
        found = self.points.class_areas(numbers, len(groups) * n_classes)
        return Areas.unpack(found, groups, n_classes, self.points.coverage(found.sum(axis=1)))

    def of_map(self, emulator: Emulator, year: int) -> Areas:
        """Areas by the experiment's own map of a year. All ranks call it.

        Raises ConfigError where there is none.
        """
        years = emulator.inputs.land_use.years
        with emulator.assembly.ranks.together():
            if year not in years:
                raise ConfigError(
                    f"[coupling] reference = {year}: the experiment has no map of that year (it "
                    f"has {years[0]} to {years[-1]}), nor does the run start from it"
                )
            land_use = emulator.inputs.land_use.map(year)
        return self.areas_of(land_use, year)

    def mostly(self, cells: np.ndarray, land_use: np.ndarray) -> np.ndarray:
        """Points at least half of whose known land lies in some cells. All ranks call it.

        cells : (y, x) bool, land_use : (y, x) uint8, of what this rank holds
        returns : (n,) bool; False for a point without known land
        """
        land = land_use < self.inputs.scheme.n_classes
        land &= ~np.isin(land_use, self.inputs.scheme.fixed_numbers)
        numbers = np.where(land, cells, MASKED).astype(np.uint8)
        other, within, _ = self.points.class_areas(self._own(numbers), 2).T
        return (within > 0) & (within >= other)

    def change(self, before: np.ndarray, after: np.ndarray, areas: Areas) -> GrossChange:
        """Gross change from one map to another. All ranks call it.

        before, after : (y, x) uint8 class numbers of what this rank holds; areas : of the second
        """
        known = areas.values.sum(axis=1)
        if before is after:
            return GrossChange.nothing(*known.shape)
        return GrossChange.between(self._own(before), self._own(after), self.points, known)

    def _with_zones(
        self, legend: Legend, land_use: np.ndarray, year: int, climate: Climate | None
    ) -> np.ndarray:
        """Give zone group x classes + class of what this rank owns: (y, x) uint8."""
        n_classes = np.uint8(self.inputs.scheme.n_classes)
        (observed,) = self.inputs.categories(["climate_zone"], year)
        zone = self._own(zones_of(self.zones, climate, observed))
        numbers = zeros(land_use.shape, np.uint8)
        for piece in row_pieces(len(numbers)):
            both = legend.groups(zone[piece]) * n_classes + land_use[piece]
            put(numbers, piece.start, 0, np.where(land_use[piece] == MASKED, MASKED, both))
        return numbers

    def _own(self, field: np.ndarray) -> np.ndarray:
        """Cut what this rank owns out of what it holds."""
        top, bottom, left, right = self.inputs.share.own_box
        return field[top:bottom, left:right]
