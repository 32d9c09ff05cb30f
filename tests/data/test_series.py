"""The real series as experiments: made-up files for the rules, the real ones for the numbers."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from landstep.data.series import (
    brazil_experiment,
    brazil_series,
    sweden_experiment,
    sweden_series,
)
from landstep.data.series_files import block_fractions
from landstep.emulator.errors import ConfigError, InputError
from landstep.emulator.experiment import load_experiment
from landstep.emulator.inputs import open_inputs
from landstep.emulator.netcdf import NetcdfFile

NY, NX = 53, 31  # of the made-up Sweden: blocks of 25, 25, 3 rows and of 25, 6 columns
YEARS = np.arange(1993, 1998)
MAPS = "sweden/hildaplus_south_sweden_1993_1997.npz"


def sweden_arrays() -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Maps and statics with the names and shapes of the real files; row 0 is sea."""
    rng = np.random.default_rng(5)
    codes = rng.integers(1, 5, (YEARS.size, NY, NX)).astype(np.uint8)
    codes[:, 0] = 0
    codes[2, 7, 9] = 0  # land, then not, then land again
    y, x = np.mgrid[0:NY, 0:NX]
    statics = {
        "lat": (57.0 - 0.01 * y + 0.0004 * x).astype(np.float32),
        "lon": (13.0 + 0.018 * x + 0.0009 * y).astype(np.float32),
        "elevation": (5.0 + y).astype(np.float32),
        "soil_slt": np.where(x < 10, 2, 3).astype(np.uint8),
        "ipcc_climate": np.full((NY, NX), 4, np.uint8),
        "globe_sea": y == 0,
    }
    statics["soil_slt"][20, :4] = 0  # land without soil: its nearest land cell has 2
    return {"codes": codes, "years": YEARS, "xmin": np.array(0.0)}, statics


def write_sweden(folder: Path, **changes: np.ndarray | None) -> Path:
    """Write the made-up files, arrays replaced, or left out where None; return the folder."""
    maps, statics = sweden_arrays()
    for name, array in changes.items():
        target = maps if name in maps else statics
        if array is None:
            del target[name]
        else:
            target[name] = array
    (folder / "sweden").mkdir(exist_ok=True)
    np.savez(folder / MAPS, **maps)
    np.savez(folder / "sweden/statics.npz", **statics)
    return folder


@pytest.fixture
def made_up(tmp_path: Path) -> Path:
    """Folder with a made-up Sweden."""
    return write_sweden(tmp_path)


def write_brazil(folder: Path) -> np.ndarray:
    """Write a made-up Brazil of 23 x 17 cells; return its maps."""
    ny, nx = 23, 17
    raw = np.array([3, 4, 5, 9, 11, 12, 13, 15, 18, 21, 23, 24, 25, 26], np.uint8)
    codes = np.random.default_rng(1).choice(raw, (3, ny, nx))
    codes[:, :, 0] = 0
    codes[1, 4, 4] = 27
    codes[0, 5, 5] = 22
    (folder / "brazil").mkdir()
    np.savez(
        folder / "brazil/mapbiomas_brazil_2000_2002.npz",
        lu=codes,
        years=np.arange(2000, 2003),
        lat=5.0 - 0.045 * np.arange(ny),
        lon=-60.0 + 0.045 * np.arange(nx),
        elevation=np.ones((ny, nx), np.float32),
        soil_slt=np.full((ny, nx), 5, np.uint8),
        ipcc_climate=np.full((ny, nx), 11, np.uint8),
    )
    return codes


def test_block_fractions_are_of_the_whole_block_also_at_the_edge() -> None:
    numbers = np.array([[[1, 1, 2], [0, 2, 2], [1, 0, 0]]], np.uint8)
    fractions = block_fractions(numbers, 3, 2)
    assert fractions.dtype == np.float32
    by_hand = [[[[0.5, 0.0], [0.5, 0.0]], [[0.25, 1.0], [0.0, 0.0]]]]
    np.testing.assert_array_equal(fractions, np.array(by_hand, np.float32))


def test_block_fractions_equal_a_count_cell_by_cell() -> None:
    numbers = np.random.default_rng(3).integers(0, 5, (2, 13, 9)).astype(np.uint8)
    fractions = block_fractions(numbers, 5, 4)
    assert fractions.shape == (2, 4, 4, 3)
    for t, k, by, bx in np.ndindex(*fractions.shape):
        cells = numbers[t, 4 * by : 4 * by + 4, 4 * bx : 4 * bx + 4].ravel().tolist()
        assert fractions[t, k, by, bx] == np.float32(cells.count(k + 1) / len(cells))


