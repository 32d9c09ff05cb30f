"""The numbers of an evaluation as one long table in CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any

from landstep.evaluation.tables import methods_of

HEAD = ("part", "from", "to", "method", "quantity", "value", "quantities")

Row = tuple[str, Mapping[str, Any], str, Mapping[str, Any], str]
"""Part, pair of years, method, numbers, and what the coarse quantities were."""


def scores_csv(results: Mapping[str, Any]) -> str:
    """Write the numbers as a long table: part, pair, method, quantity, value, quantities.

    A quantity within another is named with dots, as "iou.forest"; a bin of probability by its lower
    end, as "change.0.05.frequency". The last column says what the coarse quantities were: "known"
    (counted on the maps that are predicted: an upper bound), "forecast", made "wrong", held
    "constant", or nothing where none were given.
    """
    quantities = "known" if results["about"]["known_quantities"] else "forecast"
    kept = io.StringIO()
    writer = csv.writer(kept, lineterminator="\n")
    writer.writerow(HEAD)
    for part, pair, method, entry, given in _parts(results, quantities):
        for quantity, value in _numbers(entry):
            writer.writerow([part, pair["from"], pair["to"], method, quantity, value, given])
    return kept.getvalue()


def _parts(results: Mapping[str, Any], given: str) -> Iterator[Row]:
    folds = results.get("cross_validation", {})
    for part, pairs in (
        ("pairs", results.get("pairs", [])),
        ("withheld", results.get("withheld", {}).get("pairs", [])),
        ("cross_validation", folds.get("pairs", [])),
    ):
        for pair in pairs:
            for method in methods_of(pair):
                yield part, pair, method, pair[method], given
    for pair in folds.get("spread", []):
        for method, entry in pair["methods"].items():
            yield "spread_over_folds", pair, method, entry, given
    for pair in results.get("details", []):
        for method, entry in pair["methods"].items():
            kinds = ("classes", "disagreement", "area_error_km2")
            yield "details", pair, method, {kind: entry[kind] for kind in kinds}, given
            yield "transitions", pair, method, _transitions(entry["transitions"]), given
            yield "reliability", pair, method, _reliability(entry.get("reliability", {})), given
    for row in results.get("infill", {}).get("rows", []):
        numbers = {k: v for k, v in row.items() if k not in ("method", "hidden_share")}
        named = {f"hidden {row['hidden_share']:g}": numbers}
        yield "infill", results["infill"], row["method"], named, given
    yield from _wrong_quantities(results.get("quantity_error", {}), given)
    for row in results.get("maps", {}).get("rows", []):
        years = {"from": None, "to": row["year"]}
        numbers = {k: v for k, v in row.items() if k != "year"}
        yield "maps", years, row["row"], numbers, given
    yield from _runs(results.get("free_run", {}), given)


def _transitions(moves: list[Mapping[str, Any]]) -> dict[str, Any]:
    kinds = ("true", "predicted", "hits", "fom")
    return {f"{m['from']} to {m['to']}": {kind: m[kind] for kind in kinds} for m in moves}


def _reliability(curves: Mapping[str, Any]) -> dict[str, Any]:
    """Name each bin of each curve by its lower end."""
    kinds = ("cells", "probability", "frequency")
    return {
        name: {"error": curve["error"]}
        | {
            f"{least:g}": {kind: curve[kind][n] for kind in kinds}
            for n, least in enumerate(curve["at_least"])
        }
        for name, curve in curves.items()
    }


def _wrong_quantities(found: Mapping[str, Any], given: str) -> Iterator[Row]:
    for curve in found.get("curves", []):
        kind = curve["kind"]
        for n, level in enumerate(curve["levels"]):
            numbers = {score: curve[score][n] for score in ("fom", "accuracy", "mean_iou")}
            named = {f"{kind} {level:g}": numbers}
            yield "quantity_error", found, curve["method"], named, "wrong" if level else given
        below = {kind: {"below_persistence": curve["below_persistence"]}}
        yield "quantity_error", found, curve["method"], below, "wrong"


def _runs(runs: Mapping[str, Any], given: str) -> Iterator[Row]:
    for name, run in runs.items():
        years = {"from": run["start"], "to": run["start"] + run["years"]}
        numbers = {k: v for k, v in run.items() if k not in ("start", "years")}
        held = {"forced": given, "truth": ""}.get(name, "constant")
        yield "free_run", years, name, numbers, held


def _numbers(entry: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, float]]:
    """Give every number of a nested table with its dotted name; lists by their place."""
    for key, value in entry.items():
        name = f"{before}{key}"
        if isinstance(value, Mapping):
            yield from _numbers(value, f"{name}.")
        elif isinstance(value, list | tuple):
            yield from _numbers({str(n): v for n, v in enumerate(value)}, f"{name}.")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield name, value
