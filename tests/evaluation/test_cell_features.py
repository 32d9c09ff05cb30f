"""Features of single cells: by hand, blind to the target map, alike in both directions."""

import numpy as np
import pytest

from landstep.emulator.classes import MASKED
from landstep.evaluation.cell_features import cell_features
from landstep.evaluation.neighbourhood import land_mean, shares


@pytest.fixture
def cells(case):
    return case.maps[2005] > 0


def column(found, name):
    return found.values[:, found.names.index(name)]


def test_features_of_one_cell_by_hand(case, cells):
    for year, k in zip(range(2002, 2006), (3, 4, 4, 5), strict=True):
        case.maps[year][14, 14] = k  # 5 now, 4 for two years, 3 before
    found = cell_features(case, 2005, 2007, cells)
    at = int(np.flatnonzero(np.flatnonzero(cells) == 14 * 37 + 14)[0])
    row = dict(zip(found.names, found.values[at], strict=True))
    assert found.names[0] == "prior"
    assert (row["prior"], row["map_1"], row["map_2"], row["map_3"]) == (5, 4, 4, 3)
    assert (row["age"], row["changes"], row["class_before"], row["lag"]) == (0, 2, 4, 2)
    total = 1 + 0.7 + 0.49 + 0.343
    assert row["time_agriculture"] == pytest.approx((0.7 + 0.49) / total)
    assert row["share_mosaic"] == pytest.approx(case.forcing[2007][4, 2, 2])
    owed = case.forcing[2007][4, 2, 2] - case.forcing[2005][4, 2, 2]
    assert row["owed_mosaic"] == row["own_owed"] == pytest.approx(owed)
    assert (row["row"], row["column"]) == (14, 14)
    assert row["elevation"] == case.continuous["elevation"][14, 14]


def test_neighbour_shares_are_of_land(case, cells):
    found = cell_features(case, 2005, 2006, cells)
    near = sum(column(found, f"near3_{name}") for name in case.scheme.names[1:])
    assert near == pytest.approx(1, abs=1e-5)


def test_an_unchanged_cell_has_no_class_before(case, cells):
    for year in range(2002, 2006):
        case.maps[year][14, 14] = 6
    found = cell_features(case, 2005, 2006, cells)
    at = int(np.flatnonzero(np.flatnonzero(cells) == 14 * 37 + 14)[0])
    assert np.isnan(column(found, "class_before")[at])
    assert column(found, "changes")[at] == 0
    assert column(found, "age")[at] == 8


def test_the_target_map_and_withheld_maps_are_not_read(case, cells):
    hidden = case.withhold(1)
    before = cell_features(hidden, 2005, 2006, cells)
    case.maps[2004][...] = MASKED
    case.maps[2006][...] = MASKED
    after = cell_features(hidden, 2005, 2006, cells)
    assert np.array_equal(before.values, after.values, equal_nan=True)


def test_missing_forcing_is_missing_in_the_features(case, cells):
    case.forcing[2006] = case.forcing[2006].copy()
    case.forcing[2006][:, 2, 2] = np.nan
    found = cell_features(case, 2005, 2006, cells)
    at = int(np.flatnonzero(np.flatnonzero(cells) == 14 * 37 + 14)[0])
    assert np.isnan(column(found, "share_mosaic")[at])


def test_window_shares_equal_counting_inside_the_map():
    rng = np.random.default_rng(1)
    classes = rng.integers(0, 3, (9, 11)).astype(np.uint8)
    found = shares(classes, 3)
    for y in range(1, 8):
        for x in range(1, 10):
            around = classes[y - 1 : y + 2, x - 1 : x + 2]
            for k in range(3):
                assert found[k, y, x] == pytest.approx((around == k).mean(), abs=1e-6)


def test_a_mean_over_land_leaves_the_sea_out():
    field, land = np.zeros((9, 9)), np.zeros((9, 9), bool)
    land[4, 4:6] = True
    field[4, 4], field[4, 3] = 1, 100  # the second is at sea
    found = land_mean(field, land, 3)
    assert found[4, 4] == pytest.approx(0.5)
    assert found[0, 0] == 0
