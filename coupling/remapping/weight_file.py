"""SCRIP and ESMF weight files: from the map's cells to a host's points, made by another program.

Source: Jones 1998, A User's Guide for SCRIP (remap_matrix, normalization); ESMF Reference Manual,
Regridding, Weight File Format (row, col, S, area_a, area_b, frac_b; destination-area normalization
where the file names none).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from landstep.coupling.file_numbers import check_numbers, read_numbers
from landstep.coupling.remapping.source_order import map_cells
from landstep.coupling.remapping.weights import TOO_MUCH, Weights, parts_of_cells
from landstep.emulator.errors import InputError
from landstep.emulator.grid import AREA_UNIT_M2, EARTH_RADIUS_M, Grid
from landstep.emulator.netcdf import NetcdfFile


@dataclass(frozen=True)
class Layout:
    """Names of what a format keeps: links, sizes, and for source and target cells the rest."""

    target: str
    source: str
    weight: str
    sizes: tuple[str, str]
    areas: tuple[str, str]
    target_fraction: str
    source_centres: tuple[str, str]
    target_centres: tuple[str, str]
    masks: tuple[str, str]
    normalization: str | None


ESMF = Layout(
    "row",
    "col",
    "S",
    ("n_a", "n_b"),
    ("area_a", "area_b"),
    "frac_b",
    ("yc_a", "xc_a"),
    ("yc_b", "xc_b"),
    ("mask_a", "mask_b"),
    "destarea",
)
SCRIP = Layout(
    "dst_address",
    "src_address",
    "remap_matrix",
    ("src_grid_size", "dst_grid_size"),
    ("src_grid_area", "dst_grid_area"),
    "dst_grid_frac",
    ("src_grid_center_lat", "src_grid_center_lon"),
    ("dst_grid_center_lat", "dst_grid_center_lon"),
    ("src_grid_imask", "dst_grid_imask"),
    None,
)
NORMALIZATIONS = ("destarea", "fracarea", "none")


def read_weights(path: Path | str, grid: Grid) -> Weights:
    """Read the weights of a conservative remapping from all of a map to all of a host's points.

    grid : of the map. The file may hold its cells in any order where it says where they lie (yc_a
        and xc_a, or src_grid_center_lat and _lon); else they must be north first, eastward
    Raises InputError, naming the variable and the first wrong link or cell: a file of neither
    format, of another source grid, without links, text for numbers, addresses outside the grids or
    of masked cells, weights that are negative, no number or all 0, areas that are missing, 0 or no
    number, centres that are none, more given of a cell than there is of it, or more to one.
    """
    with NetcdfFile(path) as file:
        names = file.names()
        of = next((each for each in (ESMF, SCRIP) if each.weight in names), None)
        if of is None:
            raise InputError(
                f"{file.path}: neither S (ESMF) nor remap_matrix (SCRIP) in it; has {names}; "
                "expected a weight file"
            )
        try:
            return _Reader(file, of, grid).weights()
        except MemoryError as error:
            sizes = {
                d: n
                for name in names
                for d, n in zip(file.dims(name), file.shape(name), strict=True)
            }
            raise InputError(
                f"{file.path}: its sizes {sizes} need more memory than there is ({error}); make "
                "the weights for the host's grid"
            ) from error


@dataclass(frozen=True)
class _Reader:
    """A weight file, its format, and the grid that it must be of."""

    file: NetcdfFile
    of: Layout
    grid: Grid

    @np.errstate(over="ignore", invalid="ignore", divide="ignore")  # what comes of it is refused
    def weights(self) -> Weights:
        """Read all of it."""
        n_source, n_target = self._sizes()
        weight = self._weight()
        source = self._addresses(self.of.source, n_source, weight.size)
        target = self._addresses(self.of.target, n_target, weight.size)
        self._refuse_masked(source, target, weight)
        areas = self.grid.cell_area()
        area = np.broadcast_to(areas, self.grid.shape).ravel()
        cells = self._map_cells(n_source)
        source_area = self._source_area(area[cells])
        target_area = self._numbers(self.of.areas[1], n_target, np.zeros(n_target))
        overlap = weight * self._scale(target_area, n_target, target)[target]
        given = np.flatnonzero(weight > 0)
        self._refuse_zero(self.of.areas[0], source_area, source[given])
        self._refuse_too_full(target, overlap, target_area)
        share = overlap[given] / source_area[source[given]]
        cell = cells[source[given]]
        order = np.lexsort((target[given], cell))
        cell, to = cell[order], target[given][order]
        part = parts_of_cells(cell, share[order], area, str(self.file.path))
        units = area.sum(dtype=np.float64) / source_area.sum()
        centres = self._centres(self.of.target_centres, n_target)
        return Weights(to, cell, part, target_area * units, centres, str(self.file.path))

    def _sizes(self) -> tuple[int, int]:
        """Cells of the source and the target grid; InputError where the source is not the map."""
        found: dict[str, int] = {}
        for name in self.file.names():
            found |= dict(zip(self.file.dims(name), self.file.shape(name), strict=True))
        for name, area in zip(self.of.sizes, self.of.areas, strict=True):
            if name not in found:
                raise InputError(f"{self.file.path}: no variable on {name}, expected {area}")
        n_source, n_target = (found[name] for name in self.of.sizes)
        ny, nx = self.grid.shape
        shape = [nx, ny]
        if "src_grid_dims" in self.file.names():
            check_numbers(self.file, "src_grid_dims")
            if self.file.shape("src_grid_dims") == (2,):
                shape = [int(size) for size in self.file.read("src_grid_dims")]
        if n_source != ny * nx or shape != [nx, ny]:
            raise InputError(
                f"{self.file.path}: made from a grid of {n_source} cells ({shape[0]} x "
                f"{shape[1]}), the map has {ny * nx} ({nx} x {ny}); make it from the map's grid"
            )
        return n_source, n_target

    def _addresses(self, name: str, size: int, links: int) -> np.ndarray:
        """Places of the links, from 0: int64; InputError for one outside the grid."""
        shape = self.file.shape(name)
        if shape != (links,):
            many = shape[0] if len(shape) == 1 else f"{shape} of"
            raise InputError(
                f"{self.file.path}: {links} weights for {many} links in {name}, expected as many"
            )
        found = read_numbers(self.file, name, expected="the number of a cell for each link")
        wrong = np.flatnonzero(~((found >= 1) & (found <= size) & (found == np.rint(found))))
        if wrong.size:
            counted = "; are cells counted from 0? count them from 1" if found.min() == 0 else ""
            raise InputError(
                f"{self.file.path}: {name} is {found[wrong[0]]:g} at link {wrong[0]}, expected 1 "
                f"to {size}, whole numbers{counted}"
            )
        return found.astype(np.int64) - 1

    def _weight(self) -> np.ndarray:
        """Weights of the links; of SCRIP's, the first of each: the others are of gradients."""
        name, shape = self.of.weight, self.file.shape(self.of.weight)
        flat = len(shape) == 1 or (len(shape) == 2 and self.of is SCRIP and shape[1] > 0)
        if not flat or shape[0] == 0:
            expected = "(links, weights of each)" if self.of is SCRIP else "(links,)"
            raise InputError(
                f"{self.file.path}, {name}: shape {shape}, expected {expected} with 1 link or more"
            )
        found = read_numbers(self.file, name)
        weight = found if found.ndim == 1 else found[:, 0]
        wrong = np.flatnonzero(~((weight >= 0) & np.isfinite(weight)))
        if wrong.size:
            raise InputError(
                f"{self.file.path}: {name} is {weight[wrong[0]]} at link {wrong[0]}, "
                "expected 0 or more; make it conservative, of first order"
            )
        if not weight.any():
            raise InputError(
                f"{self.file.path}: {name} is 0 at all {weight.size} links, expected some above 0: "
                "no point would get any land; make the file anew"
            )
        return weight

    def _refuse_masked(self, source: np.ndarray, target: np.ndarray, weight: np.ndarray) -> None:
        """Refuse links of cells that the file itself masks."""
        for name, linked in zip(self.of.masks, (source, target), strict=True):
            if name not in self.file.names():
                continue
            size = self.file.shape(name)
            mask = read_numbers(self.file, name).ravel()
            if mask.size <= linked.max():
                raise InputError(f"{self.file.path}, {name}: shape {size}, expected one a cell")
            wrong = np.flatnonzero((weight > 0) & (mask[linked] == 0))
            if wrong.size:
                link = int(wrong[0])
                raise InputError(
                    f"{self.file.path}: {name} is 0 at cell {linked[link] + 1}, yet link {link} "
                    f"gives it a weight of {weight[link]:g}; expected no link of a masked cell"
                )

    def _refuse_too_full(
        self, target: np.ndarray, overlap: np.ndarray, target_area: np.ndarray
    ) -> None:
        """Refuse a target cell that gets more area than it has."""
        total = np.bincount(target, overlap, target_area.size)
        wrong = np.flatnonzero((target_area > 0) & (total > (1 + TOO_MUCH) * target_area))
        if wrong.size:
            cell = int(wrong[0])
            raise InputError(
                f"{self.file.path}: the weights of target cell {cell + 1} fill "
                f"{total[cell] / target_area[cell]:.6g} of it (n={wrong.size} of "
                f"{target_area.size} cells), expected at most 1; make the weights conservative"
            )

    def _numbers(self, name: str, n: int, default: np.ndarray) -> np.ndarray:
        """Return a number of 0 or more for each cell of a grid; the default where there is none."""
        if name not in self.file.names():
            return default
        found = self._of_cells(name, n)
        wrong = np.flatnonzero(~((found >= 0) & np.isfinite(found)))
        if wrong.size:
            raise InputError(
                f"{self.file.path}: {name} is {found[wrong[0]]} at cell {wrong[0] + 1} "
                f"(n={wrong.size} of {n}), expected 0 or more"
            )
        return found

    def _of_cells(self, name: str, n: int) -> np.ndarray:
        """Read a value for each cell of a grid: (n,) float64."""
        shape = self.file.shape(name)
        if int(np.prod(shape, dtype=np.float64)) != n:
            raise InputError(
                f"{self.file.path}: {name} has {int(np.prod(shape, dtype=np.float64))} values, "
                f"expected {n}"
            )
        return read_numbers(self.file, name).ravel()

    def _source_area(self, area: np.ndarray) -> np.ndarray:
        """Areas of the source cells in the file's unit, or of the map's cells in steradians."""
        own = area * (AREA_UNIT_M2 / EARTH_RADIUS_M**2)
        return self._numbers(self.of.areas[0], area.size, own)

    def _scale(self, target_area: np.ndarray, n_target: int, linked: np.ndarray) -> np.ndarray:
        """Area that a weight of 1 stands for, of each target cell."""
        kind = self.file.attrs().get("normalization", self.of.normalization)
        if not isinstance(kind, str) or kind not in NORMALIZATIONS:
            raise InputError(
                f"{self.file.path}: normalization is {kind!r}, expected one of {NORMALIZATIONS}"
            )
        if kind == "none":
            return np.ones(n_target)
        self._refuse_zero(self.of.areas[1], target_area, linked)
        if kind == "destarea":
            return target_area
        fraction = self._numbers(self.of.target_fraction, n_target, np.zeros(n_target))
        self._refuse_zero(self.of.target_fraction, fraction, linked)
        return target_area * fraction

    def _refuse_zero(self, name: str, values: np.ndarray, linked: np.ndarray) -> None:
        wrong = linked[~(values[linked] > 0)]
        if wrong.size:
            raise InputError(
                f"{self.file.path}: {name} is missing or {values[wrong[0]]:g} at cell "
                f"{wrong[0] + 1}, expected above 0; make the weights conservative"
            )

    def _centres(self, names: tuple[str, str], n: int) -> np.ndarray | None:
        """Latitude and longitude of a grid's centres, (2, n) degrees, where the file has them."""
        if not set(names) <= set(self.file.names()):
            return None
        found = [self._of_cells(name, n) for name in names]
        nan = np.full(n, names == self.of.source_centres)  # those are looked for on the map
        for k, (name, limit) in enumerate(zip(names, (90.0, 720.0), strict=True)):
            if str(self.file.attrs(name).get("units", "degrees")).strip().startswith("rad"):
                found[k] = np.rad2deg(found[k])
            wrong = np.flatnonzero(~(np.abs(found[k]) <= limit + 1e-3) & ~np.isnan(found[k]))
            wrong = wrong if wrong.size else np.flatnonzero(np.isnan(found[k]) & ~nan)
            if wrong.size:
                raise InputError(
                    f"{self.file.path}: {name} is {found[k][wrong[0]]} at cell {wrong[0] + 1} "
                    f"(n={wrong.size} of {n}), expected {-limit:g} to {limit:g} degrees"
                )
        return np.stack(found)

    def _map_cells(self, n_source: int) -> np.ndarray:
        """The map's cell of each source cell: (n_source,) int64."""
        centres = self._centres(self.of.source_centres, n_source)
        if centres is None:
            return np.arange(n_source)
        return map_cells(centres[0], centres[1], self.grid, str(self.file.path))
