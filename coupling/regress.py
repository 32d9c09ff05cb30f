"""Stored references: the maps and host fields of a model and region, compared bit for bit.

A reference is a folder with reference.json (what was run, on what, and the sha256 of every map and
field) and reference.npz (the maps and fields themselves).
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from landstep.coupling.coupler import Coupler
from landstep.coupling.points import Points
from landstep.emulator.emulator import Emulator
from landstep.emulator.errors import ConfigError, InputError
from landstep.emulator.file_checks import check_output_folder
from landstep.emulator.grid import Blocks
from landstep.emulator.inputs import Inputs

RECORD, ARRAYS = "reference.json", "reference.npz"
FORMAT = 1
SHARE_ELSEWHERE = 0.999
"""Share of map cells that must be equal where bits are not promised: on another instruction set,
provider or onnxruntime. Ours; other instruction sets move logits by about 1e-6."""

BITS_DEPEND_ON = (
    "onnxruntime",
    "provider",
    "precision",
    "openvino",
    "optimisation_level",
    "instruction_set",
)


@dataclass(frozen=True)
class Report:
    """Outcome of a check: whether it passed, and what to read."""

    passed: bool
    text: str


def record(
    experiment: str | Path, folder: Path, first: int, last: int, *, replace: bool = False
) -> str:
    """Step from `first` to `last` and store maps and fields as the reference.

    folder : gets reference.json and reference.npz
    replace : write over a reference that is there; it is refused otherwise
    returns : a line that names the new reference by its sha256, for a changelog
    Raises ConfigError where a reference is there, or the years hold no step.
    """
    if last <= first:
        raise ConfigError(
            f"reference years {first}:{last}, expected FIRST:LAST with a step between"
        )
    if (folder / RECORD).exists() and not replace:
        raise ConfigError(f"{folder}: a reference is there; --replace writes over it")
    check_output_folder(folder)
    arrays, provenance = run_reference(experiment, first, last)
    return store(folder, first, last, arrays, provenance)


def store(
    folder: Path,
    first: int,
    last: int,
    arrays: dict[str, np.ndarray],
    provenance: dict[str, str],
) -> str:
    """Write a reference, over one that is there.

    arrays, provenance : as `run_reference` gives them; first, last : years that they are of
    returns : what `record` returns
    Raises InputError where the folder cannot be written.
    """
    note = {
        "format": FORMAT,
        "first": first,
        "last": last,
        **provenance,
        "sha256": {name: _sha256(array) for name, array in arrays.items()},
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(folder / f".{ARRAYS}", **arrays)  # type: ignore[arg-type]
        os.replace(folder / f".{ARRAYS}", folder / ARRAYS)
        staged = folder / f".{RECORD}"
        staged.write_text(json.dumps(note, indent=1, sort_keys=True) + "\n", "utf-8")
        os.replace(staged, folder / RECORD)
    except OSError as error:
        raise InputError(f"{folder}: reference cannot be written: {error.strerror}") from error
    return f"reference {folder.name} {name_of(folder)}: {len(arrays)} arrays, {first} to {last}"


def name_of(folder: Path) -> str:
    """Name of a reference by its content: first 12 figures of reference.json's sha256."""
    return hashlib.sha256((folder / RECORD).read_bytes()).hexdigest()[:12]


def check(experiment: str | Path, folder: Path) -> Report:
    """Run an experiment as its reference says and compare.

    returns : a report; it passes where every array is equal bit for bit, or, on a processor or
        library that the reference does not hold for, where at least SHARE_ELSEWHERE of a map is
    Raises InputError where the reference is missing or damaged.
    """
    note, stored = load(folder)
    arrays, provenance = run_reference(experiment, note["first"], note["last"])
    return compare(note, stored, arrays, provenance)


