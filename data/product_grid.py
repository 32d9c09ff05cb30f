"""The product grid, 43200 x 21600 cells of 1/120 degree over the globe, and regions of it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from landstep.emulator.box_text import degrees
from landstep.emulator.grid import Grid

PER_DEGREE = 120
ROWS, COLS = 180 * PER_DEGREE, 360 * PER_DEGREE

SNAP = PER_DEGREE // 4
"""Cells along a side of LUH2's 0.25 degree cells: a region is made of whole ones."""


def lat_centres(rows: np.ndarray) -> np.ndarray:
    """Latitude of the product grid's rows, 0 the northernmost: float64, degrees north."""
    return (ROWS - 1 - 2 * rows) / (2 * PER_DEGREE)


def lon_centres(cols: np.ndarray) -> np.ndarray:
    """Longitude of the product grid's columns, 0 the westernmost: float64, degrees east."""
    return (2 * cols + 1 - COLS) / (2 * PER_DEGREE)


@dataclass(frozen=True)
class Region:
    """Rows top..bottom-1 and columns left..right-1 of the product grid."""

    top: int = 0
    bottom: int = ROWS
    left: int = 0
    right: int = COLS

    @classmethod
    def parse(cls, text: str) -> Region:
        """Read "LAT_S:LAT_N,LON_W:LON_E" in degrees, made larger to whole cells of 0.25 degrees.

        An empty text is the globe. Raises ConfigError for anything else, or a region that is
        empty or not within -90..90, -180..180.
        """
        if not text:
            return cls()
        south, north, west, east = degrees(text, "--region")
        return cls(
            top=math.floor((90 - north) * 4) * SNAP,
            bottom=math.ceil((90 - south) * 4) * SNAP,
            left=math.floor((west + 180) * 4) * SNAP,
            right=math.ceil((east + 180) * 4) * SNAP,
        )

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.bottom - self.top, self.right - self.left

    @property
    def cols(self) -> np.ndarray:
        """Columns of the product grid: int64."""
        return np.arange(self.left, self.right)

    def grid(self) -> Grid:
        """Give the cells' places."""
        lat = lat_centres(np.arange(self.top, self.bottom))
        return Grid.regular(lat, lon_centres(self.cols), str(self))

    def strips(self, rows: int) -> list[np.ndarray]:
        """Cut the region into strips of at most so many rows, each an array of product rows.

        Strips begin at multiples of `rows` from the pole, so that a region has those of the globe.
        """
        cuts = [self.top, *range((self.top // rows + 1) * rows, self.bottom, rows), self.bottom]
        return [np.arange(a, b) for a, b in zip(cuts, cuts[1:], strict=False)]

    def __str__(self) -> str:
        """Say where it is, in degrees."""
        north, south = 90 - self.top / PER_DEGREE, 90 - self.bottom / PER_DEGREE
        west, east = self.left / PER_DEGREE - 180, self.right / PER_DEGREE - 180
        return f"{south:g}:{north:g},{west:g}:{east:g}"
