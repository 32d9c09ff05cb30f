"""Sections of the report beyond the pairs themselves, each its title and its HTML."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from landstep.evaluation.curves import draw_infill, draw_quantity, draw_reliability, draw_runs
from landstep.evaluation.drawing import title_of
from landstep.evaluation.page import Cell, columns, figure, fold, paragraph, section, table

MODEL = ("model", "model_rolled", "model_exact")
_ERRORS = ("error_hidden", "error_seen")


def lead_method(entry: Mapping[str, Any]) -> str:
    """Name the model's method that speaks for it: the direct jump where there is one."""
    return next(name for name in MODEL if name in entry)


def methods_of(*entries: Mapping[str, Any]) -> list[str]:
    """Name the methods of some pairs' tables, each once."""
    found = [name for entry in entries for name, value in entry.items() if isinstance(value, dict)]
    return list(dict.fromkeys(found))


def classes_section(results: Mapping[str, Any]) -> tuple[str, str]:
    """Classes, transitions, disagreement and areas of the model's main method, pair by pair."""
    body = []
    for entry, pair in zip(results["details"], results["pairs"], strict=True):
        name = lead_method(pair)
        found, still = entry["methods"][name], entry["methods"]["persistence"]
        rows: list[list[Cell]] = []
        for of, scores in found["classes"].items():
            area = found["area_error_km2"][of]
            rows.append(
                [
                    of,
                    *columns(scores, ["recall", "precision", "f1", "iou"]),
                    still["classes"][of]["iou"],
                    *columns(area, ["median", "p95", "largest", "bias"]),
                ]
            )
        parts = found["disagreement"]
        head = f"{entry['from']} to {entry['to']}, {title_of(name)}"
        body.append(f"<h3>{head}</h3>")
        body.append(
            paragraph(
                f"Of all cells, {parts['quantity']:.3%} are wrong because the amounts of the "
                f"classes are, {parts['allocation']:.3%} because the place is (Pontius and "
                "Millones 2011). Area errors are km2 per class and coarse cell."
            )
        )
        classes = ["class", "accuracy", "precision", "F1", "IoU", "IoU persistence"]
        body.append(table([*classes, "median error", "95 %", "largest", "bias"], rows, places=3))
        moves = [
            [f"{m['from']} to {m['to']}", m["true"], m["predicted"], m["hits"], m["fom"]]
            for m in found["transitions"]
        ]
        head_moves = ["change", "true cells", "predicted", "hits", "figure of merit"]
        body.append(fold("Most frequent changes", table(head_moves, moves, places=3)))
    return section("Classes and changes", *body)


def reliability_section(results: Mapping[str, Any]) -> tuple[str, str]:
    """How often what was said came true, for change and for each class, of the first pair."""
    methods, pair = results["details"][0]["methods"], results["pairs"][0]
    name = next((n for n in MODEL if "reliability" in methods.get(n, {})), None)
    if name is None:
        return section("Can the probabilities be believed?")
    rows = [
        [
            title_of(n),
            pair[n]["brier"],
            entry["reliability"]["change"]["error"],
        ]
        for n, entry in methods.items()
        if "reliability" in entry
    ]
    return section(
        "Can the probabilities be believed?",
        paragraph(
            "Where a method says 20 %, one cell in five should change. Both axes are logarithmic, "
            "since most cells hardly ever change."
        ),
        figure(draw_reliability(methods, name), "What happened against what was said, first pair."),
        table(["method", "Brier score", "mean distance from the diagonal"], rows),
    )


def withheld_section(results: Mapping[str, Any]) -> tuple[str, str]:
    """Scores with the map of the year before the prior hidden."""
    rows: list[list[Cell]] = []
    for with_it, without in zip(results["pairs"], results["withheld"], strict=True):
        for name in methods_of(without):
            rows.append(
                [
                    f"{title_of(name)}  {without['from']}:{without['to']}",
                    with_it[name]["fom"],
                    without[name]["fom"],
                    with_it[name]["fom_first"],
                    without[name]["fom_first"],
                ]
            )
    head = ["method", "figure of merit", "without it", "first-time", "without it"]
    return section(
        "Without the map of the year before",
        paragraph(
            "Filters over time look ahead in some products, so that the map of the year before the "
            "prior may know of the target. Here no method sees it."
        ),
        table(head, rows),
    )


