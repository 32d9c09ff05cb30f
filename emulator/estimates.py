"""What a run takes of memory and disk, estimated, and what is free."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from landstep.emulator.card import Card
from landstep.emulator.experiment import Experiment
from landstep.emulator.inputs import Inputs
from landstep.emulator.window_size import bytes_per_cell, core_for

BESIDE_BYTES = 0.15 * 2**30
"""What Python and the libraries take. Measured: 0.12 GiB for a run on 60 x 60 cells."""

STATIC_BYTES = 6
"""Of each cell: elevation in four bytes, soil texture and climate zone in one each."""

FORCING_COPIES = 6
"""Years of forcing that live at a time: two kept, their change, and what is read and checked."""

STORED_SHARE = 0.25
"""Of a map's bytes on the disk, after compression. Assumed, to be on the safe side: land in patches
compresses better."""

FILE_BYTES = 1e5
"""Of a file beside its map. Measured: 80 to 90 kB on 60 x 60 cells."""


@dataclass(frozen=True)
class Need:
    """An estimate beside what is free, in bytes.

    free : None where the system does not say
    advice : what to do where it is too little
    """

    wanted: float
    free: float | None
    what: str
    advice: str

    @property
    def fits(self) -> bool:
        """Whether there is room, as far as is known."""
        return self.free is None or self.wanted <= self.free

    @property
    def text(self) -> str:
        """What a user reads."""
        free = "unknown how much is free" if self.free is None else f"{size(self.free)} free"
        return f"about {size(self.wanted)} {self.what}, {free}"


def memory_need(experiment: Experiment, card: Card, inputs: Inputs) -> Need:
    """Estimate what one process takes: a window of the network, the maps, the forcing."""
    ny, nx = inputs.shape
    side = (experiment.run.core or core_for(card)) + 2 * card.halo
    stride = card.stride
    window = min(side, ny + 2 * card.halo + stride) * min(side, nx + 2 * card.halo + stride)
    maps = card.history + 2 + STATIC_BYTES + experiment.output.confidence
    cy, cx = inputs.forcing.part.shape
    forcing = FORCING_COPIES * 4 * len(inputs.forcing.states) * cy * cx
    wanted = BESIDE_BYTES + window * bytes_per_cell(card) + maps * ny * nx + forcing
    advice = "set a smaller [run] core, or share the map among machines (mpirun)"
    return Need(wanted, free_memory(), "for one process", advice)


def disk_need(experiment: Experiment, card: Card, inputs: Inputs, years: int, output: Path) -> Need:
    """Estimate what the files of so many years take, and two restarts."""
    ny, nx = inputs.shape
    a_year = (1 + experiment.output.confidence) * ny * nx * STORED_SHARE + FILE_BYTES
    restarts = 2 * (1 + card.history) * ny * nx * STORED_SHARE
    folder = nearest_folder(output)
    free = shutil.disk_usage(folder).free
    what = f"in {folder}, {size(a_year)} for each of {years} years"
    return Need(years * a_year + restarts, free, what, "free space there, or name another folder")


def nearest_folder(path: Path) -> Path:
    """Return the folder in which a path lies or would be made, as far as it is there."""
    path = path.absolute()
    while not path.is_dir() and path != path.parent:
        path = path.parent
    return path


def free_memory() -> float | None:
    """Memory that a new process may take, by the system and by its control group; None: unknown."""
    found = [free for free in (_available(), _of_group()) if free is not None]
    return min(found, default=None)


def _available() -> float | None:
    """Source: proc(5), /proc/meminfo, MemAvailable."""
    try:
        lines = Path("/proc/meminfo").read_text("ascii").splitlines()
        return next(float(s.split()[1]) * 1024 for s in lines if s.startswith("MemAvailable"))
    except (OSError, ValueError, StopIteration, IndexError):
        return None


def _of_group() -> float | None:
    """Source: Linux, cgroup-v2, memory.max and memory.current of the group that is mounted."""
    try:
        limit, used = (
            float(Path("/sys/fs/cgroup", name).read_text("ascii"))
            for name in ("memory.max", "memory.current")
        )
        return max(limit - used, 0.0)
    except (OSError, ValueError):  # "max" is no number: no limit
        return None


def size(n_bytes: float) -> str:
    """Put bytes into words."""
    for unit, factor in (("GiB", 2**30), ("MiB", 2**20)):
        if n_bytes >= factor:
            return f"{n_bytes / factor:.1f} {unit}"
    return f"{n_bytes / 1024:.0f} KiB"
