"""Class schemes: codes and numbers go both ways, and what is not a class is named."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from landstep.emulator.classes import MASKED, parse_scheme, scheme, scheme_names
from landstep.emulator.errors import ConfigError, InputError

TABLE = """
nodata = [99]
[[class]]
code = 0
name = "sea"
long_name = "sea"
colour = "#000000"
fixed = true
[[class]]
code = 5
name = "land"
long_name = "land"
colour = "#ffffff"
[variant.plain]
0 = "sea"
5 = "land"
[mix]
remainder = { land = 1.0 }
"""


def test_hilda8_has_the_codes_and_order_of_the_product():
    """Codes of HILDA+ (Winkler et al. 2021); ocean and water stay."""
    of = scheme("hilda8")
    assert of.codes == (0, 11, 22, 33, 44, 55, 66, 77)
    assert of.names == (
        "ocean", "urban", "cropland", "pasture", "forest", "grass_shrub", "other_land", "water",
    )  # fmt: skip
    assert of.fixed_numbers.tolist() == [0, 7]
    assert of.fixed_numbers.dtype == np.uint8


def test_44_is_one_class_or_another_by_the_declared_variant():
    """Row 32: the same code, two meanings; in the states variant 40 is unknown."""
    of = scheme("hilda8")
    codes = np.array([[40, 44, 45]], np.int16)
    assert of.numbers_from_codes(codes, "forest", "f").tolist() == [[4, 4, 4]]
    with pytest.raises(InputError, match=r"f: code 40 at cell \(0, 0\) is not in scheme hilda8"):
        of.numbers_from_codes(codes, "states", "f")
    thirteen = scheme("hilda13").numbers_from_codes(codes, "forest", "f")
    assert [scheme("hilda13").names[n] for n in thirteen[0]] == [
        "forest_unknown", "forest_deciduous_broadleaf", "forest_mixed",
    ]  # fmt: skip


def test_a_variant_must_be_one_of_the_scheme():
    """Row 32: an undeclared variant is refused, with the list."""
    with pytest.raises(ConfigError, match=r"variant 'v3'.*\['forest', 'states'\]"):
        scheme("hilda8").numbers_from_codes(np.zeros((2, 2), np.uint8), "v3", "maps.nc")


@pytest.mark.parametrize("code", [46, 23, 24, 1, 98, 254, -1, 256, 300, 11 + 256])
def test_an_unknown_code_is_named_with_its_cell(code):
    """Row 31; a code that only equals a known one in eight bits is unknown too."""
    codes = np.full((3, 4), 11, np.int32)
    codes[1, 2] = code
    with pytest.raises(InputError, match=rf"maps.nc: code {code} at cell \(1, 2\) is not in"):
        scheme("hilda8").numbers_from_codes(codes, "forest", "maps.nc")


def test_missing_is_not_ocean():
    """Row 33: 99 and 255 are unknown, 0 is ocean."""
    numbers = scheme("hilda8").numbers_from_codes(np.array([99, 255, 0]), "forest", "f")
    assert numbers.tolist() == [MASKED, MASKED, 0]
    assert numbers.dtype == np.uint8


def test_codes_must_be_whole_numbers():
    """A float map is refused, not rounded."""
    with pytest.raises(InputError, match="codes are float32, expected whole numbers"):
        scheme("hilda8").numbers_from_codes(np.zeros(3, np.float32), "forest", "f")


@pytest.mark.parametrize("name", ["hilda8", "hilda13", "sweden5", "brazil9"])
def test_there_are_four_schemes_and_their_colours_are_colours(name):
    """Each class has a code of its own, a colour, and class 0 is what is not land."""
    of = scheme(name)
    assert name in scheme_names()
    assert len(set(of.codes)) == of.n_classes == len(of.colours) == len(of.long_names)
    assert all(len(c) == 7 and int(c[1:], 16) >= 0 for c in of.colours)
    assert of.fixed[0]


@given(data=st.data(), name=st.sampled_from(["hilda8", "hilda13", "sweden5", "brazil9"]))
def test_numbers_and_codes_go_both_ways(data, name):
    """Every map of class numbers comes back from its codes, unknown cells included."""
    of = scheme(name)
    kinds = st.sampled_from([*range(of.n_classes), MASKED])
    numbers = data.draw(arrays(np.uint8, (3, 5), elements=kinds))
    variant = {"sweden5": "series", "brazil9": "groups"}.get(name, "forest")
    codes = of.codes_from_numbers(numbers)
    if name == "hilda8":
        codes = np.where(codes == 44, 41, codes)
    assert codes.dtype == np.uint8
    assert np.array_equal(of.numbers_from_codes(codes, variant, "f"), numbers)


def test_a_number_that_is_no_class_has_no_code():
    """8 is beyond hilda8's last class, 7."""
    with pytest.raises(InputError, match=r"class number 8 at cell \(0, 1\).*0 to 7, and 255"):
        scheme("hilda8").codes_from_numbers(np.array([[7, 8]], np.uint8))


def test_mix_matrix_takes_states_in_order_and_ends_with_the_remainder():
    """By hand from the table: pastr is pasture, half of the remainder is water."""
    matrix = scheme("hilda8").mix_matrix(["urban", "pastr", "primf"])
    assert matrix.shape == (4, 8) and matrix.dtype == np.float32
    assert matrix[0].tolist() == [0, 1, 0, 0, 0, 0, 0, 0]
    assert matrix[1].tolist() == [0, 0, 0, 1, 0, 0, 0, 0]
    assert matrix[2].tolist() == [0, 0, 0, 0, 1, 0, 0, 0]
    assert matrix[3].tolist() == [0, 0, 0, 0, 0, 0, 0.5, 0.5]
    with pytest.raises(ConfigError, match="no class mix for forcing state 'secma'"):
        scheme("hilda8").mix_matrix(["secma"])


def test_an_unknown_scheme_is_refused_with_the_list():
    """The name in the message, and what there is."""
    with pytest.raises(
        ConfigError, match=r"'hilda9' is not known; there are \['brazil9', 'hilda13'"
    ):
        scheme("hilda9")


def test_a_small_table_is_a_scheme():
    """The table that the next test breaks is whole before."""
    of = parse_scheme("small", TABLE)
    assert (of.n_classes, of.nodata, of.variants) == (2, (99,), {"plain": {0: 0, 5: 1}})


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("code = 5", "code = 0", "stands twice"),
        ('name = "land"\nlong', 'name = "sea"\nlong', "stands twice"),
        ('5 = "land"', '5 = "lnad"', "'lnad' is not one of its classes"),
        ("land = 1.0", "land = 0.9", "sum to 0.9, expected 1"),
        ("{ land", "{ lnad", "'lnad' is not one of its classes"),
        ("fixed = true", "fixed = false", "it must be fixed"),
    ],
)
def test_a_table_that_contradicts_itself_is_refused(old, new, words):
    """Each contradiction is named."""
    assert old in TABLE
    with pytest.raises(ConfigError, match=words):
        parse_scheme("small", TABLE.replace(old, new))
