"""GeoTIFFs of HILDA+ become the NetCDF form, or are refused."""

from __future__ import annotations

import numpy as np
import pytest

rasterio = pytest.importorskip("rasterio")
from rasterio.transform import Affine  # noqa: E402

from landstep.data.geotiff import geotiff_to_netcdf  # noqa: E402
from landstep.emulator.classes import scheme  # noqa: E402
from landstep.emulator.errors import InputError  # noqa: E402
from landstep.emulator.land_use import LandUse  # noqa: E402
from landstep.emulator.netcdf import NetcdfFile  # noqa: E402

CELL = 0.01
NORTH_UP = Affine(CELL, 0, 11.5, 0, -CELL, 58.25)  # west edge 11.5, north edge 58.25
CODES = np.random.default_rng(6).choice(np.array([0, 11, 22, 33, 44, 55, 66, 77, 99]), (3, 5, 9))


def write_tif(path, codes, transform=NORTH_UP, crs="EPSG:4326", nodata=None, dtype="uint8"):
    """Write one map with rasterio."""
    codes = codes if codes.ndim == 3 else codes[None]
    with rasterio.open(
        path, "w", driver="GTiff", count=codes.shape[0], height=codes.shape[1],
        width=codes.shape[2], dtype=dtype, crs=crs, transform=transform, nodata=nodata,
    ) as raster:  # fmt: skip
        raster.write(codes.astype(dtype))
    return path


def write_three(folder, **more):
    return {
        year: write_tif(folder / f"hilda_{year}.tif", CODES[n], **more)
        for n, year in enumerate((1899, 1900, 2019))
    }


@pytest.mark.parametrize("nodata", [None, 0, 99])
def test_maps_come_through_with_their_years_places_and_codes(tmp_path, nodata):
    out = tmp_path / "maps.nc"
    geotiff_to_netcdf(write_three(tmp_path, nodata=nodata), out)
    hilda8 = scheme("hilda8")
    land_use = LandUse.open(out, scheme=hilda8, variant="states")
    assert land_use.years == (1899, 1900, 2019) and land_use.phase == "01-01"
    assert np.allclose(land_use.grid.lat_deg, 58.245 - CELL * np.arange(5), atol=1e-9)
    assert np.allclose(land_use.grid.lon_deg, 11.505 + CELL * np.arange(9), atol=1e-9)
    for n, year in enumerate(land_use.years):
        codes = hilda8.codes_from_numbers(land_use.map(year))
        assert np.array_equal(codes, np.where(CODES[n] == 99, 255, CODES[n]))
    with NetcdfFile(out) as file:
        assert file.dims("LULC_states") == ("time", "latitude", "longitude")
        assert file.attrs("LULC_states").get("_FillValue") == (99 if nodata == 99 else None)


def test_a_south_up_file_gives_the_same_map(tmp_path):
    south_up = Affine(CELL, 0, 11.5, 0, CELL, 58.25 - 5 * CELL)
    geotiff_to_netcdf({2000: write_tif(tmp_path / "n.tif", CODES[0])}, tmp_path / "n.nc")
    turned = write_tif(tmp_path / "s.tif", CODES[0][::-1], south_up)
    geotiff_to_netcdf({2000: turned}, tmp_path / "s.nc")
    maps = [
        LandUse.open(tmp_path / name, scheme=scheme("hilda8"), variant="states").map(2000)
        for name in ("n.nc", "s.nc")
    ]
    assert np.array_equal(*maps)


def test_a_projected_file_without_latitude_and_longitude_is_refused(tmp_path):
    metres = Affine(1000, 0, 4e6, 0, -1000, 3e6)
    path = write_tif(tmp_path / "laea.tif", CODES[0], metres, "EPSG:3035")
    with pytest.raises(InputError, match=r"laea\.tif: projected x/y without lat, lon: refused"):
        geotiff_to_netcdf({2000: path}, tmp_path / "out.nc")
    assert not (tmp_path / "out.nc").exists()


def test_a_file_without_a_coordinate_system_is_refused(tmp_path):
    path = write_tif(tmp_path / "a.tif", CODES[0], crs=None)
    with pytest.raises(InputError, match="no coordinate system"):
        geotiff_to_netcdf({2000: path}, tmp_path / "out.nc")


def test_a_rotated_grid_is_refused(tmp_path):
    path = write_tif(tmp_path / "a.tif", CODES[0], Affine(CELL, 0.001, 11.5, 0.001, -CELL, 58.25))
    with pytest.raises(InputError, match="rotated grid"):
        geotiff_to_netcdf({2000: path}, tmp_path / "out.nc")


@pytest.mark.parametrize(
    ("codes", "dtype", "words"),
    [
        (CODES[0] + 0.5, "float32", r"0\.5 at cell|\.5 at cell \(0, 0\).*expected class codes"),
        (CODES[0], "complex64", "band of complex64, expected real numbers"),
        (CODES, "uint8", "3 bands"),
        (CODES[0] + 300, "int16", r"values 300 to 399, expected class codes 0 to 255"),
        (CODES[0] - 1, "int16", r"values -1 to 98, expected class codes"),
    ],
)
def test_what_is_no_map_of_codes_is_refused(tmp_path, codes, dtype, words):
    path = write_tif(tmp_path / "a.tif", codes, dtype=dtype)
    with pytest.raises(InputError, match=words):
        geotiff_to_netcdf({2000: path}, tmp_path / "out.nc")
    assert not (tmp_path / "out.nc").exists()


@pytest.mark.parametrize(
    ("second", "words"),
    [
        ({"codes": CODES[1][:4]}, r"b\.tif: grid 4x9, expected 5x9 \(that of a\.tif\)"),
        ({"transform": NORTH_UP @ Affine.translation(0.5, 0)}, r"differ by up to 0\.005 degrees"),
    ],
)
def test_years_on_different_grids_are_refused(tmp_path, second, words):
    first = write_tif(tmp_path / "a.tif", CODES[0])
    other = write_tif(tmp_path / "b.tif", **({"codes": CODES[1]} | second))
    with pytest.raises(InputError, match=words):
        geotiff_to_netcdf({2000: first, 2001: other}, tmp_path / "out.nc")


def test_missing_damaged_and_absent_files_are_refused(tmp_path):
    with pytest.raises(InputError, match="no GeoTIFFs given"):
        geotiff_to_netcdf({}, tmp_path / "out.nc")
    with pytest.raises(InputError, match=r"none\.tif: cannot be read as GeoTIFF"):
        geotiff_to_netcdf({2000: tmp_path / "none.tif"}, tmp_path / "out.nc")
    noise = np.random.default_rng(1).integers(0, 99, (201, 301))
    path = write_tif(tmp_path / "cut.tif", noise)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(InputError, match=r"cut\.tif: (damaged GeoTIFF|cannot be read)"):
        geotiff_to_netcdf({2000: path}, tmp_path / "out.nc")
    assert not (tmp_path / "out.nc").exists()


def test_a_real_geotiff_is_converted(real_data, tmp_path):
    path = real_data / "global" / "ipcc_climate_zones_5arcmin.tif"
    geotiff_to_netcdf({2000: path}, tmp_path / "out.nc")
    with rasterio.open(path) as raster:
        expected, fill = raster.read(1), raster.nodata
    with NetcdfFile(tmp_path / "out.nc") as file:
        assert np.array_equal(file.read("LULC_states", 0), expected)
        assert file.attrs("LULC_states").get("_FillValue") == fill
        assert file.years().tolist() == [2000]
