"""Read and write NetCDF.

Reading refuses what is not a whole NetCDF file, and turns every missing value into NaN.
Writing is atomic: a temporary file in the same folder, flushed to the disk, then renamed. A file
that was written here ends in a checksum of all its bytes, which is held against them when it is
opened.
"""

from __future__ import annotations

import contextlib
import difflib
import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from landstep.emulator.atomic import replacing
from landstep.emulator.calendar import decode_years
from landstep.emulator.checksum_trailer import append_trailer
from landstep.emulator.encoding import Encoding, filled, kind_words
from landstep.emulator.errors import InputError
from landstep.emulator.file_checks import is_locked
from landstep.emulator.first_look import look
from landstep.emulator.netcdf_library import LIBRARY_ERRORS, LOCK, netcdf4, reason
from landstep.emulator.rows import Rows, whole_blocks

Compression = Literal["zlib", "zstd"]
_CHUNK = 1024  # cells along each side of a stored chunk


MOST_TIMES = 100_000
"""Steps of a time axis that are read: annual data of all human time have fewer. A file may declare
any number without holding one."""


class NetcdfFile:
    """A NetCDF file open for reading; use it in a `with` statement.

    Arrays leave in the machine's byte order, in the file's dimension order. Raises InputError,
    with the path, for anything that is not a whole and readable NetCDF file.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        look(self.path)
        try:
            with LOCK:
                self._dataset = netcdf4.Dataset(str(self.path), "r")
                self._dataset.set_auto_maskandscale(False)
        except LIBRARY_ERRORS as error:
            advice = "the file is damaged or incomplete, copy it again"
            if is_locked(self.path):
                advice = "another program is writing it (HDF5 lock), wait until it has closed it"
            raise InputError(f"{self.path}: {reason(error)}; {advice}") from error

    def __enter__(self) -> NetcdfFile:
        return self

    def __exit__(self, *error: object) -> None:
        with LOCK:
            if self._dataset.isopen():
                self._dataset.close()

    def names(self) -> list[str]:
        """Names of all variables, in the order of the file."""
        return list(self._dataset.variables)

    def groups(self) -> dict[str, list[str]]:
        """Name of each group of a NetCDF-4 file -> its variables; the root alone is read."""
        with LOCK:
            return {name: list(of.variables) for name, of in self._dataset.groups.items()}

    def dims(self, name: str) -> tuple[str, ...]:
        """Dimension names of a variable, slowest first."""
        with LOCK:
            return tuple(self._variable(name).dimensions)

    def shape(self, name: str) -> tuple[int, ...]:
        """Sizes of a variable's dimensions."""
        with LOCK:
            return tuple(int(n) for n in self._variable(name).shape)

    def chunk_rows(self, name: str) -> int:
        """Rows that are stored together, so that reading one costs as much as reading all."""
        with LOCK:
            chunks = self._variable(name).chunking()
        return 1 if not chunks or chunks == "contiguous" else int(chunks[-2])

    def dtype(self, name: str) -> np.dtype:
        """Data type of a variable, in the machine's byte order (object for strings)."""
        variable = self._variable(name)
        if variable.dtype is str or _holds_lists(variable):
            return np.dtype(object)
        return np.dtype(variable.dtype).newbyteorder("=")

    def attrs(self, name: str | None = None) -> dict[str, Any]:
        """Attributes of a variable, or of the file."""
        owner = self._dataset if name is None else self._variable(name)
        found: dict[str, Any] = {}
        try:
            with LOCK:
                for key in owner.ncattrs():
                    with contextlib.suppress(KeyError):  # of a type that the package cannot read
                        found[key] = owner.getncattr(key)
        except LIBRARY_ERRORS as error:
            raise self._damaged(name or "attributes", error) from error
        return found

    def read(self, name: str, index: Any = ...) -> np.ndarray:
        """Data of a variable, or the part of it that `index` selects; nothing else is read.

        name : variable
        index : what may stand in square brackets after an array: int, slice, tuple of them
        returns : an array of its own, native byte order. Floats: missing values are NaN. Packed
            integers (`scale_factor`, `add_offset`): float64, missing NaN. Other integers and text:
            as stored.
        Raises InputError for an unknown name (with names that come close), damaged data, or an
        attribute that is not what CF says.
        """
        stored = self.stored(name, index)
        if stored.dtype.kind not in "fiu":
            return stored
        encoding = self._encoding(name, stored)
        if encoding.packed or stored.dtype.kind == "f":
            return filled(encoding.masked(stored))
        return np.array(encoding.stored(stored))

    def masked(self, name: str, index: Any = ...) -> np.ma.MaskedArray:
        """Numbers of a variable, masked where they are missing in any way that CF knows.

        name, index : as in `read`
        returns : an array of its own, native byte order; packed numbers unpacked, float64 where
            integers were packed. Under the mask stands the number that marks it
        Raises InputError as `read` does, and for a variable that holds text, records or lists.
        """
        stored = self.stored(name, index)
        return self._encoding(name, stored).masked(stored)

    def numbers(self, name: str, index: Any = ...) -> np.ndarray:
        """Numbers of a variable as floats, NaN where they are missing in any way that CF knows.

        name, index, raises : as in `masked`
        returns : float32 where the file has float32, else float64
        """
        return filled(self.masked(name, index))

    def coordinate(self, name: str) -> np.ndarray:
        """Numbers of a coordinate, all of which count, whatever its valid range says.

        returns : float64, NaN where a fill value stands
        Raises InputError as `masked` does.
        """
        stored = self.stored(name)
        encoding = self._encoding(name, stored, limits=False)
        return filled(encoding.masked(stored)).astype(np.float64)

    def stored(self, name: str, index: Any = ...) -> np.ndarray:
        """Return a variable's numbers as they are stored, missing ones and packing included.

        name, index, raises : as in `read`
        returns : an array of its own, in the file's byte order
        """
        variable = self._variable(name)
        if _holds_lists(variable):
            where = self._where(name)
            raise InputError(f"{where}: a list of {variable.dtype} (NC_VLEN), expected numbers")
        try:
            with LOCK:
                return np.asarray(variable[index])
        except LIBRARY_ERRORS as error:
            raise self._damaged(name, error) from error
        except IndexError as error:
            where = self._where(name)
            raise InputError(f"{where}: index {index} outside {self.shape(name)}") from error

    def years(self, name: str = "time") -> np.ndarray:
        """Calendar year of each step of a time variable.

        name : of the variable; where a dimension has that name, there is a step for each of it
        returns : (n,) int64, strictly increasing
        Raises InputError naming the first step where time does not increase, or the unit, and for
        a variable that holds no numbers or too few.
        """
        where, shape = self._where(name), self.shape(name)
        if math.prod(shape) > MOST_TIMES:
            raise InputError(
                f"{where}: {math.prod(shape)} times, expected one a year and at most {MOST_TIMES}"
            )
        times = self.coordinate(name)
        with LOCK:
            dimension = self._dataset.dimensions.get(name)
            size = times.size if dimension is None else len(dimension)
        if times.size != size:
            raise InputError(f"{where}: {times.size} times, expected {size}, one for each step")
        return decode_years(times, self.attrs(name), where)

    def encoding(self, name: str) -> Encoding:
        """Return how a variable's numbers are to be read, before any is.

        Raises InputError for a variable that holds no numbers, or an attribute that is not what CF
        says.
        """
        return Encoding.of(self.attrs(name), self.dtype(name), self._where(name))

    def _encoding(self, name: str, stored: np.ndarray, *, limits: bool = True) -> Encoding:
        where = self._where(name)
        if stored.dtype.kind not in "fiu":
            first = stored.flat[0] if stored.size else ""
            first = first.decode("latin-1") if isinstance(first, bytes) else first
            sample = f", such as {first!r}"[:60] if stored.size else ""
            raise InputError(f"{where}: {kind_words(stored.dtype)}{sample}, expected numbers")
        return Encoding.of(self.attrs(name), stored.dtype, where, limits=limits)

    def _where(self, name: str) -> str:
        return f"{self.path.name}, {name}"

    def _variable(self, name: str) -> Any:
        variables = self._dataset.variables
        if name in variables:
            return variables[name]
        close = difflib.get_close_matches(name, variables, n=3, cutoff=0.5)
        hint = f"; did you mean {' or '.join(close)}?" if close else ""
        raise InputError(f"{self.path.name}: {name} not in it; has {list(variables)}{hint}")

    def _damaged(self, name: str, error: Exception) -> InputError:
        return InputError(
            f"{self.path}, {name}: {reason(error)}: the stored data fail their checksum or are "
            "cut off; copy the file again"
        )


