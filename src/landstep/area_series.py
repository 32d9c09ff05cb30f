"""Areas of classes and groups over the years of a run, beside what its forcing says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from landstep.emulator.classes import Scheme
from landstep.run_maps import RunMaps, YearMap


@dataclass(frozen=True, eq=False)
class GroupSeries:
    """A group of classes that quotas bind, over n years.

    classes : numbers of its classes
    in_map : (n,) float64 km2
    follows : (n,) float64 km2, its area in the first map for which the forcing is known, and the
        forcing's change since; NaN where the forcing is not known
    apart : the forcing's area less the map's in that first year, as a share of the map's; NaN
        where the forcing is not known, or the map has none
    since : that first year, None where the forcing is never known
    debt : (n,) float64 km2, what the map still owes
    """

    name: str
    classes: tuple[int, ...]
    in_map: np.ndarray
    follows: np.ndarray
    apart: float
    since: int | None
    debt: np.ndarray


@dataclass(frozen=True, eq=False)
class AreaSeries:
    """All areas of a run.

    years : (n,) int64; classes : (n, n_classes) float64 km2
    copied : (n,) bool, years whose map was copied from the observed ones
    """

    years: np.ndarray
    classes: np.ndarray
    groups: tuple[GroupSeries, ...]
    copied: np.ndarray


def area_series(run: RunMaps) -> AreaSeries:
    """Put the areas of a run's years together."""
    years = np.array(run.years, np.int64)
    classes = np.array([of.class_area for of in run.maps]) / 1e6
    return AreaSeries(
        years,
        classes,
        tuple(_group(run, number, classes) for number in range(len(run.scheme.groups))),
        copied_years(run.maps),
    )


def copied_years(maps: Sequence[YearMap]) -> np.ndarray:
    """Which maps were copied from observed ones: (n,) bool.

    Those that no step made and that owe nothing; a single one of them is the run's start.
    """
    copied = np.array([not of.stepped and not of.debt.any() for of in maps])
    return copied if copied.sum() > 1 else np.zeros(copied.size, bool)


def shown_range(values: np.ndarray) -> tuple[float, float]:
    """Limits of an axis that shows at least 4 % of an area, so that a still class looks still.

    values : any shape, NaN left out
    """
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    middle, half = (low + high) / 2, (high - low) * 0.6
    half = max(half, 0.02 * float(np.nanmean(np.abs(values)))) or 1.0
    return middle - half, middle + half


def drawn_classes(scheme: Scheme, series: AreaSeries) -> list[int]:
    """Numbers of the classes that may change and that some map has."""
    has = np.any(series.classes > 0, axis=0)
    return [int(k) for k in np.flatnonzero(has & ~np.array(scheme.fixed))]


def _group(run: RunMaps, number: int, classes: np.ndarray) -> GroupSeries:
    group = run.scheme.groups[number]
    members = tuple(run.scheme.names.index(name) for name in group.classes)
    in_map = np.array(
        [
            areas[list(members)].sum() if of.in_map is None else of.in_map[number] / 1e6
            for of, areas in zip(run.maps, classes, strict=True)
        ]
    )
    forcing = np.array(
        [np.nan if of.in_forcing is None else of.in_forcing[number] / 1e6 for of in run.maps]
    )
    debt = np.array([of.debt[number] for of in run.maps]) / 1e6
    known = np.flatnonzero(np.isfinite(forcing))
    if not known.size:
        return GroupSeries(group.name, members, in_map, forcing, np.nan, None, debt)
    first = int(known[0])
    apart = forcing[first] - in_map[first]
    share = float(apart / in_map[first]) if in_map[first] else float("nan")
    since = run.years[first]
    return GroupSeries(group.name, members, in_map, forcing - apart, share, since, debt)
