"""What the way from Fortran costs: calls, copies, a step, and ten thousand updates.

`python benchmarks/bridge.py --json bridge.json` takes some minutes, one core and 3 GiB, and needs
gfortran and the installed package. What is compared is measured in turns; figures are medians.

empty_call_us         an `update` to the date already reached
get_copies            `get` of 1e6 real64, in times of a copy of as many
step_vs_python        an `update` that begins a year, from Fortran, over the same by the Coupler
step_vs_onnxruntime   the same over the network alone, run by onnxruntime on the same windows
memory_growth_mib     resident memory after 10,000 daily updates less that after 1,000
handle_growth         the same of open file handles
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np
import onnxruntime
from made_up import Place, make_experiment
from networks import write_random_model

from landstep.coupling.coupler import Coupler
from landstep.coupling.points import Points
from landstep.data.world import make_world
from landstep.emulator.emulator import Emulator
from landstep.emulator.experiment import load_experiment
from landstep.emulator.features import OUTPUT_NAMES
from landstep.emulator.inputs import open_inputs
from landstep.emulator.network import Network
from landstep.emulator.stepping import fields_for
from landstep.emulator.tiling import Cut, blocks
from landstep.emulator.window_size import core_for
from landstep.fortran_shim import build

SIDE_CELLS, BASE, DEPTH, STEPS = 960, 32, 4, 5
MILLION, POINTS = 1_000_000, 1024
DAYS = 1000


class Host:
    """The Fortran program, asked and answering by lines."""

    def __init__(self, program: Path, experiment: Path, year: int, n: int, corner: str) -> None:
        command = [str(program), str(experiment), str(year), str(n)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.ask(corner) == "ready"

    def ask(self, words: str) -> str:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(words + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        if not answer:
            raise SystemExit(f"bridge_host ended with status {self.process.wait()}")
        return answer

    def numbers(self, words: str) -> list[float]:
        return [float(word) for word in self.ask(words).split()]

    def resident_mib(self) -> float:
        pages = Path(f"/proc/{self.process.pid}/statm").read_text("ascii").split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE") / 2**20

    def handles(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def end(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        if self.process.wait():
            raise SystemExit(f"bridge_host ended with status {self.process.returncode}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, required=True, help="file to write")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="landstep-bridge-") as at:
        folder = Path(at)
        program = compiled(folder)
        world = make_world(folder / "world", seed=7, shape=(120, 180))
        found = calls(program, world) | soak(program, world) | steps(program, folder)
    chosen.json.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    for name, value in found.items():
        print(f"{name:26s} {value}")


def compiled(folder: Path) -> Path:
    """Build the program as a host's developer would."""
    library = build.shared_library().parent
    source, program = Path(__file__).with_name("bridge_host.f90"), folder / "bridge_host"
    sources = [str(path) for path in build.fortran_sources()]
    link = [f"-L{library}", "-llandstep", f"-Wl,-rpath,{library}"]
    command = [build.fortran_compiler(), "-O2", f"-J{folder}", "-o", str(program)]
    subprocess.run([*command, *sources, str(source), *link], check=True)
    return program


def calls(program: Path, world: Path) -> dict[str, Any]:
    """Time calls that do nothing, and a get of a million values."""
    host = Host(program, world, 2015, MILLION, corner(world))
    empty = [host.numbers("empty 100000")[0] * 1e6 for _ in range(STEPS)]
    got, copied = np.array([host.numbers("get 21") for _ in range(STEPS)]).T
    host.end()
    return {
        "empty_call_us": round(float(np.median(empty)), 2),
        "empty_call_spread": spread(empty),
        "get_ms": round(float(np.median(got)) * 1e3, 3),
        "copy_ms": round(float(np.median(copied)) * 1e3, 3),
        "get_copies": round(float(np.median(got / copied)), 2),
        "get_copies_spread": spread(got / copied),
    }


