"""A host's climate: what it puts, month by month, and then the year onto the coarse cells."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Literal

import numpy as np

from landstep.coupling.host_points import HostPoints
from landstep.emulator.climate import Climate
from landstep.emulator.coarse_places import from_nearest
from landstep.emulator.emulator import Emulator
from landstep.emulator.errors import ConfigError, StepError
from landstep.emulator.host_values import VARIABLES, ZONE_VARIABLES, check_month_means, checked
from landstep.emulator.inputs import Inputs
from landstep.emulator.monthly_means import MonthlyMeans
from landstep.emulator.stand_ins import Source, StandIn, stand_in_note
from landstep.emulator.state import State

_LOG = logging.getLogger(__name__)

MissingMonths = Literal["refused", "reference", "last_year"]
"""What [coupling] missing_months can be."""

_MEANS = "means_"


class HostClimate:
    """The climate of the year under way on a host's points."""

    def __init__(
        self,
        inputs: Inputs,
        points: HostPoints,
        means: MonthlyMeans,
        goes_on: bool = False,
        missing_months: MissingMonths = "refused",
    ) -> None:
        """Begin with what was put so far.

        goes_on : it is that of a restart
        missing_months : what stands in for a month that was not put
        """
        self._goes_on = goes_on
        self.means = means
        self._inputs = inputs
        self._points = points
        self._missing_months: MissingMonths = missing_months

    def put(self, name: str, values: np.ndarray, units: str, month: int) -> None:
        """Take values of each of this rank's points; see `Coupler.put`."""
        self.means.add(name, month, checked(name, values, units, self._points.mine.mask))

    def heard(self, emulator: Emulator, state: State) -> State:
        """Return the state with the year's climate in it, where there is one. All ranks call it.

        A month that was not put is what `missing_months` says, and noted in the state's climate.
        Raises StepError on all ranks where a month is missing on one and nothing stands in for it,
        InputError on all where the mean of a month on one is none that a month can have,
        ConfigError where ranks did not put the same as often, in the same order.
        """
        ranks, stands_in = self._points.ranks, self._missing_months
        with ranks.together():
            found = self.means.year_means(may_lack_months=stands_in != "refused")
            for name, means in (found or {}).items():
                check_month_means(name, means, self.means.year)
        ranks.same(self.put_so_far)
        if found is None:
            return state
        on_cells = on_coarse_cells(np.stack(list(found.values())), self._points, self._inputs)
        of_year = dict(zip(found, on_cells, strict=True))
        stand_ins: list[StandIn] = []
        if stands_in != "refused":
            with ranks.together():
                stand_ins = self._fill(of_year, state.climate, stands_in)
        return emulator.heard(self.means.year, of_year, state, stand_ins)

    def _fill(
        self, of_year: dict[str, np.ndarray], before: Climate | None, source: Source
    ) -> list[StandIn]:
        """Put into missing months what stands in for them; returns what was done.

        NaN is the reference: the window over thirty years takes it for what is not known.
        Raises StepError where the year before is to stand in, and there is none.
        """
        year, missing = self.means.year, self.means.missing()
        for name, months in missing.items() if source == "last_year" else ():
            if before is None or before.last != year - 1 or name not in before.variables:
                raise StepError(
                    f"{name} of {year}: {len(months)} months are missing, and [coupling] "
                    f"missing_months = 'last_year' finds none of {year - 1}; put them, or set "
                    "'reference'"
                )
            of_last = before.years[-1][before.variables.index(name)]
            of_year[name] = of_year[name].copy()
            for month in months:
                of_year[name][month - 1] = of_last[month - 1]
        done = [StandIn(year, m, name, source) for name, months in missing.items() for m in months]
        if done:
            _LOG.warning("%s", stand_in_note(done))
        return done

    @property
    def put_so_far(self) -> dict[str, str]:
        """What was put and how often in each month: all ranks must have done the same."""
        names = [list(VARIABLES)[number] for number in self.means.variables]
        counts = [" ".join(map(str, of_months)) for of_months in self.means.counts]
        return {"climate put": "; ".join(map("{}: {}".format, names, counts))}

    def begin(self, month: int) -> None:
        """Expect nothing before the month in which the host first gave a date."""
        if not self._goes_on:
            self.means.first_month = month

    def next_year(self) -> HostClimate:
        """Give the year after, of which nothing was put yet."""
        means = MonthlyMeans.restored(self.means.arrays())
        means.turn_year()
        return HostClimate(self._inputs, self._points, means, self._goes_on, self._missing_months)

    def kept(self) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Give what a restart must hold: arrays of this rank's points, and those of all."""
        arrays = {_MEANS + name: array for name, array in self.means.arrays().items()}
        sums = np.moveaxis(arrays.pop(_MEANS + "sums"), -1, 0)
        if not self.means.variables.size:
            return {}, {_MEANS + "when": arrays[_MEANS + "when"]}
        return {_MEANS + "sums": np.ascontiguousarray(sums)}, arrays

    def recalled(
        self, of_points: Mapping[str, np.ndarray], of_all: Mapping[str, np.ndarray]
    ) -> HostClimate:
        """Go on from what `kept` gave."""
        when, sums = of_all[_MEANS + "when"], of_points.get(_MEANS + "sums")
        means = MonthlyMeans(self._points.mine.n, int(when[0]), int(when[1]))
        if sums is not None:
            arrays = {n.removeprefix(_MEANS): a for n, a in of_all.items() if n.startswith(_MEANS)}
            means = MonthlyMeans.restored({**arrays, "sums": np.moveaxis(sums, 0, -1)})
        return HostClimate(self._inputs, self._points, means, True, self._missing_months)


