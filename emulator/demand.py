"""What the forcing asks of each coarse cell, in area, and what a map owes it when a run starts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from landstep.emulator.area_sums import coarse_class_sums
from landstep.emulator.classes import MASKED
from landstep.emulator.features import known
from landstep.emulator.inputs import Inputs
from landstep.emulator.mapped import row_pieces
from landstep.emulator.quotas import asked_area, coarse_area, group_area
from landstep.emulator.tiling import Box


@dataclass(frozen=True, eq=False)
class Demand:
    """The forcing as areas of the scheme's groups, in the coarse cells that the map touches.

    inputs : the experiment's
    matrix : (G, F) float64, which forcing states make up each group
    rows, cols : where those coarse cells lie in the forcing
    row, col : (y,), (x,) int64, the coarse row of each fine row and column of each fine column,
        counted from the map's own first
    area : (y, 1) or (y, x) int64, areas of the fine cells; whole : (cy, cx) int64, of the coarse
        cells as far as the map reaches
    """

    inputs: Inputs
    matrix: np.ndarray
    rows: slice
    cols: slice
    row: np.ndarray
    col: np.ndarray
    area: np.ndarray
    whole: np.ndarray

    @classmethod
    def of(cls, inputs: Inputs) -> Demand:
        """Take it from an experiment's inputs; ConfigError where a group has no forcing state."""
        top, left = int(inputs.row.min()), int(inputs.col.min())
        row, col = inputs.row - top, inputs.col - left
        shape = int(row.max()) + 1, int(col.max()) + 1
        area = inputs.grid.cell_area()[inputs.share.held.rows]
        area = area if area.shape[1] == 1 else area[:, inputs.share.held.columns]
        return cls(
            inputs=inputs,
            matrix=inputs.scheme.group_matrix(inputs.forcing.states),
            rows=slice(top, top + shape[0]),
            cols=slice(left, left + shape[1]),
            row=row,
            col=col,
            area=area,
            whole=coarse_area(area, row, col, shape),
        )

    @property
    def shape(self) -> tuple[int, int, int]:
        """Groups, coarse rows and coarse columns: the shape of a quota or a debt."""
        return (len(self.matrix), *self.whole.shape)

    def coarse(self, box: Box) -> tuple[slice, slice]:
        """Rows and columns of the coarse cells that a box of whole ones covers."""
        y0, y1, x0, x1 = box
        rows = slice(int(self.row[y0]), int(self.row[y1 - 1]) + 1)
        return rows, slice(int(self.col[x0]), int(self.col[x1 - 1]) + 1)

    @cached_property
    def cell(self) -> np.ndarray:
        """Mean area of the fine cells of each coarse cell: (cy, cx) float64, 0 where none is."""
        count = np.outer(*(np.bincount(index) for index in (self.row, self.col)))
        return self.whole / np.maximum(count, 1)

    def asked(self, before: int, after: int) -> np.ndarray:
        """Area by which each group is to change from one year's forcing to another's.

        returns : (G, cy, cx) int64; 0 where either year is missing
        Raises InputError for a year outside the forcing.
        """
        return asked_area(self._fractions(before), self._fractions(after), self.matrix, self.whole)

    def given(self, year: int) -> np.ndarray:
        """Area that the forcing's states give each group: (G, cy, cx) int64, 0 where missing.

        Raises InputError for a year outside the forcing.
        """
        return group_area(known(self._fractions(year)), self.matrix, self.whole)

    def owed_at_start(self, land_use: np.ndarray, year: int) -> np.ndarray:
        """Area that a map with unknown cells owes the forcing of its own year.

        land_use : (y, x) uint8 class numbers, MASKED where unknown
        returns : (G, cy, cx) int64: in the coarse cells that hold MASKED cells what the forcing has
            of each group less what is known of it; 0 in all others, and where forcing is missing
        Raises InputError for a year outside the forcing, where a cell is MASKED.
        """
        holds = np.zeros(self.whole.shape, bool)
        for piece in row_pieces(land_use.shape[0]):
            y, x = np.nonzero(land_use[piece] == MASKED)
            holds[self.row[piece][y], self.col[x]] = True
        debt = np.zeros(self.shape, np.int64)
        if not holds.any():
            return debt
        now = known(self._fractions(year))
        held = self.held(land_use)
        asked = group_area(now, self.matrix, self.whole)
        return np.where(holds & (now.sum(axis=0) > 0), asked - held, debt)

    def held(self, land_use: np.ndarray) -> np.ndarray:
        """Area of each group in a map (y, x): (G, cy, cx) int64, AREA_UNIT_M2."""
        classes = coarse_class_sums(
            land_use, self.area, self.row, self.col, self.whole.shape, self.inputs.scheme.n_classes
        )
        members = self.inputs.scheme.members[:-1].astype(np.int64)
        return np.einsum("gk,kyx->gyx", members, classes)

    def _fractions(self, year: int) -> np.ndarray:
        return self.inputs.forcing.year(year)[:, self.rows, self.cols]
