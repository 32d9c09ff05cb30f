"""How well the made-up world can be predicted: scores of its own process, beside persistence.

The process starts at the true map of 2015 and knows every rule and every year's quantity, but not
the noise. What a trained model is held against; docs/made-up-world.md says how to read it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from landstep.data.process import VARIANT, Process, RandomPlaces
from landstep.data.suitability import N_CLASSES
from landstep.data.world_forcing import WorldForcing
from landstep.emulator.classes import OUTSIDE, Scheme
from landstep.emulator.scores import accuracy, figure_of_merit, mean_iou

START = 2015
TARGETS = (2016, 2020, 2025, 2030)
N_TWINS = 3  # whose mean and standard deviation are given
N_VOTES = 9  # twins that vote on each cell, those three among them
HOW = {
    "persistence": "the map of 2015",
    "random_place": "the right number of cells in every coarse cell and year, places by chance "
    "alone (one run): what knowing the quantities is worth",
    "twin": f"the process with other noise, mean and sample standard deviation of {N_TWINS} runs",
    "noise_free": "the process without noise (one run)",
    "vote": f"the most frequent class of each cell in {N_VOTES} twins: careful, so most accurate",
    "best_attainable": "the better of noise_free and vote, metric by metric: what the best model "
    "can be expected to reach; an estimate from few runs, not a proven bound",
}
METRICS = ("accuracy", "mean_iou", "figure_of_merit")

Scores = dict[str, float]


def in_scheme(process: Process, land: np.ndarray, year: int, of: Scheme) -> np.ndarray:
    """Class numbers, in a scheme, of a map of the process: (ny, nx) uint8.

    land : (ny, nx) uint8, the process's own eight classes, of `year`, which decides forest types
    """
    return of.numbers_from_codes(process.codes(land, year), VARIANT, f"made-up world, {year}")


def score(prior: np.ndarray, predicted: np.ndarray, truth: np.ndarray, n_classes: int) -> Scores:
    """Score a map on land (every cell that is not ocean).

    prior, predicted, truth : (ny, nx) uint8 class numbers of one scheme; prior is the map of START
    """
    land = truth != OUTSIDE
    return {
        "accuracy": accuracy(predicted, truth, land),
        "mean_iou": mean_iou(predicted, truth, land, n_classes),
        "figure_of_merit": figure_of_merit(prior, predicted, truth, land).value,
    }


def attainable(
    process: Process,
    forcing: WorldForcing,
    maps: dict[int, np.ndarray],
    of: Scheme,
    tick: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """Score the process itself.

    maps : year -> (ny, nx) uint8, the process's own eight classes, for START and TARGETS
    of : scheme whose classes are scored; it has the file variant VARIANT
    tick : called after each of the N_VOTES + 2 runs
    returns : what attainable.json holds
    """
    truth = {year: in_scheme(process, land, year, of) for year, land in maps.items()}
    first, prior = maps[START], truth[START]

    def scored(land: np.ndarray, year: int) -> Scores:
        return score(prior, in_scheme(process, land, year, of), truth[year], of.n_classes)

    runs: dict[str, dict[int, Scores]] = {
        name: {} for name in ("persistence", "random_place", "noise_free", "vote")
    }
    for year in TARGETS:
        runs["persistence"][year] = score(prior, prior, truth[year], of.n_classes)
    other_seed = process.seed + 1_000_000  # of noise that is not the world's own
    by_chance = RandomPlaces(process.terrain, process.seed)
    for name, run in (
        ("random_place", _run(by_chance, forcing, first, other_seed)),
        ("noise_free", _run(process, forcing, first, None)),
    ):
        for year, land in run:
            runs[name][year] = scored(land, year)
        tick()
    votes = {year: np.zeros((N_CLASSES, *prior.shape), np.uint8) for year in TARGETS}
    twins: list[dict[int, Scores]] = []
    for number in range(N_VOTES):
        scores = {}
        for year, land in _run(process, forcing, first, other_seed + 1 + number):
            for k in range(N_CLASSES):
                votes[year][k] += land == k
            if number < N_TWINS:
                scores[year] = scored(land, year)
        twins.append(scores)
        tick()
    for year in TARGETS:
        runs["vote"][year] = scored(votes[year].argmax(axis=0), year)
    return _report(truth, runs, twins[:N_TWINS], of)


def _run(
    process: Process, forcing: WorldForcing, prior: np.ndarray, seed: int | None
) -> Iterator[tuple[int, np.ndarray]]:
    """Step from START on and give the map of each target year."""
    land = prior
    for year in range(START + 1, TARGETS[-1] + 1):
        land = process.step(land, year, forcing.counts(year), seed)
        if year in TARGETS:
            yield year, land


def _report(
    truth: dict[int, np.ndarray],
    runs: dict[str, dict[int, Scores]],
    twins: list[dict[int, Scores]],
    of: Scheme,
) -> dict[str, Any]:
    land = truth[START] != OUTSIDE
    targets: dict[str, Any] = {}
    for year in TARGETS:
        of_year: dict[str, Any] = {
            "changed_cells": int((truth[START] != truth[year])[land].sum()),
            "changed_share": round(float((truth[START] != truth[year])[land].mean()), 6),
        }
        for name, scores in runs.items():
            of_year[name] = {metric: round(scores[year][metric], 6) for metric in METRICS}
        of_year["best_attainable"] = {
            metric: max(of_year["noise_free"][metric], of_year["vote"][metric])
            for metric in METRICS
        }
        of_year["twin"] = {
            metric: {
                "mean": round(float(np.mean([t[year][metric] for t in twins])), 6),
                "sd": round(float(np.std([t[year][metric] for t in twins], ddof=1)), 6),
            }
            for metric in METRICS
        }
        targets[str(year)] = of_year
    return {
        "scheme": of.name,
        "start": START,
        "land_cells": int(land.sum()),
        "cells_that_count": "land: every cell that is not ocean, inland water included",
        "mean_iou_over": "the classes that the true map holds on those cells, ocean left out",
        "how": HOW,
        "targets": targets,
    }
