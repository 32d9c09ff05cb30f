"""What must hold of the arrays that a host gives with its points."""

from __future__ import annotations

import numpy as np

from landstep.coupling.remapping.polygons import Polygons, around
from landstep.emulator.errors import CouplingError

EDGE_TOLERANCE_DEG = 1e-4
"""How far a centre may lie outside its own cell: hosts keep both in single precision."""


def numbers(values: np.ndarray, what: str, n: int | None) -> np.ndarray:
    """Copy a flat list as float64; CouplingError where it is none, or not of `n` points."""
    found = _real(values, what)
    if found.ndim != 1:
        raise CouplingError(f"{what} has shape {found.shape}, expected a flat list of points")
    _of_length(found, what, n)
    return found


def _real(values: np.ndarray, what: str) -> np.ndarray:
    """Copy real numbers of any type as float64, NaN where masked; the caller may use his again."""
    plain, hidden = _parts(values, what)
    if plain.dtype.kind not in "fiu":
        raise CouplingError(f"{what} is {plain.dtype}, expected real numbers")
    found = np.array(plain, np.float64, order="C")
    found[hidden] = np.nan
    return found


def _known(values: np.ndarray, what: str, looked_at: np.ndarray | None = None) -> np.ndarray:
    """Take an array of which nothing is masked; CouplingError for any other, or for none.

    looked_at : (n,) bool, where it matters; None: everywhere
    """
    plain, hidden = _parts(values, what)
    if looked_at is not None and hidden.shape == looked_at.shape:
        hidden = hidden & looked_at
    at = np.flatnonzero(hidden)
    if at.size:
        raise CouplingError(
            f"{what} is masked at point {at[0]}, n={at.size}; give every point a value"
        )
    return plain


def _parts(values: np.ndarray, what: str) -> tuple[np.ndarray, np.ndarray]:
    """Take an array apart: its numbers, and where they are masked."""
    try:
        masked = np.ma.asarray(values)
    except (TypeError, ValueError) as error:
        raise CouplingError(f"{what}: {error}; expected an array") from error
    return np.asarray(masked.data), np.ma.getmaskarray(masked)


def table(values: np.ndarray, what: str, n: int, columns: int | None) -> np.ndarray:
    """Copy a table of a row a point as float64; CouplingError where its shape is another.

    columns : None: three or more
    """
    found = _real(values, what)
    expected = "k of 3 or more" if columns is None else columns
    fits = found.ndim == 2 and found.shape[0] == n
    if not fits or (found.shape[1] < 3 if columns is None else found.shape[1] != columns):
        raise CouplingError(f"{what} has shape {found.shape}, expected ({n}, {expected})")
    return found


def within(values: np.ndarray, low: float, high: float, what: str, served: np.ndarray) -> None:
    """Refuse a number of a served point that is not in a range: CouplingError."""
    wrong = ~((values >= low) & (values <= high))
    wrong[~served] = False
    if wrong.any():
        place = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise CouplingError(
            f"{what} is {values[place]} at point {place[0]}, expected {low:g} to {high:g} degrees"
        )


def mask_of(values: np.ndarray | None, n: int) -> np.ndarray:
    """Take a mask as (n,) bool; CouplingError for another shape, or numbers besides 0 and 1."""
    if values is None:
        return np.ones(n, bool)
    found = _known(values, "mask")
    if found.ndim != 1:
        raise CouplingError(f"mask has shape {found.shape}, expected a flat list of points")
    _of_length(found, "mask", n)
    wrong = np.flatnonzero((found != 0) & (found != 1))
    if wrong.size:
        raise CouplingError(f"mask is {found[wrong[0]]} at point {wrong[0]}, expected 0 or 1")
    return np.ascontiguousarray(found != 0)


