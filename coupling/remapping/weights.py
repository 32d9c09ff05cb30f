"""Weights from a file: what each of a host's points has of each of the map's cells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from landstep.coupling.points import Points
from landstep.coupling.remapping.runs import SingleCells
from landstep.emulator.errors import CouplingError, InputError
from landstep.emulator.grid import AREA_UNIT_M2, EARTH_RADIUS_M, unit_vectors
from landstep.emulator.part import Part

WHOLE = 1e-6
"""A cell of which no more than this share is missing is wholly given away: what other programs'
sums in double and single precision leave. Ours."""

TOO_MUCH = 1e-3
"""A cell of which this share more is given away than there is makes a file wrong. Ours: SCRIP's
areas along lines in latitude and longitude are off by less, except at a pole."""


@dataclass(frozen=True)
class Weights:
    """Parts of the map's cells, each a host point's.

    target : (m,) int64, index of the host's point among all of the host's
    cell : (m,) int64 flat index into the whole map
    area : (m,) int64, what the point has of the cell, in AREA_UNIT_M2
    target_area : (n_target,) float64 of the host's cells, in AREA_UNIT_M2; 0 where not known
    centres : (2, n_target) latitude and longitude of the host's cells, degrees, or None
    where : the file, for messages
    """

    target: np.ndarray
    cell: np.ndarray
    area: np.ndarray
    target_area: np.ndarray
    centres: np.ndarray | None
    where: str

    def remap(self, points: Points, part: Part) -> SingleCells:
        """Count parts of the cells of a part of the map to points, by their index.

        Raises CouplingError for a point that the file does not have, or has elsewhere.
        """
        beyond = np.flatnonzero(points.mask & (points.index >= self.target_area.size))
        if beyond.size:
            raise CouplingError(
                f"{self.where}: made for {self.target_area.size} points, point {beyond[0]} has "
                f"index {points.index[beyond[0]]}; make it for the host's grid"
            )
        self._check_places(points.take(points.mask))
        place = np.full(self.target_area.size, -1, np.int64)
        place[points.index[points.mask]] = np.flatnonzero(points.mask)
        point = place[self.target]
        held = point >= 0
        return SingleCells.make(points.n, part, point[held], self.cell[held], self.area[held])

    def _check_places(self, points: Points) -> None:
        """Refuse points that lie outside the file's cells of that index, by their diagonal."""
        if self.centres is None:
            return
        area = self.target_area[points.index] * AREA_UNIT_M2
        lat, lon = self.centres[:, points.index]
        apart = unit_vectors(points.lat, points.lon) - unit_vectors(lat, lon)
        off = np.linalg.norm(apart, axis=1) * EARTH_RADIUS_M
        wrong = np.flatnonzero(points.mask & (area > 0) & (off > np.sqrt(2 * area)))
        if wrong.size:
            n = int(wrong[0])
            raise CouplingError(
                f"{self.where}: its cell {points.index[n] + 1} lies at lon {lon[n]:g}, lat "
                f"{lat[n]:g}, the point with index {points.index[n]} at lon {points.lon[n]:g}, lat "
                f"{points.lat[n]:g}; is it of another host grid, or is the index in another order?"
            )


def parts_of_cells(cell: np.ndarray, share: np.ndarray, area: np.ndarray, where: str) -> np.ndarray:
    """Turn shares of cells into whole numbers that add up to what is given away of each.

    Sums are rounded, not parts: R(A (s1 + .. + sk)) - R(A (s1 + .. + sk-1)), in the order of the
    targets, whatever the order of the file was.

    cell : (m,) int64 never falling, equal ones in the order of their targets; share : (m,) float64
    area : (cells,) int64, of the map's cells
    Raises InputError, with `where` in front, where more is given away of a cell than there is.
    """
    begins = np.ones(cell.size, bool)
    begins[1:] = cell[1:] != cell[:-1]
    start = np.flatnonzero(begins)
    count = np.diff(np.append(start, cell.size))
    running = _running_sums(share, start, count)
    total = np.repeat(running[start + count - 1], count)
    wrong = np.flatnonzero(total > 1 + TOO_MUCH)
    if wrong.size:
        raise InputError(
            f"{where}: gives away {total[wrong[0]]:.6g} of the map's cell {cell[wrong[0]]}, "
            "expected at most 1; make the weights conservative"
        )
    running = np.where(total >= 1 - WHOLE, running / total, running)
    whole_area = area[cell]
    below = np.rint(whole_area * running).astype(np.int64)
    below = np.where(running == 1, whole_area, below)
    before = np.where(begins, 0, np.append(0, below[:-1]))
    return below - before


STEPS = 64
"""Parts of a cell that are added up for all cells at once; cells in more parts are added up one by
one. Ours: host cells that share one of the map are few."""


def _running_sums(share: np.ndarray, start: np.ndarray, count: np.ndarray) -> np.ndarray:
    """Add up the shares of each cell, one after the other: the same bits however it is done."""
    running = share.copy()
    place = np.arange(share.size) - np.repeat(start, count)
    later = np.flatnonzero((place > 0) & np.repeat(count <= STEPS, count))
    step = 1
    while later.size:
        now = later[place[later] == step]
        running[now] += running[now - 1]
        later = later[place[later] > step]
        step += 1
    for which in np.flatnonzero(count > STEPS):
        of_cell = slice(start[which], start[which] + count[which])
        running[of_cell] = np.cumsum(share[of_cell])
    return running
