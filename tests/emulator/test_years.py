"""What holds over many years: nothing drifts, every quota is paid, both ways in time."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from landstep import Emulator
from landstep.emulator.classes import MASKED
from landstep.emulator.errors import StateError, StepError
from landstep.emulator.experiment import load_experiment

GROUPS = ((1,), (2,), (3,))
"""Class numbers of hilda8's groups: urban, cropland, pasture."""

KINDS = (*GROUPS, (4, 5, 6))
"""The same and the unbound rest."""


@dataclass(frozen=True)
class Slow:
    """A forcing whose fractions move by the same small share of a coarse cell every year."""

    fractions: np.ndarray
    pace: np.ndarray
    states: tuple[str, ...]

    def year(self, year):
        """Fractions of a year, counted from 2000."""
        return self.fractions + self.pace * (year - 2000)


def slowly(emulator, cells_a_year):
    """Let the forcing turn primn into urban and pasture, and crops into primn, cell by cell.

    cells_a_year : of each coarse cell of 49, in each of those three ways
    """
    forcing = emulator.inputs.forcing
    fractions = np.full((12, *forcing.coarse.shape), 1 / 13)
    pace = np.zeros_like(fractions)
    share = cells_a_year / 49
    for state, sign in (("urban", 1), ("pastr", 1), ("c3ann", -1), ("primn", -1)):
        pace[forcing.states.index(state)] = sign * share * unevenly(forcing.coarse.shape)
    slow = Slow(fractions, pace, forcing.states)
    return replace(emulator, inputs=replace(emulator.inputs, forcing=slow))


def unevenly(shape):
    """Between a half and the whole, other in each coarse cell."""
    return np.random.default_rng(6).uniform(0.5, 1, shape)


def known_start(emulator, year=2000, direction="forward"):
    """Start from a map of land alone, every class in every coarse cell."""
    start = np.random.default_rng(8).integers(1, 7, emulator.grid.shape).astype(np.uint8)
    return emulator.start_from(year, start, direction=direction)


def can_give(land_use, cells):
    """Coarse cells of a map of (42, 56) that hold so many cells of every group: (6, 8) bool."""
    counts = [np.isin(land_use, of).reshape(6, 7, 8, 7).sum(axis=(1, 3)) for of in KINDS]
    enough = (np.array(counts) >= cells).all(axis=0)
    assert enough.sum() > 10
    return enough


def group_areas(emulator, land_use):
    """Area of each group in each coarse cell, added up with whole numbers: (3, cy, cx) object."""
    inputs = emulator.inputs
    areas = np.broadcast_to(inputs.grid.cell_area(), inputs.grid.shape)
    found = np.zeros((3, int(inputs.row.max()) + 1, int(inputs.col.max()) + 1), object)
    for number, classes in enumerate(GROUPS):
        for y, x in np.argwhere(np.isin(land_use, classes)):
            found[number, inputs.row[y], inputs.col[x]] += int(areas[y, x])
    return found


def step_to(emulator, state, last):
    """Step year by year, the way the state goes."""
    while state.year != last:
        state = emulator.step(state.year + state.direction, state)
    return state


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_constant_forcing_changes_nothing_in_fifty_years(experiment, direction):
    """Whatever the network would like, and it likes to change every sixth cell."""
    emulator = Emulator.open(experiment)
    forcing = emulator.inputs.forcing
    still = Slow(forcing.year(2015), np.zeros(1), forcing.states)
    emulator = replace(emulator, inputs=replace(emulator.inputs, forcing=still))
    state = first = emulator.start(2015, direction=direction)
    likes = emulator.odds(first.year + first.direction, first).argmax(axis=0)
    assert (likes != first.land_use).mean() > 0.02
    for _ in range(50):
        state = emulator.step(state.year + state.direction, state)
        assert np.array_equal(state.land_use, first.land_use)
    assert abs(state.year - first.year) == 50 and not state.debt.any()


@pytest.mark.parametrize(("direction", "last"), [("forward", 2050), ("backward", 1950)])
@pytest.mark.parametrize("kind", ["regular", "projected"])
def test_fifty_years_of_less_than_a_cell_a_year_add_up(make_emulator, kind, direction, last):
    """.03 to .06 cells a year, 1.5 to 3 in fifty: rounding each year would realise nothing."""
    emulator = slowly(make_emulator(kind, (42, 56)), 0.06)
    first = known_start(emulator, direction=direction)
    state = step_to(emulator, first, last)
    change = group_areas(emulator, state.land_use) - group_areas(emulator, first.land_use)
    asked = emulator.demand.asked(2000, last)
    assert np.array_equal(asked - change.astype(np.int64), state.debt)
    whole = can_give(first.land_use, 4)
    largest = emulator.grid.cell_area().max()
    assert np.abs(state.debt[:, whole]).max() <= largest
    assert np.abs(asked[:, whole]).min() > 1.4 * largest
    assert state.anchor == 2000


