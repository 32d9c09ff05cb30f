"""Write an evaluation into a folder: report.html, scores.json, scores.csv, model_card.md."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from landstep.emulator.card import Card
from landstep.emulator.errors import InputError
from landstep.evaluation.card_markdown import card_markdown
from landstep.evaluation.report import report
from landstep.evaluation.suite import Evaluation

HEAD = ("part", "from", "to", "method", "quantity", "value")


def write_evaluation(evaluation: Evaluation, card: Card, folder: Path) -> list[Path]:
    """Write all four files.

    folder : made where it is not there
    returns : their paths
    Raises InputError where the folder or a file cannot be written.
    """
    texts = {
        "report.html": report(evaluation),
        "scores.json": json.dumps(evaluation.results, indent=1, allow_nan=False) + "\n",
        "scores.csv": scores_csv(evaluation.results),
        "model_card.md": card_markdown(card, evaluation.results),
    }
    paths = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            paths.append(folder / name)
            paths[-1].write_text(text, "utf-8")
    except OSError as error:
        raise InputError(f"{error.filename}: cannot be written: {error.strerror}") from error
    return paths


def scores_csv(results: Mapping[str, Any]) -> str:
    """Write the numbers as a long table: part, pair, method, quantity, value.

    A quantity within another is named with dots, as "iou.forest".
    """
    kept = io.StringIO()
    writer = csv.writer(kept, lineterminator="\n")
    writer.writerow(HEAD)
    for part in ("pairs", "withheld"):
        for pair in results.get(part, []):
            for method, entry in pair.items():
                if isinstance(entry, dict):
                    _rows(writer, part, pair, method, entry)
    for pair in results.get("details", []):
        for method, entry in pair["methods"].items():
            kinds = ("classes", "disagreement", "area_error_km2")
            _rows(writer, "details", pair, method, {kind: entry[kind] for kind in kinds})
    if "infill" in results:
        for row in results["infill"]["rows"]:
            numbers = {f"hidden {row['hidden_share']:g}": {k: row[k] for k in _ERRORS}}
            _rows(writer, "infill", results["infill"], row["method"], numbers)
    if "quantity_error" in results:
        for curve in results["quantity_error"]["curves"]:
            levels = {
                f"{curve['kind']} {level:g}": {k: curve[k][n] for k in _CURVES}
                for n, level in enumerate(curve["levels"])
            }
            _rows(writer, "quantity_error", results["quantity_error"], curve["method"], levels)
    for row in results.get("maps", []):
        numbers = {k: v for k, v in row.items() if k not in ("row", "year")}
        _rows(writer, "maps", {"from": None, "to": row["year"]}, row["row"], numbers)
    for name, run in results.get("free_run", {}).items():
        years = {"from": run["start"], "to": run["start"] + run["years"]}
        numbers = {k: v for k, v in run.items() if k not in ("start", "years")}
        _rows(writer, "free_run", years, name, numbers)
    return kept.getvalue()


_ERRORS = ("error_hidden", "error_seen")
_CURVES = ("fom", "accuracy", "mean_iou")


def _rows(
    writer: Any, part: str, pair: Mapping[str, Any], method: str, entry: Mapping[str, Any]
) -> None:
    for quantity, value in _numbers(entry):
        writer.writerow([part, pair["from"], pair["to"], method, quantity, value])


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
