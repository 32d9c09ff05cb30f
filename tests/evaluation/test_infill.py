"""Filling hidden cells: what is hidden, nearest and proportional infill, quotas, scores."""

import numpy as np
import pytest

from landstep.emulator.classes import MASKED
from landstep.emulator.errors import ConfigError
from landstep.emulator.scores import mean_iou
from landstep.evaluation import infill
from landstep.evaluation.infill import (
    fill_by_odds,
    hidden_cells,
    hide,
    majority,
    nearest,
    nearest_odds,
    proportional,
    score_infill,
    totals_quota,
)
from landstep.evaluation.place import rule_of


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75, 1.0])
def test_about_the_asked_share_is_hidden_in_whole_patches(share):
    land = np.add.outer(np.arange(90), np.arange(110)) > 30
    hidden = hidden_cells(land, share, 8, 1)
    assert hidden.sum() / land.sum() == pytest.approx(share, abs=64 / land.sum())
    assert not (hidden & ~land).any()
    for y in range(0, 90, 8):
        for x in range(0, 110, 8):
            patch = (slice(y, y + 8), slice(x, x + 8))
            assert hidden[patch][land[patch]].all() or not hidden[patch].any()


def test_no_share_hides_nothing_and_an_impossible_one_is_refused():
    land = np.ones((20, 20), bool)
    assert not hidden_cells(land, 0).any()
    with pytest.raises(ConfigError, match="expected 0 to 1"):
        hidden_cells(land, 1.5)


def test_hidden_cells_are_hidden_in_the_prior_and_before_it_only(case):
    hidden = np.zeros(case.shape, bool)
    hidden[12:15, 12:15] = True
    forward, backward = hide(case, 2004, 2006, hidden), hide(case, 2004, 2002, hidden)
    for year in case.maps:
        for masked, out in ((forward, year <= 2004), (backward, year >= 2004)):
            assert (masked.maps[year][hidden] == MASKED).all() == out
            assert np.array_equal(masked.maps[year][~hidden], case.maps[year][~hidden])


def test_owed_totals_are_the_target_less_the_known_cells(case):
    hidden = np.zeros(case.shape, bool)
    hidden[14:20, 14:20] = True  # within block (2, 2)
    masked = hide(case, 2004, 2006, hidden)
    owed, plain = totals_quota(masked, 2004, 2006), case.quota(2004, 2006)
    here = np.ix_(case.row == 2, case.col == 2)
    for k in range(1, 9):
        target = int((case.maps[2006][here] == k).sum())
        known = int((masked.maps[2004][here] == k).sum())
        assert owed[k - 1, 2, 2] / 1_000_000 == pytest.approx(target - known, abs=1e-3)
    owed[:, 2, 2] = plain[:, 2, 2]
    assert np.array_equal(owed, plain)


def test_nearest_infill_equals_looking_for_the_nearest_known_cell(case):
    hidden = hidden_cells(case.maps[2004] > 0, 0.6, 6, 2)
    masked = hide(case, 2004, 2005, hidden)
    found = nearest(masked, 2004, 2005)
    known = np.argwhere((masked.maps[2004] != MASKED) & (masked.maps[2004] != 0))
    for y, x in np.argwhere(hidden)[::7]:
        distance = ((known - [y, x]) ** 2).sum(axis=1)
        least = known[distance == distance.min()]
        assert found[y, x] in {int(case.maps[2004][tuple(at)]) for at in least}
    assert np.array_equal(found[~hidden], case.maps[2004][~hidden])


def test_where_nothing_is_known_nothing_is_nearest(case):
    masked = hide(case, 2004, 2005, case.maps[2004] > 0)
    assert nearest(masked, 2004, 2005) is None
    rows = score_infill(case, 2004, 2005, {"nearest": nearest, "majority": majority}, shares=[1.0])
    assert [row.method for row in rows] == ["majority"]


def test_majority_takes_the_class_that_is_owed_most(case):
    masked = hide(case, 2004, 2005, case.maps[2004] > 0)
    found = majority(masked, 2004, 2005)
    here = np.ix_(case.row == 2, case.col == 2)
    counts = np.bincount(case.maps[2005][here].ravel(), minlength=9)
    assert (counts[found[here]] == counts[1:].max()).all()
    assert np.array_equal(found == 0, case.maps[2004] == 0)
    hidden = np.zeros(case.shape, bool)
    hidden[14:20, 14:20] = True  # of 49 cells 36; the known 13 are taken off the total
    part = majority(hide(case, 2004, 2005, hidden), 2004, 2005)
    counts -= np.bincount(case.maps[2004][here][~hidden[here]], minlength=9)
    assert (part[hidden] == counts.argmax()).all()


def test_proportional_infill_deals_out_what_is_owed(case):
    hidden = hidden_cells(case.maps[2004] > 0, 0.6, 6, 2)
    found = proportional(1)(hide(case, 2004, 2005, hidden), 2004, 2005)
    assert np.array_equal(found[~hidden], case.maps[2004][~hidden])
    assert (found[hidden] > 0).all() and (found[hidden] < 9).all()
    whole = case.block == 2 * 6 + 2
    share = hidden & whole
    prior, target = case.maps[2004], case.maps[2005]
    owed = np.array(
        [(target[whole] == k).sum() - (prior[whole & ~hidden] == k).sum() for k in range(9)]
    )
    owed = np.maximum(owed, 0) * share.sum() / np.maximum(owed, 0).sum()
    dealt = np.bincount(found[share], minlength=9)
    assert np.abs(dealt - owed).max() < 1


