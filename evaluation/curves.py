"""Curves and bars of an evaluation, each as the bytes of a PNG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from landstep.evaluation.drawing import FAINT, INK, colour_of, finish, png, subplots, title_of
from landstep.evaluation.page import percent

SHOWN = 30
"""Cells that a bin of probability needs to be drawn."""

LEAST = (1e-3, 1e-4)
"""Smallest probability and frequency drawn."""


def draw_merit(tables: Sequence[Mapping[str, Any]], names: Sequence[str]) -> bytes:
    """Draw the figure of merit of each method and pair, with its interval, by kind of change."""
    figure, axes = subplots(
        1, 2, figsize=(13, 0.9 + 0.26 * len(names) * len(tables)), layout="constrained", sharey=True
    )
    ticks: list[float] = []
    labels: list[str] = []
    for axis, key, title in zip(
        axes, ("fom", "fom_first"), ("all changes", "first-time changes"), strict=True
    ):
        place, ticks, labels = 0.0, [], []
        for table in tables:
            for name in names:
                if name not in table:
                    continue
                value, (low, high) = table[name][key], table[name][f"{key}_interval"]
                axis.barh(place, value, color=colour_of(name), height=0.8, zorder=2)
                axis.plot([low, high], [place, place], color=INK, lw=1.2, zorder=3)
                ticks.append(place)
                labels.append(f"{title_of(name)}  {table['from']}:{table['to']}")
                place += 1
            place += 0.8
        axis.set_title(f"figure of merit, {title}")
        axis.set_ylim(place - 1, -1)
        axis.grid(axis="x", color=FAINT)
    axes[0].set_yticks(ticks, labels)
    return png(figure)


def draw_lags(tables: Sequence[Mapping[str, Any]], names: Sequence[str]) -> bytes:
    """Draw figure of merit, and accuracy gained over persistence, by the years between."""
    figure, axes = subplots(1, 2, figsize=(13, 4), layout="constrained")
    for name in names:
        there = [t for t in tables if name in t]
        lags = np.array([abs(t["to"] - t["from"]) for t in there])
        some = np.unique(lags)
        for axis, values in (
            (axes[0], [t[name]["fom"] for t in there]),
            (axes[1], [t[name]["accuracy"] - t["persistence"]["accuracy"] for t in there]),
        ):
            means = [np.mean(np.array(values)[lags == lag]) for lag in some]
            axis.plot(some, means, "o-", color=colour_of(name), label=title_of(name))
    for axis in axes:
        axis.xaxis.get_major_locator().set_params(integer=True)
    axes[0].set(title="figure of merit", xlabel="years")
    axes[1].set(title="accuracy less that of persistence", xlabel="years")
    axes[1].axhline(0, color=INK, lw=0.8)
    return finish(figure, axes, below=True)


def draw_reliability(methods: Mapping[str, Mapping[str, Any]], shown: str) -> bytes:
    """Draw what happened against its probability: change by method, and one method by class.

    Bins of fewer than SHOWN cells are left out; what never happened lies on the lower edge.
    """
    figure, axes = subplots(1, 2, figsize=(13, 5), layout="constrained")

    def draw(axis: Any, curve: Mapping[str, Any], label: str, colour: str | None) -> None:
        enough = np.array(curve["cells"]) >= SHOWN
        said = np.maximum(np.array(curve["probability"])[enough], LEAST[0])
        happened = np.maximum(np.array(curve["frequency"])[enough], LEAST[1])
        axis.plot(said, happened, "o-", ms=4, color=colour, label=label)

    for name, entry in methods.items():
        if "reliability" in entry and name != "model_exact":
            draw(axes[0], entry["reliability"]["change"], title_of(name), colour_of(name))
    for name, curve in methods[shown]["reliability"].items():
        if name != "change":
            draw(axes[1], curve, name, None)
    axes[0].set_title("probability of change")
    axes[1].set_title(f"{title_of(shown)}: probability of becoming a class")
    for axis in axes:
        axis.plot([LEAST[0], 1], [LEAST[0], 1], color=INK, lw=0.8)
        axis.set(xscale="log", yscale="log", xlim=(LEAST[0], 1), ylim=(LEAST[1], 1))
        axis.set(xlabel="probability", ylabel="frequency")
    axes[0].legend(frameon=False, fontsize=8)
    return finish(figure, axes)


def draw_quantity(curves: Sequence[Mapping[str, Any]], still: Mapping[str, Any]) -> bytes:
    """Draw accuracy and mean IoU less persistence's against the error of the quantities.

    still : persistence's scores
    """
    kinds = list(dict.fromkeys(curve["kind"] for curve in curves))
    scores = {"accuracy": "accuracy", "mean_iou": "mean IoU"}
    figure, axes = subplots(
        len(scores),
        len(kinds),
        figsize=(13, 6.4),
        layout="constrained",
        sharex=True,
        sharey="row",
        squeeze=False,
    )
    for line, (score, title) in zip(axes, scores.items(), strict=True):
        for axis, kind in zip(line, kinds, strict=True):
            for curve in curves:
                if curve["kind"] == kind:
                    name, levels = curve["method"], 100 * np.array(curve["levels"])
                    gained = np.array(curve[score]) - still[score]
                    axis.plot(levels, gained, "o-", color=colour_of(name), label=title_of(name))
            axis.axhline(0, color=INK, lw=0.8)
        line[0].set_ylabel(f"{title} less that of persistence")
    for top, bottom, kind in zip(axes[0], axes[-1], kinds, strict=True):
        top.set_title(kind)
        bottom.set_xlabel("error, %")
    return finish(figure, [*axes.flat], below=True)


def draw_infill(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Draw the error on hidden cells by share hidden and way of filling."""
    figure, axis = subplots(figsize=(13, 3.6), layout="constrained")
    names = list(dict.fromkeys(row["method"] for row in rows))
    shares = sorted({row["hidden_share"] for row in rows})
    for number, name in enumerate(names):
        errors = {row["hidden_share"]: row["error_hidden"] for row in rows if row["method"] == name}
        place = [n + (number - len(names) / 2 + 0.5) * 0.8 / len(names) for n in range(len(shares))]
        heights = [errors.get(share, np.nan) for share in shares]
        axis.bar(place, heights, 0.76 / len(names), color=colour_of(name), label=title_of(name))
    axis.set_xticks(range(len(shares)), [f"{percent(share)} hidden" for share in shares])
    axis.set_ylabel("share of hidden cells with a wrong class")
    return finish(figure, [axis], below=True)


def draw_runs(runs: Mapping[str, Mapping[str, Any]]) -> bytes:
    """Draw the share of land that changes each year of the free runs and in truth."""
    figure, axis = subplots(figsize=(13, 3.6), layout="constrained")
    lines = {
        "forced": ("#0b6e4f", "free run"),
        "constant": ("#c8443c", "constant forcing: all of it spurious"),
        "constant_none": ("#e3a857", "the same without quotas: the network alone"),
        "truth": (INK, "truth"),
    }
    for name, run in runs.items():
        years = run["start"] + 1 + np.arange(run["years"])
        colour, label = lines[name]
        axis.plot(
            years, 100 * np.array(run["yearly_change"]), "o-", ms=3, color=colour, label=label
        )
    axis.xaxis.get_major_locator().set_params(integer=True)
    axis.set_ylim(bottom=0)
    axis.set_ylabel("% of land changing in the year")
    return finish(figure, [axis], below=True)
