"""Pictures of a run: land use before, after, what changed; class areas over the years."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from landstep.emulator.classes import Scheme
from landstep.emulator.errors import DependencyError, InputError
from landstep.emulator.experiment import load_experiment
from landstep.emulator.grid import AREA_UNIT_M2, Blocks, Grid
from landstep.emulator.inputs import Inputs, open_inputs
from landstep.emulator.netcdf import NetcdfFile
from landstep.emulator.output import class_areas

KM2 = AREA_UNIT_M2 / 1e6


def draw_run(experiment: Path, output: Path) -> list[Path]:
    """Draw the maps that `landstep run` left in a folder.

    returns : paths of the two pictures, land_use.png and class_areas.png, in that folder
    Raises InputError where the folder holds fewer than two maps, DependencyError without
    matplotlib.
    """
    inputs = open_inputs(load_experiment(experiment))
    years = sorted(int(path.stem.rsplit("_", 1)[1]) for path in output.glob("land_use_*.nc"))
    if len(years) < 2:
        raise InputError(
            f"{output}: {len(years)} maps named land_use_YEAR.nc, expected at least 2; "
            "`landstep run` writes them"
        )
    maps = {year: read_map(output / f"land_use_{year}.nc", inputs.scheme) for year in years}
    return [
        draw_maps(maps[years[0]], maps[years[-1]], (years[0], years[-1]), inputs, output),
        draw_areas(maps, inputs, output),
    ]


def read_map(path: Path, scheme: Scheme) -> np.ndarray:
    """Read a map that `Emulator.write` wrote: (y, x) uint8 class numbers."""
    with NetcdfFile(path) as file:
        codes = file.read("land_use")[0].astype(np.int8).view(np.uint8)
    numbers = np.full(256, 255, np.uint8)
    numbers[list(scheme.codes)] = np.arange(scheme.n_classes)
    return numbers[codes]


def draw_maps(
    before: np.ndarray, after: np.ndarray, years: tuple[int, int], inputs: Inputs, folder: Path
) -> Path:
    """Draw land use before and after, and the cells that changed in the colour of what they became.

    before, after : (y, x) uint8 class numbers
    returns : path of land_use.png
    """
    plt, colors, patches = _matplotlib()
    scheme = inputs.scheme
    shown = colors.ListedColormap(scheme.colours)
    changed = before != after
    became = np.ma.masked_where(~changed, after)
    backdrop = np.where(np.isin(after, scheme.fixed_numbers), 0.82, 0.97)
    figure, axes = plt.subplots(1, 3, figsize=(15, 5.6), layout="constrained")
    extent, shape = _extent(inputs.grid)
    for axis, values, title in (
        (axes[0], before, f"land use {years[0]}"),
        (axes[1], after, f"land use {years[1]}"),
        (axes[2], became, f"changed {years[0]} to {years[1]}: what cells became"),
    ):
        if values is became:
            axis.imshow(backdrop, cmap="gray", vmin=0, vmax=1, extent=extent, aspect=shape)
        axis.imshow(
            values,
            cmap=shown,
            vmin=-0.5,
            vmax=scheme.n_classes - 0.5,
            interpolation="nearest",
            extent=extent,
            aspect=shape,
        )
        axis.set_title(title, fontsize=11)
        _label(axis, inputs.grid)
    share = changed.sum() / max(1, (~np.isin(before, scheme.fixed_numbers)).sum())
    axes[2].set_xlabel(f"{share:.2%} of land cells")
    figure.legend(
        handles=[
            patches.Patch(facecolor=colour, edgecolor="0.6", label=name)
            for colour, name in zip(scheme.colours, scheme.long_names, strict=True)
        ],
        loc="outside lower center",
        ncols=4,
        frameon=False,
    )
    return _save(figure, plt, folder / "land_use.png")


def draw_areas(maps: dict[int, np.ndarray], inputs: Inputs, folder: Path) -> Path:
    """Draw each class's area over the years, and what the forcing asks for of the classes that its
    states name by themselves.

    maps : year -> (y, x) uint8 class numbers
    returns : path of class_areas.png
    """
    plt, _, _ = _matplotlib()
    scheme, years = inputs.scheme, sorted(maps)
    areas = np.array([class_areas(maps[y], inputs.grid, scheme.n_classes) for y in years]) * KM2
    asked = np.array([forcing_areas(inputs, year) for year in years]) * KM2
    drawn = [k for k in range(scheme.n_classes) if not scheme.fixed[k]]
    columns = 3
    rows = -(-len(drawn) // columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(13, 3.1 * rows), layout="constrained", squeeze=False
    )
    for axis, k in zip(axes.flat, drawn, strict=False):
        axis.plot(years, areas[:, k] / 1e3, color=scheme.colours[k], lw=2.5, label="landstep")
        if stated(inputs, k):
            axis.plot(years, asked[:, k] / 1e3, "k--", lw=1.2, label="forcing")
        axis.set_title(scheme.long_names[k], fontsize=10)
        axis.set_ylabel("1000 km$^2$")
        axis.xaxis.get_major_locator().set_params(integer=True)
        _steady_scale(axis, areas[:, k] / 1e3)
        axis.legend(frameon=False, fontsize=8)
    for axis in axes.flat[len(drawn) :]:
        axis.axis("off")
    return _save(figure, plt, folder / "class_areas.png")


def _steady_scale(axis: Any, values: np.ndarray) -> None:
    """Show at least 4 % of a class's area, so that a still class looks still."""
    low, high = axis.get_ylim()
    middle, half = (low + high) / 2, max((high - low) * 0.7, 0.02 * float(values.mean()))
    axis.set_ylim(middle - half, middle + half)
    axis.ticklabel_format(axis="y", useOffset=False)


