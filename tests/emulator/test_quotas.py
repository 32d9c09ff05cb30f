"""Quotas by hand, over many years, and rules that contradict themselves."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from landstep.emulator.errors import ConfigError, InputError
from landstep.emulator.quotas import Rule, asked_area, coarse_area, older, owed

ROW, COL = np.array([0, 0, 2, 2, 2]), np.array([1, 1, 1, 2])
GROUPS = np.array([[1.0, 0, 1], [0, 1, 0]])


def test_the_area_of_a_coarse_cell_is_that_of_its_fine_cells():
    area = np.arange(1, 21).reshape(5, 4) ** 3
    found = coarse_area(area, ROW, COL, (3, 3))
    expected = np.zeros((3, 3), np.int64)
    for y in range(5):
        for x in range(4):
            expected[ROW[y], COL[x]] += area[y, x]
    assert found.dtype == np.int64
    np.testing.assert_array_equal(found, expected)


def test_rows_of_one_area_count_every_column():
    area = np.array([[3], [5], [7], [11], [13]])
    found = coarse_area(area, ROW, COL, (3, 3))
    np.testing.assert_array_equal(found, [[0, 24, 8], [0, 0, 0], [0, 93, 31]])


def test_the_areas_of_a_whole_earth_add_up_to_the_last_unit():
    area = np.full((3, 2), 2**57 + 1)
    found = coarse_area(area, np.zeros(3, int), np.zeros(2, int), (1, 1))
    assert found[0, 0] == 6 * 2**57 + 6


def test_a_group_asks_for_the_change_of_its_states():
    then = np.array([0.1, 0.5, 0.2])[:, None, None]
    now = np.array([0.2, 0.4, 0.3])[:, None, None]
    asked = asked_area(then, now, GROUPS, np.array([[1001]]))
    # .5 x 1001 = 500.5 rounds to 500 (even), .3 x 1001 to 300; .5005 and 400.4 for the second
    np.testing.assert_array_equal(asked[:, 0, 0], [200, -100])


@given(
    arrays(np.float32, (4, 3, 2, 3), elements=st.floats(2**-10, 0.3125, width=32)),
    arrays(np.int64, (2, 3), elements=st.integers(0, 10**15)),
)
def test_what_is_asked_over_years_is_the_change_since_the_anchor(years, whole):
    total = sum(asked_area(years[n], years[n + 1], GROUPS, whole) for n in range(3))
    np.testing.assert_array_equal(total, asked_area(years[0], years[3], GROUPS, whole))
    np.testing.assert_array_equal(total, -asked_area(years[3], years[0], GROUPS, whole))


@pytest.mark.parametrize("missing", [0.0, np.nan])
def test_a_missing_forcing_asks_nothing(missing):
    then, now = np.full((2, 3, 1, 2), 0.2)
    now[:, 0, 1] = missing
    now[1, 0, 0] = 0.4
    asked = asked_area(then, now, GROUPS, np.full((1, 2), 1000))
    np.testing.assert_array_equal(asked, [[[0, 0]], [[200, 0]]])


def test_forcings_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match=r"forcing of \(4, 1, 2\) and \(3, 1, 2\), groups of"):
        asked_area(np.ones((4, 1, 2)), np.ones((3, 1, 2)), GROUPS, np.ones((1, 2), int))


def test_what_is_not_realised_is_owed():
    np.testing.assert_array_equal(owed(np.array([5]), np.array([-7]), np.array([3])), [-5])


def test_a_debt_ages_while_it_stands_with_its_sign():
    age = np.array([3, 3, 3, 3, 255, 0], np.uint8)
    before = np.array([60, 60, -60, 60, 60, 0])
    after = np.array([70, -70, -50, 49, 90, 80])
    found = older(age, before, after, np.full(6, 100))
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, [4, 1, 4, 0, 255, 1])


def test_no_debt_stands_where_there_is_no_fine_cell():
    np.testing.assert_array_equal(
        older(np.array([4], np.uint8), np.array([0]), np.array([0]), np.array([0])), [0]
    )


def rule(**change):
    """Give a rule of three classes, one bound, with what is changed."""
    whole = {
        "mode": "soft",
        "group_of": np.array([-1, 0, -1]),
        "n_groups": 1,
        "movable": np.ones((3, 3), bool),
    }
    return Rule(**{**whole, **change})


def test_the_unbound_share_the_last_slot():
    np.testing.assert_array_equal(rule().slot_of, [1, 0, 1])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mode": "strict"}, "quotas 'strict', expected 'exact', 'soft' or 'none'"),
        ({"movable": np.ones((3, 2), bool)}, r"allowed changes are bool \(3, 2\), expected bool"),
        ({"movable": np.ones((3, 3))}, "allowed changes are float64"),
        ({"movable": ~np.eye(3, dtype=bool)}, "class 0 may not stay"),
        (
            {"group_of": np.array([-1, 1, -1])},
            r"groups \[-1, 1, -1\], expected -1 \(unbound\) to 0",
        ),
        ({"group_of": np.array([-2, 0, -1])}, "groups"),
        ({"stay_weight": 4.5}, "stay_weight 4.5, expected 0 to 4"),
        ({"new_weight": 4.5}, "new_weight 4.5, expected 0 to 4"),
        ({"new_weight": -0.5}, "new_weight -0.5, expected 0 to 4"),
        ({"price": -1.0}, "price -1.0, expected 0 to 4"),
        ({"price": float("nan")}, "price nan"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(change, message):
    with pytest.raises(ConfigError, match=message):
        rule(**change)
