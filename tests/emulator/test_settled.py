"""Blocks whose inputs did not change are not computed again, and the maps are the same."""

from dataclasses import replace

import numpy as np

from landstep.emulator.classes import MASKED
from landstep.emulator.settled import Settled


class Counting:
    """A session that counts the windows it runs."""

    def __init__(self, session):
        self.session, self.windows = session, 0
        self.card, self.sha256, self.provenance = session.card, session.sha256, session.provenance

    def run(self, inputs):
        self.windows += 1
        return self.session.run(inputs)


def counted(emulator):
    """Give an emulator that counts, and its counter."""
    session = Counting(emulator.session)
    return replace(emulator, session=session), session


def test_what_did_not_change_is_not_computed_again(make_emulator, untrained_model):
    """An untrained network keeps known cells; forcing stands still but in one coarse cell."""

    class Still:
        def __init__(self, forcing):
            self.forcing = forcing

        def __getattr__(self, name):
            return getattr(self.forcing, name)

        def year(self, year):
            fractions = self.forcing.year(2000).copy()
            fractions[3, 0, 0] += 0.01 * (year - 2000)
            return fractions

    plain = make_emulator("regular", (75, 101), core=21, mode="none", model=untrained_model)
    plain = replace(plain, inputs=replace(plain.inputs, forcing=Still(plain.inputs.forcing)))
    emulator, session = counted(plain)
    first = emulator.start(2000).land_use
    known = np.where(first == MASKED, 3, first).astype(np.uint8)
    state = emulator.start_from(2000, known, [known] * emulator.card.history)
    computed = []
    for year in range(2001, 2005):
        before = session.windows
        following = emulator.step(year, state)
        computed.append(session.windows - before)
        again = replace(plain).step(year, state)  # remembers nothing, computes all
        assert following.checksum == again.checksum
        state = following
    assert computed[0] > 8 and computed[2] == computed[3]
    assert 0 < computed[3] < computed[0]


def test_a_quota_of_no_cell_needs_no_network(make_emulator):
    """With quotas only coarse cells that owe a cell are looked at; the maps do not depend on it."""
    emulator, session = counted(make_emulator("regular", (75, 101), core=21))
    state = emulator.step(2001, emulator.start(2000))
    quiet = replace(state, debt=-emulator.demand.asked(2001, 2002))
    before = session.windows
    following = emulator.step(2002, quiet)
    assert session.windows == before
    assert np.array_equal(following.land_use, state.land_use)


def test_only_an_answer_that_changed_nothing_is_remembered():
    settled, block = Settled(), (0, 1, 0, 1)
    assert not settled.holds(block, b"a")
    settled.note(block, b"a", unchanged=True)
    assert settled.holds(block, b"a") and not settled.holds(block, b"b")
    settled.note(block, b"b", unchanged=False)
    assert not settled.holds(block, b"a") and not settled.holds(block, b"b")
