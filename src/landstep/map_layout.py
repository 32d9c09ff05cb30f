"""How maps stand on a page: columns, inches, pixels, and a frame with degrees for each."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from landstep.drawing import DPI, FINEST_DPI, GRID, WIDTH, new_figure
from landstep.map_places import Graticule, Place, Ticks
from landstep.map_reading import Block

LEFT, RIGHT, GAP = 0.50, 0.10, 0.14
TITLE, TICKS = (0.1, 0.13), 0.24
HIGHEST = 8.2
"""Inches: beside and between maps; above each, and more a line of its title; below all; and of all
maps of a page together."""


@dataclass(frozen=True)
class Layout:
    """Maps of one shape on a page.

    count, columns : of maps; width, height : of a map, inches
    title : inches above each
    """

    count: int
    columns: int
    width: float
    height: float
    title: float

    @property
    def rows(self) -> int:
        """Rows of maps."""
        return -(-self.count // self.columns)

    @property
    def above(self) -> float:
        """Inches that all maps take, from the page's top."""
        return self.rows * (self.height + self.title) + TICKS

    def place(self, number: int) -> tuple[float, float]:
        """Left edge, and top edge from the page's top, of a map: inches."""
        row, column = divmod(number, self.columns)
        across = LEFT + RIGHT + self.columns * self.width + (self.columns - 1) * GAP
        left = (WIDTH - across) / 2 + LEFT + column * (self.width + GAP)
        return left, self.title + row * (self.height + self.title)

    def dpi(self, size: tuple[int, int]) -> int:
        """Pixels an inch, enough for each of (rows, columns) cells as far as FINEST_DPI goes."""
        need = max(size[0] / self.height, size[1] / self.width)
        return int(np.clip(math.ceil(need), DPI, FINEST_DPI))

    def block(self, size: tuple[int, int]) -> Block:
        """Cells of a pixel, so that (rows, columns) cells fit: 1 each where all do."""
        dpi = self.dpi(size)
        inches = self.height, self.width
        down, across = (
            math.ceil(n / max(1, int(length * dpi + 1e-6)))
            for n, length in zip(size, inches, strict=True)
        )
        return down, across


def lay_out(count: int, tall: float, columns: int | None = None, lines: int = 1) -> Layout:
    """Choose columns and size of some maps: flat ones below each other, others side by side.

    tall : height of a map as a share of its width
    columns : where they are given, so many; lines : of each title
    """
    if columns is None:
        columns = min(count, 1 if tall < 0.65 else 2 if count == 4 else 3)
    rows, title = -(-count // columns), TITLE[0] + lines * TITLE[1]
    across = (WIDTH - LEFT - RIGHT - (columns - 1) * GAP) / columns
    down = (HIGHEST - rows * title - TICKS) / rows
    width = min(across, down / tall)
    return Layout(count, columns, width, width * tall, title)


def add_map(figure: Any, layout: Layout, number: int, place: Place, title: str) -> Any:
    """Add the frame of a map with its title and degrees; the axes that an image is drawn into.

    number : of the map on the page, from 0
    """
    left, top = layout.place(number)
    height = figure.get_figheight()
    axis = figure.add_axes(
        (
            left / WIDTH,
            1 - (top + layout.height) / height,
            layout.width / WIDTH,
            layout.height / height,
        )
    )
    axis.set_title(title, pad=3)
    west, east, south, north = place.extent
    axis.set(xlim=(west, east), ylim=(south, north))
    _put_ticks(axis.set_xticks, place.x_ticks, number + layout.columns >= layout.count)
    _put_ticks(axis.set_yticks, place.y_ticks, number % layout.columns == 0)
    _keep_inside(axis, place)
    if place.lines is not None:
        _draw_lines(axis, place.lines)
    return axis


def show(axis: Any, place: Place, block: Block, picture: np.ndarray, **how: Any) -> Any:
    """Draw pixels into a map's frame, each as large as its cells; the last ones may reach beyond.

    picture : (py, px) or (py, px, 3)
    how : of imshow
    """
    west, east, south, north = place.extent
    ny, nx = place.size
    over = [n * b / size for n, b, size in zip(picture.shape, block, (ny, nx), strict=False)]
    extent = (west, west + (east - west) * over[1], north - (north - south) * over[0], north)
    image = axis.imshow(picture, extent=extent, aspect="auto", interpolation="nearest", **how)
    axis.set(xlim=(west, east), ylim=(south, north))
    return image


def page(layout: Layout, foot: float) -> Any:
    """Give the figure of a layout, with so many inches at its foot."""
    return new_figure(layout.above + foot)


def _put_ticks(put: Any, ticks: Ticks, labelled: bool) -> None:
    put([at for at, _ in ticks], [text if labelled else "" for _, text in ticks])


def _keep_inside(axis: Any, place: Place) -> None:
    """Move what is written at a map's corners inwards, so that neighbours do not touch."""
    west, east, _, _ = place.extent
    for text, (at, _) in zip(axis.get_xticklabels(), place.x_ticks, strict=True):
        inwards = (at - west) / (east - west)
        text.set_ha("left" if inwards < 0.02 else "right" if inwards > 0.98 else "center")


def _draw_lines(axis: Any, lines: Graticule) -> None:
    """Draw lines of equal latitude and longitude; none across 180 degrees, where these jump."""
    x, y, lon = lines.x, lines.y, lines.lon
    if min(lon.shape) < 2:
        return
    jumps = np.abs(np.gradient(lon, axis=1)) + np.abs(np.gradient(lon, axis=0)) > 90
    for values, degrees in (
        (lines.lat, lines.parallels),
        (np.where(jumps, np.nan, lon), lines.meridians),
    ):
        levels = degrees[(degrees > np.nanmin(values)) & (degrees < np.nanmax(values))]
        if levels.size:
            axis.contour(x, y, values, levels=levels, colors=GRID, linewidths=0.4, alpha=0.8)
