"""Small files of hosts, by their documented formats, and weight files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import netCDF4
import numpy as np

from landstep.emulator.grid import AREA_UNIT_M2, EARTH_RADIUS_M, Grid
from landstep.emulator.netcdf import Variable, write_netcdf


def _put(file: Any, name: str, kind: str, dims: tuple[str, ...], values: Any, **attrs: Any) -> None:
    variable = file.createVariable(name, kind, dims)
    variable.setncatts(attrs)
    variable[:] = values


def write_ecland(path: Path, lat: np.ndarray, lon: np.ndarray) -> None:
    """Write a surfclim of ecLand on rows and columns, in the classic form."""
    with netCDF4.Dataset(path, "w", format="NETCDF3_CLASSIC") as file:
        for name, values in (("lat", lat), ("lon", lon)):
            file.createDimension(name, len(values))
            _put(file, name, "f8", (name,), values)
        file.createDimension("month", 12)
        on, shape = ("lat", "lon"), (len(lat), len(lon))
        for name, value in (("cvl", 0.3), ("cvh", 0.4), ("tvl", 1.0), ("tvh", 3.0), ("cu", 0.05)):
            _put(file, name, "f8", on, np.full(shape, value))
        for name, value in (("Mlail", 2.0), ("Mlaih", 4.0), ("Malbedo", 0.15)):
            _put(file, name, "f8", ("month", *on), np.full((12, *shape), value))


def write_speedy(path: Path, lat: np.ndarray, lon: np.ndarray) -> None:
    """Write a surface.nc of SPEEDY."""
    with netCDF4.Dataset(path, "w") as file:
        for name, values in (("lat", lat), ("lon", lon)):
            file.createDimension(name, len(values))
            _put(file, name, "f4", (name,), values)
        shape = (len(lat), len(lon))
        for name, value in (("lsm", 1.0), ("vegh", 0.3), ("vegl", 0.4), ("alb", 0.2)):
            _put(file, name, "f4", ("lat", "lon"), np.full(shape, value, np.float32))


def write_noahmp(path: Path, lat: np.ndarray, lon: np.ndarray) -> None:
    """Write a wrfinput with the fields of Noah-MP."""
    with netCDF4.Dataset(path, "w", format="NETCDF4_CLASSIC") as file:
        file.createDimension("Time", None)
        file.createDimension("south_north", len(lat))
        file.createDimension("west_east", len(lon))
        file.MMINLU = "MODIFIED_IGBP_MODIS_NOAH"
        lons, lats = np.meshgrid(lon, lat[::-1])
        dims = ("Time", "south_north", "west_east")
        kinds = np.tile([10, 12, 4, 1, 13, 17], 99)[: lats.size].reshape(lats.shape)
        for name, kind, values in (
            ("XLAT", "f4", lats), ("XLONG", "f4", lons), ("LANDMASK", "f4", kinds != 17),
            ("IVGTYP", "i4", kinds), ("LU_INDEX", "f4", kinds), ("VEGFRA", "f4", 60 + 0 * lats),
            ("SHDMAX", "f4", 80 + 0 * lats), ("SHDMIN", "f4", 10 + 0 * lats),
            ("LAI", "f4", 2 + 0 * lats),
        ):  # fmt: skip
            _put(file, name, kind, dims, np.asarray(values)[None])


def write_ctsm(path: Path, lat: np.ndarray, lon: np.ndarray, years: tuple[int, ...] = ()) -> None:
    """Write surface data of CTSM, or with `years` a land-use series."""
    generator, on = np.random.default_rng(5), ("lsmlat", "lsmlon")
    shape, n = (len(lat), len(lon)), (len(years),) if years else ()
    record = ("time",) if years else ()
    with netCDF4.Dataset(path, "w", format="NETCDF3_64BIT_DATA") as file:
        for name, size in (("lsmlon", shape[1]), ("lsmlat", shape[0]), ("time", None),
                           ("natpft", 15), ("cft", 2), ("numurbl", 3)):  # fmt: skip
            file.createDimension(name, size)
        lons, lats = np.meshgrid(lon, lat)
        _put(file, "LONGXY", "f8", on, lons)
        _put(file, "LATIXY", "f8", on, lats)
        _put(file, "natpft", "i4", ("natpft",), np.arange(15))
        _put(file, "cft", "i4", ("cft",), np.arange(15, 17))
        if years:
            _put(file, "YEAR", "i4", ("time",), years)
        crop, lake = (20 * generator.random(n + shape) for _ in range(2))
        urban = 5 * generator.random((*n, 3, *shape))
        for name, values, levels in (
            ("PCT_CROP", crop, ()), ("PCT_LAKE", lake, ()), ("PCT_URBAN", urban, ("numurbl",)),
            ("PCT_NAT_PFT", _percent(generator, (*n, 15, *shape)), ("natpft",)),
            ("PCT_CFT", _percent(generator, (*n, 2, *shape)), ("cft",)),
        ):  # fmt: skip
            _put(file, name, "f8", (*record, *levels, *on), values, units="unitless")
            if years:
                _put(file, f"{name}_MAX", "f8", (*levels, *on), values.max(axis=0))
        if not years:
            rest = 96 - crop - lake - urban.sum(axis=-3)
            for name, values in (("PCT_NATVEG", rest), ("PCT_GLACIER", 2.0), ("PCT_WETLAND", 2.0)):
                _put(file, name, "f8", on, np.broadcast_to(values, shape))


def _percent(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    values = generator.random(shape)
    return 100 * values / values.sum(axis=-3, keepdims=True)


IFS = {27: 0.3, 28: 0.4, 29: 1.0, 30: 3.0, 26: 0.05, 172: 1.0}
IFS_MONTHLY = {66: 2.0, 67: 4.0, 174: 0.15}


def write_ifs(path: Path, lat: np.ndarray, lon: np.ndarray) -> None:
    """Write climate fields of the IFS on rows and columns of a region."""
    import eccodes as codes

    def message(parameter: int, date: int, value: float) -> bytes:
        handle = codes.codes_grib_new_from_samples("regular_ll_sfc_grib1")
        try:
            for key, number in (
                ("Ni", len(lon)), ("Nj", len(lat)),
                ("latitudeOfFirstGridPointInDegrees", lat[0]),
                ("latitudeOfLastGridPointInDegrees", lat[-1]),
                ("longitudeOfFirstGridPointInDegrees", lon[0]),
                ("longitudeOfLastGridPointInDegrees", lon[-1]),
                ("iDirectionIncrementInDegrees", 0.25), ("jDirectionIncrementInDegrees", 0.25),
                ("paramId", parameter), ("dataDate", date), ("bitsPerValue", 16),
            ):  # fmt: skip
                codes.codes_set(handle, key, number)
            values = value * (1 + 0.01 * np.arange(len(lat) * len(lon)))
            kept = np.full(values.shape, value) if parameter in (29, 30, 172) else values
            codes.codes_set_values(handle, kept)
            return bytes(codes.codes_get_message(handle))
        finally:
            codes.codes_release(handle)

    _write_ifs(path, message)


def write_ifs_global(path: Path) -> None:
    """Write the same fields on a reduced Gaussian grid of the whole Earth."""
    from landstep.coupling.host_files.grib_library import grid_places, new_message

    n = grid_places("O8")[0].size

    def message(parameter: int, date: int, value: float) -> bytes:
        return new_message("O8", parameter, date, np.full(n, value), 1e-3)

    _write_ifs(path, message)


def _write_ifs(path: Path, message: Any) -> None:
    pieces = [message(parameter, 20000101, value) for parameter, value in IFS.items()]
    for parameter, value in IFS_MONTHLY.items():
        pieces += [message(parameter, 20000015 + 100 * month, value) for month in range(1, 13)]
    path.write_bytes(b"".join(pieces))


def weight_grid() -> Grid:
    """Return a map of 6 x 8 cells of half a degree."""
    return Grid.regular(49.75 - 0.5 * np.arange(6), 10.25 + 0.5 * np.arange(8), "region")


def write_weights(path: Path, grid: Grid, kind: str) -> None:
    """Write the weights of 3 x 4 host cells, each of 2 x 2 of the map's."""
    ny, nx = grid.shape
    area = np.broadcast_to(grid.cell_area(), grid.shape).ravel() * (
        AREA_UNIT_M2 / EARTH_RADIUS_M**2
    )
    row, col = np.divmod(np.arange(ny * nx), nx)
    target = row // 2 * (nx // 2) + col // 2
    target_area = np.bincount(target, area)
    weight = area / target_area[target]
    lat, lon = (v.ravel() for v in np.meshgrid(grid.lat_deg, grid.lon_deg, indexing="ij"))
    centres = [np.bincount(target, v) / np.bincount(target) for v in (lat, lon)]
    esmf = kind == "esmf"
    a, b, s = ("n_a", "n_b", "n_s") if esmf else ("src_grid_size", "dst_grid_size", "num_links")
    dims = {a: ny * nx, b: target_area.size, s: weight.size, "num_wgts": 3, "rank": 2}
    weights = weight if esmf else np.stack([weight, 0 * weight, 0 * weight], axis=1)
    degrees = {"units": "degrees"}
    names = (
        "S row col area_a area_b frac_b yc_a xc_a yc_b xc_b" if esmf else
        "remap_matrix dst_address src_address src_grid_area dst_grid_area dst_grid_frac "
        "src_grid_center_lat src_grid_center_lon dst_grid_center_lat dst_grid_center_lon"
    ).split()  # fmt: skip
    values = (weights, target + 1, np.arange(ny * nx) + 1, area, target_area,
              np.ones(target_area.size), lat, lon, *centres)  # fmt: skip
    along = (
        (s,) if esmf else (s, "num_wgts"),
        (s,),
        (s,),
        (a,),
        (b,),
        (b,),
        (a,),
        (a,),
        (b,),
        (b,),
    )
    variables = [
        Variable(name, dim, value.astype(np.int32) if value.dtype.kind == "i" else value,
                 degrees if number > 5 else {})
        for number, (name, dim, value) in enumerate(zip(names, along, values, strict=True))
    ]  # fmt: skip
    variables.append(Variable("src_grid_dims", ("rank",), np.array([nx, ny], np.int32)))
    write_netcdf(path, dims, variables, {"normalization": "destarea"})
