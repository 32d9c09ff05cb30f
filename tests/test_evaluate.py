"""`landstep evaluate`, as typed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest


def evaluate(*words: object) -> subprocess.CompletedProcess[str]:
    """Run the command as a user would."""
    return subprocess.run(
        [sys.executable, "-m", "landstep", "evaluate", *map(str, words)],
        capture_output=True,
        text=True,
    )


def test_it_writes_four_files(experiment: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ("--pairs", "1990:1991", "--train-until", 1990, "--run", "2015:2017", "--trees", 1)
    done = evaluate(experiment, *words, "--out", out)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in out.iterdir()) == [
        "model_card.md",
        "report.html",
        "scores.csv",
        "scores.json",
    ]
    for path in out.iterdir():
        assert f"wrote {path}" in done.stdout
    entry = json.loads((out / "scores.json").read_text("utf-8"))["pairs"][0]
    assert (entry["from"], entry["to"]) == (1990, 1991)
    assert entry["model"]["hits"] + entry["model"]["misses"] > 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "nothing to evaluate"),
        (("--pairs", "2015-2016", "--train-until", 2015), "two whole numbers with ':' between"),
        (("--pairs", "2015:2016"), "need the last training year"),
        (("--pairs", "2015:2016", "--train-until", 2016), "2016 is a training year"),
        (("--pairs", "2015:2300", "--train-until", 2015), "no map of 2300"),
    ],
)
def test_bad_pairs_are_one_line_and_a_status(
    words: tuple[object, ...], says: str, experiment: Path, tmp_path: Path
) -> None:
    done = evaluate(experiment, *words, "--out", tmp_path / "out")
    assert done.returncode == 4, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (("--run", "2015:2300"), 2, "year 2101 outside 1980-2100"),
        (
            ("--pairs", "2015:2016", "--train-until", 2015, "--fold-models", "1.onnx,2.onnx"),
            3,
            "model file not found: 1.onnx",
        ),
    ],
)
def test_what_is_not_there_is_named_before_anything_is_computed(
    words: tuple[object, ...], status: int, says: str, experiment: Path, tmp_path: Path
) -> None:
    done = evaluate(experiment, *words, "--out", tmp_path / "out")
    assert done.returncode == status, done.stderr
    assert says in done.stderr
    assert not (tmp_path / "out").exists()
