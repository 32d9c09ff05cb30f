"""Sources of `landstep prepare`: GeoTIFFs, chunks, gaps at the date line, what is no map."""

from __future__ import annotations

import netCDF4
import numpy as np
import pytest

from landstep.data.gaps import Gaps
from landstep.data.prepare import prepare
from landstep.data.product_grid import lat_centres, lon_centres
from landstep.data.source_map import SourceMap, open_map
from landstep.data.static_maps import CodeMap
from landstep.emulator.errors import InputError
from landstep.emulator.netcdf import NetcdfFile, Variable, write_netcdf

from .made_up_sources import axis, centres, write_field, write_luh2

FIELD = np.random.default_rng(1).integers(1, 8, (35, 72)).astype(np.uint8)
LAT, LON = centres(88, -87, 35), centres(-180, 180, 72)


def write_tif(path, values, *, west, north, step, nodata=None, south_first=False):
    """Write a map with rasterio, one block a row."""
    rasterio = pytest.importorskip("rasterio")
    dy = step if south_first else -step
    edge = north - step * len(values) if south_first else north
    with rasterio.open(
        path, "w", driver="GTiff", count=1, height=values.shape[0], width=values.shape[1],
        dtype=values.dtype, crs="EPSG:4326", nodata=nodata, compress="deflate",
        transform=rasterio.transform.Affine(step, 0, west, 0, dy, edge),
    ) as raster:  # fmt: skip
        raster.write(values[::-1] if south_first else values, 1)
    return path


def write_both(tmp_path, *, south_first=False, east=False, chunks=None):
    """Write FIELD in some order of rows and columns."""
    lat, lon, field = LAT, LON, FIELD
    if south_first:
        lat, field = lat[::-1], field[::-1]
    if east:
        lon, field = np.roll(lon % 360, 36), np.roll(field, 36, axis=1)
    path = tmp_path / "map.nc"
    with netCDF4.Dataset(path, "w") as file:
        for name, values in (("lat", lat), ("lon", lon)):
            file.createDimension(name, values.size)
            file.createVariable(name, "f8", (name,))[:] = values
        made = file.createVariable("codes", "u1", ("lat", "lon"), chunksizes=chunks, zlib=True)
        made[:] = field
    return path


@pytest.mark.parametrize("chunks", [None, (35, 72), (8, 16), (10, 72), (1, 72)])
@pytest.mark.parametrize("south_first", [False, True])
@pytest.mark.parametrize("east", [False, True])
def test_windows_are_parts_of_the_map_and_chunks_are_read_once(
    tmp_path, monkeypatch, south_first, east, chunks
):
    rows_read = []
    read = NetcdfFile.read

    def counted(self, name, index=...):
        if name == "codes":
            rows_read.extend(range(index[0].start, index[0].stop))
        return read(self, name, index)

    monkeypatch.setattr(NetcdfFile, "read", counted)
    path = write_both(tmp_path, south_first=south_first, east=east, chunks=chunks)
    with open_map(path, "codes") as source:
        for top, bottom in ((3, 9), (7, 13), (13, 14), (14, 30), (29, 35)):
            window = source.window(top, bottom, 30, 60)
            assert np.array_equal(window, FIELD[top:bottom, 30:60])
    parts = 1 if not east else 2  # columns 30 to 59 lie on both sides of Greenwich
    assert len(rows_read) == parts * len(set(rows_read))
    with open_map(path, "codes") as source:
        for top in (20, 5, 5, 30):  # back again, too
            assert np.array_equal(source.window(top, top + 5, 0, 72), FIELD[top : top + 5])


