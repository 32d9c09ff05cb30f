"""The whole Earth at 1 km: a year of it really run, and what a larger network costs.

`python benchmarks/globe.py --data ../shared/data --json globe.json` needs the real land mask
(global/sea_mask_30arcsec.npz), 2 cores, about 15 GiB of disk and an hour; mpirun for the ranks.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from gaussian import STRIDE, TILE, Blend, weights
from made_up import Place, make_experiment
from networks import extended_session, window_inputs, write_random_model
from watch import Watch

from landstep.emulator.session import Session
from landstep.emulator.tiling import Cut, Window, blocks

SHAPE = 21600, 43200
REPEATS = 5
MPI = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMP_NUM_THREADS": "1"}


def main() -> None:
    """Run what was asked for and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with global/")
    parser.add_argument("--json", type=Path, required=True, help="file to write")
    parser.add_argument("--mode", default="exact", choices=["exact", "soft", "none"])
    parser.add_argument("--only", choices=["year", "plan", "ranks"], help="one part alone")
    chosen = parser.parse_args()
    land = ~np.load(chosen.data / "global" / "sea_mask_30arcsec.npz")["mask"]
    found: dict[str, Any] = {"mode": chosen.mode}
    with tempfile.TemporaryDirectory(prefix="landstep-globe-", dir=os.environ.get("TMPDIR")) as at:
        folder = Path(at)
        parts: dict[str, Callable[[], dict[str, Any]]] = {
            "year": lambda: globe_year(folder, land, chosen.mode),
            "plan": lambda: planned_cost(folder, land),
            "ranks": lambda: ranks_speedup(folder),
        }
        for name, part in parts.items():
            if chosen.only in (None, name):
                found |= part()
                chosen.json.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    for name, value in found.items():
        print(f"{name:34s} {value}")


def globe_year(folder: Path, land: np.ndarray, mode: str) -> dict[str, Any]:
    """Run one year of the Earth with a small network on 2 ranks: read, step, write, sum."""
    model = write_random_model(folder / "base8.onnx", 8, 3)
    place = Place(90.0, -180.0, *SHAPE, lambda rows: land[rows])
    began = time.monotonic()
    experiment = make_experiment(folder / "globe", place, model, (2012, 2016), 4, mode=mode)
    print(f"inputs of the Earth written in {time.monotonic() - began:.0f} s", flush=True)
    began = time.monotonic()
    run = [sys.executable, "-m", "landstep", "run", str(experiment), "--years", "2015:2016"]
    command = ["mpirun", "-n", "2", *run, "--output", str(folder / "run")]
    process = subprocess.Popen(command, env=os.environ | MPI)
    with Watch(process.pid) as watch:
        if process.wait():
            raise SystemExit(f"{' '.join(command)}: exit status {process.returncode}")
    minutes = (time.monotonic() - began) / 60
    sizes = [path.stat().st_size for path in (folder / "run").glob("land_use_*.nc")]
    return {
        "globe_minutes": round(minutes, 2),
        "globe_peak_gib": round(watch.peak, 2),
        "globe_peak_of_one_rank_gib": round(watch.peak_of_one, 2),
        "globe_file_mib": round(max(sizes) / 2**20, 1),
    }


