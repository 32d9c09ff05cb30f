"""Scores of whole maps, by hand; the table from a model is tested with the model."""

import numpy as np
import pytest

from landstep.evaluation.map_table import map_scores


def test_scores_of_a_whole_map_by_hand(case):
    truth, found = case.maps[2005], case.maps[2005].copy()
    truth[...], found[...] = 1, 1
    truth[:10], found[:10] = 0, 0  # 370 cells of sea, all right
    truth[10:20], found[10:15] = 2, 2  # 370 cells of class 2, half of them taken for class 1
    scores = map_scores(case, "row", 2005, found)
    cells = 29 * 37
    ious = {0: 1.0, 1: 333 / (333 + 185), 2: 185 / 370}
    assert scores.accuracy == pytest.approx(1 - 185 / cells)
    assert scores.mean_iou == pytest.approx(np.mean(list(ious.values())))
    assert scores.mean_iou_land == pytest.approx((ious[1] + ious[2]) / 2)
    f1 = {0: 1.0, 1: 2 * 333 / (333 + 518), 2: 2 * 185 / (370 + 185)}
    assert scores.macro_f1 == pytest.approx(np.mean(list(f1.values())))
    weighted = (370 * f1[0] + 333 * f1[1] + 370 * f1[2]) / cells
    assert scores.weighted_f1 == pytest.approx(weighted)
    assert scores.classes["other_natural"]["recall"] == 0.5


def test_cells_of_unknown_truth_do_not_count(case):
    case.maps[2005][20] = 255
    found = case.maps[2006].copy()
    before = map_scores(case, "row", 2005, found).accuracy
    found[20] = 7
    assert map_scores(case, "row", 2005, found).accuracy == before
