"""Pictures of a run: maps, what changed, class areas over the years; what `landstep plot` does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from landstep.area_pictures import draw_areas
from landstep.area_series import area_series
from landstep.change_pictures import change_layout, draw_changes
from landstep.drawing import DPI, styled
from landstep.emulator.errors import InputError
from landstep.map_layout import lay_out
from landstep.map_pictures import Whole, draw_maps
from landstep.map_places import Box, find_place
from landstep.map_reading import read_maps
from landstep.plot_options import check_format
from landstep.run_maps import RunMaps, YearMap, read_run

Progress = Callable[[int, int, str], None]


def draw_run(
    folder: Path,
    *,
    years: Sequence[int] = (),
    region: Box | None = None,
    out: Path | None = None,
    kind: str = "png",
    progress: Progress = lambda done, total, what: None,
) -> list[Path]:
    """Draw what `landstep run` left in a folder.

    years : of the maps; the first, middle and last where none is named
    region : drawn besides, larger
    out : folder for the pictures, made where it is not there; that of the run where it is None
    kind : png or pdf
    progress : told how many rows are read, of how many, and of what
    returns : paths of maps, change (where there are two years or more) and class_areas, and with a
        region maps_region and change_region
    Raises InputError where the folder holds no maps, none of a year, or damaged or mixed files, or
    a picture cannot be written; ConfigError for a region outside the map or another format;
    DependencyError without matplotlib.
    """
    check_format(kind)
    run = read_run(folder)
    chosen = run.chosen(years)
    with styled():
        if region is not None:
            find_place(chosen[0].path, region)  # a wrong one is said before anything is drawn
        out = _made(out or folder)
        drawn, whole = _draw_place(run, chosen, None, out, kind, None, progress)
        if len(run.maps) > 1:
            drawn.append(draw_areas(run.scheme, area_series(run), out / f"class_areas.{kind}", DPI))
        if region is not None:
            drawn += _draw_place(run, chosen, region, out, kind, whole, progress)[0]
    return drawn


def _draw_place(
    run: RunMaps,
    chosen: Sequence[YearMap],
    box: Box | None,
    out: Path,
    kind: str,
    whole: Whole | None,
    progress: Progress,
) -> tuple[list[Path], Whole]:
    """Draw maps and changes of the whole map, or of the part in a box.

    returns : paths of the pictures; the last map as drawn
    """
    place = find_place(chosen[0].path, box)
    steps, end = len(chosen) - 1, "" if box is None else "_region"
    layout = lay_out(len(chosen), place.tall)
    block = layout.block(place.size)
    changing = change_layout(max(1, steps), place)
    change_block = changing.block(place.size)
    what = "rows of the maps" if box is None else "rows of the region"
    maps, changes = read_maps(
        [(of.year, of.path) for of in chosen],
        run.scheme,
        place.part,
        block,
        change_block,
        lambda done, total: progress(done, total, what),
    )
    path = out / f"maps{end}.{kind}"
    drawn = [draw_maps(maps, run.scheme, place, layout, block, path, whole)]
    if changes:
        path = out / f"change{end}.{kind}"
        drawn.append(draw_changes(changes, run.scheme, place, changing, change_block, path))
    return drawn, Whole(place, maps[-1], block)


def _made(folder: Path) -> Path:
    """Make a folder where it is not there; InputError where it cannot be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder}: cannot make the folder: {error.strerror}") from error
    return folder
