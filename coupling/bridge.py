"""The Python side of the C functions: arrays in place, and exceptions as a status.

liblandstep imports this module when its first function is called, and binds one function to each
`landstep_py_*` of the C side. Nothing here prints or lets an exception pass.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from landstep.coupling.handles import Handle, Handles
from landstep.emulator.errors import CouplingError, DependencyError, InputError, LandstepError

ABI = 3
DONE = 0x4C53  # what C takes for success; cffi itself answers 0 when Python cannot be reached
SERIAL = -1
MONTHS = 12


def encoded(text: str) -> bytes:
    """Text as C takes it: UTF-8 without NUL."""
    return text.replace("\0", "?").encode("utf-8", "backslashreplace")


def describe(error: BaseException) -> tuple[int, str]:
    """Status and text of an exception: landstep's own speak for themselves."""
    if isinstance(error, LandstepError):
        return error.status, str(error)
    if isinstance(error, ImportError):
        text = f"{error}: a package that landstep needs is missing or broken; pip install landstep"
        return DependencyError.status, text
    if isinstance(error, MemoryError):
        return CouplingError.status, f"not enough memory for this call: {error or 'no size given'}"
    if isinstance(error, (OverflowError, UnicodeError)):
        return (
            CouplingError.status,
            f"an argument is out of range or not UTF-8: {error}",
        )
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return InputError.status, f"{where}{error.strerror or error}"
    text = f"{type(error).__name__}: {error}; this is a fault of landstep, please report it"
    return LandstepError.status, text


def guarded(fail: Callable[[int, bytes], int], function: Callable[..., None]) -> Callable[..., int]:
    """Wrap a function so that C gets DONE, or a status whose text `fail` has kept.

    SystemExit and KeyboardInterrupt are caught too: they must not cross C.
    """

    def call(*arguments: Any) -> int:
        try:
            function(*arguments)
        except BaseException as error:
            status, text = describe(error)
            return fail(status, encoded(text))
        return DONE

    return call


