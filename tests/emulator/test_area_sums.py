"""Areas of classes in coarse cells, against sums cell by cell."""

import numpy as np
import pytest

from landstep.emulator.area_sums import class_areas, coarse_class_sums
from landstep.emulator.classes import MASKED
from landstep.emulator.grid import Grid


@pytest.mark.parametrize("across", [1, 23])
def test_sums_are_those_of_the_cells_one_by_one(across):
    """Areas by row, or by cell; unknown cells and numbers that are none count for nothing."""
    rng = np.random.default_rng(3)
    land_use = rng.choice([0, 1, 2, 3, 9, MASKED], (17, 23)).astype(np.uint8)
    area = rng.integers(1, 2**50, (17, across))
    row, col = np.sort(rng.integers(0, 4, 17)), np.sort(rng.integers(1, 6, 23))
    expected = np.zeros((4, 5, 7), object)
    for y, x in np.ndindex(17, 23):
        if land_use[y, x] < 4:
            expected[land_use[y, x], row[y], col[x]] += int(area[y, min(x, across - 1)])
    found = coarse_class_sums(land_use, area, row, col, (5, 7), 4)
    assert found.dtype == np.int64
    assert np.array_equal(found, expected.astype(np.int64))


def test_areas_of_a_map_are_in_whole_square_millimetres_by_row():
    grid = Grid.regular(np.array([10.5, 9.5]), np.array([0.5, 1.5, 2.5]), "here")
    areas = class_areas(np.array([[1, 1, 0], [1, 2, MASKED]], np.uint8), grid, 3)
    north, south = grid.cell_area()[:, 0]
    assert areas.tolist() == [north, 2 * north + south, south]
