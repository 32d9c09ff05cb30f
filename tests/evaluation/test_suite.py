"""The whole evaluation of a small model: every part, its files, and plans that cannot be."""

import csv
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from landstep.emulator.card import Weights
from landstep.emulator.emulator import Emulator
from landstep.emulator.errors import ConfigError, InputError
from landstep.evaluation import suite, tables
from landstep.evaluation.case import case_of
from landstep.evaluation.model import with_mode
from landstep.evaluation.plan import Plan
from landstep.evaluation.rivals import Rivals
from landstep.evaluation.score_markdown import markdown_table
from landstep.evaluation.scores_csv import scores_csv
from landstep.evaluation.suite import Evaluation, about, evaluate
from landstep.evaluation.write import write_evaluation

pytestmark = pytest.mark.slow

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
    case = replace(case, known_quantities=True, source="HILDA+ vGLOB-1.0, made up")
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
    assert [(p["from"], p["to"]) for p in results["withheld"]["pairs"]] == [*found.plan.pairs]
    assert "Boosting is not fitted again" in results["withheld"]["note"]
    assert {row["method"] for row in results["infill"]["rows"]} == {
        "model", "model_exact", "nearest", "majority", "nearest_totals", "proportional",
    }  # fmt: skip
    assert {curve["kind"] for curve in results["quantity_error"]["curves"]} == {
        "bias", "noise", "displaced",
    }  # fmt: skip
    curves = {curve["method"] for curve in results["quantity_error"]["curves"]}
    assert curves == {"model", "neighbourhood", "history_table", "boosting"}
    rows = results["maps"]["rows"]
    assert [row["row"] for row in rows][:3] == ["year 0", "year 1", "cold start"]
    runs = results["free_run"]
    assert [*runs] == ["forced", "constant", "constant_none", "truth"]
    assert [run.get("quotas") for run in runs.values()] == ["exact", "exact", "none", None]
    assert runs["constant"]["yearly_change"] == [0, 0, 0]
    assert runs["constant_none"]["yearly_change"][0] > 0
    assert results["free_run"]["forced"]["area_error_km2"].keys() == {
        "urban",
        "cropland",
        "pasture",
    }
    for error in results["free_run"]["constant"]["area_error_km2"].values():
        assert error["largest"] == 0 and error["coarse_cells"] > 0
    assert results["free_run"]["truth"]["years"] == 3


def test_the_json_is_the_results(found, folder):
    assert json.loads((folder / "scores.json").read_text("utf-8")) == json.loads(
        json.dumps(found.results, allow_nan=False)
    )


def test_the_csv_holds_the_numbers(found, folder):
    rows = [*csv.DictReader(io.StringIO((folder / "scores.csv").read_text("utf-8")))]
    assert {row["part"] for row in rows} == {
        "pairs", "withheld", "details", "transitions", "reliability", "infill", "quantity_error",
        "maps", "free_run",
    }  # fmt: skip
    assert {row["quantities"] for row in rows if row["part"] == "pairs"} == {"known"}
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
    assert "- source: random weights" in text
    entry = found.results["pairs"][0]
    row = next(line for line in text.splitlines() if line.startswith("| persistence"))
    assert f"{entry['persistence']['accuracy']:.4f}" in row
    assert "### 2015 to 2017" in text
    error = found.results["free_run"]["forced"]["area_error_km2"]["cropland"]
    assert f"| free run | cropland | {error['median']:.4f} |" in text
    assert "| years ahead, at least | stay weight | new weight | miss price |" in text
    assert "| 1 | 1 | 1 | 0.1 |" in text


def test_the_upper_bound_stands_wherever_scores_stand(folder):
    page = (folder / "report.html").read_text("utf-8")
    heads = re.findall(r"<h2[^>]*>(.*?)</h2>", page)
    assert len(heads) == 10 and all("quantities" in head for head in heads)
    bound = "<caption>known quantities(:| at 0 %:) an upper bound</caption>"
    assert page.count("<table>") == len(re.findall(f"<table>{bound}", page)) > 20
    assert page.count("<figcaption>") == page.count("<figcaption><em>known quantities")
    assert page.index("Known quantities") < page.index('class="cards"')
    card = (folder / "model_card.md").read_text("utf-8")
    lines = card[card.index("## Scores") :].splitlines()
    heads = [line for line in lines if line.startswith("#")]
    assert len(heads) == 10 and all("an upper bound)" in head for head in heads)


