"""Areas of classes in zone groups, at points."""

import numpy as np
import pytest

from landstep.coupling.areas import UNKNOWN_ZONE, Areas
from landstep.emulator.errors import CouplingError
from landstep.emulator.legends import ZONE_GROUPS

COLUMNS = np.arange(2 * 7).reshape(2, 7).astype(np.int64)


def test_composite_columns_go_to_their_group_and_class() -> None:
    areas = Areas.unpack(COLUMNS, ("boreal", "unknown"), 3, np.ones(2))
    boreal = ZONE_GROUPS.index("boreal")
    assert areas.values[1, boreal].tolist() == [7, 8, 9]
    assert areas.values[1, UNKNOWN_ZONE].tolist() == [10, 11, 12]
    assert areas.unknown.tolist() == [6, 13]
    assert areas.values.sum() + areas.unknown.sum() == COLUMNS.sum()
    assert (areas.n, areas.n_classes) == (2, 3)


def test_without_zones_the_columns_are_those_of_the_classes() -> None:
    areas = Areas.unpack(COLUMNS, ("unknown",), 6, np.ones(2))
    assert np.array_equal(areas.of_classes(), COLUMNS)


def test_areas_cannot_be_changed() -> None:
    areas = Areas.unpack(COLUMNS, ("unknown",), 6, np.ones(2))
    with pytest.raises(ValueError, match="read-only"):
        areas.values[0, 0, 0] = 1


@pytest.mark.parametrize(
    ("groups", "n_classes", "words"),
    [
        (("boreal",), 5, "1 zone groups of 5 classes have 6 columns"),
        (("taiga",), 6, "zone group 'taiga' is not known"),
    ],
)
def test_columns_that_do_not_fit_are_refused(groups, n_classes, words) -> None:
    with pytest.raises(CouplingError, match=words):
        Areas.unpack(COLUMNS, groups, n_classes, np.ones(2))


@pytest.mark.parametrize(
    ("values", "unknown", "words"),
    [
        (np.zeros((2, 3, 4), np.int64), np.zeros(2, np.int64), "expected \\(n, 9, classes\\)"),
        (np.zeros((2, 9, 4)), np.zeros(2, np.int64), "areas: float64, expected int64"),
        (np.zeros((2, 9, 4), np.int64), np.array([0, -1]), "unknown area: negative at point 1"),
    ],
)
def test_areas_that_cannot_be_are_refused(values, unknown, words) -> None:
    with pytest.raises(CouplingError, match=words):
        Areas.make(values, unknown, np.ones(2))
