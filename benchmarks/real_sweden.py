"""HILDA+ southern Sweden: train to 1999, step 1999 to 2009 in Python and in Fortran, and score.

    python benchmarks/real_sweden.py --data ../shared/data [--json OUT] [--short]

The coarse fractions are counted on the very maps that are predicted ("known quantities"), so the
scores are an upper bound of what a forecast of quantities could give.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from landstep import Emulator, LandstepError, State
from landstep.coupling.points import Points
from landstep.data.series import sweden_experiment
from landstep.emulator.scores import accuracy, figure_of_merit, mean_iou
from landstep.fortran_shim.build import build_example_host
from landstep.fortran_shim.example_run import run_example_host

CONFIG = Path(__file__).resolve().parents[1] / "training" / "configs" / "sweden.toml"
FIRST, LAST = 1999, 2009
SCORED = (FIRST + 1, LAST)
SHORT = {  # instead of the file's values: little work, and many cells change, wherever they are
    "validation": "[]",
    "batch": "2",
    "steps": "12",
    "rate": "0.03",
    "change_weight": "3000.0",
}

KNOWN = (
    "Known quantities: the coarse fractions are aggregated from the real maps that are predicted,\n"
    "so these scores are an upper bound."
)
LAG_1 = (
    "Swedish yearly changes repeat (HILDA+ is partly interpolated), and few cells change in a year:"
    "\nthe row of 1 year carries no claim."
)

Maps = dict[int, np.ndarray]
"""Year -> (y, x) uint8 class codes."""


def run(data: Path, folder: Path, *, short: bool = False) -> dict[str, Any]:
    """Do the whole way in `folder` and give what there is to print.

    data : folder of the real data
    short : a few training steps with a heavy weight on change, whose map is of no use but changes
    """
    experiment = sweden_experiment(data, folder / "sweden", model="sweden.onnx")
    with experiment.open("a", encoding="utf-8") as text:  # hosts on single cells of the map
        text.write('\n[coupling]\ngeometry = "left"\n')
    training = train_and_export(experiment, folder, short)
    emulator = Emulator.open(experiment)
    truth = {year: codes(emulator, emulator.inputs.land_use.map(year)) for year in (FIRST, *SCORED)}
    python = python_maps(emulator)
    hosts = {
        "Fortran program": run_program(emulator, experiment, folder),
        "f90wrap": run_wrapped(emulator, experiment, folder),
    }
    land = land_cells(emulator)
    n_classes = emulator.scheme.n_classes
    return {
        "quantities": emulator.inputs.forcing.quantities,
        "years": [FIRST, LAST],
        "land_cells": int(land.sum()),
        "training": training,
        "identical": {name: same_maps(python, host) for name, host in hosts.items()},
        "changed_cells": int((python[FIRST] != python[LAST]).sum()),
        "scores": [
            {
                "years": year - FIRST,
                "target": year,
                "model": scores(truth[FIRST], python[year], truth[year], land, n_classes),
                "persistence": scores(truth[FIRST], truth[FIRST], truth[year], land, n_classes),
            }
            for year in SCORED
        ],
    }


def train_and_export(experiment: Path, folder: Path, short: bool) -> dict[str, Any]:
    """Train as training/configs/sweden.toml says, and export beside the experiment file."""
    from landstep.export.write import export_model
    from landstep.training.fit import train

    text = CONFIG.read_text("utf-8")
    for key, value in SHORT.items() if short else ():
        text, found = re.subn(rf"(?m)^{key} *=.*$", f"{key} = {value}", text)
        if found != 1:
            raise SystemExit(f"{CONFIG}: expected one key {key}, found {found}")
    config = folder / "sweden.toml"
    config.write_text(text, "utf-8")
    begun = cpu_seconds()
    checkpoint = train(config, output=folder / "sweden.ckpt", experiments=[experiment])
    trained = cpu_seconds()
    export_model(checkpoint, experiment.parent / "sweden.onnx")
    return {
        "config": CONFIG.name,
        "short": short,
        "cpu_seconds": round(trained - begun, 1),
        "export_cpu_seconds": round(cpu_seconds() - trained, 1),
    }


def cpu_seconds() -> float:
    """Processor time of this process and of those that it has started and waited for."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def land_cells(emulator: Emulator) -> np.ndarray:
    """Cells whose class may change: (y, x) bool."""
    first = emulator.inputs.land_use.map(FIRST)
    return ~np.isin(first, emulator.scheme.fixed_numbers)


def codes(emulator: Emulator, numbers: np.ndarray) -> np.ndarray:
    """Class codes of a map of class numbers."""
    return emulator.scheme.codes_from_numbers(numbers)


def python_maps(emulator: Emulator) -> Maps:
    """Step year by year with the Python driver."""
    state = emulator.start(FIRST)
    maps = {FIRST: codes(emulator, state.land_use)}
    for year in range(FIRST + 1, LAST + 1):
        state = emulator.step(year, state)
        maps[year] = codes(emulator, state.land_use)
    return maps


@dataclass(frozen=True)
class HostMaps:
    """What a Fortran host had: class codes at its points every year, and the last map whole.

    cells : (n,) flat index of each point's cell
    points : year -> (n,) class code of each point, from the host's field dominant_class
    last : (y, x) class codes of the last year, from its restart file
    """

    cells: np.ndarray
    points: dict[int, np.ndarray]
    last: np.ndarray