def test_what_is_owed_is_asked_less_done_in_every_year(make_emulator):
    """Also where quotas cannot be met, from a map with unknown cells, in every mode."""
    for mode in ("exact", "soft", "none"):
        emulator = make_emulator("regular", (33, 47), mode=mode)
        state = first = emulator.start(2000)
        known = group_areas(emulator, first.land_use)
        assert (first.land_use == MASKED).any() and first.debt.any()
        for year in range(2001, 2006):
            state = emulator.step(year, state)
            done = group_areas(emulator, state.land_use) - known
            owed = first.debt + emulator.demand.asked(2000, year) - done.astype(np.int64)
            assert np.array_equal(state.debt, owed)
            assert state.report.asked.tolist() == [
                int(part.sum()) for part in emulator.demand.asked(year - 1, year)
            ]


def test_a_cold_start_meets_the_forcing_in_its_first_step(make_emulator):
    """Where all of a coarse cell is land: its groups' areas are the forcing's, to a fine cell."""
    emulator = make_emulator("regular", (42, 56))
    first = emulator.start(2000, cold=True)
    assert (np.array(first.history) == MASKED).all() and first.debt.min() >= 0
    state = emulator.step(2001, first)
    assert (state.land_use < 8).all()
    areas = group_areas(emulator, state.land_use).astype(np.int64)
    land = (first.land_use == MASKED).reshape(6, 7, 8, 7).all(axis=(1, 3))
    fractions = np.nan_to_num(emulator.inputs.forcing.year(2001))
    land &= fractions.sum(axis=0) > 0
    assert land.sum() > 10
    names = emulator.inputs.forcing.states
    for number, states in enumerate(
        (["urban"], [n for n in names if n[:2] in ("c3", "c4")], ["pastr"])
    ):
        share = sum(fractions[names.index(name)].astype(np.float64) for name in states)
        missed = np.abs(areas[number] - share * emulator.demand.whole)[land]
        assert missed.max() <= emulator.grid.cell_area().max()


def test_soft_debts_grow_old_and_exact_ones_are_paid(make_emulator):
    """A debt of half a fine cell or more has an age; at ten years it is repaid.

    Exact quotas leave half a cell at most, and no debt that can stand for long.
    """
    soft = slowly(make_emulator("regular", (42, 56), mode="soft"), 0.3)
    exact = slowly(make_emulator("regular", (42, 56)), 0.3)
    states = {name: known_start(e) for name, e in (("soft", soft), ("exact", exact))}
    rich = can_give(states["soft"].land_use, 5)
    ages = []
    for year in range(2001, 2017):
        states["soft"] = soft.step(year, states["soft"])
        states["exact"] = exact.step(year, states["exact"])
        ages.append(int(states["soft"].debt_years[:, rich].max()))
    half = exact.demand.cell / 2
    for state in states.values():
        assert ((state.debt_years > 0) == (np.abs(state.debt) >= half)).all()
    assert 4 <= max(ages) <= 10, "no soft quota was missed for long, or one is not repaid"
    assert states["exact"].debt_years[:, rich].max() <= 1


def test_without_quotas_the_network_decides(make_emulator):
    emulator = make_emulator("regular", (33, 47), mode="none")
    state = emulator.start(2000)
    likes = emulator.odds(2001, state).argmax(axis=0)
    following = emulator.step(2001, state)
    assert np.array_equal(following.land_use, likes)
    assert following.report.unmet == 0 and following.report.text() == ""


def test_a_quota_that_cannot_be_met_is_reported(make_emulator):
    """Urban land is to fill a coarse cell and more of it than is land."""
    emulator = slowly(make_emulator("regular", (42, 56)), 0.5)
    sea = np.zeros((42, 56), np.uint8)
    sea[:7, :7] = 4
    sea[0, :7] = 0
    state = emulator.start_from(2000, sea)
    debt = state.debt.copy()
    debt[0, 0, 0] = int(emulator.demand.whole[0, 0])
    following = emulator.step(2001, replace(state, debt=debt))
    assert (following.land_use[1:7, :7] == 1).all()
    report = following.report
    assert report.unmet >= 1 and "could not meet a quota" in report.text()
    assert report.largest_miss == np.abs(following.debt[0, 0, 0])
    assert report.largest_miss == pytest.approx(7 * emulator.demand.cell[0, 0], rel=0.2)


