"""Climate zones that follow the host's own climate, from the observed ones on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from landstep.emulator.climate import Climate
from landstep.emulator.coarse_cells import CoarseCells
from landstep.emulator.errors import ConfigError
from landstep.emulator.experiment import Experiment
from landstep.emulator.host_reference import HostReference
from landstep.emulator.host_values import SECONDS_A_DAY, ZERO_DEGC_K, ZONE_VARIABLES
from landstep.emulator.inputs import Inputs
from landstep.emulator.koppen import koppen_geiger
from landstep.emulator.legends import Legend, legend
from landstep.emulator.mapped import put, row_pieces, zeros
from landstep.emulator.reference_climate import coarse_centres, read_reference

LAPSE_K_PER_M = 0.0065
"""How air cools with height. Source: ICAO standard atmosphere, Doc 7488, third edition (1993)."""

BAND_M = 100.0
"""Heights of a coarse cell are told apart in bands of this many metres, about 0.65 K. Ours."""

MONTH_DAYS = np.array([31, 28.2425, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
"""Days of each month in the Gregorian calendar, over its 400 years; they turn a mean flux of any
calendar into a month's rain in mm."""


@dataclass(frozen=True, eq=False)
class HostZones:
    """What is needed to move the climate zones of the cells that a rank holds.

    legend : of the codes
    reference : name -> (12, cy, cx) float64, SI: the climate of the observed zones; NaN where a
        coarse cell has no land
    coarse : which fine cells are in each coarse one
    col : (x,) int64, coarse column of each fine one, from 0
    elevation : (y, x) float32, m
    height : (cy, cx) float64, m: mean elevation of the land of each coarse cell, 0 without land
    host : the host's own climate, from which its changes are counted; None: from `reference`
    """

    legend: Legend
    reference: dict[str, np.ndarray]
    coarse: CoarseCells
    col: np.ndarray
    elevation: np.ndarray
    height: np.ndarray
    host: HostReference | None = None

    @classmethod
    def open(cls, experiment: Experiment, inputs: Inputs) -> HostZones | None:
        """Read what an experiment's [climate] names; None where it names no reference.

        Raises ConfigError for a legend that is none or not named beside a reference, InputError for
        a file that is not as it must be, or zones that the legend does not know.
        """
        table = experiment.climate
        of = None if table.legend is None else legend(table.legend)
        if table.reference is None:
            if table.host_reference is not None:
                raise ConfigError(
                    f"experiment {experiment.name!r}: [climate] host_reference without a reference;"
                    " name the climate of the observed zones, to which the host's change is added"
                )
            return None
        if of is None:
            raise ConfigError(
                f"experiment {experiment.name!r}: [climate] reference without a legend; say what "
                'the codes of climate_zone are, such as legend = "koppen_geiger"'
            )
        (observed,) = inputs.categories(["climate_zone"], inputs.land_use.years[0])
        for piece in row_pieces(len(observed)):
            of.check(observed[piece], experiment.statics.climate_zone, piece.start)
        row, col = inputs.row - inputs.row.min(), inputs.col - inputs.col.min()
        coarse = CoarseCells.of(row, col)
        (elevation,) = inputs.continuous(["elevation"])
        height, land = _heights(coarse, elevation, observed)
        lat, lon = coarse_centres(inputs.grid, inputs.share.held, row, col)
        reference = read_reference(experiment.path(table.reference), lat, lon, land)
        own = table.host_reference
        host = None if own is None else HostReference.read(experiment.path(own), inputs)
        return cls(of, reference, coarse, col, elevation, height, host)

    def window(self, name: str, climate: Climate) -> np.ndarray:
        """Return the climate of a variable that zones follow from: (12, cy, cx) float64, SI.

        It is the reference, and by how much the host's climate differs from its own: see
        `host_change`. Where the host says nothing, or its own climate is not known, it is the
        reference.
        """
        reference = self.reference[name]
        if self.host is None or name not in climate.variables:
            return climate.window(name, reference)
        return host_change(name, reference, self.host.of(name), climate)

    def without_host_reference(self) -> np.ndarray:
        """Say which coarse cells have a reference, and no climate of the host's: (cy, cx) bool."""
        lacking = np.zeros(self.height.shape, bool)
        for name, means in ({} if self.host is None else self.host.means).items():
            lacking |= np.isfinite(self.reference[name][0]) & ~np.isfinite(means[0])
        return lacking

    def moved(self, observed: np.ndarray, climate: Climate) -> np.ndarray:
        """Give the zones that a host's climate makes of the observed ones.

        A cell's code moves where the code of its climate in the window is another than that of the
        reference; then it is the code of the window. The climate of a cell is that of its coarse
        cell, its temperature brought from the land's mean height to the middle of its own band.

        observed : (y, x) uint8 codes, 0 at sea
        climate : the host's
        returns : (y, x) uint8, read-only; the observed ones themselves where no climate differs
        """
        window = {name: self.window(name, climate) for name in ZONE_VARIABLES}
        apart = np.zeros(self.height.shape, bool)
        for name in ZONE_VARIABLES:
            known = ~np.isnan(window[name])
            apart |= ((window[name] != self.reference[name]) & known).any(axis=0)
        if not apart.any():
            return observed
        found = zeros(observed.shape, np.uint8)
        for number, rows in _coarse_rows(self.coarse):
            zones = observed[rows]
            if apart[number].any():
                zones = self._row(number, zones, self.elevation[rows], window, apart[number])
            put(found, rows.start, 0, zones)
        found.setflags(write=False)
        return found

    def _row(
        self,
        number: int,
        observed: np.ndarray,
        elevation: np.ndarray,
        window: dict[str, np.ndarray],
        apart: np.ndarray,
    ) -> np.ndarray:
        """Move the zones of one coarse row: each band of each coarse cell is classed once."""
        above = elevation - self.height[number][self.col]
        band = np.rint(above / BAND_M).astype(np.int64)
        may = (observed != 0) & apart[self.col]
        if not may.any():
            return observed
        lowest = int(band[may].min())
        band -= lowest
        new = np.zeros((int(band[may].max()) + 1, apart.size), np.uint8)
        is_there = np.zeros(new.shape, bool)
        columns = np.broadcast_to(self.col, observed.shape)
        is_there[band[may], columns[may]] = True
        bands, cols = np.nonzero(is_there)
        cooler = LAPSE_K_PER_M * BAND_M * (bands + lowest)
        before, after = (
            self.legend.code_of_koppen[_classes(climate, number, cols, cooler)]
            for climate in (self.reference, window)
        )
        new[bands, cols] = np.where(before != after, after, 0)
        zones = observed.copy()
        zones[may] = new[band[may], columns[may]]
        return np.where(zones == 0, observed, zones)


