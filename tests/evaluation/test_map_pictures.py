"""Maps of outcomes: what is drawn is what is counted."""

import numpy as np

from landstep.evaluation.baselines import Neighbourhood
from landstep.evaluation.map_pictures import busiest, gathered, outcomes
from landstep.evaluation.pairs import score_pair


def test_each_outcome_is_drawn_as_often_as_it_is_counted(case):
    scored = score_pair(case, 2004, 2008, [Neighbourhood()])
    entry = scored.scores["neighbourhood"]
    found = scored.predictions["neighbourhood"].land_use
    drawn = outcomes(case.maps[2004], found, case.maps[2008], scored.counted)
    kinds = ("hits", "wrong_hits", "misses", "false_alarms")
    counts = np.bincount(drawn.ravel(), minlength=5)[1:].tolist()
    assert counts == [entry[kind] for kind in kinds]
    assert min(counts) > 0


def test_the_piece_drawn_large_is_where_most_changes():
    flags = np.zeros((30, 40), bool)
    flags[20:24, 33:37] = True
    rows, cols = busiest(flags, 8)
    assert flags[rows, cols].sum() == 16 and rows.stop - rows.start == 8


def test_a_dot_is_the_most_frequent_outcome_of_its_cells():
    few = np.array([[0, 1, 2, 0], [0, 1, 2, 2], [0, 0, 3, 0]], np.uint8)
    assert gathered(few, 2).tolist() == [[1, 2], [0, 3]]
    assert gathered(few, 1) is few