# --- the maps before, and time's two ways ------------------------------------------------------


def test_history_is_the_maps_that_were_stepped_through(make_emulator):
    emulator = make_emulator("regular", (33, 47))
    states = [emulator.start(2000)]
    of = emulator.inputs.land_use.map
    assert np.array_equal(states[0].history[:2], [of(1999), of(1998)])
    assert (states[0].history[2] == MASKED).all()
    for year in (2001, 2002):
        states.append(emulator.step(year, states[-1]))
    expected = [states[1].land_use, states[0].land_use, of(1999)]
    assert np.array_equal(states[2].history, expected)


def test_a_step_backward_starts_from_the_maps_after(make_emulator, with_run):
    """The year before is reached; the same bits for any windows; the forcing is of that year."""
    emulator = make_emulator("globe", (45, 90))
    state = emulator.start(2010, direction="backward")
    assert (state.direction, state.anchor) == (-1, 2010)
    assert np.array_equal(state.history[0], emulator.inputs.land_use.map(2011))
    assert (np.array(state.history[1:]) == MASKED).all()
    for year in (2009, 2008, 2007):
        following = emulator.step(year, state)
        for core in (16, 28):
            assert with_run(emulator, core=core).step(year, state).checksum == following.checksum
        assert following.year == year and not np.array_equal(following.land_use, state.land_use)
        assert np.array_equal(following.history[0], state.land_use)
        state = following


def test_forward_and_backward_are_told_apart(make_emulator):
    """Negative control: the same map and history, the sign of the years alone."""
    emulator = make_emulator("regular", (33, 47))
    ahead = emulator.start_from(2005, emulator.inputs.land_use.map(2000))
    back = emulator.start_from(2005, emulator.inputs.land_use.map(2000), direction="backward")
    assert ahead.checksum != back.checksum
    assert not np.array_equal(emulator.odds(2006, ahead), emulator.odds(2004, back))


@pytest.mark.slow
@pytest.mark.parametrize("direction", ["forward", "backward"])
@pytest.mark.parametrize("mode", ["exact", "soft"])
def test_restart_equals_going_on_with_history_and_debt(experiment, tmp_path, direction, mode):
    """From every year, by a new emulator, either way, with a debt and an age of it to carry."""
    tables = load_experiment(experiment)
    tables = tables.model_copy(
        update={"allocation": tables.allocation.model_copy(update={"mode": mode})}
    )
    emulator = Emulator.open(tables)
    plain = [emulator.start(2015, direction=direction)]
    step = plain[0].direction
    for number in range(1, 6):
        plain.append(emulator.step(2015 + step * number, plain[-1]))
        plain[-1].save(tmp_path / f"{number}.nc")
    assert plain[-1].debt.any() and plain[-1].history[2].any()
    for first in range(1, 5):
        again = Emulator.open(tables)
        state = again.start(restart=tmp_path / f"{first}.nc")
        assert state.direction == step
        state = step_to(again, state, 2015 + step * 5)
        assert state.checksum == plain[-1].checksum


def test_turning_round_needs_a_new_start(experiment, tmp_path):
    emulator = Emulator.open(experiment)
    state = emulator.start(2015, direction="backward")
    words = "step to 2016 from the map of 2015: expected 2014; one step is one year backward"
    with pytest.raises(StepError, match=f"{words}; turning round needs a new start"):
        emulator.step(2016, state)
    state.save(tmp_path / "restart.nc")
    with pytest.raises(StateError, match="restart steps backward, asked for forward; turning"):
        emulator.start(direction="forward", restart=tmp_path / "restart.nc")
    same = emulator.start(direction="backward", restart=tmp_path / "restart.nc")
    assert same.checksum == state.checksum


def test_maps_that_do_not_fit_are_no_start(make_emulator):
    emulator = make_emulator("regular", (33, 47))
    good = np.full((33, 47), 4, np.uint8)
    with pytest.raises(
        StateError, match=r"start in 2000: map of \(33, 46\) .* expected \(33, 47\)"
    ):
        emulator.start_from(2000, good[:, 1:])
    with pytest.raises(
        StateError, match=r"history of \[\(33, 47\), \(33, 47\)\], expected \(33, 47\) with 3"
    ):
        emulator.start_from(2000, good, np.stack([good, good]))
    with pytest.raises(StateError, match="land_use: 260 at"):
        emulator.start_from(2000, good.astype(np.int64) + 256)
