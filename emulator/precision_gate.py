"""Whether a model may run in lower precision, or on another provider's arithmetic.

Rounding moves logits, and with them which cells change. What may differ is measured beside fp32 on
the CPU, and always against how much changed at all: where little changes, maps that agree say
nothing. See docs/decisions/0012-gate-before-lower-precision.md.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from landstep.emulator.area_sums import class_areas
from landstep.emulator.card import Card, DriftFigures, Gate, StepFigures
from landstep.emulator.errors import ModelError
from landstep.emulator.grid import Grid

LEAST_YEARS = 100
"""Years of a free run that a pass needs: an error that feeds on itself shows by then."""

ONE_STEP_AGREEMENT = 0.999
"""Least share of land cells that one step gives the same class: as stored references ask of another
processor (docs/decisions/0006-stored-references.md)."""

ONE_STEP_MOVED = 0.1
"""The most cells that may differ in one step, for each that it changed. A change that is made in
another cell counts twice: one change in twenty."""

AREA_DIFFERENCE = 0.001
"""Largest difference of a class's area at the end, as a share of the land."""

DRIFT_MOVED = 0.5
"""The most cells that may differ at the end, for each that the run changed: half of what the fp32
run itself misses. Source: made-up world, docs/decisions/0012-gate-before-lower-precision.md."""


def step_figures(
    year: int, found: np.ndarray, fp32: np.ndarray, before: np.ndarray, land: np.ndarray
) -> StepFigures:
    """Compare one step with fp32's from the same map.

    found, fp32, before : (y, x) uint8; land : (y, x) bool, the cells that count
    """
    return StepFigures(
        year=year,
        agreement=float((found == fp32)[land].mean()),
        changed=float((fp32 != before)[land].mean()),
    )


def drift_figures(
    year: int, found: np.ndarray, fp32: np.ndarray, start: np.ndarray, land: np.ndarray, grid: Grid
) -> DriftFigures:
    """Compare a year of a free run with the fp32 run since the same start.

    found, fp32, start : (y, x) uint8; land : (y, x) bool, the cells that count
    """
    n_classes = int(max(found[land].max(), fp32[land].max())) + 1
    ours, theirs = (
        class_areas(np.where(land, map_, 255).astype(np.uint8), grid, n_classes)
        for map_ in (found, fp32)
    )
    figures = step_figures(year, found, fp32, start, land)
    largest = float(np.abs(ours - theirs).max() / theirs.sum())
    return DriftFigures(**figures.model_dump(), area_difference=largest)


def moved(figures: StepFigures) -> float:
    """Cells that differ for each that fp32 changed; 0 where neither happens, else infinite.

    A change that fp32 makes in one cell and the other in another counts twice: 2 is nothing alike.
    """
    differ = 1 - figures.agreement
    return differ / figures.changed if figures.changed else (np.inf if differ else 0.0)


def broken_limits(
    steps: Sequence[StepFigures], drift: Sequence[DriftFigures], years: int
) -> list[str]:
    """Say which limits of the gate are broken; none where it is passed.

    years : of the free run, whose last figures come last in `drift`
    """
    lowest, last = min(step.agreement for step in steps), drift[-1]
    most = max(moved(step) for step in steps)
    found = (
        (years < LEAST_YEARS, f"a run of {years} years, a pass needs {LEAST_YEARS}"),
        (
            lowest < ONE_STEP_AGREEMENT,
            f"one step agrees on {lowest:.6f} of land cells, expected {ONE_STEP_AGREEMENT} or more",
        ),
        (
            most > ONE_STEP_MOVED,
            f"{most:.3f} of the cells that a step changes differ, expected {ONE_STEP_MOVED} or "
            "less",
        ),
        (
            last.area_difference > AREA_DIFFERENCE,
            f"a class's area differs by {last.area_difference:.6f} of the land at the end, "
            f"expected {AREA_DIFFERENCE} or less",
        ),
        (
            moved(last) > DRIFT_MOVED,
            f"{moved(last):.3f} of the cells that the run changed differ at the end, expected "
            f"{DRIFT_MOVED} or less",
        ),
    )
    return [text for broken, text in found if broken]


def gate_for(card: Card, provider: str, precision: str) -> Gate | None:
    """Give the card's record of a provider and precision; None where there is none."""
    found = [g for g in card.gates if (g.provider, g.precision) == (provider, precision)]
    return found[-1] if found else None


def refuse_ungated(card: Card, provider: str, precision: str, where: str) -> None:
    """Refuse a model that was not verified for a provider and precision, or did not pass.

    Raises ModelError saying how to verify it, or which limits it broke.
    """
    gate = gate_for(card, provider, precision)
    how = (
        "landstep verify EXPERIMENT --reference FOLDER --years A:B, with the folder of a run of "
        'the same experiment with provider = "cpu", precision = "fp32"'
    )
    if gate is None:
        raise ModelError(
            f"{where}: model {card.name!r} was not verified on {provider} in {precision}; run "
            f"{how}, and name the file that it writes"
        )
    if not gate.passed:
        raise ModelError(
            f"{where}: model {card.name!r} did not pass on {provider} in {precision} "
            f"({gate.date}): {'; '.join(gate.failed)}. Use fp32 on the cpu, or verify again: {how}"
        )
