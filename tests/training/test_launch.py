"""How lightning is set up."""

from __future__ import annotations

import sys
import types
from pathlib import Path

import pytest

from landstep.training.config import FitTable
from landstep.training.launch import new_trainer


def test_a_training_starts_no_mpi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Importing mpi4py.MPI does, and what this process then starts takes itself for a rank."""
    asked: list[str] = []

    class Mpi4py(types.ModuleType):
        def __getattr__(self, name: str) -> object:
            asked.append(name)
            raise AttributeError(name)

    monkeypatch.setitem(sys.modules, "mpi4py", Mpi4py("mpi4py"))
    monkeypatch.setitem(sys.modules, "mpi4py.MPI", None)
    new_trainer(FitTable(steps=1), tmp_path / "x.ckpt", progress=False)
    assert "MPI" not in asked