def test_sweden_becomes_an_experiment_that_opens(made_up: Path, tmp_path: Path) -> None:
    path = sweden_experiment(made_up, tmp_path / "new" / "out")
    experiment = load_experiment(path)
    assert experiment.model is None
    inputs = open_inputs(experiment)
    assert inputs.scheme.name == "sweden5"
    assert inputs.grid.kind == "projected"
    assert inputs.grid.shape == (NY, NX)
    maps, statics = sweden_arrays()
    np.testing.assert_array_equal(inputs.grid.lat_deg, statics["lat"].astype(np.float64))
    expected = maps["codes"].copy()
    expected[:, 7, 9] = 0
    for year, codes in zip(YEARS, expected, strict=True):
        np.testing.assert_array_equal(inputs.land_use.map(int(year)), codes)
        forcing = inputs.forcing.year(int(year))
        np.testing.assert_array_equal(forcing, block_fractions(codes[None], 5, 25)[0])
    assert inputs.forcing.states == ("urban", "cropland", "pasture_grass_shrub", "forest")
    np.testing.assert_array_equal(inputs.row, np.arange(NY) // 25)
    np.testing.assert_array_equal(inputs.col, np.arange(NX) // 25)


def test_a_cell_that_is_not_always_land_is_never_land(made_up: Path, tmp_path: Path) -> None:
    inputs = open_inputs(load_experiment(sweden_experiment(made_up, tmp_path / "out")))
    sea = np.zeros((NY, NX), bool)
    sea[0] = sea[7, 9] = True
    np.testing.assert_array_equal(inputs.sea, sea)
    np.testing.assert_array_equal(inputs.land_use.map(1993) == 0, sea)
    assert (inputs.statics.continuous["elevation"][sea] == 0).all()
    np.testing.assert_array_equal(inputs.categories(["climate_zone"], 1993)[0] == 0, sea)


def test_land_without_soil_takes_that_of_the_nearest_land(made_up: Path) -> None:
    series = sweden_series(made_up)
    assert (series.soil_texture[20, :4] == 2).all()
    assert series.soil_texture[20, 10] == 3


def test_the_model_is_named_in_the_experiment(made_up: Path, tmp_path: Path) -> None:
    path = sweden_experiment(made_up, tmp_path / "out", model='models/a "b".onnx')
    assert load_experiment(path).model == 'models/a "b".onnx'


def test_brazil_becomes_an_experiment_that_opens(tmp_path: Path) -> None:
    codes = write_brazil(tmp_path)
    inputs = open_inputs(load_experiment(brazil_experiment(tmp_path, tmp_path / "out")))
    assert inputs.scheme.name == "brazil9"
    assert inputs.grid.kind == "regular"
    assert inputs.land_use.years == (2000, 2001, 2002)
    groups = {3: 1, 4: 2, 5: 1, 9: 1, 11: 2, 12: 2, 13: 2, 15: 3, 18: 4, 21: 5, 23: 7, 24: 6, 25: 7}
    groups |= {26: 8, 0: 0, 22: 0, 27: 0}
    expected = np.vectorize(groups.__getitem__)(codes)
    expected[:, 4, 4] = expected[:, 5, 5] = 0
    np.testing.assert_array_equal(inputs.land_use.map(2001), expected[1])
    whole = expected[2, 10:20, 10:17]
    shares = [(whole == k).mean() for k in range(1, 9)]
    np.testing.assert_allclose(inputs.forcing.year(2002)[:, 1, 1], shares, rtol=1e-6)


@pytest.mark.parametrize("region", ["sweden", "brazil"])
def test_files_conform_to_cf(region: str, tmp_path: Path) -> None:
    if region == "sweden":
        out = sweden_experiment(write_sweden(tmp_path), tmp_path / "out").parent
    else:
        write_brazil(tmp_path)
        out = brazil_experiment(tmp_path, tmp_path / "out").parent
    checker = shutil.which("compliance-checker", path=str(Path(sys.executable).parent))
    assert checker is not None, "compliance-checker is one of the packages that tests need"
    files = [str(path) for path in sorted(out.glob("*.nc"))]
    assert len(files) == 3
    command = [checker, "--test", "cf:1.11", "--criteria", "lenient", *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "Errors" not in done.stdout, done.stdout


def test_files_say_what_they_hold(made_up: Path, tmp_path: Path) -> None:
    out = sweden_experiment(made_up, tmp_path / "out").parent
    with NetcdfFile(out / "forcing.nc") as file:
        assert file.attrs()["block_size"] == 25
        assert file.attrs()["quantities"] == "known"
        assert file.attrs("forest")["units"] == "1"
        np.testing.assert_array_equal(file.years(), YEARS)
    with NetcdfFile(out / "land_use.nc") as file:
        assert "Winkler" in file.attrs()["source"]
        assert file.attrs("LULC_states")["flag_meanings"].split()[4] == "forest"
        assert file.attrs("LULC_states")["flag_values"][4] == 4


def test_absent_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"sweden/hildaplus_south_sweden_\*.npz, found none"):
        sweden_experiment(tmp_path, tmp_path / "out")
    with pytest.raises(ConfigError, match=r"brazil/mapbiomas_brazil_\*.npz, found none"):
        brazil_experiment(tmp_path, tmp_path / "out")
    write_sweden(tmp_path)
    (tmp_path / "sweden/statics.npz").unlink()
    with pytest.raises(ConfigError, match=r"sweden/statics.npz, found none"):
        sweden_experiment(tmp_path, tmp_path / "out")


def test_two_series_of_one_region_are_refused(made_up: Path) -> None:
    shutil.copy(made_up / MAPS, made_up / "sweden/hildaplus_south_sweden_1899_2019.npz")
    with pytest.raises(ConfigError, match="1899_2019.npz', 'hildaplus_south_sweden_1993_1997.npz"):
        sweden_series(made_up)


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04cut", b"half", b"array"])
def test_a_damaged_file_is_named(made_up: Path, content: bytes) -> None:
    whole = (made_up / MAPS).read_bytes()
    (made_up / MAPS).write_bytes(whole[: len(whole) // 2] if content == b"half" else content)
    if content == b"array":
        with (made_up / MAPS).open("wb") as file:
            np.save(file, YEARS)
    with pytest.raises(InputError, match="1993_1997.npz: cannot be read as npz"):
        sweden_series(made_up)


def replaced(name: str, change: Callable[[np.ndarray], np.ndarray]) -> dict[str, np.ndarray]:
    """One of the made-up arrays, changed."""
    maps, statics = sweden_arrays()
    return {name: change((maps | statics)[name])}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"codes": None}, r"1993_1997.npz: \['codes'\] not in it; it has \['xmin', 'years'\]"),
        ({"soil_slt": None}, r"statics.npz: \['soil_slt'\] not in it"),
        (replaced("codes", lambda codes: codes[0]), r"maps \(53, 31\), years \(5,\)"),
        (replaced("years", lambda years: years[:4]), r"maps \(5, 53, 31\), years \(4,\)"),
        (replaced("years", lambda years: years * 2 - 2000), "1988 follows 1986, expected 1987"),
        (replaced("lat", lambda lat: lat[1:]), r"lat \(52, 31\), lon \(53, 31\) for maps of"),
        (replaced("elevation", lambda field: field.T), r"elevation is \(31, 53\), the maps"),
        (replaced("codes", lambda codes: codes + 3), "code 7 at cell .* is not in scheme sweden5"),
        (replaced("soil_slt", lambda soil: soil * 0), "soil_slt has no value on any of the 1611"),
    ],
)
def test_arrays_that_do_not_fit_are_named(
    tmp_path: Path, changes: dict[str, np.ndarray | None], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        sweden_series(write_sweden(tmp_path, **changes))


def test_a_place_that_cannot_be_written_is_named(made_up: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match="file/out: cannot be made: Not a directory"):
        sweden_experiment(made_up, tmp_path / "file" / "out")
    (tmp_path / "out" / "experiment.toml").mkdir(parents=True)
    with pytest.raises(InputError, match="experiment.toml: cannot be written: Is a directory"):
        sweden_experiment(made_up, tmp_path / "out")


def real_arrays(folder: Path, pattern: str) -> dict[str, np.ndarray]:
    """Arrays of the one real file of a pattern; years and extent are the file's."""
    (path,) = folder.glob(pattern)
    with np.load(path) as arrays:
        return {name: arrays[name] for name in arrays.files}


def test_the_real_sweden_opens(real_data: Path, tmp_path: Path) -> None:
    arrays = real_arrays(real_data, "sweden/hildaplus_south_sweden_*.npz")
    inputs = open_inputs(load_experiment(sweden_experiment(real_data, tmp_path)))
    years, codes = arrays["years"].tolist(), arrays["codes"]
    assert list(inputs.land_use.years) == years
    land = (codes > 0).all(axis=0)
    np.testing.assert_array_equal(inputs.sea, ~land)
    expected = codes[years.index(1999)] * land
    np.testing.assert_array_equal(inputs.land_use.map(1999), expected)
    forest = inputs.forcing.year(1999)[3]
    assert forest.shape == tuple(-(-size // 25) for size in land.shape)
    block = expected[100:125, 75:100]
    np.testing.assert_allclose(forest[4, 3], (block == 4).mean(), rtol=1e-6)
    area_km2 = inputs.grid.cell_area() * 1e-9
    # the file's cells in SWEREF 99 TM, whose scale in southern Sweden is within 0.1 % of 1
    cell_km2 = float(arrays["xres"] * arrays["yres"]) * 1e-6
    np.testing.assert_allclose(area_km2.mean(), cell_km2, rtol=5e-3)


def test_the_real_brazil_opens(real_data: Path, tmp_path: Path) -> None:
    arrays = real_arrays(real_data, "brazil/mapbiomas_brazil_*.npz")
    codes = arrays["lu"]
    land = ~np.isin(codes, (0, 22, 27)).any(axis=0)
    series = brazil_series(real_data)
    np.testing.assert_array_equal(series.land, land)
    np.testing.assert_array_equal(series.codes, codes * land)
    inputs = open_inputs(load_experiment(brazil_experiment(real_data, tmp_path)))
    assert inputs.grid.kind == "regular"
    np.testing.assert_allclose(inputs.grid.lat_deg, arrays["lat"], atol=1e-9)
    block = (codes[0] * land)[400:410, 300:310]
    shares = inputs.forcing.year(int(arrays["years"][0]))[:, 40, 30]
    np.testing.assert_allclose(shares[0], np.isin(block, (3, 5, 9)).mean(), rtol=1e-6)
    np.testing.assert_allclose(shares[2], (block == 15).mean(), rtol=1e-6)