def test_a_coarse_cell_that_is_owed_nothing_still_gets_classes(case):
    hidden = np.zeros(case.shape, bool)
    hidden[14:21, 14:21] = True
    masked = hide(case, 2004, 2005, hidden)
    masked.forcing[2005] = np.nan_to_num(masked.forcing[2005]).copy()
    masked.forcing[2005][:, 2, 2] = 0
    found = proportional()(masked, 2004, 2005)
    assert (found[hidden] > 0).all() and (found[hidden] < 9).all()


def test_nearest_under_the_totals_meets_them(case):
    hidden = hidden_cells(case.maps[2004] > 0, 0.5, 6, 2)
    masked = hide(case, 2004, 2005, hidden)
    fill = fill_by_odds(nearest_odds, rule_of(case.scheme, 1, "exact"))
    found = fill(masked, 2004, 2005)
    for block in np.unique(case.block[hidden]):
        here = case.block == block
        off = np.bincount(found[here], minlength=9) - np.bincount(
            case.maps[2005][here], minlength=9
        )
        assert np.abs(off).max() <= 1


def test_nearest_under_the_totals_leaves_known_cells_as_they_are(case):
    hidden = hidden_cells(case.maps[2004] > 0, 0.5, 6, 2)
    masked = hide(case, 2004, 2005, hidden)
    masked.forcing[2005] = masked.forcing[2004]  # nothing is to change but what is hidden
    found = fill_by_odds(nearest_odds, rule_of(case.scheme, 1, "exact"))(masked, 2004, 2005)
    assert np.array_equal(found[~hidden], case.maps[2004][~hidden])


def test_what_is_hidden_is_hidden_in_the_maps_that_tell_returns(case, monkeypatch):
    hidden = hidden_cells(case.maps[2004] > 0, 0.5, 6, 2)
    seen, whole = [], infill.allocate
    monkeypatch.setattr(
        infill, "allocate", lambda *a, recent: seen.append(recent) or whole(*a, recent=recent)
    )
    fill_by_odds(nearest_odds, rule_of(case.scheme, 1, "exact"))(
        hide(case, 2004, 2005, hidden), 2004, 2005
    )
    (recent,) = seen
    assert (recent[:, hidden] == MASKED).all()
    maps = np.stack([case.maps[year] for year in (2003, 2002, 2001)])
    assert np.array_equal(recent[:, ~hidden], maps[:, ~hidden])


def test_infill_is_scored_on_hidden_and_seen_cells_apart(case):
    def truth(masked, before, after):
        return np.where(masked.maps[before] == MASKED, case.maps[after], case.maps[before])

    rows = score_infill(case, 2004, 2006, {"truth": truth, "nearest": nearest}, patch=6)
    expected = [(name, share) for share in (0.25, 0.5, 0.75) for name in ("truth", "nearest")]
    assert [(r.method, r.hidden_share) for r in rows] == [*expected, ("truth", 1.0)]
    land = case.maps[2004] > 0
    for row in rows:
        if row.method == "truth":
            assert row.error_hidden == 0
        else:
            assert row.error_hidden > 0.2
        hidden = hidden_cells(land, row.hidden_share, 6)
        seen = land & ~hidden
        if row.error_seen is None:
            assert row.hidden_share == 1
        else:
            wrong = (case.maps[2004] != case.maps[2006])[seen].mean()
            assert row.error_seen == pytest.approx(wrong)


@pytest.mark.parametrize("geographic", [False, True])
def test_filled_maps_have_mean_iou_with_and_without_what_is_not_land(new_case, geographic):
    case = new_case(geographic=geographic)
    rows = score_infill(case, 2004, 2006, {"nearest": nearest, "majority": majority}, patch=6)
    truth, land = case.maps[2006], case.maps[2004] > 0
    area = np.broadcast_to(case.area if geographic else 1.0, case.shape)

    def by_hand(found, cells, classes):
        ious = []
        for k in classes:
            true, guess = (truth == k) & cells, (found == k) & cells
            if true.any():
                ious.append(area[true & guess].sum() / area[true | guess].sum())
        return np.mean(ious)

    for row in rows:
        hidden = hidden_cells(land, row.hidden_share, 6)
        fill = {"nearest": nearest, "majority": majority}[row.method]
        found = fill(hide(case, 2004, 2006, hidden), 2004, 2006)
        everywhere = np.ones(case.shape, bool)
        assert row.mean_iou_hidden == pytest.approx(by_hand(found, hidden, range(9)))
        assert row.mean_iou == pytest.approx(by_hand(found, everywhere, range(9)))
        assert row.mean_iou_land == pytest.approx(by_hand(found, everywhere, range(1, 9)))
        assert row.mean_iou_land < row.mean_iou  # what is not land is never wrong


def test_infill_counts_the_cells_given_and_the_known_ones(case):
    case.maps[2006][25] = MASKED
    part = np.zeros(case.shape, bool)
    part[10:28] = True
    (row,) = score_infill(case, 2004, 2006, {"nearest": nearest}, shares=[0.5], cells=part, patch=6)
    hidden = hidden_cells(case.counted(2004, 2006), 0.5, 6)
    found = nearest(hide(case, 2004, 2006, hidden), 2004, 2006)
    known = part & (case.maps[2006] != MASKED)
    assert row.mean_iou == pytest.approx(mean_iou(found, case.maps[2006], known, 9))
    wrong = (found != case.maps[2006])[known & hidden].mean()
    assert row.error_hidden == pytest.approx(wrong)
