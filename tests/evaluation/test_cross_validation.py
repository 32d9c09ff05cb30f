"""Cross-validation in space: who answers where, who learns where, and models of other folds."""

import csv
import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from landstep.emulator.card import METADATA_KEY, Card, Weights, write_manifest
from landstep.emulator.emulator import Emulator
from landstep.emulator.errors import ConfigError
from landstep.evaluation import cross_validation
from landstep.evaluation.baselines import Neighbourhood, Persistence, RandomPlaces, training_pairs
from landstep.evaluation.case import case_of
from landstep.evaluation.cross_validation import (
    check_fold,
    check_folds,
    cross_validate,
    fold_emulators,
    fold_of,
)
from landstep.evaluation.history_table import fit_history_table
from landstep.evaluation.methods import ByOdds, by_odds
from landstep.evaluation.pairs import score_pair
from landstep.evaluation.place import rule_of
from landstep.evaluation.plan import Plan
from landstep.evaluation.suite import evaluate
from landstep.evaluation.write import write_evaluation

pytestmark = pytest.mark.slow

PLAN = Plan(pairs=((2007, 2009),), train_until=2007, iterations=2)
METHODS = [
    "model", "model_exact", "persistence", "random", "neighbourhood", "history_table", "boosting",
]  # fmt: skip


@dataclass
class StandInCard:
    """A card of which only lags, direction and training matter."""

    lags: tuple[int, ...] = (1, 2)
    direction: str = "forward"
    training: dict[str, Any] = field(default_factory=dict)
    name: str = "tiny"

    def steps(self, direction):
        return direction > 0

    def weights_for(self, lag):
        return Weights(years=lag, stay_weight=0.6, new_weight=0.6)


@dataclass
class StandIn:
    """An emulator that knows the truth in one fold, and says nothing elsewhere."""

    knows: int
    card: StandInCard = field(default_factory=StandInCard)

    def odds(self, case, before, after):
        there = fold_of(case, 3) == self.knows
        odds = np.zeros((case.scheme.n_classes, *case.shape), np.float32)
        told = np.where(there, case.maps[after], case.map(before))[None].astype(np.int64)
        np.put_along_axis(odds, told, 12, axis=0)
        return odds


@pytest.fixture
def stand_ins(monkeypatch):
    """Three emulators in the order of the folds that they know."""

    def methods(emulator, case, before, after):
        rules = [
            (suffix, rule_of(case.scheme, 1, mode))
            for suffix, mode in (("", "none"), ("_exact", "exact"))
        ]
        return by_odds("model", emulator.odds, rules)

    monkeypatch.setattr(cross_validation, "model_methods", methods)
    return [StandIn(0), StandIn(1), StandIn(2)]


def test_each_model_answers_for_its_own_fold(case, stand_ins):
    found = cross_validate(stand_ins, case, PLAN)
    (entry,) = found["pairs"]
    assert [name for name, value in entry.items() if isinstance(value, dict)] == METHODS
    assert entry["model"]["fom"] == entry["model"]["accuracy"] == 1
    assert entry["model_exact"]["fom"] == 1
    (wrong,) = cross_validate([*stand_ins[1:], stand_ins[0]], case, PLAN)["pairs"]
    assert wrong["model"]["fom"] == 0
    assert wrong["model"]["accuracy"] == entry["persistence"]["accuracy"]


def test_what_is_fitted_leaves_out_the_same_cells(case, stand_ins):
    (entry,) = cross_validate(stand_ins, case, PLAN)["pairs"]
    fold, rule = fold_of(case, 3), rule_of(case.scheme, 1, "soft", StandInCard().weights_for(2))
    pairs = training_pairs(range(2000, 2008), 2007, 2009)
    by_hand, everywhere = case.map(2007).copy(), fit_history_table(case, pairs)
    for number in range(3):
        table = fit_history_table(case, pairs, fold != number)
        there = ByOdds("t", table.odds, rule).predict(case, 2007, 2009).land_use
        by_hand[fold == number] = there[fold == number]
    counted = case.counted(2007, 2009)
    assert entry["history_table"]["accuracy"] == (by_hand == case.map(2009))[counted].mean()
    leaking = ByOdds("t", everywhere.odds, rule).predict(case, 2007, 2009).land_use
    assert not np.array_equal(by_hand, leaking)


def test_what_is_not_fitted_stays_as_it_is(case, stand_ins):
    (entry,) = cross_validate(stand_ins, case, PLAN)["pairs"]
    methods = [Persistence(), RandomPlaces(), Neighbourhood()]
    for name, scores in score_pair(case, 2007, 2009, methods).scores.items():
        assert entry[name]["fom"] == scores["fom"]


def test_the_spread_is_that_of_the_folds(case, stand_ins):
    found = cross_validate(stand_ins, case, PLAN)
    fold, land = fold_of(case, 3), case.map(2007) > 0
    assert found["folds"] == 3
    assert found["cells"] == [(fold == number).sum() for number in range(3)]
    assert sum(found["cells"]) == land.sum()
    still = case.map(2007) == case.map(2009)
    by_hand = [still[fold == number].mean() for number in range(3)]
    spread = found["spread"][0]["methods"]["persistence"]["accuracy"]
    assert spread["mean"] == pytest.approx(np.mean(by_hand))
    assert spread["sd"] == pytest.approx(np.std(by_hand, ddof=1))
    assert (spread["lowest"], spread["highest"]) == (min(by_hand), max(by_hand))
    json.dumps(found, allow_nan=False)


