"""The model card in Markdown: what the ONNX file is and how good, beside what needs no model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from landstep.emulator.card import Card
from landstep.evaluation.page import number
from landstep.evaluation.report_sections import methods_of

COLUMNS = {
    "fom": "figure of merit",
    "fom_first": "first-time",
    "accuracy": "accuracy",
    "mean_iou": "mean IoU",
    "brier_skill": "Brier skill",
    "count_error": "count error",
}


def card_markdown(card: Card, results: Mapping[str, Any]) -> str:
    """Write the card.

    card : of the ONNX file; results : of `suite.evaluate`
    """
    about = results["about"]
    lines = [
        f"# {card.name}",
        "",
        f"A landstep model: land use of the next years in class scheme `{card.scheme}`, from "
        "coarse forcing and the last maps.",
        "",
        f"- file sha256: `{about['model_sha256']}`",
        f"- classes: {', '.join(card.class_names)}",
        f"- forcing states: {', '.join(card.states)}",
        f"- statics: {', '.join([*card.continuous, *(c.name for c in card.categories)])}",
        f"- maps of the years before that it reads: {card.history}; direction: {card.direction}; "
        f"steps that it learned: {', '.join(map(str, card.lags))} years",
        f"- network: U-Net of depth {card.depth}, {card.base} channels at the top",
        f"- licence: {card.licence}",
        *(f"- source: {source}" for source in card.sources),
        "",
        "## Scores",
        "",
        f"On {about['experiment']}"
        + (f", trained until {about['train_until']}." if about["train_until"] else "."),
        *(f"{note}" for note in about["notes"]),
    ]
    for pair in results.get("pairs", []):
        lines += ["", f"### {pair['from']} to {pair['to']}", ""]
        lines.append(f"{pair['changed']:.2%} of {pair['cells']} cells of land changed.")
        lines += ["", *_table(pair)]
    run = results.get("free_run")
    if run:
        lines += ["", "## Free run", ""]
        lines += [
            f"- {name}: {found['years']} years from {found['start']}, "
            f"{found['changed_at_end']:.2%} of land changed at the end"
            for name, found in run.items()
        ]
    return "\n".join(lines) + "\n"


def _table(pair: Mapping[str, Any]) -> Sequence[str]:
    rows = [
        "| method | " + " | ".join(COLUMNS.values()) + " |",
        "|---" * (len(COLUMNS) + 1) + "|",
    ]
    for name in methods_of(pair):
        cells = [number(pair[name].get(key)) for key in COLUMNS]
        rows.append(f"| {name} | " + " | ".join(cells) + " |")
    return rows
