"""The scores of an evaluation in Markdown, for the model card: short tables under headings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from landstep.evaluation.drawing import title_of
from landstep.evaluation.page import number, percent
from landstep.evaluation.tables import (
    KNOWN,
    KNOWN_AT_ZERO,
    MAPS_NOTE,
    RUNS_NOTE,
    Table,
    areas_table,
    cautions,
    classes_table,
    gains_table,
    infill_table,
    lead_method,
    maps_table,
    quantity_table,
    runs_table,
    scores_table,
    spread_table,
    withheld_table,
)

COLUMNS = {
    "fom": "figure of merit",
    "fom_first": "first-time",
    "accuracy": "accuracy",
    "mean_iou": "mean IoU",
    "brier_skill": "Brier skill",
    "count_error": "count error",
}


def heading(level: int, title: str, remark: str = "") -> list[str]:
    """Write a heading between empty lines; remark : what must be read with it."""
    return ["", "#" * level + f" {title}" + (f" ({remark})" if remark else ""), ""]


def markdown_table(of: Table) -> list[str]:
    """Write a table, line by line."""
    lines = [[*of.head], *([number(cell) for cell in row] for row in of.rows)]
    written = ["| " + " | ".join(cells) + " |" for cells in lines]
    return [written[0], "|---" * len(of.head) + "|", *written[1:]]


def score_lines(results: Mapping[str, Any]) -> list[str]:
    """Write all that was found.

    results : of `suite.evaluate`
    """
    about = results["about"]
    known = KNOWN if about["known_quantities"] else ""
    lines = heading(2, "Scores", known)
    until = f", trained until {about['train_until']}" if about["train_until"] else ""
    lines += [f"On {about['experiment']}{until}.", "", *(f"- {note}" for note in about["notes"])]
    if "pairs" in results:
        for pair, more in zip(results["pairs"], results["details"], strict=True):
            lines += _pair(pair, more["methods"], known)
        lines += _withheld(results, known)
        lines += _quantity(results["quantity_error"], known)
        lines += _infill(results["infill"], known)
        lines += _maps(results["maps"], known)
    if "cross_validation" in results:
        lines += _folds(results["cross_validation"], known)
    if "free_run" in results:
        lines += _runs(results["free_run"], known)
    return lines


def _warned(*entries: Mapping[str, Any]) -> list[str]:
    return [line for text in cautions(*entries) for line in (f"> {text}", "")]


def _pair(pair: Mapping[str, Any], methods: Mapping[str, Any], known: str) -> list[str]:
    years, lead = f"{pair['from']} to {pair['to']}", lead_method(pair)
    return [
        *heading(3, years, known),
        *_warned(pair),
        f"{percent(pair['changed'], 2)} of {pair['cells']} cells of land changed.",
        "",
        *markdown_table(scores_table(pair, COLUMNS)),
        "",
        *markdown_table(gains_table(pair)),
        *heading(4, f"{years}, classes, {title_of(lead)}", known),
        *markdown_table(classes_table(methods, lead)),
    ]


def _withheld(results: Mapping[str, Any], known: str) -> list[str]:
    found = results["withheld"]
    lines = [*heading(3, "Without the map of the year before", known), *_warned(*found["pairs"])]
    return [*lines, found["note"], ""] + markdown_table(
        withheld_table(results["pairs"], found["pairs"])
    )


def _quantity(found: Mapping[str, Any], known: str) -> list[str]:
    title = f"When the quantities are wrong, {found['from']} to {found['to']}"
    lines = heading(3, title, KNOWN_AT_ZERO if known else "")
    return [*lines, *_warned(found), *markdown_table(quantity_table(found["curves"]))]


def _infill(found: Mapping[str, Any], known: str) -> list[str]:
    lines = heading(3, f"Hidden cells filled in, {found['from']} to {found['to']}", known)
    lines += _warned(found)
    for share in sorted({row["hidden_share"] for row in found["rows"]}):
        lines += [*markdown_table(infill_table(found["rows"], share)), ""]
    return lines[:-1]


def _maps(found: Mapping[str, Any], known: str) -> list[str]:
    if not found["rows"]:
        return []
    return [
        *heading(3, "Whole maps", known),
        *_warned(found),
        MAPS_NOTE,
        "",
        *markdown_table(maps_table(found["rows"])),
    ]


def _folds(found: Mapping[str, Any], known: str) -> list[str]:
    lines = heading(2, f"Cross-validation in space, {found['folds']} folds", known)
    lines.append(
        "Each model is scored where it did not learn; history table and boosting likewise. "
        "After each pair's scores: mean, standard deviation, lowest and highest over the folds."
    )
    for pair, apart in zip(found["pairs"], found["spread"], strict=True):
        lines += heading(3, f"{pair['from']} to {pair['to']}, folds", known)
        lines += [*_warned(pair), *markdown_table(scores_table(pair, COLUMNS)), ""]
        lines += [*markdown_table(gains_table(pair)), ""]
        lines += markdown_table(spread_table(pair, apart))
    return lines


def _runs(runs: Mapping[str, Any], known: str) -> list[str]:
    lines = heading(2, "Free run", known)
    lines += [RUNS_NOTE, "", *markdown_table(runs_table(runs))]
    areas = areas_table(runs)
    if areas.rows:
        lines += ["", "Error of each group's area, km2 a coarse cell, against the forcing:", ""]
        lines += markdown_table(areas)
    return lines
