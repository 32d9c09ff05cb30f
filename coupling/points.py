"""A host's list of points, checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from landstep.coupling.remapping.angles import TURN, whole
from landstep.coupling.remapping.point_checks import (
    EDGE_TOLERANCE_DEG,
    check_area,
    check_polygons,
    check_unique,
    first_place,
    index_of,
    label_of,
    mask_of,
    numbers,
    table,
    within,
)
from landstep.emulator.errors import CouplingError


@dataclass(frozen=True)
class Points:
    """Points of a host, and, where it gives them, the cells that they stand for.

    lon, lat : (n,) float64, degrees
    index : (n,) int64, the point's number among all of the host's, from 0; no two are the same
    mask : (n,) bool, True for a point that is served. Of the others nothing is looked at: they lie
        nowhere (at 0, 0), their index is below 0, they get no area and cost no work
    lon_bounds : (n, 2) float64, west and east edge; west > east means across the date line
    lat_bounds : (n, 2) float64, south and north edge, in either order
    vertex_lon, vertex_lat : (n, k) float64, corners of the cell, either way round; a polygon of
        fewer than k repeats one. Edges are great circles, those between equal latitudes parallels
    area_m2 : (n,) float64, of the cell
    label : (n,) int64, the number that a point which is not served was given, -1 where it has none:
        a restart keeps the host's own fields there by it, and nothing else hangs on it
    """

    lon: np.ndarray
    lat: np.ndarray
    index: np.ndarray
    mask: np.ndarray
    lon_bounds: np.ndarray | None = None
    lat_bounds: np.ndarray | None = None
    vertex_lon: np.ndarray | None = None
    vertex_lat: np.ndarray | None = None
    area_m2: np.ndarray | None = None
    label: np.ndarray | None = None

    @classmethod
    def make(
        cls,
        lon_deg: np.ndarray,
        lat_deg: np.ndarray,
        lon_bounds: np.ndarray | None = None,
        lat_bounds: np.ndarray | None = None,
        *,
        vertex_lon: np.ndarray | None = None,
        vertex_lat: np.ndarray | None = None,
        area_m2: np.ndarray | None = None,
        index: np.ndarray | None = None,
        mask: np.ndarray | None = None,
    ) -> Points:
        """Check a host's arrays and take them as float64, native byte order, contiguous.

        index : None: 0 to n - 1; mask : None: all are served; it may hold 0 and 1
        Raises CouplingError naming the array and the first point that is wrong: shapes that do not
        match, a number that is not finite or not on Earth, one of a pair without the other, bounds
        and vertices at once, cells without area, a centre outside its cell, an area that is not
        above 0, an index below 0 or there twice.
        """
        lon = numbers(lon_deg, "lon", None)
        lat = numbers(lat_deg, "lat", None)
        if lon.shape != lat.shape:
            raise CouplingError(f"lon has {lon.size} points, lat has {lat.size}; expected as many")
        served = mask_of(mask, lon.size)
        within(lon, -360.0, 360.0, "lon", served)
        within(lat, -90.0, 90.0, "lat", served)
        _both_or_neither(lon_bounds, lat_bounds, "lon_bounds", "lat_bounds")
        _both_or_neither(vertex_lon, vertex_lat, "vertex_lon", "vertex_lat")
        if lon_bounds is not None and vertex_lon is not None:
            raise CouplingError("bounds and vertices: two shapes for one cell; give one of them")
        given: dict[str, np.ndarray] = {}
        if lon_bounds is not None and lat_bounds is not None:
            across, along = (
                table(lon_bounds, "lon_bounds", lon.size, 2),
                table(lat_bounds, "lat_bounds", lon.size, 2),
            )
            within(across, -360.0, 720.0, "lon_bounds", served)
            within(along, -90.0, 90.0, "lat_bounds", served)
            given = {"lon_bounds": across, "lat_bounds": np.sort(along, axis=1)}
        if vertex_lon is not None and vertex_lat is not None:
            across = table(vertex_lon, "vertex_lon", lon.size, None)
            along = table(vertex_lat, "vertex_lat", lon.size, across.shape[1])
            within(across, -360.0, 720.0, "vertex_lon", served)
            within(along, -90.0, 90.0, "vertex_lat", served)
            given = {"vertex_lon": across, "vertex_lat": along}
        if area_m2 is not None:
            given["area_m2"] = numbers(area_m2, "area_m2", lon.size)
            check_area(given["area_m2"], served)
        number = index_of(index, lon.size, served)
        given["label"] = label_of(index, served)
        points = cls(lon, lat, number, served, **given).with_padding_after(0)
        points._check_bounds()
        if "vertex_lon" in given:
            check_polygons(points.lon, points.lat, given["vertex_lon"], given["vertex_lat"], served)
        return points

    @property
    def n(self) -> int:
        """How many points there are."""
        return self.lon.size

    def with_padding_after(self, first: int) -> Points:
        """Return the same with points that are not served as padding: at 0, 0, numbered below 0.

        first : how many points come before them, on other ranks
        """
        padding = ~self.mask
        if not padding.any():
            return self
        number = self.index.copy()
        number[padding] = -1 - first - np.arange(int(padding.sum()))
        lon, lat = np.where(padding, 0.0, self.lon), np.where(padding, 0.0, self.lat)
        return replace(self, lon=lon, lat=lat, index=number)

    def take(self, places: np.ndarray) -> Points:
        """Give some of the points, in the order of `places`, (m,) int64 or (n,) bool."""
        return Points(**{name: values[places] for name, values in self.to_arrays().items()})

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Give the arrays by name, without those that the host did not give."""
        every = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: values for name, values in every.items() if values is not None}

    @classmethod
    def together(cls, parts: Sequence[dict[str, np.ndarray]]) -> Points:
        """Put the points of all ranks together, ordered by index, whoever has them.

        parts : of each rank, what `to_arrays` gave it
        Raises CouplingError for an index that two of them have, or where one rank gave bounds,
        vertices or areas and another did not; ranks without points are not asked.
        """
        held = [(rank, part) for rank, part in enumerate(parts) if part["lon"].size]
        if not held:
            return cls(**parts[0])
        first_rank, first = held[0]
        for rank, part in held:
            if part.keys() != first.keys():
                raise CouplingError(
                    f"rank {rank} gave {sorted(part)} of its points, rank {first_rank} "
                    f"{sorted(first)}; expected the same of all"
                )
        joined = {name: _stacked([part[name] for _, part in held]) for name in first}
        check_unique(joined["index"])
        order = np.argsort(joined["index"])
        return cls(**{name: values[order] for name, values in joined.items()})

    def rectangles(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """West edge, width, south and north edge of each rectangle: four (n,) float64, degrees.

        The width is in 0..360. Raises CouplingError for points without bounds.
        """
        across, along = self._bounds()
        west, east = across.T
        apart = east - west
        width = np.where(np.abs(whole(apart)) == TURN, 360.0, np.mod(apart, 360.0))
        return west, width, along[:, 0], along[:, 1]

    def whole_rectangles(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Give the same in whole numbers of STEP_DEG: four (n,) int64.

        Raises CouplingError for points without bounds.
        """
        across, along = (whole(bounds) for bounds in self._bounds())
        apart = across[:, 1] - across[:, 0]
        width = np.where(np.abs(apart) == TURN, TURN, apart % TURN)
        return across[:, 0], width, along[:, 0], along[:, 1]

    def _bounds(self) -> tuple[np.ndarray, np.ndarray]:
        if self.lon_bounds is None or self.lat_bounds is None:
            raise CouplingError("the points have no bounds")
        return self.lon_bounds, self.lat_bounds

    def _check_bounds(self) -> None:
        if self.lon_bounds is None:
            return
        some = self.take(self.mask)
        _, whole_width, low, high = some.whole_rectangles()
        west, width, south, north = some.rectangles()
        self._refuse((whole_width == 0) | (low == high), "bounds of point {} hold no area")
        outside = (some.lat < south - EDGE_TOLERANCE_DEG) | (some.lat > north + EDGE_TOLERANCE_DEG)
        from_west = np.mod(some.lon - west + EDGE_TOLERANCE_DEG, 360.0)
        outside |= from_west > width + 2 * EDGE_TOLERANCE_DEG
        self._refuse(outside, "point {} lies outside its own bounds")

    def _refuse(self, wrong: np.ndarray, text: str) -> None:
        if wrong.any():
            n = first_place(wrong, self.mask)
            west, width, south, north = (float(part[n]) for part in self.rectangles())
            raise CouplingError(
                f"{text.format(n)}: centre (lon {self.lon[n]}, lat {self.lat[n]}), bounds lon "
                f"{west} to {west + width}, lat {south} to {north}"
            )


def _both_or_neither(
    first: np.ndarray | None, second: np.ndarray | None, one: str, two: str
) -> None:
    if (first is None) != (second is None):
        given, missing = (one, two) if second is None else (two, one)
        raise CouplingError(f"{given} without {missing}: give both or neither")


def _stacked(parts: list[np.ndarray]) -> np.ndarray:
    """Put arrays one below the other; where one has fewer columns its last one is repeated."""
    if parts[0].ndim == 1:
        return np.concatenate(parts)
    most = max(part.shape[1] for part in parts)
    return np.concatenate(
        [np.pad(part, ((0, 0), (0, most - part.shape[1])), mode="edge") for part in parts]
    )
