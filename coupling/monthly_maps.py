"""A host's own monthly maps (leaf area index, albedo), moved with the cover.

Until landstep has a leaf area index of its own, a host's maps say what a type looks like in each
zone and month: their means over the host's points. They are sums of whole numbers, so that ranks
can add them in any order and find the same bits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from landstep.coupling.anomaly import CLIPPED_OVER
from landstep.coupling.areas import Areas
from landstep.coupling.baseline import baseline_of, checked_baseline
from landstep.coupling.crosswalk import Crosswalk
from landstep.coupling.table_entries import FieldEntry
from landstep.emulator.errors import CouplingError
from landstep.emulator.grid import AREA_UNIT_M2
from landstep.emulator.legends import ZONE_GROUPS

WEIGHT_STEP_M2 = 1e6 / 2**24
"""Weights are whole numbers of this area (0.06 m2): the Earth is 8.6e15 of them, so sums of values
up to LARGEST_MONTHLY fit int64."""

MONTHS = 12


@dataclass(frozen=True)
class MonthlyMap:
    """A monthly field of a host, with its own map, cover and types, in the reference year.

    own : (n, 12) float64, the host's map
    numbers : (covers of the field,) int64, numbers of these covers in the table
    zone : (n,) int64, zone group of each point
    place : (n,) int64, which of the field's covers the host's type is, -1 where none; None for a
        field that mixes all covers
    cover : (n,) float64, the host's fraction that the type covers; 1 where it has none
    shares : (n, covers of the field) float64, landstep's shares of the denominator
    land : (n,) float64, area that the shares or the fraction are of, m2
    """

    crosswalk: Crosswalk
    entry: FieldEntry
    own: np.ndarray
    numbers: np.ndarray
    zone: np.ndarray
    place: np.ndarray | None
    cover: np.ndarray
    shares: np.ndarray
    land: np.ndarray

    @classmethod
    def make(
        cls,
        crosswalk: Crosswalk,
        name: str,
        baselines: Mapping[str, np.ndarray],
        reference: Areas,
    ) -> MonthlyMap:
        """Take a host's monthly map.

        baselines : the host's own fields: (n, 12) of this one, (n,) of the type and fraction that
            it goes with
        reference : areas of the year that the map belongs to
        Raises CouplingError for a field that is not monthly, or a baseline that cannot be.
        """
        entry = crosswalk.table.field_named(name)
        if entry is None or entry.schedule != "monthly":
            raise CouplingError(f"{name!r} is no monthly field of host {crosswalk.table.name!r}")
        mask = crosswalk.mask(reference)
        fields = {field.name: field for field in crosswalk.fields}

        def own(of: str) -> np.ndarray:
            return checked_baseline(fields[of], baseline_of(baselines, of), mask)

        numbers = np.array(crosswalk.table.field_numbers(entry), np.int64)
        shares, land = _shares(crosswalk, entry, numbers, reference)
        place = None
        if entry.rule == "monthly_type":
            types = own(entry.of_type) if entry.of_type else None
            place = _places(crosswalk, numbers, types, len(mask))
        return cls(
            crosswalk,
            entry,
            own(name),
            numbers,
            crosswalk.zones(reference),
            place,
            own(entry.of_cover) if entry.of_cover else np.ones(len(mask)),
            shares,
            land,
        )

    def sums(self) -> np.ndarray:
        """What the means are made of: (covers, zone groups, 13) int64; add those of all ranks.

        The first twelve are weight x value of each month, the last the weight: the area of the
        cover, of a type the area that the host's fraction gives it.
        """
        table = np.zeros((len(self.numbers), len(ZONE_GROUPS), MONTHS + 1), np.int64)
        bounded = np.clip(self.own, *self.entry.bounds)
        for number in range(len(self.numbers)):
            if self.place is None:
                weight = self.land * self.shares[:, number]
            else:
                scale = self._cover_scale()
                weight = self.land * (self.place == number) * np.clip(self.cover / scale, 0.0, 1.0)
            values = np.concatenate([bounded, np.ones((len(weight), 1))], axis=1)
            parts = np.rint(weight[:, None] / WEIGHT_STEP_M2 * values).astype(np.int64)
            np.add.at(table[number], self.zone, parts)
        return table

    def means_from(self, sums: np.ndarray) -> np.ndarray:
        """Mean of each cover in each zone group and month: (covers, zone groups, 12) float64.

        sums : those of all ranks, added
        Where the host has no such cover in a zone, the mean over all zones; where it has none at
        all, the value of the table. Raises CouplingError for a cover that the table gives none of.
        """
        sums = np.asarray(sums, np.int64)
        everywhere = sums.sum(axis=1, keepdims=True)
        means = np.empty((len(self.numbers), len(ZONE_GROUPS), MONTHS))
        for number, cover in enumerate(self.numbers):
            entry = self.crosswalk.table.cover[cover]
            known = entry.properties.get(self.entry.property or "")
            if known is None and everywhere[number, 0, -1] == 0:
                raise CouplingError(
                    f"field {self.entry.name!r}: the host has no {entry.name!r} anywhere, and its "
                    f"table gives no {self.entry.property!r} of it"
                )
            means[number] = np.nan if known is None else known
            for of in (everywhere[number], sums[number]):
                weight = of[:, -1:]
                np.divide(of[:, :-1], weight, out=means[number], where=weight > 0)
        return means

    def values(
        self, means: np.ndarray, areas: Areas, served: Mapping[str, np.ndarray]
    ) -> tuple[np.ndarray, int]:
        """The map of a later year.

        means : of `means_from`
        areas : of that year
        served : the type and fraction that the host gets in that year (Anomaly, or Crosswalk)
        returns : (n, 12) float64, read-only, and at how many points the bounds held it back. A
            point where the type and cover (or all shares) are as in the baseline keeps its bits
        """
        zone = self.crosswalk.zones(areas)
        if self.place is None:
            changed, wanted = self._mixed(means, areas, zone)
        else:
            changed, wanted = self._of_type(self.place, means, zone, served)
        low, high = self.entry.bounds
        inside = np.clip(wanted, low, high)
        values = np.where(changed[:, None], inside, self.own)
        off = (np.abs(inside - wanted) > CLIPPED_OVER * (high - low)).any(axis=1)
        values.setflags(write=False)
        return values, int((off & changed).sum())

    def _mixed(
        self, means: np.ndarray, areas: Areas, zone: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Own map + change of each cover's share x that cover's mean."""
        shares, land = _shares(self.crosswalk, self.entry, self.numbers, areas)
        change = np.where(((land > 0) & (self.land > 0))[:, None], shares - self.shares, 0.0)
        wanted = self.own.copy()
        for number in range(len(self.numbers)):
            wanted += change[:, number, None] * means[number, zone]
        return (change != 0).any(axis=1), wanted

    def _of_type(
        self,
        before: np.ndarray,
        means: np.ndarray,
        zone: np.ndarray,
        served: Mapping[str, np.ndarray],
    ) -> tuple[np.ndarray, np.ndarray]:
        """A new type has its mean; more of the same type joins the own map at the type's mean."""
        entry = self.entry
        types = served[entry.of_type] if entry.of_type else None
        place = _places(self.crosswalk, self.numbers, types, len(zone))
        cover = served[entry.of_cover] if entry.of_cover else self.cover
        mean = means[np.maximum(place, 0), zone]
        is_new = place != before
        added = 1.0 - self.cover / np.where(cover > 0, cover, 1.0)
        changed = (place >= 0) & (cover > 0) & (is_new | (added > 0))
        joined = self.own + added[:, None] * (mean - self.own)
        return changed, np.where(is_new[:, None], mean, joined)

    def _cover_scale(self) -> float:
        of_cover = self.crosswalk.table.field_named(self.entry.of_cover or "")
        return 1.0 if of_cover is None else of_cover.bounds[1]


def _shares(
    crosswalk: Crosswalk, entry: FieldEntry, numbers: np.ndarray, areas: Areas
) -> tuple[np.ndarray, np.ndarray]:
    """Share of each cover of what a field is about, and the area of that in m2."""
    table = crosswalk.table
    of_cover = table.field_named(entry.of_cover or "")
    denominator = entry.denominator or (of_cover.denominator if of_cover else None) or "land"
    covers = crosswalk.cover_areas(areas)
    land = np.zeros(areas.n)
    for number in sorted(table.denominator_numbers(denominator)):
        land += covers[:, number]
    return covers[:, numbers] / np.where(land > 0, land, 1.0)[:, None], land * AREA_UNIT_M2


def _places(
    crosswalk: Crosswalk, numbers: np.ndarray, types: np.ndarray | None, n: int
) -> np.ndarray:
    """Which of a field's covers each type is: (n,) int64, -1 where none; its one without types."""
    if types is None:
        return np.zeros(n, np.int64)
    place = np.full(n, -1, np.int64)
    for number, cover in enumerate(numbers):
        place[types == crosswalk.table.cover[cover].type] = number
    return place
