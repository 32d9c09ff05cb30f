"""What quotas bind, what never turns into what, and that a table cannot contradict itself."""

import numpy as np
import pytest

from landstep.data.series import brazil_series, sweden_series
from landstep.emulator.classes import parse_scheme, scheme
from landstep.emulator.errors import ConfigError

FULL = """
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
[[class]]
code = 6
name = "farm"
long_name = "farm"
colour = "#888888"
[[class]]
code = 7
name = "town"
long_name = "town"
colour = "#444444"
[[group]]
name = "farms"
classes = ["farm"]
states = ["farm"]
source = "by hand"
[[group]]
name = "towns"
classes = ["town"]
states = ["town", "city"]
source = "by hand"
[[forbidden]]
from = "town"
to = ["land", "farm"]
source = "by hand"
[variant.plain]
0 = "sea"
5 = "land"
[mix]
farm = { farm = 1.0 }
town = { town = 1.0 }
city = { town = 1.0 }
remainder = { land = 1.0 }
"""

SOURCE = 'source = "by hand"'


def test_a_group_binds_its_classes_and_the_rest_is_unbound():
    """By hand: sea and land are in no group; town follows two states, in the forcing's order."""
    of = parse_scheme("small", FULL)
    assert of.group_of.tolist() == [-1, -1, 0, 1] and of.group_of.dtype == np.int64
    matrix = of.group_matrix(["city", "forest", "farm", "town"])
    assert matrix.tolist() == [[0, 0, 1, 0], [1, 0, 0, 1]] and matrix.dtype == np.float64
    none = parse_scheme("small", FULL[: FULL.index("[[group]]")] + FULL[FULL.index("[variant") :])
    assert none.group_of.tolist() == [-1, -1, -1, -1]
    assert none.group_matrix(["farm"]).shape == (0, 1)


def test_a_group_without_any_of_its_states_is_refused():
    """Towns follow town and city: one of them is enough, none is not."""
    of = parse_scheme("small", FULL)
    assert of.group_matrix(["farm", "town"]).tolist() == [[1, 0], [0, 1]]
    with pytest.raises(ConfigError, match=r"'towns' follows \['town', 'city'\].*it has \['farm'\]"):
        of.group_matrix(["farm"])


def test_what_may_move_where_by_hand():
    """Sea only stays; town is never given up, so backward in time no cell becomes town."""
    of = parse_scheme("small", FULL)
    forward = [[1, 0, 0, 0], [0, 1, 1, 1], [0, 1, 1, 1], [0, 0, 0, 1]]
    backward = [[1, 0, 0, 0], [0, 1, 1, 0], [0, 1, 1, 0], [0, 1, 1, 1]]
    assert of.movable(1).dtype == np.bool_
    assert of.movable(1).astype(int).tolist() == forward
    assert of.movable(-1).astype(int).tolist() == backward
    assert np.array_equal(of.forbidden, ~of.movable(1))
    with pytest.raises(ConfigError, match="direction 0, expected 1"):
        of.movable(0)


@pytest.mark.parametrize("name", ["hilda8", "hilda13", "sweden5", "brazil9"])
def test_every_class_may_stay_and_the_fixed_only_stay(name):
    """In every scheme and both directions."""
    of = scheme(name)
    for direction in (1, -1):
        allowed = of.movable(direction)
        assert allowed.diagonal().all()
        for number in of.fixed_numbers:
            assert allowed[number].sum() == allowed[:, number].sum() == 1
    assert (of.group_of[list(of.fixed_numbers)] == -1).all()


