"""The picture of class areas over the years, against the forcing, with what is owed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from landstep.area_series import AreaSeries, GroupSeries, drawn_classes, shown_range
from landstep.drawing import foot_legend, line_colour, new_figure, save
from landstep.emulator.classes import Scheme

COLUMNS, PANEL, FOOT = 3, 1.55, 0.35
"""Panels beside each other; inches of a panel's height, and below all."""

DASHES = ("-", (0, (5, 1.5)), (0, (1, 1)), (0, (5, 1, 1, 1)), (0, (3, 1, 1, 1, 1, 1)))
"""Lines that are told apart without colour."""


def draw_areas(scheme: Scheme, series: AreaSeries, path: Path, dpi: int) -> Path:
    """Draw a panel for each class, one for each group of several, and one of what is owed.

    Raises InputError where the picture cannot be written.
    """
    from matplotlib.gridspec import GridSpec

    alone = {group.classes[0]: group for group in series.groups if len(group.classes) == 1}
    panels: list[Any] = [
        (scheme.long_names[k], series.classes[:, k], scheme.colours[k], alone.get(k))
        for k in drawn_classes(scheme, series)
    ]
    panels += [
        (f"group {group.name}", group.in_map, scheme.colours[group.classes[0]], group)
        for group in series.groups
        if len(group.classes) > 1
    ]
    rows = -(-(len(panels) + bool(series.groups)) // COLUMNS)
    height = rows * PANEL + FOOT
    figure = new_figure(height)
    grid = GridSpec(
        rows, COLUMNS, figure, left=0.075, right=0.985, top=1 - 0.22 / height,
        bottom=(FOOT + 0.25) / height, wspace=0.33, hspace=0.42,
    )  # fmt: skip
    axes = [figure.add_subplot(grid[divmod(n, COLUMNS)]) for n in range(len(panels))]
    for axis, (title, areas, colour, group) in zip(axes, panels, strict=True):
        _draw_panel(axis, series, title, areas, line_colour(colour), group)
    if series.groups:
        row, column = divmod(len(panels), COLUMNS)
        _draw_debt(figure.add_subplot(grid[row, column:]), scheme, series)
    foot_legend(figure, _handles(series))
    return save(figure, path, dpi)


def unit_of(largest: float) -> tuple[float, str]:
    """Choose the unit in which an area reads well: square kilometres, and its name.

    largest : km2
    """
    for size, name in ((1e6, "million km²"), (1e3, "1000 km²")):
        if largest >= size:
            return size, name
    return 1.0, "km²"


def apart_text(group: GroupSeries) -> str:
    """Say by how much the forcing's area differs from the map's at first; nothing below 0.5 %."""
    if group.since is None or not abs(group.apart) >= 0.005:
        return ""
    more = "more" if group.apart > 0 else "less"
    return f"in {group.since} the forcing has {abs(group.apart):.0%} {more}".replace("%", " %")


def _draw_panel(
    axis: Any,
    series: AreaSeries,
    title: str,
    areas: np.ndarray,
    colour: tuple[float, float, float],
    group: GroupSeries | None,
) -> None:
    unit, name = unit_of(float(np.nanmax(areas)))
    marker = "o" if series.years.size < 3 else ""
    axis.plot(series.years, areas / unit, color=colour, lw=1.6, marker=marker, ms=3)
    seen = areas / unit
    if group is not None and group.since is not None:
        axis.plot(series.years, group.follows / unit, "k", ls=(0, (3, 1.5)), lw=0.9)
        axis.text(0.97, 0.03, apart_text(group), transform=axis.transAxes, fontsize=6, ha="right")
        seen = np.concatenate([seen, group.follows / unit])
    axis.set_ylim(*shown_range(seen))
    _finish(axis, series, title, name)


def _draw_debt(axis: Any, scheme: Scheme, series: AreaSeries) -> None:
    owed = np.array([group.debt for group in series.groups])
    unit, name = unit_of(float(np.abs(owed).max()))
    for n, (group, debt) in enumerate(zip(series.groups, owed, strict=True)):
        colour = line_colour(scheme.colours[group.classes[0]])
        label = group.name.replace("_", " ")
        axis.plot(series.years, debt / unit, color=colour, ls=DASHES[n % 5], lw=1.2, label=label)
    axis.axhline(0, color="0.5", lw=0.5, zorder=0)
    low, high = min(0.0, float(owed.min() / unit)), max(0.0, float(owed.max() / unit))
    lines = -(-len(owed) // 4)
    span = (high - low) or 1.0
    axis.set_ylim(low - 0.1 * span, high + (0.1 + 0.2 * lines) * span)
    axis.legend(
        frameon=False, fontsize=7, ncols=4, loc="upper center", handlelength=3, borderaxespad=0
    )
    _finish(axis, series, "still owed to the forcing", name)


def _finish(axis: Any, series: AreaSeries, title: str, unit: str) -> None:
    from matplotlib.ticker import MaxNLocator

    axis.set_title(title, pad=3)
    axis.set_ylabel(unit, labelpad=2)
    first, last = int(series.years[0]), int(series.years[-1])
    margin = max(0.5, 0.03 * (last - first))
    axis.set_xlim(first - margin, last + margin)
    axis.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axis.yaxis.set_major_locator(MaxNLocator(5))
    axis.ticklabel_format(useOffset=False)
    axis.spines[["top", "right"]].set_visible(False)
    for begin, end in copied_spans(series):
        axis.axvspan(begin - 0.5, end + 0.5, color="0.92", lw=0, zorder=-1)


def copied_spans(series: AreaSeries) -> list[tuple[int, int]]:
    """First and last year of each run of copied maps."""
    years = series.years[series.copied]
    if not years.size:
        return []
    runs = np.split(years, np.flatnonzero(np.diff(years) > 1) + 1)
    return [(int(run[0]), int(run[-1])) for run in runs]


def _handles(series: AreaSeries) -> list[Any]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = [Line2D([], [], color="0.35", lw=1.6, label="maps")]
    since = [group.since for group in series.groups if group.since is not None]
    if since:
        label = f"the map of {since[0]} and the forcing's change since"
        handles.append(Line2D([], [], color="k", ls=(0, (3, 1.5)), lw=0.9, label=label))
    if series.copied.any():
        handles.append(Patch(color="0.92", label="observed maps, copied"))
    return handles
