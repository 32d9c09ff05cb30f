"""Reading an experiment for training: only the years asked for, only the cells in use."""

import hashlib
import shutil

import numpy as np
import pytest

from landstep.data.world import make_world
from landstep.emulator.classes import MASKED
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
    return Region(**{**vars(region), "name": "other", **change})


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
