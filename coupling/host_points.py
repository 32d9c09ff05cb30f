"""A host's points on all its ranks: areas are found where the map lies, and sent to the point.

Every rank knows all points in the order of their global index, and counts those that its own part
of the map touches. Areas are whole numbers, so a point's sum does not depend on who counted what.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from landstep.coupling.point_notes import point_notes
from landstep.coupling.points import Points
from landstep.coupling.remap import Remap, remap_to
from landstep.coupling.remapping.coverage import coverage
from landstep.coupling.remapping.weight_file import read_weights
from landstep.coupling.remapping.weights import Weights
from landstep.emulator.errors import CouplingError
from landstep.emulator.grid import Grid
from landstep.emulator.ranks import Ranks
from landstep.emulator.shares import Share


@dataclass(frozen=True, eq=False)
class HostPoints:
    """The points of one rank, and what it has to count for the others.

    mine : its points; index : (N,) int64 global index of all ranks' points, ascending, padding
        (below 0) first
    notes : what a user should know of how all ranks' points lie on the map: sentences
    weights : of a file, instead of the points' own geometry
    cells : (n,) int64, cells of the map that each of `mine` has a share of
    sent : rank -> places, among the points counted here, of those that are its own
    received : rank -> places, among `mine`, of those that it counts
    """

    ranks: Ranks
    grid: Grid
    mine: Points
    index: np.ndarray
    weights: Weights | None
    cells: np.ndarray
    _remap: Remap
    _sent: Mapping[int, np.ndarray] = field(default_factory=dict)
    _received: Mapping[int, np.ndarray] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @classmethod
    def make(
        cls,
        points: Points,
        grid: Grid,
        share: Share,
        ranks: Ranks,
        weights: Path | None = None,
        geometry: Literal["required", "left"] = "left",
    ) -> HostPoints:
        """Find out which points each rank's part of the map touches. All ranks call it.

        points : of this rank; its global indices are on no other
        grid : of the whole map; share : what this rank holds of it
        weights : a weight file from the map's cells to the points, instead of their own geometry
        geometry : "required": points far wider apart than the map's cells must say how large they
            are, see point_notes.py
        Raises CouplingError on all ranks where one's points cannot be.
        """
        with ranks.together():
            found = None if weights is None else read_weights(weights, grid)
        if ranks.size == 1:
            remap = remap_to(points, grid, weights=found)
            notes, cells = point_notes(points, grid, found, geometry), remap.cell_counts()
            index = np.sort(points.index)
            return cls(ranks, grid, points, index, found, cells, remap, notes=notes)
        of_rank = ranks.of_all(points.to_arrays())
        with ranks.together():
            everyone = Points.together(of_rank)
            notes = point_notes(everyone, grid, found, geometry)
            owner, place = _owners(of_rank)
            remap = remap_to(everyone, grid, share.own, found)
            nothing = np.zeros(share.own.shape, np.uint8)
            touched = np.flatnonzero(remap.class_areas(nothing, 1)[:, 0])
            remap = remap.only(touched)
        sent = {rank: np.flatnonzero(owner[touched] == rank) for rank in np.unique(owner[touched])}
        received = {}
        for rank, theirs in enumerate(ranks.of_all(touched)):
            ours = theirs[owner[theirs] == ranks.rank]
            if ours.size:
                received[rank] = place[ours]
        none = np.zeros(points.n, np.int64)
        placed = cls(ranks, grid, points, everyone.index, found, none, remap, sent, received, notes)
        return replace(placed, cells=placed._at_points(remap.cell_counts()[:, None])[:, 0])

    def class_areas(self, numbers: np.ndarray, n_classes: int) -> np.ndarray:
        """Area of each class in each of this rank's host cells. All ranks call it.

        numbers : (y, x) uint8 of the part of the map that this rank owns, MASKED where not known
        returns : (n, n_classes + 1) int64 in AREA_UNIT_M2; the last column is what is not known
        """
        return self._at_points(self._remap.class_areas(numbers, n_classes))

    def _at_points(self, found: np.ndarray) -> np.ndarray:
        """Add up what ranks counted of each point, where the point is. All ranks call it.

        found : (points counted here, k) int64; returns : (n, k) int64
        """
        if self.ranks.size == 1:
            return found
        columns = found.shape[1]
        total = np.zeros((self.mine.n, columns), np.int64)
        row = total.itemsize * columns
        flat = np.ascontiguousarray(found)
        sent = {rank: flat[places].view(np.uint8).ravel() for rank, places in self._sent.items()}
        expected = {rank: row * places.size for rank, places in self._received.items()}
        own = sent.pop(self.ranks.rank, None)
        expected.pop(self.ranks.rank, None)
        arrived = self.ranks.exchange(sent, expected)
        if own is not None:
            arrived[self.ranks.rank] = own
        for rank, values in arrived.items():
            total[self._received[rank]] += values.view(np.int64).reshape(-1, columns)
        return total

    def coverage(self, totals: np.ndarray) -> np.ndarray:
        """Share of each host cell that lies in the grid: (n,) float64, 0..1.

        totals : (n,) int64, area of all that was found in it
        """
        return coverage(self.mine, self.grid, totals, self.weights)

    def gathered(self, values: np.ndarray) -> np.ndarray:
        """Put values of all ranks' points in the order of `index`. All ranks call it.

        values : (n, ...) of this rank's points; returns : (N, ...), the same on all ranks
        """
        found = self.ranks.of_all((self.mine.index, values))
        order = np.argsort(np.concatenate([index for index, _ in found]), kind="stable")
        return np.concatenate([part for _, part in found])[order]

    @property
    def n_padding(self) -> int:
        """How many of all ranks' points are padding: the first of `index`."""
        return int(np.searchsorted(self.index, 0))

    def kept(self, values: np.ndarray) -> np.ndarray:
        """Put values in the order of `index`, without padding. All ranks call it."""
        return self.gathered(values)[self.n_padding :]

    def of_kept(self, values: np.ndarray) -> np.ndarray:
        """Pick this rank's points of what `kept` gave; those of padding are NaN, or 0."""
        nothing = np.nan if values.dtype.kind == "f" else 0
        padding = np.full((self.n_padding, *values.shape[1:]), nothing, values.dtype)
        return self.of_mine(np.concatenate([padding, values]))

    def of_mine(self, values: np.ndarray) -> np.ndarray:
        """Pick this rank's points: (N, ...) in the order of `index` -> (n, ...)."""
        return values[np.searchsorted(self.index, self.mine.index)]


