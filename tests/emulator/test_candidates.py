"""What goes into the allocation: only what may change, and nothing that is not a number."""

import numpy as np
import pytest

from landstep.emulator.candidates import Candidates
from landstep.emulator.errors import InputError, ModelError
from landstep.emulator.quotas import Rule

K, SHAPE = 4, (2, 3)
ROW, COL = np.repeat([0, 1], 3), np.repeat([0, 1, 2], [2, 2, 3])
AREA = np.array([[900, 901, 902, 903, 904, 905]]).T
MOVABLE = np.ones((K, K), bool)
MOVABLE[0], MOVABLE[:, 0], MOVABLE[0, 0] = False, False, True
RULE = Rule("exact", np.array([-1, 0, 1, -1]), 2, MOVABLE)


def given(**change):
    """Give what fits together, with what is changed."""
    rng = np.random.default_rng(4)
    whole = {
        "odds": rng.normal(size=(K, 6, 7)).astype(np.float32),
        "prior": rng.integers(1, K, (6, 7)).astype(np.uint8),
        "quota": np.zeros((2, *SHAPE), np.int64),
        "area": AREA,
        "row": ROW,
        "col": COL,
        "shape": SHAPE,
        "rule": RULE,
    }
    return {**whole, **change}


def map_with(code):
    """Give a map of class 1 with that number in cell (2, 3)."""
    prior = np.ones((6, 7), np.uint8)
    prior[2, 3] = code
    return prior


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"odds": np.zeros((3, 6, 7), np.float32)}, r"odds has shape \(3, 6, 7\), expected \(4, 6"),
        ({"quota": np.zeros((1, 2, 3), int)}, r"quota has shape \(1, 2, 3\), expected \(2, 2, 3\)"),
        ({"area": np.ones((1, 7), int)}, r"area .* expected \(6, 7\) or \(6, 1\)"),
        ({"row": COL}, r"row has shape \(7,\), expected \(6,\)"),
        ({"col": ROW}, r"col has shape \(6,\), expected \(7,\)"),
        ({"prior": map_with(9)}, r"class number 9 at cell \(2, 3\), expected 0 to 3, or 255"),
    ],
)
def test_what_does_not_fit_is_refused(change, message):
    with pytest.raises(InputError, match=message):
        Candidates.of(**given(**change))


@pytest.mark.parametrize(
    "wrong", [[1, np.nan, 1, 1], [1, 1, np.inf, 1], [5, -np.inf, -np.inf, -np.inf]]
)
def test_odds_that_are_no_numbers_are_refused(wrong):
    inputs = given()
    inputs["odds"][:, 4, 5] = wrong
    with pytest.raises(ModelError, match=r"odds of cell \(4, 5\) are \["):
        list(Candidates.of(**inputs).parts(changing=False))


def test_odds_of_cells_that_never_move_do_not_matter():
    inputs = given(prior=map_with(0))
    inputs["odds"][:, 2, 3] = np.nan
    inputs["odds"][0] = np.nan
    for part in Candidates.of(**inputs).parts(changing=False):
        assert np.isfinite(part.p).all()


def test_only_coarse_cells_with_a_quota_of_a_cell_are_worked_on():
    quota = np.zeros((2, *SHAPE), np.int64)
    quota[1, 1, 2], quota[0, 0, 1] = -500, 440
    parts = list(Candidates.of(**given(quota=quota)).parts(changing=True))
    assert [(p.row.tolist(), p.col.tolist()) for p in parts] == [([1], [2])]
    assert sorted(parts[0].where[parts[0].real]) == [25, 26, 27, 32, 33, 34, 39, 40, 41]


def test_only_the_unknown_cells_of_a_quiet_coarse_cell_are_worked_on():
    (part,) = Candidates.of(**given(prior=map_with(255))).parts(changing=True)
    np.testing.assert_array_equal(part.where[part.real], [2 * 7 + 3])
    assert not part.barred[:, part.real].any()


def test_the_area_wanted_is_that_of_the_known_cells_and_the_quota():
    prior = map_with(255)
    prior[:3, 2:4] = [[1, 1], [1, 2], [3, 255]]
    quota = np.zeros((2, *SHAPE), np.int64)
    quota[:, 0, 1] = 1000, -700
    (part,) = Candidates.of(**given(prior=prior, quota=quota)).parts(changing=True)
    bound = [900 + 900 + 901 + 1000, 901 - 700]
    np.testing.assert_array_equal(part.wanted[:, 0], [*bound, 2 * (900 + 901 + 902) - sum(bound)])
