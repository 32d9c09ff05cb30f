"""Change stored numbers in a copy of a NetCDF file, and nothing else of it.

No name, attribute, dimension or storage setting is touched: of a classic file every other byte
stays, of a NETCDF4 file every other variable and all that describes it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from landstep.emulator.atomic import replacing
from landstep.emulator.checksum_trailer import drop_trailer
from landstep.emulator.errors import InputError
from landstep.emulator.first_look import look
from landstep.emulator.first_reader import READER
from landstep.emulator.netcdf_library import LOCK, netcdf4, reason


class Edit:
    """A copy that is being changed: numbers as they are stored, neither unpacked nor masked."""

    def __init__(self, dataset: Any, name: str) -> None:
        """Take an open dataset; `name` is the original's, for messages."""
        self._dataset, self._name = dataset, name

    def stored(self, variable: str) -> np.ndarray:
        """Give a variable's numbers as they are stored: (dimensions of the file), native order."""
        with LOCK:
            numbers = np.asarray(self._dataset[variable][...])
        return numbers.astype(numbers.dtype.newbyteorder("="))

    def put(self, variable: str, numbers: np.ndarray) -> None:
        """Put numbers in the place of a variable's own.

        numbers : of the variable's shape and stored type
        Raises InputError where they are of another shape or type.
        """
        own = self._dataset[variable]
        kind = np.dtype(own.dtype).newbyteorder("=")
        if numbers.shape != own.shape or numbers.dtype != kind:
            raise InputError(
                f"{self._name}, {variable}: {numbers.shape} {numbers.dtype} to be stored, expected "
                f"{own.shape} {kind}"
            )
        with LOCK:
            own[...] = numbers


@contextmanager
def edited_copy(source: Path, target: Path) -> Iterator[Edit]:
    """Copy a file and open the copy to be changed; it is at `target` once the block has ended.

    At every moment a whole file, old or new, is at `target`; on an error nothing changes there.
    Raises InputError, with the path and the reason, where the source is no whole NetCDF file or
    the copy cannot be written.
    """
    verified = look(source).sha256 is not None
    with replacing(target) as temporary:
        shutil.copyfile(source, temporary)
        try:
            drop_trailer(temporary)  # it is of the source's bytes
            if not verified:
                _try_to_open(temporary, source)
            with LOCK:
                dataset = netcdf4.Dataset(str(temporary), "r+")
                dataset.set_auto_maskandscale(False)
            try:
                yield Edit(dataset, source.name)
            finally:
                with LOCK:
                    dataset.close()
        except (OSError, RuntimeError) as error:
            raise InputError(f"{target}: cannot write: {reason(error)}") from error


def _try_to_open(copy: Path, source: Path) -> None:
    """Open a copy to be changed in the small process first; InputError names the source."""
    try:
        READER.read(copy, change=True)
    except InputError as error:
        raise InputError(str(error).replace(str(copy), str(source))) from error
