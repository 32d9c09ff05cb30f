"""The whole evaluation of a small model: every part, its files, and plans that cannot be."""

import csv
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from landstep.emulator.emulator import Emulator
from landstep.emulator.errors import ConfigError, InputError
from landstep.evaluation.case import case_of
from landstep.evaluation.plan import Plan, check_plan, training_years
from landstep.evaluation.suite import Evaluation, about, evaluate
from landstep.evaluation.write import scores_csv, write_evaluation

METHODS = [
    "model", "model_exact", "model_rolled", "persistence", "random", "neighbourhood",
    "history_table", "boosting",
]  # fmt: skip


@pytest.fixture(scope="module")
def emulator(experiment: Path) -> Emulator:
    return Emulator.open(experiment)


@pytest.fixture(scope="module")
def found(emulator: Emulator) -> Evaluation:
    case = case_of(emulator.inputs, "a <small> world", range(2009, 2019))
    plan = Plan(
        pairs=((2015, 2016), (2015, 2017)),
        train_until=2015,
        run=(2015, 2018),
        iterations=2,
        levels=(0.0, 1.0),
        hidden_shares=(0.5, 1.0),
    )
    return evaluate(emulator, case, plan)


@pytest.fixture(scope="module")
def folder(found: Evaluation, emulator: Emulator, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("evaluation") / "made" / "here"
    write_evaluation(found, emulator.card, out)
    return out


def test_every_pair_has_every_method(found):
    for entry, pair in zip(found.results["pairs"], found.plan.pairs, strict=True):
        assert (entry["from"], entry["to"]) == pair
        assert [name for name, value in entry.items() if isinstance(value, dict)] == METHODS
    assert [[*d["methods"]] for d in found.results["details"]] == [METHODS, METHODS]


def test_probabilities_are_let_go_of_and_maps_kept(found):
    for scored in found.scored:
        for prediction in scored.predictions.values():
            assert prediction.probability is None
            assert prediction.land_use.shape == found.case.shape


def test_the_other_parts_are_there(found):
    results = found.results
    assert len(results["withheld"]) == 2
    assert {row["method"] for row in results["infill"]["rows"]} == {
        "model", "model_exact", "nearest", "majority", "nearest_totals", "proportional",
    }  # fmt: skip
    assert {curve["kind"] for curve in results["quantity_error"]["curves"]} == {
        "bias", "noise", "displaced",
    }  # fmt: skip
    assert [row["row"] for row in results["maps"]][:3] == ["year 0", "year 1", "cold start"]
    assert results["free_run"]["constant"]["yearly_change"] == [0, 0, 0]
    assert results["free_run"]["forced"]["area_error_km2"].keys() == {
        "urban",
        "cropland",
        "pasture",
    }
    assert "area_error_km2" not in results["free_run"]["constant"]
    assert results["free_run"]["truth"]["years"] == 3


def test_the_json_is_the_results(found, folder):
    assert json.loads((folder / "scores.json").read_text("utf-8")) == json.loads(
        json.dumps(found.results, allow_nan=False)
    )


def test_the_csv_holds_the_numbers(found, folder):
    rows = [*csv.DictReader(io.StringIO((folder / "scores.csv").read_text("utf-8")))]
    assert {row["part"] for row in rows} == {
        "pairs", "withheld", "details", "infill", "quantity_error", "maps", "free_run",
    }  # fmt: skip
    chosen = {
        (row["from"], row["to"], row["method"]): float(row["value"])
        for row in rows
        if row["part"] == "pairs" and row["quantity"] == "iou.forest"
    }
    for entry in found.results["pairs"]:
        for name in METHODS:
            key = (str(entry["from"]), str(entry["to"]), name)
            assert chosen[key] == entry[name]["iou"]["forest"]


class Page(HTMLParser):
    """Collects what a page refers to, and whether its tags close."""

    def __init__(self):
        super().__init__()
        self.refers, self.open, self.pictures = [], [], 0

    def handle_starttag(self, tag, attrs):
        self.refers += [value for key, value in attrs if key in ("src", "href")]
        self.pictures += tag == "img"
        if tag not in ("img", "meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_whole_and_points_nowhere(folder):
    text = (folder / "report.html").read_text("utf-8")
    page = Page()
    page.feed(text)
    assert page.open == []
    assert page.pictures == 8  # merit, lags, 2 maps, reliability, quantities, infill, free run
    for target in page.refers:
        assert target.startswith(("data:image/png;base64,", "#part"))
    outside = re.sub(r"base64,[^\"]+", "", text)
    assert "http" not in outside and "url(" not in outside and "<script" not in outside
    assert "a &lt;small&gt; world" in text and "<small> world" not in text


def test_the_model_card_names_file_sources_and_scores(folder, emulator, found):
    text = (folder / "model_card.md").read_text("utf-8")
    assert emulator.session.sha256 in text
    assert "source: random weights" in text
    entry = found.results["pairs"][0]
    row = next(line for line in text.splitlines() if line.startswith("| persistence"))
    assert f"{entry['persistence']['accuracy']:.4f}" in row
    assert "### 2015 to 2017" in text


def test_a_run_without_pairs_needs_no_training_years(emulator):
    case = case_of(emulator.inputs, "world", [2015])
    found = evaluate(emulator, case, Plan(run=(2015, 2017)))
    assert set(found.results) == {"about", "free_run"}
    assert "truth" not in found.results["free_run"]
    assert scores_csv(found.results).startswith("part,from,to,method,quantity,value\nfree_run")


def test_known_quantities_are_called_an_upper_bound(emulator, case):
    notes = about(emulator, case, Plan())["notes"]
    assert notes[0].startswith("Known quantities") and "upper bound" in notes[0]


def test_training_years_end_where_the_target_begins():
    assert training_years(range(2000, 2013), 2008, 2012, 2008) == tuple(range(2000, 2009))
    assert training_years(range(1960, 1980), 1970, 1965, 1970) == tuple(range(1970, 1980))
    for pair in ((2005, 2008), (2005, 2006)):
        with pytest.raises(ConfigError, match="is a training year"):
            training_years(range(2000, 2013), *pair, 2008)
    with pytest.raises(ConfigError, match="is a training year"):
        training_years(range(1960, 1980), 1975, 1970, 1970)


@pytest.mark.parametrize(
    ("plan", "says"),
    [
        (Plan(), "nothing to evaluate"),
        (Plan(pairs=((2005, 2006),)), "need the last training year"),
        (Plan(pairs=((2005, 2030),), train_until=2005), "no map of 2030"),
        (Plan(pairs=((2005, 2005),), train_until=2005), "two different years"),
        (Plan(pairs=((2005, 2006),), train_until=2007), "is a training year"),
        (Plan(pairs=((2002, 2009),), train_until=2003), "hold no two years 7 apart"),
        (Plan(run=(2005, 2006)), "two years or more"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(case, plan, says):
    with pytest.raises(ConfigError, match=says):
        check_plan(case, plan)


def test_a_pair_that_the_model_cannot_predict_is_refused_at_once(emulator, case):
    class Card:
        name, lags = "tiny", (2,)

        def steps(self, direction):
            return True

    class Stub:
        card = Card()

    with pytest.raises(ConfigError, match="neither 1 nor 1"):
        evaluate(Stub(), case, Plan(pairs=((2008, 2009),), train_until=2008))


def test_a_folder_that_cannot_be_made_is_named(found, emulator, tmp_path):
    in_the_way = tmp_path / "file"
    in_the_way.write_text("x")
    with pytest.raises(InputError, match="file"):
        write_evaluation(found, emulator.card, in_the_way)


def test_maps_of_outcomes_count_each_cell_once(found):
    from landstep.evaluation.map_pictures import busiest, gathered, outcomes

    scored = found.scored[0]
    prior, truth = found.case.maps[2015], found.case.maps[2016]
    entry = scored.scores["model"]
    drawn = outcomes(prior, scored.predictions["model"].land_use, truth, scored.counted)
    counts = np.bincount(drawn.ravel(), minlength=5)
    kinds = ("hits", "wrong_hits", "misses", "false_alarms")
    assert counts[1:].tolist() == [entry[kind] for kind in kinds]
    flags = np.zeros((30, 40), bool)
    flags[20:24, 33:37] = True
    rows, cols = busiest(flags, 8)
    assert flags[rows, cols].sum() == 16 and rows.stop - rows.start == 8
    few = np.array([[0, 1, 2, 0], [0, 1, 2, 2], [0, 0, 3, 0]], np.uint8)
    assert gathered(few, 2).tolist() == [[1, 2], [0, 3]]
    assert gathered(few, 1) is few
