"""A scored pair: each number against its own metric, masks, weights, rivals, and refusals."""

import json

import numpy as np
import pytest

from landstep.emulator.card import Weights
from landstep.emulator.errors import ConfigError, InputError
from landstep.emulator.scores import accuracy, figure_of_merit, mean_iou
from landstep.evaluation.baselines import (
    RIVALS,
    Baselines,
    Neighbourhood,
    Persistence,
    RandomPlaces,
)
from landstep.evaluation.methods import ByMap, ByOdds, Prediction, by_odds
from landstep.evaluation.pairs import score_pair
from landstep.evaluation.place import rule_of

WEIGHTS = Weights(years=1, stay_weight=0.6, new_weight=0.5)
BAR = {
    "fom", "fom_first", "fom_return", "hits", "misses", "wrong_hits", "false_alarms", "accuracy",
    "mean_iou", "iou", "brier_skill", "count_error", "first_ratio_low",
}  # fmt: skip


def truth_told(case, before, after):
    """Odds that know the truth."""
    odds = np.zeros((case.scheme.n_classes, *case.shape), np.float32)
    np.put_along_axis(odds, case.maps[after][None].astype(np.int64), 12, axis=0)
    return odds


@pytest.fixture(scope="module")
def scored_case(new_case):
    return new_case()


@pytest.fixture(scope="module")
def scored(scored_case):
    case = scored_case
    soft, exact = (rule_of(case.scheme, 1, mode, WEIGHTS) for mode in ("soft", "exact"))
    rivals = Baselines(case, tuple(range(2000, 2008)), soft, iterations=2).methods(2007, 2009)
    models = by_odds("model", truth_told, [("", soft), ("_exact", exact)])
    return score_pair(case, 2007, 2009, [*models, *rivals])


def test_every_method_has_every_number_that_the_bar_names(scored):
    table = scored.as_dict()
    assert (table["from"], table["to"]) == (2007, 2009)
    for name in ("model", "model_exact", "random", "neighbourhood", "history_table", "boosting"):
        assert set(table[name]) >= BAR
    json.dumps(table, allow_nan=False)


def test_the_numbers_are_those_of_the_metrics(scored_case, scored):
    case = scored_case
    prior, truth, mask = case.maps[2007], case.maps[2009], scored.counted
    assert scored.cells == mask.sum() == (prior != 0).sum()
    assert scored.changed == (prior != truth)[mask].mean()
    for name, found in scored.predictions.items():
        entry = scored.scores[name]
        merit = figure_of_merit(prior, found.land_use, truth, mask)
        assert entry["fom"] == merit.value
        assert {k: entry[k] for k in vars(merit)} == vars(merit)
        assert entry["accuracy"] == accuracy(found.land_use, truth, mask)
        assert entry["mean_iou"] == pytest.approx(mean_iou(found.land_use, truth, mask, 9))
        assert np.mean(list(entry["iou"].values())) == pytest.approx(entry["mean_iou"])
        low, high = entry["fom_interval"]
        assert low <= entry["fom"] <= high


def test_knowing_the_truth_is_perfect(scored):
    entry = scored.scores["model_exact"]
    assert entry["fom"] == entry["fom_first"] == entry["accuracy"] == 1
    assert entry["count_error"] == 0
    assert entry["brier_skill"] > 0.99
    assert entry["first_ratio"] > 1 and entry["first_ratio_low"] > 1


def test_persistence_finds_no_change_and_errs_by_all_of_it(scored):
    entry = scored.scores["persistence"]
    assert entry["fom"] == entry["hits"] == entry["false_alarms"] == 0
    assert entry["brier"] == pytest.approx(scored.changed)
    assert entry["accuracy"] == pytest.approx(1 - scored.changed)


def test_the_rival_is_the_best_other_on_first_time_changes(scored):
    first = {name: scored.scores[name]["fom_first"] for name in RIVALS}
    best = max(first, key=first.get)
    assert scored.scores["model"]["first_rival"] == best
    assert scored.scores[best]["first_rival"] != best
    ratio = scored.scores["model"]["fom_first"] / first[best]
    assert scored.scores["model"]["first_ratio"] == pytest.approx(ratio)


