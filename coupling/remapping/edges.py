"""Edges of polygons on the sphere, and the pieces of them that run one way in latitude."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from landstep.coupling.remapping.angles import POLE, STEP_DEG, TURN, radians, whole, wrapped
from landstep.emulator.grid import unit_vectors


@dataclass(frozen=True)
class Pieces:
    """Pieces of edges, each from its lower end up; a parallel crosses a piece once or never.

    All are of the same length m. Angles are int64 in STEP_DEG.

    owner : polygon, never falling
    low, high : latitude of the lower and the upper end; the upper one is not of the piece
    base : longitude of the lower end of the edge, counted on round from the polygon's first vertex
    span : the edge's other end east of `base`
    at_low : the piece's own lower end east of `base`
    top : float64, degrees that the northernmost place of the great circle lies east of `base`
    side : float64, 1 where the piece lies east of that place, -1 west, 0 for a meridian
    slope : float64, 1 / tan of the latitude of that place
    sign : 1 where the polygon lies to the east, -1 where it lies to the west
    """

    owner: np.ndarray
    low: np.ndarray
    high: np.ndarray
    base: np.ndarray
    span: np.ndarray
    at_low: np.ndarray
    top: np.ndarray
    side: np.ndarray
    slope: np.ndarray
    sign: np.ndarray

    @classmethod
    def meridians(
        cls,
        owner: np.ndarray,
        low: np.ndarray,
        high: np.ndarray,
        lon: np.ndarray,
        sign: np.ndarray,
    ) -> Pieces:
        """Make pieces that run along meridians."""
        none, flat = np.zeros(owner.size, np.int64), np.zeros(owner.size)
        return cls(owner, low, high, lon, none, none, flat, flat, flat, sign)

    def joined(self, *others: Pieces) -> Pieces:
        """Put pieces together, ordered by owner."""
        every = [
            np.concatenate([getattr(some, field.name) for some in (self, *others)])
            for field in fields(self)
        ]
        order = np.argsort(every[0], kind="stable")
        return Pieces(*(values[order] for values in every))

    def take(self, piece: np.ndarray, owner: np.ndarray) -> Pieces:
        """Give some pieces, under other owners."""
        rest = (getattr(self, field.name)[piece] for field in fields(self)[1:])
        return Pieces(owner, *rest)

    def crossing(self, piece: np.ndarray, lat: np.ndarray) -> np.ndarray:
        """Longitude at which pieces cross parallels that they do cross: (m,) int64 in STEP_DEG.

        Source: lon = lon_n +- acos(tan(lat) / tan(lat_n)), n the northernmost place: Napier's rule
        for the right-angled triangle of the pole, n and the crossing.
        """
        away = np.arccos(np.clip(np.tan(radians(lat)) * self.slope[piece], -1.0, 1.0))
        east = wrapped(whole(self.top[piece] + self.side[piece] * np.rad2deg(away)))
        span = self.span[piece]
        east = np.clip(east, np.minimum(span, 0), np.maximum(span, 0))
        return self.base[piece] + np.where(lat == self.low[piece], self.at_low[piece], east)


@dataclass(frozen=True)
class Edges:
    """Edges of polygons in their order, without those of no length; int64 in STEP_DEG.

    n : polygons; owner : (m,) which one an edge is of
    lon : longitude of the start, counted on round from the polygon's first vertex; a pole has that
        of the edge's other end
    lat, next_lat : latitude of start and end
    east : the end east of the start
    jump : at a start on a pole, how far east of the edge before this one begins; else 0
    halfway : (n,) bool, an edge joins two opposite places of the Earth
    """

    n: int
    owner: np.ndarray
    lon: np.ndarray
    lat: np.ndarray
    next_lat: np.ndarray
    east: np.ndarray
    jump: np.ndarray
    halfway: np.ndarray

    def pieces(self, turned: np.ndarray) -> Pieces:
        """Cut the edges where they are northernmost or southernmost; parallels are left out.

        turned : (n,) bool, the polygon's inside lies to the right of its edges
        """
        slant = np.flatnonzero(self.lat != self.next_lat)
        owner, start, end = self.owner[slant], self.lat[slant], self.next_lat[slant]
        up = end > start
        sign = np.where(up != turned[owner], -1, 1)
        low, high = np.minimum(start, end), np.maximum(start, end)
        east = self.east[slant]
        base = self.lon[slant] + np.where(up, 0, east)
        span = np.where(up, east, -east)
        flat = span == 0
        plain = Pieces.meridians(owner[flat], low[flat], high[flat], base[flat], sign[flat])
        return plain.joined(
            *_great_circles(*(x[~flat] for x in (owner, low, high, base, span, sign)))
        )


def edges_of(lon: np.ndarray, lat: np.ndarray) -> Edges:
    """Take the edges of polygons.

    lon, lat : (n, k) int64 vertices in STEP_DEG; lon in [0, 360) degrees
    """
    n = lon.shape[0]
    polar = np.abs(lat) == POLE
    before_lon, before_lat = np.roll(lon, 1, axis=1), np.roll(lat, 1, axis=1)
    own = (lat != before_lat) | (lon != before_lon) & ~polar
    owner = np.nonzero(own)[0]
    owner, lon, lat, halfway = _over_poles(n, owner, lon[own], lat[own])
    following = _next(owner)
    polar = np.abs(lat) == POLE
    start = np.where(polar, lon[following], lon)
    end = np.where(polar[following], lon, lon[following])
    before = np.empty(owner.size, np.int64)
    before[following] = np.arange(owner.size)
    jump = np.where(polar, wrapped(start - end[before]), 0)
    east = wrapped(end - start)
    counted = np.cumsum(east + jump) - east
    first = np.searchsorted(owner, owner)
    return Edges(
        n, owner, start[first] + counted - counted[first], lat, lat[following], east, jump, halfway
    )


def _next(owner: np.ndarray) -> np.ndarray:
    """Place of the vertex after each, round its polygon."""
    following = np.arange(owner.size) + 1
    last = np.flatnonzero(np.diff(owner, append=-1) != 0)
    following[last] = np.searchsorted(owner, owner[last])
    return following


def _over_poles(
    n: int, owner: np.ndarray, lon: np.ndarray, lat: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Put a vertex onto the pole where an edge runs over it."""
    following = _next(owner)
    over = np.abs(wrapped(lon[following] - lon)) == TURN // 2
    over &= (np.abs(lat) < POLE) & (np.abs(lat[following]) < POLE)
    both = lat + lat[following]
    halfway = np.zeros(n, bool)
    halfway[owner[over & (both == 0)]] = True
    halfway[owner[np.abs(lat[following] - lat) == 2 * POLE]] = True
    place = np.flatnonzero(over) + 1
    return (
        np.insert(owner, place, owner[over]),
        np.insert(lon, place, lon[over]),
        np.insert(lat, place, np.where(both[over] < 0, -POLE, POLE)),
        halfway,
    )


