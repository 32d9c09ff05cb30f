"""Write a made-up world in the formats of the real files: `landstep world OUT`.

What is in it and by which rules it changes: docs/made-up-world.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from landstep.data.attainable import N_VOTES, START, TARGETS, attainable
from landstep.data.first_map import first_map
from landstep.data.process import VARIANT, Process
from landstep.data.terrain import make_terrain
from landstep.data.world_files import (
    FIRST_MAP,
    LAST_MAP,
    write_climate,
    write_maps,
    write_states,
    write_statics,
)
from landstep.data.world_forcing import FIRST_YEAR, make_forcing
from landstep.data.world_texts import write_texts
from landstep.emulator.classes import Scheme, scheme, scheme_names
from landstep.emulator.errors import ConfigError, InputError

Progress = Callable[[int, int, str], None]
"""Called as work goes on: steps done, steps in all, what is being done."""


def make_world(
    out: Path,
    *,
    seed: int = 7,
    shape: tuple[int, int] = (960, 1440),
    globe: bool = False,
    scheme_name: str = "hilda8",
    progress: Progress | None = None,
) -> Path:
    """Make a world and write it as a folder of files; files of an older world there are replaced.

    out : the folder, made where it is missing
    seed : >= 0; the same seed, shape and globe give the same arrays
    shape : (ny, nx) fine cells, multiples of 30; a region has cells of 1/120 degree, a globe is
        (n, 2 n) cells of 180/n degrees
    globe : a whole Earth, closed in longitude, instead of a region
    scheme_name : class scheme of the experiment file and the attainable scores: hilda8, or hilda13
        with the forest types; the other files are the same in both
    progress : called with (steps done, steps in all, what)
    returns : path of the experiment file
    Raises InputError for a seed or size that cannot be, or where `out` cannot be written;
    ConfigError for a scheme in which the maps cannot be read.
    """
    n_steps = LAST_MAP - FIRST_YEAR + N_VOTES + 5
    done = 0

    def tick(what: str) -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, n_steps, what)

    of = _scheme(scheme_name)
    terrain = make_terrain(seed, shape, globe=globe)
    _make_folder(out)
    tick("ground")
    process = Process(terrain, seed)
    land = first_map(process)
    forcing = make_forcing(seed, terrain, land, process.suitability(FIRST_YEAR))
    tick("forcing")
    attrs = _attributes(seed, shape, globe)
    write_statics(out, terrain, attrs)
    write_climate(out, terrain, attrs)
    write_states(out, terrain, forcing, attrs)
    tick("statics and forcing written")
    truth: dict[int, np.ndarray] = {}

    def yearly_codes() -> Iterator[np.ndarray]:
        land = first_map_of_years
        for year in range(FIRST_YEAR + 1, LAST_MAP + 1):
            land = process.step(land, year, forcing.counts(year), seed)
            if year in (START, *TARGETS):
                truth[year] = land
            if year >= FIRST_MAP:
                yield process.codes(land, year)
            tick(f"land use of {year}")

    first_map_of_years = land
    write_maps(out, terrain, yearly_codes(), attrs)
    scores = attainable(process, forcing, truth, of, lambda: tick("attainable scores"))
    return write_texts(out, attrs, scores, of)


def _scheme(name: str) -> Scheme:
    """Give the scheme of that name; ConfigError for one that cannot read the maps."""
    of = scheme(name)
    if VARIANT not in of.variants:
        able = [other for other in scheme_names() if VARIANT in scheme(other).variants]
        raise ConfigError(
            f"scheme {name}: cannot read HILDA+ maps with forest types, which a made-up world has; "
            f"expected one of {able}"
        )
    return of


def _make_folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise InputError(f"{out}: is a file; a made-up world is written into a folder") from None
    except OSError as error:
        raise InputError(f"{out}: cannot make the folder: {error.strerror}") from error


def _attributes(seed: int, shape: tuple[int, int], globe: bool) -> dict[str, str]:
    command = f"landstep world OUT --seed {seed} --size {shape[0]}x{shape[1]}"
    return {
        "Conventions": "CF-1.8",
        "title": f"made-up world, {'globe' if globe else 'region'}, seed {seed}",
        "comment": "Not the real Earth: every value is made up.",
        "history": command + (" --globe" if globe else ""),
    }
