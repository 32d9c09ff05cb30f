"""GeoTIFFs are read as GDAL reads them: masks of every kind, scale, offset, unit (fault 99)."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

rasterio = pytest.importorskip("rasterio")
from rasterio.shutil import copy as copy_raster  # noqa: E402
from rasterio.transform import Affine  # noqa: E402

from landstep.data.geotiff import geotiff_to_netcdf  # noqa: E402
from landstep.data.raster import describe, open_raster  # noqa: E402
from landstep.data.source_map import open_map  # noqa: E402
from landstep.data.static_maps import CodeMap, ElevationMap  # noqa: E402
from landstep.emulator.classes import scheme  # noqa: E402
from landstep.emulator.errors import InputError  # noqa: E402
from landstep.emulator.land_use import LandUse, whole_codes  # noqa: E402

PLACE = Affine(0.01, 0, 11.5, 0, -0.01, 58.25)
HILDA8 = scheme("hilda8")
CODES = np.random.default_rng(8).choice(np.array([0, 11, 22, 44], "u1"), (6, 9))
HOLE = np.s_[2:4, 3:7]


def write(path, data, *, mask=None, inside=True, scale=None, offset=None, unit=None, **profile):
    """Write a GeoTIFF of one band, or of several."""
    bands = data if data.ndim == 3 else data[None]
    made = {
        "driver": "GTiff", "count": len(bands), "height": bands.shape[1],
        "width": bands.shape[2], "dtype": data.dtype, "crs": "EPSG:4326", "transform": PLACE,
    } | ({"ALPHA": "YES"} if len(bands) == 2 else {}) | profile  # fmt: skip
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=inside), rasterio.open(path, "w", **made) as raster:
        raster.write(bands)
        if mask is not None:
            raster.write_mask(mask)
        if scale is not None:
            raster.scales = (scale,) * len(bands)
        if offset is not None:
            raster.offsets = (offset,) * len(bands)
        if unit is not None:
            raster.units = (unit,) * len(bands)
    return path


def read(path):
    """All values of a GeoTIFF, masked, and what it says of them."""
    with open_raster(path) as raster:
        ny, nx = raster.about.shape
        return raster.read(slice(0, ny), slice(0, nx)), raster.about


def with_hole(kind, folder, data):
    """Write data in which a hole is masked in some way; return the path."""
    path, hole = folder / f"{kind}.tif", np.full(data.shape, 255, "u1")
    hole[HOLE] = 0
    if kind == "inside":
        return write(path, data, mask=hole)
    if kind == "beside":
        return write(path, data, mask=hole, inside=False)
    if kind == "alpha":
        return write(path, np.stack([data, hole.astype(data.dtype)]))
    number = {"nodata": 255, "negative": -1, "large": 65535, "nan": np.nan}[kind]
    dtype = {"nodata": "u1", "negative": "i2", "large": "u2", "nan": "f4"}[kind]
    data = data.astype(dtype)
    data[HOLE] = number
    return write(path, data, nodata=number)


KINDS = ["inside", "beside", "alpha", "nodata", "negative", "large", "nan"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_gdal_masks_is_missing(tmp_path, kind):
    path = with_hole(kind, tmp_path, CODES)
    assert kind != "beside" or (tmp_path / "beside.tif.msk").exists()
    values, about = read(path)
    expected = np.zeros(CODES.shape, bool)
    expected[HOLE] = True
    assert np.array_equal(np.ma.getmaskarray(values), expected)
    assert np.array_equal(values.data[~expected], CODES[~expected])
    assert about.by_number == (kind not in ("inside", "beside", "alpha"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_masked_hole_is_no_data_and_not_ocean(tmp_path, kind):
    """`prepare` and `geotiff_to_netcdf` read the same hole, whatever stands beneath the mask."""
    data = CODES.copy()
    data[HOLE] = 0
    path = with_hole(kind, tmp_path, data)
    with open_map(path, "LULC_states") as source:
        codes = whole_codes(
            source.window(0, 6, 0, 9), HILDA8, "states", "a", by_number=source.by_number
        )
    assert (codes[HOLE] == HILDA8.nodata[0]).all()
    geotiff_to_netcdf({2000: path}, tmp_path / "out.nc")
    land_use = LandUse.open(tmp_path / "out.nc", scheme=HILDA8, variant="states").map(2000)
    assert (land_use[HOLE] == 255).all() and (land_use == 255).sum() == land_use[HOLE].size
    kept = land_use != 255
    assert np.array_equal(HILDA8.codes_from_numbers(land_use)[kept], data[kept])


@pytest.mark.parametrize(
    ("dtype", "nodata"),
    [("i2", -9999), ("i1", -1), ("u2", 65535), ("f4", -9999), ("i4", 2**31 - 1)],
)
def test_years_may_mark_what_is_missing_differently(tmp_path, dtype, nodata):
    other = CODES.astype(dtype)
    other[HOLE] = nodata
    files = {
        2000: write(tmp_path / "a.tif", CODES),
        2001: write(tmp_path / "b.tif", other, nodata=nodata),
        2002: with_hole("inside", tmp_path, CODES),
    }
    geotiff_to_netcdf(files, tmp_path / "out.nc")
    land_use = LandUse.open(tmp_path / "out.nc", scheme=HILDA8, variant="states")
    assert not (land_use.map(2000) == 255).any()
    for year in (2001, 2002):
        assert (land_use.map(year)[HOLE] == 255).all()


def test_ocean_that_is_also_no_data_stays_ocean_and_a_mask_wins(tmp_path):
    values, about = read(write(tmp_path / "a.tif", CODES, nodata=0))
    assert about.by_number and np.array_equal(np.ma.getmaskarray(values), CODES == 0)
    geotiff_to_netcdf({2000: tmp_path / "a.tif"}, tmp_path / "out.nc")
    land_use = LandUse.open(tmp_path / "out.nc", scheme=HILDA8, variant="states").map(2000)
    assert np.array_equal(land_use == 0, CODES == 0)


def test_a_no_data_number_of_few_digits_counts_as_gdal_counts_it(tmp_path):
    """WorldClim writes -3.40282e+38 in the tag, and the lowest float32 in the cells."""
    height = np.full((6, 9), 250, "f4")
    height[HOLE] = np.finfo("f4").min
    path = write(tmp_path / "a.tif", height, nodata=float(np.finfo("f4").min))
    raw = path.read_bytes()
    start = raw.find(b"-3.40282")
    end = raw.find(b"\0", start)
    path.write_bytes(raw[:start] + b"-3.40282e+38".ljust(end - start, b"\0") + raw[end:])
    values, _ = read(path)
    assert np.array_equal(np.flatnonzero(np.ma.getmaskarray(values)), np.flatnonzero(height < 0))


@pytest.mark.parametrize(("dtype", "nodata"), [("u1", -9999), ("i2", 1e20), ("u1", 300)])
def test_a_no_data_number_that_no_cell_can_hold_masks_nothing(tmp_path, dtype, nodata):
    path = write(tmp_path / "a.tif", CODES.astype(dtype))
    with rasterio.open(path, "r+") as made:
        try:
            made.nodata = nodata
        except ValueError:
            pytest.skip("this rasterio writes no such number")
    assert not np.ma.getmaskarray(read(path)[0]).any()


@pytest.mark.parametrize(("scale", "offset"), [(0.1, 0.0), (1.0, -100.0), (0.5, 20.0)])
@pytest.mark.parametrize("dtype", ["i2", "f4"])
def test_scale_and_offset_of_a_band_are_applied(tmp_path, scale, offset, dtype):
    height = np.arange(54.0).reshape(6, 9) * 10
    stored = np.rint((height - offset) / scale).astype(dtype)
    stored[0, 0] = -9999
    path = write(tmp_path / "a.tif", stored, nodata=-9999, scale=scale, offset=offset)
    with open_map(path, "elevation") as source:
        found, known = ElevationMap(source, None)._checked(source.window(0, 6, 0, 9))
    assert not known[0, 0] and known.sum() == 53
    assert np.allclose(found[known], height[known], atol=1e-3)


def test_codes_may_be_scaled_and_are_whole_again(tmp_path):
    stored = np.arange(54, dtype="i2").reshape(6, 9) % 8 * 10
    path = write(tmp_path / "a.tif", stored, scale=0.1)
    with open_map(path, "soil_texture") as source:
        found, _ = CodeMap(source, "soil_texture")._checked(source.window(0, 6, 0, 9))
    assert np.array_equal(found, stored // 10)


@pytest.mark.parametrize("unit", ["ft", "foot", "km", "dm", "US survey foot"])
def test_a_band_in_another_unit_is_refused(tmp_path, unit):
    path = write(tmp_path / "a.tif", np.ones((6, 9), "f4"), unit=unit)
    with open_map(path, "elevation") as source:
        with pytest.raises(InputError, match=rf"a\.tif: units '{unit}', expected 'm'"):
            ElevationMap(source, None)
        ElevationMap(source, "m")


@pytest.mark.parametrize("unit", ["m", "metre", "meters", None])
def test_a_band_in_metres_is_taken(tmp_path, unit):
    path = write(tmp_path / "a.tif", np.ones((6, 9), "f4"), unit=unit)
    with open_map(path, "elevation") as source:
        ElevationMap(source, None)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (np.ones((3, 6, 9), "u1"), "3 bands.*expected one band"),
        (np.ones((4, 6, 9), "f4"), "4 bands.*expected one band"),
        (np.ones((6, 9), "c8"), "complex64, expected real numbers"),
    ],
)
def test_what_is_no_band_of_numbers_is_refused(tmp_path, data, words):
    with pytest.raises(InputError, match=rf"a\.tif: .*{words}"):
        describe(write(tmp_path / "a.tif", data))


@pytest.mark.parametrize("dtype", ["i1", "u4", "i4", "u8", "i8", "f8"])
def test_every_real_type_is_read(tmp_path, dtype):
    values, _ = read(write(tmp_path / "a.tif", CODES.astype(dtype)))
    assert np.array_equal(values.data, CODES) and values.data.dtype == dtype


@pytest.mark.parametrize(
    "profile",
    [{"BIGTIFF": "YES"}, {"tiled": True, "blockxsize": 16, "blockysize": 16}, {"driver": "COG"},
     {"compress": "deflate"}],
)  # fmt: skip
@pytest.mark.parametrize("name", ["a.tif", "A.TIF", "a.tiff", "a_2000-01-24_12:00:00.tif"])
def test_every_form_and_name_of_a_geotiff_is_read(tmp_path, profile, name):
    if profile.get("driver") == "COG":
        write(tmp_path / "plain.tif", CODES)
        copy_raster(tmp_path / "plain.tif", tmp_path / name, driver="COG")
    else:
        write(tmp_path / name, CODES, **profile)
    with open_map(tmp_path / name, "x") as source:
        assert np.array_equal(source.window(0, 6, 0, 9).data, CODES)


def test_a_scale_of_zero_and_a_folder_are_refused(tmp_path):
    path = write(tmp_path / "a.tif", CODES, scale=0.0)
    with rasterio.open(path) as made:
        scale = made.scales[0]
    if scale == 0:
        with pytest.raises(InputError, match=r"a\.tif: scale 0"):
            describe(path)
    with pytest.raises(InputError, match="cannot be read as GeoTIFF"):
        describe(tmp_path)


def test_another_format_under_the_name_of_a_geotiff_is_refused(tmp_path):
    """A virtual dataset could name files elsewhere, and would read them."""
    write(tmp_path / "real.tif", CODES)
    (tmp_path / "a.tif").write_text(
        '<VRTDataset rasterXSize="9" rasterYSize="6"><SRS>EPSG:4326</SRS>'
        "<GeoTransform>11.5, 0.01, 0, 58.25, 0, -0.01</GeoTransform>"
        '<VRTRasterBand dataType="Byte" band="1"><SimpleSource><SourceFilename relativeToVRT="1">'
        "real.tif</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>"
    )
    with pytest.raises(InputError, match=r"a\.tif: cannot be read as GeoTIFF"):
        describe(tmp_path / "a.tif")


@pytest.mark.filterwarnings("error")
def test_a_file_without_a_place_is_refused_without_a_warning(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        write(tmp_path / "b.tif", CODES, crs=None, transform=Affine.identity())
    with pytest.raises(InputError, match="no coordinate system"):
        describe(tmp_path / "b.tif")