def host_reference_note(emulator: Emulator) -> str:
    """Return at how many places the host's own climate is not known; "" where at none.

    All ranks call it. Raises ConfigError on all where it is known nowhere on the map's land.
    """
    zones, inputs = emulator.climate, emulator.inputs
    if zones is None or zones.host is None:
        return ""
    y0, y1, x0, x1 = inputs.share.coarse_box
    land = np.isfinite(zones.reference[ZONE_VARIABLES[0]][0])
    lacking = zones.without_host_reference()
    counts = np.array([int(of[y0:y1, x0:x1].sum()) for of in (lacking, land)])
    without, of_all = emulator.assembly.ranks.sum(counts).tolist()
    words = f"{without} of {of_all} coarse cells with land have no climate in {zones.host.file}"
    with emulator.assembly.ranks.together():
        if without == of_all:
            raise ConfigError(
                f"[climate] host_reference: {words}; take the file of a run of this host on this "
                "map"
            )
    return f"{words}: their zones do not answer to the host" if without else ""


def climate_note(state: State) -> str:
    """Return what a user should know of the climate that a host gave; "" where nothing."""
    return "" if state.climate is None else stand_in_note(state.climate.stand_ins)


def on_coarse_cells(means: np.ndarray, points: HostPoints, inputs: Inputs) -> np.ndarray:
    """Give the climate of the coarse cells that this rank holds. All ranks call it.

    means : (V, 12, n) float64 of this rank's points, in SI units
    returns : (V, 12, cy, cx) float32; NaN where no point of any rank is near. A coarse cell takes
        the nearest point whose mask is true, of equally near ones that with the lowest index, so
        that it is the same on any decomposition
    """
    mine = points.mine
    values_of_point = int(np.prod(means.shape[:-1]))
    of_all = points.gathered(np.moveaxis(means, -1, 0).reshape(mine.n, values_of_point))
    place = points.gathered(np.stack([mine.lat, mine.lon, mine.mask], axis=1))
    heard = np.flatnonzero(place[:, 2])
    values = of_all[heard].astype(np.float32)
    found = from_nearest(values, place[heard, 0], place[heard, 1], inputs)
    return found.reshape(*means.shape[:-1], *found.shape[1:])
