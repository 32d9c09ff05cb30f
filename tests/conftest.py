"""Fixtures that all rooms share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of the real data; the test skips where there is none.

    It is the one that LANDSTEP_REAL_DATA names, else ../shared/data beside the repository.
    """
    named = os.environ.get("LANDSTEP_REAL_DATA")
    folder = Path(named) if named else REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no real data in {folder}; LANDSTEP_REAL_DATA names another folder")
    return folder
