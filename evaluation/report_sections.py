"""Sections of the report beyond the pairs themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from landstep.evaluation.curves import draw_infill, draw_quantity, draw_reliability, draw_runs
from landstep.evaluation.drawing import title_of
from landstep.evaluation.page import (
    Section,
    columns,
    figure,
    fold,
    paragraph,
    percent,
    section,
    table,
)
from landstep.evaluation.tables import (
    MAPS_NOTE,
    MODEL,
    RUNS_NOTE,
    Table,
    areas_table,
    cautions,
    classes_table,
    infill_table,
    lead_method,
    maps_table,
    quantity_table,
    runs_table,
    withheld_table,
)


def shown(
    of: Table,
    *,
    best: Mapping[int, bool] | None = None,
    bar: Mapping[int, float] | None = None,
    places: int = 4,
) -> str:
    """Write a table of scores; parameters as of `page.table`."""
    return table(of.head, of.rows, best=best, bar=bar, places=places)


def warned(*entries: Mapping[str, Any]) -> str:
    """Write what must be said of some pairs of years; nothing for nothing."""
    return "".join(paragraph(text, "note warn") for text in cautions(*entries))


def classes_section(results: Mapping[str, Any]) -> Section:
    """Classes, transitions, disagreement and areas of the model's main method, pair by pair."""
    body = []
    for entry, pair in zip(results["details"], results["pairs"], strict=True):
        name = lead_method(pair)
        found, parts = entry["methods"][name], entry["methods"][name]["disagreement"]
        body += [
            f"<h3>{entry['from']} to {entry['to']}, {title_of(name)}</h3>",
            warned(entry),
            paragraph(
                f"Of all cells, {percent(parts['quantity'], 3)} are wrong because the amounts of "
                f"the classes are, {percent(parts['allocation'], 3)} because the place is (Pontius "
                "and Millones 2011)."
            ),
            shown(classes_table(entry["methods"], name), places=3),
            _areas(found),
            fold("Most frequent changes", _moves(found)),
        ]
    return section("Classes and changes", *body)


def _areas(found: Mapping[str, Any]) -> str:
    keys = ["median", "p95", "largest", "bias", "coarse_cells"]
    rows = [[title_of(of), *columns(error, keys)] for of, error in found["area_error_km2"].items()]
    head = ["area error, km2 a coarse cell", "median", "95 %", "largest", "bias", "coarse cells"]
    return table(head, rows, places=3)


def _moves(found: Mapping[str, Any]) -> str:
    rows = [
        [title_of(f"{m['from']} to {m['to']}"), m["true"], m["predicted"], m["hits"], m["fom"]]
        for m in found["transitions"]
    ]
    return table(["change", "true cells", "predicted", "hits", "figure of merit"], rows, places=3)


def reliability_section(results: Mapping[str, Any]) -> Section:
    """How often what was said came true, for change and for each class, of the first pair."""
    methods, pair = results["details"][0]["methods"], results["pairs"][0]
    name = next((n for n in MODEL if "reliability" in methods.get(n, {})), None)
    if name is None:
        return section("Can the probabilities be believed?")
    rows = [
        [title_of(n), pair[n]["brier"], entry["reliability"]["change"]["error"]]
        for n, entry in methods.items()
        if "reliability" in entry
    ]
    return section(
        "Can the probabilities be believed?",
        warned(pair),
        paragraph(
            "Where a method says 20 %, one cell in five should change. Both axes are logarithmic, "
            "since most cells hardly ever change."
        ),
        figure(
            draw_reliability(methods, name),
            f"What happened against what was said, {pair['from']} to {pair['to']}.",
        ),
        table(["method", "Brier score", "mean distance from the diagonal"], rows),
    )


def withheld_section(results: Mapping[str, Any]) -> Section:
    """Scores with the map of the year before the prior hidden."""
    found = results["withheld"]
    return section(
        "Without the map of the year before",
        warned(*found["pairs"]),
        paragraph(found["note"]),
        shown(withheld_table(results["pairs"], found["pairs"])),
    )


def quantity_section(results: Mapping[str, Any], remark: str) -> Section:
    """What is left of the skill under wrong quantities; remark : on what is right at 0 %."""
    found, pair = results["quantity_error"], results["pairs"][0]
    made = section(
        "When the quantities are wrong",
        warned(found),
        paragraph(
            "A forecast does not know each coarse cell's change. Bias: every change is larger by "
            "so much. Noise: added to each coarse cell's change, by so much of its spread. "
            "Displaced: so much of each change happens in the coarse cell to the east."
        ),
        figure(
            draw_quantity(found["curves"], pair["persistence"]),
            f"Accuracy and mean IoU over persistence, {found['from']} to {found['to']}.",
        ),
        shown(quantity_table(found["curves"])),
    )
    return replace(made, remark=remark)


def infill_section(results: Mapping[str, Any]) -> Section:
    """Error on hidden cells beside simple ways of filling them."""
    found = results["infill"]
    shares = sorted({row["hidden_share"] for row in found["rows"]})
    best = {1: False, 2: False, 3: True, 4: True, 5: True}
    return section(
        "Filling in what is not known",
        warned(found),
        paragraph(
            "Square patches of the prior map, and of all maps before it, are hidden; the totals of "
            "the coarse cells are known. Majority gives each coarse cell the class that it is owed "
            "most of, whatever the totals; nearest totals is nearest infill under the totals. "
            f"Wrong is what has another class in {found['to']}."
        ),
        figure(draw_infill(found["rows"]), "Error on hidden cells."),
        *(shown(infill_table(found["rows"], share), best=best) for share in shares),
    )


def maps_section(results: Mapping[str, Any]) -> Section:
    """Scores of whole maps; nothing where there are none."""
    found = results["maps"]
    title, rows = "Whole maps, as other studies score them", found["rows"]
    if not rows:
        return section(title)
    names = [*rows[0]["classes"]]
    by_class = [
        [f"{row['row']}, {what}", *(row["classes"].get(n, {}).get(key) for n in names)]
        for row in rows
        for what, key in (("accuracy", "recall"), ("F1", "f1"), ("IoU", "iou"))
    ]
    return section(
        title,
        warned(found),
        paragraph(MAPS_NOTE),
        shown(maps_table(rows)),
        fold("Class by class", table(["map", *map(title_of, names)], by_class, places=3)),
    )


def runs_section(runs: Mapping[str, Any]) -> Section:
    """Drift, flips, patches and areas of free runs."""
    body = [
        figure(draw_runs(runs), "Share of land that changes each year."),
        shown(runs_table(runs)),
        paragraph(RUNS_NOTE),
    ]
    if "truth" not in runs:
        body.append(paragraph("These years have no true maps: areas are held against the forcing."))
    areas = areas_table(runs)
    if areas.rows:
        body.append(
            paragraph(
                "Change of each group's area over the run against the forcing's, km2 a coarse cell."
            )
        )
        body.append(shown(areas, places=3))
    return section("Running free", *body)
