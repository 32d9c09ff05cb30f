"""Observing: the host is left alone, and a file says what it would have got."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from landstep.coupling.coupler import Coupler
from landstep.emulator.errors import CouplingError, InputError
from landstep.emulator.netcdf import NetcdfFile

FIRST = 2015
Coupled = Callable[..., Path]
Cells = dict[str, np.ndarray]
OWN = {"vegl": 0.3, "vegh": 0.4}


def opened(experiment: Path, cells: Cells, **geometry: np.ndarray) -> Coupler:
    """A run of 2015 that was given what vegetation and its leaf area index need."""
    coupler = Coupler.open(experiment, **cells, **geometry, year=FIRST)
    n = coupler.n
    for name, value in OWN.items():
        coupler.baseline(name, np.full(n, value))
    coupler.baseline("typel", np.full(n, 1.0))
    coupler.baseline("typeh", np.full(n, 5.0))
    coupler.baseline("lail", np.arange(12.0) / 4 + np.linspace(0, 1, n)[:, None])
    return coupler


@pytest.fixture(scope="module")
def seen(coupled: Coupled, cells: Cells, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of what was observed of 2015 and 2016, and the host left alone meanwhile."""
    folder = tmp_path_factory.mktemp("observed") / "made" / "here"
    coupler = opened(coupled("seen", mode="anomaly", observe=str(folder)), cells)
    for date in ((FIRST, 1, 1), (FIRST, 1, 2), (FIRST, 7, 1), (FIRST + 1, 1, 1)):
        assert coupler.update(*date) is False
        assert not any(coupler.changed(name) for name in coupler.names())
        for name, value in OWN.items():
            assert coupler.get(name).tolist() == coupler.get_previous(name).tolist() == [value] * 12
        own_leaves = date[1] // 7 * 6 / 4 + np.linspace(0, 1, 12)  # of January or July, by steps
        assert np.array_equal(coupler.get("lail"), own_leaves)
        assert coupler.get_monthly("lail")[:, 0].tolist() == np.linspace(0, 1, 12).tolist()
        mine = np.full(12, np.float32(-0.0))
        assert coupler.add_change("vegh", mine).tobytes() == mine.tobytes()
        assert coupler.add_change("lail", mine).tobytes() == mine.tobytes()
        assert coupler.get_change("forest")[0].tolist() == [0] * 12
        assert coupler.get_transition("forest", "cropland").tolist() == [0] * 12
        with pytest.raises(CouplingError, match="'z0': .* observe is set.*keeps its own fields"):
            coupler.get("z0")
        with pytest.raises(CouplingError, match="'z0': .* observe is set.*keeps its own fields"):
            coupler.add_change("z0", np.zeros(12))
    with pytest.raises(CouplingError, match="no field 'veg'"):
        coupler.get("veg")
    assert coupler.year == FIRST + 1, "it computes all the same"
    return folder


def test_the_files_hold_the_fields_of_a_coupled_run(
    coupled: Coupled, cells: Cells, seen: Path
) -> None:
    coupler = opened(coupled("not_seen", mode="anomaly"), cells)
    files = sorted(path.name for path in seen.iterdir())
    assert files == [f"landstep_fields_{year}.nc" for year in (FIRST, FIRST + 1)]
    found = []
    for year in (FIRST, FIRST + 1):
        coupler.update(year, 1, 1)
        with NetcdfFile(seen / f"landstep_fields_{year}.nc") as file:
            assert set(file.names()) == {
                "index",
                "lon",
                "lat",
                "map_cells",
                *OWN,
                "typel",
                "typeh",
                "lail",
            }
            for name in (*OWN, "typel", "typeh"):
                assert np.array_equal(file.read(name), coupler.get(name)), name
            lail = file.read("lail")
            for month in (1, 6, 12) if year > FIRST else ():
                coupler.update(year, month, 3)
                assert np.array_equal(lail[:, month - 1], coupler.get("lail"))
            found.append(file.read("vegh"))
    assert not np.array_equal(*found)


