"""What all pictures of an evaluation share: matplotlib, colours, PNG. The one place that draws."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from landstep.emulator.errors import DependencyError

COLOURS = {
    "model": "#0b6e4f",
    "model_exact": "#45a17f",
    "model_rolled": "#95ccb2",
    "boosting": "#b5651d",
    "history_table": "#e3a857",
    "neighbourhood": "#5b7db1",
    "nearest": "#5b7db1",
    "nearest_totals": "#93aed6",
    "majority": "#8d8d8d",
    "proportional": "#c3cedd",
    "random": "#c3cedd",
    "persistence": "#8d8d8d",
}
"""Colour of each method in every picture."""

INK, FAINT = "#222222", "#dddddd"


def colour_of(name: str) -> str:
    """Colour of a method; that of ink for one that has none."""
    return COLOURS.get(name, INK)


def title_of(name: str) -> str:
    """Name of a method as it is read."""
    return name.replace("_", " ")


def matplotlib() -> tuple[Any, Any, Any]:
    """Give matplotlib's pyplot, colors and patches, drawing into files.

    Raises DependencyError where it is not installed.
    """
    try:
        import matplotlib
    except ImportError as error:
        raise DependencyError(
            "matplotlib is not installed: pip install 'landstep[evaluate]'"
        ) from error
    matplotlib.use("Agg")
    from matplotlib import colors, patches, pyplot

    return pyplot, colors, patches


def finish(figure: Any, axes: Sequence[Any], *, below: bool = False) -> bytes:
    """Add grid and legend to curves, and give the picture.

    below : one legend below all, of the last axis' curves, instead of one inside it
    """
    for axis in axes:
        axis.grid(color=FAINT)
        axis.set_axisbelow(True)
    if below:
        lines, names = axes[-1].get_legend_handles_labels()
        figure.legend(
            lines, names, loc="outside lower center", ncols=len(names), frameon=False, fontsize=9
        )
    else:
        axes[-1].legend(frameon=False, fontsize=8)
    return png(figure)


def png(figure: Any, dpi: int = 110) -> bytes:
    """Give a figure as the bytes of a PNG, and close it."""
    for axis in figure.axes:
        for side in ("top", "right"):
            axis.spines[side].set_visible(False)
    kept = io.BytesIO()
    figure.savefig(kept, format="png", dpi=dpi, metadata={"Software": None})
    matplotlib()[0].close(figure)
    return kept.getvalue()
