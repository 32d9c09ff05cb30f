"""What all pictures of a run share: matplotlib's style, the page, legends, colours, files."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from landstep.emulator.atomic import replacing
from landstep.evaluation.drawing import matplotlib as load_matplotlib

WIDTH = 7.2
"""Inches across every picture: both columns of a journal's page, so that letters keep their size
there."""

DPI, FINEST_DPI = 200, 400
"""Pixels an inch; as many as the second where a map has the cells for them."""

STYLE: Any = {
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "pdf.fonttype": 42,
}
"""Sizes in points; letters in a PDF stay letters."""

SEA, LAND = (0.80, 0.80, 0.80), (0.97, 0.97, 0.97)
"""What lies under changes: what is no land or never changes, and land."""

GRID = "#8a8a8a"


@contextlib.contextmanager
def styled() -> Iterator[None]:
    """Draw with the sizes of this project, whatever the user has set for his own pictures.

    Raises DependencyError without matplotlib.
    """
    matplotlib = load_matplotlib("plot")
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        yield


def new_figure(height: float) -> Any:
    """Give an empty figure as wide as a page, so many inches high."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, height))
    FigureCanvasAgg(figure)  # it measures what is written
    return figure


def listed(colours: Sequence[str]) -> Any:
    """Give a colour map of one colour a class."""
    from matplotlib.colors import ListedColormap

    return ListedColormap(list(colours))


def class_legend(figure: Any, labels: Sequence[tuple[str, str]], left: float = 0.0) -> float:
    """Put a legend of classes, (name, colour) each, at a figure's foot: its height in inches.

    left : inches that it leaves free
    """
    from matplotlib.patches import Patch

    handles = [Patch(facecolor=c, edgecolor="0.4", lw=0.4, label=name) for name, c in labels]
    return foot_legend(figure, handles, left)


def foot_legend(figure: Any, handles: Sequence[Any], left: float = 0.0) -> float:
    """Put a legend at a figure's foot, in as many columns as its width allows.

    left : inches that it leaves free
    returns : its height in inches
    """
    height = 0.0
    for columns in range(min(5, len(handles)), 0, -1):
        legend = figure.legend(
            handles=handles,
            loc="lower center",
            bbox_to_anchor=(left / WIDTH, 0, 1 - left / WIDTH, 1),
            ncols=columns,
            frameon=False,
            borderaxespad=0.3,
            columnspacing=1.2,
        )
        box = legend.get_window_extent(figure.canvas.get_renderer())
        height = float(box.height / figure.dpi) + 0.08
        if box.width <= (WIDTH - left - 0.1) * figure.dpi or columns == 1:
            break
        legend.remove()
    return height


def rgb(colours: Sequence[str]) -> Any:
    """Give colours as numbers: (n, 3) float64 in 0..1."""
    from matplotlib.colors import to_rgba_array

    return to_rgba_array(list(colours))[:, :3]


def line_colour(colour: str) -> tuple[float, float, float]:
    """Darken a class's colour until a line of it stands out from white paper.

    Source: WCAG 2.2, success criterion 1.4.11: graphics need a contrast of 3:1, which on white is
    a relative luminance of at most 0.3.
    """
    red, green, blue = (float(part) for part in rgb([colour])[0])
    while luminance((red, green, blue)) > 0.3:
        red, green, blue = 0.95 * red, 0.95 * green, 0.95 * blue
    return red, green, blue


def luminance(colour: tuple[float, float, float]) -> float:
    """Relative luminance of an sRGB colour, 0 black to 1 white. Source: WCAG 2.2, definitions."""
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def save(figure: Any, path: Path, dpi: float) -> Path:
    """Write a picture; the same data give the same bytes.

    Raises InputError where the file cannot be written.
    """
    kind = path.suffix[1:]
    metadata = {"Software": None} if kind == "png" else {"CreationDate": None, "Producer": None}
    with replacing(path) as temporary:
        figure.savefig(temporary, format=kind, dpi=dpi, metadata=metadata)
    return path
