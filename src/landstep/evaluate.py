"""Score the model of an experiment and write the report: what `landstep evaluate` does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from landstep.emulator.emulator import Emulator
from landstep.emulator.file_checks import check_output_folder
from landstep.evaluation.case import case_of
from landstep.evaluation.cross_validation import fold_emulators
from landstep.evaluation.plan import Plan, check_plan
from landstep.evaluation.suite import evaluate
from landstep.evaluation.write import write_evaluation


def evaluate_experiment(
    experiment: Path,
    out: Path,
    *,
    pairs: Sequence[tuple[int, int]] = (),
    train_until: int | None = None,
    run: tuple[int, int] | None = None,
    depth: int = 3,
    trees: int = 60,
    tile: int = 1,
    seed: int = 0,
    fold_models: Sequence[Path] = (),
    progress: Callable[[str], None] = lambda text: None,
) -> list[Path]:
    """Open an experiment's emulator, score it beside all baselines, and write what was found.

    out : folder for report.html, scores.json, scores.csv and model_card.md
    pairs, train_until, run, depth, tile, seed : as in `evaluation.suite.Plan`
    trees : a class that gradient boosting grows
    fold_models : ONNX files of a cross-validation in space, the k-th of n trained on this
        experiment without fold k of n
    returns : paths of the four files
    Raises ConfigError for pairs or years that cannot be scored, or models of other folds, before
    anything is computed, and what `Emulator` and the evaluation raise.
    """
    check_output_folder(out)
    progress("opening the experiment")
    emulator = Emulator.open(experiment)
    if run is not None:
        emulator.inputs.forcing.require_years(*run)
    case = case_of(emulator.inputs, emulator.experiment.name, forced=run or ())
    plan = Plan(
        pairs=tuple(pairs),
        train_until=train_until,
        run=run,
        depth=depth,
        iterations=trees,
        tile=tile,
        seed=seed,
    )
    check_plan(case, plan)
    found = evaluate(emulator, case, plan, progress, fold_emulators(emulator, fold_models))
    progress("writing the report")
    return write_evaluation(found, emulator.card, out)
