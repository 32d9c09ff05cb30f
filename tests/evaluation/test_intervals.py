"""Intervals equal scoring the cells of the drawn blocks themselves, again and again."""

from dataclasses import replace

import numpy as np
import pytest

from landstep.emulator.folds import number_blocks
from landstep.emulator.scores import accuracy, mean_iou
from landstep.evaluation.baselines import Neighbourhood, Persistence
from landstep.evaluation.block_sums import BlockSums
from landstep.evaluation.bootstrap import RESAMPLES, draws
from landstep.evaluation.change import ChangeCounts
from landstep.evaluation.intervals import intervals
from landstep.evaluation.methods import ByMap, ByOdds
from landstep.evaluation.pairs import score_pair
from landstep.evaluation.place import rule_of
from landstep.evaluation.probability import brier, skill


def doubtful(seed):
    """Odds that lean to the truth, with noise."""

    def odds(case, before, after):
        noise = np.random.default_rng(seed).normal(0, 1, (case.scheme.n_classes, *case.shape))
        odds = noise.astype(np.float32)
        told = case.maps[after][None].astype(np.int64)
        np.put_along_axis(odds, told, np.take_along_axis(odds, told, axis=0) + 2, axis=0)
        return odds

    return odds


@pytest.fixture(scope="module")
def drawn_again(new_case):
    """A scored pair on latitudes, and what it is worth on each of the drawn sets of blocks."""
    case = new_case(geographic=True)
    rule = rule_of(case.scheme, 1, "soft")
    methods = [ByOdds("model", doubtful(1), rule), ByOdds("history_table", doubtful(2), rule)]
    scored = score_pair(case, 2007, 2009, [*methods, Persistence(), Neighbourhood()], seed=5)
    prior, truth, mask = case.maps[2007], case.maps[2009], scored.counted
    block, n = number_blocks(case.row, case.col, mask)
    where = [np.flatnonzero((mask & (block == b)).ravel()) for b in range(n)]
    area = np.broadcast_to(case.area, case.shape).ravel()
    values = {"accuracy_gain": [], "mean_iou_gain": [], "brier_skill": []}
    for times in draws(n, 5).astype(int):
        cells = np.concatenate([np.tile(where[b], times[b]) for b in range(n)])
        then, now = prior.ravel()[cells], truth.ravel()[cells]
        all_cells = np.ones(cells.size, bool)
        scores, briers = {}, {}
        for name, found in scored.predictions.items():
            guess = found.land_use.ravel()[cells]
            scores[name] = (
                accuracy(guess, now, all_cells, area[cells]),
                mean_iou(guess, now, all_cells, 9, area[cells]),
            )
            briers[name] = brier(found.change_probability(prior).ravel()[cells], now != then)
        values["accuracy_gain"].append(scores["model"][0] - scores["persistence"][0])
        values["mean_iou_gain"].append(scores["model"][1] - scores["persistence"][1])
        values["brier_skill"].append(skill(briers["model"], briers["history_table"]))
    return scored, {name: np.array(found) for name, found in values.items()}


@pytest.mark.parametrize("name", ["accuracy_gain", "mean_iou_gain", "brier_skill"])
def test_an_interval_is_that_of_the_drawn_cells(drawn_again, name):
    scored, values = drawn_again
    entry = scored.scores["model"]
    assert len(values[name]) == RESAMPLES
    how = "lower" if name == "brier_skill" else "linear"
    expected = np.quantile(values[name], [0.025, 0.975], method=how)
    assert entry[f"{name}_interval"] == pytest.approx(expected, abs=1e-9)
    assert expected[0] < entry[name] < expected[1]
    assert np.ptp(values[name]) > 0


def test_a_gain_is_the_difference_of_the_scores(drawn_again):
    scored, _ = drawn_again
    for name, entry in scored.scores.items():
        for score in ("accuracy", "mean_iou"):
            gained = entry[score] - scored.scores["persistence"][score]
            assert entry.get(f"{score}_gain", 0) == pytest.approx(gained, abs=1e-12)
            assert (f"{score}_gain" in entry) == (name != "persistence")


def test_a_method_that_does_as_persistence_has_no_gain_in_any_draw(case):
    still = ByMap("still", lambda case, before, after: case.map(before))
    entry = score_pair(case, 2007, 2009, [still, Persistence()]).scores["still"]
    for score in ("accuracy", "mean_iou"):
        assert entry[f"{score}_gain"] == 0 and entry[f"{score}_gain_interval"] == [0, 0]


def test_what_there_is_nothing_to_compare_with_is_left_out(case):
    entry = score_pair(case, 2007, 2009, [Neighbourhood()]).scores["neighbourhood"]
    assert not [key for key in entry if "gain" in key or "brier_skill" in key]


def test_a_reference_that_is_never_wrong_leaves_no_bounds():
    two = np.ones((1, 2))
    change = ChangeCounts(np.ones((3, 4, 2), np.int64))
    right = BlockSums(change, two, two, two, cells=np.ones(2), squared=np.zeros(2))
    wrong = replace(right, squared=np.array([0.5, 0.5]))
    sums = {"model": wrong, "twin": right, "history_table": right}
    drawn = draws(2, resamples=50)
    assert intervals("model", sums, drawn, ())["brier_skill_interval"] == [None, None]
    assert intervals("twin", sums, drawn, ())["brier_skill_interval"] == [0, 0]
