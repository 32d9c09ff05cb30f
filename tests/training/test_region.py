"""Reading an experiment for training: only the years asked for, only the cells in use."""

import dataclasses
import hashlib
import shutil

import numpy as np
import pytest

from landstep.data.world import make_world
from landstep.emulator.classes import MASKED, scheme
from landstep.emulator.errors import ConfigError, InputError
from landstep.emulator.experiment import load_experiment
from landstep.emulator.inputs import open_inputs
from landstep.training.evaluate import score_pairs
from landstep.training.region import Region, load_region, same_channels

PAIRS = [(2000, 2001), (2000, 2005)]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Make a small world once; its experiment file."""
    return make_world(tmp_path_factory.mktemp("world"), seed=3, shape=(60, 90))


def load(path, pairs=PAIRS):
    """Load a region with the usual statics."""
    return load_region(path, pairs, ["elevation"], ["soil_texture", "climate_zone"], 2)


def test_a_region_holds_what_the_pairs_need(world):
    region, inputs = load(world), open_inputs(load_experiment(world))
    assert sorted(region.maps) == [1998, 1999, 2000, 2001, 2005]
    assert sorted(region.categories) == [2001, 2005]
    for year, land_use in region.maps.items():
        assert np.array_equal(land_use, inputs.land_use.map(year))
    for after in (2001, 2005):
        now, change = inputs.forcing_pair(after, 2000)
        found = region.forcing[2000, after]
        for part, whole in zip(found, (now, change), strict=True):
            painted = part[:, region.row][:, :, region.col]
            assert np.array_equal(painted, whole[:, inputs.row][:, :, inputs.col])
    assert region.category_sizes[0] <= 8
    assert region.category_sizes[1] >= region.categories[2005][1].max() + 1
    soil = (world.parent / "soil.nc").read_bytes()
    assert region.files["soil.nc"] == hashlib.sha256(soil).hexdigest()
    assert len(region.files) == 6


def test_history_holds_the_maps_before_in_stepping_order(world):
    inputs = open_inputs(load_experiment(world))
    region = load(world, [(1986, 1987), (2029, 2028), (2030, 2020)])
    of = inputs.land_use.map
    unknown = np.full(region.shape, MASKED, np.uint8)
    first_map = inputs.land_use.years[0]
    assert first_map == 1985
    for year, direction, expected in (
        (1986, 1, [of(1985), unknown]),
        (2029, -1, [of(2030), unknown]),
        (2030, -1, [unknown, unknown]),
    ):
        assert np.array_equal(region.history(year, direction, 2), expected)
    within = region.history(2029, -1, 2, within=(2000, 2029))
    assert (within == MASKED).all(), "a map outside the years of the training was looked at"


def test_transitions_are_counted_by_brute_force(world):
    region = load(world)
    expected = np.zeros((8, 8), int)
    for before, after in PAIRS:
        for a, b in zip(region.maps[before].flat, region.maps[after].flat, strict=True):
            if a < 8 and b < 8:
                expected[a, b] += 1
    assert np.array_equal(region.transitions(PAIRS), expected)


def test_cells_that_are_left_out_are_in_no_transition(world):
    region = load(world)
    left_out = np.random.default_rng(1).random(region.shape) < 0.4
    expected = np.zeros((8, 8), int)
    for before, after in PAIRS:
        for y, x in np.argwhere(~left_out):
            a, b = region.maps[before][y, x], region.maps[after][y, x]
            if a < 8 and b < 8:
                expected[a, b] += 1
    assert np.array_equal(region.transitions(PAIRS, left_out), expected)


@pytest.mark.parametrize(("pair", "year"), [((1900, 2001), 1900), ((2029, 2031), 2031)])
def test_a_year_outside_the_files_is_named(world, pair, year):
    with pytest.raises(ConfigError, match=f"year {year} was asked for; it has maps and forcing"):
        load(world, [pair])


def test_a_missing_experiment_and_a_missing_file_are_named(world, tmp_path):
    with pytest.raises(ConfigError, match=r"nowhere\.toml: cannot be read"):
        load(tmp_path / "nowhere.toml")
    copy = shutil.copytree(world.parent, tmp_path / "copy")
    (copy / "soil.nc").unlink()
    with pytest.raises(InputError, match=r"soil\.nc"):
        load(copy / world.name)


def test_an_unknown_static_is_named(world):
    with pytest.raises(ConfigError, match="static 'slope' is not one of"):
        load_region(world, PAIRS, ["slope"], [], 1)


def other(region, **change):
    """Give a region that differs in one thing."""
    return dataclasses.replace(region, name="other", **change)


def test_regions_of_different_channels_are_not_learned_together(region):
    for change, words in (
        ({"states": ("urban",)}, "other.*has forcing states"),
        ({"phase": "07-01"}, "has day of validity 07-01, .made up. has 01-01"),
    ):
        with pytest.raises(ConfigError, match=words):
            same_channels([region, other(region, **change)], ["a", "b"], {})


def test_category_sizes_are_the_largest_of_all(region):
    names = ["soil_texture", "climate_zone"]
    second = other(region, category_sizes=(5, 6))
    found = same_channels([region, second], names, {"climate_zone": 2})
    assert [c.size for c in found] == [8, 6]
    assert [c.size for c in same_channels([region], names, {"climate_zone": 9})] == [8, 9]


def test_scoring_reads_the_pairs_and_each_step_between():
    assert score_pairs([(2000, 2001), (2003, 2005)]) == [
        (2000, 2001),
        (2003, 2004),
        (2003, 2005),
        (2004, 2005),
    ]
    assert score_pairs([(2003, 2001)]) == [(2002, 2001), (2003, 2001), (2003, 2002)]


STATES = ("secdf", "urban", "c3ann", "pastr", "c4ann")


def two_coarse_cells(now, change):
    """Make a region of 2 x 5 cells, the first coarse cell 2 x 2 of them, the second 2 x 3.

    The first holds urban land, cropland twice and pasture; the second forest, grass and ocean.
    now, change : for each coarse cell its STATES
    """
    forcing = tuple(np.array(part, np.float32).T[:, None] for part in (now, change))
    return Region(
        name="two",
        scheme=scheme("hilda8"),
        states=STATES,
        phase="01-01",
        maps={2000: np.array([[1, 2, 4, 4, 0], [3, 2, 4, 5, 5]], np.uint8)},
        forcing={(2000, 2002): forcing},
        continuous=np.zeros((0, 2, 5), np.float32),
        categories={2002: np.zeros((0, 2, 5), np.uint8)},
        category_sizes=(),
        row=np.array([0, 0]),
        col=np.array([0, 0, 1, 1, 1]),
        wraps=False,
        files={},
    )


NOW = [[0.2, 0.3, 0.1, 0.2, 0.1], [0.5, 0.1, 0.2, 0.05, 0.1]]
CHANGE = [[0.35, 0.1, -0.2, -0.3, 0.05], [0, 0, 0, 0.25, 0]]


def test_a_step_is_to_leave_what_the_prior_has_and_the_forcings_change():
    """Of 4 cells urban 0.25 + 0.1, crops 0.5 - 0.2 + 0.05, pasture 0.25 - 0.3, so none; of the 6
    cells of the other a quarter becomes pasture.
    """
    wanted = two_coarse_cells(NOW, CHANGE).wanted((2000, 2002), np.zeros((1, 2), bool))
    assert wanted.shape == (4, 1, 2) and wanted.dtype == np.float32
    np.testing.assert_allclose(wanted[:, 0, 0], [1.4, 1.4, 0, 1.2], atol=1e-6)
    np.testing.assert_allclose(wanted[:, 0, 1], [0, 0, 1.5, 4.5], atol=1e-6)


def test_where_the_prior_is_not_known_the_forcings_own_shares_are_wanted():
    region = two_coarse_cells(NOW, CHANGE)
    wanted = region.wanted((2000, 2002), np.array([[False, True]]))
    np.testing.assert_allclose(wanted[:, 0, 0], [1.4, 1.4, 0, 1.2], atol=1e-6)
    np.testing.assert_allclose(wanted[:, 0, 1], [0.6, 1.8, 0.3, 3.3], atol=1e-6)


def test_where_the_forcing_is_missing_what_the_prior_has_is_wanted():
    region = two_coarse_cells(np.zeros((2, 5)), np.zeros((2, 5)))
    for unknown in (False, True):
        wanted = region.wanted((2000, 2002), np.full((1, 2), unknown))
        np.testing.assert_allclose(wanted[:, 0].T, [[1, 2, 1, 0], [0, 0, 0, 6]], atol=1e-6)


def test_more_than_a_whole_coarse_cell_leaves_no_rest():
    change = np.array(CHANGE)
    change[0, 1] = 0.9
    wanted = two_coarse_cells(NOW, change).wanted((2000, 2002), np.zeros((1, 2), bool))
    np.testing.assert_allclose(wanted[:, 0, 0], [4.6, 1.4, 0, 0], atol=1e-6)


def test_coarse_cells_with_unknown_cells_are_found(region):
    land_use = region.maps[2000].copy()
    land_use[[0, 6, 43], [7, 59, 0]] = MASKED
    assert np.argwhere(region.coarse_unknown(land_use)).tolist() == [[0, 1], [0, 8], [6, 0]]


def test_a_region_with_other_maps_counts_their_shares(region):
    region.shares(2000)
    other_maps = {year: np.full_like(field, 4) for year, field in region.maps.items()}
    forest = dataclasses.replace(region, maps=other_maps).shares(2000)
    assert (forest[4] == 1).all() and not np.delete(forest, 4, axis=0).any()
