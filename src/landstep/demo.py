"""The whole way on a made-up world: three drivers, one map, pictures."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from landstep.coupling.regress import reference_points
from landstep.data.world import make_world
from landstep.emulator.classes import OUTSIDE
from landstep.emulator.emulator import Emulator
from landstep.emulator.errors import DependencyError, InputError, LandstepError
from landstep.emulator.inputs import Inputs
from landstep.emulator.scores import accuracy, figure_of_merit, mean_iou
from landstep.emulator.state import State
from landstep.fortran_shim.build import build_example_host
from landstep.fortran_shim.example_run import run_example_host
from landstep.pictures import draw_run
from landstep.progress import Progress

FIRST, LAST = 2015, 2030
SEED, SHAPE = 7, (480, 720)


def run_demo(out: Path) -> None:
    """Make a world, step it from Python, the command line and Fortran, compare, and draw.

    out : folder to make; one that is there is refused unless an earlier demo made it
    Raises InputError for a folder that is in the way, LandstepError where the three maps differ.
    """
    began = time.monotonic()
    _clear(out)
    with Progress("demo") as progress:
        progress.say("making a world")
        experiment = make_world(out / "world", seed=SEED, shape=SHAPE, progress=progress.count)
        emulator = Emulator.open(experiment)
        states = {"Python": _drive(emulator, progress)}
        progress.say("the same from the command line")
        states["command line"] = _command_line(experiment, out / "run")
        progress.say("the same from a Fortran host")
        fortran = _fortran(experiment, emulator.inputs, out / "host")
        if isinstance(fortran, State):
            states["Fortran host"] = fortran
        progress.say("drawing")
        pictures = draw_run(out / "run")
    _compare(states)
    print(f"stepped {FIRST} to {LAST} over {SHAPE[0]} x {SHAPE[1]} cells of 1/120 degree")
    print(f"{', '.join(states)}: the {LAST} maps are identical ({states['Python'].checksum[:12]})")
    if isinstance(fortran, str):
        print(f"the Fortran host was left out: {fortran}")
    print(_skill(emulator.inputs, states["Python"], out / "world"))
    print(f"maps      {out}/run/land_use_{FIRST}.nc to land_use_{LAST}.nc (CF NetCDF)")
    print(f"restart   {out}/run/restart.nc")
    for picture in pictures:
        print(f"picture   {picture}")
    print(f"took {time.monotonic() - began:.0f} s")
    print("try next  landstep inspect", experiment)
    print("          landstep run", experiment, "--years 2015:2050 --output further")
    print("          landstep world globe --globe --size 480x960")
    print("(in this checkout, `landstep` is .venv/bin/landstep)")


def _clear(out: Path) -> None:
    """Take away what an earlier demo made, and nothing else."""
    if not out.exists():
        return
    if not (out / "world" / "experiment.toml").exists() and (out.is_file() or any(out.iterdir())):
        raise InputError(f"{out}: is in the way and no earlier demo's; name another folder")
    for name in ("world", "run", "host"):
        shutil.rmtree(out / name, ignore_errors=True)


def _drive(emulator: Emulator, progress: Progress) -> State:
    state = emulator.start(FIRST)
    for year in range(FIRST + 1, LAST + 1):
        progress.say(f"Python driver, {year}")
        state = emulator.step(year, state)
    return state


def _command_line(experiment: Path, output: Path) -> State:
    years = f"{FIRST}:{LAST}"
    command = [sys.executable, "-m", "landstep", "run", str(experiment), "--years", years]
    done = subprocess.run([*command, "--output", str(output)], capture_output=True, text=True)
    if done.returncode:
        raise LandstepError(f"landstep run failed: {done.stderr.strip()}")
    return State.load(output / "restart.nc")


def _fortran(experiment: Path, inputs: Inputs, folder: Path) -> State | str:
    """Build and run the example host; where a compiler is missing, say what to install."""
    try:
        program = build_example_host(folder)
    except DependencyError as error:
        return str(error)
    points = reference_points(inputs)
    run = run_example_host(program, folder, experiment, inputs.scheme, points, FIRST, LAST)
    return State.load(run.restart)


def _compare(states: dict[str, State]) -> None:
    first = states["Python"]
    for name, state in states.items():
        if not np.array_equal(state.land_use, first.land_use):
            cells = int((state.land_use != first.land_use).sum())
            raise LandstepError(f"{name}: {cells} cells of the {LAST} map differ from Python's")


def _skill(inputs: Inputs, state: State, folder: Path) -> str:
    """Score the last map against the made-up world's own, beside persistence and the best there is.

    folder : of the world; its attainable.json says what the process itself reaches
    """
    before, truth = inputs.land_use.map(FIRST), inputs.land_use.map(LAST)
    land = before != OUTSIDE
    rows = {}
    for name, predicted in (("landstep", state.land_use), ("persistence", before)):
        iou = mean_iou(predicted, truth, land, inputs.scheme.n_classes)
        merit = figure_of_merit(before, predicted, truth, land).value
        rows[name] = (accuracy(predicted, truth, land), iou, merit)
    attainable = json.loads((folder / "attainable.json").read_text("utf-8"))["targets"]
    for name in ("random_place", "best_attainable"):
        scores = attainable.get(str(LAST), {}).get(name)
        if scores:
            rows[name.replace("_", " ")] = tuple(
                scores[key] for key in ("accuracy", "mean_iou", "figure_of_merit")
            )
    lines = [f"skill in {LAST} on land, from {FIRST}   accuracy  mean IoU  figure of merit"]
    lines += [f"  {n:<30}  {a:8.4f}  {i:8.4f}  {m:15.4f}" for n, (a, i, m) in rows.items()]
    return "\n".join(lines)
