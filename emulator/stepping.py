"""What a step does to a map, block by block: the network where it is needed, then the quotas."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from landstep.emulator.allocation import Allocation, Rule, allocate, as_found
from landstep.emulator.candidates import busy_cells
from landstep.emulator.card import Card
from landstep.emulator.checks import check_step
from landstep.emulator.classes import MASKED, Scheme
from landstep.emulator.demand import Demand
from landstep.emulator.experiment import Experiment
from landstep.emulator.features import Fields, class_shares
from landstep.emulator.host_zones import HostZones, zones_of
from landstep.emulator.inputs import Inputs
from landstep.emulator.mapped import put, zeros
from landstep.emulator.model_checks import categories_of
from landstep.emulator.network import Given, Network
from landstep.emulator.quotas import RECENT
from landstep.emulator.settled import Settled, digest_of
from landstep.emulator.state import State
from landstep.emulator.tiling import Box, pieces

CELLS_AT_ONCE = 2**19
"""Fine cells that are allocated together, in whole coarse rows of a block: it bounds the memory."""


def rule_of(experiment: Experiment, of: Scheme, card: Card, direction: int) -> Rule:
    """Put together what a step of one year is allocated by: experiment, scheme and model card."""
    weights = card.weights_for(1)
    return Rule(
        mode=experiment.allocation.mode,
        group_of=of.group_of,
        n_groups=len(of.groups),
        movable=of.movable(direction),
        stay_weight=weights.stay_weight,
        new_weight=weights.new_weight,
        price=weights.miss_price,
    )


def fields_for(
    card: Card, inputs: Inputs, year: int, state: State, zones: HostZones | None = None
) -> Fields:
    """Gather all that the network is given for going from a state to a year.

    zones : how climate zones follow the host's climate; not needed where the state has none
    Raises InputError for a year outside the forcing, ConfigError for a static's code that the model
    does not know.
    """
    forcing, change = inputs.forcing_pair(year, state.year)
    row, col, coarse = inputs.row, inputs.col, forcing.shape[1:]
    return Fields(
        prior=state.land_use,
        history=state.history,
        years=year - state.year,
        continuous=inputs.continuous(card.continuous),
        categories=categories_of(card, inputs, year, partial(zones_of, zones, state.climate)),
        forcing=forcing,
        forcing_change=change,
        prior_shares=class_shares(state.land_use, row, col, coarse, inputs.scheme.n_classes),
        row=row,
        col=col,
    )


@dataclass(frozen=True, eq=False)
class Stepped:
    """What a step came to.

    land_use : (y, x) uint8, 0 in blocks that were not asked for
    realised : (G, cy, cx) int64, AREA_UNIT_M2, by how much each group changed
    unmet : how many coarse cells missed a quota by more than one of their fine cells
    largest : the largest such miss, AREA_UNIT_M2
    """

    land_use: np.ndarray
    realised: np.ndarray
    unmet: int
    largest: int


@dataclass(frozen=True, eq=False)
class Stepper:
    """One step of a state.

    quota : (G, cy, cx) int64, AREA_UNIT_M2, by which each group is to change, debt included
    settled : what earlier steps found to stay as it is
    confidence : (y, x) uint8 zeros, which get the percent of each free cell's likeliest class; None
        where nobody asks for it
    """

    state: State
    year: int
    network: Network
    demand: Demand
    quota: np.ndarray
    rule: Rule
    settled: Settled
    confidence: np.ndarray | None = None

    def map(self, blocks: Iterable[Box]) -> Stepped:
        """Make the year's map in some blocks.

        Raises CheckError where the result breaks an invariant, ModelError for a model that does.
        """
        land_use = zeros(self.state.land_use.shape, np.uint8)
        realised = np.zeros_like(self.quota)
        unmet = largest = 0
        for block in blocks:
            y0, _, x0, _ = block
            prior = found = self._prior(block)
            for band, result in self._allocated(block):
                if found is prior:
                    found = prior.copy()
                found[band[0] - y0 : band[1] - y0] = result.land_use
                realised[:, *self.demand.coarse(band)] = result.realised
                unmet += len(result.unmet)
                largest = max(largest, int(np.abs(result.missed).max(initial=0)))
            if found is not prior:
                way = self.state.direction
                check_step(prior, found, self.network.of, self.year, way, (y0, x0))
            put(land_use, y0, x0, found)
        return Stepped(land_use, realised, unmet, largest)

    def _allocated(self, block: Box) -> Iterator[tuple[Box, Allocation]]:
        """Change a block: its bands of whole coarse rows and what became of each.

        Nothing comes where the block stays as it is.
        """
        if self.rule.mode == "none":
            yield from self._unbound(block)
            return
        busy, network = self._busy(block), self.network
        wanted = network.free(block)
        if self.confidence is None:
            wanted &= busy
        if wanted.any() or busy.any():
            odds = self._logits(block, network.given(block, wanted))
            yield from self._bands(block, odds)

    def _unbound(self, block: Box) -> Iterator[tuple[Box, Allocation]]:
        """Change a block without quotas: not at all where what led to no change is as it was."""
        free = self.network.free(block)
        if not free.any():
            return
        given = self.network.given(block, free)
        digest = digest_of(given, repr(self.rule))
        if self.confidence is None and self.settled.holds(block, digest):
            return
        changed = False
        for band, result in self._answers(block, given):
            changed = changed or bool((result.land_use != self._prior(band)).any())
            yield band, result
        self.settled.note(block, digest, not changed)

    def _answers(self, block: Box, given: list[Given]) -> Iterator[tuple[Box, Allocation]]:
        """Give each cell its best class; the network's own where staying and moving weigh alike."""
        if self.rule.stay_weight == self.rule.new_weight == 1:
            found = self._likeliest(block, given)
            result = as_found(found, self._prior(block), *self._places(block), self.rule)
            if result is not None:
                yield block, result
                return
        yield from self._bands(block, self._logits(block, given))

    def _likeliest(self, block: Box, given: list[Given]) -> np.ndarray:
        """The class of the largest logit of each free cell: (rows, columns) uint8."""
        if self.confidence is None:
            return self.network.likeliest(block, given)
        largest = self._logits(block, given).argmax(axis=0)
        return np.where(self.network.free(block), largest, self._prior(block)).astype(np.uint8)

    def _logits(self, block: Box, given: list[Given]) -> np.ndarray:
        """Run the network over a block, and note how sure it is where that is asked for."""
        odds = self.network.logits(block, given)
        if self.confidence is not None:
            put(self.confidence, block[0], block[2], self.network.confidence(block, odds))
        return odds

    def _bands(self, block: Box, odds: np.ndarray) -> Iterator[tuple[Box, Allocation]]:
        """Allocate a block in bands of whole coarse rows.

        odds : (K, rows, columns) float32
        """
        y0, y1, x0, x1 = block
        for first, last in pieces(self.demand.row[y0:y1], max(1, CELLS_AT_ONCE // (x1 - x0))):
            band = y0 + first, y0 + last, x0, x1
            coarse = self.demand.coarse(band)
            recent = [m[y0 + first : y0 + last, x0:x1] for m in self.state.history[:RECENT]]
            yield (
                band,
                allocate(
                    odds[:, first:last],
                    self._prior(band),
                    self.quota[:, *coarse],
                    *self._places(band),
                    self.rule,
                    self.state.debt_years[:, *coarse],
                    np.stack(recent),
                ),
            )

    def _busy(self, block: Box) -> np.ndarray:
        """Tell which cells of a block quotas may change, or are not known: (rows, columns) bool."""
        coarse = self.demand.coarse(block)
        busy = busy_cells(self.quota[:, *coarse], self.demand.cell[coarse])
        _, row, col, _ = self._places(block)
        return busy[row][:, col] | (self._prior(block) == MASKED)

    def _places(self, box: Box) -> tuple[np.ndarray, np.ndarray, np.ndarray, tuple[int, int]]:
        """Areas of a box's cells, their coarse rows and columns within it, and how many it has."""
        y0, y1, x0, x1 = box
        rows, cols = self.demand.coarse(box)
        area = self.demand.area[y0:y1]
        area = area if area.shape[1] == 1 else area[:, x0:x1]
        row, col = self.demand.row[y0:y1] - rows.start, self.demand.col[x0:x1] - cols.start
        return area, row, col, (rows.stop - rows.start, cols.stop - cols.start)

    def _prior(self, box: Box) -> np.ndarray:
        y0, y1, x0, x1 = box
        return self.state.land_use[y0:y1, x0:x1]
