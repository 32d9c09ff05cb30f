"""What must hold after every step, and how a breach is named."""

import numpy as np
import pytest

from landstep.emulator.checks import check_step
from landstep.emulator.classes import MASKED, scheme
from landstep.emulator.errors import CheckError

PRIOR = np.array([[0, 7, 4], [2, MASKED, MASKED]], np.uint8)


@pytest.mark.parametrize("land_use", [[[0, 7, 2], [4, 7, 1]], [[0, 7, 4], [2, 5, 6]]])
def test_a_sound_step_passes(land_use):
    """Land moves, unknown cells become anything, ocean and water stay."""
    check_step(PRIOR, np.array(land_use, np.uint8), scheme("hilda8"), 2001, 1)


@pytest.mark.parametrize(
    ("cell", "number", "words"),
    [
        ((0, 0), 4, r"cell \(0, 0\) left a class that never moves: 0 -> 4 \(1 such cells\)"),
        ((0, 1), 0, r"cell \(0, 1\) left a class that never moves: 7 -> 0"),
        ((0, 2), 7, r"cell \(0, 2\) became a class that is fixed: 4 -> 7"),
        ((1, 0), 0, r"cell \(1, 0\) became a class that is fixed: 2 -> 0"),
        ((1, 1), MASKED, r"cell \(1, 1\) holds no class of the scheme: 255 -> 255"),
        ((1, 2), 8, r"cell \(1, 2\) holds no class of the scheme: 255 -> 8"),
    ],
)
def test_a_breach_names_year_cell_and_classes(cell, number, words):
    """Row 4 of the invariants: the mask of ocean and water does not move."""
    land_use = np.array([[0, 7, 2], [4, 7, 1]], np.uint8)
    land_use[cell] = number
    with pytest.raises(CheckError, match=f"year 2001: {words}"):
        check_step(PRIOR, land_use, scheme("hilda8"), 2001, 1)


def test_a_forbidden_change_is_named_and_turns_round_with_time():
    """In sweden5 urban land (1) is never given up: forward 1 -> 4 is a breach, backward 4 -> 1."""
    sweden = scheme("sweden5")
    urban, forest = np.array([[0, 1, 4]], np.uint8), np.array([[0, 4, 4]], np.uint8)
    words = r"cell \(0, 1\) made a change that is forbidden: {} -> {} \(1 such cells\)"
    with pytest.raises(CheckError, match="year 2001: " + words.format(1, 4)):
        check_step(urban, forest, sweden, 2001, 1)
    check_step(urban, forest, sweden, 1999, -1)
    with pytest.raises(CheckError, match="year 1999: " + words.format(4, 1)):
        check_step(forest, urban, sweden, 1999, -1)
    check_step(forest, urban, sweden, 2001, 1)
