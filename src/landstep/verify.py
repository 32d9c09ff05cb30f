"""Hold a model on another provider or in lower precision against its fp32 run on the CPU."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from landstep.emulator.builtin import PREFIX
from landstep.emulator.card import Card, DriftFigures, Gate, StepFigures
from landstep.emulator.classes import MASKED
from landstep.emulator.emulator import Emulator
from landstep.emulator.errors import ConfigError, InputError
from landstep.emulator.experiment import Experiment, load_experiment
from landstep.emulator.graph_checks import with_metadata
from landstep.emulator.legs import Leg, copied_years, require_forcing
from landstep.emulator.model_file import read_verified, write_model
from landstep.emulator.precision_gate import broken_limits, drift_figures, moved, step_figures
from landstep.emulator.run_folder import RECORD, differences, identity, settings_of
from landstep.emulator.session import Session, refuse_two_runtimes
from landstep.map_reading import read_map

STEPS = 10
"""How many single steps are compared, evenly over the run."""

EVERY = 10
"""Years between two figures of drift."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Verdict:
    """What came of a verification: the record, the file whose card holds it, what to read."""

    gate: Gate
    model: Path
    text: str


def verify_experiment(
    path: Path,
    reference: Path,
    first: int,
    last: int,
    *,
    out: Path | None = None,
    progress: Say = lambda text: None,
) -> Verdict:
    """Run an experiment as it says, beside its fp32 run, and write the model with what came of it.

    reference : folder of `landstep run` of the same experiment, on provider "cpu" in "fp32", that
        starts from the map of `first` and goes to `last` or beyond
    out : the copy of the model (default: `copy_path`)
    Raises ConfigError where there is nothing to verify, the folder holds another run, or the run
    copies observed maps; InputError, before any year is computed, where a map or forcing is
    missing; ModelError where the provider is not there or its precision does not take effect.
    """
    experiment = load_experiment(path)
    leg = Leg(first, last)
    tested, plain = open_both(experiment)
    _check_years(plain, leg)
    check_reference(plain, reference, first)
    _check_maps(reference, leg)
    gate = measure(tested, plain, reference, leg, progress)
    out = copy_path(experiment) if out is None else out
    write_copy(experiment.model_path(), gate, out)
    return Verdict(gate, out, describe(gate))


def open_both(experiment: Experiment) -> tuple[Emulator, Emulator]:
    """Open an experiment as it says, without a gate, and the same on the CPU in fp32.

    Raises ConfigError where both are the same.
    """
    run = experiment.run
    if (run.provider, run.precision) == ("cpu", "fp32"):
        raise ConfigError(
            f"experiment {experiment.name!r} runs on the cpu in fp32, which is the reference: set "
            "[run] provider and precision to what is to be verified"
        )
    refuse_two_runtimes()
    cpu = run.model_copy(update={"provider": "cpu", "precision": "fp32"})
    reference = experiment.model_copy(update={"run": cpu})
    return Emulator.open(experiment, gated=False), Emulator.open(reference, gated=False)


def _check_years(emulator: Emulator, leg: Leg) -> None:
    """Refuse a run of no year, or one in which observed maps take the place of steps."""
    if leg.first == leg.last:
        raise ConfigError(f"years {leg.first}:{leg.last}: expected a year or more to step")
    copied = sorted(set(copied_years(emulator)) & set(leg.after(leg.first)))
    if copied:
        raise ConfigError(
            f'years {leg.first}:{leg.last}: with observed = "copy" the map of {copied[0]} is not '
            'stepped; start at the last observed map, or set observed = "emulate" in both runs'
        )
    require_forcing(emulator, [leg])


def _check_maps(reference: Path, leg: Leg) -> None:
    """Refuse a reference that lacks the map of a year, before any is computed: InputError."""
    for year in leg.after(leg.first):
        path = reference / f"land_use_{year}.nc"
        if not path.exists():
            raise InputError(
                f"{path}: not found; expected a map of each year of {leg.first}:{leg.last}; take "
                f"the run on to {leg.last}, or verify fewer years"
            )


