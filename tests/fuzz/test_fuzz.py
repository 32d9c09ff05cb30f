"""What `make fuzz` counts: each way to fail is told apart, and a seed gives the same inputs."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from . import broken_kinds, driver
from .driver import Fuzz
from .kinds import KINDS


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