def _holds_lists(variable: Any) -> bool:
    """Tell whether each value is a list of numbers (NC_VLEN); lists of one length look as more
    dimensions.
    """
    return bool(variable._isvlen) and variable.dtype is not str


@dataclass(frozen=True)
class Variable:
    """One variable to write.

    name, dims : its name and the names of its dimensions, slowest first
    data : the array; or an iterable of slabs, each one step along the first dimension; or Rows,
        blocks of rows along the second-last dimension
    attrs : attributes
    dtype : stored type; None: that of the array (required for slabs and Rows)
    fill : `_FillValue`, or None
    compress : how it is stored: "zlib" (level 1, byte shuffle), which every program reads; "zstd"
        (level 1), faster, which needs a NetCDF library with this filter, and many that hosts are
        linked with have none; both with a checksum on each chunk (fletcher32). None: as it is
    """

    name: str
    dims: tuple[str, ...]
    data: np.ndarray | Iterable[np.ndarray] | Rows
    attrs: dict[str, Any] = field(default_factory=dict)
    dtype: Any = None
    fill: float | int | None = None
    compress: Compression | None = "zlib"


def write_netcdf(
    path: Path | str,
    dims: Mapping[str, int | None],
    variables: list[Variable],
    attrs: dict[str, Any],
) -> None:
    """Write a NETCDF4 file so that at every moment a whole file, old or new, is at `path`.

    path : the file; an existing one is replaced
    dims : size of each dimension; None: unlimited
    variables : what to write, in this order
    attrs : attributes of the file
    Raises InputError, with the path and the reason (disk full, no permission, no such folder),
    and then leaves no temporary file and the old file as it was. A LandstepError raised while
    slabs or rows are made passes through, with the same guarantee.
    """
    with replacing(path) as temporary:
        try:
            _write_all(temporary, dims, variables, attrs)
            append_trailer(temporary)
        except (OSError, RuntimeError) as error:
            raise InputError(f"{path}: cannot write: {_write_reason(temporary, error)}") from error


