"""Bringing parts together: halos from neighbours after a step, the whole map on the first rank."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import cast

import numpy as np

from landstep.emulator.climate import Climate
from landstep.emulator.coarse_cells import CoarseCells
from landstep.emulator.land_use import LandUse
from landstep.emulator.mapped import put, row_pieces, zeros
from landstep.emulator.owned import take
from landstep.emulator.ranks import Ranks
from landstep.emulator.shares import Division, Share
from landstep.emulator.state import State


@dataclass(frozen=True, eq=False)
class Assembly:
    """The parts of a map, one a rank.

    shares : of all ranks, in their order
    """

    ranks: Ranks
    shares: tuple[Share, ...]
    _whole: list[tuple[np.ndarray, np.ndarray | None]] = field(default_factory=list)
    _whole_climate: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list)

    @classmethod
    def of(cls, land_use: LandUse, division: Division, ranks: Ranks) -> Assembly:
        """Divide a grid among ranks by the land of its first map."""
        if ranks.size == 1:
            return cls(ranks, (division.whole(),))
        land = None
        with ranks.together():
            if ranks.is_first:
                land = _land(land_use, division)
        land = cast(np.ndarray, ranks.from_first(land))
        with ranks.together():
            shares = division.shares(land, ranks.size)
        return cls(ranks, tuple(shares))

    @property
    def mine(self) -> Share:
        """The share of this rank."""
        return self.shares[self.ranks.rank]

    def fill_halo(self, land_use: np.ndarray) -> None:
        """Put into a new map what other ranks found around this one's part.

        land_use : (y, x) uint8 of what this rank holds, 0 but where it owns
        """
        sent, boxes = {}, {}
        for rank, share in enumerate(self.shares):
            if rank == self.ranks.rank:
                continue
            pieces = [land_use[box].ravel() for box, _ in _overlaps(self.mine, share)]
            if pieces:
                sent[rank] = np.concatenate(pieces)
            boxes[rank] = [box for _, box in _overlaps(share, self.mine)]
        expected = {rank: sum(map(_size, found)) for rank, found in boxes.items() if found}
        for rank, values in self.ranks.exchange(sent, expected).items():
            start = 0
            for rows, cols in boxes[rank]:
                shape = rows.stop - rows.start, cols.stop - cols.start
                size = shape[0] * shape[1]
                put(land_use, rows.start, cols.start, values[start : start + size].reshape(shape))
                start += size

    def whole(self, state: State) -> State | None:
        """Give the state of the whole map on the first rank, None on the others.

        Maps that were brought together for the state before are not sent again.
        """
        if self.ranks.size == 1:
            return state
        parts = (state.land_use, *state.history)
        self._whole[:] = [(part, self._whole_map(part)) for part in parts]
        debts = [self.coarse(field) for field in (state.debt, state.debt_years)]
        sure = None if state.confidence is None else self._whole_map(state.confidence)
        climate = None if state.climate is None else self._climate(state.climate)
        maps = [whole for _, whole in self._whole if whole is not None]
        if not self.ranks.is_first:
            return None
        return replace(
            state,
            land_use=maps[0],
            history=tuple(maps[1:]),
            debt=debts[0],
            debt_years=debts[1],
            confidence=sure,
            climate=climate,
        )

    def _climate(self, climate: Climate) -> Climate:
        """Bring a host's climate together; years that were there before are not sent again."""
        found = []
        for year in climate.years:
            known = next((whole for part, whole in self._whole_climate if part is year), None)
            if known is None:
                flat = self.coarse(year.reshape(-1, *year.shape[2:]))
                known = flat.reshape(*year.shape[:2], *flat.shape[1:])
            found.append((year, known))
        self._whole_climate[:] = found
        return replace(climate, years=tuple(whole for _, whole in found))

    def _whole_map(self, land_use: np.ndarray) -> np.ndarray | None:
        for part, found in self._whole:
            if part is land_use:
                return found
        whole = zeros(self.mine.own.of, np.uint8) if self.ranks.is_first else None
        for rank, share in enumerate(self.shares):
            y0, y1, x0, x1 = share.own_box
            for piece in row_pieces(y1 - y0):
                if rank == self.ranks.rank:
                    rows = land_use[y0 + piece.start : y0 + piece.stop, x0:x1]
                    if rank:
                        self.ranks.to_first(rows)
                elif self.ranks.is_first:
                    rows = self.ranks.receive(rank, (piece.stop - piece.start, x1 - x0), np.uint8)
                if whole is not None:
                    put(whole, share.own.top + piece.start, share.own.left, rows)
        return None if whole is None else take(whole)

    def coarse(self, values: np.ndarray) -> np.ndarray:
        """Bring a field of coarse cells together on the first rank.

        values : (n, cy, cx) of the coarse cells that this rank holds
        returns : (n, cy, cx) of all that the map touches; on the other ranks what was given
        """
        if self.ranks.size == 1:
            return values
        y0, y1, x0, x1 = self.mine.coarse_box
        own = values[:, y0:y1, x0:x1]
        if not self.ranks.is_first:
            self.ranks.to_first(own)
            return values
        whole = np.zeros((len(values), *self.mine.coarse_own.of), values.dtype)
        for rank, share in enumerate(self.shares):
            part = share.coarse_own
            shape = (len(values), *part.shape)
            found = self.ranks.receive(rank, shape, values.dtype) if rank else own
            whole[:, part.rows, part.left : part.right] = found
        return whole


def _land(land_use: LandUse, division: Division) -> np.ndarray:
    """Count the cells of each coarse cell that are not of a fixed class: (cy, cx) int64."""
    fixed = np.zeros(256, bool)
    fixed[land_use.scheme.fixed_numbers] = True
    codes = land_use.map(land_use.years[0])
    row, col = division.row - division.row[0], division.col - division.col[0]
    land = np.zeros(division.coarse_shape, np.int64)
    for piece in row_pieces(row.size):
        coarse = CoarseCells.of(row[piece], col)
        land[np.ix_(coarse.rows, coarse.cols)] += coarse.sum(
            (~fixed[codes[piece]]).astype(np.int64)
        )
    return land


Slices = tuple[slice, slice]


def _overlaps(owner: Share, holder: Share) -> Iterator[tuple[Slices, Slices]]:
    """Where one rank owns what another holds: in the owner's array, and in the holder's."""
    nx = owner.own.of[1]
    for top, bottom, left, right in holder.held.meet(owner.own):
        turn = 0 if owner.own.left <= left < owner.own.right else (nx if left < 0 else -nx)
        rows = slice(top - owner.held.top, bottom - owner.held.top)
        first = left + turn - owner.held.left
        there = slice(top - holder.held.top, bottom - holder.held.top)
        start = left - holder.held.left
        width = right - left
        yield (rows, slice(first, first + width)), (there, slice(start, start + width))


def _size(box: Slices) -> int:
    rows, cols = box
    return (rows.stop - rows.start) * (cols.stop - cols.start)