def soak(program: Path, world: Path) -> dict[str, Any]:
    """Watch memory and handles over 10,000 updates, a day each: 27 years of a small world."""
    host = Host(program, world, 2015, POINTS, corner(world))
    memory, handles = [], []
    for _ in range(10):
        host.ask(f"days {DAYS}")
        memory.append(host.resident_mib())
        handles.append(host.handles())
    host.end()
    return {
        "memory_mib": [round(value, 1) for value in memory],
        "memory_growth_mib": round(memory[-1] - memory[0], 1),
        "handle_growth": handles[-1] - handles[0],
    }


def steps(program: Path, folder: Path) -> dict[str, Any]:
    """Time a year from Fortran, the same from Python, and the network alone, in turns."""
    model = write_random_model(folder / "network.onnx", BASE, DEPTH)
    place = Place(60.0, 0.0, SIDE_CELLS, SIDE_CELLS)
    first, last = 2010, 2010 + STEPS + 1
    experiment = make_experiment(
        folder / "steps", place, model, (first, last), last - first, mode="none"
    )
    host = Host(program, experiment, first, POINTS, f"{place.west} {place.north}")
    points = bounds(POINTS, place.west, place.north)
    coupler = Coupler.on(Emulator.open(experiment), points, year=first)
    coupler.update(first, 1, 1)
    network = network_alone(experiment, first)
    times: dict[str, list[float]] = {"fortran": [], "python": [], "onnxruntime": []}
    for year in range(first + 1, last + 1):
        seconds = {
            "onnxruntime": timed(network),
            "python": timed(lambda year=year: coupler.update(year, 1, 1)),
            "fortran": host.numbers(f"step {year}")[0],
        }
        if year > first + 1:  # the first touches memory for the first time
            for name, value in seconds.items():
                times[name].append(value)
    host.end()
    each = {name: np.array(values) for name, values in times.items()}
    return {
        "step_s": round(float(np.median(each["fortran"])), 3),
        "step_vs_python": round(float(np.median(each["fortran"] / each["python"])), 3),
        "step_vs_python_spread": spread(each["fortran"] / each["python"]),
        "step_vs_onnxruntime": round(float(np.median(each["fortran"] / each["onnxruntime"])), 3),
        "step_vs_onnxruntime_spread": spread(each["fortran"] / each["onnxruntime"]),
    }


def network_alone(experiment: Path, first: int) -> Callable[[], object]:
    """Give the run of a plain onnxruntime session over the windows of a step, and nothing else."""
    emulator = Emulator.open(experiment)
    state = emulator.start(first)
    fields = fields_for(emulator.card, emulator.inputs, first + 1, state)
    cut = Cut(emulator.grid.shape, emulator.card.stride, emulator.card.halo, False, (0, 0))
    network = Network(emulator.session, fields, emulator.scheme, cut)
    inputs = emulator.inputs
    windows = [
        given
        for block in blocks(inputs.row, inputs.col, core_for(emulator.card))
        for _, given in network.given(block, network.free(block))
    ]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.enable_mem_pattern = False
    session = onnxruntime.InferenceSession(
        emulator.experiment.model_path().read_bytes(), options, providers=["CPUExecutionProvider"]
    )
    return lambda: [session.run(list(OUTPUT_NAMES), given) for given in windows]


def bounds(n: int, west: float, north: float) -> Points:
    """Give the points as bridge_host.f90 lays them out."""
    across = math.ceil(math.sqrt(n))
    row, col = np.divmod(np.arange(n), across)
    step = 8.0 / across
    lon, lat = west + (col + 0.5) * step, north - (row + 0.5) * step
    edges = np.array([-step / 2, step / 2])
    return Points.make(lon, lat, lon[:, None] + edges, lat[:, None] + edges)


def corner(world: Path) -> str:
    """Western and northern edge of a map, as the program reads them."""
    grid = open_inputs(load_experiment(world)).grid
    return f"{grid.lon_edges()[0]} {grid.lat_edges()[0]}"


def timed(act: Callable[[], object]) -> float:
    """Seconds of something, by the wall clock."""
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def spread(values: Any) -> list[float]:
    """Give the least and the largest."""
    return [round(float(value), 3) for value in (min(values), max(values))]


if __name__ == "__main__":
    main()
