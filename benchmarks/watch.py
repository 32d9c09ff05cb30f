"""Anonymous memory of a process and all that it started."""

from __future__ import annotations

import threading
from pathlib import Path

SECONDS = 0.25


class Watch:
    """Samples the memory of a process tree in a thread; a context manager.

    peak : largest sum of anonymous resident memory (RssAnon) over the tree's processes, GiB
    peak_of_one : the same of the largest single process
    """

    def __init__(self, pid: int) -> None:
        self.peak = self.peak_of_one = 0.0
        self._pid, self._ended = pid, threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._ended.wait(SECONDS):
            found = [anonymous_gib(pid) for pid in tree(self._pid)]
            self.peak = max(self.peak, sum(found))
            self.peak_of_one = max(self.peak_of_one, *found, 0.0)


def anonymous_gib(pid: int) -> float:
    """Give the anonymous resident memory of a process; 0 where it has ended."""
    try:
        for line in Path(f"/proc/{pid}/status").read_text("ascii", "replace").splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) / 2**20
    except OSError:
        pass
    return 0.0


def tree(pid: int) -> list[int]:
    """Give a process and its descendants."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text("ascii", "replace").rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(path.parent.name)] = int(fields[1])
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found
