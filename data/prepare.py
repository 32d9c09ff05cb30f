"""Bring HILDA+, LUH2 and static maps onto the grid of an experiment, in bounded memory."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from landstep.data.gaps import Gaps
from landstep.data.land_strips import STRIP, LandMask, check_reach, land_strips
from landstep.data.prepare_config import Sources, YearMap, find_maps, load_sources
from landstep.data.prepare_files import write_experiment, write_land_use, write_statics
from landstep.data.product_grid import Region
from landstep.data.source_map import open_map
from landstep.data.static_maps import CodeMap, ElevationMap, StaticMap
from landstep.emulator.atomic import remove_temporaries
from landstep.emulator.classes import Scheme, scheme
from landstep.emulator.errors import ConfigError, InputError
from landstep.emulator.forcing import Forcing
from landstep.emulator.grid import coarse_index

Progress = Callable[[int, int, str], None]
STATICS = ("elevation", "soil_texture", "climate_zone")


@dataclass(frozen=True)
class Prepared:
    """What came of it.

    path : of the experiment file
    notes : what a user must know of the maps, a line each
    """

    path: Path
    notes: list[str]


def prepare(
    sources_file: Path,
    out: Path,
    years: tuple[int, int],
    *,
    region: str = "",
    progress: Progress = lambda done, total, what: None,
) -> Prepared:
    """Write land_use.nc, statics.nc and experiment.toml on the product grid or a region of it.

    sources_file : see `prepare_config.Sources`
    out : folder to write to, made where it is not there. The experiment file comes last, so that
        where it is, all is whole
    years : first and last year of the maps
    region : "LAT_S:LAT_N,LON_W:LON_E" in degrees, made larger to whole cells of 0.25 degrees;
        empty: the globe
    progress : called with pieces done, pieces in all, and of what
    Raises ConfigError or InputError, naming the file, where a source is missing, damaged, does not
    reach the region, or holds what cannot be, and where `out` holds an experiment already.
    """
    sources, place = load_sources(sources_file), Region.parse(region)
    of = _scheme(sources)
    maps, phase = find_maps(sources, *years)
    _check_forcing(sources, place, phase)
    _make_folder(out)
    strips = place.strips(STRIP)
    mask = LandMask([(strip.size, place.shape[1]) for strip in strips])
    with contextlib.ExitStack() as files:
        statics = {name: files.enter_context(_open_static(sources, name)) for name in STATICS}
        for static in statics.values():
            check_reach(static.source, place)
        table = sources.land_use
        codes = land_strips(maps, table.variable, place, of, table.variant, mask, progress)
        write_land_use(out / "land_use.nc", sources, place, maps, phase, codes)
        notes = _land_notes(mask, maps)
        gaps = {
            name: Gaps(static.source.where, static.block, static.samples)
            for name, static in statics.items()
        }
        write_statics(
            out / "statics.nc",
            sources,
            place,
            {name: _filled(name, gaps[name], place, mask, progress) for name in STATICS},
        )
    notes += [of.report(name) for name, of in gaps.items()]
    return Prepared(write_experiment(out, sources, notes), notes)


def _scheme(sources: Sources) -> Scheme:
    """Give the class scheme; ConfigError where it lacks the variant."""
    of, variant = scheme(sources.land_use.scheme), sources.land_use.variant
    if variant not in of.variants:
        raise ConfigError(
            f"{sources.land_use.files[0]}: variant {variant!r} is not one of scheme {of.name}'s "
            f"{sorted(of.variants)}; say which product the file is"
        )
    return of


def _check_forcing(sources: Sources, place: Region, phase: str) -> None:
    """Refuse a forcing whose files do not join, reach the region, or hold on the maps' day."""
    table = sources.forcing
    forcing = Forcing.open(
        [sources.folder / file for file in table.files],
        format="luh2",
        scenario=table.scenario,
    )
    coarse_index(place.grid(), forcing.coarse, str(table.files[0]))
    if forcing.phase != phase:
        raise InputError(
            f"{table.files[0]}: states are of {forcing.phase}, the maps of {phase}; expected the "
            "same day of the year"
        )


def _make_folder(out: Path) -> None:
    if (out / "experiment.toml").exists():
        raise ConfigError(
            f"{out}: holds an experiment.toml already; name another folder, or remove it"
        )
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{out}: cannot be made: {error.strerror}") from error
    remove_temporaries(out)


@contextlib.contextmanager
def _open_static(sources: Sources, name: str) -> Iterator[StaticMap]:
    with open_map(*sources.static(name)) as source:
        if name == "elevation":
            yield ElevationMap(source, sources.statics.elevation_unit)
        else:
            yield CodeMap(source, name)


def _land_notes(mask: LandMask, maps: list[YearMap]) -> list[str]:
    land, changing = mask.count()
    if not land:
        raise InputError(f"{maps[0].path.name}: no land in the region")
    notes = [f"land: {land} cells"]
    if changing:
        notes.append(
            f"coast: {changing} cells are land in some years and sea in others; the maps keep "
            "that, the static maps take them as land"
        )
    return notes


def _filled(
    name: str, gaps: Gaps, place: Region, mask: LandMask, progress: Progress
) -> Iterator[np.ndarray]:
    """Strips of a static from north to south: no gap on land; at sea NaN, or code 0."""
    strips = place.strips(STRIP)
    for number, strip in enumerate(strips):
        progress(number, len(strips), name)
        land = mask.land(number)
        values = gaps.fill(strip, place.cols, land)
        yield np.where(land, values, np.nan if values.dtype.kind == "f" else 0).astype(values.dtype)
