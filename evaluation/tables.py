"""Tables of scores, the same in the report and in the model card: heads and rows, no markup."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from landstep.evaluation.drawing import title_of
from landstep.evaluation.page import DASH, Cell, columns, percent

MODEL = ("model", "model_rolled", "model_exact")

KNOWN = "known quantities: an upper bound"
"""What stands wherever scores do, where the forcing was counted on the maps that are predicted."""

KNOWN_AT_ZERO = "known quantities at 0 %: an upper bound"
"""The same where quantities are made wrong step by step."""

SPREAD = {
    "fom": "figure of merit",
    "fom_first": "first-time",
    "accuracy": "accuracy",
    "mean_iou": "mean IoU",
    "brier_skill": "Brier skill",
}
"""Scores whose spread over folds is shown."""

INFILL = {
    "error_hidden": "wrong of the hidden",
    "error_seen": "wrong of the seen",
    "mean_iou_hidden": "mean IoU of the hidden",
    "mean_iou": "mean IoU of the map",
    "mean_iou_land": "without what is not land",
}
MAPS = {
    "accuracy": "accuracy",
    "macro_f1": "macro F1",
    "weighted_f1": "weighted F1",
    "mean_iou": "mean IoU",
    "mean_iou_land": "without what is not land",
}
RUNS = {
    "forced": "free run",
    "constant": "constant forcing",
    "constant_none": "constant forcing, no quotas",
    "truth": "truth",
}
"""Names of the free runs as they are read."""

MAPS_NOTE = (
    "Every cell counts, also what is not land. Year 0: from the real map with half of its land "
    "hidden; year 1: on from the model's own map; cold start: from nothing but the coast. Read "
    "them beside persistence: a map that does not change scores as high."
)
RUNS_NOTE = (
    "Under constant forcing every change is spurious. Exact quotas then let nothing change, which "
    "is no merit of the network: without quotas is what it would do by itself."
)


@dataclass(frozen=True)
class Table:
    """A table: names of the columns, and the rows."""

    head: tuple[str, ...]
    rows: list[list[Cell]]


def lead_method(entry: Mapping[str, Any]) -> str:
    """Name the model's method that speaks for it: the direct jump where there is one."""
    return next(name for name in MODEL if name in entry)


def methods_of(*entries: Mapping[str, Any]) -> list[str]:
    """Name the methods of some pairs' tables, each once."""
    found = [name for entry in entries for name, value in entry.items() if isinstance(value, dict)]
    return list(dict.fromkeys(found))


def cautions(*entries: Mapping[str, Any]) -> list[str]:
    """What must be said of some pairs of years, each once with the pairs that it is said of."""
    said: dict[str, dict[str, None]] = {}
    for entry in entries:
        if "caution" in entry:
            years = f"{entry['from']} to {entry.get('to', entry['from'] + 1)}"
            said.setdefault(entry["caution"], {})[years] = None
    return [f"{', '.join(years)}: {text}" for text, years in said.items()]


def scores_table(pair: Mapping[str, Any], scores: Mapping[str, str]) -> Table:
    """Some scores of a pair, a row a method; scores : key -> its name."""
    rows = [[title_of(name), *columns(pair[name], [*scores])] for name in methods_of(pair)]
    return Table(("method", *scores.values()), rows)


def gains_table(pair: Mapping[str, Any]) -> Table:
    """What each method has more of than persistence, and its Brier skill, with intervals."""
    rows: list[list[Cell]] = []
    for name in methods_of(pair):
        keys = ("accuracy_gain", "mean_iou_gain", "brier_skill")
        rows.append([title_of(name), *(_between(pair[name], key) for key in keys)])
    head = ("with 95 % intervals", "accuracy over persistence", "mean IoU over persistence")
    return Table((*head, "Brier skill over the history table"), rows)


def _between(entry: Mapping[str, Any], key: str) -> str:
    """Write a signed number with the ends of its interval; a dash for what is none by itself."""
    if entry.get(key) is None or f"{key}_interval" not in entry:
        return DASH
    low, high = (DASH if end is None else f"{end:+.4f}" for end in entry[f"{key}_interval"])
    return f"{entry[key]:+.4f} ({low} to {high})"


def spread_table(pair: Mapping[str, Any], apart: Mapping[str, Any]) -> Table:
    """Each score's mean, standard deviation, lowest and highest over folds, a row a method."""
    rows = [[title_of(n), *_spread_cells(apart["methods"][n])] for n in methods_of(pair)]
    return Table(("over the folds: mean, (lowest to highest)", *SPREAD.values()), rows)