def load(folder: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Read a reference: its record, and its arrays held against their sha256.

    Raises InputError where one is missing, damaged, or of another format.
    """
    try:
        note = json.loads((folder / RECORD).read_text("utf-8"))
        with np.load(folder / ARRAYS) as file:
            stored = {name: file[name] for name in file.files}
    except OSError as error:
        raise InputError(
            f"{folder}: no reference there ({error}); `landstep regress record`"
        ) from error
    except Exception as error:
        raise InputError(f"{folder}: reference is damaged ({error}); fetch it again") from error
    if note.get("format") != FORMAT:
        raise InputError(f"{folder}: reference format {note.get('format')}, need {FORMAT}")
    for name, expected in note["sha256"].items():
        if name not in stored or _sha256(stored[name]) != expected:
            raise InputError(f"{folder}: array {name} does not fit its sha256; fetch it again")
    return note, stored


def compare(
    note: dict[str, Any],
    stored: dict[str, np.ndarray],
    arrays: dict[str, np.ndarray],
    provenance: dict[str, str],
) -> Report:
    """Compare arrays with a reference: keys first, then values."""
    if provenance["model"] != note["model"]:
        return Report(
            False, f"model sha256 {provenance['model']}, the reference is of {note['model']}"
        )
    if set(arrays) != set(stored):
        odd = sorted(set(arrays) ^ set(stored))
        return Report(False, f"arrays that only one side has: {odd}")
    elsewhere = [k for k in BITS_DEPEND_ON if provenance.get(k) != note.get(k)]
    lines, passed = [], True
    for key in elsewhere:
        lines.append(
            f"{key}: {provenance.get(key)}, the reference is of {note.get(key)}: bits not promised"
        )
    for name in sorted(arrays):
        if arrays[name].shape != stored[name].shape or arrays[name].dtype != stored[name].dtype:
            return Report(False, f"{name}: {arrays[name].shape}, reference {stored[name].shape}")
        share = float((arrays[name] == stored[name]).mean())
        is_map = name.startswith("map_")
        if share < 1 and (not elsewhere or (is_map and share < SHARE_ELSEWHERE)):
            passed = False
        if share < 1:
            lines.append(f"{name}: {share:.6f} of the values are equal")
    same = "equal bit for bit" if not elsewhere else f"compared at {SHARE_ELSEWHERE} of the cells"
    lines.append(f"{len(arrays)} maps and fields, {same if passed else 'NOT the same'}")
    return Report(passed, "\n".join(lines))


def run_reference(
    experiment: str | Path, first: int, last: int
) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Step through the years by the Python coupler on the reference's points.

    returns : arrays by name, map_YEAR (y, x) uint8 class numbers and field_NAME_YEAR (n_points,)
        float64; and what their bits depend on
    Raises InputError, before any year is computed, where the forcing lacks one.
    """
    emulator = Emulator.open(experiment)
    emulator.inputs.forcing.require_years(first, last)
    points = reference_points(emulator.inputs)
    coupler = Coupler.on(emulator, points, year=first)
    arrays: dict[str, np.ndarray] = {}
    for year in range(first, last + 1):
        coupler.update(year, 1, 1)
        arrays[f"map_{year}"] = coupler.state.land_use
        for name in coupler.names():
            arrays[f"field_{name}_{year}"] = coupler.get(name)
    coupler.close()
    provenance = {"model": emulator.session.sha256, **emulator.session.provenance}
    return arrays, provenance


def reference_points(inputs: Inputs) -> Points:
    """Points on which fields are stored: the coarse cells over the map.

    returns : their centres, with bounds on a regular grid; on a projected one, and for a forcing on
        blocks, the middle cell of each block, without bounds
    """
    coarse, grid = inputs.forcing.coarse, inputs.grid
    row, col = np.unique(inputs.row), np.unique(inputs.col)
    if isinstance(coarse, Blocks):
        y = np.minimum(row * coarse.size + coarse.size // 2, grid.shape[0] - 1)
        x = np.minimum(col * coarse.size + coarse.size // 2, grid.shape[1] - 1)
        if grid.kind == "regular":
            lat, lon = np.meshgrid(grid.lat_deg[y], grid.lon_deg[x], indexing="ij")
        else:
            lat, lon = grid.lat_deg[np.ix_(y, x)], grid.lon_deg[np.ix_(y, x)]
        return Points.make(lon.ravel(), lat.ravel())
    part = inputs.share.forcing
    row, col = row + part.top, part.columns[col]
    north, west = coarse.lat_edges(), coarse.lon_edges()
    lat, lon = np.meshgrid(coarse.lat_deg[row], coarse.lon_deg[col], indexing="ij")
    r, c = (index.ravel() for index in np.meshgrid(row, col, indexing="ij"))
    return Points.make(
        lon.ravel(),
        lat.ravel(),
        np.stack([west[c], west[c + 1]], axis=1),
        np.stack([north[r + 1], north[r]], axis=1),
    )


def _sha256(array: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()
