"""The report of an evaluation as one HTML page, for a person to read from top to bottom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from landstep.evaluation.curves import draw_lags, draw_merit
from landstep.evaluation.drawing import title_of
from landstep.evaluation.map_pictures import draw_maps
from landstep.evaluation.page import (
    Section,
    cards,
    columns,
    figure,
    page,
    paragraph,
    percent,
    section,
)
from landstep.evaluation.page import table as html_table
from landstep.evaluation.report_sections import (
    classes_section,
    infill_section,
    maps_section,
    quantity_section,
    reliability_section,
    runs_section,
    shown,
    warned,
    withheld_section,
)
from landstep.evaluation.suite import Evaluation
from landstep.evaluation.tables import (
    KNOWN,
    KNOWN_AT_ZERO,
    gains_table,
    lead_method,
    methods_of,
    scores_table,
    spread_table,
)

SCORES = {
    "fom": "figure of merit",
    "fom_first": "first-time",
    "fom_return": "returns",
    "hits": "hits",
    "misses": "misses",
    "wrong_hits": "wrong hits",
    "false_alarms": "false alarms",
    "accuracy": "accuracy",
    "mean_iou": "mean IoU",
    "brier_skill": "Brier skill",
    "count_error": "count error",
}
AGAINST = {
    "first_ratio": "first-time against the best other",
    "first_ratio_low": "from",
    "first_ratio_high": "to",
    "first_rival": "the best other",
    "fom_ratio": "all changes against the neighbourhood",
    "fom_ratio_low": "from",
    "fom_ratio_high": "to",
}
BEST = {1: True, 2: True, 3: True, 8: True, 9: True, 10: True}


def report(evaluation: Evaluation) -> str:
    """Write the page: what was found, pair by pair, then what it depends on.

    Raises DependencyError without matplotlib.
    """
    results = evaluation.results
    about = results["about"]
    bound, notes = KNOWN if about["known_quantities"] else "", about["notes"]
    top = "".join(paragraph(note, "note warn") for note in notes if note.startswith("Known"))
    sections: list[Section] = []
    if evaluation.scored:
        top += _headline(results["pairs"])
        sections += _pairs(evaluation)
        sections += [
            classes_section(results),
            reliability_section(results),
            withheld_section(results),
        ]
        sections += [quantity_section(results, KNOWN_AT_ZERO if bound else "")]
        sections += [infill_section(results), maps_section(results)]
    top += "".join(paragraph(note, "note") for note in notes if not note.startswith("Known"))
    if "cross_validation" in results:
        sections.append(_folds(results["cross_validation"]))
    if "free_run" in results:
        sections.append(runs_section(results["free_run"]))
    lead = (
        f"Model {about['model']} ({about['model_sha256'][:12]}) on {about['experiment']}, "
        f"{about['cells'][0]} x {about['cells'][1]} cells"
        + (f", trained until {about['train_until']}." if about["train_until"] else ".")
    )
    kept = [replace(one, remark=one.remark or bound) for one in sections if one.body]
    return page(f"{about['experiment']}: how good is the model?", lead, top, kept)


def _headline(pairs: Sequence[Mapping[str, Any]]) -> str:
    """Write one pair's main numbers large: the first of those that carry a claim."""
    pair = next((one for one in pairs if "caution" not in one), pairs[0])
    model, years = pair[lead_method(pair)], f"{pair['from']}:{pair['to']}"
    low, high = model["accuracy_gain_interval"]
    entries = [
        (
            f"{model['fom']:.3f}",
            f"figure of merit {years}; the neighbourhood rule has "
            f"{pair['neighbourhood']['fom']:.3f}",
            model["fom"] > pair["neighbourhood"]["fom"],
        ),
        (
            f"{model['accuracy_gain']:+.4f}",
            f"accuracy over persistence; 95 % interval {low:+.4f} to {high:+.4f}",
            model["accuracy_gain"] >= 0,
        ),
    ]
    if model.get("first_ratio") is not None:
        entries.append(
            (
                f"{model['first_ratio']:.2f} x",
                f"first-time changes against the best other ({model['first_rival']}); lower end "
                f"{model['first_ratio_low'] or 0:.2f}".replace("_", " "),
                (model["first_ratio_low"] or 0) > 1,
            )
        )
    if model.get("brier_skill") is not None:
        entries.append(
            (
                f"{model['brier_skill']:+.3f}",
                "Brier skill of the probability of change over the history table",
                model["brier_skill"] > 0,
            )
        )
    return cards(entries)


def _pairs(evaluation: Evaluation) -> list[Section]:
    """Give one section a pair, and one that compares them."""
    tables = evaluation.results["pairs"]
    names = methods_of(*tables)
    lags = {abs(t["to"] - t["from"]) for t in tables}
    parts = [
        warned(*tables),
        figure(draw_merit(tables, names), "Figure of merit with 95 % intervals from drawing blocks "
               "of coarse cells again, the same blocks for every method."),
    ]  # fmt: skip
    if len(lags) > 1:
        some = [name for name in names if name != "random"]
        parts.append(figure(draw_lags(tables, some), "Skill by the years between the two maps."))
    sections = [section("All pairs at a glance", *parts)]
    for scored, entry in zip(evaluation.scored, tables, strict=True):
        sections.append(
            section(
                f"{entry['from']} to {entry['to']}",
                warned(entry),
                paragraph(
                    f"{percent(entry['changed'], 2)} of {entry['cells']} cells of land changed. "
                    "Marked in red: accuracy or mean IoU below persistence's."
                ),
                *_scores(entry),
                figure(
                    draw_maps(evaluation.case, scored, lead_method(entry)),
                    "True and predicted map, and what became of each cell that changed or was "
                    "predicted to; on a large map a dot is the most frequent outcome of the few "
                    "cells that it covers.",
                ),
            )
        )
    return sections


def _scores(entry: Mapping[str, Any]) -> list[str]:
    """Write a pair's scores, gains over persistence, and ratios, a row a method."""
    still = entry["persistence"]
    return [
        shown(
            scores_table(entry, SCORES),
            best=BEST,
            bar={8: still["accuracy"], 9: still["mean_iou"]},
        ),
        shown(gains_table(entry)),
        _against(entry),
    ]


def _folds(found: Mapping[str, Any]) -> Section:
    """Give the section on the cross-validation in space."""
    cells = ", ".join(map(str, found["cells"]))
    body = [
        paragraph(
            f"Each of {found['folds']} models left a fold of the land out of its training, blocks "
            f"of {found['tile']} x {found['tile']} coarse cells; its map counts there alone. "
            f"History table and boosting leave out the same cells. Cells of land by fold: {cells}."
        )
    ]
    for entry, apart in zip(found["pairs"], found["spread"], strict=True):
        body.append(f"<h3>{entry['from']} to {entry['to']}</h3>")
        body += [warned(entry), *_scores(entry), shown(spread_table(entry, apart))]
    return section("Cross-validation in space", *body)


def _against(entry: Mapping[str, Any]) -> str:
    """Write each method's figure of merit over the others', with 95 % intervals."""
    names = [name for name in methods_of(entry) if name != "persistence"]
    rows = [[title_of(name), *columns(entry[name], [*AGAINST])] for name in names]
    said = [[title_of(v) if isinstance(v, str) else v for v in row] for row in rows]
    return html_table(["figure of merit as a ratio", *AGAINST.values()], said, places=2)