class Calls:
    """What each C function does; arguments as cffi hands them over, pointers never kept.

    Methods have the names and parameters of the functions in landstep.h, without `landstep_`. A
    function for single precision is the same method: the pointer knows its type.
    """

    def __init__(self, ffi: Any) -> None:
        """Work with the cffi FFI of the embedding module."""
        self._ffi = ffi
        self._handles = Handles()
        kinds = {"double *": "f8", "float *": "f4", "long long *": "i8", "int *": "i4"}
        self._dtypes = {ffi.typeof(name): np.dtype(kind) for name, kind in kinds.items()}

    def open(
        self, experiment: Any, points: Any, comm: int, year: Any, restart: Any, start: Any,
        handle: Any,
    ) -> None:  # fmt: skip
        """Open an experiment; what the host leaves out is left to the coupler."""
        from landstep.coupling.coupler import Coupler

        n, null = points.n_points, self._ffi.NULL
        pairs, corners = (n, 2), (n, points.n_vertices)
        given = {
            "lon_bounds": self._given(points.lon_bounds_deg, pairs),
            "lat_bounds": self._given(points.lat_bounds_deg, pairs),
            "vertex_lon": self._given(points.vertex_lon_deg, corners),
            "vertex_lat": self._given(points.vertex_lat_deg, corners),
            "area_m2": self._given(points.area_m2, (n,)),
            "index": self._given(points.index, (n,)),
            "mask": self._given(points.mask, (n,)),
            "comm": None if comm == SERIAL else comm,
            "year": None if year == null else int(year[0]),
            "restart": None if restart == null else self._path(restart),
            "start": None if start == null else self._text(start),
        }
        if given["mask"] is not None:
            given["mask"] = given["mask"] != 0
        lon, lat = (self._array(p, (n,)).copy() for p in (points.lon_deg, points.lat_deg))
        present = {name: value for name, value in given.items() if value is not None}
        opened = Coupler.open(self._path(experiment), lon, lat, **present)
        handle[0] = self._handles.add(opened, given["mask"])

    def baseline(self, handle: int, name: Any, values: Any, n_values: int, n_months: int) -> None:
        """Hand over the host's own field; months are the slower dimension of the array."""
        if n_months not in (1, MONTHS):
            raise CouplingError(f"n_months is {n_months}, expected 1 or 12")
        known = self._handles.find(handle)
        with known.lock:
            months = self._of_all(known, name, values, (n_months, n_values)).astype(np.float64)
            known.coupler.baseline(self._text(name), months[0] if n_months == 1 else months.T)

    def put(self, handle: int, name: Any, values: Any, n_values: int, units: Any) -> None:
        """Hand over the host's climate."""
        known = self._handles.find(handle)
        with known.lock:
            unit = "" if units == self._ffi.NULL else self._text(units)
            given = self._of_all(known, name, values, (n_values,)).astype(np.float64)
            known.coupler.put(self._text(name), given, units=unit)

    def update(self, handle: int, year: int, month: int, day: int, changed: Any) -> None:
        """Bring the land surface to a date."""
        known = self._handles.find(handle)
        with known.lock:
            changed[0] = known.coupler.update(year, month, day)

    def changed(self, handle: int, name: Any, changed: Any) -> None:
        """Say whether a field moved."""
        known = self._handles.find(handle)
        with known.lock:
            changed[0] = known.coupler.changed(self._text(name))

    def get(self, handle: int, name: Any, values: Any, n_values: int) -> None:
        """Copy a field out."""
        known = self._handles.find(handle)
        with known.lock:
            found = known.coupler.get(self._text(name), self._kind(values))
            self._copy(known, name, found, values, n_values)

    def get_previous(self, handle: int, name: Any, values: Any, n_values: int) -> None:
        """Copy a field as it was before its last change."""
        known = self._handles.find(handle)
        with known.lock:
            found = known.coupler.get_previous(self._text(name), self._kind(values))
            self._copy(known, name, found, values, n_values)

    def get_monthly(
        self, handle: int, name: Any, values: Any, n_values: int, n_months: int
    ) -> None:
        """Copy the months of a field out; months are the slower dimension of the array."""
        if n_months != MONTHS:
            raise CouplingError(f"n_months is {n_months}, expected {MONTHS}")
        known = self._handles.find(handle)
        with known.lock:
            places = known.places(repr(self._text(name)), n_values)
            months = known.coupler.get_monthly(self._text(name)).T
            self._array(values, (n_months, n_values))[:] = months[:, places]

    def add_change(self, handle: int, name: Any, values: Any, n_values: int) -> None:
        """Add what a field changed to the host's own values, in its memory."""
        known = self._handles.find(handle)
        with known.lock:
            given = self._of_all(known, name, values, (n_values,))
            moved = known.coupler.add_change(self._text(name), given)
            self._copy(known, name, moved, values, n_values)

    def get_change(self, handle: int, name: Any, gain: Any, loss: Any, n_values: int) -> None:
        """Copy what a class gained and lost."""
        known = self._handles.find(handle)
        with known.lock:
            gained, lost = known.coupler.get_change(self._text(name))
            self._copy(known, name, gained, gain, n_values)
            self._copy(known, name, lost, loss, n_values)

    def get_transition(
        self, handle: int, from_class: Any, to_class: Any, values: Any, n_values: int
    ) -> None:
        """Copy what went from class to class."""
        known = self._handles.find(handle)
        with known.lock:
            found = known.coupler.get_transition(self._text(from_class), self._text(to_class))
            self._copy(known, from_class, found, values, n_values)

    def get_maximum(
        self, handle: int, name: Any, values: Any, n_values: int, last_year: int
    ) -> None:
        """Copy the largest values of a field over the years to come."""
        known = self._handles.find(handle)
        with known.lock:
            found = known.coupler.get_maximum(self._text(name), last_year)
            self._copy(known, name, found, values, n_values)

    def get_coverage(
        self, handle: int, served: Any, without_land: Any, least: Any, mean: Any, most: Any
    ) -> None:
        """Say how much of the map the points see."""
        known = self._handles.find(handle)
        with known.lock:
            found = known.coupler.get_coverage()
        served[0], without_land[0] = found.served, found.without_land
        least[0], mean[0], most[0] = found.cells_least, found.cells_mean, found.cells_most

    def describe(self, handle: int, name: Any, attribute: Any, text: Any, size: int) -> None:
        """Copy an attribute of a field."""
        known = self._handles.find(handle)
        with known.lock:
            told = known.coupler.describe(self._text(name), self._text(attribute))
        self._write(f"{self._text(attribute)} of {self._text(name)}", told, text, size)

    def field_count(self, handle: int, count: Any) -> None:
        """Count the fields."""
        known = self._handles.find(handle)
        with known.lock:
            count[0] = len(known.coupler.names())

    def field_name(self, handle: int, position: int, text: Any, size: int) -> None:
        """Copy the name of a field."""
        known = self._handles.find(handle)
        with known.lock:
            names = known.coupler.names()
        if not 0 <= position < len(names):
            raise CouplingError(f"field {position} of {len(names)}, counted from 0")
        self._write(f"the name of field {position}", names[position], text, size)

    def write_restart(self, handle: int, path: Any) -> None:
        """Write a restart file."""
        known = self._handles.find(handle)
        with known.lock:
            known.coupler.write_restart(self._path(path))

    def close(self, handle: int) -> None:
        """Forget the handle, then let the coupler go."""
        known = self._handles.remove(handle)
        with known.lock:
            known.coupler.close()

    def _text(self, pointer: Any) -> str:
        return self._ffi.string(pointer).decode("utf-8", "replace").strip()

    def _path(self, pointer: Any) -> str:
        return os.fsdecode(self._ffi.string(pointer))

    def _kind(self, pointer: Any) -> np.dtype[Any]:
        return self._dtypes[self._ffi.typeof(pointer)]

    def _array(self, pointer: Any, shape: Sequence[int]) -> np.ndarray:
        """Give the host's own memory as an array: valid during the call."""
        dtype = self._kind(pointer)
        count = int(np.prod(shape, dtype=np.int64)) if len(shape) > 1 else shape[0]
        if count == 0:
            return np.empty(shape, dtype)
        memory = self._ffi.buffer(pointer, count * dtype.itemsize)
        return np.frombuffer(memory, dtype).reshape(shape)

    def _given(self, pointer: Any, shape: Sequence[int]) -> Any:
        return None if pointer == self._ffi.NULL else self._array(pointer, shape).copy()

    def _of_all(self, known: Handle, name: Any, pointer: Any, shape: tuple[int, ...]) -> np.ndarray:
        """Give what a host's array has of all points: (..., n), NaN where it has no value.

        shape : of the array, (..., n_values)
        """
        places = known.places(repr(self._text(name)), shape[-1])
        given = self._array(pointer, shape)
        if isinstance(places, slice):
            return given
        whole = np.full((*shape[:-1], known.coupler.n), np.nan, given.dtype)
        whole[..., places] = given
        return whole

    def _copy(self, known: Handle, name: Any, values: np.ndarray, out: Any, n_values: int) -> None:
        """Copy values of all points into the host's memory, rounding to its kind."""
        places = known.places(f"field {self._text(name)!r}", n_values)
        self._array(out, (n_values,))[:] = values[places]

    def _write(self, what: str, text: str, out: Any, size: int) -> None:
        letters = encoded(text) + b"\0"
        if len(letters) > size:
            raise CouplingError(
                f"{what} has {len(letters) - 1} bytes and a NUL, the room is for {size}"
            )
        self._ffi.memmove(out, letters, len(letters))


OF_TWO_KINDS = (
    "baseline", "put", "get", "get_previous", "get_monthly", "get_maximum", "add_change",
    "get_change", "get_transition",
)  # fmt: skip
OTHERS = (
    "open", "update", "changed", "get_coverage", "describe", "field_count", "field_name",
    "write_restart", "close",
)  # fmt: skip


def bind(ffi: Any, fail: Callable[[int, bytes], int]) -> None:
    """Give each `landstep_py_*` function of the C side its body.

    ffi : the cffi FFI of the embedding module
    fail : C's landstep_fail, which keeps a text for landstep_last_error and returns the status
    """
    calls = Calls(ffi)
    ffi.def_extern("landstep_py_abi", error=0)(lambda: ABI)
    answers = {name: name for name in (*OTHERS, *OF_TWO_KINDS)}
    answers |= {f"{name}_float": name for name in OF_TWO_KINDS}
    for function, method in answers.items():
        answer = guarded(fail, getattr(calls, method))
        ffi.def_extern(f"landstep_py_{function}", error=0)(answer)
