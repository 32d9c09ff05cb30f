"""`python -m tests.fuzz`: try mutated files of every kind, print what came of them.

Exit status 1 where one ended in anything but a refusal that names it, or was accepted as it is.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .driver import run
from .kinds import KINDS

MANY = 10**9


def main() -> int:
    """Run it."""
    asked = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    asked.add_argument("--seconds", type=float, default=300, help="in all (300)")
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--inputs", type=int, help="of each kind, whatever the time")
    asked.add_argument("--kind", action="append", choices=KINDS, help="only this; again for more")
    asked.add_argument("--out", type=Path, default=Path("build/fuzz"), help="failing inputs")
    of = asked.parse_args()
    seconds = None if of.inputs else of.seconds
    found = run(of.kind or list(KINDS), of.out, of.seed, seconds=seconds, inputs=of.inputs or MANY)
    print(found.table())
    return int(found.failed)


if __name__ == "__main__":
    sys.exit(main())
