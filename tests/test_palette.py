"""Classes are told apart in a picture, by those who do not see all colours, too.

Simulated as in Machado et al. 2009 (doi:10.1109/TVCG.2009.113), at full severity, and measured
twice: CIE 1976 in CIELAB, and in CAM02-UCS (Luo et al. 2006), where most pairs are nearer.
"""

import numpy as np
import pytest
from colorspacious import cspace_convert

from landstep.drawing import rgb
from landstep.emulator.classes import scheme, scheme_names

SIGHT = {
    "normal sight": None,
    "protanopia": "protanomaly",
    "deuteranopia": "deuteranomaly",
}
"""As colorspacious calls them; a severity of 100 is the -opia."""

APART = 15
APART_WITHIN_FOREST = 10
APART_FROM_FOREST_TYPES = 13
"""Six forest types lie between the green of grass, the brown of pasture and black."""


def distances(colours, sight, space):
    """Return how far apart colours are: (n, n)."""
    seen = rgb(colours)
    if SIGHT[sight] is not None:
        space_of = {"name": "sRGB1+CVD", "cvd_type": SIGHT[sight], "severity": 100}
        seen = np.clip(cspace_convert(seen, space_of, "sRGB1"), 0, 1)
    places = cspace_convert(seen, "sRGB1", space)
    return np.linalg.norm(places[:, None] - places, axis=-1)


@pytest.mark.parametrize("space", ["CIELab", "CAM02-UCS"])
@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("name", scheme_names())
def test_every_two_classes_are_told_apart(name, sight, space):
    """Ocean beside bare land, and cropland beside grass, which were one colour, too."""
    of = scheme(name)
    forests = [number for number, word in enumerate(of.names) if word.startswith("forest_")]
    found = distances(of.colours, sight, space)
    for one in range(of.n_classes):
        for other in range(one):
            among = (one in forests) + (other in forests)
            least = (APART, APART_FROM_FOREST_TYPES, APART_WITHIN_FOREST)[among]
            words = f"{of.names[one]} and {of.names[other]}: {found[one, other]:.1f}"
            assert found[one, other] > least, words


def test_the_simulation_finds_what_was_wrong():
    """Cropland and grass as they were: 5.7 apart under protanopia."""
    assert distances(["#f2c14e", "#a7c957"], "protanopia", "CIELab")[0, 1] < 6
    assert distances(["#f2c14e", "#a7c957"], "normal sight", "CIELab")[0, 1] > 30


def test_classes_that_mean_the_same_have_one_colour():
    """In every scheme: pictures of two schemes can lie side by side."""
    colours = {}
    for name in scheme_names():
        of = scheme(name)
        for word, colour in zip(of.names, of.colours, strict=True):
            assert colours.setdefault(word, colour) == colour, word
