"""Southern Sweden under LUH2: sums, clipping, nearest cells and arithmetic on made-up files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import netCDF4
import numpy as np
import pytest

from landstep.data.luh2_blocks import shares_after, sweden_luh2_experiment
from landstep.data.series_files import block_fractions
from landstep.emulator.errors import ConfigError, InputError
from landstep.emulator.experiment import load_experiment
from landstep.emulator.inputs import Inputs, open_inputs
from landstep.emulator.netcdf import NetcdfFile
from landstep.evaluate import evaluate_experiment

NY, NX = 53, 31  # blocks of 25, 25, 3 rows and of 25, 6 columns
LAT, LON = np.array([56.75, 57.25, 57.75]), np.array([12.75, 13.25, 13.75])  # south first
STATES = ("urban", "crops", "pastr")
LUH2 = "luh2/luh2_v2f_made_up.nc"


def write_luh2(folder: Path, states: tuple[str, ...] = STATES, lat: np.ndarray = LAT) -> Path:
    """Write LUH2 of 2015 to 2018; cell (row, col) changes by (row * 3 + col) thousandths a year.

    Urban grows by so much, crops shrink by half of it, pasture by 50 times it; the most northern
    and eastern cell has no data.
    """
    (folder / "luh2").mkdir(exist_ok=True)
    with netCDF4.Dataset(folder / LUH2, "w") as file:
        for name, size in (("time", None), ("lat", 3), ("lon", 3)):
            file.createDimension(name, size)
        for name, values, units in (
            ("time", np.arange(4.0), "years since 2015-01-01"),
            ("lat", lat, "degrees_north"),
            ("lon", LON, "degrees_east"),
        ):
            axis = file.createVariable(name, "f8", (name,))
            axis.units = units
            axis[:] = values
        file["time"].calendar = "noleap"
        rate = np.arange(9.0).reshape(3, 3) / 1000 * np.arange(4.0)[:, None, None]
        for name, start, share in zip(states, (0.1, 0.2, 0.3), (1.0, -0.5, -50.0), strict=False):
            state = file.createVariable(name, "f4", ("time", "lat", "lon"), fill_value=1e20)
            state.units = "1"
            values = np.clip(start + share * rate, 0, 1)
            values[:, 2, 2] = 1e20
            state[:] = values
    return folder


def write_sweden(folder: Path, years: int = 20) -> Path:
    """Write a series that ends in 2009: all classes but sea mixed, without forest in block (1, 0).

    The first row of blocks lies in the row of LUH2 of 57.25, from its west to its second cell.
    """
    codes = np.random.default_rng(7).integers(1, 5, (years, NY, NX)).astype(np.uint8)
    codes[:, 25:50, :25] = np.random.default_rng(8).integers(1, 4, (25, 25))
    codes[:, :5] = 0
    y, x = np.mgrid[0:NY, 0:NX]
    (folder / "sweden").mkdir(exist_ok=True)
    np.savez(
        folder / "sweden/hildaplus_south_sweden_made_up.npz",
        codes=codes,
        years=np.arange(2010 - years, 2010),
    )
    np.savez(
        folder / "sweden/statics.npz",
        lat=57.4 - 0.01 * y + 0.0 * x,
        lon=12.7 + 0.018 * x + 0.0 * y,
        elevation=np.full((NY, NX), 10, np.float32),
        soil_slt=np.where(codes[0] > 0, 2, 0).astype(np.uint8),
        ipcc_climate=np.where(codes[0] > 0, 4, 0).astype(np.uint8),
    )
    return folder


@pytest.fixture
def made_up(tmp_path: Path) -> Path:
    """Folder with a made-up Sweden and LUH2."""
    return write_luh2(write_sweden(tmp_path))


@pytest.fixture
def inputs(made_up: Path) -> Inputs:
    """Inputs of the experiment made of them."""
    path = sweden_luh2_experiment(made_up, made_up / "out")
    return open_inputs(load_experiment(path))


def source_codes(folder: Path) -> np.ndarray:
    with np.load(folder / "sweden/hildaplus_south_sweden_made_up.npz") as arrays:
        return arrays["codes"]


def test_the_last_map_stands_for_2015_with_the_maps_before_it(inputs, made_up):
    codes = source_codes(made_up)
    assert inputs.land_use.years == tuple(range(2000, 2016))
    assert np.array_equal(inputs.land_use.map(2015), codes[-1])
    assert np.array_equal(inputs.land_use.map(2000), codes[-16])
    assert inputs.forcing.years == (2000, 2018)
    assert inputs.forcing.quantities == "forecast"


def test_a_short_series_comes_along_whole(tmp_path):
    folder = write_luh2(write_sweden(tmp_path, years=3))
    inputs = open_inputs(load_experiment(sweden_luh2_experiment(folder, folder / "out")))
    assert inputs.land_use.years == (2013, 2014, 2015)
    assert inputs.forcing.years == (2013, 2018)


def test_up_to_2015_the_forcing_is_the_map_of_2015(inputs, made_up):
    counted = block_fractions(source_codes(made_up)[-1:], 5, 25)[0]
    for year in (2000, 2014, 2015):
        assert np.array_equal(inputs.forcing.year(year), counted)


def test_states_sum_to_the_land_and_are_never_below_nothing(inputs):
    land = inputs.forcing.year(2015).sum(axis=0)
    assert land[0, 0] == pytest.approx(20 / 25) and land[2, 1] == 1
    for year in range(2016, 2019):
        shares = inputs.forcing.year(year)
        assert (shares >= 0).all()
        np.testing.assert_allclose(shares.sum(axis=0), land, atol=1e-6)


def test_the_change_is_that_of_the_nearest_cell_times_the_land(inputs, made_up):
    """Block (0, 0): centre 57.28 N 12.916 E, so LUH2's cell of 57.25 N 12.75 E, 3 thousandths.

    Block (0, 1): centre 57.28 N 13.195 E, so that of 57.25 N 13.25 E, 4 thousandths.
    Block (2, 1): centre 56.89 N 13.195 E, so that of 56.75 N 13.25 E, 1 thousandth.
    """
    start = block_fractions(source_codes(made_up)[-1:], 5, 25)[0].astype(float)
    found = inputs.forcing.year(2017).astype(float)
    for y, x, rate, land in ((0, 0, 0.003, 0.8), (0, 1, 0.004, 0.8), (2, 1, 0.001, 1.0)):
        urban, crops, pasture, forest = start[:, y, x]
        by_hand = [urban + 2 * rate * land, crops - rate * land]
        by_hand.append(max(0, pasture - min(100 * rate, 0.3) * land))
        by_hand.append(land - sum(by_hand))
        np.testing.assert_allclose(found[:, y, x], by_hand, atol=2e-7)


def test_where_there_is_no_forest_pasture_yields_first_then_cropland():
    start = np.array([0.1, 0.2, 0.3, 0.0])[:, None, None]
    change = np.array([[0.2, 0.0, 0.0], [0.4, 0.05, 0.0], [0.9, 0.0, 0.0], [-0.2, 0.0, 0.1]])
    found = shares_after(start, change[:, :, None, None])[:, :, 0, 0]
    by_hand = [[0.3, 0.2, 0.1, 0], [0.5, 0.1, 0, 0], [0.6, 0, 0, 0], [0, 0.2, 0.4, 0]]
    np.testing.assert_allclose(found, by_hand, atol=1e-12)


def test_a_cell_without_data_is_passed_over(tmp_path):
    """One row farther south, LUH2's cell nearest to block (0, 0) is that of row 2, column 0."""
    folder = write_luh2(write_sweden(tmp_path), lat=LAT - 0.5)  # 56.25, 56.75, 57.25
    with netCDF4.Dataset(folder / LUH2, "a") as file:
        for name in STATES:
            file[name][3, 2, 0] = np.ma.masked  # in 2018 alone
    inputs = open_inputs(load_experiment(sweden_luh2_experiment(folder, folder / "out")))
    start, later = (inputs.forcing.year(year)[0, 0, 0] for year in (2015, 2016))
    assert later - start == pytest.approx(0.007 * 0.8, abs=1e-6)  # row 2, column 1


