"""What the forcing asks of each coarse cell, against areas added up cell by cell."""

from dataclasses import replace

import numpy as np
import pytest

from landstep.emulator.classes import MASKED, scheme
from landstep.emulator.demand import Demand
from landstep.emulator.errors import ConfigError

BOUND = {"urban": [1], "cropland": [2], "pasture": [3]}
"""Class numbers of hilda8's groups, in their order."""


@pytest.fixture
def inputs(make_emulator):
    """Made-up fields whose cells differ in area."""
    return make_emulator("projected", (30, 44)).inputs


def cells_of(inputs):
    """Give each coarse cell's fine cells: (cy, cx) -> list of (y, x)."""
    of = {}
    for y in range(30):
        for x in range(44):
            of.setdefault((int(inputs.row[y]), int(inputs.col[x])), []).append((y, x))
    return of


def states_of(inputs, group):
    """Numbers of the forcing states of a group."""
    names = {"urban": {"urban"}, "pasture": {"pastr"}}
    wanted = names.get(group, {"c3ann", "c4ann", "c3per", "c4per", "c3nfx"})
    return [n for n, state in enumerate(inputs.forcing.states) if state in wanted]


def test_what_is_asked_is_the_change_of_the_shares_times_the_area(inputs):
    demand = Demand.of(inputs)
    asked = demand.asked(2003, 2007)
    assert asked.dtype == np.int64 and asked.shape == demand.shape == (3, 5, 7)
    then, now = (inputs.forcing.year(year).astype(np.float64) for year in (2003, 2007))
    area = inputs.grid.cell_area()
    for (cy, cx), cells in cells_of(inputs).items():
        whole = sum(int(area[cell]) for cell in cells)
        assert demand.whole[cy, cx] == whole
        assert demand.cell[cy, cx] == pytest.approx(whole / len(cells))
        for number, group in enumerate(BOUND):
            shares = [
                sum(year[s, cy, cx] for s in states_of(inputs, group)) for year in (then, now)
            ]
            expected = 0 if np.isnan(shares[0]) else whole * (shares[1] - shares[0])
            assert asked[number, cy, cx] == pytest.approx(expected, abs=2)
    assert (asked[:, 0, 1] == 0).all(), "forcing that is missing asks nothing"


def test_what_is_asked_telescopes_to_the_last_unit_either_way(inputs):
    demand = Demand.of(inputs)
    yearly = sum(demand.asked(year, year + 1) for year in range(2000, 2010))
    assert np.array_equal(yearly, demand.asked(2000, 2010)) and yearly.any()
    back = sum(demand.asked(year + 1, year) for year in range(2000, 2010))
    assert np.array_equal(back, -yearly)


def test_unknown_cells_owe_what_the_forcing_has_less_what_is_known(inputs):
    demand = Demand.of(inputs)
    land_use = np.random.default_rng(2).integers(1, 7, (30, 44)).astype(np.uint8)
    land_use[8:10, 16:20] = MASKED  # in coarse cell (1, 2)
    land_use[2, 9] = MASKED  # in coarse cell (0, 1), whose forcing is missing
    owed = demand.owed_at_start(land_use, 2000)
    assert owed.dtype == np.int64
    fractions, area = inputs.forcing.year(2000).astype(np.float64), inputs.grid.cell_area()
    for (cy, cx), cells in cells_of(inputs).items():
        for number, (group, classes) in enumerate(BOUND.items()):
            share = sum(fractions[state, cy, cx] for state in states_of(inputs, group))
            known = sum(int(area[cell]) for cell in cells if land_use[cell] in classes)
            whole = sum(int(area[cell]) for cell in cells)
            expected = share * whole - known if (cy, cx) == (1, 2) else 0
            assert owed[number, cy, cx] == pytest.approx(expected, abs=2)
    assert owed[:, 1, 2].any()


def test_a_known_map_owes_nothing_and_asks_for_no_forcing(inputs):
    known = np.full((30, 44), 4, np.uint8)
    assert not Demand.of(inputs).owed_at_start(known, 1850).any()


def test_only_the_coarse_cells_over_the_map_are_kept(inputs):
    """A region within a wide forcing: rows and columns count from the map's own first."""
    shifted = replace(inputs, row=inputs.row + 2, col=inputs.col + 3)
    wide = Wide(inputs.forcing, 2, 3)
    demand, plain = Demand.of(replace(shifted, forcing=wide)), Demand.of(inputs)
    assert demand.shape == plain.shape
    assert np.array_equal(demand.asked(2000, 2004), plain.asked(2000, 2004))
    assert demand.row[0] == demand.col[0] == 0


class Wide:
    """A forcing with rows in the north and columns in the west that no map touches."""

    def __init__(self, forcing, north, west):
        self.forcing, self.states, self.by = forcing, forcing.states, (north, west)

    def year(self, year):
        """Give fractions, 0.1 where nothing is touched."""
        inner = self.forcing.year(year)
        (north, west), (_, cy, cx) = self.by, inner.shape
        wide = np.full((len(inner), cy + north + 1, cx + west + 2), 0.1, np.float32)
        wide[:, north : north + cy, west : west + cx] = inner
        return wide


def test_a_group_without_a_forcing_state_is_refused(inputs):
    without = replace(inputs.forcing, states=("primf", *inputs.forcing.states[1:10], "range", "x"))
    assert "pastr" not in without.states and scheme("hilda8") is inputs.scheme
    with pytest.raises(ConfigError, match="group 'pasture' follows .*'pastr'"):
        Demand.of(replace(inputs, forcing=without))