def test_the_files_say_what_they_hold(cells: Cells, seen: Path) -> None:
    with NetcdfFile(seen / f"landstep_fields_{FIRST}.nc") as file:
        whole = file.attrs()
        assert whole["Conventions"] == "CF-1.11" and f"1 January {FIRST}" in whole["title"]
        assert file.attrs("vegh") == {
            "units": "1",
            "denominator": "land",
            "long_name": "high vegetation",
            "schedule": "annual",
            "coordinates": "lon lat",
            "points_held_back": 0,
        }
        assert file.attrs("lail")["schedule"] == "monthly"
        assert file.attrs("lail")["units"] == "1"
        assert file.dims("lail") == ("point", "month") and file.dims("vegh") == ("point",)
        assert file.attrs("lon") == {"standard_name": "longitude", "units": "degrees_east"}
        assert file.attrs("lat") == {"standard_name": "latitude", "units": "degrees_north"}
        assert np.array_equal(file.read("lon"), cells["lon_deg"])
        assert file.read("index").tolist() == list(range(12))


def test_the_files_conform_to_cf(seen: Path) -> None:
    """With int64, which CF has since 1.9."""
    checker = shutil.which("compliance-checker", path=str(Path(sys.executable).parent))
    assert checker is not None, "compliance-checker is one of the packages that tests need"
    file = str(seen / f"landstep_fields_{FIRST}.nc")
    command = [checker, "--test", "cf:1.11", "--criteria", "lenient", file]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "Errors" not in done.stdout, done.stdout


def test_points_are_in_the_order_of_their_index(
    coupled: Coupled, cells: Cells, tmp_path: Path
) -> None:
    order = np.random.default_rng(2).permutation(12)
    turned = {name: values[order] for name, values in cells.items()}
    experiment = coupled("turned", host="classes", observe=str(tmp_path / "turned"))
    Coupler.open(experiment, **turned, index=order, year=FIRST).update(FIRST, 1, 1)
    with NetcdfFile(tmp_path / "turned" / f"landstep_fields_{FIRST}.nc") as file:
        assert np.array_equal(file.read("lat"), cells["lat_deg"])
        assert file.attrs("area_fraction_forest")["standard_name"] == "area_fraction"


def test_a_folder_in_the_experiments_own_is_found_from_there(
    coupled: Coupled, cells: Cells
) -> None:
    experiment = coupled("beside", host="classes", observe="observed_beside")
    Coupler.open(experiment, **cells, year=FIRST).update(FIRST, 1, 1)
    assert list((experiment.parent / "observed_beside").glob("*.nc"))


def test_a_folder_that_cannot_be_made_is_told_and_nothing_moves(
    coupled: Coupled, cells: Cells, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    experiment = coupled("in_the_way", host="classes", observe=str(tmp_path / "file" / "seen"))
    coupler = Coupler.open(experiment, **cells, year=FIRST)
    with pytest.raises(InputError, match="file/seen: cannot be made for observed fields: Not a d"):
        coupler.update(FIRST + 1, 1, 1)
    assert coupler.year == FIRST
    (tmp_path / "file").unlink()
    assert coupler.update(FIRST + 1, 1, 1) is False and coupler.year == FIRST + 1


def test_observing_nothing_is_told(coupled: Coupled, cells: Cells, tmp_path: Path) -> None:
    """In anomaly mode a host with a table gets nothing that it has not given first."""
    experiment = coupled("nothing", mode="anomaly", observe=str(tmp_path / "seen"))
    coupler = Coupler.open(experiment, **cells, year=FIRST)
    with pytest.raises(CouplingError, match="field 'alb12' needs the host's own 'alb12'"):
        coupler.update(FIRST, 1, 1)
    assert not (tmp_path / "seen").exists()
