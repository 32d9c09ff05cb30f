"""Thirteen classes through the whole chain: world, training, export, steps, pictures, host."""

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from landstep.__main__ import app
from landstep.coupling.coupler import Coupler
from landstep.emulator.card import read_manifest
from landstep.emulator.classes import MASKED, scheme
from landstep.emulator.driver import run_years
from landstep.emulator.emulator import Emulator
from landstep.emulator.inspection import describe
from landstep.emulator.netcdf import NetcdfFile
from landstep.emulator.state import State
from landstep.export.write import export_model
from landstep.training.config import load_config
from landstep.training.fit import train

OF = scheme("hilda13")
FOREST_CODES = range(40, 46)
TRAINING = """
name = "thirteen"
output = "thirteen.ckpt"
validation = [[2015, 2016]]
[data]
experiments = ["experiment.toml"]
years = [2005, 2010]
lags = [1, 2]
[network]
base = 4
depth = 1
[samples]
patch = 32
batch = 2
blocks = [4, 8]
[fit]
steps = 4
held_out = 0
"""


@pytest.fixture(scope="module")
def experiment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a small world in thirteen classes with a network trained on it, for a few steps."""
    folder = tmp_path_factory.mktemp("thirteen")
    arguments = ["world", str(folder), "--seed", "3", "--size", "60x90", "--scheme", "hilda13"]
    made = CliRunner().invoke(app, arguments)
    assert made.exit_code == 0, made.output
    assert f"next: landstep inspect {folder}/experiment.toml" in made.output
    (folder / "training.toml").write_text(TRAINING)
    checkpoint = train(folder / "training.toml", progress=False)
    assert export_model(checkpoint, folder / "hilda13.onnx").is_file()
    return folder / "experiment.toml"


@pytest.fixture(scope="module")
def run(experiment: Path) -> Path:
    """Step from 2015 to 2017 as the command line does."""
    output = experiment.parent / "run"
    run_years(experiment, 2015, 2017, output)
    return output


def test_the_training_file_of_the_docs_can_be_read(tmp_path: Path) -> None:
    page = Path(__file__).parents[1] / "docs" / "made-up-world.md"
    section = page.read_text("utf-8").split("## Thirteen classes")[1].split("\n## ")[0]
    lines = [line[4:] for line in section.splitlines() if line.startswith("    ") or not line]
    (tmp_path / "hilda13.toml").write_text("\n".join(lines))
    assert load_config(tmp_path / "hilda13.toml").output == Path("hilda13.ckpt")


def codes_of(path: Path) -> np.ndarray:
    """Codes of a written map: (y, x), as whole numbers 0 to 255."""
    with NetcdfFile(path) as file:
        return file.read("land_use")[0].astype(np.int64) % 256


def test_the_model_has_thirteen_classes_of_its_own(experiment: Path) -> None:
    model = experiment.parent / "hilda13.onnx"
    card = Emulator.open(experiment).card
    assert card.scheme == "hilda13" and tuple(card.class_codes) == OF.codes
    assert len(card.scores) == 1
    for text in (describe(model), describe(experiment)):
        assert "hilda13" in text
    assert "forest_deciduous_broadleaf" in describe(model)
    assert len(read_manifest(model)) > 0


def test_a_run_writes_forest_types_that_read_back(experiment: Path, run: Path) -> None:
    emulator = Emulator.open(experiment)
    first = emulator.inputs.land_use.map(2015)
    state = emulator.step(2017, emulator.step(2016, emulator.start(2015)))
    assert np.array_equal(State.load(run / "restart.nc").land_use, state.land_use)
    assert np.array_equal(codes_of(run / "land_use_2015.nc"), OF.codes_from_numbers(first))
    found = codes_of(run / "land_use_2017.nc")
    assert np.array_equal(found, OF.codes_from_numbers(state.land_use))
    assert set(np.unique(found)) <= set(OF.codes)
    assert len(set(np.unique(found)) & set(FOREST_CODES)) >= 2, "one forest type tests nothing"
    for number in OF.fixed_numbers:
        assert np.array_equal(first == number, state.land_use == number)
    with NetcdfFile(run / "land_use_2017.nc") as file:
        attributes = file.attrs("land_use")
    assert "forest_mixed" in attributes["flag_meanings"].split()
    assert [int(v) % 256 for v in attributes["flag_values"]][:13] == list(OF.codes)
    assert "hilda13" in describe(run / "restart.nc")


def test_a_cold_start_gives_every_cell_a_class(experiment: Path) -> None:
    emulator = Emulator.open(experiment)
    state = emulator.step(2016, emulator.start(2015, cold=True))
    assert not (state.land_use == MASKED).any()
    assert (state.land_use[~emulator.inputs.sea] > 0).all()


def test_a_run_is_drawn_in_thirteen_colours(run: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    from landstep.pictures import draw_run

    for picture in draw_run(run, out=tmp_path):
        assert picture.stat().st_size > 10_000


def test_a_host_gets_a_fraction_of_each_forest_type(experiment: Path) -> None:
    """One rectangle of 12 x 20 cells along cell edges; the rows differ in area by a hair."""
    grid = Emulator.open(experiment).grid
    lon, lat = grid.lon_edges()[[30, 50]], grid.lat_edges()[[24, 36]]
    coupler = Coupler.open(
        experiment,
        np.array([lon.mean()]),
        np.array([lat.mean()]),
        lon_bounds=lon[None],
        lat_bounds=np.sort(lat)[None],
        year=2015,
    )
    coupler.update(2016, 1, 1)
    codes = OF.codes_from_numbers(coupler.state.land_use[24:36, 30:50])
    shares = {name: coupler.get(f"area_fraction_{name}")[0] for name in OF.names}
    for code, name in zip(OF.codes, OF.names, strict=True):
        assert shares[name] == pytest.approx((codes == code).mean(), abs=1e-4)
    assert sum(shares.values()) == pytest.approx(1)
    assert sum(shares[name] > 0 for name in OF.names if name.startswith("forest")) >= 1
    largest = max(OF.codes, key=lambda code: (codes == code).sum())
    assert coupler.get("dominant_class").tolist() == [largest]