def quantity_section(results: Mapping[str, Any]) -> tuple[str, str]:
    """What is left of the skill under wrong quantities."""
    found, pair = results["quantity_error"], results["pairs"][0]
    rows: list[list[Cell]] = [
        [
            title_of(curve["method"]),
            curve["kind"],
            curve["fom"][0],
            curve["fom"][-1],
            "never" if curve["below_persistence"] is None else f"{curve['below_persistence']:.0%}",
        ]
        for curve in found["curves"]
    ]
    head = [
        "method",
        "error",
        "figure of merit at 0 %",
        "at 100 %",
        "accuracy below persistence at",
    ]
    return section(
        "When the quantities are wrong",
        paragraph(
            "A forecast does not know each coarse cell's change. Bias: every change is larger by "
            "so much. Noise: added to each coarse cell's change, by so much of its spread. "
            "Displaced: so much of each change happens in the coarse cell to the east. Below "
            "persistence: in accuracy."
        ),
        figure(
            draw_quantity(found["curves"], pair["persistence"]["accuracy"]),
            f"Accuracy over persistence, {found['from']} to {found['to']}.",
        ),
        table(head, rows),
    )


def infill_section(results: Mapping[str, Any]) -> tuple[str, str]:
    """Error on hidden cells beside simple ways of filling them."""
    found = results["infill"]
    shares = sorted({row["hidden_share"] for row in found["rows"]})
    by_method: dict[str, dict[float, Mapping[str, Any]]] = {}
    for row in found["rows"]:
        by_method.setdefault(row["method"], {})[row["hidden_share"]] = row
    rows = [
        [title_of(name), *(of.get(s, {}).get(key) for key in _ERRORS for s in shares)]
        for name, of in by_method.items()
    ]
    head = [f"{share:.0%} hidden" for share in shares]
    best = dict.fromkeys(range(1, 1 + len(shares)), False)
    return section(
        "Filling in what is not known",
        paragraph(
            "Square patches of the prior map, and of all maps before it, are hidden; the totals of "
            "the coarse cells are known. Majority gives each coarse cell the class that it is owed "
            "most of, whatever the totals; nearest totals is nearest infill under the totals. "
            f"Error is the share of cells whose class is wrong in {found['to']}."
        ),
        figure(draw_infill(found["rows"]), "Error on hidden cells."),
        table(["method", *head, *(f"seen, {name}" for name in head)], rows, best=best),
    )


def maps_section(results: Mapping[str, Any]) -> tuple[str, str]:
    """Scores of whole maps; nothing where there are none."""
    rows = results["maps"]
    keys = ["accuracy", "macro_f1", "weighted_f1", "mean_iou", "mean_iou_land"]
    head = ["row", "year", "accuracy", "macro F1", "weighted F1", "mean IoU", "without ocean"]
    if not rows:
        return section("Whole maps, as other studies score them")
    names = [*rows[0]["classes"]]
    by_class = [
        [f"{row['row']}, {what}", *(row["classes"].get(n, {}).get(key) for n in names)]
        for row in rows
        for what, key in (("accuracy", "recall"), ("F1", "f1"), ("IoU", "iou"))
    ]
    return section(
        "Whole maps, as other studies score them",
        paragraph(
            "Every cell counts, ocean included. Year 0: from the real map with half of its land "
            "hidden; year 1: on from the model's own map; cold start: from nothing but the coast. "
            "Read them beside persistence: a map that does not change scores as high."
        ),
        table(head, [[row["row"], str(row["year"]), *columns(row, keys)] for row in rows]),
        fold("Class by class", table(["row", *names], by_class, places=3)),
    )


def runs_section(runs: Mapping[str, Any]) -> tuple[str, str]:
    """Drift, flips, patches and areas of free runs."""
    names = {"forced": "free run", "constant": "constant forcing", "truth": "truth"}
    rows: list[list[Cell]] = []
    for name, run in runs.items():
        patches = run["patches"]["end"].values()
        cells = sum(p["mean"] * p["patches"] for p in patches)
        rows.append(
            [
                names[name],
                run["years"],
                run["changed_at_end"],
                run.get("flips", {}).get("share"),
                cells / sum(p["patches"] for p in patches),
            ]
        )
    head = ["run", "years", "changed at the end", "changes undone at once", "mean patch, cells"]
    errors = [
        [name, *columns(error, ["median", "p95", "largest", "bias"])]
        for name, error in runs["forced"].get("area_error_km2", {}).items()
    ]
    body = [figure(draw_runs(runs), "Share of land that changes each year."), table(head, rows)]
    if errors:
        body.append(
            paragraph("Change of each group's area against the forcing's, km2 a coarse cell.")
        )
        body.append(table(["group", "median", "95 %", "largest", "bias"], errors, places=3))
    return section("Running free", *body)
