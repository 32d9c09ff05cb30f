"""Ten thousand calls of a host, and couplers that come and go: nothing stays behind."""

import gc
import os
from pathlib import Path

import numpy as np
import pytest

from landstep.coupling.coupler import Coupler

pytestmark = pytest.mark.slow

FIRST = 2015


def memory_mib() -> float:
    """Resident memory of this process."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def handles() -> int:
    """Open file handles of this process."""
    gc.collect()
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="there is no /proc")
def test_memory_and_handles_stay_flat_over_ten_thousand_updates(
    coupled, cells: dict[str, np.ndarray], tmp_path: Path
) -> None:
    """A year day by day, 28 updates on each: put, get of a monthly field, a restart a month."""
    coupler = Coupler.open(
        coupled("soak", mode="absolute", calendar="360_day"), **cells, year=FIRST
    )
    coupler.baseline("alb12", np.full((12, 12), 0.2))
    air = np.full(12, 280.0)
    seen = []
    for month in range(1, 13):
        for day in range(1, 31):
            moved = [coupler.update(FIRST, month, day) for _ in range(28)]
            assert moved == [True] + [False] * 27
            coupler.put("air_temperature", air)
            for name in ("vegl", "alb12"):
                coupler.get(name), coupler.get_previous(name)
        coupler.write_restart(tmp_path / "r.nc")
        seen.append((memory_mib(), handles()))
    assert seen[-1][1] == seen[1][1]
    assert seen[-1][0] - seen[1][0] < 4


def test_couplers_that_come_and_go_leave_no_handle(coupled, cells: dict[str, np.ndarray]) -> None:
    experiment = coupled("goes", mode="absolute")
    counts = []
    for _ in range(4):
        coupler = Coupler.open(experiment, **cells, year=FIRST)
        coupler.update(FIRST, 1, 1)
        coupler.close()
        del coupler
        counts.append(handles())
    assert counts[-1] == counts[0]
