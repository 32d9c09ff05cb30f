"""The picture of what changed between years: how much of the land, and what it became."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from landstep.drawing import LAND, SEA, WIDTH, class_legend, new_figure, save
from landstep.emulator.classes import MASKED, Scheme
from landstep.map_layout import Layout, add_map, lay_out, show
from landstep.map_pictures import coloured, present
from landstep.map_places import Place
from landstep.map_reading import Block, Change

MANY = 9
"""Cells of a pixel from which on the share of them that changed is drawn, too."""

BAR = 2.3
"""Inches that the scale of shares takes at the foot."""


def change_layout(steps: int, place: Place) -> Layout:
    """Lay out the changes between years, with maps of their shares where pixels hold many cells.

    steps : from one year to the next
    """
    single = lay_out(steps, place.tall, lines=2)
    if np.prod(single.block(place.size)) < MANY:
        return single
    columns = 1 if steps == 1 and place.tall < 0.65 else 2
    return lay_out(2 * steps, place.tall, columns, lines=2)


def draw_changes(
    changes: Sequence[Change],
    scheme: Scheme,
    place: Place,
    layout: Layout,
    block: Block,
    path: Path,
) -> Path:
    """Draw changed cells in the colour of what they became, after the share of them if need be.

    layout : of `change_layout`; it says whether shares are drawn
    Raises InputError where the picture cannot be written.
    """
    shares = layout.count > len(changes)
    top = scale_top([of.share for of in changes])
    least = [scale_top([of.share]) / 10 if shares else 0.0 for of in changes]
    pictures = [
        np.where(of.share > low, of.became, MASKED) for of, low in zip(changes, least, strict=True)
    ]
    figure = new_figure(layout.above)
    left = BAR if shares else 0.0
    foot = max(class_legend(figure, present(scheme, pictures), left), 0.55 if shares else 0.1)
    figure.set_figheight(layout.above + foot)
    axes = iter(range(layout.count))
    for of, low, became in zip(changes, least, pictures, strict=True):
        if shares:
            axis = add_map(figure, layout, next(axes), place, headline(of))
            image = _draw_share(axis, place, block, of.share, top)
        title = f"what most of these became\nwhere more than {percent(low)} changed"
        axis = add_map(figure, layout, next(axes), place, title if shares else headline(of))
        show(axis, place, block, became_picture(became, of.share, scheme))
    if shares:
        _draw_bar(figure, image, [of.share for of in changes], top)
    return save(figure, path, layout.dpi(place.size))


def headline(of: Change) -> str:
    """Say between which years how much changed."""
    share = percent(of.changed / of.land) if of.land else "none"
    return f"{of.before} to {of.after}\n{share} of land cells changed ({of.changed:,})"


def percent(share: float) -> str:
    """Write a share with two digits that count, and all digits before the point."""
    if share == 0:
        return "0 %"
    digits = max(0, 1 - int(np.floor(np.log10(100 * share))))
    return f"{100 * share:.{digits}f} %"


def scale_top(shares: Sequence[np.ndarray]) -> float:
    """Choose the end of the scale of shares: 1, 2, 4, 6 or 8 times a power of ten, at most 1.

    shares : (py, px) each, NaN where there is no land
    returns : the smallest such number that 99.5 % of the pixels with changes do not pass
    """
    values = np.concatenate([share[share > 0] for share in shares])
    if not values.size:
        return 1.0
    high = float(np.quantile(values, 0.995))
    power = 10.0 ** np.floor(np.log10(high) + 1e-9)
    return min(1.0, next(n * power for n in (1, 2, 4, 6, 8, 10) if high <= n * power * (1 + 1e-9)))


def became_picture(became: np.ndarray, share: np.ndarray, scheme: Scheme) -> np.ndarray:
    """Colour what changed, on land and sea: (py, px, 3) uint8.

    became : (py, px) uint8, class numbers, MASKED where nothing is to be shown
    share : (py, px), NaN where there is no land
    """
    picture = coloured(became, scheme)
    for here, colour in ((np.isnan(share), SEA), (~np.isnan(share), LAND)):
        picture[here & (became == MASKED)] = np.rint(255 * np.array(colour))
    return picture


def _draw_share(axis: Any, place: Place, block: Block, share: np.ndarray, top: float) -> Any:
    from matplotlib import colormaps

    scale = colormaps["viridis_r"].with_extremes(bad=SEA, under=LAND)
    values = np.ma.masked_invalid(share)
    return show(axis, place, block, values, cmap=scale, vmin=np.finfo(float).tiny, vmax=top)


def _draw_bar(figure: Any, image: Any, shares: Sequence[np.ndarray], top: float) -> None:
    height = figure.get_figheight()
    axis = figure.add_axes((0.4 / WIDTH, 0.4 / height, (BAR - 0.7) / WIDTH, 0.1 / height))
    beyond = any((share > top).any() for share in shares)
    bar = figure.colorbar(
        image, cax=axis, orientation="horizontal", extend="max" if beyond else "neither"
    )
    ticks = (0.0, top / 2, top)
    bar.set_ticks(ticks, labels=[f"{100 * tick:g} %" for tick in ticks])
    bar.set_label("share of land cells that changed", labelpad=1)
