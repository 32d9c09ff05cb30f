"""Turn the real series (HILDA+ over southern Sweden, MapBiomas over Brazil) into experiments.

A series has no coarse forcing of its own. Here the forcing is each block's exact class shares,
counted on the very maps that are to be predicted ("known quantities"): skill reached with it is an
upper bound of what a forecast of quantities could give.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from scipy.ndimage import distance_transform_edt

from landstep.data.series_files import Series, write_experiment
from landstep.emulator.classes import MASKED, OUTSIDE, Scheme, scheme
from landstep.emulator.errors import ConfigError, InputError


def sweden_experiment(real_data: Path, out: Path, *, model: str | None = None) -> Path:
    """Write the HILDA+ series of southern Sweden as an experiment: scheme sweden5, blocks of 25.

    real_data : folder with sweden/hildaplus_south_sweden_*.npz and sweden/statics.npz
    out : folder to write to, made where it is not there
    model : path of an ONNX file, for the experiment's key `model`; None leaves it out
    returns : path of the experiment file
    Raises ConfigError where a file is missing or not the only one of its kind, InputError where
    one lacks an array or its arrays do not fit together.
    """
    return write_experiment(sweden_series(real_data), out, model)


def brazil_experiment(real_data: Path, out: Path, *, model: str | None = None) -> Path:
    """Write the MapBiomas series of Brazil as an experiment: scheme brazil9, blocks of 10.

    real_data : folder with brazil/mapbiomas_brazil_*.npz
    The rest as in `sweden_experiment`.
    """
    return write_experiment(brazil_series(real_data), out, model)


def sweden_series(real_data: Path) -> Series:
    """Read the HILDA+ series of southern Sweden; errors as in `sweden_experiment`."""
    maps = find_file(real_data, "sweden/hildaplus_south_sweden_*.npz")
    statics = find_file(real_data, "sweden/statics.npz")
    fields = _read(maps, ("codes", "years"))
    fields |= _read(statics, ("lat", "lon", "elevation", "soil_slt", "ipcc_climate"))
    return _series(
        f"{maps.name} with {statics.name}",
        fields,
        name="HILDA+ southern Sweden",
        of=scheme("sweden5"),
        variant="series",
        block=25,
        source=(
            "HILDA+ vGLOB-1.0 (Winkler et al. 2021, doi:10.1594/PANGAEA.921846), southern Sweden; "
            "elevation and soil of SpeedyWeatherAssets; IPCC climate zones of trends.earth"
        ),
        licence="HILDA+ CC BY 4.0; SpeedyWeatherAssets EUPL-1.2; trends.earth Apache-2.0",
    )


def brazil_series(real_data: Path) -> Series:
    """Read the MapBiomas series of Brazil; errors as in `brazil_experiment`."""
    maps = find_file(real_data, "brazil/mapbiomas_brazil_*.npz")
    needed = ("lu", "years", "lat", "lon", "elevation", "soil_slt", "ipcc_climate")
    fields = _read(maps, needed)
    fields["codes"] = fields.pop("lu")
    return _series(
        maps.name,
        fields,
        name="MapBiomas Brazil",
        of=scheme("brazil9"),
        variant="mapbiomas2",
        block=10,
        source="MapBiomas collection 2.3, Brazil; elevation and soil of SpeedyWeatherAssets; "
        "IPCC climate zones of trends.earth",
        licence="MapBiomas CC BY-SA 4.0; SpeedyWeatherAssets EUPL-1.2; trends.earth Apache-2.0",
    )


def find_file(folder: Path, pattern: str) -> Path:
    """Find the one file of a pattern; ConfigError where there is none, or more than one."""
    found = sorted(Path(folder).glob(pattern))
    if len(found) != 1:
        names = [file.name for file in found] or "none"
        raise ConfigError(
            f"{folder}: expected one file {pattern}, found {names}; name the folder that holds the "
            "real series"
        )
    return found[0]


_DAMAGED = (
    OSError, ValueError, TypeError, EOFError, KeyError, NotImplementedError, RuntimeError,
    MemoryError, SyntaxError, zipfile.BadZipFile, zlib.error, struct.error,
)  # fmt: skip
"""What numpy and zipfile raise for an npz that is damaged or none."""


def _read(path: Path, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Read arrays by name; InputError where the file is damaged or one is missing."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            missing = [name for name in names if name not in arrays.files]
            if missing:
                raise InputError(f"{path}: {missing} not in it; it has {sorted(arrays.files)}")
            found = {name: arrays[name] for name in names}
    except _DAMAGED as error:
        raise InputError(f"{path}: cannot be read as npz ({error}); copy it again") from error
    for name, array in found.items():
        if array.dtype.kind not in "iuf":
            raise InputError(f"{path}, {name}: {array.dtype} values, expected numbers")
    return found


def _series(
    where: str,
    fields: Mapping[str, np.ndarray],
    *,
    name: str,
    of: Scheme,
    variant: str,
    block: int,
    source: str,
    licence: str,
) -> Series:
    """Check a series' arrays against each other, and leave in it what is always land."""
    codes, years = fields["codes"], fields["years"].astype(np.int64)
    if codes.ndim != 3 or not codes.size or years.shape != codes.shape[:1]:
        raise InputError(
            f"{where}: maps {codes.shape}, years {years.shape}; expected (year, y, x) and (year,)"
        )
    if (np.diff(years) != 1).any():
        n = int(np.argmax(np.diff(years) != 1)) + 1
        raise InputError(f"{where}: {years[n]} follows {years[n - 1]}, expected {years[n - 1] + 1}")
    shape = codes.shape[1:]
    lat, lon = fields["lat"].astype(np.float64), fields["lon"].astype(np.float64)
    if (*lat.shape, *lon.shape) not in (shape, (*shape, *shape)):
        raise InputError(f"{where}: lat {lat.shape}, lon {lon.shape} for maps of {shape}")
    for static in ("elevation", "soil_slt", "ipcc_climate"):
        if fields[static].shape != shape:
            raise InputError(f"{where}: {static} is {fields[static].shape}, the maps are {shape}")
    numbers = of.numbers_from_codes(codes, variant, where)
    land = np.asarray(~np.isin(numbers, (OUTSIDE, MASKED)).any(axis=0))
    outside = next(code for code, number in of.variants[variant].items() if number == OUTSIDE)
    elevation = fields["elevation"].astype(np.float32)
    return Series(
        name=name,
        scheme=of,
        variant=variant,
        block=block,
        source=source,
        licence=licence,
        years=years,
        codes=np.where(land, codes, outside).astype(np.uint8),
        lat_deg=lat,
        lon_deg=lon,
        elevation=_on_land(elevation, land, np.nan, f"{where}: elevation"),
        soil_texture=_category(fields["soil_slt"], land, f"{where}: soil_slt"),
        climate_zone=_category(fields["ipcc_climate"], land, f"{where}: ipcc_climate"),
    )


def _category(field: np.ndarray, land: np.ndarray, where: str) -> np.ndarray:
    return _on_land(field.astype(np.uint8), land, 0, where)


def _on_land(field: np.ndarray, land: np.ndarray, beyond: float, where: str) -> np.ndarray:
    """Fill land cells that lack a value from the nearest land cell with one; `beyond` elsewhere.

    Codes lack one where they are 0, numbers where they are not finite. The statics are coarser
    than the maps, so some cells of the coast lack them.
    Raises InputError where no land cell has a value.
    """
    missing = ~np.isfinite(field) if field.dtype.kind == "f" else field == 0
    known = land & ~missing
    if not known.any():
        raise InputError(f"{where} has no value on any of the {int(land.sum())} cells of land")
    row, col = distance_transform_edt(~known, return_distances=False, return_indices=True)
    return np.where(land, field[row, col], beyond).astype(field.dtype)
