"""The map as a file: CF by the checker, dates and codes by xarray, areas by hand."""

import json
import subprocess
import sys
from dataclasses import replace

import netCDF4
import numpy as np
import pytest
import xarray

from landstep.emulator.area_sums import class_areas
from landstep.emulator.classes import MASKED, scheme
from landstep.emulator.errors import InputError
from landstep.emulator.experiment import OutputTable

CHECK_OFFLINE = """
import contextlib, io, json, socket, sys

def no_network(*arguments, **options):
    raise OSError("no network in this test")

from compliance_checker.runner import CheckSuite, ComplianceChecker

socket.socket = socket.create_connection = socket.getaddrinfo = no_network
CheckSuite.load_all_available_checkers()
for path in sys.argv[2:]:
    out = path + ".json"
    with contextlib.redirect_stdout(io.StringIO()):
        ComplianceChecker.run_checker(
            path, [sys.argv[1]], 0, "strict", output_filename=out, output_format="json"
        )
"""
CF = "cf:1.11"
KINDS = {"regular": (37, 53), "globe": (28, 56), "projected": (31, 45)}


def cf_check(*paths):
    """Run the CF checker of the IOOS without a network: its findings and its checks, by file."""
    done = subprocess.run(
        [sys.executable, "-c", CHECK_OFFLINE, CF, *map(str, paths)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    results = [json.loads((p.parent / (p.name + ".json")).read_text())[CF] for p in paths]
    return [
        (
            [
                f"{check['name']}: {message}"
                for check in result["all_priorities"]
                for message in check["msgs"]
            ],
            {check["name"] for check in result["all_priorities"]},
        )
        for result in results
    ]


@pytest.fixture(scope="module")
def written(make_emulator, tmp_path_factory):
    """Write a first map on each kind of grid: kind -> (emulator, state, path)."""
    folder = tmp_path_factory.mktemp("output")
    maps = {}
    for kind, shape in KINDS.items():
        emulator = make_emulator(kind, shape)
        state = emulator.start(2000)
        emulator.write(state, folder / f"{kind}.nc")
        maps[kind] = (emulator, state, folder / f"{kind}.nc")
    return maps


def test_the_cf_checker_finds_nothing(written, tmp_path):
    """CF 1.11, strict, offline, on every kind of grid; a file that breaks CF is found."""
    paths = [path for _, _, path in written.values()]
    broken = tmp_path / "broken.nc"
    broken.write_bytes(paths[0].read_bytes())
    with netCDF4.Dataset(broken, "a") as file:
        file["cell_area"].units = "acre-furlongs"
        file["land_use"].flag_meanings = "too few"
    emulator, state, _ = written["regular"]
    emulator.write(emulator.step(2001, state), tmp_path / "step.nc")
    paths.append(tmp_path / "step.nc")
    *sound, (complaints, _) = cf_check(*paths, broken)
    assert [found for found, _ in sound] == [[]] * len(paths)
    for _, checks in sound:
        sections = {name.split()[0].rstrip(".") for name in checks}
        assert {"§2.4", "§3.1", "§3.3", "§3.5", "§4.1", "§4.2", "§4.4", "§5.6", "§7.2"} <= sections
        assert len(checks) > 20
    assert any("acre-furlongs" in text for text in complaints)
    assert any("flag_meanings" in text for text in complaints)


@pytest.mark.parametrize("kind", KINDS)
def test_xarray_reads_date_codes_and_places(written, kind):
    """1 January of the year, the scheme's codes, the grid's centres, areas of the cells."""
    emulator, state, path = written[kind]
    codes = np.array([*scheme("hilda8").codes, *[-1] * 248])[state.land_use]
    with xarray.open_dataset(path, mask_and_scale=False) as file:
        assert file.time.values.tolist() == [np.datetime64("2000-01-01", "ns").astype(int)]
        assert np.array_equal(file.land_use.values[0], codes)
        assert np.array_equal(file.lat.values, emulator.grid.lat_deg)
        assert np.array_equal(file.lon.values, emulator.grid.lon_deg)
        assert file.class_name.values.tolist() == list(scheme("hilda8").names)
        assert file.land_use.attrs["flag_meanings"].split() == list(scheme("hilda8").names)
        assert file.land_use.attrs["flag_values"].tolist() == list(scheme("hilda8").codes)
        cells = file.cell_area.values
        assert (cells.reshape(cells.shape[0], -1) == emulator.grid.cell_area() * 1e-3).all()
        ends = file.time_bnds.values[0]
        assert ends[0] == np.datetime64("2000-01-01") and ends[1] == np.datetime64("2001-01-01")
    with xarray.open_dataset(path) as file:
        assert np.array_equal(np.isnan(file.land_use.values[0]), state.land_use == MASKED)


def test_bounds_are_the_cells_edges(written):
    """Halfway between centres; the globe's go from pole to pole and all the way round."""
    with xarray.open_dataset(written["globe"][2]) as file:
        assert file.lat_bnds.values[[0, -1], [0, 1]].tolist() == [90, -90]
        assert file.lon_bnds.values[[0, -1], [0, 1]].tolist() == [-180, 180]
        assert np.array_equal(file.lat_bnds.values[1:, 0], file.lat_bnds.values[:-1, 1])


def test_a_file_says_where_it_comes_from(written):
    """Model, grid, scheme and what the bits depend on."""
    _, state, path = written["regular"]
    with xarray.open_dataset(path) as file:
        assert file.attrs["Conventions"] == "CF-1.11"
        assert file.attrs["model_sha256"] == state.model
        assert file.attrs["class_scheme"] == "hilda8"
        assert json.loads(file.attrs["provenance"]) == state.provenance
        assert file.attrs["title"] == "Land use on 1 January 2000: made up"


@pytest.mark.parametrize("kind", KINDS)
def test_class_areas_sum_to_the_region_exactly(written, kind):
    """Cell by cell in whole numbers of 0.001 m2, unknown cells apart."""
    emulator, state, path = written[kind]
    areas = class_areas(state.land_use, emulator.grid, 8)
    assert areas.dtype == np.int64
    cells = np.broadcast_to(emulator.grid.cell_area(), emulator.grid.shape)
    by_hand = [0] * 256
    for number, area in zip(state.land_use.flat, cells.flat, strict=True):
        by_hand[number] += int(area)
    assert areas.tolist() == by_hand[:8]
    assert sum(areas.tolist()) + by_hand[MASKED] == int(cells.sum())
    assert by_hand[MASKED] > 0
    with xarray.open_dataset(path) as file:
        assert np.array_equal(file.class_area.values[0], areas * 1e-3)


def test_groups_have_what_was_asked_done_and_is_owed(written, tmp_path):
    """By group, over the whole map; a map that was not stepped to has only its debt."""
    emulator, first, path = written["regular"]
    state = emulator.step(2001, first)
    emulator.write(state, tmp_path / "step.nc")
    with xarray.open_dataset(tmp_path / "step.nc") as file:
        assert file.group_name.values.tolist() == ["urban", "cropland", "pasture"]
        debt, asked, done = (
            file[f"group_area_{name}"].values[0] for name in ("debt", "asked", "realised")
        )
        assert np.array_equal(debt, state.debt.sum(axis=(1, 2)) * 1e-3)
        assert np.array_equal(asked, state.report.asked * 1e-3)
        of = [[int((m == k).sum()) for k in (1, 2, 3)] for m in (first.land_use, state.land_use)]
        assert (np.sign(done) == np.sign(np.subtract(of[1], of[0]))).all() and done.any()
        assert file.attrs["quota_unmet_coarse_cells"] == state.report.unmet > 0
        assert file.attrs["quota_largest_miss_m2"] == state.report.largest_miss * 1e-3
        assert "quotas counted from 2000" in file.attrs["history"]
    with xarray.open_dataset(path) as file:
        assert np.array_equal(file.group_area_debt.values[0], first.debt.sum(axis=(1, 2)) * 1e-3)
        assert "group_area_asked" not in file and "quota_unmet_coarse_cells" not in file.attrs


def test_areas_of_a_known_map_are_the_regions_area(make_emulator):
    """After a step no cell is unknown: the classes share the region, nothing is left."""
    for kind, shape in KINDS.items():
        emulator = make_emulator(kind, shape)
        state = emulator.step(2001, emulator.start(2000))
        whole = int(np.broadcast_to(emulator.grid.cell_area(), shape).sum())
        assert int(class_areas(state.land_use, emulator.grid, 8).sum()) == whole


def test_the_date_is_exact_in_every_year(make_emulator, tmp_path):
    """Leap years, and the ends of 1850-2100."""
    emulator = make_emulator("regular", (9, 8))
    state = emulator.start(2000)
    for year in (1850, 1899, 1900, 1904, 2000, 2001, 2100):
        values = {**vars(state), "year": year}
        emulator.write(type(state)(**values), tmp_path / "map.nc")
        with xarray.open_dataset(tmp_path / "map.nc") as file:
            assert str(file.time.values[0])[:10] == f"{year}-01-01"
            assert str(file.time_bnds.values[0, 1])[:10] == f"{year + 1}-01-01"


def test_a_map_that_cannot_be_written_is_named(written, tmp_path):
    """And leaves nothing behind."""
    emulator, state, _ = written["regular"]
    with pytest.raises(InputError, match="nowhere/map.nc"):
        emulator.write(state, tmp_path / "nowhere" / "map.nc")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mode", ["exact", "none"])
def test_confidence_is_the_networks_and_changes_no_map(make_emulator, tmp_path, mode):
    """Percent of the likeliest class of each cell that may change, in windows of any size."""
    plain = make_emulator("projected", (31, 45), mode=mode)
    asked = plain.experiment.model_copy(update={"output": OutputTable(confidence=True)})
    emulator = replace(plain, experiment=asked)
    state = emulator.start(2000)
    following = emulator.step(2001, state)
    assert following.checksum == plain.step(2001, state).checksum
    odds = emulator.odds(2001, state).astype(np.float64)
    highest = np.exp(odds - odds.max(axis=0)).sum(axis=0)
    free = ~np.isin(state.land_use, (0, 7))
    assert np.abs(following.confidence[free] - 100 / highest[free]).max() <= 0.51
    assert (following.confidence[~free] == 0).all() and following.confidence[free].min() > 10
    emulator.write(following, tmp_path / "sure.nc")
    ((complaints, _),) = cf_check(tmp_path / "sure.nc")
    assert complaints == []
    with xarray.open_dataset(tmp_path / "sure.nc") as file:
        assert np.array_equal(np.isnan(file.confidence.values[0]), ~free)


def test_coarse_areas_and_the_forcing_beside_them_add_up(make_emulator, tmp_path):
    """Cells of each coarse cell by hand; the group's forcing less its map is what a quota knows."""
    emulator = make_emulator("regular", (37, 53))
    state = emulator.step(2001, emulator.start(2000))
    emulator.write(state, tmp_path / "step.nc")
    with xarray.open_dataset(tmp_path / "step.nc") as file:
        areas = file.coarse_class_area.values[0]
        assert areas.shape == (8, 6, 8)
        cells = state.land_use[7:14, 14:21] == 3
        area = (cells * emulator.grid.cell_area()[7:14] * 1e-3).sum()
        assert areas[3, 1, 2] == pytest.approx(area, rel=1e-12)
        assert np.allclose(areas.sum(axis=(1, 2)), file.class_area.values[0], rtol=1e-12)
        urban = emulator.inputs.forcing.year(2001)[4, 1, 2]
        whole = emulator.grid.cell_area()[7:14].sum() * 7 * 1e-3
        assert file.coarse_group_forcing.values[0, 0, 1, 2] == pytest.approx(
            urban * whole, rel=1e-6
        )
        assert file.coarse_group_debt.values[0, 0, 1, 2] == state.debt[0, 1, 2] * 1e-3
        held = [areas[[k for k in range(8) if emulator.scheme.group_of[k] == g]] for g in range(3)]
        sums = [group.sum() for group in held]
        assert np.allclose(file.group_area_map.values[0], sums, rtol=1e-12)