def run_program(emulator: Emulator, experiment: Path, folder: Path) -> HostMaps:
    """Step in the Fortran program example_host, in its own time loop, on every 50th cell of land.

    It solves an energy balance at each point every day; the whole map comes from its restart file.
    """
    cells = np.flatnonzero(land_cells(emulator))[::50]
    program = build_example_host(folder / "host", ["-O2"])
    points = Points.make(*centres(emulator, cells))
    ran = run_example_host(program, folder, experiment, emulator.scheme, points, FIRST, LAST)
    at_points = {y: ran.fields(y)["dominant_class"] for y in range(FIRST, LAST + 1)}
    return HostMaps(cells, at_points, codes(emulator, State.load(ran.restart).land_use))


def run_wrapped(emulator: Emulator, experiment: Path, folder: Path) -> HostMaps:
    """Step in the example host wrapped by f90wrap, a point a cell, asked twice a year."""
    from landstep.fortran_shim.example_host import host_wrap

    def checked(answer: Any) -> Any:
        *values, stat, message = answer if isinstance(answer, tuple) else (answer,)
        if stat != 0:
            raise SystemExit(f"wrapped host: {message.strip()}")
        return values

    cells = np.arange(land_cells(emulator).size)
    lon, lat = centres(emulator, cells)
    none = np.zeros((2, 0), order="F")
    host = host_wrap.wrapped_host()
    opened = (str(experiment), ",".join(emulator.scheme.names), lon, lat, False, none, none)
    checked(host_wrap.wrapped_open(host, *opened, FIRST, " "))
    points, values = {}, np.zeros(cells.size)
    for year in range(FIRST, LAST + 1):
        for month in (1, 7):
            checked(host_wrap.wrapped_update(host, year, month, 1))
        checked(host_wrap.wrapped_get(host, "dominant_class", values))
        points[year] = values.copy()
    restart = folder / "wrapped_restart.nc"
    checked(host_wrap.wrapped_write_restart(host, str(restart)))
    checked(host_wrap.wrapped_close(host))
    return HostMaps(cells, points, codes(emulator, State.load(restart).land_use))


def centres(emulator: Emulator, cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Longitude and latitude of cells by flat index: two (n,), degrees."""
    grid = emulator.grid
    return grid.lon_deg.ravel()[cells], grid.lat_deg.ravel()[cells]


def same_maps(maps: Maps, host: HostMaps) -> bool:
    """Whether a host had the Python driver's maps: every year at its points, the last one whole."""
    return list(maps) == list(host.points) and bool(
        np.array_equal(maps[LAST], host.last)
        and all(np.array_equal(maps[y].ravel()[host.cells], host.points[y]) for y in maps)
    )


def scores(
    prior: np.ndarray, found: np.ndarray, truth: np.ndarray, land: np.ndarray, n_classes: int
) -> dict[str, Any]:
    """Score a predicted map; codes are class numbers in scheme sweden5."""
    merit = figure_of_merit(prior, found, truth, land)
    return {
        "accuracy": accuracy(found, truth, land),
        "mean_iou": mean_iou(found, truth, land, n_classes),
        "figure_of_merit": merit.value,
        **asdict(merit),
    }


def table(report: Mapping[str, Any]) -> str:
    """Text to print."""
    training = report["training"]
    first, last = report["years"]
    short = " (a short form: the scores mean nothing)" if training["short"] else ""
    lines = [
        f"HILDA+ southern Sweden, {report['land_cells']} cells of land, {first} to {last} year by "
        f"year{short}",
        f"training: {training['cpu_seconds']:.0f} s of cpu, export and its verification "
        f"{training['export_cpu_seconds']:.0f} s",
        "",
        f"maps of {first} to {last} against the Python driver's:",
        *(
            f"  {name:16s} {'identical' if same else 'NOT IDENTICAL'}"
            for name, same in report["identical"].items()
        ),
        "",
        KNOWN,
        "",
        f"{'':22s}{'accuracy':>10s}{'mean IoU':>10s}{'figure of merit':>17s}   "
        "hits/misses/wrong hits/false alarms",
    ]
    for row in report["scores"]:
        years = f"{row['years']} year{'s' if row['years'] > 1 else ''}"
        for who in ("model", "persistence"):
            of = row[who]
            cells = "/".join(
                str(of[name]) for name in ("hits", "misses", "wrong_hits", "false_alarms")
            )
            lines.append(
                f"{years if who == 'model' else '':10s}{who:12s}{of['accuracy']:10.4f}"
                f"{of['mean_iou']:10.4f}{of['figure_of_merit']:17.4f}   {cells}"
            )
    return "\n".join([*lines, "", LAG_1])


def main(arguments: list[str] | None = None) -> int:
    """Run, print, and return 0 where all maps are identical."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, help="folder of the real data")
    parser.add_argument("--json", type=Path, help="write the figures to this file too")
    parser.add_argument("--short", action="store_true", help="a few training steps only")
    options = parser.parse_args(arguments)
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="landstep-sweden-") as folder:
        try:
            report = run(options.data, Path(folder), short=options.short)
        except LandstepError as error:
            print(f"real_sweden: {error}", file=sys.stderr)
            return error.status
    print(table(report))
    print(f"all of it took {time.perf_counter() - begun:.0f} s")
    if options.json is not None:
        options.json.write_text(json.dumps(report, indent=2) + "\n", "utf-8")
    return 0 if all(report["identical"].values()) else 1


if __name__ == "__main__":
    sys.exit(main())
