"""Host cells as polygons on the sphere: their areas, and where their edges cross a parallel.

An edge is the great circle between its vertices, as in ESMF, ICON and MPAS: that needs no care at
the poles or the date line. Only an edge between two vertices of the same latitude follows the
parallel, because cells of Gaussian and reduced Gaussian grids, whose vertices do not meet, would
otherwise overlap; neighbours see the same two vertices, so they agree in either case. The inside
is the smaller side.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from landstep.coupling.remapping.angles import POLE, STEP_DEG, TURN, radians, whole, wrapped
from landstep.coupling.remapping.edges import Edges, Pieces, edges_of
from landstep.emulator.grid import unit_vectors


@dataclass(frozen=True)
class Polygons:
    """Polygons, their edges cut into pieces that run one way in latitude.

    n : how many there are; one without three different vertices has no area and no edges
    area_sr : (n,) float64, steradians, at most 2 pi; nan for one with an edge of half a turn, whose
        way nobody knows
    west : (n,) int64, the longitude from which a polygon's own are counted, in STEP_DEG
    middle : (n, 3) float64, reach : (n,) float64, a ball around each in space, the Earth's radius 1
    pieces : of all polygons, one polygon after the other
    start : (n + 1,) int64, where each polygon's pieces begin
    """

    n: int
    area_sr: np.ndarray
    west: np.ndarray
    middle: np.ndarray
    reach: np.ndarray
    pieces: Pieces
    start: np.ndarray

    @classmethod
    def make(cls, vertex_lon: np.ndarray, vertex_lat: np.ndarray) -> Polygons:
        """Take polygons from their vertices.

        vertex_lon, vertex_lat : (n, k) degrees, either way round; a vertex may be repeated
        """
        edges = edges_of(whole(vertex_lon) % TURN, whole(vertex_lat))
        n = edges.n
        turn, left = _turn(edges), _left_area(edges)
        round_pole = turn != 0
        left = np.where(round_pole, left + 2 * np.pi, left)
        turned = np.where(round_pole, left > 2 * np.pi, left < 0)
        area = np.where(round_pole & turned, 4 * np.pi - left, np.abs(left))
        area[edges.halfway] = np.nan
        edges, cuts = _opened(edges, turn, turned)
        pieces = edges.pieces(turned).joined(cuts)
        west, east = _extent(edges)
        middle, reach = _balls(edges)
        reach[round_pole | (east - west > TURN // 2) | (reach > np.sqrt(2))] = 2.0
        start = np.searchsorted(pieces.owner, np.arange(n + 1))
        return cls(n, area, west, middle, reach, pieces, start)

    def take(self, places: np.ndarray) -> Polygons:
        """Give some of the polygons, in the order of `places`."""
        count = np.diff(self.start)[places]
        start = np.concatenate([[0], np.cumsum(count)])
        piece = np.arange(start[-1]) + np.repeat(self.start[places] - start[:-1], count)
        owner = np.repeat(np.arange(places.size), count)
        return Polygons(
            places.size,
            self.area_sr[places],
            self.west[places],
            self.middle[places],
            self.reach[places],
            self.pieces.take(piece, owner),
            start,
        )

    def hold(self, polygon: np.ndarray, lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
        """Tell whether polygons hold places: its west and south edge belong to a cell.

        polygon : (m,) int64; lon, lat : (m,) int64 in STEP_DEG
        returns : (m,) bool
        """
        count = np.diff(self.start)[polygon]
        pair = np.repeat(np.arange(polygon.size), count)
        first = np.cumsum(count) - count
        piece = np.arange(pair.size) + np.repeat(self.start[polygon] - first, count)
        height = np.minimum(lat, POLE - 1)
        at = height[pair]
        live = (self.pieces.low[piece] <= at) & (at < self.pieces.high[piece])
        pair, piece = pair[live], piece[live]
        west = self.west[polygon]
        own = west + (lon - west) % TURN
        crossing, sign = self.pieces.crossing(piece, height[pair]), self.pieces.sign[piece]
        inside = np.zeros(polygon.size, bool)
        for place in (own, own + TURN):  # twice: a polygon may be a turn wide, or more
            before = crossing <= place[pair]
            inside |= np.bincount(pair, np.where(before, sign, 0), polygon.size) > 0
        return inside


def _turn(edges: Edges) -> np.ndarray:
    """How far round each polygon goes: (n,) int64, 0 or, round a pole, a turn east or west."""
    turn = np.zeros(edges.n, np.int64)
    np.add.at(turn, edges.owner, edges.east + edges.jump)
    return turn


def _left_area(edges: Edges) -> np.ndarray:
    """Area to the left of each polygon's edges, less what lies beyond the equator: (n,) sr.

    Source: minus the sum of the areas between each edge and the equator; for a great circle
    2 atan(tan(dlon / 2) (t1 + t2) / (1 + t1 t2)) with t = tan(lat / 2), from Karney 2013, J.
    Geodesy 87, doi:10.1007/s00190-012-0578-z; for a parallel dlon sin(lat).
    """
    half = np.tan(radians(edges.lat) / 2), np.tan(radians(edges.next_lat) / 2)
    across = np.tan(radians(edges.east) / 2)
    great = 2 * np.arctan2(across * (half[0] + half[1]), 1 + half[0] * half[1])
    level = radians(edges.east) * np.sin(radians(edges.lat))
    below = np.where(edges.lat == edges.next_lat, level, great)
    below += radians(edges.jump) * np.sign(edges.lat)
    return -np.bincount(edges.owner, weights=below, minlength=edges.n)


def _extent(edges: Edges) -> tuple[np.ndarray, np.ndarray]:
    """Westernmost and easternmost longitude of each polygon, counted on round: (n,) int64 each."""
    west, east = np.zeros(edges.n, np.int64), np.zeros(edges.n, np.int64)
    first = np.unique(edges.owner, return_index=True)[1]
    if first.size:
        held = edges.owner[first]
        ends = edges.lon, edges.lon + edges.east
        west[held] = np.minimum.reduceat(np.minimum(*ends), first)
        east[held] = np.maximum.reduceat(np.maximum(*ends), first)
    return west, east


def _balls(edges: Edges) -> tuple[np.ndarray, np.ndarray]:
    """Middle of each polygon's vertices, (n, 3), and the farthest of them from it, (n,).

    The edges lie no farther away: a great circle in a ball narrower than half the Earth, and a
    parallel that spans less than half a turn.
    """
    place = unit_vectors(edges.lat * STEP_DEG, edges.lon * STEP_DEG)
    count = np.maximum(np.bincount(edges.owner, minlength=edges.n), 1)
    middle = np.stack([np.bincount(edges.owner, x, edges.n) / count for x in place.T], axis=1)
    reach = np.zeros(edges.n)
    np.maximum.at(reach, edges.owner, np.linalg.norm(place - middle[edges.owner], axis=1))
    return middle, reach + 1e-9


def _opened(edges: Edges, turn: np.ndarray, turned: np.ndarray) -> tuple[Edges, Pieces]:
    """Cut polygons round a pole open along the meridian from that pole to the nearest vertex.

    Cut so, each is a shape in longitude and latitude like any other, a whole turn wide.
    returns : the edges, counted on from the cut; and its two sides
    """
    owner = np.flatnonzero(turn)
    north = (turn[owner] > 0) != turned[owner]
    lon, nearest = edges.lon.copy(), np.zeros(owner.size, np.int64)
    begin, end = (np.searchsorted(edges.owner, owner, side) for side in ("left", "right"))
    for k, (first, stop) in enumerate(zip(begin, end, strict=True)):
        height = edges.lat[first:stop] * (1 if north[k] else -1)
        nearest[k] = first + int(height.argmax())
        lon[first : nearest[k]] += turn[owner[k]]
    lat = edges.lat[nearest]
    west = np.minimum(lon[nearest], lon[nearest] + turn[owner])
    one = np.ones(owner.size, np.int64)
    cuts = Pieces.meridians(
        np.tile(owner, 2),
        np.tile(np.where(north, lat, -POLE), 2),
        np.tile(np.where(north, POLE, lat), 2),
        np.concatenate([west, west + TURN]),
        np.concatenate([one, -one]),
    )
    return replace(edges, lon=lon), cuts


def around(lon_deg: np.ndarray, lat_deg: np.ndarray, by_deg: float) -> list[np.ndarray]:
    """Places at and around others, north, south, east and west: pairs (2, n) int64 in STEP_DEG."""
    lon, lat = whole(lon_deg), whole(lat_deg)
    up = round(by_deg / STEP_DEG)
    east = np.rint(up / np.maximum(np.cos(np.deg2rad(lat_deg)), 1e-6)).astype(np.int64)
    east = np.minimum(east, TURN // 4)
    shifts = ((0, 0), (0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (1, -1), (-1, 1), (-1, -1))
    return [
        np.stack([wrapped(lon + x * east), np.clip(lat + y * up, -POLE, POLE)]) for x, y in shifts
    ]