def _spread_cells(method: Mapping[str, Mapping[str, float]]) -> list[Cell]:
    return [
        f"{of['mean']:.4f} \N{PLUS-MINUS SIGN} {of['sd']:.4f} "
        f"({of['lowest']:.4f} to {of['highest']:.4f})"
        if (of := method.get(key))
        else DASH
        for key in SPREAD
    ]


def classes_table(methods: Mapping[str, Any], name: str) -> Table:
    """Scores of each class of one method beside persistence's; methods : of a pair's details."""
    keys, still = ["recall", "precision", "f1", "iou"], methods["persistence"]["classes"]
    rows: list[list[Cell]] = [
        [title_of(of), *columns(scores, keys), *columns(still[of], ["recall", "f1", "iou"])]
        for of, scores in methods[name]["classes"].items()
    ]
    head = ("class", "accuracy", "precision", "F1", "IoU")
    return Table((*head, *(f"persistence {what}" for what in ("accuracy", "F1", "IoU"))), rows)


def withheld_table(pairs: Iterable[Mapping[str, Any]], blind: Iterable[Mapping[str, Any]]) -> Table:
    """Figures of merit with and without the map of the year before, a row a pair and method."""
    rows: list[list[Cell]] = [
        [
            f"{title_of(name)}  {without['from']}:{without['to']}",
            with_it[name]["fom"],
            without[name]["fom"],
            with_it[name]["fom_first"],
            without[name]["fom_first"],
        ]
        for with_it, without in zip(pairs, blind, strict=True)
        for name in methods_of(without)
    ]
    return Table(
        ("method", "figure of merit", "without it", "first-time", "first-time without it"), rows
    )


def quantity_table(curves: Sequence[Mapping[str, Any]]) -> Table:
    """What wrong quantities leave of the figure of merit, and where persistence is better."""
    levels = curves[0]["levels"]
    rows: list[list[Cell]] = [
        [
            title_of(curve["method"]),
            curve["kind"],
            curve["fom"][0],
            curve["fom"][-1],
            *(_level(curve["below_persistence"][what]) for what in ("accuracy", "mean_iou")),
        ]
        for curve in curves
    ]
    merits = (f"figure of merit at {percent(levels[0])}", f"at {percent(levels[-1])}")
    below = ("accuracy below persistence from", "mean IoU below persistence from")
    return Table(("method", "error", *merits, *below), rows)


def _level(value: float | None) -> str:
    return "never" if value is None else percent(value)


def infill_table(rows: Iterable[Mapping[str, Any]], share: float) -> Table:
    """Scores of filling one share of hidden cells, a row a way of filling."""
    found = [
        [title_of(row["method"]), *columns(row, [*INFILL])]
        for row in rows
        if row["hidden_share"] == share
    ]
    return Table((f"{percent(share)} hidden", *INFILL.values()), found)


def maps_table(rows: Iterable[Mapping[str, Any]]) -> Table:
    """Scores of whole maps."""
    found = [[row["row"], str(row["year"]), *columns(row, [*MAPS])] for row in rows]
    return Table(("map", "year", *MAPS.values()), found)


def runs_table(runs: Mapping[str, Any]) -> Table:
    """Drift, flips and patches of free runs."""
    rows: list[list[Cell]] = []
    for name, run in runs.items():
        patches = run["patches"]["end"].values()
        cells = sum(p["mean"] * p["patches"] for p in patches)
        mean_patch = cells / sum(p["patches"] for p in patches)
        undone = run.get("flips", {}).get("share")
        numbers = [run["years"], run["changed_at_end"], undone, mean_patch]
        rows.append([RUNS[name], run.get("quotas"), *numbers])
    head = ("run", "quotas", "years", "changed at the end", "changes undone at once")
    return Table((*head, "mean patch, cells"), rows)


def areas_table(runs: Mapping[str, Any]) -> Table:
    """Errors of area of free runs, a row a run and group."""
    keys = ["median", "p95", "largest", "bias", "coarse_cells"]
    rows = [
        [RUNS[name], group, *columns(error, keys)]
        for name, run in runs.items()
        for group, error in run.get("area_error_km2", {}).items()
    ]
    return Table(("run", "group", "median", "95 %", "largest", "bias", "coarse cells"), rows)
