"""The picture of some years' maps, of all that a run covers or of a region of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from landstep.drawing import WIDTH, class_legend, new_figure, rgb, save
from landstep.emulator.classes import MASKED, Scheme
from landstep.map_layout import Layout, add_map, show
from landstep.map_places import Place
from landstep.map_reading import Block, Shown

LOCATOR = 1.5, 0.9
"""Inches across and high, at most, of the small map that shows where a region lies."""


@dataclass(frozen=True, eq=False)
class Whole:
    """The whole map that a region is a part of."""

    place: Place
    shown: Shown
    block: Block


def draw_maps(
    maps: Sequence[Shown],
    scheme: Scheme,
    place: Place,
    layout: Layout,
    block: Block,
    path: Path,
    whole: Whole | None = None,
) -> Path:
    """Draw maps beside each other in the colours of their classes.

    whole : where a region is drawn, what it is a part of; shown small, with the region framed
    Raises InputError where the picture cannot be written.
    """
    figure = new_figure(layout.above)
    across, high = (0.0, 0.0) if whole is None else _locator_size(whole)
    foot = class_legend(
        figure, present(scheme, [of.classes for of in maps]), across + 0.2 * (across > 0)
    )
    figure.set_figheight(layout.above + max(foot, high + 0.1))
    for number, of in enumerate(maps):
        axis = add_map(figure, layout, number, place, str(of.year))
        show(axis, place, block, coloured(of.classes, scheme))
    if whole is not None:
        _locate(figure, whole, place, scheme)
    return save(figure, path, layout.dpi(place.size))


def coloured(classes: np.ndarray, scheme: Scheme) -> np.ndarray:
    """Colour of each pixel, white where the class is not known: (py, px, 3) uint8.

    classes : (py, px) uint8 class numbers or MASKED
    """
    table = np.full((256, 3), 255, np.uint8)
    table[: scheme.n_classes] = np.rint(255 * rgb(scheme.colours))
    return table[classes]


def present(scheme: Scheme, pictures: Sequence[np.ndarray]) -> list[tuple[str, str]]:
    """Name and colour of the classes that some picture shows, in the scheme's order."""
    numbers = set().union(*(np.unique(classes).tolist() for classes in pictures)) - {MASKED}
    return [(scheme.long_names[k], scheme.colours[k]) for k in sorted(numbers)]


def _locator_size(whole: Whole) -> tuple[float, float]:
    across = min(LOCATOR[0], LOCATOR[1] / whole.place.tall)
    return across, across * whole.place.tall


def _locate(figure: Any, whole: Whole, place: Place, scheme: Scheme) -> None:
    """Draw the whole map small, at the foot's left, with a frame around a part of it."""
    from matplotlib.patches import Rectangle

    height = figure.get_figheight()
    across, high = _locator_size(whole)
    axis = figure.add_axes((0.1 / WIDTH, 0.05 / height, across / WIDTH, high / height))
    axis.set(xticks=[], yticks=[])
    show(axis, whole.place, whole.block, coloured(whole.shown.classes, scheme))
    west, east, south, north = framed(whole.place, place)
    frame = Rectangle((west, south), east - west, north - south, fill=False, ec="black", lw=1.0)
    axis.add_patch(frame)


def framed(whole: Place, part: Place) -> tuple[float, float, float, float]:
    """West, east, south and north edge of a part on the axes of its whole map.

    No side is shorter than a fiftieth of the whole's, so that it is seen.
    """
    west, east, south, north = whole.extent
    ny, nx = whole.shape
    rows, cols = part.part
    sides = []
    for low, high, first, last, n in (
        (west, east, cols.start, cols.stop, nx),
        (south, north, ny - rows.stop, ny - rows.start, ny),
    ):
        middle = low + (high - low) * (first + last) / (2 * n)
        half = max(last - first, n / 50) * (high - low) / (2 * n)
        sides += [middle - half, middle + half]
    return sides[0], sides[1], sides[2], sides[3]
