"""A short run of `make fuzz`, the same inputs on any machine: a minute of processor time in all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from . import broken_kinds, driver
from .driver import REPOSITORY, Fuzz
from .kinds import KINDS
from .seeds import make_seeds

pytestmark = pytest.mark.slow

INPUTS = 14
"""Of each kind: with the seeds and the child's start, 50 to 60 s of processor time."""

DAMAGED = {
    "nc_climate": "climate", "nc_hildaplus": "land use", "nc_restart": "restart", "nc_soil": "soil",
    "nc_topography": "elevation", "nc_zones": "zones", "ecland": "ecland", "noahmp": "noahmp",
    "ifs": "ifs", "weights": "weights", "toml": "experiment", "deep": "experiment",
    "long": "experiment", "nul": "experiment",
}  # fmt: skip


@pytest.fixture(scope="module")
def fuzz(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fuzz]:
    """A driver on the seeds, whose child reads all kinds."""
    folder = tmp_path_factory.mktemp("fuzz")
    with contextlib.closing(Fuzz(make_seeds(folder / "seeds"), folder / "out", seed=1)) as made:
        yield made


@pytest.mark.parametrize("name", KINDS)
def test_mutated_files_are_accepted_or_refused_by_name(fuzz: Fuzz, name: str) -> None:
    """Invariant 17, and of 18 that the file is named. `make fuzz` tries more of them."""
    if name == "ifs":
        pytest.importorskip("eccodes")
    fuzz.kind(name, INPUTS)
    assert sum(fuzz.found.counts[name].values()) > INPUTS / 4
    assert not [key for key in fuzz.found.failures if key[0] == name], fuzz.found.table()


def _damaged() -> list[Path]:
    """Files on which an earlier version failed, where they are there."""
    named = os.environ.get("LANDSTEP_CASES")
    folder = Path(named) if named else REPOSITORY.parent / "shared" / "cases"
    return [
        p for p in sorted((folder / "damaged").glob("*")) if p.suffix in (".nc", ".grib", ".toml")
    ]


@pytest.mark.parametrize("path", _damaged(), ids=lambda path: path.name)
def test_files_that_failed_before_are_accepted_or_refused_by_name(fuzz: Fuzz, path: Path) -> None:
    name = next(kind for start, kind in DAMAGED.items() if path.name.startswith(start))
    verdict = fuzz.read(name, path.read_bytes())
    assert verdict["what"] in driver.GOOD, verdict


def test_the_driver_tells_failures_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "CPU_LIMIT_S", 0.5)
    (tmp_path / "seed.bin").write_bytes(b"whole")
    with contextlib.closing(Fuzz(tmp_path, tmp_path / "out", 1, broken_kinds)) as fuzz:
        for reader in broken_kinds.KINDS:
            fuzz.kind(reader, 2)
        found = {name: set(counts) for name, counts in fuzz.found.counts.items()}
    assert found == {
        "untyped": {"untyped"},
        "hang": {"hang"},
        "crash": {"crash"},
        "left": {"crash"},
        "greedy": {"untyped"},
        "unnamed": {"unnamed"},
        "refused": {"refused"},
        "different": {"different"},
        "accepted": {"accepted"},
    }
    kept = {p.name.split("-")[0] for p in (tmp_path / "out").glob("*.bin")}
    assert kept == set(found) - {"refused", "accepted"} and fuzz.found.failed
    assert all(name in fuzz.found.table() for name in found)


def test_a_seed_draws_the_same_inputs_again() -> None:
    first, second, other = (
        list(driver._drawn(KINDS["experiment"], seed, 30, None)) for seed in ("1", "1", "2")
    )
    assert first == second != other
