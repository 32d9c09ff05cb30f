"""One step at full speed: against the core's own sgemm, and against Gaussian-weighted tiles.

`python benchmarks/step.py --json step.json` takes one core some ten minutes and 4 GiB. Everything
is measured in turns within one run, in cpu seconds of the process; figures are medians.
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

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np
import torch
from gaussian import TILE, Blend, starts, weights
from made_up import Place, make_experiment
from networks import extended_session, random_network, window_inputs, write_random_model
from watch import Watch

from landstep.emulator.area_sums import class_areas
from landstep.emulator.emulator import Emulator
from landstep.training.graph import LandUseGraph

SIDE, CORE, REPEATS = 2880, 1440, 5
BASE, DEPTH = 32, 4


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, required=True, help="file to write")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory(prefix="landstep-step-") as at:
        folder = Path(at)
        model = write_random_model(folder / "base32.onnx", BASE, DEPTH)
        place = Place(60.0, 0.0, SIDE, SIDE)
        options = {"mode": "none", "core": str(CORE)}
        timed = make_experiment(folder / "timed", place, model, (2012, 2016), 4, **options)
        default = make_experiment(folder / "default", place, model, (2012, 2016), 4, mode="exact")
        found = speed(timed, model) | memory(default)
    chosen.json.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    for name, value in found.items():
        print(f"{name:24s} {value}")


def speed(experiment: Path, model: Path) -> dict[str, Any]:
    """Time a whole step, sgemm, and a tile in onnxruntime and in torch, in turns."""
    emulator = Emulator.open(experiment)
    state = emulator.start()
    network, card = random_network(BASE, DEPTH, emulator.card.history)
    graph, contiguous = LandUseGraph(network).eval(), extended_session(model)
    tile, of, blend = window_inputs(TILE, TILE), weights(), Blend.of(8, TILE, TILE)
    tensors = [torch.from_numpy(array) for array in tile.values()]
    square = np.random.default_rng(0).random((2048, 2048), np.float32)

    def step() -> None:
        following = emulator.step(state.year + 1, state)
        class_areas(following.land_use, emulator.grid, emulator.scheme.n_classes)

    def in_torch() -> None:
        with torch.inference_mode():
            blend.add(graph(*tensors)[1][0].numpy(), 0, 0, of)

    work: dict[str, Callable[[], object]] = {
        "sgemm": lambda: square @ square,
        "step": step,
        "ort": lambda: blend.add(contiguous.run(["logits"], tile)[0][0], 0, 0, of),
        "torch": in_torch,
    }
    times: dict[str, list[float]] = {name: [] for name in work}
    for number in range(REPEATS + 2):  # two to warm up: memory is touched for the first time
        for name, act in work.items():
            seconds = _cpu(act)
            if name == "sgemm":
                seconds = min(seconds, *(_cpu(act) for _ in range(4)))
            if number > 1:
                times[name].append(seconds)
    each = {name: np.array(values) for name, values in times.items()}
    macs = macs_per_cell(network)
    rate = 2048**3 / each["sgemm"]
    fraction = macs * SIDE**2 / rate / each["step"]
    tiles = len(starts(SIDE)) ** 2
    halo = card.halo
    return {
        "sgemm_gmac_s": round(float(np.median(rate)) / 1e9, 1),
        "macs_per_cell": round(macs),
        "step_cpu_s": round(float(np.median(each["step"])), 2),
        "step_us_per_cell": round(float(np.median(each["step"])) / SIDE**2 * 1e6, 3),
        "sgemm_fraction": round(float(np.median(fraction)), 3),
        "sgemm_fraction_spread": _spread(fraction),
        "sgemm_ceiling": round((CORE / (CORE + halo)) ** 2, 3),
        "gaussian_tiles": tiles,
        "gaussian_ort_tile_s": round(float(np.median(each["ort"])), 3),
        "gaussian_torch_tile_s": round(float(np.median(each["torch"])), 3),
        "gaussian_ort_ratio": round(float(np.median(each["ort"] * tiles / each["step"])), 2),
        "gaussian_ort_spread": _spread(each["ort"] * tiles / each["step"]),
        "gaussian_torch_ratio": round(float(np.median(each["torch"] * tiles / each["step"])), 2),
        "gaussian_torch_spread": _spread(each["torch"] * tiles / each["step"]),
    }


def macs_per_cell(network: torch.nn.Module) -> float:
    """Count the multiply-adds of the network's convolutions for each cell of a window."""
    counted = []

    def count(layer: torch.nn.Conv2d, _: object, out: torch.Tensor) -> None:
        counted.append(out.numel() * layer.weight[0].numel())

    layers = [layer for layer in network.modules() if isinstance(layer, torch.nn.Conv2d)]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    tile = window_inputs(64, 64)
    with torch.inference_mode():
        LandUseGraph(network)(*(torch.from_numpy(array) for array in tile.values()))
    for hook in hooks:
        hook.remove()
    return sum(counted) / 64**2


def memory(experiment: Path) -> dict[str, Any]:
    """Watch the memory of two steps at the default settings, in a process of their own."""
    program = Path(__file__).with_name("ranks_step.py")
    process = subprocess.Popen([sys.executable, str(program), str(experiment)])
    with Watch(process.pid) as watch:
        if process.wait():
            raise SystemExit(f"{program}: exit status {process.returncode}")
    return {"peak_gib": round(watch.peak, 2)}


def _cpu(act: Callable[[], object]) -> float:
    began = time.process_time()
    act()
    return time.process_time() - began


def _spread(values: np.ndarray) -> list[float]:
    return [round(float(value), 3) for value in (values.min(), values.max())]


if __name__ == "__main__":
    main()
