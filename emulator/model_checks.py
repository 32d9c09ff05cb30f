"""Whether a model fits the run: classes, forcing, statics, direction in time, years ahead."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from landstep.emulator.card import Card
from landstep.emulator.errors import ConfigError, StepError
from landstep.emulator.experiment import Experiment
from landstep.emulator.inputs import Inputs
from landstep.emulator.mapped import row_pieces

TRAIN_YOUR_OWN = (
    "train your own on these maps (docs/quickstart.md, Train and export; the model that comes with "
    "landstep knows the made-up world only), or take maps with the codes that it knows"
)
"""What to do where a model does not know what the maps hold."""

DIRECTIONS = {"forward": 1, "backward": -1}
"""Names of the ways in time, and what they add to a year."""


def check_fit(card: Card, inputs: Inputs, experiment: Experiment) -> None:
    """Refuse a model that was made for other classes, forcing, statics or days.

    Raises ConfigError saying what the model takes and what the experiment has, or that the forcing
    lacks every state of a group that quotas bind.
    """
    if card.scheme != inputs.scheme.name or tuple(card.class_codes) != inputs.scheme.codes:
        raise ConfigError(
            f"model {card.name!r} trained for class scheme {card.scheme}, run uses "
            f"{inputs.scheme.name}"
        )
    if tuple(card.states) != inputs.forcing.states:
        raise ConfigError(
            f"model {card.name!r} takes forcing states {card.states}, experiment "
            f"{experiment.name!r} has {list(inputs.forcing.states)}; expected the same, in order"
        )
    if card.phase != inputs.forcing.phase:
        raise ConfigError(
            f"model {card.name!r} is for {card.phase}, forcing for {inputs.forcing.phase}"
        )
    inputs.scheme.group_matrix(inputs.forcing.states)
    inputs.continuous(card.continuous)
    categories_of(card, inputs, inputs.land_use.years[0])


def categories_of(
    card: Card,
    inputs: Inputs,
    year: int,
    move: Callable[[np.ndarray], np.ndarray] = lambda zones: zones,
) -> tuple[np.ndarray, ...]:
    """Give the categorical statics of a year, each (y, x) uint8.

    move : what becomes of the observed climate zones
    Raises ConfigError for a code that the model does not know.
    """
    names = [category.name for category in card.categories]
    fields = tuple(
        move(field) if name == "climate_zone" else field
        for name, field in zip(names, inputs.categories(names, year), strict=True)
    )
    for category, field in zip(card.categories, fields, strict=True):
        largest = max(int(field[piece].max()) for piece in row_pieces(len(field)))
        if largest >= category.size:
            raise ConfigError(
                f"static {category.name!r} of {year} has code {largest}, model "
                f"{card.name!r} knows 0 to {category.size - 1}; {TRAIN_YOUR_OWN}"
            )
    return fields


def direction_of(card: Card, name: str) -> int:
    """Turn "forward" or "backward" into 1 or -1.

    Raises StepError for another word, or a direction that the model was not trained for.
    """
    if name not in DIRECTIONS:
        raise StepError(f"direction {name!r}, expected one of {list(DIRECTIONS)}")
    if not card.steps(DIRECTIONS[name]):
        raise StepError(
            f"direction {name}: model {card.name!r} was trained to step {card.direction} only; "
            'train one with direction = "both"'
        )
    return DIRECTIONS[name]


def check_lag(card: Card, lag: int) -> None:
    """Refuse to look farther ahead than the model learned; StepError names what it did."""
    if lag not in card.lags:
        raise StepError(
            f"{lag} years at once: model {card.name!r} learned {sorted(card.lags)}; take one of "
            "those, or train with this one among its lags"
        )
