"""The training file: what it may say, and what is said where it may not."""

from importlib import resources

import pytest

from landstep.emulator.errors import ConfigError
from landstep.training.config import load_config, training_pairs

FIRST = "[[allocation]]\nyears = 1\n"


def changed(training_file, old, new):
    """Replace a piece of the training file."""
    text = training_file.read_text()
    assert old in text
    training_file.write_text(text.replace(old, new))
    return training_file


def test_a_training_file_is_read(training_file, tmp_path):
    config = load_config(training_file)
    assert config.folder == tmp_path
    assert config.data.years == (2000, 2006)
    assert config.fit.steps == 10
    assert config.fit.rate == 3e-3
    assert (config.data.history, config.data.direction) == (2, "forward")
    whole = {"years": 1, "stay_weight": 1.0, "new_weight": 1.0, "miss_price": 0.1}
    assert [entry.model_dump() for entry in config.allocation] == [whole]


def test_weights_of_the_allocation_are_given_by_lag(training_file):
    tables = """
        [[allocation]]
        years = 1
        new_weight = 0.4
        [[allocation]]
        years = 4
        stay_weight = 0.9
        new_weight = 0.7
        miss_price = 0.2
        [fit]
    """
    config = load_config(changed(training_file, "[fit]", tables))
    found = [tuple(entry.model_dump().values()) for entry in config.allocation]
    assert found == [(1, 1.0, 0.4, 0.1), (4, 0.9, 0.7, 0.2)]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("steps =", "stepps =", r"unknown key 'fit\.stepps' \(did you mean 'steps'\?\)"),
        ("[network]", "[netwrok]", r"unknown key 'netwrok' \(did you mean 'network'\?\)"),
        ("[data]", "[data]\nzzz = 1", r"unknown key 'data\.zzz'; it may have"),
        ("years = [2000, 2006]", "", r"key 'data\.years' is missing"),
        ("steps = 10", "steps = 0", r"fit\.steps = 0: .*greater than or equal to 1"),
        ("depth = 2", "depth = 4", "samples.patch 24 is not a multiple of the stride 16"),
        ("lags = [1, 2]", "lags = [7]", "hold no pair that lies 7 years apart"),
        ("years = [2000, 2006]", "years = [1, 1000000000000]", r"data\.years.* = 1000000000000"),
        ("[data]", "[data]\nleast_history = 5", "lies 2 years apart with 5 maps before it"),
        ("[data]", "[data]\nfold = [6, 5]", r"fold \[6, 5\]: expected \[k, n\], k from 1 to n"),
        ("[data]", "[data]\nfold = [1, 1]", "data.fold.1 = 1: .*greater than or equal to 2"),
        ("held_out = 0.2", "held_out = 0.6", "fit.held_out = 0.6: .*less than or equal to 0.5"),
        ("held_out = 0.2", "patience = 0", "fit.patience = 0: .*greater than or equal to 1"),
        ("blocks", "rollout = 1.1\nblocks", "samples.rollout = 1.1: .*less than or equal to 1"),
        ("blocks", "rollout_years = 0\nblocks", "rollout_years = 0: .*greater than or equal to 1"),
        ("[2006, 2007]", "[2007, 2007]", r"\[2007, 2007\]: expected \[prior, later target\]"),
        ("[2006, 2007]", "[2006, 1999]", "expected .prior, later target., data.direction is forw"),
        ("lags = [1, 2]", 'lags = [1]\ndirection = "backward"', "expected .prior, earlier target"),
        ("lags = [1, 2]", 'lags = [1]\ndirection = "sideways"', "data.direction = 'sideways'"),
        ("history = 2", "history = 0", "data.history = 0: .*greater than or equal to 1"),
        ("[fit]", f"{FIRST}stay_weight = 2.0\n[fit]", "allocation.0.stay_weight = 2.0"),
        ("[fit]", f"{FIRST}new_weight = -0.1\n[fit]", "allocation.0.new_weight = -0.1"),
        ("[fit]", f"{FIRST}{FIRST}miss_price = -1\n[fit]", "allocation.1.miss_price = -1"),
        ("[fit]", f"{FIRST}{FIRST}[fit]", r"allocation = .*years \[1, 1\], expected each to have"),
        ("[fit]", "[[allocation]]\n[fit]", "key 'allocation.0.years' is missing"),
        ("[fit]", f"{FIRST}newweight = 1\n[fit]", r"'allocation.0.newweight' \(did you mean 'new_"),
        ("[fit]", "[allocation]\nyears = 1\n[fit]", "allocation = .*valid list"),
        ("[2006, 2007]", "[2001, 2005]", "validation target 2005 lies in data.years"),
        ("steps = 10", "steps = ", "not TOML"),
    ],
)
def test_what_cannot_be_is_refused_by_name(training_file, old, new, words):
    with pytest.raises(ConfigError, match=words):
        load_config(changed(training_file, old, new))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"nowhere\.toml: cannot be read"):
        load_config(tmp_path / "nowhere.toml")


def test_pairs_hold_every_year_of_every_lag():
    forward = [(2000, 2001), (2001, 2002), (2002, 2003), (2000, 2002), (2001, 2003)]
    assert training_pairs((2000, 2003), [2, 1, 2], "forward") == forward
    backward = [(after, before) for before, after in forward]
    assert training_pairs((2000, 2003), [2, 1, 2], "backward") == backward
    assert training_pairs((2000, 2003), [2, 1, 2], "both") == [*forward, *backward]


def test_priors_have_as_many_maps_before_them_as_asked_for_the_way_they_step():
    forward = [(2002, 2003), (2003, 2004), (2002, 2004)]
    assert training_pairs((2000, 2004), [1, 2], "forward", 2) == forward
    backward = [(2001, 2000), (2002, 2001), (2002, 2000)]
    assert training_pairs((2000, 2004), [1, 2], "backward", 2) == backward


@pytest.mark.parametrize("name", ["world", "sweden", "brazil"])
def test_the_training_files_of_the_package_are_valid(name):
    path = resources.files("landstep.training") / "configs" / f"{name}.toml"
    config = load_config(str(path))
    assert config.data.years[0] < config.data.years[1]
    assert config.validation