@pytest.mark.parametrize("name", ["hilda8", "hilda13"])
def test_hilda_binds_urban_crops_and_managed_pasture_only(name):
    """LUH2's forest and grass are potential, its range keeps its vegetation: all unbound."""
    of = scheme(name)
    luh2 = ["primf", "primn", "secdf", "secdn", "urban", "c3ann", "c4ann", "c3per", "c4per",
            "c3nfx", "pastr", "range"]  # fmt: skip
    bound = {g.name: [luh2[i] for i in np.flatnonzero(row)] for g, row in
             zip(of.groups, of.group_matrix(luh2), strict=True)}  # fmt: skip
    assert bound == {
        "urban": ["urban"],
        "cropland": ["c3ann", "c4ann", "c3per", "c4per", "c3nfx"],
        "pasture": ["pastr"],
    }
    assert [of.names[k] for k in np.flatnonzero(of.group_of >= 0)] == list(bound)
    assert of.group_matrix(["crops", "pastr", "urban"]).tolist() == [
        [0, 0, 1], [1, 0, 0], [0, 1, 0],
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["sweden5", "brazil9"])
def test_where_quantities_are_known_every_class_is_its_own_group(name):
    """A state a class, so the matrix is the identity."""
    of = scheme(name)
    assert of.group_of.tolist() == [-1, *range(of.n_classes - 1)]
    assert np.array_equal(of.group_matrix(of.names[1:]), np.eye(of.n_classes - 1))


def urban_given_up(series):
    """Share of urban cell-years after which the cell is land of another class, counted."""
    of = series.scheme
    maps = of.numbers_from_codes(series.codes, series.variant, series.name)
    urban = maps == of.names.index("urban")
    return (urban[:-1] & ~urban[1:]).sum() / urban[:-1].sum()


def test_real_maps_say_where_urban_land_stays(real_data):
    """Southern Sweden never gives it up, and sweden5 forbids it; Brazil's maps do, and may."""
    assert urban_given_up(sweden_series(real_data)) == 0
    assert scheme("sweden5").movable(1)[1].tolist() == [False, True, False, False, False]
    assert urban_given_up(brazil_series(real_data)) > 0.01
    assert scheme("brazil9").movable(1)[6].sum() == 8


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('classes = ["farm"]', 'classes = ["frm"]', "'frm' is not one of its classes"),
        ('classes = ["farm"]', 'classes = ["sea"]', "group 'farms': class 'sea' is fixed"),
        ('classes = ["farm"]', 'classes = ["town"]', "class 'town' is in two groups"),
        ('classes = ["farm"]', 'classes = ["farm", "farm"]', "class 'farm' is in two groups"),
        ('states = ["farm"]', 'states = ["town"]', "state 'town' is in two groups"),
        (
            'states = ["farm"]',
            'states = ["primf"]',
            r"state 'primf' is not one of \['city', 'farm'",
        ),
        ('name = "farms"', 'name = "towns"', "name 'towns' is in two groups"),
        (f'states = ["farm"]\n{SOURCE}', 'states = ["farm"]', "group 'farms': has no source"),
        (f'"farm"]\n{SOURCE}\n[variant', '"farm"]\n[variant', "from 'town': has no source"),
        ('to = ["land", "farm"]', 'to = ["land", "frm"]', "'frm' is not one of its classes"),
        ('from = "town"', 'from = "twn"', "'twn' is not one of its classes"),
        ('to = ["land", "farm"]', 'to = ["town"]', "to itself: a class may always stay"),
    ],
)
def test_groups_and_bans_that_contradict_themselves_are_refused(old, new, words):
    """Each contradiction is named."""
    assert FULL.count(old) == 1
    with pytest.raises(ConfigError, match=words):
        parse_scheme("small", FULL.replace(old, new))


def test_members_have_one_row_a_group_and_a_last_one_for_the_rest():
    table = scheme("hilda8").members
    assert table.shape == (4, 8)
    np.testing.assert_array_equal(table.sum(axis=0), np.ones(8))
    np.testing.assert_array_equal(np.flatnonzero(table[1]), [2])  # cropland
    np.testing.assert_array_equal(np.flatnonzero(table[3]), [0, 4, 5, 6, 7])
