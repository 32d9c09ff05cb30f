"""Say in plain text what a file is and what it holds."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from landstep.emulator.builtin import builtin_path
from landstep.emulator.card import Gate, Weights
from landstep.emulator.errors import InputError, LandstepError
from landstep.emulator.experiment import load_experiment
from landstep.emulator.first_look import look
from landstep.emulator.grid import AREA_UNIT_M2
from landstep.emulator.inputs import open_inputs, unverified
from landstep.emulator.netcdf import NetcdfFile
from landstep.emulator.session import Session
from landstep.emulator.state import State


def describe(path: Path) -> str:
    """Describe a model, restart, experiment, map or forcing file.

    path : the file; "builtin:NAME" is a model that came with the package
    returns : lines of text
    Raises LandstepError's family, with the path, for a file that is missing or damaged.
    """
    path = builtin_path(str(path)) or path
    if not path.exists():
        raise InputError(f"{path}: not found")
    if path.suffix == ".onnx":
        return _model(path)
    if path.suffix == ".toml":
        return _experiment(path)
    return _netcdf(path)


def lines_of(*pairs: tuple[str, object]) -> str:
    """Put names and what is to be said of them one under the other."""
    width = max(len(name) for name, _ in pairs)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in pairs)


def _model(path: Path) -> str:
    session = Session.open(path)
    card = session.card
    pairs: list[tuple[str, object]] = [
        ("model", f"{card.name} (landstep {card.landstep_version}, {card.licence})"),
        ("sha256", session.sha256),
        ("classes", f"{card.scheme}: {', '.join(card.class_names)}"),
        ("forcing", ", ".join(card.states)),
        ("statics", ", ".join([*card.continuous, *(c.name for c in card.categories)])),
        ("network", f"U-Net, base {card.base}, depth {card.depth}, halo {card.halo} cells"),
        ("steps", f"{_way(card.direction)}, maps valid on {card.phase}"),
        ("learned", f"{', '.join(map(str, card.lags))} years at once, {card.history} maps before"),
        *(("allocation", _weights(entry)) for entry in card.weights),
        ("runs on", ", ".join(f"{k} {v}" for k, v in session.provenance.items())),
    ]
    pairs += [("verified", _gate(gate)) for gate in card.gates]
    pairs += [("source", source) for source in card.sources]
    pairs += [("score", ", ".join(f"{k} {v}" for k, v in row.items())) for row in card.scores]
    pairs += [(f"trained: {key}", value) for key, value in sorted(card.training.items())]
    return lines_of(*pairs)


def _weights(of: Weights) -> str:
    return (
        f"from {of.years} year{'s' * (of.years > 1)}: stay_weight {of.stay_weight:g}, "
        f"new_weight {of.new_weight:g}, miss_price {of.miss_price:g}"
    )


def _gate(gate: Gate) -> str:
    years = f"{gate.years[0]} to {gate.years[1]}"
    said = "passed" if gate.passed else f"did not pass: {'; '.join(gate.failed)}"
    return f"{gate.provider} in {gate.precision}, {gate.date}, {gate.experiment}, {years}: {said}"


def _way(direction: str) -> str:
    return f"{'forward and backward' if direction == 'both' else direction} in time"


def _experiment(path: Path) -> str:
    experiment = load_experiment(path)
    inputs = open_inputs(experiment)
    ny, nx = inputs.grid.shape
    return lines_of(
        ("experiment", experiment.name),
        ("model", experiment.model or "none named"),
        ("grid", f"{inputs.grid.kind}, {ny} x {nx} cells{', whole circle' * inputs.grid.wraps}"),
        ("land", f"{float((~inputs.sea).mean()):.1%} of the cells"),
        (
            "maps",
            f"{inputs.land_use.years[0]} to {inputs.land_use.years[-1]}, {inputs.scheme.name}",
        ),
        ("forcing", f"{inputs.forcing.years[0]} to {inputs.forcing.years[-1]}"),
        ("states", ", ".join(inputs.forcing.states)),
        ("scenario", inputs.forcing.scenario or "none named"),
        ("files", unverified(experiment) or "verified by their checksums"),
    )


def _netcdf(path: Path) -> str:
    with NetcdfFile(path) as file:
        attributes = file.attrs()
        if "landstep_restart_schema" in attributes:
            state = State.load(path)
            return lines_of(
                ("restart of", state.year),
                ("map", f"{state.land_use.shape[0]} x {state.land_use.shape[1]}, {state.scheme}"),
                ("steps", _way("forward" if state.direction > 0 else "backward")),
                ("maps before", len(state.history)),
                ("quotas since", state.anchor),
                ("owed", f"{np.abs(state.debt).sum() * AREA_UNIT_M2 / 1e6:.4g} km2"),
                ("model sha256", state.model),
                ("checksum", f"{state.checksum} (holds)"),
                ("bytes", _bytes(path)),
            )
        pairs: list[tuple[str, object]] = [("file", attributes.get("title", path.name))]
        pairs.append(("bytes", _bytes(path)))
        if "time" in file.names():
            pairs.append(("years", _years(file)))
        for name in file.names():
            sizes = ", ".join(
                f"{d} {n}" for d, n in zip(file.dims(name), file.shape(name), strict=True)
            )
            unit = file.attrs(name).get("units", "")
            pairs.append((name, f"{_kind(file, name)} ({sizes}) {unit}".rstrip()))
        for group, names in file.groups().items():
            pairs.append((f"group {group}", ", ".join(names) or "no variables"))
        if file.groups():
            pairs.append(("", "landstep reads the variables of the root alone, not of groups"))
        return lines_of(*pairs)


def _bytes(path: Path) -> str:
    sha256 = look(path).sha256
    return f"verified (sha256 {sha256})" if sha256 else "unverified: the file has no checksum"


def _years(file: NetcdfFile) -> str:
    try:
        years = file.years("time")
    except LandstepError as error:
        return f"not read as years: {error}"
    return f"{years[0]} to {years[-1]}, {years.size} steps" if years.size else "none"


def _kind(file: NetcdfFile, name: str) -> str:
    try:
        return str(file.dtype(name))
    except (TypeError, ValueError):  # compound and such
        return "of a type of its own"
