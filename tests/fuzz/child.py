"""The process that reads mutated files: one line in, one verdict out.

`python -m tests.fuzz.child SEEDS FD KINDS`: lines "KIND<tab>PATH" on standard input, one JSON
object for each on the file descriptor FD. KINDS is the module that says how a kind is read. The
process is ended from outside where it does not answer.
"""

from __future__ import annotations

import faulthandler
import importlib
import json
import os
import resource
import sys
import traceback
from pathlib import Path
from typing import Any

MEMORY = 2 << 30
"""Bytes that reading a file may take beyond what the process has: its address space is limited."""


def main() -> None:
    """Answer until standard input ends."""
    faulthandler.enable()
    from .readers import World

    kinds = importlib.import_module(sys.argv[3]).KINDS
    world, answers = World(Path(sys.argv[1])), os.fdopen(int(sys.argv[2]), "w")
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        name, _, path = line.rstrip("\n").partition("\t")
        _limit(MEMORY)
        verdict = verdict_of(kinds[name].read, Path(path), world)
        _limit(None)
        print(json.dumps(verdict), file=answers, flush=True)


def verdict_of(read: Any, path: Path, world: Any) -> dict[str, str]:
    """Read a file and say what came of it: "accepted", "refused" or "untyped"."""
    from landstep.emulator.errors import LandstepError

    from .readers import digest

    try:
        return {"what": "accepted", "digest": digest(read(path, world))}
    except LandstepError as error:
        return {"what": "refused", "message": str(error), "type": type(error).__name__}
    except BaseException as error:  # whatever it is, it is what is looked for
        return {"what": "untyped", "message": str(error)[:500], "type": type(error).__name__,
                "where": _where(error), "trace": traceback.format_exc()[-4000:]}  # fmt: skip


def _where(error: BaseException) -> str:
    """Return the innermost line of landstep's own that it came through."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if "/landstep/" in f.filename] or frames
    name = own[-1].filename.split("/landstep/")[-1]
    return f"{name}:{own[-1].lineno}"


def _limit(more: int | None) -> None:
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
    now = pages * resource.getpagesize()
    soft = resource.RLIM_INFINITY if more is None else now + more
    resource.setrlimit(resource.RLIMIT_AS, (soft, resource.RLIM_INFINITY))


if __name__ == "__main__":
    main()