def index_of(values: np.ndarray | None, n: int, served: np.ndarray) -> np.ndarray:
    """Take global indices as (n,) int64.

    returns : -1 for a point that is not served, whatever its index is
    Raises CouplingError where one of a served point is masked, negative or there twice.
    """
    if values is None:
        return np.where(served, np.arange(n, dtype=np.int64), -1)
    found = _known(values, "index", served)
    if found.ndim != 1 or found.dtype.kind not in "iu":
        raise CouplingError(
            f"index has shape {found.shape} and type {found.dtype}, expected a flat list of whole "
            "numbers"
        )
    _of_length(found, "index", n)
    index = np.full(n, -1, np.int64)
    index[served] = found[served]
    below = np.flatnonzero(served & (index < 0))
    if below.size:
        first = int(below[0])
        raise CouplingError(f"index is {index[first]} at point {first}, expected 0 or more")
    check_unique(index, served)
    return index


def label_of(values: np.ndarray | None, served: np.ndarray) -> np.ndarray:
    """Take the indices of points that are not served as (n,) int64, whatever they are.

    values : as `index_of` has taken them
    returns : -1 for a point that is served, and for a number that no index can be
    """
    if values is None:
        return np.where(served, -1, np.arange(served.size, dtype=np.int64))
    plain, hidden = _parts(values, "index")
    can_be = ~served & ~hidden & (plain >= 0) & (plain <= np.iinfo(np.int64).max)
    label = np.full(served.size, -1, np.int64)
    label[can_be] = plain[can_be]
    return label


def check_unique(index: np.ndarray, served: np.ndarray | None = None) -> None:
    """Refuse an index that stands at two points, of those that are served: CouplingError."""
    places = np.arange(index.size) if served is None else np.flatnonzero(served)
    order = places[np.argsort(index[places], kind="stable")]
    again = order[1:][index[order[1:]] == index[order[:-1]]]
    if again.size:
        second = int(again.min())
        first = int(places[np.flatnonzero(index[places] == index[second])[0]])
        raise CouplingError(
            f"index {index[second]} stands at point {first} and again at point {second}"
        )


def check_area(area_m2: np.ndarray, served: np.ndarray) -> None:
    """Refuse an area of a served point that is no number above 0: CouplingError."""
    wrong = served & ~((area_m2 > 0) & np.isfinite(area_m2))
    if wrong.any():
        n = int(np.flatnonzero(wrong)[0])
        raise CouplingError(f"area_m2 is {area_m2[n]} at point {n}, expected square metres above 0")


def check_polygons(
    lon: np.ndarray,
    lat: np.ndarray,
    vertex_lon: np.ndarray,
    vertex_lat: np.ndarray,
    served: np.ndarray,
) -> None:
    """Refuse polygons of served points without area, or with the centre outside: CouplingError."""

    def refuse(wrong: np.ndarray, text: str) -> None:
        if wrong.any():
            n = first_place(wrong, served)
            corners = ", ".join(
                f"({x:.9g}, {y:.9g})" for x, y in zip(vertex_lon[n], vertex_lat[n], strict=True)
            )
            raise CouplingError(
                f"{text.format(n)}: centre (lon {lon[n]}, lat {lat[n]}), vertices (lon, lat) "
                f"{corners}"
            )

    polygons = Polygons.make(vertex_lon[served], vertex_lat[served])
    refuse(
        np.isnan(polygons.area_sr), "an edge of point {}'s polygon joins opposite places of Earth"
    )
    refuse(polygons.area_sr < LEAST_SR, "vertices of point {} hold no area")
    inside, which = np.zeros(polygons.n, bool), np.arange(polygons.n)
    for place in around(lon[served], lat[served], EDGE_TOLERANCE_DEG):
        left = which[~inside]
        inside[left] = polygons.hold(left, *place[:, left])
    refuse(~inside, "point {} lies outside its own vertices")


LEAST_SR = 1e-16
"""A polygon with less has no area: 4 m2, below what doubles tell apart near a pole. Ours."""


def first_place(wrong: np.ndarray, served: np.ndarray) -> int:
    """Give the place in the host's list of the first that is wrong of those served."""
    return int(np.flatnonzero(served)[np.flatnonzero(wrong)[0]])


def _of_length(found: np.ndarray, what: str, n: int | None) -> None:
    if n is not None and found.size != n:
        raise CouplingError(f"{what} has {found.size} points, lon has {n}; expected as many")