def test_only_the_cells_given_count(case):
    fold = (case.block % 2).astype(bool)
    scored = score_pair(case, 2007, 2009, [Persistence(), RandomPlaces()], cells=fold)
    mask = fold & (case.maps[2007] != 0)
    assert scored.cells == mask.sum()
    found = scored.predictions["random"].land_use
    expected = figure_of_merit(case.maps[2007], found, case.maps[2009], mask).value
    assert scored.scores["random"]["fom"] == expected


def test_accuracy_is_weighted_by_area_on_latitudes(new_case):
    case = new_case(geographic=True)
    entry = score_pair(case, 2007, 2009, [Persistence()]).scores["persistence"]
    mask = case.maps[2007] != 0
    weight = np.broadcast_to(case.area, case.shape)[mask]
    right = (case.maps[2007] == case.maps[2009])[mask]
    assert entry["accuracy"] == pytest.approx((weight * right).sum() / weight.sum())
    assert entry["accuracy_cells"] == pytest.approx(right.mean())
    assert entry["accuracy"] != entry["accuracy_cells"]


def test_a_pair_runs_backward_too(case):
    soft = rule_of(case.scheme, -1, "soft", WEIGHTS)
    rivals = Baselines(case, tuple(range(2003, 2010)), soft, iterations=2).methods(2003, 2001)
    model = ByOdds("model", truth_told, soft)
    scored = score_pair(case, 2003, 2001, [model, *rivals])
    assert scored.scores["model"]["fom"] > 0.9
    prior, truth = case.maps[2003], case.maps[2001]
    later = np.stack([case.maps[year] for year in (2004, 2005, 2006)])
    back = ((prior != truth) & (later == truth).any(axis=0)).sum()  # history is the years after
    kinds = scored.scores["persistence"]["kinds"]
    assert kinds["return"]["misses"] == back > 0


def test_a_free_run_is_scored_by_its_map(case):
    run = ByMap("rolled", lambda case, before, after: case.maps[after])
    entry = score_pair(case, 2007, 2009, [run, Neighbourhood()]).scores["rolled"]
    assert entry["fom"] == 1 and entry["brier"] == 0
    assert "brier_skill" not in entry  # no history table to compare with


def test_odds_are_asked_for_once_for_all_rules(case):
    asked = []

    def odds(case, before, after):
        asked.append((before, after))
        return truth_told(case, before, after)

    rules = [(mode, rule_of(case.scheme, 1, mode, WEIGHTS)) for mode in ("soft", "exact")]
    methods = by_odds("model_", odds, rules)
    score_pair(case, 2007, 2009, methods)
    score_pair(case, 2008, 2009, methods)
    assert asked == [(2007, 2009), (2008, 2009)]


def test_the_probability_of_change_is_that_of_leaving_the_class():
    probability = np.array([[[0.2, 0.5]], [[0.8, 0.5]]], np.float32)
    found = Prediction(np.array([[1, 0]], np.uint8), probability)
    assert found.change_probability(np.array([[1, 0]], np.uint8)) == pytest.approx(
        np.array([[0.2, 0.5]])
    )
    certain = Prediction(np.array([[1, 0]], np.uint8))
    assert certain.change_probability(np.array([[1, 1]], np.uint8)).tolist() == [[0, 1]]


def test_requests_that_cannot_be_are_refused(case):
    with pytest.raises(ConfigError, match="each name once"):
        score_pair(case, 2007, 2009, [Persistence(), Persistence()])
    with pytest.raises(ConfigError, match="no map of 2050"):
        score_pair(case, 2007, 2050, [Persistence()])
    with pytest.raises(InputError, match="no cell of land"):
        score_pair(case, 2007, 2009, [Persistence()], cells=np.zeros(case.shape, bool))