def host_change(name: str, reference: np.ndarray, own: np.ndarray, climate: Climate) -> np.ndarray:
    """Add to the reference by how much a host's climate differs from the host's own.

    A change of temperature counts as it is. One of rain does where the host is drier than the
    reference; where it is wetter, in proportion to its own rain: half the host's rain is then half
    the reference's. So rain never falls below 0, and no desert is made of a wet host's small loss.

    reference, own : (12, cy, cx) float64, SI; climate : the host's, which has the variable
    returns : (12, cy, cx) float64, the reference itself, bit for bit, where nothing differs
    """
    change = climate.change(name, own)
    if name != "precipitation_flux":
        return reference + change
    wetter = own > reference
    share = np.divide(reference, own, out=np.ones_like(reference), where=wetter)
    return np.maximum(reference + change * share, 0.0)


def needed(zones: HostZones | None, name: str) -> HostZones:
    """Refuse a host's climate where zones have none to start from; ConfigError says what to add."""
    if zones is not None and zones.host is not None and name in ZONE_VARIABLES:
        zones.host.of(name)
    if zones is None:
        raise ConfigError(
            f"{name} moves climate zones, and the experiment names no climate that they belong to: "
            'add [climate] to the experiment file, with legend = "koppen_geiger" (or another), and '
            "reference = a file of monthly air_temperature and precipitation_flux of the years in "
            "which the zones were observed"
        )
    return zones


def zones_of(zones: HostZones | None, climate: Climate | None, observed: np.ndarray) -> np.ndarray:
    """Give the climate zones of a year: the observed ones, moved by what the host said so far.

    zones : of the experiment, None where it names no climate; observed : (y, x) uint8 codes
    Raises ConfigError where the host gave a climate, and the experiment names none to start from.
    """
    if climate is None or not set(climate.variables) & set(ZONE_VARIABLES):
        return observed
    return needed(zones, climate.variables[0]).moved(observed, climate)


def _classes(
    climate: dict[str, np.ndarray], row: int, cols: np.ndarray, cooler: np.ndarray
) -> np.ndarray:
    """Köppen classes of some bands of a coarse row: (n,) uint8."""
    temperature, rain = (climate[name][:, row, cols] for name in ZONE_VARIABLES)
    return koppen_geiger(
        temperature - ZERO_DEGC_K - cooler, rain * SECONDS_A_DAY * MONTH_DAYS[:, None]
    )


def _coarse_rows(coarse: CoarseCells) -> Iterator[tuple[int, slice]]:
    for number, (top, height) in enumerate(zip(coarse.top, coarse.height, strict=True)):
        yield number, slice(int(top), int(top + height))


def _heights(
    coarse: CoarseCells, elevation: np.ndarray, zones: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Mean elevation of the land of each coarse cell, and where there is any: two (cy, cx).

    Summed in whole millimetres, so that it is the same on any rank.
    """
    height, land = (np.zeros((coarse.top.size, coarse.left.size)) for _ in range(2))
    col = np.repeat(np.arange(coarse.width.size), coarse.width)
    for number, rows in _coarse_rows(coarse):
        is_land = zones[rows] != 0
        of_row = CoarseCells.of(np.zeros(len(is_land), np.int64), col)
        metres = np.where(is_land, elevation[rows], 0).astype(np.float64)
        height[number] = of_row.sum(np.rint(metres * 1000).astype(np.int64))[0]
        land[number] = of_row.sum(is_land.astype(np.int64))[0]
    return height / 1000 / np.maximum(land, 1), land > 0