@pytest.mark.parametrize("south_first", [False, True])
def test_yearly_geotiffs_and_geotiff_statics_become_an_experiment(tmp_path, south_first):
    draw = np.random.default_rng(5)
    maps = {year: draw.choice([0, 11, 44], (150, 170)).astype(np.uint8) for year in (2014, 2015)}
    place = {"west": 9.9, "north": 51.1, "step": 0.01, "south_first": south_first}
    for year, codes in maps.items():
        write_tif(tmp_path / f"hilda_{year}_v2.tif", codes, **place)
    (tmp_path / "hilda_x_v2.tif").write_bytes(b"not a year")
    height = draw.uniform(0, 90, (150, 170)).astype(np.float32)
    height[:, 85:] = -9999
    write_tif(tmp_path / "high.tif", height, nodata=-9999, **place)
    zones = np.full((150, 170), 3, np.uint8)
    zones[:75] = 15
    write_tif(tmp_path / "zones.tif", zones, nodata=15, **place)
    write_field(tmp_path / "soil.nc", "soil_texture", LAT, LON, FIELD)
    write_luh2(tmp_path / "luh2.nc", [2015])
    (tmp_path / "sources.toml").write_text(
        'name = "tifs"\n[land_use]\nfiles = ["hilda_{year}_v2.tif"]\nscheme = "hilda8"\n'
        'variant = "states"\n[forcing]\nfiles = ["luh2.nc"]\n[statics]\nelevation = "high.tif"\n'
        'soil_texture = "soil.nc"\nclimate_zone = "zones.tif"\n'
    )
    prepare(tmp_path / "sources.toml", tmp_path / "out", (2014, 2015), region="50:51,10:11.5")
    with NetcdfFile(tmp_path / "out" / "land_use.nc") as file:
        found, lat, lon = (file.read(name) for name in ("LULC_states", "lat", "lon"))
        assert file.years().tolist() == [2014, 2015]
    row, col = ((51.1 - lat) / 0.01).astype(int), ((lon - 9.9) / 0.01).astype(int)
    for step, codes in enumerate(maps.values()):
        assert np.array_equal(found[step], codes[np.ix_(row, col)])
    land = (found > 0).any(axis=0)
    with NetcdfFile(tmp_path / "out" / "statics.nc") as file:
        assert np.array_equal(file.read("climate_zone"), np.where(land, 3, 0))
        high = file.read("elevation")
    assert np.array_equal(np.isfinite(high), land) and np.nanmin(high) >= 0


def test_very_large_chunks_are_not_kept(tmp_path, monkeypatch):
    monkeypatch.setattr("landstep.data.source_map._MOST_KEPT", 9 * 72)
    for chunks, rows in (((10, 72), 5), ((9, 72), 9)):
        with open_map(write_both(tmp_path, chunks=chunks), "codes") as source:
            assert np.array_equal(source.window(0, 5, 0, 72), FIELD[:5])
            assert len(source._band) == rows


def test_a_damaged_geotiff_is_named(tmp_path):
    noise = np.random.default_rng(2).integers(0, 256, (400, 300)).astype(np.uint8)
    path = write_tif(tmp_path / "noise.tif", noise, west=0, north=10, step=0.02)
    path.write_bytes(path.read_bytes()[:60_000])
    with pytest.raises(InputError, match=r"noise\.tif: damaged GeoTIFF"):  # noqa: SIM117
        with open_map(path, "") as source:
            source.window(0, 400, 0, 300)


def test_numbers_of_two_parts_are_no_map(tmp_path):
    path = write_tif(tmp_path / "c.tif", np.ones((5, 7), np.complex64), west=0, north=10, step=1.0)
    with pytest.raises(InputError, match=r"c\.tif: .*complex64, expected real numbers"):
        open_map(path, "").__enter__()


