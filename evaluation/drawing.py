"""What all pictures of an evaluation share: matplotlib, colours, PNG. The one place that draws."""

from __future__ import annotations

import contextlib
import io
import os
import sys
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

OF_AXES = ("sharex", "sharey", "squeeze", "gridspec_kw")

INK, FAINT = "#222222", "#dddddd"


def colour_of(name: str) -> str:
    """Colour of a method; that of ink for one that has none."""
    return COLOURS.get(name, INK)


def title_of(name: str) -> str:
    """Name of a method as it is read."""
    return name.replace("_", " ")


def matplotlib(extra: str = "evaluate") -> Any:
    """Import matplotlib, whatever backend the user has set for pictures of his own, valid or not.

    Pictures here are drawn into files and need none. Where matplotlib knows the backend that
    MPLBACKEND names, the user's own pictures have it after this.

    extra : of landstep, that brings matplotlib
    Raises DependencyError where it is not installed, or a matplotlibrc keeps it from loading.
    """
    asked = os.environ.pop("MPLBACKEND", None) if "matplotlib" not in sys.modules else None
    try:
        import matplotlib
    except ImportError as error:
        raise DependencyError(
            f"matplotlib is not installed: pip install 'landstep[{extra}]'"
        ) from error
    except (OSError, ValueError) as error:
        raise DependencyError(
            f"matplotlib does not load: {error}; is a file matplotlibrc in this folder, in "
            "$MATPLOTLIBRC or in ~/.config/matplotlib damaged?"
        ) from error
    finally:
        if asked is not None:
            os.environ["MPLBACKEND"] = asked
    if asked is not None:
        with contextlib.suppress(ValueError):
            matplotlib.rcParams["backend"] = asked
    return matplotlib


def subplots(rows: int = 1, columns: int = 1, **options: Any) -> tuple[Any, Any]:
    """Return a figure of rows x columns axes, and the axes, as pyplot's function of this name does.

    options : `sharex`, `sharey`, `squeeze` and `gridspec_kw` of the axes; others are the figure's
    """
    matplotlib()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    of_axes = {name: options.pop(name) for name in OF_AXES if name in options}
    figure = Figure(**options)
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, columns, **of_axes)


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
    """Return a figure as the bytes of a PNG."""
    for axis in figure.axes:
        for side in ("top", "right"):
            axis.spines[side].set_visible(False)
    kept = io.BytesIO()
    figure.savefig(kept, format="png", dpi=dpi, metadata={"Software": None})
    return kept.getvalue()
