"""The Python side of the C functions: handles, arrays in place, and exceptions as a status.

liblandstep imports this module when its first function is called, and binds one function to each
`landstep_py_*` of the C side. Nothing here prints or lets an exception pass.
"""

from __future__ import annotations

import functools
import itertools
import os
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from landstep.emulator.errors import CouplingError, LandstepError

if TYPE_CHECKING:
    from landstep.coupling.coupler import Coupler

ABI = 1
DONE = 0x4C53  # what C takes for success; cffi itself answers 0 when Python cannot be reached


@dataclass
class _Handle:
    """One opened experiment; the lock lets two threads of a host share it."""

    coupler: Coupler
    lock: threading.Lock = field(default_factory=threading.Lock)


class Handles:
    """The experiments that hosts of this process have open, by number."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)  # next() on it is atomic
        self._open: dict[int, _Handle] = {}

    def add(self, coupler: Coupler) -> int:
        """Keep an opened coupler; returns its number, never used again."""
        number = next(self._numbers)
        self._open[number] = _Handle(coupler)
        return number

    def find(self, number: int) -> _Handle:
        """Return the handle with this number, or CouplingError naming those that are open."""
        handle = self._open.get(number)
        if handle is None:
            raise CouplingError(
                f"handle {number} is not open (open handles: {sorted(self._open)}); "
                "was it closed before?"
            )
        return handle

    def remove(self, number: int) -> _Handle:
        """Forget the handle with this number and return it."""
        handle = self.find(number)
        del self._open[number]
        return handle


def whole_characters(text: str, size: int) -> bytes:
    """Return `text` as UTF-8 of at most size - 1 bytes, cut at a whole character, NUL-ended."""
    encoded = text.replace("\0", "?").encode("utf-8", "backslashreplace")[: max(size - 1, 0)]
    return encoded.decode("utf-8", "ignore").encode("utf-8") + b"\0"


def describe(error: BaseException) -> tuple[int, str]:
    """Status and text of an exception: landstep's own speak for themselves."""
    if isinstance(error, LandstepError):
        return error.status, str(error)
    return LandstepError.status, f"{type(error).__name__}: {error}"


def guarded(ffi: Any, function: Callable[..., None]) -> Callable[..., int]:
    """Wrap a function so that C gets DONE, or a status with the text in its last two arguments.

    SystemExit and KeyboardInterrupt are caught too: they must not cross C.
    """

    @functools.wraps(function)
    def call(*arguments: Any) -> int:
        *given, message, message_size = arguments
        try:
            function(*given)
        except BaseException as error:
            status, text = describe(error)
            if message_size > 0:
                ended = whole_characters(text, message_size)
                ffi.memmove(message, ended, len(ended))
            return status
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
        return DONE

    return call


def bind(ffi: Any) -> None:
    """Give each `landstep_py_*` function of the C side its body.

    ffi : the cffi FFI of the embedding module
    """
    handles = Handles()
    define = ffi.def_extern(error=0)

    def path(pointer: Any) -> str:
        return os.fsdecode(ffi.string(pointer))

    def array(pointer: Any, count: int, dtype: type, what: str) -> np.ndarray:
        if count < 0:
            raise CouplingError(f"{what} {count} is negative")
        size = np.dtype(dtype).itemsize
        return np.frombuffer(ffi.buffer(pointer, count * size), dtype=dtype)

    def centres(pointer: Any, n_points: int) -> np.ndarray:
        return array(pointer, n_points, np.float64, "n_points").copy()

    def edges(pointer: Any, n_points: int) -> np.ndarray | None:
        if pointer == ffi.NULL:
            return None
        return array(pointer, 2 * n_points, np.float64, "n_points").reshape(n_points, 2).copy()

    def get_into(handle: int, name: Any, values: Any, n_values: int, dtype: type) -> None:
        known = handles.find(handle)
        wanted = ffi.string(name).decode("utf-8", "replace").strip()
        with known.lock:
            field_values = known.coupler.get(wanted)
        if n_values != field_values.size:
            raise CouplingError(
                f"field {wanted!r} has {field_values.size} values, one for each point; "
                f"the array has {n_values}"
            )
        array(values, n_values, dtype, "n_values")[:] = field_values

    def landstep_py_open(
        experiment: Any, n_points: int, lon: Any, lat: Any, lon_bounds: Any, lat_bounds: Any,
        year: Any, restart: Any, handle: Any,
    ) -> None:  # fmt: skip
        from landstep.coupling.coupler import Coupler

        coupler = Coupler.open(
            path(experiment),
            centres(lon, n_points),
            centres(lat, n_points),
            lon_bounds=edges(lon_bounds, n_points),
            lat_bounds=edges(lat_bounds, n_points),
            year=None if year == ffi.NULL else int(year[0]),
            restart=None if restart == ffi.NULL else path(restart),
        )
        handle[0] = handles.add(coupler)

    def landstep_py_update(handle: int, year: int, month: int, day: int, changed: Any) -> None:
        known = handles.find(handle)
        with known.lock:
            moved = known.coupler.update(year, month, day)
        changed[0] = int(moved)

    def landstep_py_get(handle: int, name: Any, values: Any, n_values: int) -> None:
        get_into(handle, name, values, n_values, np.float64)

    def landstep_py_get_float(handle: int, name: Any, values: Any, n_values: int) -> None:
        get_into(handle, name, values, n_values, np.float32)

    def landstep_py_write_restart(handle: int, target: Any) -> None:
        known = handles.find(handle)
        with known.lock:
            known.coupler.write_restart(path(target))

    def landstep_py_close(handle: int) -> None:
        known = handles.remove(handle)
        with known.lock:
            known.coupler.close()

    def landstep_py_abi() -> int:
        return ABI

    define(landstep_py_abi)
    for function in (
        landstep_py_open,
        landstep_py_update,
        landstep_py_get,
        landstep_py_get_float,
        landstep_py_write_restart,
        landstep_py_close,
    ):
        define(guarded(ffi, function))