def test_the_card_has_a_table_of_every_part(found, folder):
    results, text = found.results, (folder / "model_card.md").read_text("utf-8")
    infill, blind = results["infill"]["rows"], results["withheld"]["pairs"]
    parts = [
        *(tables.gains_table(pair) for pair in results["pairs"]),
        *(tables.classes_table(more["methods"], "model") for more in results["details"]),
        tables.withheld_table(results["pairs"], blind),
        tables.quantity_table(results["quantity_error"]["curves"]),
        *(tables.infill_table(infill, share) for share in (0.5, 1.0)),
        tables.maps_table(results["maps"]["rows"]),
        tables.runs_table(results["free_run"]),
    ]
    for of in parts:
        assert of.rows and "\n".join(markdown_table(of)) in text


def test_scores_that_carry_no_claim_say_so(found, folder):
    results, text = found.results, "scores over one year carry no claim"
    for part in ("pairs", "details"):
        assert [text in entry.get("caution", "") for entry in results[part]] == [True, False]
    assert [text in p.get("caution", "") for p in results["withheld"]["pairs"]] == [True, False]
    for part in ("infill", "quantity_error", "maps"):
        assert text in results[part]["caution"]
    assert text in results["about"]["notes"][-1]
    page = (folder / "report.html").read_text("utf-8")
    sections = {s[: s.index(" <small>")]: s for s in re.split(r'<h2 id="part\d+">', page)[1:]}
    said = {title: text in body for title, body in sections.items()}
    assert [title for title in said if not said[title]] == ["2015 to 2017", "Running free"]
    card = (folder / "model_card.md").read_text("utf-8").split("\n### ")
    warned = {
        part.split(" (")[0] for part in card[1:] if f": {results['pairs'][0]['caution']}" in part
    }
    assert "2015 to 2016" in warned and "2015 to 2017" not in warned
    # the large numbers are those of the first pair that carries a claim
    assert "figure of merit 2015:2017" in page


def test_a_run_without_quotas_of_its_own_is_not_run_twice(emulator):
    case = case_of(emulator.inputs, "world", [2015])
    runs = evaluate(with_mode(emulator, "none"), case, Plan(run=(2015, 2017))).results["free_run"]
    assert [(name, run["quotas"]) for name, run in runs.items()] == [
        ("forced", "none"),
        ("constant", "none"),
    ]


def test_a_run_without_pairs_needs_no_training_years(emulator):
    case = case_of(emulator.inputs, "world", [2015])
    found = evaluate(emulator, case, Plan(run=(2015, 2017)))
    assert set(found.results) == {"about", "free_run"}
    assert "truth" not in found.results["free_run"]
    assert scores_csv(found.results).startswith(
        "part,from,to,method,quantity,value,quantities\nfree_run"
    )


def test_known_quantities_are_called_an_upper_bound(emulator, case):
    notes = about(emulator, case, Plan())["notes"]
    assert notes[0].startswith("Known quantities") and "upper bound" in notes[0]


def test_a_pair_that_the_model_cannot_predict_is_refused_at_once(emulator, case):
    class Card:
        name, lags = "tiny", (2,)

        def steps(self, direction):
            return True

    class Stub:
        card = Card()

    with pytest.raises(ConfigError, match="neither 1 nor 1"):
        evaluate(Stub(), case, Plan(pairs=((2008, 2009),), train_until=2008))


def test_all_methods_by_odds_go_by_the_weights_of_the_pairs_lag(case, monkeypatch):
    class Card:
        name, lags = "tiny", (1, 2)

        def steps(self, direction):
            return True

        def weights_for(self, lag):
            return Weights(years=lag, stay_weight=0.9, new_weight=lag / 10)

    class Stub:
        card = Card()

    said, rules = [], []
    plan = Plan(pairs=((2007, 2008), (2007, 2009)), train_until=2007, iterations=2)
    monkeypatch.setattr(suite, "score_pair", lambda case, before, after, methods, **_: methods)
    for methods in suite._pairs(Stub(), case, plan, Rivals(case, plan, None, said.append), print):
        rules.append({m.name: m.rule for m in methods if hasattr(m, "rule")})
    names = {"model", "model_exact", "history_table", "boosting"}
    for lag, by_name in zip((1, 2), rules, strict=True):
        assert by_name.keys() == names
        weights = {(rule.stay_weight, rule.new_weight) for rule in by_name.values()}
        assert weights == {(0.9, lag / 10)}
    assert len(said) == 4  # each lag's table and boosting were fitted once


def test_a_folder_that_cannot_be_made_is_named(found, emulator, tmp_path):
    in_the_way = tmp_path / "file"
    in_the_way.write_text("x")
    with pytest.raises(InputError, match="file"):
        write_evaluation(found, emulator.card, in_the_way)
