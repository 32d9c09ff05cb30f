"""GRIB messages through ecCodes: the only file that knows it (extra `grib`)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from landstep.emulator.errors import DependencyError, InputError

MOST_NUMBERS = 2**28
"""Numbers of one message: the IFS's finest grid, O8000, has 257 million. Ours."""

LARGEST_GAUSSIAN = 8000
"""Rings from a pole to the equator of the IFS's finest grid. Its latitudes take a second; those of
a damaged number took minutes. Ours."""

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
        """Latitude and longitude of its points: two (n,) float64, degrees.

        Raises InputError where they are not as many as its values, or ecCodes knows none.
        """
        library = _library()
        with _words(f"parameter {self.parameter}"), _opened(self.content) as handle:
            for name in ("latitudes", "longitudes"):
                found = int(library.codes_get_size(handle, name))
                if found != self.values.size:
                    raise InputError(
                        f"{found} {name} of its grid, expected {self.values.size}, one for each "
                        "value"
                    )
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
    messages: list[Message] = []
    try:
        with open(path, "rb") as stream:
            while True:
                with _words(str(path), f"message {len(messages) + 1}"):
                    handle = library.codes_grib_new_from_file(stream)
                    if handle is None:
                        break
                    try:
                        messages.append(_message(handle))
                    finally:
                        library.codes_release(handle)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        why = getattr(error, "strerror", None) or str(error)
        where = str(path).replace("\0", "\\0")
        raise InputError(f"{where}: cannot be read: {why}") from error
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
    with _words("packing values"), _opened(content) as handle:
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
    """Read one message. Raises InputError for one that claims more than it can hold."""
    library = _library()
    _check_size(handle)
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


def _check_size(handle: Any) -> None:
    """Refuse a message of impossible sizes, before memory is allocated: InputError."""
    library = _library()
    bytes_held = int(library.codes_get_message_size(handle))
    claims = {name: int(library.codes_get_size(handle, name)) for name in ("values",)}
    claims |= {
        name: int(library.codes_get(handle, name))
        for name in ("numberOfDataPoints", "numberOfValues")
        if library.codes_is_defined(handle, name)
    }
    for name, claimed in claims.items():
        if not 0 < claimed <= MOST_NUMBERS:
            raise InputError(
                f"{name} is {claimed} in a message of {bytes_held} bytes, which would need "
                f"{claimed * 8 / 2**30:.3g} GiB; expected 1 to {MOST_NUMBERS}; is the file damaged?"
            )
    if "gg" in str(library.codes_get(handle, "gridType")):
        number = int(library.codes_get(handle, "N"))
        if not 0 < number <= LARGEST_GAUSSIAN:
            raise InputError(
                f"N is {number} (rings of its Gaussian grid from a pole), expected 1 "
                f"to {LARGEST_GAUSSIAN}; is the file damaged?"
            )
    bits = int(library.codes_get(handle, "bitsPerValue"))
    packing = str(library.codes_get(handle, "packingType"))
    coded = claims.get("numberOfValues", 0)
    if packing == "grid_simple" and coded * bits > 8 * bytes_held:
        raise InputError(
            f"numberOfValues is {coded}, each of {bits} bits, in a message of {bytes_held} bytes, "
            f"expected at most {8 * bytes_held // bits}; is the file damaged?"
        )


@contextmanager
def _words(where: str, part: str = "") -> Iterator[None]:
    """Turn what ecCodes raises into an InputError with `where`, and which part of it, in front."""
    library = _library()
    try:
        yield
    except InputError as error:
        raise InputError(f"{where}{part and ', '}{part}: {error}") from error
    except (
        library.CodesInternalError, MemoryError, OverflowError, TypeError, UnicodeError,
    ) as error:  # fmt: skip
        why = f"{part}{part and ': '}{error}"
        raise InputError(f"{where}: not a whole GRIB file: {why}") from error


@contextmanager
def _of_grid(grid: str) -> Iterator[Any]:
    """Make a handle on a named grid, with nothing else in it."""
    library = _library()
    kind, number = grid[:1].upper(), grid[1:]
    known = number.isascii() and number.isdigit() and len(number) <= len(str(LARGEST_GAUSSIAN))
    if kind not in ("O", "N") or not known or not 1 <= int(number) <= LARGEST_GAUSSIAN:
        raise InputError(
            f"grid {grid!r}, expected O or N and a number up to {LARGEST_GAUSSIAN}, such as O320"
        )
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
            f"GRIB needs ecCodes ({error}); pip install 'landstep[grib]'"
        ) from error
    _silenced()
    return eccodes


@lru_cache(maxsize=1)
def _silenced() -> Any:
    """Keep ecCodes from writing to standard error: what it finds wrong, it also raises."""
    from gribapi import bindings

    nowhere = open(os.devnull, "wb", buffering=0)  # noqa: SIM115 (as long as the library)
    bindings.lib.grib_context_set_logging_file(bindings.ffi.NULL, nowhere)
    return nowhere
