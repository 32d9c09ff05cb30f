"""Which way a model steps and how far it looks: what it did not learn is refused by name.

That it fits classes, forcing and statics is tested where an emulator is opened, test_emulator.py.
"""

import pytest

from landstep.emulator.card import Card
from landstep.emulator.errors import StepError
from landstep.emulator.model_checks import check_lag, direction_of


def card(**changes):
    """Give the card of a network that does not exist."""
    values = {
        "name": "m", "landstep_version": "0", "scheme": "hilda8", "class_codes": [0, 1],
        "class_names": ["ocean", "land"], "states": ["urban"], "continuous": [],
        "categories": [], "base": 1, "depth": 1, "history": 1, "direction": "both", "lags": [10, 1],
    }  # fmt: skip
    return Card(**(values | changes))


@pytest.mark.parametrize(("name", "step"), [("forward", 1), ("backward", -1)])
def test_a_direction_is_one_year_that_way(name, step):
    assert direction_of(card(), name) == step
    assert direction_of(card(direction=name), name) == step


@pytest.mark.parametrize(
    ("learned", "asked", "words"),
    [
        ("forward", "backward", "direction backward: model 'm' was trained to step forward only"),
        ("backward", "forward", 'to step backward only; train one with direction = "both"'),
        ("both", "both", r"direction 'both', expected one of \['forward', 'backward'\]"),
        ("both", "sideways", "direction 'sideways', expected one of"),
    ],
)
def test_a_direction_that_was_not_learned_is_refused(learned, asked, words):
    with pytest.raises(StepError, match=words):
        direction_of(card(direction=learned), asked)


def test_a_lag_that_was_not_learned_is_refused():
    check_lag(card(), 1)
    check_lag(card(), 10)
    with pytest.raises(StepError, match=r"5 years at once: model 'm' learned \[1, 10\]"):
        check_lag(card(), 5)
