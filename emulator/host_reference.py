"""A host's own climate without a change: monthly means from which its changes are counted.

A host that observes writes it (`write_host_reference`), and a run reads it (`HostReference.read`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from landstep.emulator.assembly import Assembly
from landstep.emulator.attributes import text
from landstep.emulator.climate import Climate
from landstep.emulator.coarse_places import from_nearest, places_of
from landstep.emulator.coordinates import find_axes, find_cells
from landstep.emulator.errors import ConfigError, CouplingError, InputError
from landstep.emulator.first_look import file_sha256
from landstep.emulator.host_values import VARIABLES, ZONE_VARIABLES, check_month_means, checked
from landstep.emulator.inputs import Inputs
from landstep.emulator.netcdf import NetcdfFile, Variable, write_netcdf
from landstep.emulator.reference_climate import find_variable

FILE = "landstep_host_climate.nc"
"""What a run that observes writes its host's climate to."""


@dataclass(frozen=True, eq=False)
class HostReference:
    """A host's own climate on the coarse cells that a rank holds.

    file, sha256 : name of the file that it was read from, and of its bytes
    means : name -> (12, cy, cx) float64, SI, January first; NaN where the file has nothing near
    """

    file: str
    sha256: str
    means: dict[str, np.ndarray]

    @classmethod
    def read(cls, path: Path, inputs: Inputs) -> HostReference:
        """Read a climate of air_temperature or precipitation_flux, or both.

        path : NetCDF with (month, lat, lon) or (month, y, x) and the latitude and longitude of each
            cell, on any grid, January first, and units named
        A coarse cell takes the nearest cell that has a climate, no farther than it would take one
        of the host's points. Raises InputError naming file, variable and what is wrong.
        """
        with NetcdfFile(path) as file:
            variables = {name: find_variable(file, name) for name in ZONE_VARIABLES}
            means = {n: _read(file, n, v, inputs) for n, v in variables.items() if v is not None}
            if not means:
                raise InputError(
                    f"{path.name}: none of {', '.join(ZONE_VARIABLES)} in it, by name or "
                    f"standard_name; has {file.names()}"
                )
        return cls(path.name, file_sha256(path), means)

    def of(self, name: str) -> np.ndarray:
        """Return the means of a variable; ConfigError where the file has none of it."""
        if name not in self.means:
            raise ConfigError(
                f"{name}: [climate] host_reference {self.file} has {', '.join(self.means)} alone, "
                f"and a host's {name} would count with its bias; observe a run that puts both"
            )
        return self.means[name]


def _read(file: NetcdfFile, name: str, variable: str, inputs: Inputs) -> np.ndarray:
    """Read a variable onto the coarse cells: (12, cy, cx) float64, SI."""
    where, shape = f"{file.path.name}, {variable}", file.shape(variable)
    if len(shape) != 3 or shape[0] != 12:
        raise InputError(
            f"{where}: dims {file.dims(variable)} of sizes {shape}, expected 12 months first, "
            "(month, lat, lon): the mean of many years"
        )
    lat, lon = _places(file, variable)
    units = text(file.attrs(variable), "units")
    if not units.strip():
        raise InputError(f"{where}: names no units; set its attribute units")
    stored = file.numbers(variable).astype(np.float64).reshape(12, -1)
    known = np.isfinite(stored).all(axis=0)
    if not known.any():
        raise InputError(f"{where}: no cell has a value in each of the 12 months")
    try:
        means = np.stack([checked(name, m[known], units, where=where) for m in stored])
    except CouplingError as error:
        raise InputError(str(error)) from error
    check_month_means(name, means, f"in {where}")
    return from_nearest(means.T, lat.ravel()[known], lon.ravel()[known], inputs)


def _places(file: NetcdfFile, variable: str) -> tuple[np.ndarray, np.ndarray]:
    """Latitude and longitude of a variable's cells: two (y, x) float64, degrees."""
    where, shape = f"{file.path.name}, {variable}", file.shape(variable)[1:]
    named = find_axes(file, variable) or find_cells(file, variable)
    if named is None:
        raise InputError(
            f"{where}: the latitude and longitude of its cells are not in the file; expected "
            "variables with units degrees_north and degrees_east"
        )
    lat, lon = (file.coordinate(name).astype(np.float64) for name in named)
    if lat.ndim == 1:
        lat, lon = np.broadcast_to(lat[:, None], shape), np.broadcast_to(lon[None, :], shape)
    lat, lon = lat.reshape(shape), lon.reshape(shape)
    if not (np.isfinite(lat) & np.isfinite(lon)).all():
        raise InputError(f"{where}: {named[0]} or {named[1]} holds a missing value")
    return lat, lon


def write_host_reference(path: Path, climate: Climate, inputs: Inputs, assembly: Assembly) -> None:
    """Write the mean of the years that a climate holds, thirty at most. All ranks call it.

    path : the file; its folder is there
    A host that gives one climate every year gets exactly that. Raises InputError where it cannot be
    written.
    """
    mean = _mean(climate)
    flat = assembly.coarse(mean.reshape(-1, *climate.shape))
    lat, lon = assembly.coarse(np.stack(places_of(inputs)))
    with assembly.ranks.together():
        if not assembly.ranks.is_first:
            return
        regular = inputs.grid.kind == "regular"
        dims = ("lat", "lon") if regular else ("y", "x")
        of_cells = (("lat",), ("lon",)) if regular else (dims, dims)
        places = (lat[:, 0], lon[0]) if regular else (lat, lon)
        kinds = (("latitude", "degrees_north"), ("longitude", "degrees_east"))
        whole = flat.reshape(len(climate.variables), 12, *lat.shape)
        years = climate.last - len(climate.years) + 1, climate.last
        write_netcdf(
            path,
            {"month": 12, dims[0]: lat.shape[0], dims[1]: lat.shape[1]},
            [
                Variable("month", ("month",), np.arange(1, 13, dtype=np.int32), _MONTH),
                *(
                    Variable(name, of, values, {"standard_name": kind, "units": unit})
                    for name, of, values, (kind, unit) in zip(
                        ("lat", "lon"), of_cells, places, kinds, strict=True
                    )
                ),
                *(
                    Variable(
                        name,
                        ("month", *dims),
                        values,
                        {"standard_name": name, "units": next(iter(VARIABLES[name].units))}
                        | ({} if regular else {"coordinates": "lat lon"}),
                        fill=np.nan,
                    )
                    for name, values in zip(climate.variables, whole, strict=True)
                ),
            ],
            {
                "Conventions": "CF-1.11",
                "title": "a host's own climate, for [climate] host_reference",
                "source": f"landstep, observing: mean of {years[0]} to {years[1]}",
                "years": np.int32(len(climate.years)),
            },
        )


_MONTH = {"long_name": "month of the year, January first", "units": "1"}


def _mean(climate: Climate) -> np.ndarray:
    """Mean over the years that know a month: (V, 12, cy, cx) float64, NaN where none does."""
    total = np.zeros(climate.years[0].shape)
    count = np.zeros(climate.years[0].shape, np.int64)
    for year in climate.years:
        known = ~np.isnan(year)
        total += np.where(known, year, 0.0)
        count += known
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