def test_what_is_not_one_map_is_refused(tmp_path):
    dims = {"time": 2, "lat": 35, "lon": 72, "n": 3}
    write_netcdf(
        tmp_path / "a.nc",
        dims,
        [
            axis("lat", LAT), axis("lon", LON),
            Variable("two", ("time", "lat", "lon"), np.stack([FIELD, FIELD])),
            Variable("words", ("lat", "lon"), np.full((35, 72), "soil")),
            Variable("turned", ("lon", "lat"), FIELD.T),
        ],
        {},
    )  # fmt: skip
    for name, words in (
        ("two", r"a\.nc, two: dims .* expected one map \(lat, lon\)"),
        ("words", r"a\.nc, words: text, expected numbers"),
        ("turned", r"a\.nc, turned: .* expected last"),
    ):
        with pytest.raises(InputError, match=words):
            open_map(tmp_path / "a.nc", name).__enter__()
    with open_map(tmp_path / "a.nc", "two", 1) as source:
        assert np.array_equal(source.window(0, 35, 0, 72), FIELD)


def test_a_projected_map_is_refused_with_the_way_it_goes(tmp_path):
    dims = {"y": 5, "x": 7}
    lat, lon = np.meshgrid(centres(60, 55, 5), centres(10, 17, 7), indexing="ij")
    lat = lat + 0.01 * lon
    write_netcdf(
        tmp_path / "p.nc",
        dims,
        [
            Variable("lat", ("y", "x"), lat, {"units": "degrees_north"}),
            Variable("lon", ("y", "x"), lon, {"units": "degrees_east"}),
            Variable("soil", ("y", "x"), FIELD[:5, :7], {"coordinates": "lat lon"}),
        ],
        {},
    )
    with pytest.raises(InputError, match=r"p\.nc, soil: on a projected grid.*luh2_blocks"):
        open_map(tmp_path / "p.nc", "soil").__enter__()


def test_a_gap_beside_the_date_line_is_filled_from_across_it(tmp_path):
    """The nearest value lies 12 columns across, others lie 40 columns on this side."""
    lat, lon = lat_centres(np.arange(10000, 10040)), lon_centres(np.arange(43200))
    codes = np.zeros((40, 43200), np.uint8)
    codes[:, 10], codes[:, 43158] = 6, 2
    write_field(tmp_path / "s.nc", "soil_texture", lat, lon, codes)
    rows, cols = np.arange(10010, 10013), np.arange(43190, 43200)
    land = np.ones((3, 10), bool)
    with open_map(tmp_path / "s.nc", "soil_texture") as source:
        static = CodeMap(source, "soil_texture")
        gaps = Gaps("s.nc", static.block, static.samples)
        assert (gaps.fill(rows, cols, land)[:, -2:] == 6).all()
        assert (gaps.fill(rows, np.arange(43160, 43170), land) == 2).all()
    assert (gaps.filled, gaps.far) == (60, 0)
    assert gaps.farthest_m == pytest.approx(19 * 6371007 * np.pi / 180 / 120, rel=0.05)


def test_sea_is_left_alone_and_nothing_is_looked_for_there(tmp_path):
    def no_values(rows, cols):
        return np.zeros((rows.size, cols.size), np.uint8), np.zeros((rows.size, cols.size), bool)

    gaps = Gaps("s.nc", no_values, lambda: pytest.fail("samples were asked for"))
    sea = np.zeros((4, 6), bool)
    assert not gaps.fill(np.arange(4), np.arange(6), sea).any()
    assert gaps.report("soil") == "soil: known on all land"


def test_a_source_is_thinned_to_few_samples(tmp_path):
    lat, lon = centres(90, -90, 2000), centres(-180, 180, 1700)
    codes = np.zeros((2000, 1700), np.uint8)
    codes[300, 400], codes[301, 401] = 5, 4  # every third row and every second column
    write_field(tmp_path / "s.nc", "soil_texture", lat, lon, codes)
    with open_map(tmp_path / "s.nc", "soil_texture") as source:
        assert isinstance(source, SourceMap)
        north, east, values = CodeMap(source, "soil_texture").samples()
    assert values.tolist() == [5]
    assert (north[0], east[0]) == (pytest.approx(lat[300]), pytest.approx(lon[400]))