def check_reference(plain: Emulator, folder: Path, first: int) -> None:
    """Refuse a folder that does not hold the fp32 run of an experiment from the map of a year.

    Raises InputError where it holds no run, ConfigError where it holds another, and says what
    differs.
    """
    record = folder / RECORD
    try:
        found = dict(json.loads(record.read_text("utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise InputError(
            f"{record}: cannot be read ({error}); expected the folder of `landstep run`"
        ) from error
    expected = identity(plain, f"map of {first}")
    other = differences(found, expected, settings_of(plain.experiment))
    if other:
        theirs, ours = ({name: pair[n] for name, pair in other.items()} for n in (0, 1))
        raise ConfigError(
            f"{folder}: holds another run: {theirs}, expected {ours}; make it with the same "
            f'experiment, provider = "cpu", precision = "fp32": landstep run EXPERIMENT --years '
            f"{first}:LAST"
        )


def measure(tested: Emulator, plain: Emulator, reference: Path, leg: Leg, progress: Say) -> Gate:
    """Step both emulators from the start of a leg on, and compare.

    Single steps begin from the states of the fp32 run here, debts and all. The free run is held
    against the saved maps, and so is the fp32 run here: what that misses is not the precision's
    doing.
    """
    ours = theirs = plain.start(leg.first, direction=leg.direction)
    start, years = ours.land_use, leg.after(leg.first)
    land = ~np.isin(start, plain.scheme.fixed_numbers) & (start != MASKED)
    chosen = set(evenly(years, STEPS))
    steps: list[StepFigures] = []
    drift: list[DriftFigures] = []
    for year in years:
        single = tested.step(year, theirs) if year in chosen else None
        before, theirs = theirs.land_use, plain.step(year, theirs)
        if single is not None:
            steps.append(step_figures(year, single.land_use, theirs.land_use, before, land))
        ours = tested.step(year, ours)
        saved = read_map(reference / f"land_use_{year}.nc", plain.scheme)
        if year == leg.last or abs(year - leg.first) % EVERY == 0:
            drift.append(drift_figures(year, ours.land_use, saved, start, land, plain.grid))
        progress(f"{year} of {leg.last}")
    failed = broken_limits(steps, drift, len(years))
    return Gate(
        provider=tested.experiment.run.provider,
        precision=tested.experiment.run.precision,
        runs_on=tested.session.provenance,
        reference_model=tested.session.sha256,
        experiment=tested.experiment.name,
        years=(leg.first, leg.last),
        reproduced=float((theirs.land_use == saved)[land].mean()),
        steps=steps,
        drift=drift,
        passed=not failed,
        failed=failed,
        date=datetime.now(UTC).date().isoformat(),
    )


def evenly(years: range, count: int) -> list[int]:
    """Choose at most so many years, evenly, the first and the last among them."""
    places = np.linspace(0, len(years) - 1, min(count, len(years)))
    return [years[round(place)] for place in places]


def copy_path(experiment: Experiment) -> Path:
    """Where the copy of a model goes: beside it, MODEL.PRECISION.onnx.

    In fp32 the provider stands for the precision; a model that came with the package is copied
    beside the experiment file.
    """
    model, run = experiment.model_path(), experiment.run
    builtin = (experiment.model or "").startswith(PREFIX)
    folder = experiment.folder if builtin else model.parent
    word = run.provider if run.precision == "fp32" else run.precision
    return folder / f"{model.stem}.{word}.onnx"


def write_copy(model: Path, gate: Gate, out: Path) -> Card:
    """Write a model with one more record in its card, and its manifest; the graph stays as it is.

    An older record of the same provider and precision gives way.
    returns : the card of the copy
    Raises ConfigError where `out` is the model itself: restarts know it by its sha256.
    """
    if out.resolve() == model.resolve():
        raise ConfigError(f"--out {out}: is the model itself; name another file")
    card = Session.open(model).card
    pair = (gate.provider, gate.precision)
    kept = [old for old in card.gates if (old.provider, old.precision) != pair]
    card = card.model_copy(update={"gates": [*kept, gate]})
    write_model(out, with_metadata(read_verified(model), card.to_metadata()))
    return card


def describe(gate: Gate) -> str:
    """Put a record into lines to read."""
    return "\n".join(_lines(gate))


def _lines(gate: Gate) -> Iterator[str]:
    runs_on = ", ".join(f"{name} {value}" for name, value in gate.runs_on.items())
    yield f"{gate.provider} in {gate.precision} ({runs_on})"
    yield f"beside {gate.experiment}, {gate.years[0]} to {gate.years[1]}, fp32 on the cpu"
    yield (
        f"fp32 on the cpu of this environment gives {gate.reproduced:.4%} of the land cells of "
        f"{gate.years[1]} as saved"
    )
    yield ""
    yield "One step from the same state. Shares of land cells; differ: for each cell that changed"
    yield "  year       agree    changed  differ"
    for step in gate.steps:
        yield f"  {step.year}  {step.agreement:.6f}  {step.changed:9.6f}  {moved(step):6.3f}"
    yield ""
    yield "A run of its own. Changed: since the start; area: the class whose area differs most"
    yield "  year       agree    changed  differ       area"
    for row in gate.drift:
        yield (
            f"  {row.year}  {row.agreement:.6f}  {row.changed:9.6f}  {moved(row):6.3f}  "
            f"{row.area_difference:9.7f}"
        )
    yield ""
    yield "passed" if gate.passed else "not passed: " + "; ".join(gate.failed)
