"""Southern Sweden driven by LUH2: the last real map of the series, and on from it by LUH2's change.

The series ends in 2009 and LUH2's scenario begins in 2015, so the map of 2009 stands for 2015 and
the years of all maps are moved by the difference. What LUH2 says of the amounts in 2015 is not
used, for it disagrees with the map; only its change since then is.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
from scipy.spatial import KDTree

from landstep.data.series import find_file, sweden_series
from landstep.data.series_files import BlockForcing, Series, counted_forcing, write_experiment
from landstep.emulator.errors import InputError
from landstep.emulator.forcing import Forcing
from landstep.emulator.grid import Grid

START = 2015
"""Year for which the series' last map stands, and since which LUH2's change counts."""

KEPT = 16
"""Maps that are kept, the last one of START: a step may look 15 years back."""

FOLLOWED = (
    ("urban", "urban"),
    ("cropland", "crops"),
    ("pasture_grass_shrub", "pastr"),
)
"""Class, and the LUH2 state whose change it follows, in the order in which they take land; the rest
of the land is forest."""

FARTHEST = 2.0
"""Cells of LUH2 between a block's centre and the nearest cell with data, at most."""


def sweden_luh2_experiment(real_data: Path, out: Path, *, model: str | None = None) -> Path:
    """Write southern Sweden under LUH2 as an experiment: scheme sweden5, blocks of 25, 2000 on.

    The map of 2009 stands for 2015. Maps of the 15 years before it, moved likewise, come along as
    history, with the forcing of 2015 held. From 2015 on, the share of a class in a block is that in
    the map of 2015 plus LUH2's change since 2015 (`FOLLOWED`) in the cell of LUH2 nearest to the
    block's centre that has data, times the block's share of land; forest is the rest of the land.
    Clipping: urban, then cropland, then pasture is kept within 0 and the land that those before it
    leave, so all sum to the block's share of land, and where forest is used up pasture yields
    first, then cropland. The quantities are a forecast: there are no true maps after 2015.

    real_data : folder with luh2/luh2_v2f_*.nc (states `urban`, `crops` and `pastr` from 2015 on),
        sweden/hildaplus_south_sweden_*.npz and sweden/statics.npz
    out : folder to write to, made where it is not there
    model : path of an ONNX file, for the experiment's key `model`; None leaves it out
    returns : path of the experiment file
    Raises ConfigError where a file is missing or not the only one of its kind, InputError where
    one lacks a state, an array or a year, its arrays do not fit together, or LUH2 does not cover
    the region.
    """
    luh2 = find_file(real_data, "luh2/luh2_v2f_*.nc")
    series = moved(sweden_series(real_data), luh2.name)
    return write_experiment(series, out, model, luh2_forcing(series, luh2))


def moved(series: Series, luh2: str) -> Series:
    """Keep the last maps of a series, as if the last one were of START.

    luh2 : name of the LUH2 file, for the sources
    """
    by = START - int(series.years[-1])
    years = series.years[-KEPT:] + by
    return replace(
        series,
        name=f"{series.name} under LUH2",
        years=years,
        codes=series.codes[-KEPT:],
        source=f"{series.source}; LUH2 v2f (Hurtt et al. 2020, doi:10.5194/gmd-13-5425-2020), "
        f"states of {luh2}",
        licence=f"{series.licence}; LUH2 CC BY-SA 4.0",
        comment=f"The map of year Y is that of Y - {by} in the series: its last one, of "
        f"{years[-1] - by}, stands for {years[-1]}.",
    )