def _write_all(
    path: Path, dims: Mapping[str, int | None], variables: list[Variable], attrs: dict[str, Any]
) -> None:
    with LOCK:
        dataset = netcdf4.Dataset(str(path), "w", format="NETCDF4", clobber=False)
        try:
            dataset.setncatts(attrs)
            for name, size in dims.items():
                dataset.createDimension(name, size)
            for variable in variables:
                _write_variable(dataset, variable, dims)
        finally:
            dataset.close()


def _write_variable(dataset: Any, variable: Variable, dims: Mapping[str, int | None]) -> None:
    kind, shape = variable.dtype, [dims[name] for name in variable.dims]
    if kind is None:
        if not isinstance(variable.data, np.ndarray):
            raise InputError(f"{variable.name}: dtype is needed to write slabs or rows")
        kind = str if variable.data.dtype.kind in "OU" else variable.data.dtype
    stored = dataset.createVariable(
        variable.name, kind, variable.dims, **_storage(variable, kind, shape)
    )
    stored.set_auto_maskandscale(False)
    stored.setncatts(variable.attrs)
    if isinstance(variable.data, np.ndarray):
        _put_array(stored, variable, shape)
    elif isinstance(variable.data, Rows):
        for index, block in whole_blocks(variable.data, shape, _CHUNK, stored.dtype, variable.name):
            stored[index] = block
    else:
        _put_slabs(stored, variable, variable.data, shape)


def _put_array(stored: Any, variable: Variable, shape: list[int | None]) -> None:
    data = np.asarray(variable.data)
    fits = data.ndim == len(shape) and all(
        size in (None, found) for size, found in zip(shape, data.shape, strict=True)
    )
    if not fits:
        raise InputError(f"{variable.name}: data are {data.shape}, expected {tuple(shape)}")
    stored[...] = data.astype(object) if data.dtype.kind in "OU" else data


def _put_slabs(
    stored: Any, variable: Variable, slabs: Iterable[np.ndarray], shape: list[int | None]
) -> None:
    count, expected = 0, tuple(shape[1:])
    for slab in slabs:
        if np.shape(slab) != expected:
            raise InputError(
                f"{variable.name}: slab {count} is {np.shape(slab)}, expected {expected}"
            )
        if count != shape[0]:
            stored[count] = slab
        count += 1
    if shape[0] not in (None, count):
        raise InputError(f"{variable.name}: {count} slabs, expected {shape[0]}")


def _storage(variable: Variable, kind: Any, shape: list[int | None]) -> dict[str, Any]:
    """Options of createVariable: compression and chunks of one step by 1024 x 1024 cells."""
    options: dict[str, Any] = {"fill_value": False if variable.fill is None else variable.fill}
    if kind is str:
        return {}
    if variable.compress and variable.dims:
        options |= {"compression": variable.compress, "complevel": 1, "fletcher32": True}
        options |= {"shuffle": variable.compress == "zlib"}
    if len(shape) > 1 and None not in shape[-2:] and 0 not in shape:
        cells = [min(size, _CHUNK) for size in shape[-2:] if size is not None]
        options["chunksizes"] = [1] * (len(shape) - 2) + cells
    return options


def _write_reason(temporary: Path, error: Exception) -> str:
    """Why writing failed: HDF5 says only "HDF error", so the disk is asked directly."""
    try:
        with open(temporary, "ab") as stream:
            stream.write(b"\0" * (1 << 16))
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as found:
        return f"{found.strerror} (errno {found.errno})"
    return reason(error)