def numbered(
    ranks: Ranks, lon_deg: np.ndarray, lat_deg: np.ndarray, geometry: Mapping[str, Any]
) -> Points:
    """Check one rank's points; where no rank gives an index, number them rank after rank.

    lon_deg, lat_deg, geometry : as `Points.make` takes them. All ranks call it
    Raises CouplingError on all ranks where one's points cannot be, or where some gave an index and
    others did not; a rank without points is not asked.
    """
    with ranks.together():
        points = Points.make(lon_deg, lat_deg, **geometry)
    if ranks.size == 1:
        return points
    told = ranks.of_all((points.n, geometry.get("index") is not None))
    given = {has_index for n, has_index in told if n}
    with ranks.together():
        if len(given) > 1:
            raise CouplingError(
                "some ranks gave an index of their points and others did not; expected the same of "
                "all"
            )
    before = sum(n for n, _ in told[: ranks.rank])
    if given != {True}:
        label = points.label
        label = None if label is None else np.where(label < 0, -1, label + before)
        points = replace(points, index=points.index + before, label=label)
    return points.with_padding_after(before)


def _owners(of_rank: list[dict[str, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """Say which rank has each point, and where: two (N,) int64, in the order of the index."""
    sizes = [part["index"].size for part in of_rank]
    order = np.argsort(np.concatenate([part["index"] for part in of_rank]))
    owner = np.repeat(np.arange(len(sizes)), sizes)
    place = np.concatenate([np.arange(size) for size in sizes])
    return owner[order], place[order]
