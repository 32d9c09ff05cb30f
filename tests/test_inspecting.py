"""`landstep inspect` of anything: what it is, or one line on why not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import netCDF4
import numpy as np
import pytest

from landstep.emulator.driver import run_years
from landstep.emulator.errors import ConfigError, DependencyError, InputError, LandstepError
from landstep.inspecting import describe_any, spans

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def run(experiment: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    run_years(experiment, 2015, 2017, folder)
    return folder


def test_a_run_folder_says_its_years_and_whether_its_restart_holds(run: Path) -> None:
    said = describe_any(run)
    for words in ("made-up world", "map of 2015", "2015 to 2017", "restart.nc ", "of 2017, its"):
        assert words in said
    restart = run / "restart.nc"
    content = restart.read_bytes()
    restart.write_bytes(content[: len(content) // 2])
    assert "DAMAGED" in describe_any(run) and "of 2016" in describe_any(run)
    restart.write_bytes(content)


def test_another_folder_says_what_lies_in_it(tmp_path: Path) -> None:
    (tmp_path / "a.nc").touch()
    with pytest.raises(InputError, match="no run.json.*a.nc"):
        describe_any(tmp_path)


def test_groups_of_netcdf_are_listed(tmp_path: Path) -> None:
    with netCDF4.Dataset(tmp_path / "g.nc", "w") as file:
        group = file.createGroup("PRODUCT")
        group.createDimension("x", 2)
        group.createVariable("no2", "f4", ("x",))
    said = describe_any(tmp_path / "g.nc")
    assert "group PRODUCT" in said and "no2" in said and "root" in said


def test_netcdf_that_is_not_yearly_is_described(tmp_path: Path) -> None:
    with netCDF4.Dataset(tmp_path / "h.nc", "w") as file:
        file.createDimension("time", 2)
        time = file.createVariable("time", "f8", ("time",))
        time.units, time[:] = "hours since 2000-01-01", [0, 1]
        file.createVariable("station", str, ("time",))
        kind = file.createCompoundType(np.dtype([("a", "i4"), ("b", "f8")]), "pair")
        file.createVariable("pairs", kind, ("time",))
    said = describe_any(tmp_path / "h.nc")
    assert "not read as years" in said and "station" in said and "pairs" in said


def test_a_geotiff_is_described_whether_it_can_be_taken_or_not(tmp_path: Path) -> None:
    rasterio = pytest.importorskip("rasterio")
    from rasterio.transform import from_origin

    place = from_origin(-30, 50, 1 / 120, 1 / 120)
    common = dict(driver="GTiff", height=3, width=5, transform=place, dtype="int16")
    with rasterio.open(
        tmp_path / "a.tif", "w", count=1, crs="EPSG:4326", nodata=-9, **common
    ) as file:
        file.write(np.zeros((3, 5), "i2"), 1)
        file.scales, file.units = (0.1,), ("dm",)
    said = describe_any(tmp_path / "a.tif")
    for words in ("3 x 5", "EPSG:4326", "0.1", "dm", "-9", "takes it"):
        assert words in said
    with rasterio.open(tmp_path / "p.tif", "w", count=1, crs="EPSG:3035", **common) as file:
        file.write(np.zeros((3, 5), "i2"), 1)
    said = describe_any(tmp_path / "p.tif")
    assert "EPSG:3035" in said and "does not take it" in said


def test_a_geotiff_without_rasterio_gets_the_pip_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.tif").write_bytes(b"II*\0" + bytes(30))
    for name in ("rasterio", "landstep.data.raster_facts", "landstep.data.raster"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(DependencyError, match=r"a.tif.*pip install 'landstep\[geotiff\]'"):
        describe_any(tmp_path / "a.tif")


def test_other_tables_of_landstep_are_known(experiment: Path) -> None:
    assert "host table" in describe_any(REPOSITORY / "coupling" / "hosts" / "ecland.toml")
    assert "hilda8" in describe_any(experiment)


@pytest.mark.parametrize(
    ("name", "content", "kind", "says"),
    [
        ("e.nc", b"", InputError, "is empty"),
        ("w.nc", b"<!DOCTYPE html>", InputError, "a web page"),
        ("e.toml", b"", ConfigError, r"its keys are \[\]"),
        ("k.toml", b"a = 1\n[b]\nc = 2", ConfigError, r"its keys are \['a', 'b'\]"),
        ("b.toml", b"a = [", ConfigError, "not TOML"),
        ("m.onnx", b"x", LandstepError, "m.onnx"),
        ("j.json", b"{}", InputError, "not a NetCDF file"),
        ("t.tif", b"II*\0" + bytes(20), InputError, "cannot be read as GeoTIFF"),
        ("g.grib", b"GRIB" + bytes(20), InputError, "GRIB"),
    ],
)
def test_what_is_nothing_is_one_line(
    tmp_path: Path, name: str, content: bytes, kind: type[LandstepError], says: str
) -> None:
    pytest.importorskip({"t.tif": "rasterio", "g.grib": "eccodes"}.get(name, "numpy"))
    (tmp_path / name).write_bytes(content)
    with pytest.raises(kind, match=f"{name}.*{says}"):
        describe_any(tmp_path / name)


def test_nothing_is_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.nc")
    for path in (tmp_path / "fifo.nc", Path("/dev/zero")):
        with pytest.raises(InputError, match=f"{path}: a device, fifo or socket"):
            describe_any(path)
    for path in (tmp_path / "no.nc", Path("a\0b"), tmp_path / ("x" * 300)):
        with pytest.raises(InputError, match="not found|not a path|name too long"):
            describe_any(path)


def test_the_command_says_it_all(run: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "landstep", "inspect", str(run)], capture_output=True, text=True
    )
    assert done.returncode == 0 and "2015 to 2017" in done.stdout


def test_spans_of_years_show_gaps() -> None:
    assert spans([2015, 2016, 2017, 2019, 2021, 2022]) == "2015 to 2017, 2019, 2021 to 2022"
    assert spans([]) == "none"
