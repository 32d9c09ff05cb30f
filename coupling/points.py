"""A host's list of points, checked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from landstep.emulator.errors import CouplingError

EDGE_TOLERANCE_DEG = 1e-4
"""How far a centre may lie outside its own bounds: hosts keep both in single precision."""


@dataclass(frozen=True)
class Points:
    """Points of a host, and, where it gives them, the rectangles that they stand for.

    lon, lat : (n,) float64, degrees
    lon_bounds : (n, 2) float64, west and east edge; west > east means across the date line
    lat_bounds : (n, 2) float64, south and north edge, in either order
    """

    lon: np.ndarray
    lat: np.ndarray
    lon_bounds: np.ndarray | None = None
    lat_bounds: np.ndarray | None = None

    @classmethod
    def make(
        cls,
        lon_deg: np.ndarray,
        lat_deg: np.ndarray,
        lon_bounds: np.ndarray | None = None,
        lat_bounds: np.ndarray | None = None,
    ) -> Points:
        """Check a host's arrays and take them as float64, native byte order, contiguous.

        Raises CouplingError naming the array and the first point that is wrong: shapes that do not
        match, a number that is not finite or not on Earth, one bound without the other, bounds
        without area, a centre outside its bounds.
        """
        lon = _numbers(lon_deg, "lon", 1)
        lat = _numbers(lat_deg, "lat", 1)
        if lon.shape != lat.shape:
            raise CouplingError(f"lon has {lon.size} points, lat has {lat.size}; expected as many")
        _within(lon, -360.0, 360.0, "lon")
        _within(lat, -90.0, 90.0, "lat")
        if (lon_bounds is None) != (lat_bounds is None):
            given, missing = ("lon", "lat") if lat_bounds is None else ("lat", "lon")
            raise CouplingError(f"{given}_bounds without {missing}_bounds: give both or neither")
        if lon_bounds is None or lat_bounds is None:
            return cls(lon, lat)
        across = _pairs(lon_bounds, "lon_bounds", lon.size)
        along = _pairs(lat_bounds, "lat_bounds", lat.size)
        _within(across, -360.0, 720.0, "lon_bounds")
        _within(along, -90.0, 90.0, "lat_bounds")
        points = cls(lon, lat, across, np.sort(along, axis=1))
        points._check_bounds()
        return points

    @property
    def n(self) -> int:
        """How many points there are."""
        return self.lon.size

    def rectangles(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """West edge, width, south and north edge of each rectangle: four (n,) float64, degrees.

        The width is in 0..360. Raises CouplingError for points without bounds.
        """
        if self.lon_bounds is None or self.lat_bounds is None:
            raise CouplingError("the points have no bounds")
        west, east = self.lon_bounds.T
        apart = east - west
        width = np.where(np.abs(apart) == 360.0, 360.0, np.mod(apart, 360.0))
        return west, width, self.lat_bounds[:, 0], self.lat_bounds[:, 1]

    def _check_bounds(self) -> None:
        west, width, south, north = self.rectangles()
        self._refuse((width == 0) | (south == north), "bounds of point {} hold no area")
        outside = (self.lat < south - EDGE_TOLERANCE_DEG) | (self.lat > north + EDGE_TOLERANCE_DEG)
        from_west = np.mod(self.lon - west + EDGE_TOLERANCE_DEG, 360.0)
        outside |= from_west > width + 2 * EDGE_TOLERANCE_DEG
        self._refuse(outside, "point {} lies outside its own bounds")

    def _refuse(self, wrong: np.ndarray, text: str) -> None:
        if wrong.any():
            n = int(np.flatnonzero(wrong)[0])
            west, width, south, north = (float(part[n]) for part in self.rectangles())
            raise CouplingError(
                f"{text.format(n)}: centre (lon {self.lon[n]}, lat {self.lat[n]}), bounds lon "
                f"{west} to {west + width}, lat {south} to {north}"
            )


def _numbers(values: np.ndarray, what: str, ndim: int) -> np.ndarray:
    numbers = np.ascontiguousarray(values, dtype=np.float64)
    if np.ndim(values) != ndim:
        raise CouplingError(f"{what} has shape {np.shape(values)}, expected a flat list of points")
    return numbers


def _pairs(values: np.ndarray, what: str, n: int) -> np.ndarray:
    pairs = np.ascontiguousarray(values, dtype=np.float64)
    if pairs.shape != (n, 2):
        raise CouplingError(f"{what} has shape {pairs.shape}, expected ({n}, 2)")
    return pairs


def _within(values: np.ndarray, low: float, high: float, what: str) -> None:
    wrong = ~((values >= low) & (values <= high))
    if wrong.any():
        place = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise CouplingError(
            f"{what} is {values[place]} at point {place[0]}, expected {low:g} to {high:g} degrees"
        )
