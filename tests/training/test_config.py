"""The training file: what it may say, and what is said where it may not."""

from importlib import resources

import pytest

from landstep.emulator.errors import ConfigError
from landstep.training.config import load_config, training_pairs


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
    assert config.allocation.stay_weight == 1.0


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
        ("[2006, 2007]", "[2007, 2007]", r"\[2007, 2007\]: expected \[prior, later target\]"),
        ("[2006, 2007]", "[2006, 1999]", "expected .prior, later target., data.direction is forw"),
        ("lags = [1, 2]", 'lags = [1]\ndirection = "backward"', "expected .prior, earlier target"),
        ("lags = [1, 2]", 'lags = [1]\ndirection = "sideways"', "data.direction = 'sideways'"),
        ("history = 2", "history = 0", "data.history = 0: .*greater than or equal to 1"),
        ("[fit]", "[allocation]\nstay_weight = 2.0\n[fit]", "allocation.stay_weight = 2.0"),
        ("[fit]", "[allocation]\nmiss_price = -1\n[fit]", "allocation.miss_price = -1"),
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


@pytest.mark.parametrize("name", ["world", "sweden"])
def test_the_training_files_of_the_package_are_valid(name):
    path = resources.files("landstep.training") / "configs" / f"{name}.toml"
    config = load_config(str(path))
    assert config.data.years[0] < config.data.years[1]
    assert config.validation