def stated(inputs: Inputs, number: int) -> bool:
    """Tell whether the forcing's states name a class by definition, and not as potential land.

    LUH2's primary and secondary states say what land could carry, so forest, grass and other land
    are not compared with them. Source: Hurtt et al. 2020, doi:10.5194/gmd-13-5425-2020.
    """
    potential = {"primf", "primn", "secdf", "secdn"}
    mix = inputs.scheme.mix
    name = inputs.scheme.names[number]
    naming = [s for s in inputs.forcing.states if mix[s].get(name, 0) == 1]
    return bool(naming) and not potential & set(naming)


def forcing_areas(inputs: Inputs, year: int) -> np.ndarray:
    """Area that the forcing's states give each class, over the cells of the map.

    returns : (n_classes,) float64 in AREA_UNIT_M2; each coarse cell's fraction times the area of
        its fine cells
    """
    forcing = np.nan_to_num(inputs.forcing.year(year)).astype(np.float64)
    area = np.broadcast_to(inputs.grid.cell_area(), inputs.grid.shape).astype(np.float64)
    coarse = np.zeros(_coarse_shape(inputs))
    np.add.at(coarse, (inputs.row[:, None], inputs.col[None, :]), area)
    by_state = (forcing * coarse).sum(axis=(1, 2))
    return by_state @ inputs.scheme.mix_matrix(inputs.forcing.states)[:-1].astype(np.float64)


def _coarse_shape(inputs: Inputs) -> tuple[int, int]:
    coarse: Grid | Blocks = inputs.forcing.coarse
    return coarse.shape


def _extent(grid: Grid) -> tuple[Sequence[float] | None, float | str]:
    """Edges for imshow and the shape of a cell, so that a map looks like one."""
    if grid.kind != "regular":
        return None, "equal"
    lat, lon = grid.lat_edges(), grid.lon_edges()
    stretch = 1 / max(0.2, float(np.cos(np.deg2rad(lat.mean()))))
    return (lon[0], lon[-1], lat[-1], lat[0]), stretch


def _label(axis: Any, grid: Grid) -> None:
    if grid.kind == "regular":
        axis.set(xlabel="longitude", ylabel="latitude")
    else:
        axis.set(xticks=[], yticks=[])


def _save(figure: Any, plt: Any, path: Path) -> Path:
    figure.savefig(path, dpi=150)
    plt.close(figure)
    return path


def _matplotlib() -> tuple[Any, Any, Any]:
    try:
        import matplotlib
    except ImportError as error:
        raise DependencyError(
            "matplotlib is not installed: pip install 'landstep[plot]'"
        ) from error
    matplotlib.use("Agg")
    from matplotlib import colors, patches, pyplot

    return pyplot, colors, patches