def test_each_folds_baselines_are_fitted_once_for_all_pairs(case, stand_ins):
    said = []
    plan = Plan(pairs=((2007, 2009), (2006, 2008)), train_until=2006, iterations=1)
    cross_validate(stand_ins, case, plan, said.append)
    assert [text for text in said if "fitting the history table" in text] == [
        f"fold {number}: fitting the history table, +2 years" for number in (1, 2, 3)
    ]


def test_a_jump_that_was_not_learned_is_stepped(case, stand_ins, monkeypatch):
    def rolled(emulator, case, before, after):
        return [ByOdds("model_rolled", emulator.odds, rule_of(case.scheme, 1, "none"))]

    monkeypatch.setattr(cross_validation, "model_methods", rolled)
    (entry,) = cross_validate(stand_ins, case, PLAN)["pairs"]
    assert entry["model_rolled"]["fom"] == 1 and "model" not in entry


@pytest.mark.parametrize(
    ("training", "says"),
    [
        ({}, r"b.onnx: its card says fold none, expected \[2, 5\]; name 5 models in the order"),
        ({"config": {"data": {"fold": None}}}, r"says fold none, expected \[2, 5\]"),
        ({"config": {"data": {"fold": [1, 5]}}}, r"says fold \[1, 5\], expected \[2, 5\]"),
        ({"config": {"data": {"fold": [2, 3]}}}, r"says fold \[2, 3\], expected \[2, 5\]"),
    ],
)
def test_a_model_of_another_fold_is_refused(training, says):
    with pytest.raises(ConfigError, match=says):
        check_fold(StandInCard(training=training), 2, 5, "b.onnx")
    check_fold(StandInCard(training={"config": {"data": {"fold": [2, 5]}}}), 2, 5, "b.onnx")


def test_what_cannot_be_cross_validated_is_refused_at_once(case):
    models = [StandIn(0), StandIn(1)]
    with pytest.raises(ConfigError, match="fold models need pairs"):
        check_folds(models, case, Plan(run=(2005, 2009)))
    with pytest.raises(ConfigError, match="neither 3 nor 1"):
        check_folds([StandIn(0, StandInCard(lags=(2,)))] * 2, case, Plan(pairs=((2005, 2008),)))
    with pytest.raises(ConfigError, match="expected the same in all"):
        check_folds([StandIn(0), StandIn(1, StandInCard(lags=(1,)))], case, PLAN)
    with pytest.raises(ConfigError, match="5 folds of 4 blocks"):
        check_folds([StandIn(k) for k in range(5)], case, PLAN)
    with pytest.raises(ConfigError, match="1 folds .* expected 2 folds or more"):
        check_folds(models[:1], case, PLAN)


def with_fold(model: Path, out: Path, fold: list[int]) -> Path:
    """Copy a model with a card that says a fold."""
    proto = onnx.load(model)
    for entry in proto.metadata_props:
        if entry.key == METADATA_KEY:
            card = Card.model_validate_json(entry.value)
            training = {**card.training, "config": {"data": {"fold": fold}}}
            entry.value = card.model_copy(update={"training": training}).model_dump_json()
    out.write_bytes(proto.SerializeToString())
    write_manifest(out)
    return out


def test_the_whole_evaluation_reports_it(experiment, tiny_model, untrained_model, tmp_path):
    emulator = Emulator.open(experiment)
    models = [
        with_fold(tiny_model, tmp_path / "1.onnx", [1, 2]),
        with_fold(untrained_model, tmp_path / "2.onnx", [2, 2]),
    ]
    with pytest.raises(ConfigError, match=r"2.onnx: its card says fold \[2, 2\], expected \[1, 2"):
        fold_emulators(emulator, models[::-1])
    apart = fold_emulators(emulator, models)
    assert apart[0].session.sha256 != apart[1].session.sha256
    case = case_of(emulator.inputs, "world", range(2011, 2017))
    plan = Plan(
        pairs=((2015, 2016),),
        train_until=2015,
        iterations=1,
        levels=(0.0, 1.0),
        hidden_shares=(0.5,),
    )
    found = evaluate(emulator, case, plan, fold_models=apart)
    table = found.results["cross_validation"]
    assert table["folds"] == 2
    entry = table["pairs"][0]
    for score in ("accuracy", "brier", "misses"):
        assert entry["persistence"][score] == found.results["pairs"][0]["persistence"][score]
    write_evaluation(found, emulator.card, tmp_path / "out")
    text = (tmp_path / "out/scores.csv").read_text("utf-8")
    rows = {
        (row["part"], row["method"], row["quantity"]): float(row["value"])
        for row in csv.DictReader(io.StringIO(text))
    }
    assert rows["cross_validation", "model", "fom"] == entry["model"]["fom"]
    spread = table["spread"][0]["methods"]["model"]["fom"]
    assert rows["spread_over_folds", "model", "fom.sd"] == spread["sd"]
    page = (tmp_path / "out/report.html").read_text("utf-8")
    assert "<h2" in page and ">Cross-validation in space</h2>" in page
    assert f"{spread['mean']:.4f} \N{PLUS-MINUS SIGN} {spread['sd']:.4f}" in page
    card = (tmp_path / "out/model_card.md").read_text("utf-8")
    assert "## Cross-validation in space, 2 folds" in card
    assert f"{spread['mean']:.4f} \N{PLUS-MINUS SIGN} {spread['sd']:.4f}" in card
