"""The stored region as a host of ecLand's fields sees it: its file, and twenty years."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import pytest

from landstep.coupling import regress

REGION = Path(__file__).parent / "region"
FIRST, LAST = 2015, 2035
COUPLED = """
[climate]
legend = "made_up"

[coupling]
host = "ecland"
calendar = "noleap"
"""


@pytest.fixture(scope="session")
def region(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the stored region: experiment.toml, and ecland.toml with that host's fields."""
    folder = tmp_path_factory.mktemp("stored") / "region"
    shutil.copytree(REGION, folder)
    text = (folder / "experiment.toml").read_text("utf-8")
    (folder / "ecland.toml").write_text(text + COUPLED, "utf-8")
    return folder


@pytest.fixture(scope="session")
def offline(region: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of `landstep run` over the twenty years."""
    folder = tmp_path_factory.mktemp("run")
    command = [sys.executable, "-m", "landstep", "run", region / "ecland.toml"]
    words = ["--years", f"{FIRST}:{LAST}", "--output", folder]
    subprocess.run([*command, *words], check=True, capture_output=True)
    return folder


@pytest.fixture(scope="session")
def surfclim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of ecLand's names, 7 x 8 cells of about 20 km over the region and past its edges.

    Their sides cut the region's cells; some lie half outside, some wholly. Every value is a
    fraction of whole numbers, so that it is the same bits wherever it is made.
    """
    path = tmp_path_factory.mktemp("host") / "surfclim.nc"
    lat, lon = 50.0625 - np.arange(7) * 0.1875, np.arange(8) * 0.21875 - 30.125
    place = np.arange(56).reshape(7, 8)
    annual = {
        "cvl": place * 7 % 11 / 20,
        "cvh": place * 5 % 13 / 30,
        "tvl": np.array([1.0, 2.0, 7.0, 9.0, 11.0])[place % 5],
        "tvh": np.array([3.0, 5.0, 18.0, 19.0])[place * 3 % 4],
        "cu": place * 3 % 7 / 70,
        "CLAKE": place * 2 % 9 / 90,
    }
    season = np.array([1, 1, 2, 3, 5, 7, 8, 7, 5, 3, 2, 1])[:, None, None]
    monthly = {
        "Mlail": (season + place % 4) / 4,
        "Mlaih": (season + place % 6) / 3,
        "Malbedo": (20 + place % 8 - season) / 100,
    }
    with netCDF4.Dataset(path, "w", format="NETCDF3_CLASSIC") as file:
        for name, values in (("lat", lat), ("lon", lon)):
            file.createDimension(name, values.size)
            file.createVariable(name, "f8", (name,))[:] = values
        file.createDimension("month", 12)
        for name, values in (annual | monthly).items():
            dims = ("month", "lat", "lon")[3 - values.ndim :]
            file.createVariable(name, "f8", dims)[:] = values
    return path


@pytest.fixture(scope="session")
def agree() -> Callable[..., bool]:
    """Give the function that compares with a reference as bits are promised."""

    def compared(
        note: dict[str, Any], provenance: dict[str, str], found: np.ndarray, expected: np.ndarray
    ) -> bool:
        """Bit for bit where the reference promises bits; elsewhere maps at its stated share.

        Elsewhere 95 of 100 field values must agree to .01: one cell that differs moves a value.
        """
        if all(provenance.get(key) == note.get(key) for key in regress.BITS_DEPEND_ON):
            return np.array_equal(found, expected)
        if np.asarray(found).dtype == np.uint8:
            return float((found == expected).mean()) >= regress.SHARE_ELSEWHERE
        return float((np.abs(found - expected) > 0.01).mean()) <= 0.05

    return compared
