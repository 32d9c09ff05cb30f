"""Many processes on one map: the only file that knows mpi4py. One process needs no MPI.

Every rank makes the same calls in the same order. What may fail stands inside `together`, so that
an error of one is raised by all, with one text, and nobody waits for a rank that has given up.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from landstep.emulator.errors import (
    ConfigError,
    CouplingError,
    DependencyError,
    LandstepError,
    error_of_status,
)

LAUNCHED = ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_RANK")
"""One of these is in the environment of a process that an MPI launcher started: Open MPI; MPICH and
Intel MPI; Slurm's srun --mpi=pmix."""

LOCAL = ("OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID", "SLURM_LOCALID")
"""Where launchers say which of its machine's ranks a process is."""

NO_COMMUNICATOR = -1
"""What a host gives that has no MPI."""

Value = TypeVar("Value")


@dataclass(frozen=True, eq=False)
class Ranks:
    """The processes that share a map.

    rank, size : this one's number, and how many there are
    """

    rank: int = 0
    size: int = 1
    _comm: Any = None

    @classmethod
    def launched(cls) -> Ranks:
        """Give the ranks that mpirun or srun started, else one that is alone.

        Raises DependencyError where MPI started this process and mpi4py is not installed.
        """
        if not any(name in os.environ for name in LAUNCHED):
            return cls()
        try:
            from mpi4py import MPI
        except ImportError as error:
            raise DependencyError(
                "started by MPI, and mpi4py is not installed: pip install 'landstep[mpi]'"
            ) from error
        return cls._of(MPI.COMM_WORLD)

    @classmethod
    def of_host(cls, handle: int | None) -> Ranks:
        """Give the ranks of a host's communicator, with messages of their own.

        handle : Fortran's integer of it; None or NO_COMMUNICATOR: one rank, alone, without MPI
        All its ranks call it, and `release` when they have done. Raises CouplingError where MPI is
        not running or the number names no communicator, DependencyError without mpi4py.
        """
        if handle is None or handle == NO_COMMUNICATOR:
            return cls()
        try:
            import mpi4py

            mpi4py.rc.initialize = mpi4py.rc.finalize = False  # both are the host's to call
            from mpi4py import MPI
        except (ImportError, RuntimeError) as error:
            raise DependencyError(
                f"a communicator was given, and mpi4py cannot be used ({error}): "
                "pip install 'landstep[mpi]'"
            ) from error
        if not MPI.Is_initialized() or MPI.Is_finalized():
            raise CouplingError(
                "a communicator was given and MPI is not running: call MPI_Init before and "
                f"MPI_Finalize after landstep, with one MPI library for both (landstep has "
                f"{MPI.Get_library_version().splitlines()[0]}); {NO_COMMUNICATOR} is one rank alone"
            )
        try:
            given = MPI.Comm.f2py(handle)
            if given == MPI.COMM_NULL:
                raise CouplingError(f"communicator {handle} is MPI_COMM_NULL")
            return cls._of(given.Dup()) if given.Get_size() > 1 else cls()
        except MPI.Exception as error:
            raise CouplingError(f"communicator {handle} cannot be used: {error}") from error

    @classmethod
    def _of(cls, comm: Any) -> Ranks:
        return cls(comm.Get_rank(), comm.Get_size(), comm if comm.Get_size() > 1 else None)

    def release(self) -> None:
        """Give a host's communicator back; all its ranks call it."""
        if self._comm is not None:
            self._comm.Free()

    @property
    def is_first(self) -> bool:
        """Tell whether this rank writes files and speaks for all."""
        return self.rank == 0

    @property
    def local(self) -> int:
        """Number of this rank among those of its machine: which device it takes."""
        for name in LOCAL:
            if name in os.environ:
                return int(os.environ[name])
        return 0

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """Do something that may fail on some ranks; then all raise the first one's error."""
        if self._comm is None:
            yield
            return
        failed: Exception | None = None
        try:
            yield
        except Exception as error:
            failed = error
        found = self._comm.allgather(None if failed is None else _described(failed))
        for rank, told in enumerate(found):
            if told is not None:
                status, text = told
                told_to_all = error_of_status(status)(f"rank {rank}: {text}")
                told_to_all.shared = True
                raise told_to_all from failed

    def same(self, mine: Mapping[str, str]) -> None:
        """Refuse ranks that are not alike in what the bits depend on.

        mine : name -> value, of this rank
        Raises ConfigError on every rank, naming the first that differs, and in what.
        """
        if self._comm is None:
            return
        found = self._comm.allgather((socket.gethostname(), dict(mine)))
        for rank, (host, theirs) in enumerate(found):
            for name, value in found[0][1].items():
                if theirs.get(name) != value:
                    differs = ConfigError(
                        f"rank {rank} on {host}: {name} is {theirs.get(name)!r}, rank 0 on "
                        f"{found[0][0]} has {value!r}; all ranks must have the same"
                    )
                    differs.shared = True
                    raise differs

    def from_first(self, value: Value) -> Value:
        """Give what the first rank has to all."""
        return value if self._comm is None else self._comm.bcast(value)

    def sum(self, values: np.ndarray) -> np.ndarray:
        """Add whole numbers over the ranks: int64, the same on each, in any order the same."""
        if self._comm is None:
            return values
        total = np.empty_like(values)
        self._comm.Allreduce(np.ascontiguousarray(values), total)
        return total

    def of_all(self, value: Value) -> list[Value]:
        """Give what every rank has, in their order."""
        return [value] if self._comm is None else self._comm.allgather(value)

    def largest(self, value: int) -> int:
        """Give the largest of a number over the ranks."""
        return value if self._comm is None else max(self._comm.allgather(value))

    def exchange(
        self, sent: Mapping[int, np.ndarray], expected: Mapping[int, int]
    ) -> dict[int, np.ndarray]:
        """Send bytes to some ranks and receive some from others, all at once.

        sent : rank -> (n,) uint8; expected : rank -> how many bytes come from it
        returns : rank -> (n,) uint8
        """
        if self._comm is None:
            return {}
        received = {rank: np.empty(size, np.uint8) for rank, size in expected.items()}
        waiting = [self._comm.Irecv(buffer, rank) for rank, buffer in received.items()]
        waiting += [self._comm.Isend(buffer, rank) for rank, buffer in sent.items()]
        for request in waiting:
            request.Wait()
        return received

    def to_first(self, piece: np.ndarray) -> None:
        """Send a piece to the first rank, which calls `receive` for it."""
        self._comm.Send(np.ascontiguousarray(piece), 0)

    def receive(self, rank: int, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        """Receive what a rank sends with `to_first`."""
        piece = np.empty(shape, dtype)
        self._comm.Recv(piece, rank)
        return piece


ALONE = Ranks()
"""A process without others."""


@contextlib.contextmanager
def ended_by_all(ranks: Ranks) -> Iterator[None]:
    """End a program on all ranks when one fails: a shared error is told once, by the first.

    An error that not all ranks know of is printed, and ends them all at once.
    """
    if ranks._comm is None:
        yield
        return
    try:
        yield
    except LandstepError as error:
        if not error.shared:
            print(f"landstep: rank {ranks.rank}: {error}", file=sys.stderr, flush=True)
            ranks._comm.Abort(error.status)
        if ranks.is_first:
            raise
        sys.exit(error.status)
    except Exception:
        traceback.print_exc()
        ranks._comm.Abort(LandstepError.status)


def _described(error: Exception) -> tuple[int, str]:
    if isinstance(error, LandstepError):
        return error.status, str(error)
    return LandstepError.status, f"{type(error).__name__}: {error}"
