"""Skill on real maps: train from scratch, score pairs of years beside all that is good without it.

    python benchmarks/skill.py brazil --data ../shared/data --train-until 2008 \\
        --pairs 2008:2009,2011:2012,2008:2012 --json OUT [--seeds 3] [--maps FILE.npz]

Trains with training/configs/REGION.toml, on the years up to --train-until (from it on, where the
pairs go back in time), once a seed. Quantities are known: each block's exact class counts are the
forcing, so every score is an upper bound of what a forecast of quantities could give.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from landstep import Emulator, LandstepError
from landstep.data.series import brazil_experiment, sweden_experiment
from landstep.emulator.errors import ConfigError
from landstep.evaluation.baselines import Baselines
from landstep.evaluation.case import Case, direction_of, open_case
from landstep.evaluation.methods import Method
from landstep.evaluation.model import model_methods, soft_rule
from landstep.evaluation.pairs import PairScores, score_pair
from landstep.evaluation.plan import Plan, check_plan, training_years
from landstep.evaluation.spread import spread
from landstep.evaluation.suite import infill_scores

CONFIGS = Path(__file__).resolve().parents[1] / "training" / "configs"
EXPERIMENTS: dict[str, Callable[..., Path]] = {
    "sweden": sweden_experiment,
    "brazil": brazil_experiment,
}
DEEP = "boosting_deep"
"""Gradient boosting that looks at as many maps before the prior as the network does."""

COLUMNS = (
    ("fom", ".4f"),
    ("fom_first", ".4f"),
    ("fom_return", ".4f"),
    ("accuracy", ".4f"),
    ("mean_iou", ".4f"),
    ("brier_skill", ".3f"),
    ("count_error", ".4f"),
    ("fom_ratio", ".2f"),
    ("fom_ratio_low", ".2f"),
    ("first_ratio", ".2f"),
    ("first_ratio_low", ".2f"),
)
NOTE = (
    "Known quantities: an upper bound. fom_ratio is over the neighbourhood's figure of merit,\n"
    "first_ratio that of first-time changes over the best of random, neighbourhood, history table\n"
    "and boosting; _low is the lower end of the paired 95 % interval over blocks."
)
SWEDEN = (
    "Swedish yearly changes repeat (HILDA+ is partly interpolated): a lag of 1 carries no claim."
)


def cpu_seconds() -> float:
    """Processor time of this process and of those that it has started and waited for."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def run(
    region: str,
    data: Path,
    until: int,
    pairs: Sequence[tuple[int, int]],
    folder: Path,
    *,
    seeds: int = 1,
    jobs: int = 1,
    steps: int | None = None,
    trees: int = 60,
    progress: Callable[[str], None] = lambda text: None,
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Train, score and sum up.

    until : last year that is learned from, the way the pairs step
    seeds : how many trainings, with seeds 0, 1, ...; jobs : how many at a time, a core each
    steps : instead of the training file's number of steps; trees : a class that boosting grows
    returns : what goes into the JSON, and the maps of seed 0 by name: "model_A_B" and so on
    Raises LandstepError for data, years or pairs that cannot be.
    """
    experiment = EXPERIMENTS[region](data, folder / region, model="model.onnx")
    case = open_case(experiment)
    plan = Plan(pairs=tuple(pairs), train_until=until, iterations=trees)
    check_plan(case, plan)
    years = learned_years(region, case, until, pairs)
    of_seed, maps, rivals = [], {}, {}
    infill: dict[str, Any] = {}
    progress(f"training {seeds} times, {jobs} at a time")
    tasks = [(region, experiment, years, seed, steps) for seed in range(seeds)]
    if jobs == 1:
        trained = [train_model(*task) for task in tasks]
    else:
        with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
            trained = [one.result() for one in [pool.submit(train_model, *t) for t in tasks]]
    for seed, (model, cpu) in enumerate(trained):
        progress(f"seed {seed}")
        emulator = open_with(experiment, model)
        scored = []
        for before, after in pairs:
            if (before, after) not in rivals:
                rivals[before, after] = baselines(emulator, case, plan, before, after, progress)
            methods = [*model_methods(emulator, case, before, after), *rivals[before, after]]
            found = score_pair(case, before, after, methods, seed=plan.seed, progress=progress)
            scored.append(found.as_dict())
            if not seed:
                maps.update(maps_of(found))
        of_seed.append({"seed": seed, "training_cpu_seconds": round(cpu, 1), "pairs": scored})
        if not seed:
            shortest = min(pairs, key=lambda pair: abs(pair[1] - pair[0]))
            infill = infill_scores(emulator, case, plan, shortest, progress)
    runs = [[entry["pairs"][n] for entry in of_seed] for n in range(len(pairs))]
    return {
        "region": region,
        "train_until": until,
        "quantities": "known: every score is an upper bound",
        "pairs": of_seed[0]["pairs"],
        "seeds": of_seed,
        "spread": [
            {"from": a, "to": b, "methods": spread(one)}
            for (a, b), one in zip(pairs, runs, strict=True)
        ],
        "infill": infill,
    }, maps


def learned_years(
    region: str, case: Case, until: int, pairs: Sequence[tuple[int, int]]
) -> tuple[int, int]:
    """Give the first and last year that may be learned from, for pairs that go one way in time."""
    from landstep.training.config import load_config

    ways = {direction_of(before, after) for before, after in pairs}
    if len(ways) > 1:
        raise ConfigError(f"pairs {list(pairs)}: expected all forward or all backward in time")
    first, last = min(case.maps), max(case.maps)
    if ways == {-1}:
        return until, last
    return max(load_config(CONFIGS / f"{region}.toml").data.years[0], first), until


def train_model(
    region: str, experiment: Path, years: tuple[int, int], seed: int, steps: int | None
) -> tuple[Path, float]:
    """Train with the region's training file on some years, and export beside the experiment.

    returns : path of the ONNX file, and the processor time that it took, s
    """
    from landstep.export.write import export_model
    from landstep.training.config import TrainingConfig, load_config
    from landstep.training.fit import train

    began = cpu_seconds()
    fields = load_config(CONFIGS / f"{region}.toml").model_dump()
    fields["data"] |= {"experiments": [experiment], "years": years}
    fields["fit"]["seed"] = seed
    fields["validation"] = []
    if steps is not None:
        fields["fit"] |= {"steps": steps, "checkpoint_every": steps}
    out = experiment.parent / f"{seed}.ckpt"
    checkpoint = train(TrainingConfig.model_validate(fields), output=out, progress=False)
    trained = cpu_seconds() - began
    return export_model(checkpoint, out.with_suffix(".onnx")), trained


def open_with(experiment: Path, model: Path) -> Emulator:
    """Open an experiment with a model that lies beside it."""
    text = experiment.read_text("utf-8").replace('"model.onnx"', json.dumps(model.name))
    beside = experiment.with_name(f"{model.stem}.toml")
    beside.write_text(text, "utf-8")
    return Emulator.open(beside)


def baselines(
    emulator: Emulator,
    case: Case,
    plan: Plan,
    before: int,
    after: int,
    progress: Callable[[str], None],
) -> list[Method]:
    """Give the baselines of a pair, and boosting over as many maps as the network looks at."""
    years = training_years(case.maps, before, after, int(plan.train_until or 0))
    rule = soft_rule(emulator, case, before, after)
    fitted = Baselines(
        case, years, rule, seed=plan.seed, iterations=plan.iterations, progress=progress
    )
    methods = fitted.methods(before, after)
    deep = replace(fitted, depth=emulator.card.history, _fitted={}).methods(before, after)[-1]
    return [*methods, replace(deep, name=DEEP)]


def maps_of(found: PairScores) -> dict[str, np.ndarray]:
    """Name each predicted map after its method and pair: (y, x) uint8 class numbers."""
    return {
        f"{name}_{found.before}_{found.after}": prediction.land_use
        for name, prediction in found.predictions.items()
        if name.startswith("model")
    }


def table(result: dict[str, Any]) -> str:
    """Write the scores of every pair and method; the mean over the seeds, and their range."""
    lines = [NOTE] + ([SWEDEN] if result["region"] == "sweden" else [])
    count = len(result["seeds"])
    for entry, first in zip(result["spread"], result["pairs"], strict=True):
        lines.append(
            f"\n{entry['from']}:{entry['to']}, {first['changed']:.4f} of {first['cells']} cells "
            f"changed; mean of {count} seeds, and for the model their range"
        )
        lines.append(f"{'':16s}" + "".join(f"{name:>16s}" for name, _ in COLUMNS))
        methods = sorted(entry["methods"], key=list(first).index)
        for method in methods:
            numbers = entry["methods"][method]
            lines.append(f"{method:16s}" + _row(numbers, "mean"))
            if method.startswith("model") and count > 1:
                lines += [f"{'':10s}{end:6s}" + _row(numbers, end) for end in ("lowest", "highest")]
    rows = result["infill"]["rows"]
    if rows:
        lines.append("\nHidden cells filled in, share of them wrong")
        lines += [json.dumps(row) for row in rows]
    times = [entry["training_cpu_seconds"] for entry in result["seeds"]]
    lines.append(f"\ntraining: {', '.join(f'{value:.0f}' for value in times)} s of cpu")
    return "\n".join(lines)


def _row(numbers: dict[str, dict[str, float]], which: str) -> str:
    return "".join(
        f"{format(numbers[name][which], form) if name in numbers else '-':>16s}"
        for name, form in COLUMNS
    )


def parse_pairs(text: str) -> list[tuple[int, int]]:
    """Read pairs of years, A:B,A:B."""
    return [(int(a), int(b)) for a, b in (pair.split(":") for pair in text.split(","))]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("region", choices=sorted(EXPERIMENTS))
    parser.add_argument("--data", type=Path, required=True, help="folder of the real data")
    parser.add_argument("--train-until", type=int, required=True)
    parser.add_argument("--pairs", type=parse_pairs, required=True, help="A:B,A:B")
    parser.add_argument("--json", type=Path, help="where to write the scores")
    parser.add_argument("--maps", type=Path, help="where to write the maps of seed 0 (npz)")
    parser.add_argument("--seeds", type=int, default=1, help="how many trainings")
    parser.add_argument("--jobs", type=int, default=1, help="trainings at a time, a core each")
    parser.add_argument("--steps", type=int, help="instead of the training file's number")
    parser.add_argument("--trees", type=int, default=60, help="a class that boosting grows")
    given = parser.parse_args(arguments)
    try:
        with tempfile.TemporaryDirectory() as folder:
            result, maps = run(
                given.region,
                given.data,
                given.train_until,
                given.pairs,
                Path(folder),
                seeds=given.seeds,
                jobs=given.jobs,
                steps=given.steps,
                trees=given.trees,
                progress=lambda text: print(text, file=sys.stderr, flush=True),
            )
    except LandstepError as error:
        print(error, file=sys.stderr)
        return 1
    if given.json:
        given.json.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    if given.maps:
        np.savez_compressed(given.maps, **maps)
    print(table(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
