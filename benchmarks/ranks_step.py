"""Time one step on as many ranks as started this: mpirun -n N python ranks_step.py EXPERIMENT."""

from __future__ import annotations

import json
import sys
import time

import numpy as np

from landstep.emulator.emulator import Emulator
from landstep.emulator.ranks import Ranks


def main() -> None:
    """Print wall seconds of a step from the start, after one to warm up, as the first rank."""
    ranks = Ranks.launched()
    emulator = Emulator.open(sys.argv[1], ranks)
    state = emulator.start()
    seconds = []
    for _ in range(2):
        ranks.sum(np.zeros(1, np.int64))
        began = time.monotonic()
        emulator.step(state.year + 1, state)
        ranks.sum(np.zeros(1, np.int64))
        seconds.append(time.monotonic() - began)
    if ranks.is_first:
        print(json.dumps(seconds[-1]))


if __name__ == "__main__":
    main()
