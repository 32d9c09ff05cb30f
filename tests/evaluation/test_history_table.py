"""The history table: counted by hand, smoothed towards shorter histories, blind where withheld."""

import numpy as np
import pytest

from landstep.emulator.classes import MASKED
from landstep.evaluation.history_table import SMOOTHING, fit_history_table

PAIRS = [(2003, 2004), (2004, 2005)]


def row_of(*classes: int) -> int:
    """Row of a history in the table of scheme brazil9."""
    place = 0
    for k in classes:
        place = place * 10 + k
    return place


def test_the_table_equals_counting_and_leaning_by_hand(case):
    table = fit_history_table(case, PAIRS).probability
    seen = {}
    for before, after in PAIRS:
        for y, x in zip(*np.nonzero(case.maps[before]), strict=True):
            key = tuple(int(case.maps[before - n][y, x]) for n in range(4))
            seen.setdefault(key, []).append(int(case.maps[after][y, x]))
    often = max(seen, key=lambda key: len(seen[key]))
    rare = min(seen, key=lambda key: len(seen[key]))
    for key in (often, rare):
        p = np.full(9, 1 / 9)
        for length in range(1, 5):
            after = [k for other, ks in seen.items() if other[:length] == key[:length] for k in ks]
            weight = SMOOTHING if length > 1 else 0.009
            p = (np.bincount(after, minlength=9) + weight * p) / (len(after) + weight)
        assert table[row_of(*key)] == pytest.approx(p)


def test_probabilities_sum_to_one_for_every_history(case):
    table = fit_history_table(case, PAIRS).probability
    assert table.shape == (10**4, 9)
    assert table.sum(axis=1) == pytest.approx(1)
    assert (table > 0).all()


def test_a_flickering_cell_is_expected_to_return(case):
    for year in range(2000, 2006):
        case.maps[year][10:20, 10:20] = 3 if year % 2 else 4
    odds = fit_history_table(case, PAIRS).odds(case, 2005, 2006)
    assert (odds[:, 12:18, 12:18].argmax(axis=0) == 4).all()


def test_a_withheld_map_does_not_move_the_odds(case):
    hidden = case.withhold(1)
    table = fit_history_table(hidden, PAIRS)
    before = table.odds(hidden, 2005, 2006)
    case.maps[2004][...] = np.where(case.maps[2004] == 0, 0, 7)
    assert np.array_equal(table.odds(hidden, 2005, 2006), before)
    assert not np.array_equal(table.odds(case, 2005, 2006), before)


def test_unknown_cells_lean_on_nothing(case):
    case.maps[2005][15, 15] = MASKED
    odds = fit_history_table(case, PAIRS).odds(case, 2005, 2006)
    assert np.isfinite(odds).all()
