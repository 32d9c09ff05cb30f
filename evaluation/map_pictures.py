"""Maps of an evaluation: what truly changed, what was predicted, and what was found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from landstep.evaluation.case import Case
from landstep.evaluation.drawing import matplotlib, png, subplots, title_of
from landstep.evaluation.pairs import PairScores

OUTCOMES = (
    ("hit", "#1b1b1b"),
    ("wrong hit", "#e3a857"),
    ("miss", "#3f7fd0"),
    ("false alarm", "#d2322a"),
)
ZOOM = 140
"""Cells a side of the piece of a map that is drawn large."""

FINEST = 450
"""Cells a side beyond which outcomes are drawn in squares of several cells."""


def draw_maps(case: Case, scored: PairScores, method: str) -> bytes:
    """Draw true map, predicted map and the outcome of each change, whole and where most changes."""
    matplotlib()
    from matplotlib import colors, patches

    prior, truth = case.map(scored.before), case.map(scored.after)
    found = scored.predictions[method].land_use
    outcome = outcomes(prior, found, truth, scored.counted)
    piece = busiest(np.where(scored.counted, prior != truth, False), ZOOM)
    whole = (slice(None), slice(None))
    small = all(p.stop - p.start >= 0.7 * n for p, n in zip(piece, prior.shape, strict=True))
    rows = [whole] if small else [whole, piece]
    tall = prior.shape[0] / prior.shape[1] * (2 if not small else 1) * 4.3 + 1.2
    figure, axes = subplots(len(rows), 3, figsize=(13, tall), layout="constrained", squeeze=False)
    classes = colors.ListedColormap(case.scheme.colours)
    kinds = colors.ListedColormap(["#ffffff00", *(colour for _, colour in OUTCOMES)])
    for line, part in zip(axes, rows, strict=True):
        where = "" if part is whole else ", where most changes"
        panels = ((truth, f"true {scored.after}"), (found, f"{title_of(method)} {scored.after}"))
        for axis, (values, title) in zip(line, panels, strict=False):
            last = case.scheme.n_classes - 0.5
            axis.imshow(values[part], cmap=classes, vmin=-0.5, vmax=last, interpolation="nearest")
            axis.set_title(title + where)
        shape = prior[part].shape
        extent = (-0.5, shape[1] - 0.5, shape[0] - 0.5, -0.5)
        sea = np.where(prior[part] == 0, 0.86, 0.98)
        line[2].imshow(sea, cmap="gray", vmin=0, vmax=1, extent=extent)
        coarse = gathered(outcome[part], -(-max(shape) // FINEST))
        line[2].imshow(
            coarse, cmap=kinds, vmin=-0.5, vmax=4.5, interpolation="nearest", extent=extent
        )
        line[2].set_title(f"change {scored.before} to {scored.after}{where}")
        for axis in line:
            axis.set(xticks=[], yticks=[])
            axis.spines[:].set_visible(False)

    def handles(names: Sequence[str], colours: Sequence[str]) -> list[Any]:
        return [
            patches.Patch(facecolor=colour, edgecolor="0.6", label=title_of(name))
            for name, colour in zip(names, colours, strict=True)
        ]

    of = case.scheme
    figure.legend(
        handles=handles(of.names, of.colours),
        loc="outside lower left",
        ncols=5,
        frameon=False,
        fontsize=8,
    )
    figure.legend(
        handles=handles(*zip(*OUTCOMES, strict=True)),
        loc="outside lower right",
        ncols=4,
        frameon=False,
        fontsize=8,
    )
    return png(figure, dpi=120)


def gathered(outcome: np.ndarray, step: int) -> np.ndarray:
    """Draw together squares of cells: the most frequent outcome other than none in each.

    outcome : (y, x) uint8, as of `outcomes`; step : cells a side of a square
    returns : (ceil(y / step), ceil(x / step)) uint8; 0 where no cell has an outcome
    """
    if step <= 1:
        return outcome
    ny, nx = outcome.shape
    rows, cols = np.arange(0, ny, step), np.arange(0, nx, step)
    counts = np.stack(
        [
            np.add.reduceat(np.add.reduceat(outcome == kind, rows, 0, int), cols, 1, int)
            for kind in range(1, len(OUTCOMES) + 1)
        ]
    )
    return np.where(counts.any(axis=0), 1 + counts.argmax(axis=0), 0).astype(np.uint8)


def outcomes(
    prior: np.ndarray, found: np.ndarray, truth: np.ndarray, counted: np.ndarray
) -> np.ndarray:
    """Number the outcome of each cell: 0 none, then as in OUTCOMES: (y, x) uint8."""
    changed, moved, right = prior != truth, prior != found, found == truth
    kinds = (
        changed & moved & right,
        changed & moved & ~right,
        changed & ~moved,
        ~changed & moved,
    )
    outcome = np.zeros(prior.shape, np.uint8)
    for number, cells in enumerate(kinds, start=1):
        outcome[cells & counted] = number
    return outcome


def busiest(flags: np.ndarray, size: int) -> tuple[slice, slice]:
    """Find the square of `size` cells (or the whole map) that holds most True cells."""
    ny, nx = flags.shape
    height, width = min(size, ny), min(size, nx)
    sums = np.zeros((ny + 1, nx + 1), np.int64)
    sums[1:, 1:] = flags.cumsum(0, dtype=np.int64).cumsum(1)
    inside = sums[height:, width:] - sums[:-height, width:] - sums[height:, :-width]
    inside = inside + sums[:-height, :-width]
    top, left = (int(n) for n in np.unravel_index(inside.argmax(), inside.shape))
    return slice(top, top + height), slice(left, left + width)
