"""An emulator on made-up fields in memory, on any grid, for tests that need no files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from landstep.emulator.assembly import Assembly
from landstep.emulator.card import write_manifest
from landstep.emulator.classes import MASKED, scheme
from landstep.emulator.emulator import Emulator
from landstep.emulator.experiment import Experiment
from landstep.emulator.grid import Blocks, Grid, coarse_index
from landstep.emulator.inputs import Files, Inputs
from landstep.emulator.ranks import Ranks
from landstep.emulator.session import Session
from landstep.emulator.shares import Division

BLOCK = 7


@dataclass(frozen=True)
class MadeUpForcing:
    """Random fractions of 12 states that drift from year to year."""

    coarse: Blocks
    states: tuple[str, ...]
    roll: int = 0
    years: tuple[int, int] = (2000, 2010)
    phase: str = "01-01"
    scenario: str | None = None

    def year(self, year: int) -> np.ndarray:
        """Fractions of a year: (F, cy, cx) float32; one coarse cell is missing."""
        ends = np.random.default_rng(8).dirichlet(np.ones(13), (2, *self.coarse.shape))
        share = (year - 2000) / 10
        fractions = np.moveaxis(ends[0] * (1 - share) + ends[1] * share, -1, 0)[:12]
        fractions[:, 0, 1] = np.nan
        return np.roll(fractions, self.roll, axis=2).astype(np.float32)


@dataclass(frozen=True)
class MadeUpStatics:
    """Fields in memory."""

    continuous: dict[str, np.ndarray]
    codes: dict[str, np.ndarray]
    scenario: str | None = None

    def categories(self, year: int) -> dict[str, np.ndarray]:
        """Give the same codes in every year."""
        return self.codes


@dataclass(frozen=True)
class MadeUpLandUse:
    """Maps in memory, the one of 2000 given."""

    start: np.ndarray
    years: tuple[int, ...] = field(default=(1998, 1999, 2000, 2010, 2011))
    phase: str = "01-01"

    def map(self, year: int) -> np.ndarray:
        """Give the map: in other years one class or another stands for the next."""
        number = 1 + (year - 2000) % 6
        return np.where((year != 2000) & (self.start == number), 1 + number % 6, self.start)


def made_up_grid(kind: str, shape: tuple[int, int]) -> Grid:
    """Give a regular region, a globe (shape (n, 2 n)), or a turned and stretched grid."""
    ny, nx = shape
    rows, cols = np.arange(ny) + 0.5, np.arange(nx) + 0.5
    if kind == "globe":
        return Grid.regular(90 - 180 / ny * rows, -180 + 360 / nx * cols, "globe")
    if kind == "regular":
        return Grid.regular(58 - rows / 120, 11 + cols / 120, "region")
    lat = 58 - rows[:, None] / 111 + cols / 900
    return Grid.projected(lat, 11 + cols / (111 * np.cos(np.deg2rad(lat))), "projected")


def patches(rng: np.random.Generator, shape: tuple[int, int], size: int, below: int) -> np.ndarray:
    """Random whole numbers in squares of `size` cells."""
    coarse = rng.integers(0, below, (-(-shape[0] // size), -(-shape[1] // size)))
    return np.kron(coarse, np.ones((size, size), int))[: shape[0], : shape[1]].astype(np.uint8)


@pytest.fixture(scope="session")
def make_emulator(tiny_model: Path) -> Callable[..., Emulator]:
    """Give a function that makes an emulator: see its own parameters."""
    return lambda *args, **options: _make(*args, **{"model": tiny_model, **options})


def _make(
    kind: str,
    shape: tuple[int, int],
    *,
    model: Path,
    core: int = 480,
    threads: int = 1,
    seed: int = 1,
    roll: int = 0,
    mode: str = "exact",
) -> Emulator:
    """Make an emulator on made-up fields.

    kind : as in `made_up_grid`
    mode : of the experiment's [allocation]
    roll : turn all fields eastward by so many cells, a multiple of BLOCK
    """
    rng = np.random.default_rng(seed)
    grid, of, session = (
        made_up_grid(kind, shape),
        scheme("hilda8"),
        Session.open(model, "cpu", threads),
    )
    blocks = Blocks(BLOCK, (-(-shape[0] // BLOCK), -(-shape[1] // BLOCK)))
    row, col = coarse_index(grid, blocks, "blocks")
    share = Division(grid, row, col, blocks.shape, 0).whole()
    start = np.where(rng.random(shape) < 0.3, patches(rng, shape, 1, 8), patches(rng, shape, 5, 8))
    sea = patches(rng, shape, 11, 4) == 0
    start[sea] = 0
    start[~sea & (rng.random(shape) < 0.05)] = MASKED
    elevation = np.where(sea, 0.0, rng.gamma(2.0, 150.0, shape))
    codes = {
        "soil_texture": np.where(sea, 0, 1 + patches(rng, shape, 3, 7)),
        "climate_zone": np.where(sea, 0, 1 + patches(rng, shape, 20, 5)),
    }
    statics = MadeUpStatics(
        {"elevation": np.roll(elevation, roll, 1).astype(np.float32)},
        {name: np.roll(code, roll, 1).astype(np.uint8) for name, code in codes.items()},
    )
    start = np.roll(start, roll, 1).astype(np.uint8)
    forcing = MadeUpForcing(blocks, tuple(session.card.states), roll // BLOCK)
    return Emulator(
        Experiment.model_validate(
            {
                "name": "made up",
                "model": str(model),
                "land_use": {"file": "m.nc", "scheme": "hilda8", "variant": "forest"},
                "forcing": {"files": ["f.nc"], "format": "blocks"},
                "statics": {"elevation": "e.nc", "soil_texture": "s.nc", "climate_zone": "z.nc"},
                "allocation": {"mode": mode},
                "run": {"core": core, "threads": threads},
                "folder": model.parent,
            }
        ),
        Files(MadeUpLandUse(start), forcing, {}, row, col),
        Inputs(grid, of, MadeUpLandUse(start), forcing, statics, row, col, share),
        session,
        Assembly(Ranks(), (share,)),
    )


@pytest.fixture(scope="session")
def with_run() -> Callable[..., Emulator]:
    """Give a function that changes an emulator's [run] table: (emulator, core=, threads=)."""

    def change(emulator: Emulator, **run: int) -> Emulator:
        tables = emulator.experiment.model_dump()
        tables["run"] |= run
        return replace(emulator, experiment=Experiment.model_validate(tables))

    return change


@pytest.fixture
def save(tmp_path: Path) -> Callable[[bytes | onnx.ModelProto], Path]:
    """Give a function that writes a graph with a manifest of its own and returns the path."""

    def write(proto: bytes | onnx.ModelProto) -> Path:
        path = tmp_path / "crafted.onnx"
        path.write_bytes(proto if isinstance(proto, bytes) else proto.SerializeToString())
        write_manifest(path)
        return path

    return write


@pytest.fixture
def proto(tiny_model: Path) -> onnx.ModelProto:
    """Parse the tiny model, to be crafted."""
    return onnx.load(tiny_model)