def test_files_say_whose_map_stands_for_2015(made_up):
    path = sweden_luh2_experiment(made_up, made_up / "out", model="a.onnx")
    text = path.read_text("utf-8")
    assert 'model = "a.onnx"' in text
    assert "of 2009, stands for 2015" in text and "upper bound" not in text
    for name in ("land_use.nc", "forcing.nc", "statics.nc"):
        with NetcdfFile(path.parent / name) as file:
            assert "of 2009, stands for 2015" in file.attrs()["comment"]
            assert "Hurtt et al. 2020" in file.attrs()["source"]


def test_a_missing_file_and_a_wrong_variable_are_named(tmp_path):
    folder = write_sweden(tmp_path)
    with pytest.raises(ConfigError, match=r"luh2/luh2_v2f_\*.nc, found none"):
        sweden_luh2_experiment(folder, tmp_path / "out")
    write_luh2(folder, states=("urban", "c3ann", "pastr"))
    with pytest.raises(InputError, match=r"luh2_v2f_made_up.nc.*'?crops'?"):
        sweden_luh2_experiment(folder, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_luh2_of_another_region_is_refused(tmp_path):
    folder = write_luh2(write_sweden(tmp_path), lat=LAT - 20)
    with pytest.raises(InputError, match="no cell with data within 2 cells of block"):
        sweden_luh2_experiment(folder, tmp_path / "out")


def test_luh2_that_begins_later_is_refused(tmp_path):
    folder = write_luh2(write_sweden(tmp_path))
    with netCDF4.Dataset(folder / LUH2, "a") as file:
        file["time"].units = "years since 2016-01-01"
    with pytest.raises(InputError, match="year 2015 outside 2016-2019"):
        sweden_luh2_experiment(folder, tmp_path / "out")


@pytest.fixture(scope="module")
def model(stored_model: Callable[[str], Path]) -> Path:
    """ONNX file of a small network for Sweden, whose head says nothing."""
    return stored_model("sweden")


def test_a_free_run_is_held_against_the_forcing(made_up, model, tmp_path):
    experiment = sweden_luh2_experiment(made_up, made_up / "out", model=str(model))
    evaluate_experiment(experiment, tmp_path / "found", run=(2015, 2018))
    found = json.loads((tmp_path / "found/scores.json").read_text("utf-8"))
    assert not found["about"]["known_quantities"]
    runs = found["free_run"]
    assert set(runs) == {"forced", "constant", "constant_none"}  # no truth
    errors = runs["forced"]["area_error_km2"]
    assert list(errors) == ["urban", "cropland", "pasture_grass_shrub", "forest"]
    assert errors["urban"]["coarse_cells"] == 6
    cell_km2 = 0.01 * 111.2 * 0.018 * 111.2 * np.cos(np.deg2rad(57.1))
    assert 0 < errors["urban"]["largest"] < 1.1 * cell_km2  # to a cell
    assert runs["forced"]["changed_at_end"] > 0.05
    assert runs["constant"]["yearly_change"] == [0, 0, 0]
    page = (tmp_path / "found/report.html").read_text("utf-8")
    assert "no true maps" in page and "upper bound" not in page


def test_a_run_beyond_luh2_is_refused_before_it_starts(made_up, model, tmp_path):
    experiment = sweden_luh2_experiment(made_up, made_up / "out", model=str(model))
    with pytest.raises(InputError, match="year 2019 outside 2000-2018"):
        evaluate_experiment(experiment, tmp_path / "found", run=(2015, 2019))


def test_the_real_sweden_follows_the_real_luh2(real_data, tmp_path):
    inputs = open_inputs(load_experiment(sweden_luh2_experiment(real_data, tmp_path)))
    assert inputs.land_use.years == tuple(range(2000, 2016))
    assert inputs.forcing.years == (2000, 2100)
    (maps,) = (real_data / "sweden").glob("hildaplus_south_sweden_*.npz")
    with np.load(maps) as arrays:
        codes = arrays["codes"] * (arrays["codes"] > 0).all(axis=0)
    assert np.array_equal(inputs.land_use.map(2015), codes[-1])
    start, later = inputs.forcing.year(2015), inputs.forcing.year(2065)
    np.testing.assert_allclose(later.sum(axis=0), start.sum(axis=0), atol=1e-6)
    # block (9, 3), Skane: LUH2's cell at 55.87 N 13.92 E gains 0.0128 of urban in 50 years
    with NetcdfFile(next((real_data / "luh2").glob("luh2_v2f_*.nc"))) as file:
        lat, lon = (file.read(name) for name in ("lat", "lon"))
        y, x = 25 * 9 + 12, 25 * 3 + 12
        row = np.abs(lat - inputs.grid.lat_deg[y, x]).argmin()
        col = np.abs(lon - inputs.grid.lon_deg[y, x]).argmin()
        urban = [file.read("urban", n)[row, col] for n in (0, 50)]
    land = start[:, 9, 3].sum()
    assert later[0, 9, 3] - start[0, 9, 3] == pytest.approx((urban[1] - urban[0]) * land, abs=1e-6)
    assert 0.005 < urban[1] - urban[0] < 0.05