def planned_cost(folder: Path, land: np.ndarray) -> dict[str, Any]:
    """Cost of a base-32 depth-4 network on the Earth: our windows against Gaussian tiles.

    Both are measured on samples, interleaved, in cpu seconds of this process; the windows' seconds
    are scaled by cells, the tiles' by their number.
    """
    model = write_random_model(folder / "base32.onnx", 32, 4)
    session, contiguous = Session.open(model), extended_session(model)
    plan = list(planned_windows(land, session.card.stride, session.card.halo, 1440))
    cells = np.array([window.rows.size * window.cols.size for window in plan])
    order = np.argsort(cells)
    sample = [plan[order[int(len(plan) * share)]] for share in (0.3, 0.6, 0.9)]
    given = [window_inputs(window.rows.size, window.cols.size) for window in sample]
    tile, of = window_inputs(TILE, TILE), weights()
    blend = Blend.of(8, TILE, TILE)
    ours, theirs = [], []
    for number in range(REPEATS + 1):
        one = sum(_cpu(lambda inputs=inputs: session.run(inputs)) for inputs in given)
        two = _cpu(lambda: blend.add(contiguous.run(["logits"], tile)[0][0], 0, 0, of))
        if number:  # the first warms up
            ours.append(one / sum(a["prior"].size for a in given))
            theirs.append(two)
    tiles = -(-SHAPE[0] // STRIDE) * -(-SHAPE[1] // STRIDE)
    on_land = sum(
        bool(_tile_of(land, top, left).any())
        for top in range(0, SHAPE[0], STRIDE)
        for left in range(0, SHAPE[1], STRIDE)
    )
    each, tile_s = float(np.median(ours)), float(np.median(theirs))
    hours = each * int(cells.sum()) / 3600
    ratios = np.array(theirs) / np.array(ours) / cells.sum()
    return {
        "windows": len(plan),
        "window_cells_of_all": round(float(cells.sum() / land.size), 4),
        "window_us_per_cell": round(each * 1e6, 3),
        "gaussian_tile_s": round(tile_s, 3),
        "gaussian_tiles": tiles,
        "gaussian_land_tiles": on_land,
        "globe_gaussian_ort_ratio": round(float(np.median(ratios)) * tiles, 2),
        "globe_gaussian_ort_spread": [
            round(float(r) * tiles, 2) for r in (ratios.min(), ratios.max())
        ],
        "globe_gaussian_land_ratio": round(float(np.median(ratios)) * on_land, 2),
        "base32_year_cpu_hours": round(hours, 2),
        "base32_year_2_cores_minutes_estimated": round(hours * 60 / 2, 1),
        "base32_year_128_cores_minutes_estimated": round(hours * 60 / 128, 2),
    }


def planned_windows(land: np.ndarray, stride: int, halo: int, core: int) -> list[Window]:
    """Plan the windows of the Earth's land."""
    cut = Cut(SHAPE, stride, halo, True)
    row, col = (np.arange(size) // 30 for size in SHAPE)
    found = []
    for block in blocks(row, col, core):
        y0, y1, x0, x1 = block
        found += cut.windows(block, land[y0:y1, x0:x1])
    return found


def _tile_of(land: np.ndarray, top: int, left: int) -> np.ndarray:
    """Land of a tile; one that reaches over the date line comes round."""
    columns = np.arange(left, left + TILE) % SHAPE[1]
    rows = land[top : top + TILE]
    return rows[:, left : left + TILE] if columns[-1] > left else rows[:, columns]


def ranks_speedup(folder: Path) -> dict[str, Any]:
    """Time one step of a region on 1 and on 2 ranks, in turns."""
    model = write_random_model(folder / "ranks8.onnx", 8, 3)
    place = Place(50.0, 0.0, 1920, 2880)
    experiment = make_experiment(folder / "ranks", place, model, (2012, 2016), 4, mode="none")
    seconds: dict[int, list[float]] = {1: [], 2: []}
    peaks = {}
    for _ in range(REPEATS):
        for ranks, found in seconds.items():
            second, peaks[ranks] = _step_on(ranks, experiment)
            found.append(second)
    _, peaks[4] = _step_on(4, experiment)
    speedups = np.array(seconds[1]) / np.array(seconds[2])
    return {
        "ranks2_speedup": round(float(np.median(speedups)), 3),
        "ranks2_spread": [round(float(s), 3) for s in (speedups.min(), speedups.max())],
        "ranks1_step_s": round(float(np.median(seconds[1])), 2),
    } | {f"ranks{ranks}_peak_of_one_gib": round(peak, 2) for ranks, peak in peaks.items()}


def _step_on(ranks: int, experiment: Path) -> tuple[float, float]:
    """Wall seconds of a step on some ranks, and the memory of the largest."""
    program = [sys.executable, str(Path(__file__).with_name("ranks_step.py")), str(experiment)]
    process = subprocess.Popen(
        ["mpirun", "--oversubscribe", "-n", str(ranks), *program],
        env=os.environ | MPI,
        stdout=subprocess.PIPE,
        text=True,
    )
    with Watch(process.pid) as watch:
        said, _ = process.communicate()
    if process.returncode:
        raise SystemExit(f"{program} on {ranks} ranks: exit status {process.returncode}")
    return float(json.loads(said.splitlines()[-1])), watch.peak_of_one


def _cpu(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


if __name__ == "__main__":
    main()