def _great_circles(
    owner: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    base: np.ndarray,
    span: np.ndarray,
    sign: np.ndarray,
) -> tuple[Pieces, Pieces]:
    """Pieces of edges from (base, low) to (base + span, high): one or two of each.

    Everything is computed from the lower end, which both neighbours know as such, so that they get
    the same bits.
    """
    lon = base % TURN
    one = unit_vectors(low * STEP_DEG, lon * STEP_DEG)
    two = unit_vectors(high * STEP_DEG, (lon + span) % TURN * STEP_DEG)
    normal = np.cross(one - two, one + two)
    normal *= np.where(normal[:, 2:] < 0, -1.0, 1.0)
    level = np.hypot(normal[:, 0], normal[:, 1])
    north = np.rad2deg(np.arctan2(-normal[:, 1], -normal[:, 0]))
    peak = wrapped(whole(north) - lon)
    foot = wrapped(peak + TURN // 2)
    most = whole(np.rad2deg(np.arctan2(level, normal[:, 2])))
    rises = _between(peak, span) & (most > high)
    falls = _between(foot, span) & (-most < low)
    middle = np.sign(wrapped(span // 2 - peak)).astype(np.float64)
    side_low = np.where(rises | falls, np.sign(wrapped(-peak)), middle)
    side_high = np.where(rises | falls, np.sign(wrapped(span - peak)), middle)
    top = np.mod(north - lon * STEP_DEG + 180.0, 360.0) - 180.0
    slope = normal[:, 2] / level
    first = Pieces(
        owner,
        np.where(falls, -most, low),
        np.where(rises, most, np.where(falls, low, high)),
        base,
        span,
        np.where(falls, foot, 0),
        top,
        side_low,
        slope,
        np.where(falls, -sign, sign),
    )
    second = Pieces(
        owner,
        np.where(falls, -most, high),
        np.where(rises, most, high),
        base,
        span,
        np.where(falls, foot, span),
        top,
        side_high,
        slope,
        np.where(rises, -sign, sign),
    )
    cut = np.flatnonzero(rises | falls)
    return first, second.take(cut, owner[cut])


def _between(east: np.ndarray, span: np.ndarray) -> np.ndarray:
    """Tell what lies strictly between 0 and `span`, which may be negative."""
    return (east * np.sign(span) > 0) & (np.abs(east) < np.abs(span))
