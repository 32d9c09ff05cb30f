"""The model card in Markdown: what the ONNX file is and how good, beside what needs no model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from landstep.emulator.card import Card
from landstep.evaluation.page import Cell
from landstep.evaluation.score_markdown import heading, markdown_table, score_lines
from landstep.evaluation.tables import Table


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
        *heading(2, "Allocation"),
        "A move back to a class of the cell's last maps gains p(new) - stay weight x p(old), any "
        "other move p(new) - new weight x p(old); soft quotas pay the miss price for each cell "
        "missed.",
        "",
        *markdown_table(_weights(card)),
        *score_lines(results),
    ]
    return "\n".join(lines) + "\n"


def _weights(card: Card) -> Table:
    rows: list[list[Cell]] = [
        [str(w.years), *(f"{v:g}" for v in (w.stay_weight, w.new_weight, w.miss_price))]
        for w in card.weights
    ]
    return Table(("years ahead, at least", "stay weight", "new weight", "miss price"), rows)
