"""Write an evaluation into a folder: report.html, scores.json, scores.csv, model_card.md."""

from __future__ import annotations

import json
from pathlib import Path

from landstep.emulator.card import Card
from landstep.emulator.errors import InputError
from landstep.evaluation.card_markdown import card_markdown
from landstep.evaluation.report import report
from landstep.evaluation.scores_csv import scores_csv
from landstep.evaluation.suite import Evaluation


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