def luh2_forcing(series: Series, luh2: Path) -> BlockForcing:
    """Let LUH2's change since START go on from the shares in the last map; see the module.

    series : its last map is of START
    luh2 : file of LUH2 states as fractions, on latitudes and longitudes
    returns : years from the series' first to LUH2's last; those up to START have its shares
    Raises InputError where the file lacks a state or START, or does not cover the series.
    """
    states = tuple(state for _, state in FOLLOWED)
    with_change = Forcing.open([luh2], format="luh2", states=states)
    years = np.arange(START, with_change.years[1] + 1)
    start = counted_forcing(series).fractions[-1].astype(np.float64)
    land = start.sum(axis=0)
    row, col = _nearest(series, land > 0, with_change, years, luh2.name)
    of_year = [with_change.year(int(year))[:, row, col].astype(np.float64) for year in years]
    change = (np.stack(of_year) - of_year[0]) * land
    later = shares_after(start, change[1:])
    held = np.broadcast_to(start, (series.years.size, *start.shape))
    return BlockForcing(
        years=np.arange(int(series.years[0]), int(years[-1]) + 1),
        fractions=np.concatenate([held, later]).astype(np.float32),
        quantities="forecast",
        title="block fractions of the last map, changed as LUH2 changes",
        remark=f"Forcing: each block's class shares in the map of {START}, and LUH2's change since "
        f"then in the nearest cell; held at {START}'s before it.",
    )


def shares_after(start: np.ndarray, change: np.ndarray) -> np.ndarray:
    """Add a change to shares, none below 0, all together as large as before.

    start : (k + 1, by, bx) float64, shares of each class, the last one taking what is left
    change : (t, k, by, bx) float64, finite; of all classes but the last
    returns : (t, k + 1, by, bx) float64; each class in turn is kept within 0 and what those before
        it leave of the sum
    """
    left = np.broadcast_to(start.sum(axis=0), (len(change), *start.shape[1:]))
    shares = []
    for k in range(len(start) - 1):
        shares.append(np.clip(start[k] + change[:, k], 0, left))
        left = left - shares[-1]
    return np.stack([*shares, left], axis=1)


def _nearest(
    series: Series, blocks: np.ndarray, luh2: Forcing, years: np.ndarray, where: str
) -> tuple[np.ndarray, np.ndarray]:
    """Find the cell of LUH2, among those with data in all years, nearest to each block's centre.

    blocks : (by, bx) bool, those that need one
    returns : (by, bx) int64, row and column in LUH2; for the other blocks those of any cell
    Raises InputError where the nearest one is farther than FARTHEST cells.
    """
    grid = cast(Grid, luh2.coarse)  # format "luh2" is always a grid
    known = [np.isfinite(luh2.year(int(year))).all(axis=0) for year in years]
    row, col = np.nonzero(np.logical_and.reduce(known))
    centres = _block_centres(series)
    place = _unit(grid.lat_deg[row], grid.lon_deg[col])
    distance, nearest = KDTree(place).query(centres[blocks])
    side = np.deg2rad(grid.spacing_deg[0])
    if distance.max() > FARTHEST * side:
        y, x = (int(n) for n in np.argwhere(blocks)[distance.argmax()])
        raise InputError(
            f"{where}: no cell with data within {FARTHEST:g} cells of block ({y}, {x}) of "
            f"{series.name}, the nearest is {distance.max() / side:.1f} away; does the file cover "
            "the region?"
        )
    found = np.full(blocks.shape, nearest[0])
    found[blocks] = nearest
    return row[found], col[found]


def _block_centres(series: Series) -> np.ndarray:
    """Direction of the middle of each block's cells: (by, bx, 3) float64, of length 1."""
    ny, nx = series.land.shape
    lat, lon = series.lat_deg, series.lon_deg
    if lat.ndim == 1:
        lat, lon = np.meshgrid(lat, lon, indexing="ij")
    rows, cols = np.arange(0, ny, series.block), np.arange(0, nx, series.block)
    sums = np.add.reduceat(np.add.reduceat(_unit(lat, lon), rows, axis=0), cols, axis=1)
    return np.asarray(sums / np.linalg.norm(sums, axis=-1, keepdims=True))


def _unit(lat_deg: np.ndarray, lon_deg: np.ndarray) -> np.ndarray:
    """Directions of places: (..., 3) float64, of length 1."""
    lat, lon = np.deg2rad(lat_deg.astype(np.float64)), np.deg2rad(lon_deg.astype(np.float64))
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)
