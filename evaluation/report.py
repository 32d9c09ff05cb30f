"""The report of an evaluation as one HTML page, for a person to read from top to bottom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from landstep.evaluation.curves import draw_lags, draw_merit
from landstep.evaluation.drawing import title_of
from landstep.evaluation.map_pictures import draw_maps
from landstep.evaluation.page import cards, columns, figure, page, paragraph, section, table
from landstep.evaluation.report_sections import (
    classes_section,
    infill_section,
    lead_method,
    maps_section,
    methods_of,
    quantity_section,
    reliability_section,
    runs_section,
    withheld_section,
)
from landstep.evaluation.suite import Evaluation

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
    top = "".join(
        paragraph(note, "note warn" if note.startswith("Known") else "note")
        for note in about["notes"]
    )
    sections = []
    if evaluation.scored:
        top = _headline(results["pairs"]) + top
        sections += _pairs(evaluation)
        sections += [
            classes_section(results),
            reliability_section(results),
            withheld_section(results),
        ]
        sections += [quantity_section(results), infill_section(results), maps_section(results)]
    if "free_run" in results:
        sections.append(runs_section(results["free_run"]))
    lead = (
        f"Model {about['model']} ({about['model_sha256'][:12]}) on {about['experiment']}, "
        f"{about['cells'][0]} x {about['cells'][1]} cells"
        + (f", trained until {about['train_until']}." if about["train_until"] else ".")
    )
    shown = [part for part in sections if part[1]]
    return page(f"{about['experiment']}: how good is the model?", lead, top, shown)


def _headline(pairs: Sequence[Mapping[str, Any]]) -> str:
    """Write the first pair's main numbers large."""
    pair = pairs[0]
    model, still = pair[lead_method(pair)], pair["persistence"]
    gained = model["accuracy"] - still["accuracy"]
    entries = [
        (
            f"{model['fom']:.3f}",
            f"figure of merit {pair['from']}:{pair['to']}; the neighbourhood rule has "
            f"{pair['neighbourhood']['fom']:.3f}",
            model["fom"] > pair["neighbourhood"]["fom"],
        ),
        (f"{gained:+.4f}", "accuracy over persistence", gained >= 0),
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


def _pairs(evaluation: Evaluation) -> list[tuple[str, str]]:
    """Give one section a pair, and one that compares them."""
    tables = evaluation.results["pairs"]
    names = methods_of(*tables)
    lags = {abs(t["to"] - t["from"]) for t in tables}
    parts = [
        figure(draw_merit(tables, names), "Figure of merit with 95 % intervals from drawing blocks "
               "of coarse cells again, the same blocks for every method.")
    ]  # fmt: skip
    if len(lags) > 1:
        some = [name for name in names if name != "random"]
        parts.append(figure(draw_lags(tables, some), "Skill by the years between the two maps."))
    sections = [section("All pairs at a glance", *parts)]
    for scored, entry in zip(evaluation.scored, tables, strict=True):
        rows = [[title_of(n), *columns(entry[n], [*SCORES])] for n in methods_of(entry)]
        still = entry["persistence"]
        sections.append(
            section(
                f"{entry['from']} to {entry['to']}",
                paragraph(
                    f"{entry['changed']:.2%} of {entry['cells']} cells of land changed. Marked in "
                    "red: accuracy or mean IoU below persistence's."
                ),
                table(
                    ["method", *SCORES.values()],
                    rows,
                    best=BEST,
                    bar={8: still["accuracy"], 9: still["mean_iou"]},
                ),
                _against(entry),
                figure(
                    draw_maps(evaluation.case, scored, lead_method(entry)),
                    "True and predicted map, and what became of each cell that changed or was "
                    "predicted to; on a large map a dot is the most frequent outcome of the few "
                    "cells that it covers.",
                ),
            )
        )
    return sections


def _against(entry: Mapping[str, Any]) -> str:
    """Write each method's figure of merit over the others', with 95 % intervals."""
    names = [name for name in methods_of(entry) if name != "persistence"]
    rows = [[title_of(name), *columns(entry[name], [*AGAINST])] for name in names]
    said = [[title_of(v) if isinstance(v, str) else v for v in row] for row in rows]
    return table(["figure of merit as a ratio", *AGAINST.values()], said, places=2)
