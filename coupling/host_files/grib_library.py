"""GRIB messages through ecCodes: the only file that knows it (extra `grib`)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from landstep.emulator.errors import DependencyError, InputError

BITS = (8, 12, 16, 20, 24, 28, 32)
"""Bits for a number that are tried, until every one is within its tolerance."""

MISSING = -1e34
"""What ecCodes is told to give for a missing number. No field of a land surface holds it."""


@dataclass(frozen=True, eq=False)
class Message:
    """One field of a GRIB file.

    content : the whole message, as in the file
    parameter : paramId; month : 1..12 of its date
    grid : what two messages on the same points share
    bits : for a number
    values : (n,) float64, NaN where missing
    """

    content: bytes
    parameter: int
    month: int
    grid: str
    bits: int
    values: np.ndarray

    @property
    def places(self) -> tuple[np.ndarray, np.ndarray]:
        """Latitude and longitude of its points: two (n,) float64, degrees."""
        library = _library()
        with _opened(self.content) as handle:
            return (
                library.codes_get_array(handle, "latitudes"),
                library.codes_get_array(handle, "longitudes"),
            )

    def replaced(self, values: np.ndarray, tolerance: float) -> bytes:
        """Give the message with other values, packed with as few bits as keep the tolerance.

        values : (n,) float64; where all are the old ones, the message is the old one, byte for byte
        tolerance : how much each may differ once it is packed; 0 for whole numbers
        Raises InputError where 32 bits do not keep it.
        """
        same = (values == self.values) | (np.isnan(values) & np.isnan(self.values))
        if same.all():
            return self.content
        return packed(self.content, values, tolerance, at_least=self.bits)


def read_messages(path: Path) -> list[Message]:
    """Read all messages of a file.

    Raises InputError for a file that is missing, damaged or no GRIB; DependencyError without
    ecCodes.
    """
    library = _library()
    messages = []
    try:
        with open(path, "rb") as stream:
            while (handle := library.codes_grib_new_from_file(stream)) is not None:
                try:
                    messages.append(_message(handle))
                finally:
                    library.codes_release(handle)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except library.CodesInternalError as error:
        raise InputError(f"{path}: not a whole GRIB file: {error}") from error
    if not messages:
        raise InputError(f"{path}: holds no GRIB message; is it another host's file?")
    return messages


def new_message(
    grid: str, parameter: int, date: int, values: np.ndarray, tolerance: float
) -> bytes:
    """Make a message (GRIB 1, table 128 of ECMWF) on a reduced Gaussian grid.

    grid : "O320" (octahedral) or "N320" (original reduced grid)
    date : YYYYMMDD that it is valid for
    values : (n,) float64, all finite
    Raises InputError for a grid that ecCodes does not know.
    """
    with _of_grid(grid) as handle:
        library = _library()
        library.codes_set(handle, "paramId", parameter)
        library.codes_set(handle, "dataDate", date)
        content = library.codes_get_message(handle)
    return packed(content, values, tolerance)


def grid_places(grid: str) -> tuple[np.ndarray, np.ndarray]:
    """Latitude and longitude of a reduced Gaussian grid's points: two (n,) float64, degrees.

    grid : "O320" (octahedral) or "N320" (original reduced grid)
    Raises InputError for a grid that ecCodes does not know.
    """
    library = _library()
    with _of_grid(grid) as handle:
        return (
            library.codes_get_array(handle, "latitudes"),
            library.codes_get_array(handle, "longitudes"),
        )


def octahedral_points(number: int) -> list[int]:
    """Points of each ring of the octahedral grid O<number>, north first.

    Source: ECMWF Newsletter 146 (2016), Malardel et al., "A new grid for the IFS": 20 points at
    the ring next to a pole, 4 more at each ring towards the equator.
    """
    half = [20 + 4 * ring for ring in range(number)]
    return half + half[::-1]


def packed(content: bytes, values: np.ndarray, tolerance: float, at_least: int = 0) -> bytes:
    """Give a message with other values, with simple packing.

    Raises InputError where 32 bits do not keep the tolerance.
    """
    library = _library()
    known = np.isfinite(values)
    with _opened(content) as handle:
        library.codes_set(handle, "packingType", "grid_simple")
        library.codes_set(handle, "bitmapPresent", int(not known.all()))
        library.codes_set(handle, "missingValue", MISSING)
        for bits in (bits for bits in BITS if bits >= min(at_least, BITS[-1])):
            library.codes_set(handle, "bitsPerValue", bits)
            library.codes_set_values(handle, np.where(known, values, MISSING))
            back = library.codes_get_values(handle)
            worst = float(np.abs(back[known] - values[known]).max(initial=0.0))
            if worst <= tolerance:
                return bytes(library.codes_get_message(handle))
        parameter = library.codes_get(handle, "paramId")
    raise InputError(
        f"parameter {parameter}: packed to {BITS[-1]} bits it is off by {worst:g}, expected at "
        f"most {tolerance:g}; does it hold a number out of all range?"
    )


def _message(handle: Any) -> Message:
    library = _library()
    library.codes_set(handle, "missingValue", MISSING)
    values = library.codes_get_values(handle)
    return Message(
        bytes(library.codes_get_message(handle)),
        int(library.codes_get(handle, "paramId")),
        int(library.codes_get(handle, "month")),
        str(library.codes_get(handle, "md5GridSection")),
        int(library.codes_get(handle, "bitsPerValue")),
        np.where(values == MISSING, np.nan, values),
    )


@contextmanager
def _of_grid(grid: str) -> Iterator[Any]:
    """Make a handle on a named grid, with nothing else in it."""
    library = _library()
    kind, number = grid[:1].upper(), grid[1:]
    if kind not in ("O", "N") or not number.isdigit() or int(number) < 1:
        raise InputError(f"grid {grid!r}, expected O or N and a number, such as O320")
    n = int(number)
    try:
        sample = "reduced_gg_pl_32_grib1" if kind == "O" else f"reduced_gg_pl_{n}_grib1"
        handle = library.codes_grib_new_from_samples(sample)
    except library.CodesInternalError as error:
        raise InputError(
            f"grid {grid!r}: ecCodes has no such grid ({error}); take one of another number, "
            f"O{n}, or a file that is on it"
        ) from error
    try:
        if kind == "O":
            rings = octahedral_points(n)
            library.codes_set(handle, "N", n)
            library.codes_set(handle, "Nj", 2 * n)
            library.codes_set_array(handle, "pl", rings)
            library.codes_set_values(handle, np.zeros(sum(rings)))
            first = library.codes_get_gaussian_latitudes(n)[0]
            library.codes_set(handle, "longitudeOfLastGridPointInDegrees", 360 - 360 / max(rings))
            library.codes_set(handle, "latitudeOfFirstGridPointInDegrees", first)
            library.codes_set(handle, "latitudeOfLastGridPointInDegrees", -first)
        library.codes_set(handle, "centre", "ecmf")
        library.codes_set(handle, "levtype", "sfc")
        library.codes_set(handle, "level", 0)
        yield handle
    finally:
        library.codes_release(handle)


@contextmanager
def _opened(content: bytes) -> Iterator[Any]:
    library = _library()
    handle = library.codes_new_from_message(content)
    try:
        yield handle
    finally:
        library.codes_release(handle)


def _library() -> Any:
    """Load ecCodes; DependencyError where it is not there."""
    try:
        import eccodes
    except (ImportError, RuntimeError) as error:
        raise DependencyError(
            f"GRIB needs ecCodes ({error}); pip install landstep[grib]"
        ) from error
    return eccodes
